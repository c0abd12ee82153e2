//! StatementTexts of statements that a pooler has not seen.
//!
//! PgBouncer with `max_prepared_statements` knows statements by their text: prepared again, a text gives the server's
//! statement of before. After a migration that one is stale for ever, unless the text is another one.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

/// Which generation of texts the connections of a pool prepare.
#[derive(Debug)]
pub(crate) struct StatementTexts {
    /// Other processes have other texts.
    process: uuid::Uuid,
    generation: AtomicU32,
}

impl Default for StatementTexts {
    fn default() -> Self {
        Self { process: uuid::Uuid::new_v4(), generation: AtomicU32::new(0) }
    }
}

impl StatementTexts {
    /// The text to prepare for a statement: its own, unless that proved to be stale.
    pub(super) fn distinct<'t>(&self, sql: &'t str) -> Cow<'t, str> {
        match self.generation() {
            0 => Cow::Borrowed(sql),
            generation => Cow::Owned(format!("{sql}\n/* {} {generation} */", self.process.simple())),
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// A statement that was prepared just now, in a generation, was stale: another one begins, once.
    pub(crate) fn begin_generation(&self, stale: u32) {
        let _ = self.generation.compare_exchange(stale, stale.wrapping_add(1), Ordering::AcqRel, Ordering::Acquire);
    }
}
