//! The traits of the generated lists of models.

use crate::execute::Executor;
use crate::value::Scalar;

/// The generated list of models: `db.user()`, `db.session()` and so on.
pub trait Models: Sized + Send + Sync + 'static {
    /// The models behind a pool or a transaction.
    fn new(executor: Executor) -> Self;
}

/// The models at which a client begins.
#[diagnostic::on_unimplemented(
    message = "a client does not begin at `{Self}`",
    note = "connect a `Client`, and ask it for a tenant"
)]
pub trait Root: Models {}

/// Models of a whole database, beside which SQL of one's own can be sent.
#[diagnostic::on_unimplemented(
    message = "SQL of one's own is not confined to a tenant",
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
