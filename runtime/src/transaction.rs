//! Transactions: begun by hand, or around a closure with isolation and retries.

use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use crate::client::Models;
use crate::connection::{Handle, OpenTransaction, Pool, Target};
use crate::error::{Error, Result};

/// A transaction: queries start at the models, which it dereferences to. Owned, so that futures
/// that hold it are `Send`. Dropped without `commit`, it is rolled back.
pub struct Transaction<M> {
    shared: Arc<OpenTransaction>,
    models: M,
}

impl<M> std::fmt::Debug for Transaction<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transaction")
    }
}

impl<M> Deref for Transaction<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.models
    }
}

impl<M: Models> Transaction<M> {
    pub(crate) async fn begin(pool: &Pool, begin: &str) -> Result<Self> {
        Ok(Self::of(Arc::new(OpenTransaction::begin(pool, begin).await?)))
    }

    fn of(shared: Arc<OpenTransaction>) -> Self {
        let models = M::new(Handle(Target::Transaction(Arc::clone(&shared))));
        Self { shared, models }
    }

    /// Makes everything that was done in it permanent.
    ///
    /// # Errors
    /// [`Error::Serialization`] if it collided with another one, [`Error::CommitUnknown`] if the
    /// connection broke before the answer came.
    pub async fn commit(self) -> Result<()> {
        self.shared.commit().await
    }

    /// Undoes everything that was done in it.
    ///
    /// # Errors
    /// When the connection is lost; then the server rolls back by itself.
    pub async fn rollback(self) -> Result<()> {
        self.shared.rollback().await
    }
}

/// How far a transaction is kept apart from others that run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it. PostgreSQL's default.
    ReadCommitted,
    /// All statements see the state at the first one.
    RepeatableRead,
    /// As if transactions ran one after another; collisions fail and can be retried.
    Serializable,
}

impl Isolation {
    fn sql(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        }
    }
}

/// A closure to run inside a transaction; `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct TransactionCall<'a, M, F> {
    pool: Arc<Pool>,
    work: F,
    isolation: Option<Isolation>,
    read_only: bool,
    retries: u32,
    types: std::marker::PhantomData<fn() -> (M, &'a ())>,
}

impl<M, F> std::fmt::Debug for TransactionCall<'_, M, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TransactionCall({:?}, {} retries)", self.isolation, self.retries)
    }
}

impl<M, F> TransactionCall<'_, M, F> {
    pub(crate) fn new(pool: Arc<Pool>, work: F) -> Self {
        Self { pool, work, isolation: None, read_only: false, retries: 0, types: std::marker::PhantomData }
    }

    /// Sets how far it is kept apart from others.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Refuses writes.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Runs it again, up to this many times, after a serialization failure or a deadlock.
    /// A COMMIT whose answer was lost is never repeated.
    pub fn retry(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    fn begin_sql(&self) -> String {
        let isolation = self.isolation.map_or("", Isolation::sql);
        format!("BEGIN{isolation}{}", if self.read_only { " READ ONLY" } else { "" })
    }
}

impl<'a, M, F, Fut, T, E> IntoFuture for TransactionCall<'a, M, F>
where
    M: Models,
    F: FnMut(Transaction<M>) -> Fut + Send + 'a,
    Fut: Future<Output = Result<T, E>> + Send + 'a,
    T: Send + 'a,
    E: From<Error> + Send + 'a,
{
    type Output = Result<T, E>;
    type IntoFuture = BoxFuture<'a, Result<T, E>>;

    fn into_future(mut self) -> Self::IntoFuture {
        async move {
            let begin = self.begin_sql();
            let mut attempt = 0;
            loop {
                let shared = Arc::new(OpenTransaction::begin(&self.pool, &begin).await?);
                let worked = (self.work)(Transaction::of(Arc::clone(&shared))).await;
                let outcome = match worked {
                    Ok(value) => shared.commit().await.map(|()| value).map_err(E::from),
                    Err(error) => {
                        // A failed rollback means a lost connection, and then the server rolls back.
                        let _ = shared.rollback().await;
                        Err(error)
                    }
                };
                match outcome {
                    Err(_) if shared.is_retryable() && attempt < self.retries => {
                        drop(shared);
                        attempt += 1;
                        tokio::time::sleep(back_off(attempt)).await;
                    }
                    outcome => return outcome,
                }
            }
        }
        .boxed()
    }
}

/// Twice as long each time, up to half a second, and by chance somewhere in the upper half of that,
/// so that transactions that collided do not meet again.
fn back_off(attempt: u32) -> Duration {
    let longest = 5_u64.saturating_mul(1 << attempt.min(7)).min(500);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis(longest / 2 + longest * chance / 512)
}
