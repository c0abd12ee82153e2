//! A pool, or a transaction of one of its connections.

use std::sync::Arc;

use crate::connection::{Pool, Scope};

/// Where statements go.
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

    pub(crate) fn is_transaction(&self) -> bool {
        matches!(self, Target::Transaction(_))
    }
}
