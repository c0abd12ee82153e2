//! Transactions: begun by hand, or around a closure with isolation and retries.

use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use crate::client::Models;
use crate::connection::{Handle, OpenTransaction, Pool, Target};
use crate::error::{Error, Result};
use crate::raw::FromRawRow;
use crate::value::Param;

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

/// A part of a transaction that can be undone without undoing the rest. Queries start at the models, which it
/// dereferences to.
pub struct Savepoint<M> {
    shared: Arc<OpenTransaction>,
    models: M,
}

impl<M> std::fmt::Debug for Savepoint<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Savepoint")
    }
}

impl<M> Deref for Savepoint<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.models
    }
}

/// Undoes the work of a savepoint whose future was dropped.
struct Unfinished {
    shared: Arc<OpenTransaction>,
    savepoint: Option<u32>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(savepoint) = self.savepoint {
            self.shared.drop_savepoint(savepoint);
        }
    }
}

async fn within_savepoint<M, F, Fut, T, E>(shared: &Arc<OpenTransaction>, work: F) -> Result<T, E>
where
    M: Models,
    F: FnOnce(Savepoint<M>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let savepoint = shared.begin_savepoint().await?;
    let mut unfinished = Unfinished { shared: Arc::clone(shared), savepoint: Some(savepoint) };
    let models = M::new(Handle(Target::Transaction(Arc::clone(shared))));
    let worked = work(Savepoint { shared: Arc::clone(shared), models }).await;
    shared.end_savepoint(savepoint, worked.is_ok()).await?;
    unfinished.savepoint = None;
    worked
}

macro_rules! inside_a_transaction {
    ($name:ident) => {
        impl<M: Models> $name<M> {
            /// Runs a closure whose writes are undone alone if it gives `Err`: the transaction goes on. Savepoints
            /// can be inside one another.
            ///
            /// # Errors
            /// What the closure gives.
            pub async fn savepoint<F, Fut, T, E>(&self, work: F) -> Result<T, E>
            where
                F: FnOnce(Savepoint<M>) -> Fut,
                Fut: Future<Output = Result<T, E>>,
                E: From<Error>,
            {
                within_savepoint(&self.shared, work).await
            }

            fn handle(&self) -> Handle {
                Handle(Target::Transaction(Arc::clone(&self.shared)))
            }

            /// Runs SQL of your own in the transaction and reads its rows into tuples.
            ///
            /// # Errors
            /// Those of the statement, and [`Error::Refused`] where its columns are not of the types that are read.
            pub async fn query_raw<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> Result<Vec<T>> {
                self.handle().query_raw(sql, params).await
            }

            /// Runs SQL of your own in the transaction and tells how many rows it wrote.
            ///
            /// # Errors
            /// Those of the statement.
            pub async fn execute_raw(&self, sql: &str, params: Vec<Param>) -> Result<u64> {
                self.handle().execute_raw(sql, params).await
            }
        }
    };
}

inside_a_transaction!(Transaction);
inside_a_transaction!(Savepoint);

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
