//! The envelope of a query: its hooks, its span, and the box that its future or stream is in.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tracing::{Instrument, Span};

use super::hooks::{Hooks, Report};
use super::intent::Intent;
use crate::error::{Error, Result};

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
        if self.is_unwatched() { work } else { self.watch(work, rows).boxed() }
    }

    /// Puts the parts of a stream into a box, which ends with the first error. `rows` says how many rows a part has.
    pub(crate) fn around_stream<T: Send + 'static>(
        self,
        parts: impl Stream<Item = Result<T>> + Send + 'static,
        rows: fn(&T) -> u64,
    ) -> BoxStream<'static, Result<T>> {
        let parts = parts.boxed();
        if self.is_unwatched() {
            return parts;
        }
        let span = self.span.clone();
        let watched = WatchedStream { envelope: self, parts, rows, began: None, read: 0 };
        stream::unfold(Some(watched), move |stream| WatchedStream::next(stream).instrument(span.clone())).boxed()
    }

    /// Without a subscriber there is nothing to enter and leave at every poll.
    fn is_unwatched(&self) -> bool {
        self.hooks.is_none() && self.span.is_disabled()
    }

    async fn watch<T>(self, work: BoxFuture<'static, Result<T>>, rows: fn(&T) -> u64) -> Result<T> {
        let span = self.span.clone();
        let watched = async move {
            let began = self.begin()?;
            let outcome = work.await;
            self.end(began, outcome.as_ref().map(rows));
            outcome
        };
        watched.instrument(span).await
    }

    /// Asks the hooks whether the query may be carried out.
    fn begin(&self) -> Result<Instant> {
        if let Some((hooks, intents)) = &self.hooks {
            hooks.check(intents).inspect_err(|refused| self.record(Err(refused)))?;
        }
        Ok(Instant::now())
    }

    /// Tells the hooks and the span what came of it: how many rows, or why it failed.
    fn end(&self, began: Instant, outcome: Result<u64, &Error>) {
        if let Some((hooks, intents)) = &self.hooks {
            hooks.report(intents, &Report { took: began.elapsed(), outcome });
        }
        self.record(outcome);
    }

    fn record(&self, outcome: Result<u64, &Error>) {
        match outcome {
            Ok(rows) => drop(self.span.record("db.response.returned_rows", rows)),
            Err(error) => {
                self.span.record("error.type", error.kind());
                if let Some(sqlstate) = error.sqlstate() {
                    self.span.record("db.response.status_code", sqlstate);
                }
            }
        }
    }
}

/// A stream in its envelope.
struct WatchedStream<T> {
    envelope: Envelope,
    parts: BoxStream<'static, Result<T>>,
    rows: fn(&T) -> u64,
    /// Since when, once the first part was asked for.
    began: Option<Instant>,
    /// The rows so far.
    read: u64,
}

impl<T> WatchedStream<T> {
    /// The next part, and what is left of the stream: nothing after its end.
    async fn next(stream: Option<Self>) -> Option<(Result<T>, Option<Self>)> {
        let mut this = stream?;
        let began = match this.began.map_or_else(|| this.envelope.begin(), Ok) {
            Ok(began) => *this.began.insert(began),
            Err(refused) => return Some((Err(refused), None)),
        };
        match this.parts.next().await {
            Some(Ok(part)) => {
                this.read += (this.rows)(&part);
                Some((Ok(part), Some(this)))
            }
            Some(Err(error)) => {
                this.envelope.end(began, Err(&error));
                Some((Err(error), None))
            }
            None => {
                this.envelope.end(began, Ok(this.read));
                None
            }
        }
    }
}
