//! The traits of the generated lists of models.

use crate::builder::{Confined, SqlCommand, SqlQuery};
use crate::execute::Executor;
use crate::value::Scalar;

/// The generated list of models: `db.user()`, `db.session()` and so on.
pub trait Models: Sized + Send + Sync + 'static {
    /// The query files that can be sent with them.
    type Sql: SqlAccess;

    /// Creates the models on a pool or a transaction.
    fn new(executor: Executor) -> Self;
}

/// The query files that can be sent with models.
pub trait SqlAccess {
    /// Whether any can be sent.
    const RUNS_SQL: bool;
}

/// All query files.
#[derive(Debug)]
pub struct OfAll;

/// The query files that are confined to a tenant.
#[derive(Debug)]
pub struct OfTenant;

/// No query files: the client must first be asked for a tenant, or for all tenants.
#[derive(Debug)]
pub struct OfNone;

impl SqlAccess for OfAll {
    const RUNS_SQL: bool = true;
}

impl SqlAccess for OfTenant {
    const RUNS_SQL: bool = true;
}

impl SqlAccess for OfNone {
    const RUNS_SQL: bool = false;
}

/// A query file that can be sent with this access.
#[diagnostic::on_unimplemented(
    message = "this query is not confined to a tenant",
    note = "send it through `db.across_tenants()`, and name the tenant in it; a file that only reads tables of the schema \
            can be sent at `db.tenant(id)`"
)]
pub trait RunsWith<A> {}

impl<T, A, C> RunsWith<OfAll> for SqlQuery<T, A, C> {}
impl<T, A> RunsWith<OfTenant> for SqlQuery<T, A, Confined> {}
impl RunsWith<OfAll> for SqlCommand {}

/// The models of a client that is not confined yet.
#[diagnostic::on_unimplemented(
    message = "a client does not begin at `{Self}`",
    note = "connect a `Client`, and ask it for a tenant"
)]
pub trait Root: Models {}

/// Models that see the whole database. Their client also sends raw SQL.
#[diagnostic::on_unimplemented(
    message = "raw SQL is not confined to a tenant",
    note = "send it through `db.across_tenants()`, and name the tenant in it"
)]
pub trait AnySql: Models {}

/// Models of a schema with `@@tenant`.
#[diagnostic::on_unimplemented(
    message = "the schema has no tenants",
    note = "write `@@tenant` in the model whose rows are tenants"
)]
pub trait Tenants: Root {
    /// The type of a tenant's id.
    type Key: Scalar;

    /// The models as one tenant sees them.
    type Tenant: Models;

    /// The models as nobody but the operator sees them.
    type AcrossTenants: AnySql;
}
