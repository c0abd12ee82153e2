//! A span per query, with OpenTelemetry's names for databases.

use tracing::{Span, field};

use crate::meta::Table;

/// The server's address in traces.
#[derive(Debug)]
pub(crate) struct Server {
    address: String,
    port: u16,
    namespace: String,
}

impl Server {
    pub(crate) fn new(address: String, port: u16, namespace: String) -> Self {
        Self { address, port, namespace }
    }
}

/// The span of a query.
pub(crate) fn query_span(server: &Server, operation: &'static str, table: Option<&'static Table>) -> Span {
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
pub(crate) fn batch_span(server: &Server, queries: usize) -> Span {
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

/// Returns `find_many students`.
pub(super) fn summary(operation: &str, table: Option<&Table>) -> String {
    match table {
        Some(table) => format!("{operation} {}", table.bare_name()),
        None => operation.to_owned(),
    }
}
