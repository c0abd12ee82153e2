//! Counters of a client, and the state of its pool. Counting costs one addition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a client has sent and received so far, and the state of its pools. Returned by `db.statistics()`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of statements, without BEGIN, COMMIT and similar ones, and without preparing them.
    pub statements: u64,
    /// The number of rows that they read or wrote.
    pub rows: u64,
    /// The number of statements that failed.
    pub failures: u64,
    /// The number of open connections, to all servers.
    pub connections: usize,
    /// The maximum number of connections.
    pub max_connections: usize,
    /// The number of connections in use.
    pub in_use: usize,
    /// The number of tasks that wait for one.
    pub waiting: usize,
    /// Each server: the primary, then the replicas in the order in which they were added.
    pub servers: Vec<ServerStatistics>,
}

/// The state of one server, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// Host and port, as the connection string has them; the first ones if it has several.
    pub server: String,
    /// What the client uses it for.
    pub role: ServerRole,
    /// Why a replica is left out now, so that no read goes to it; `None` if it is used.
    pub left_out: Option<String>,
    /// How far a replica was behind the primary at the last check, in time: for how long the primary has had something
    /// that the replica has not. `None` for the primary, and if it is not known.
    pub lag: Option<Duration>,
    /// How far a replica was behind the primary at the last check, in bytes of WAL.
    pub lag_bytes: Option<u64>,
    /// The number of open connections to it.
    pub connections: usize,
    /// The maximum number of connections to it.
    pub max_connections: usize,
    /// The number of connections in use.
    pub in_use: usize,
    /// The number of tasks that wait for one.
    pub waiting: usize,
}

/// What a client uses a server for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerRole {
    /// Writes, transactions, and the reads that no replica serves.
    Primary,
    /// Reads.
    Replica,
}

/// The numbers behind [`Statistics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    statements: AtomicU64,
    rows: AtomicU64,
    failures: AtomicU64,
    /// The counters of the client that this one was derived from, which also count its statements.
    parent: Option<Arc<Counters>>,
}

/// The state of a pool.
#[derive(Clone, Copy)]
pub(crate) struct Connections {
    pub(crate) open: usize,
    pub(crate) max: usize,
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
}

impl Connections {
    /// Returns the state of a server with this pool.
    pub(crate) fn of_server(self, server: String, role: ServerRole) -> ServerStatistics {
        ServerStatistics {
            server,
            role,
            left_out: None,
            lag: None,
            lag_bytes: None,
            connections: self.open,
            max_connections: self.max,
            in_use: self.in_use,
            waiting: self.waiting,
        }
    }
}

impl Counters {
    pub(crate) fn below(parent: &Arc<Counters>) -> Self {
        Self { parent: Some(Arc::clone(parent)), ..Self::default() }
    }

    /// Counts a statement with its rows, if it succeeded.
    pub(crate) fn count(&self, rows: Option<u64>) {
        let mut counters = Some(self);
        while let Some(known) = counters {
            known.statements.fetch_add(1, Ordering::Relaxed);
            match rows {
                Some(rows) => known.rows.fetch_add(rows, Ordering::Relaxed),
                None => known.failures.fetch_add(1, Ordering::Relaxed),
            };
            counters = known.parent.as_deref();
        }
    }

    pub(crate) fn statistics(&self, servers: Vec<ServerStatistics>) -> Statistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let sum = |of: fn(&ServerStatistics) -> usize| servers.iter().map(of).sum();
        Statistics {
            statements: read(&self.statements),
            rows: read(&self.rows),
            failures: read(&self.failures),
            connections: sum(|server| server.connections),
            max_connections: sum(|server| server.max_connections),
            in_use: sum(|server| server.in_use),
            waiting: sum(|server| server.waiting),
            servers,
        }
    }
}
