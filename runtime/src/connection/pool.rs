//! The pool: gives out connections, and explains why it cannot.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{PoolError, TimeoutType, Timeouts};
use futures_util::FutureExt;
use tokio::sync::{OnceCell, watch};

use super::manager::Manager;
use super::options::ConnectOptions;
use super::parameter_types::ParameterTypes;
use super::pooled::PooledConnection;
use super::replicas::{Freshness, Routing};
use super::row_security::RowSecurityCheck;
use super::settings::Settings;
use super::statement_texts::StatementTexts;
use crate::error::{CONNECTING, Error, Result};
use crate::query::Tenant;
use crate::telemetry::{Connections, Counters, Hooks, Server, ServerRole, Statistics};

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
    /// Where reads go, if not all of them go to the same server as writes.
    pub(crate) routing: Option<Routing>,
    /// What the server of a connection must have replayed.
    pub(super) freshness: Option<Arc<Freshness>>,
}

/// The parts that all clients of the same connections share: the connections to one server.
pub(crate) struct Shared {
    pub(crate) connections: deadpool::managed::Pool<Manager>,
    pub(crate) options: ConnectOptions,
    pub(crate) acquire_timeout: Duration,
    /// If statements have no names: the types of their parameters.
    pub(crate) unnamed: Option<ParameterTypes>,
    /// The texts from which named statements are prepared.
    pub(crate) texts: StatementTexts,
    /// Statements that take at least this long are logged.
    pub(crate) slow: Option<Duration>,
    pub(crate) server: Arc<Server>,
    pub(crate) role: ServerRole,
    /// The check of new connections, if the schema has row security.
    pub(crate) row_security: Option<Arc<RowSecurityCheck>>,
    /// When connections were last closed because their server refused to write.
    pub(crate) read_only_since: Mutex<Option<Instant>>,
    /// Whether a pooler in transaction mode is in between, once that was examined.
    pub(crate) is_pooled: OnceCell<bool>,
    /// Tells what has its own connection that the client was closed.
    pub(crate) closed: watch::Sender<bool>,
}

/// A free connection or none. Does not start to open one: see `Manager::create`.
const AT_ONCE: Timeouts = Timeouts { wait: Some(Duration::ZERO), create: None, recycle: None };

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.shared.options.target())
    }
}

impl Pool {
    /// The client that all others are made of.
    pub(crate) fn new(shared: Arc<Shared>, hooks: Option<Arc<Hooks>>, tenant: Option<Arc<Tenant>>) -> Self {
        Self { shared, counters: Arc::default(), hooks, tenant, settings: None, routing: None, freshness: None }
    }

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
                if let Some(freshness) = &self.freshness {
                    Box::pin(freshness.check(&connection)).await?;
                }
                Ok(PooledConnection::new(connection, Arc::clone(self)))
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Refuses a write at a handle that only reads.
    pub(crate) fn check_write(&self) -> Result<()> {
        self.routing.as_ref().map_or(Ok(()), Routing::check_write)
    }

    /// The same client, at another server.
    pub(crate) fn at(&self, shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(shared), routing: None, freshness: None, ..self.clone() })
    }

    /// Returns the counters of the client, and the state of its pools.
    pub(crate) fn statistics(&self) -> Statistics {
        let primary = self.shared.status().of_server(self.shared.server.text().to_owned(), self.shared.role);
        let replicas = self.routing.as_ref().map(Routing::statistics).unwrap_or_default();
        self.counters.statistics(std::iter::once(primary).chain(replicas).collect())
    }

    fn explain(&self, error: PoolError<Error>) -> Error {
        let shared = &self.shared;
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                let Connections { max, in_use, waiting, .. } = shared.status();
                Error::PoolTimeout { limit: shared.acquire_timeout, max_size: max, in_use, waiting }
            }
            PoolError::Timeout(_) => {
                let limit = shared.connections.manager().opener.limit();
                Error::Timeout { what: CONNECTING, limit }
            }
            PoolError::Backend(error) => error,
            PoolError::Closed => was_closed(),
            other => Error::Config(format!("the pool cannot give a connection: {other}")),
        }
    }
}

fn was_closed() -> Error {
    Error::Config("the client was closed".to_owned())
}

/// How long a server that refuses to write is not held against further connections.
const READ_ONLY_AGAIN: Duration = Duration::from_secs(1);

impl Shared {
    /// Returns the state of the pool.
    pub(crate) fn status(&self) -> Connections {
        let status = self.connections.status();
        Connections {
            open: status.size,
            max: status.max_size,
            in_use: status.size.saturating_sub(status.available),
            waiting: status.waiting,
        }
    }

    /// Refuses to begin anything after the client was closed.
    pub(super) fn check_open(&self) -> Result<()> {
        if *self.closed.borrow() { Err(was_closed()) } else { Ok(()) }
    }

    /// Closes the pool, and ends what has its own connection.
    pub(crate) fn close(&self) {
        self.connections.close();
        self.closed.send_replace(true);
    }

    /// Closes the idle connections. New ones then go to the server that is the primary at that time.
    pub(crate) fn close_idle(&self) {
        drop(self.connections.retain(|_, _| false));
    }

    /// Records that a server of writes refused one, as a primary does that has become a standby. Returns whether its
    /// connection must not be used again.
    ///
    /// The program may itself have asked for that with `default_transaction_read_only`, so this happens only once in a
    /// while.
    #[cold]
    pub(super) fn note_read_only(&self) -> bool {
        if self.role != ServerRole::Primary {
            return false;
        }
        let mut since = self.read_only_since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none_or(|since| since.elapsed() >= READ_ONLY_AGAIN) {
            *since = Some(Instant::now());
            self.close_idle();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<'p, F>(_: impl FnOnce(&'p deadpool::managed::Pool<Manager>, &'p Timeouts) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn taking_a_connection_moves_a_small_future() {
        let size = size_of_future(|pool, timeouts| pool.timeout_get(timeouts));
        assert!(size <= 1024, "{size} bytes: every call moves it, so box what opens a connection");
    }
}
