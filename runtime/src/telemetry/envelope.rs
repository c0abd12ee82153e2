//! The envelope of a query: its hooks, its span, and the box that its future is in.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use tracing::{Instrument, Span};

use super::hooks::{Hooks, Report};
use super::intent::Intent;
use crate::error::Result;

/// Who looks on while a query is carried out.
pub(crate) struct Envelope {
    span: Span,
    hooks: Option<(Arc<Hooks>, Vec<Intent>)>,
}

impl Envelope {
    /// A query in its span. What it is about to do is collected only where there are hooks to tell.
    pub(crate) fn new(span: Span, hooks: Option<&Arc<Hooks>>, intents: impl FnOnce() -> Vec<Intent>) -> Self {
        Self { span, hooks: hooks.map(|hooks| (Arc::clone(hooks), intents())) }
    }

    /// Puts the work of the query into a box. `rows` says how many rows it read or wrote.
    pub(crate) fn around<T: Send + 'static>(
        self,
        work: impl Future<Output = Result<T>> + Send + 'static,
        rows: fn(&T) -> u64,
    ) -> BoxFuture<'static, Result<T>> {
        let work = work.boxed();
        let work = match self.hooks {
            None => work,
            Some((hooks, intents)) => between_hooks(hooks, intents, work, rows).boxed(),
        };
        // Without a subscriber there is nothing to enter and leave at every poll.
        if self.span.is_disabled() { work } else { within(self.span, work, rows).boxed() }
    }
}

/// Does the work between its hooks.
async fn between_hooks<T>(
    hooks: Arc<Hooks>,
    intents: Vec<Intent>,
    work: BoxFuture<'static, Result<T>>,
    rows: fn(&T) -> u64,
) -> Result<T> {
    hooks.check(&intents)?;
    let began = Instant::now();
    let outcome = work.await;
    let report = Report { took: began.elapsed(), outcome: outcome.as_ref().map(rows) };
    hooks.report(&intents, &report);
    outcome
}

/// Does the work inside the span, and notes in it what came of it.
async fn within<T>(span: Span, work: BoxFuture<'static, Result<T>>, rows: fn(&T) -> u64) -> Result<T> {
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
