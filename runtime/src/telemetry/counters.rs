//! Counters of a client, and the state of its pool. Counting costs one addition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a client has sent and received so far, and the state of its pool. Returned by `db.statistics()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of statements, without BEGIN, COMMIT and similar ones, and without preparing them.
    pub statements: u64,
    /// The number of rows that they read or wrote.
    pub rows: u64,
    /// The number of statements that failed.
    pub failures: u64,
    /// The number of open connections.
    pub connections: usize,
    /// The maximum number of connections.
    pub max_connections: usize,
    /// The number of connections in use.
    pub in_use: usize,
    /// The number of tasks that wait for one.
    pub waiting: usize,
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
pub(crate) struct Connections {
    pub(crate) open: usize,
    pub(crate) max: usize,
    pub(crate) in_use: usize,
    pub(crate) waiting: usize,
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

    pub(crate) fn statistics(&self, connections: Connections) -> Statistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            statements: read(&self.statements),
            rows: read(&self.rows),
            failures: read(&self.failures),
            connections: connections.open,
            max_connections: connections.max,
            in_use: connections.in_use,
            waiting: connections.waiting,
        }
    }
}
