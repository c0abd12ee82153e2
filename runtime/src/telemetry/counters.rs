//! What a client has done so far, and how its pool is: counters that cost an addition each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a client has sent and got so far, and the state of its pool. Made by `db.statistics()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Statements of queries, without BEGIN, COMMIT and the like, and without preparing them.
    pub statements: u64,
    /// Rows that they read or wrote.
    pub rows: u64,
    /// Those that failed.
    pub failures: u64,
    /// Connections that are open.
    pub connections: usize,
    /// Connections that may be open.
    pub max_connections: usize,
    /// Connections that somebody has.
    pub in_use: usize,
    /// Tasks that wait for one.
    pub waiting: usize,
}

/// The numbers behind [`Statistics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    statements: AtomicU64,
    rows: AtomicU64,
    failures: AtomicU64,
    /// Those of the client that this one was made of count along.
    parent: Option<Arc<Counters>>,
}

/// How a pool is.
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

    /// Counts a statement with the rows that it gave, if it gave any.
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
