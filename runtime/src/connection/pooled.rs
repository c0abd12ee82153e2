//! A pooled connection, and what happens to it when it is returned.
//!
//! A future may be dropped at any await point. The connection may then have a statement in flight or an open
//! transaction, and must not be reused in that state. It is first cleaned in a task, or closed. The same applies if raw
//! SQL has changed its session.

use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::SimpleQueryMessage;

use super::manager::Manager;
use super::pool::{Pool, Shared};
use crate::sql::SessionEffect;

type Object = deadpool::managed::Object<Manager>;

/// How long the rest of a dropped future may take to end by itself. After that, it is cancelled, and its connection is
/// closed.
const REST_LIMIT: Duration = Duration::from_millis(250);

/// How long a request to cancel may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// How often cancelling is requested, and how long the statement may take to end each time, because several may be in
/// flight.
const CANCELLATIONS: u32 = 4;
const END_LIMIT: Duration = Duration::from_millis(250);

/// The same as DISCARD ALL, except that prepared statements stay.
const RESET: &str = "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; \
                     SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP";

/// A connection that returns to the pool when it is dropped, if it is clean.
pub(crate) struct PooledConnection {
    /// `None` only while it is dropped.
    object: Option<Object>,
    pub(crate) pool: Arc<Pool>,
    /// The number of statements whose answer has not been completely read.
    in_flight: AtomicU32,
    /// Whether a transaction is open, or may be.
    open: AtomicBool,
    /// What statements may have left in the session: a `SessionEffect`.
    trace: AtomicU8,
}

impl std::fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PooledConnection({:?})", self.pool)
    }
}

impl Deref for PooledConnection {
    type Target = Object;

    #[allow(clippy::expect_used, reason = "it is taken out by `drop`, and nothing is called after that")]
    fn deref(&self) -> &Object {
        self.object.as_ref().expect("it has its connection until it is dropped")
    }
}

impl PooledConnection {
    pub(super) fn new(object: Object, pool: Arc<Pool>) -> Self {
        Self {
            object: Some(object),
            pool,
            in_flight: AtomicU32::new(0),
            open: AtomicBool::new(false),
            trace: AtomicU8::new(SessionEffect::None as u8),
        }
    }

    /// Marks that something is about to be sent. If its future is dropped before `request_finished`, the connection is
    /// not clean.
    ///
    /// There are two functions, and none that takes the future, because that would reserve memory for it twice, and
    /// every call moves it.
    pub(crate) fn request_started(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Marks that its answer was read.
    pub(crate) fn request_finished(&self) {
        // The end of a transaction may have reset it to zero in between.
        let _ = self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| running.checked_sub(1));
    }

    /// Sends a statement of the client, such as SAVEPOINT.
    pub(super) async fn command(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.request_started();
        let done = self.batch_execute(sql).await;
        self.request_finished();
        done
    }

    /// Sends a question of the client.
    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
        self.request_started();
        let answer = self.simple_query(sql).await;
        self.request_finished();
        answer
    }

    /// Records that a statement is about to be sent that may leave something in the session. Behind a pooler, the
    /// session does not belong to the client.
    pub(super) fn leaves(&self, trace: SessionEffect) {
        if trace > SessionEffect::None && self.pool.shared.unnamed.is_none() {
            self.trace.fetch_max(trace as u8, Ordering::Relaxed);
        }
    }

    /// Records that the server refused to write. If it should, the connection is not used again.
    #[cold]
    pub(super) fn note_read_only(&self) {
        if self.pool.shared.note_read_only() {
            self.trace.fetch_max(SessionEffect::Connection as u8, Ordering::Relaxed);
        }
    }

    /// Records that a transaction may be open from now on.
    pub(super) fn opens_transaction(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Records that the server has ended the transaction, and so all statements that were sent before.
    pub(super) fn transaction_is_over(&self) {
        self.open.store(false, Ordering::Release);
        self.in_flight.store(0, Ordering::Relaxed);
    }

    pub(super) fn has_transaction(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let Some(connection) = self.object.take() else { return };
        let (open, trace) = (*self.open.get_mut(), *self.trace.get_mut());
        let reset = trace > SessionEffect::None as u8;
        if !open && !reset && *self.in_flight.get_mut() == 0 {
            return drop(connection);
        }
        let reusable = trace < SessionEffect::Connection as u8;
        let unclean =
            UncleanConnection { connection: Some(connection), shared: Arc::clone(&self.pool.shared), reusable };
        let mut last = if open { String::from("ROLLBACK; ") } else { String::new() };
        if reset {
            last.push_str(RESET);
            last.push_str(&self.pool.shared.options.settings_again());
        }
        // Without a runtime, nothing can wait, so it is closed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { unclean.clean(&last).await });
        }
    }
}

/// A connection that is not clean. If it is dropped, it is closed and not reused.
struct UncleanConnection {
    connection: Option<Object>,
    /// To cancel its statement, which takes another connection.
    shared: Arc<Shared>,
    /// Whether it may be reused once it is clean.
    reusable: bool,
}

impl UncleanConnection {
    /// Returns the connection to the pool once `last`, which ends its current state, has an answer. If that takes too
    /// long, the running statement is cancelled and the connection closed: a late cancellation must not hit another
    /// statement.
    async fn clean(mut self, last: &str) {
        if self.rests(last).await && self.reusable {
            drop(self.connection.take());
        }
    }

    async fn rests(&self, last: &str) -> bool {
        let Some(connection) = &self.connection else { return false };
        let mut rest = pin!(connection.batch_execute(last));
        if let Ok(answer) = tokio::time::timeout(REST_LIMIT, &mut rest).await {
            return answer.is_ok();
        }
        // The connection stays open until the statement has ended, because a pooler does not cancel for a client that
        // has disconnected.
        for _ in 0..CANCELLATIONS {
            let token = connection.cancel_token();
            let ask = self.shared.connections.manager().opener.cancel(&token);
            let asked = tokio::time::timeout(CANCEL_LIMIT, ask).await;
            let ended = tokio::time::timeout(END_LIMIT, &mut rest).await;
            if ended.is_ok() {
                return false;
            }
            if !matches!(asked, Ok(Ok(()))) {
                break;
            }
        }
        tracing::warn!("a statement whose future was dropped could not be cancelled, and may go on");
        false
    }
}

impl Drop for UncleanConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}
