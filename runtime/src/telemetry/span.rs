//! A span per query, with OpenTelemetry's names for databases.

use tracing::{Span, field};

use crate::meta::Table;

/// A server's address, for traces and reports.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Server {
    address: String,
    port: u16,
    namespace: String,
    text: String,
}

impl Server {
    pub(crate) fn new(address: String, port: u16, namespace: String) -> Self {
        let text = if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
        Self { address, port, namespace, text }
    }

    /// Returns host and port.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Records it in the span of a query, once it is known.
    pub(super) fn record(&self, span: &Span) {
        span.record("server.address", &self.address);
        span.record("server.port", self.port);
    }
}

/// The span of a query. If its server is chosen later, it is recorded then.
pub(crate) fn query_span(
    server: &Server,
    is_chosen: bool,
    operation: &'static str,
    table: Option<&'static Table>,
) -> Span {
    tracing::debug_span!(
        "relata.query",
        otel.name = summary(operation, table),
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = server.namespace,
        db.collection.name = table.map(Table::bare_name),
        db.operation.name = operation,
        db.query.summary = summary(operation, table),
        server.address = is_chosen.then_some(server.address.as_str()),
        server.port = is_chosen.then_some(server.port),
        db.response.returned_rows = field::Empty,
        db.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

/// The span of several queries at once.
pub(crate) fn batch_span(server: &Server, is_chosen: bool, queries: usize) -> Span {
    tracing::debug_span!(
        "relata.query",
        otel.name = "batch",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = server.namespace,
        db.operation.name = "batch",
        db.operation.batch.size = queries,
        db.query.summary = "batch",
        server.address = is_chosen.then_some(server.address.as_str()),
        server.port = is_chosen.then_some(server.port),
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
