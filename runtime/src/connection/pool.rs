//! The pool: gives out connections, and explains why it cannot.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool::managed::{PoolError, TimeoutType, Timeouts};
use futures_util::FutureExt;

use super::manager::Manager;
use super::options::ConnectOptions;
use super::parameter_types::ParameterTypes;
use super::pooled::PooledConnection;
use super::row_security::RowSecurityCheck;
use super::settings::Settings;
use super::statement_texts::StatementTexts;
use super::tls::Connector;
use crate::error::{Error, Result};
use crate::query::Tenant;
use crate::telemetry::{Connections, Counters, Hooks, Server, Statistics};

/// Connections to one database, as one client sees them. Clients with the same connections may have different counters
/// and hooks.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) hooks: Option<Arc<Hooks>>,
    /// The tenant that the client is confined to.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// The settings of PostgreSQL for the client's statements.
    pub(crate) settings: Option<Arc<Settings>>,
}

/// The parts that all clients of the same connections share.
pub(crate) struct Shared {
    pub(crate) connections: deadpool::managed::Pool<Manager>,
    pub(crate) options: ConnectOptions,
    pub(crate) acquire_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// For cancelling statements, which needs another connection.
    pub(crate) tls: Connector,
    /// If statements have no names: the types of their parameters.
    pub(crate) unnamed: Option<ParameterTypes>,
    /// The texts from which named statements are prepared.
    pub(crate) texts: StatementTexts,
    /// Statements that take at least this long are logged.
    pub(crate) slow: Option<Duration>,
    pub(crate) server: Server,
    /// The check of new connections, if the schema has row security.
    pub(crate) row_security: Option<RowSecurityCheck>,
}

/// A free connection or none. Does not start to open one: see `Manager::create`.
const AT_ONCE: Timeouts = Timeouts { wait: Some(Duration::ZERO), create: None, recycle: None };

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.shared.options.target())
    }
}

impl Pool {
    /// Returns a connection of the pool.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<PooledConnection> {
        // Usually one is free, and comes without an await and a timer, which would make the future of every call
        // larger. Waiting callers are not overtaken: a returned connection is given to them first.
        let connections = &self.shared.connections;
        let free = connections.timeout_get(&AT_ONCE).now_or_never();
        let connection = match free {
            Some(Ok(connection)) => Ok(connection),
            _ => Box::pin(connections.get()).await,
        };
        match connection {
            Ok(connection) => {
                if let Some(check) = &self.shared.row_security
                    && !connection.is_checked.load(Ordering::Relaxed)
                {
                    Box::pin(check.check(&connection)).await?;
                    connection.is_checked.store(true, Ordering::Relaxed);
                }
                Ok(PooledConnection::new(connection, Arc::clone(self)))
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Returns the counters of the client, and the state of the pool.
    pub(crate) fn statistics(&self) -> Statistics {
        let status = self.shared.connections.status();
        let connections = Connections {
            open: status.size,
            max: status.max_size,
            in_use: status.size.saturating_sub(status.available),
            waiting: status.waiting,
        };
        self.counters.statistics(connections)
    }

    fn explain(&self, error: PoolError<tokio_postgres::Error>) -> Error {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                let status = self.shared.connections.status();
                Error::PoolTimeout {
                    limit: self.shared.acquire_timeout,
                    max_size: status.max_size,
                    in_use: status.size.saturating_sub(status.available),
                    waiting: status.waiting,
                }
            }
            PoolError::Timeout(_) => {
                Error::Timeout { what: "connecting to PostgreSQL", limit: self.shared.connect_timeout }
            }
            PoolError::Backend(error) => self.shared.options.connect_error(&error),
            PoolError::Closed => Error::Config("the client was closed".to_owned()),
            other => Error::Config(format!("the pool cannot give a connection: {other}")),
        }
    }
}
