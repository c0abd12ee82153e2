//! Traces: a span per query and an event per statement, with OpenTelemetry's names for databases.
//!
//! What a statement is about is told, and never a value: texts hold `$1` in the place of each.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tracing::{Instrument, Level, Span, field};

use crate::connect::ConnectOptions;
use crate::connection::{Pool, Session};
use crate::error::{Error, Result};
use crate::sql::Statement;
use crate::table::Table;

/// Where the server is, as traces say it.
#[derive(Debug)]
pub(crate) struct Server {
    address: String,
    port: u16,
    namespace: String,
}

impl Server {
    pub(crate) fn of(options: &ConnectOptions) -> Self {
        let (address, port) = options.first_host();
        Self { address, port, namespace: options.database_name().to_owned() }
    }
}

/// The span of a query.
pub(crate) fn query_span(pool: &Pool, operation: &'static str, table: Option<&'static Table>) -> Span {
    let server = &pool.shared.server;
    tracing::debug_span!(
        "relata.query",
        otel.name = summary(operation, table),
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = server.namespace,
        db.collection.name = table.map(Table::bare_name),
        db.operation.name = operation,
        db.query.summary = summary(operation, table),
        server.address = server.address,
        server.port = server.port,
        db.response.returned_rows = field::Empty,
        db.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

/// The span of several queries at once.
pub(crate) fn batch_span(pool: &Pool, queries: usize) -> Span {
    let server = &pool.shared.server;
    tracing::debug_span!(
        "relata.query",
        otel.name = "batch",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = server.namespace,
        db.operation.name = "batch",
        db.operation.batch.size = queries,
        db.query.summary = "batch",
        server.address = server.address,
        server.port = server.port,
        db.response.returned_rows = field::Empty,
        db.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

/// `find_many students`.
fn summary(operation: &str, table: Option<&Table>) -> String {
    match table {
        Some(table) => format!("{operation} {}", table.bare_name()),
        None => operation.to_owned(),
    }
}

/// Does the work inside the span, and notes in it what came of it.
pub(crate) async fn within<T>(span: Span, work: BoxFuture<'static, Result<T>>, rows: fn(&T) -> u64) -> Result<T> {
    let outcome = work.instrument(span.clone()).await;
    match &outcome {
        Ok(value) => drop(span.record("db.response.returned_rows", rows(value))),
        Err(error) => {
            span.record("error.type", error.kind());
            if let Some(sqlstate) = error.sqlstate() {
                span.record("db.response.status_code", sqlstate);
            }
        }
    }
    outcome
}

/// Looks at one statement from when it is sent until its answer is there.
pub(crate) struct Watch {
    /// None if nobody wants to know how long it takes.
    began: Option<Instant>,
}

impl Watch {
    pub(crate) fn start(pool: &Pool) -> Self {
        let wanted = pool.shared.slow.is_some() || tracing::enabled!(target: "relata::statement", Level::TRACE);
        Self { began: wanted.then(Instant::now) }
    }

    pub(crate) fn end(
        self,
        session: Session<'_>,
        statement: &Statement,
        table: Option<&'static Table>,
        rows: Result<u64, &Error>,
    ) {
        let pool = &session.lease().pool;
        pool.counters.count(rows.ok());
        let Some(took) = self.began.map(|began| began.elapsed()) else { return };
        report(session.operation, statement, table, rows, took, pool.shared.slow);
    }
}

#[cold]
fn report(
    operation: &'static str,
    statement: &Statement,
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
            db.query.text = statement.sql(),
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
        db.query.text = statement.sql(),
        db.response.returned_rows = returned,
        "error.type" = failure,
        duration_ms = duration_ms
        },
        "statement"
    );
}
