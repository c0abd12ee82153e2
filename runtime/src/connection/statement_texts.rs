//! Texts of statements that a pooler has not seen.
//!
//! PgBouncer with `max_prepared_statements` identifies statements by their texts: preparing a text again returns the
//! server's earlier statement. After a migration, that one stays stale, unless the text is different.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

/// The current generation of texts that the connections of a pool prepare.
#[derive(Debug)]
pub(crate) struct StatementTexts {
    /// Texts of other processes are different.
    process: uuid::Uuid,
    generation: AtomicU32,
}

impl Default for StatementTexts {
    fn default() -> Self {
        Self { process: uuid::Uuid::new_v4(), generation: AtomicU32::new(0) }
    }
}

impl StatementTexts {
    /// Returns the text to prepare for a statement: its own, unless that proved to be stale.
    pub(super) fn distinct<'t>(&self, sql: &'t str) -> Cow<'t, str> {
        match self.generation() {
            0 => Cow::Borrowed(sql),
            generation => Cow::Owned(format!("{sql}\n/* {} {generation} */", self.process.simple())),
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Begins a new generation, once, because a statement of generation `stale` was stale immediately after it was
    /// prepared.
    pub(crate) fn begin_generation(&self, stale: u32) {
        let _ = self.generation.compare_exchange(stale, stale.wrapping_add(1), Ordering::AcqRel, Ordering::Acquire);
    }
}
