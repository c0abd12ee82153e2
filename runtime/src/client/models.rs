//! The traits of the generated lists of models.

use std::sync::Arc;

use crate::builder::{Confined, OfModels, OnlyConfined, Unconfined};
use crate::connection::Settings;
use crate::execute::Executor;
use crate::meta::Table;
use crate::query::Tenant;
use crate::value::{IntoValue, Param, Scalar};

/// The generated list of models: `db.user()`, `db.session()` and so on.
pub trait Models: Sized + Send + Sync + 'static {
    /// Which query files can be sent with these models.
    type Sql: SqlAccess;

    /// Creates the models on a pool or a transaction.
    fn new(executor: Executor) -> Self;
}

/// Which query files can be sent with models.
pub trait SqlAccess {
    /// Whether any query file can be sent.
    const RUNS_SQL: bool;

    /// Whether every query file can be sent.
    const RUNS_ANY: bool;
}

/// The query files of all tenants.
#[derive(Debug)]
pub struct OfAll;

/// All query files: PostgreSQL confines those that the client does not confine.
#[derive(Debug)]
pub struct OfSecuredTenant;

/// Only query files that are confined to a tenant.
#[derive(Debug)]
pub struct OfTenant;

/// No query files: call `tenant` or `across_tenants` on the client first.
#[derive(Debug)]
pub struct OfNone;

impl SqlAccess for OfAll {
    const RUNS_SQL: bool = true;
    const RUNS_ANY: bool = true;
}

impl SqlAccess for OfSecuredTenant {
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

/// A query that can be sent with this access: what its `Confinement` says, or a tuple of queries for a batch.
#[diagnostic::on_unimplemented(
    message = "this client cannot send this query",
    label = "a query of `queries/*.sql` that this client cannot send",
    note = "a query that is not confined to a tenant (`Unconfined`): send it through `db.across_tenants()`, with the \
            tenant as a parameter",
    note = "a query that creates rows without the tenant's column (`OnlyConfined`): send it through `db.tenant(id)`"
)]
pub trait RunsWith<A> {}

impl<A> RunsWith<A> for OfModels {}
impl RunsWith<OfAll> for Unconfined {}
impl RunsWith<OfAll> for Confined {}
impl RunsWith<OfTenant> for Confined {}
impl RunsWith<OfTenant> for OnlyConfined {}
impl RunsWith<OfSecuredTenant> for Unconfined {}
impl RunsWith<OfSecuredTenant> for Confined {}
impl RunsWith<OfSecuredTenant> for OnlyConfined {}

/// The models of the plain client, which is not confined to a tenant.
#[diagnostic::on_unimplemented(
    message = "a client of `{Self}` cannot be connected",
    note = "connect a `Client`, and call `tenant(id)` on it"
)]
pub trait Root: Models {
    /// Whether the schema has tenants.
    const HAS_TENANTS: bool = false;

    /// The tables with `rowSecurity`, in which PostgreSQL also checks the tenant of each row.
    const SECURED: &'static [&'static Table] = &[];
}

/// The plain client of a schema with tenants, for which no tenant was chosen.
#[derive(Debug)]
pub struct NoTenant;

/// Implemented by nothing: gives the methods of tenants' models on the plain client an error that says what to do.
#[diagnostic::on_unimplemented(
    message = "the rows of `{M}` belong to tenants, so the plain client has no queries on them",
    label = "choose a tenant first",
    note = "call it on a handle, as in `db.tenant(id).student()`; `db.across_tenants()` sees the rows of all tenants"
)]
pub trait Sees<M> {}

/// Models whose client can also send raw SQL.
#[diagnostic::on_unimplemented(
    message = "raw SQL is not confined to a tenant",
    note = "send it through `db.across_tenants()`, with the tenant as a parameter; with `rowSecurity` for all models of \
            tenants, the handle `db.tenant(id)` sends it as well"
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

    /// The models, confined to one tenant.
    type Tenant: Models;

    /// The models with the rows of all tenants.
    type AcrossTenants: AnySql;
}

/// A value that is the id of a tenant, whose type is `K`: every value for a column of this type.
#[diagnostic::on_unimplemented(
    message = "the id of a tenant is a `{K}` in this schema, not `{Self}`",
    label = "expected the id of a tenant, of type `{K}`",
    note = "give the value of the tenant's key, such as the `id` of a row that `db.across_tenants()` has found"
)]
pub trait IntoTenantId<K> {
    /// The id.
    fn into_tenant_id(self) -> K;
}

// Otherwise, rustc would speak of columns and their values.
#[diagnostic::do_not_recommend]
impl<K, I: IntoValue<K>> IntoTenantId<K> for I {
    fn into_tenant_id(self) -> K {
        self.into_value()
    }
}

/// Returns the tenant that confines calls of the plain client to shared rows. If a statement names a table of tenants,
/// such as for an include, it gets a parameter that cannot be sent.
pub(crate) fn shared_only<M: Root>() -> Option<Arc<Tenant>> {
    M::HAS_TENANTS.then(|| Arc::new(Tenant { key: Param::Misuse(SHARED_ONLY), runs_any_sql: false }))
}

const SHARED_ONLY: &str = "the plain client sees no rows of tenants: make the call through `db.tenant(id)` or \
    `db.across_tenants()`";

/// Returns a tenant that calls are confined to.
pub(crate) fn tenant_of<M: Tenants>(id: impl IntoTenantId<M::Key>) -> Tenant {
    Tenant { key: id.into_tenant_id().into_param(), runs_any_sql: <M::Tenant as Models>::Sql::RUNS_ANY }
}

/// Adds the settings for the statements of a tenant to existing settings.
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

/// Adds the settings for statements about the rows of all tenants to existing settings.
pub(crate) fn settings_across_tenants<M: Tenants>(settings: Option<&Arc<Settings>>) -> Option<Arc<Settings>> {
    if M::SECURED.is_empty() {
        return settings.cloned();
    }
    let before = settings.map(Arc::as_ref).cloned().unwrap_or_default();
    Some(Arc::new(before.across_tenants()))
}
