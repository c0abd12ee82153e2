//! A statement with its parameters, and the statements that one connection has prepared: by their text, and by the shape
//! of their query.
//!
//! There are as many as the client's settings allow. One more, and the one that was not used for the longest time goes:
//! the driver closes it on the server, in front of whatever is sent next, which takes no round trip.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::effect::SessionEffect;
use crate::query::SqlCall;
use crate::value::Param;

/// A statement with its parameters.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Empty where its shape says which one it is.
    sql: String,
    pub(crate) params: Vec<Param>,
    by_shape: ByShape,
}

impl Statement {
    pub(crate) fn new(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::No }
    }

    /// One whose shape was not known: it is to be remembered by it.
    pub(super) fn with_shape(sql: String, params: Vec<Param>, words: &[usize]) -> Self {
        Self { sql, params, by_shape: ByShape::New(words.into()) }
    }

    pub(super) fn known_by_shape(known: Arc<KnownStatement>, params: Vec<Param>) -> Self {
        Self { sql: String::new(), params, by_shape: ByShape::Known(known) }
    }

    /// SQL of the program's own, which may do more than read and write rows.
    pub(crate) fn own(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, by_shape: ByShape::Own }
    }

    /// That of a query of `queries/`.
    pub(crate) fn of_call(call: &SqlCall) -> Self {
        Self::own(call.text().to_owned(), call.params().to_vec())
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.by_shape, ByShape::Own)
    }

    /// As the connection has prepared it before, if its shape says so.
    pub(crate) fn known(&self) -> Option<&tokio_postgres::Statement> {
        match &self.by_shape {
            ByShape::Known(known) => known.prepared(),
            ByShape::No | ByShape::Own | ByShape::New(_) => None,
        }
    }

    pub(super) fn into_sql(self) -> String {
        self.sql
    }

    /// Its text.
    pub(crate) fn sql(&self) -> &str {
        match &self.by_shape {
            ByShape::Known(known) => &known.sql,
            ByShape::No | ByShape::Own | ByShape::New(_) => &self.sql,
        }
    }
}

/// The statements that one connection knows.
pub(crate) struct Statements {
    known: Mutex<Known>,
    /// How many there may be.
    limit: usize,
}

#[derive(Default)]
struct Known {
    by_text: HashMap<Arc<str>, Arc<KnownStatement>, RandomState>,
    by_shape: HashMap<Box<[usize]>, Arc<KnownStatement>, RandomState>,
    /// How often a statement was asked for.
    clock: u64,
}

/// A statement that the server knows by a name.
pub(crate) struct KnownStatement {
    pub(super) sql: Arc<str>,
    pub(crate) prepared: tokio_postgres::Statement,
    /// What it may leave on its connection.
    pub(crate) trace: SessionEffect,
    /// A migration changed what it is about.
    stale: AtomicBool,
    /// When it was asked for last.
    used: AtomicU64,
}

impl std::fmt::Debug for KnownStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sql.fmt(f)
    }
}

impl KnownStatement {
    /// As the server knows it, unless it has to be prepared anew.
    pub(crate) fn prepared(&self) -> Option<&tokio_postgres::Statement> {
        (!self.stale.load(Ordering::Relaxed)).then_some(&self.prepared)
    }
}

/// How a statement is known.
#[derive(Debug, Default)]
pub(crate) enum ByShape {
    /// By its text alone.
    #[default]
    No,
    /// By its text alone, which is the program's own.
    Own,
    /// Not yet: to be remembered once it is prepared.
    New(Box<[usize]>),
    Known(Arc<KnownStatement>),
}

impl Statements {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: Mutex::default(), limit }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What a thread that panicked has left behind is whole: entries are put in and taken out at once.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statement of a shape.
    #[inline]
    pub(super) fn of_shape(&self, words: &[usize]) -> Option<Arc<KnownStatement>> {
        let Known { by_shape, clock, .. } = &mut *self.known();
        let known = by_shape.get(words)?;
        *clock += 1;
        known.used.store(*clock, Ordering::Relaxed);
        Some(Arc::clone(known))
    }

    /// A statement that was prepared before from the same text. If its query has a shape, it is known by that, too.
    pub(crate) fn of_text(&self, statement: &Statement) -> Option<Arc<KnownStatement>> {
        let mut all = self.known();
        let known = Arc::clone(all.by_text.get(statement.sql())?);
        all.clock += 1;
        known.used.store(all.clock, Ordering::Relaxed);
        all.remember_shape(statement, &known, self.limit);
        Some(known)
    }

    /// Remembers a statement that was prepared.
    pub(crate) fn remember(
        &self,
        statement: &Statement,
        prepared: tokio_postgres::Statement,
        trace: SessionEffect,
    ) -> Arc<KnownStatement> {
        let mut all = self.known();
        all.clock += 1;
        let known = Arc::new(KnownStatement {
            sql: statement.sql().into(),
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

    /// Lets a statement be prepared anew, by whatever shape it is known.
    pub(crate) fn forget(&self, statement: &Statement) {
        if let ByShape::Known(known) = &statement.by_shape {
            known.stale.store(true, Ordering::Relaxed);
        }
        let mut all = self.known();
        all.by_text.remove(statement.sql());
        all.by_shape.retain(|_, known| {
            let other = &*known.sql != statement.sql();
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

    /// Whoever still sends it keeps it until then.
    fn drop_oldest(&mut self) {
        let oldest = self.by_text.values().min_by_key(|known| known.used.load(Ordering::Relaxed)).cloned();
        if let Some(oldest) = oldest {
            self.by_text.remove(&oldest.sql);
            self.by_shape.retain(|_, known| !Arc::ptr_eq(known, &oldest));
        }
    }
}
