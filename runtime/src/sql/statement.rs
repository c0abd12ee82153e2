//! A statement with its parameters, and the prepared statements of one connection: by text, and by the shape of the
//! query.
//!
//! The client's settings limit their number. When there are more, the least recently used one is removed: the driver
//! closes it on the server together with the next message, without a round trip.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::effect::SessionEffect;
use crate::query::SqlCall;
use crate::value::Param;

/// The text of a statement whose only parameter says why it cannot be sent.
const REFUSED: &str = "SELECT $1::integer";

/// A statement with its parameters.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Empty if the shape identifies it.
    sql: String,
    pub(crate) params: Vec<Param>,
    by_shape: ByShape,
}

impl Statement {
    pub(crate) fn new(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::No }
    }

    /// Creates a statement that is never sent: PostgreSQL would refuse a part of another type before it sees the reason.
    pub(super) fn refused(reason: Param) -> Self {
        Self::new(REFUSED.to_owned(), vec![reason])
    }

    /// Returns whether it is never sent.
    pub(super) fn is_refused(&self) -> bool {
        self.sql == REFUSED
    }

    /// Creates a statement to remember by its shape, which is not known yet.
    pub(super) fn with_shape(sql: String, params: Vec<Param>, words: &[usize]) -> Self {
        Self { sql, params, by_shape: ByShape::New(words.into()) }
    }

    pub(super) fn known_by_shape(known: Arc<KnownStatement>, params: Vec<Param>) -> Self {
        Self { sql: String::new(), params, by_shape: ByShape::Known(known) }
    }

    /// Creates a statement of raw SQL, which may do more than read and write rows.
    pub(crate) fn own(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::Own }
    }

    /// Creates the statement of a query of `queries/`.
    pub(crate) fn of_call(call: &SqlCall) -> Self {
        Self::own(call.text().to_owned(), call.params().to_vec())
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.by_shape, ByShape::Own)
    }

    /// Returns the prepared statement, if the connection knows its shape.
    pub(crate) fn known(&self) -> Option<&tokio_postgres::Statement> {
        match &self.by_shape {
            ByShape::Known(known) => known.prepared(),
            ByShape::No | ByShape::Own | ByShape::New(_) => None,
        }
    }

    pub(super) fn into_sql(self) -> String {
        self.sql
    }

    /// Returns its text.
    pub(crate) fn sql(&self) -> &str {
        match &self.by_shape {
            ByShape::Known(known) => &known.sql,
            ByShape::No | ByShape::Own | ByShape::New(_) => &self.sql,
        }
    }
}

/// The prepared statements of one connection.
pub(crate) struct Statements {
    known: Mutex<Known>,
    /// Their maximum number.
    limit: usize,
}

#[derive(Default)]
struct Known {
    by_text: HashMap<Arc<str>, Arc<KnownStatement>, RandomState>,
    by_shape: HashMap<Box<[usize]>, Arc<KnownStatement>, RandomState>,
    /// The number of uses.
    clock: u64,
}

/// A named statement of the server.
pub(crate) struct KnownStatement {
    pub(super) sql: Arc<str>,
    pub(crate) prepared: tokio_postgres::Statement,
    /// What it may leave in its session.
    pub(crate) trace: SessionEffect,
    /// Whether a migration changed something that it uses.
    stale: AtomicBool,
    /// The time of its last use, by the clock.
    used: AtomicU64,
}

impl std::fmt::Debug for KnownStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sql.fmt(f)
    }
}

impl KnownStatement {
    /// Returns the server's statement, unless it has to be prepared again.
    pub(crate) fn prepared(&self) -> Option<&tokio_postgres::Statement> {
        (!self.stale.load(Ordering::Relaxed)).then_some(&self.prepared)
    }
}

/// How a statement is identified.
#[derive(Debug, Default)]
pub(crate) enum ByShape {
    /// By its text.
    #[default]
    No,
    /// By its text, which is raw SQL.
    Own,
    /// By its shape, once it is prepared.
    New(Box<[usize]>),
    Known(Arc<KnownStatement>),
}

impl Statements {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: Mutex::default(), limit }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // After a panic, the data is still consistent, because entries are added and removed in one step.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the statement of a shape.
    #[inline]
    pub(super) fn of_shape(&self, words: &[usize]) -> Option<Arc<KnownStatement>> {
        let Known { by_shape, clock, .. } = &mut *self.known();
        let known = by_shape.get(words)?;
        *clock += 1;
        known.used.store(*clock, Ordering::Relaxed);
        Some(Arc::clone(known))
    }

    /// Returns a statement that was already prepared from a text. If its query has a shape, the statement is remembered
    /// by that, too.
    pub(crate) fn of_text(&self, text: &str, statement: &Statement) -> Option<Arc<KnownStatement>> {
        let mut all = self.known();
        let known = Arc::clone(all.by_text.get(text)?);
        all.clock += 1;
        known.used.store(all.clock, Ordering::Relaxed);
        all.remember_shape(statement, &known, self.limit);
        Some(known)
    }

    /// Remembers a statement that was prepared from a text.
    pub(crate) fn remember(
        &self,
        text: &str,
        statement: &Statement,
        prepared: tokio_postgres::Statement,
        trace: SessionEffect,
    ) -> Arc<KnownStatement> {
        let mut all = self.known();
        all.clock += 1;
        let known = Arc::new(KnownStatement {
            sql: text.into(),
            prepared,
            trace,
            stale: AtomicBool::new(false),
            used: AtomicU64::new(all.clock),
        });
        if self.limit > 0 {
            all.by_text.insert(Arc::clone(&known.sql), Arc::clone(&known));
            all.remember_shape(statement, &known, self.limit);
        }
        while all.by_text.len() > self.limit {
            all.drop_oldest();
        }
        known
    }

    /// Makes the statement of a text be prepared again, whatever its shapes.
    pub(crate) fn forget(&self, text: &str, statement: &Statement) {
        if let ByShape::Known(known) = &statement.by_shape {
            known.stale.store(true, Ordering::Relaxed);
        }
        let mut all = self.known();
        all.by_text.remove(text);
        all.by_shape.retain(|_, known| {
            let other = &*known.sql != text;
            known.stale.fetch_or(!other, Ordering::Relaxed);
            other
        });
    }
}

impl Known {
    fn remember_shape(&mut self, statement: &Statement, known: &Arc<KnownStatement>, limit: usize) {
        if let ByShape::New(words) = &statement.by_shape {
            // A text may have several shapes, but hardly so many.
            if self.by_shape.len() >= limit.saturating_mul(2) {
                self.by_shape.clear();
            }
            self.by_shape.insert(words.clone(), Arc::clone(known));
        }
    }

    /// Code that is still sending it keeps it until then.
    fn drop_oldest(&mut self) {
        let oldest = self.by_text.values().min_by_key(|known| known.used.load(Ordering::Relaxed)).cloned();
        if let Some(oldest) = oldest {
            self.by_text.remove(&oldest.sql);
            self.by_shape.retain(|_, known| !Arc::ptr_eq(known, &oldest));
        }
    }
}
