//! The pool: gives connections, and says why it cannot.

use std::time::Duration;

use deadpool_postgres::{Object, PoolError, TimeoutType, Timeouts};

use crate::connect::ConnectOptions;
use crate::error::{Error, Result};

/// Connections to one database.
pub(crate) struct Pool {
    pub(crate) connections: deadpool_postgres::Pool,
    pub(crate) options: ConnectOptions,
    pub(crate) acquire_timeout: Duration,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.options.target())
    }
}

impl Pool {
    /// A connection of the pool.
    pub(crate) async fn acquire(&self) -> Result<Object> {
        // Usually one is free, and then no timer is needed. Nobody who waits is overtaken: what comes back
        // to the pool is given to them first.
        let without_waiting = Timeouts { wait: Some(Duration::ZERO), ..self.connections.timeouts() };
        match self.connections.timeout_get(&without_waiting).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                self.connections.get().await.map_err(|error| self.explain(error))
            }
            other => other.map_err(|error| self.explain(error)),
        }
    }

    fn explain(&self, error: PoolError) -> Error {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                let status = self.connections.status();
                Error::PoolTimeout {
                    limit: self.acquire_timeout,
                    max_size: status.max_size,
                    in_use: status.size.saturating_sub(status.available),
                    waiting: status.waiting,
                }
            }
            PoolError::Timeout(_) => Error::Timeout { what: "connecting to PostgreSQL", limit: self.acquire_timeout },
            PoolError::Backend(error) => self.options.connect_error(&error),
            PoolError::Closed => Error::Config("the client was closed".to_owned()),
            other => Error::Config(format!("the pool cannot give a connection: {other}")),
        }
    }
}
