//! A pool, or a transaction of one of its connections.

use std::sync::Arc;

use crate::connection::{Pool, Scope};
use crate::query::Tenant;

/// The destination of statements.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Pool(Arc<Pool>),
    Transaction(Scope),
}

impl Target {
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        match self {
            Target::Pool(pool) => pool,
            Target::Transaction(scope) => scope.transaction.pool(),
        }
    }

    /// The tenant that statements are confined to.
    pub(crate) fn tenant(&self) -> Option<&Arc<Tenant>> {
        match self {
            Target::Pool(pool) => pool.tenant.as_ref(),
            Target::Transaction(scope) => scope.tenant.as_ref(),
        }
    }

    pub(crate) fn is_transaction(&self) -> bool {
        matches!(self, Target::Transaction(_))
    }
}
