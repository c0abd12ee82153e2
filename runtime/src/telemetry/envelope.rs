//! The envelope of a query: its hooks, its span, and the box of its future or stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tracing::{Instrument, Span};

use super::hooks::{Hooks, Report};
use super::intent::Intent;
use super::span::Server;
use crate::error::{Error, Result};

/// Observes a query while it runs.
pub(crate) struct Envelope {
    span: Span,
    hooks: Option<HookCalls>,
}

/// What hooks are called with.
struct HookCalls {
    hooks: Arc<Hooks>,
    intents: Vec<Intent>,
    server: Choice,
}

/// The server of a query, which may be chosen while it runs.
type Choice = Arc<Mutex<Arc<Server>>>;

/// Notes in an envelope which server is chosen.
pub(crate) struct ServerNote {
    span: Span,
    server: Option<Choice>,
}

impl ServerNote {
    pub(crate) fn note(&self, server: &Arc<Server>) {
        server.record(&self.span);
        if let Some(choice) = &self.server {
            *choice.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(server);
        }
    }
}

impl Envelope {
    /// Creates the envelope. `intents` is called only if there are hooks.
    pub(crate) fn new(
        span: Span,
        server: &Arc<Server>,
        hooks: Option<&Arc<Hooks>>,
        intents: impl FnOnce() -> Vec<Intent>,
    ) -> Self {
        let hooks = hooks.map(|hooks| HookCalls {
            hooks: Arc::clone(hooks),
            intents: intents(),
            server: Arc::new(Mutex::new(Arc::clone(server))),
        });
        Self { span, hooks }
    }

    /// For a query whose server is chosen while it runs.
    pub(crate) fn server_note(&self) -> ServerNote {
        let server = self.hooks.as_ref().map(|calls| Arc::clone(&calls.server));
        ServerNote { span: self.span.clone(), server }
    }

    /// Boxes the work of the query. `rows` returns how many rows it read or wrote.
    pub(crate) fn around<T: Send + 'static>(
        self,
        work: impl Future<Output = Result<T>> + Send + 'static,
        rows: fn(&T) -> u64,
    ) -> BoxFuture<'static, Result<T>> {
        let work = work.boxed();
        if self.is_unwatched() { work } else { self.watch(work, rows).boxed() }
    }

    /// Boxes the parts of a stream, which ends with the first error. `rows` returns how many rows a part has.
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

    /// Without a subscriber, there is nothing to enter and leave at every poll.
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

    /// Asks the hooks whether the query may run.
    fn begin(&self) -> Result<Instant> {
        if let Some(HookCalls { hooks, intents, .. }) = &self.hooks {
            hooks.check(intents).inspect_err(|refused| self.record(Err(refused)))?;
        }
        Ok(Instant::now())
    }

    /// Reports the outcome to the hooks and the span: how many rows, or the error.
    fn end(&self, began: Instant, outcome: Result<u64, &Error>) {
        if let Some(HookCalls { hooks, intents, server }) = &self.hooks {
            let took = began.elapsed();
            let server = Arc::clone(&server.lock().unwrap_or_else(PoisonError::into_inner));
            hooks.report(intents, &Report { took, outcome, server: server.text() });
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
    /// The start, once the first part was requested.
    began: Option<Instant>,
    /// The number of rows so far.
    read: u64,
}

impl<T> WatchedStream<T> {
    /// Returns the next part, and the rest of the stream; `None` after its end.
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
