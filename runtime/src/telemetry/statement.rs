//! An event per statement, and the slow-query log. Texts of statements have `$1` in place of each value.

use std::time::{Duration, Instant};

use tracing::Level;

use super::span::summary;
use crate::error::{Error, Result};
use crate::meta::Table;

/// Measures one statement from when it is sent until it is answered.
pub(crate) struct StatementTimer {
    /// `None` if the duration is not needed.
    began: Option<Instant>,
    slow: Option<Duration>,
}

impl StatementTimer {
    /// Starts to measure. Statements that take at least `slow` are logged.
    pub(crate) fn start(slow: Option<Duration>) -> Self {
        let wanted = slow.is_some() || tracing::enabled!(target: "relata::statement", Level::TRACE);
        Self { began: wanted.then(Instant::now), slow }
    }

    /// Records the answer: the number of rows that were read or written, or the error.
    pub(crate) fn end(
        self,
        operation: &'static str,
        sql: &str,
        table: Option<&'static Table>,
        rows: Result<u64, &Error>,
    ) {
        let Some(took) = self.began.map(|began| began.elapsed()) else { return };
        report(operation, sql, table, rows, took, self.slow);
    }
}

#[cold]
fn report(
    operation: &'static str,
    sql: &str,
    table: Option<&'static Table>,
    rows: Result<u64, &Error>,
    took: Duration,
    slow: Option<Duration>,
) {
    let duration_ms = took.as_secs_f64() * 1000.0;
    let (returned, failure) = (rows.ok(), rows.err().map(Error::kind));
    if slow.is_some_and(|limit| took >= limit) {
        tracing::warn!(
            target: "relata::slow",
            {
            db.system.name = "postgresql",
            db.query.summary = summary(operation, table),
            db.query.text = sql,
            db.response.returned_rows = returned,
            "error.type" = failure,
            duration_ms = duration_ms
            },
            "slow statement"
        );
    }
    tracing::trace!(
        target: "relata::statement",
        {
        db.system.name = "postgresql",
        db.query.summary = summary(operation, table),
        db.query.text = sql,
        db.response.returned_rows = returned,
        "error.type" = failure,
        duration_ms = duration_ms
        },
        "statement"
    );
}
