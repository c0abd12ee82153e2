//! The traits of the generated lists of models.

use std::sync::Arc;

use crate::builder::{Confined, SqlCommand, SqlQuery};
use crate::connection::Settings;
use crate::execute::Executor;
use crate::meta::Table;
use crate::query::Tenant;
use crate::value::{IntoValue, Param, Scalar};

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

    /// Whether all can.
    const RUNS_ANY: bool;
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
    const RUNS_ANY: bool = true;
}

impl SqlAccess for OfTenant {
    const RUNS_SQL: bool = true;
    const RUNS_ANY: bool = false;
}

impl SqlAccess for OfNone {
    const RUNS_SQL: bool = false;
    const RUNS_ANY: bool = false;
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
pub trait Root: Models {
    /// Whether the schema has tenants.
    const HAS_TENANTS: bool = false;

    /// The tables in which PostgreSQL checks the tenant of each row, too: those with `rowSecurity`.
    const SECURED: &'static [&'static Table] = &[];
}

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

/// What calls of a client are confined to that was asked neither for a tenant nor for all: shared rows. A statement that
/// names a table of tenants, as an include does, has a parameter that cannot be sent.
pub(crate) fn shared_only<M: Root>() -> Option<Arc<Tenant>> {
    M::HAS_TENANTS.then(|| Arc::new(Tenant { key: Param::Misuse(SHARED_ONLY), runs_any_sql: false }))
}

const SHARED_ONLY: &str = "the plain client sees no rows of tenants: begin the call at `db.tenant(id)` or \
    `db.across_tenants()`";

/// A tenant that calls are confined to.
pub(crate) fn tenant_of<M: Tenants>(id: impl IntoValue<M::Key>) -> Tenant {
    Tenant { key: id.into_value().into_param(), runs_any_sql: <M::Tenant as Models>::Sql::RUNS_ANY }
}

/// The settings of a tenant's statements, beside those that there are.
pub(crate) fn settings_of_tenant<M: Tenants>(
    settings: Option<&Arc<Settings>>,
    tenant: &Tenant,
) -> Option<Arc<Settings>> {
    if M::SECURED.is_empty() {
        return settings.cloned();
    }
    let before = settings.map(Arc::as_ref).cloned().unwrap_or_default();
    Some(Arc::new(before.of_tenant(&tenant.key)))
}

/// The settings of statements for the rows of all tenants.
pub(crate) fn settings_across_tenants<M: Tenants>(settings: Option<&Arc<Settings>>) -> Option<Arc<Settings>> {
    if M::SECURED.is_empty() {
        return settings.cloned();
    }
    let before = settings.map(Arc::as_ref).cloned().unwrap_or_default();
    Some(Arc::new(before.across_tenants()))
}
