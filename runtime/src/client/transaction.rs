//! Transactions: begun explicitly, or around a closure, with isolation levels and retries.

use std::borrow::Cow;
use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::models::{
    AnySql, IntoTenantId, Models, RunsWith, Tenants, settings_across_tenants, settings_of_tenant, tenant_of,
};
use crate::builder::{All, IntoSqlCall, SqlQuery};
use crate::connection::{OpenTransaction, Pool, READ_ONLY, Scope};
use crate::error::{Error, Result};
use crate::execute::{self, Call, Executor, RowStream, Target};
use crate::rows::{FromRawRow, SqlRow};
use crate::value::Param;

/// A transaction. It dereferences to the models, on which queries begin. If it is dropped without `commit`, it is
/// rolled back. It borrows nothing, so futures that hold it are `Send`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let tx = db.begin().await?;
/// tx.student().update_many().all_rows().set(student::class_year.increment(1)).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Transaction<M> {
    scope: Scope,
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
    fn of(shared: Arc<OpenTransaction>) -> Self {
        let scope = Scope::whole(shared);
        let models = M::new(Executor(Target::Transaction(scope.clone())));
        Self { scope, models }
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`Error::Serialization`] if the transaction collided with another one, [`Error::CommitUnknown`] if the
    /// connection was lost before the answer arrived.
    pub async fn commit(self) -> Result<()> {
        self.scope.transaction.commit().await
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// If the connection is lost. Then the server rolls back.
    pub async fn rollback(self) -> Result<()> {
        self.scope.transaction.rollback().await
    }
}

/// A part of a transaction that can be undone without undoing the rest. It dereferences to the models, on which queries
/// begin.
pub struct Savepoint<M> {
    scope: Scope,
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

async fn within_savepoint<F, Fut, T, E>(outer: &Scope, work: F) -> Result<T, E>
where
    F: FnOnce(Scope) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let transaction = &outer.transaction;
    let savepoint = transaction.begin_savepoint(outer.savepoint).await?;
    let scope = Scope { transaction: Arc::clone(transaction), savepoint: savepoint.number, ..outer.clone() };
    let worked = work(scope).await;
    transaction.end_savepoint(savepoint, worked.is_ok()).await?;
    worked
}

/// Runs a closure in a transaction of a client's models, or in a savepoint of a transaction's.
pub(super) async fn transaction_of_models<M, F, Fut, T, E>(executor: &Executor, work: F) -> Result<T, E>
where
    M: Models,
    F: FnOnce(M) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    match &executor.0 {
        Target::Pool(pool) => attempt(pool, &Mode::default(), |tx: Transaction<M>| work(tx.models)).await?.1,
        Target::Transaction(scope) => {
            within_savepoint(scope, |scope| work(M::new(Executor(Target::Transaction(scope))))).await
        }
    }
}

macro_rules! inside_a_transaction {
    ($name:ident) => {
        impl<M: Models> $name<M> {
            /// Runs a closure inside a savepoint. If the closure returns `Err`, only its writes are undone, and the
            /// transaction continues. Savepoints can be nested.
            ///
            /// While the closure runs, only the [`Savepoint`] that it receives may send queries. All other queries of
            /// the transaction are refused, because PostgreSQL would make them part of the savepoint.
            ///
            /// ```
            /// # use plain_planner::*;
            /// # async fn example(db: &Client) -> relata::Result<()> {
            /// let tx = db.begin().await?;
            /// let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
            /// let taken: relata::Result<Institution> =
            ///     tx.savepoint(|inner| async move { inner.institution().create(row).await }).await;
            /// tx.commit().await?;
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// The error of the closure; [`Error::Misuse`] if another savepoint is open or a query is still running;
            /// and [`Error::TransactionFailed`] if the closure ignored the error of a statement.
            pub async fn savepoint<F, Fut, T, E>(&self, work: F) -> Result<T, E>
            where
                F: FnOnce(Savepoint<M>) -> Fut,
                Fut: Future<Output = Result<T, E>>,
                E: From<Error>,
            {
                within_savepoint(&self.scope, |scope| {
                    let models = M::new(Executor(Target::Transaction(scope.clone())));
                    work(Savepoint { scope, models })
                })
                .await
            }
        }

        impl<M: Tenants> $name<M> {
            /// Returns the models, confined to one tenant, in the same transaction: see
            /// [`Client::tenant`](crate::Client::tenant).
            ///
            /// ```text
            /// let tx = db.begin().await?;
            /// let students = tx.tenant(id).student().count().await?;
            /// tx.commit().await?;
            /// ```
            pub fn tenant(&self, id: impl IntoTenantId<M::Key>) -> M::Tenant {
                let tenant = tenant_of::<M>(id);
                let settings = settings_of_tenant::<M>(self.scope.settings.as_ref(), &tenant);
                let scope = Scope { tenant: Some(Arc::new(tenant)), settings, ..self.scope.clone() };
                M::Tenant::new(Executor(Target::Transaction(scope)))
            }

            /// Returns the models with the rows of all tenants, in the same transaction.
            pub fn across_tenants(&self) -> M::AcrossTenants {
                let settings = settings_across_tenants::<M>(self.scope.settings.as_ref());
                let scope = Scope { tenant: None, settings, ..self.scope.clone() };
                M::AcrossTenants::new(Executor(Target::Transaction(scope)))
            }
        }

        impl<M: Models> $name<M> {
            /// Returns the models, whose changes are recorded with this actor, in the same transaction: see
            /// [`Client::acting_as`](crate::Client::acting_as).
            ///
            /// ```
            /// # use plain_planner::*;
            /// # async fn example(db: &Client, slug: &str) -> relata::Result<()> {
            /// let tx = db.begin().await?;
            /// tx.acting_as("job:cleanup").institution().delete_many().filter(institution::slug.ne(slug)).await?;
            /// tx.commit().await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn acting_as(&self, actor: impl std::fmt::Display) -> M {
                let before = self.scope.settings.as_deref().cloned().unwrap_or_default();
                let settings = Some(Arc::new(before.acting_as(actor.to_string())));
                M::new(Executor(Target::Transaction(Scope { settings, ..self.scope.clone() })))
            }

            fn executor(&self) -> Executor {
                Executor(Target::Transaction(self.scope.clone()))
            }

            /// Sends a query of `queries/*.sql` in the transaction, which a function of the module `queries` returns.
            /// Returns rows as a list of structs; with `.one()` or `.optional()`, a single one. A statement without
            /// rows returns the number of rows that it wrote.
            ///
            /// # Errors
            /// Those of the statement, and [`Error::RowMismatch`] if the database returns other columns than the query
            /// was compiled for.
            pub fn query<Q>(&self, query: Q) -> Call<Q::Output>
            where
                Q: IntoSqlCall,
                Q::Confinement: RunsWith<M::Sql>,
            {
                self.executor().call(query)
            }

            /// Returns the rows of a query of `queries/*.sql` in the transaction as they arrive, without holding all of
            /// them: a SELECT, VALUES, or WITH that writes nothing. Nothing is sent before the first row is requested.
            /// An error comes in place of a row.
            pub fn query_stream<T: SqlRow, C>(&self, query: SqlQuery<T, All, C>) -> RowStream<T::Output>
            where
                C: RunsWith<M::Sql>,
            {
                self.executor().query_stream::<T>(query.into_call())
            }

            /// Runs raw SQL in the transaction and reads its rows into tuples.
            ///
            /// # Errors
            /// Those of the statement, and [`Error::RowMismatch`] if its columns do not have the types that are read.
            pub async fn query_raw<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> Result<Vec<T>>
            where
                M: AnySql,
            {
                self.executor().query_raw(sql, params).await
            }

            /// Returns the rows of raw SQL in the transaction as they arrive, without holding all of them: a SELECT,
            /// VALUES, or WITH that writes nothing. Nothing is sent before the first row is requested. An error comes
            /// in place of a row.
            pub fn query_raw_stream<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> RowStream<T>
            where
                M: AnySql,
            {
                self.executor().query_raw_stream(sql, params)
            }

            /// Runs raw SQL in the transaction and returns the number of rows that it wrote.
            ///
            /// # Errors
            /// Those of the statement.
            pub async fn execute_raw(&self, sql: &str, params: Vec<Param>) -> Result<u64>
            where
                M: AnySql,
            {
                self.executor().execute_raw(sql, params).await
            }
        }
    };
}

inside_a_transaction!(Transaction);
inside_a_transaction!(Savepoint);

/// How strongly a transaction is isolated from concurrent ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it. PostgreSQL's default.
    ReadCommitted,
    /// All statements see the database as it was at the first statement.
    RepeatableRead,
    /// Transactions behave as if they ran one after another. A transaction that collides with another one fails, and
    /// can be retried.
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

/// The options of a transaction.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    isolation: Option<Isolation>,
    read_only: bool,
    deferrable: bool,
    statement_timeout: Option<Duration>,
    lock_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
}

impl Mode {
    /// Begins a transaction.
    async fn begin(&self, pool: &Arc<Pool>) -> Result<OpenTransaction> {
        match &pool.routing {
            Some(_) => Box::pin(execute::begin(pool, self.begin_sql(), self.read_only)).await,
            None => OpenTransaction::begin(pool, self.begin_sql()).await,
        }
    }

    /// Returns BEGIN, and the limits that end with the transaction: one message, one round trip.
    fn begin_sql(&self) -> Cow<'static, str> {
        let mut sql = Cow::Borrowed("BEGIN");
        if let Some(isolation) = self.isolation {
            sql.to_mut().push_str(isolation.sql());
        }
        for (wanted, text) in [(self.read_only, READ_ONLY), (self.deferrable, " DEFERRABLE")] {
            if wanted {
                sql.to_mut().push_str(text);
            }
        }
        for (name, limit) in [
            ("statement_timeout", self.statement_timeout),
            ("lock_timeout", self.lock_timeout),
            ("idle_in_transaction_session_timeout", self.idle_timeout),
        ] {
            // Zero would mean no limit.
            if let Some(limit) = limit.map(|limit| limit.as_millis().clamp(1, i32::MAX as u128)) {
                sql.to_mut().push_str(&format!("; SET LOCAL {name} = {limit}"));
            }
        }
        sql
    }
}

macro_rules! mode_methods {
    () => {
        /// Sets the isolation level.
        pub fn isolation(mut self, isolation: Isolation) -> Self {
            self.mode.isolation = Some(isolation);
            self
        }

        /// Refuses writes.
        pub fn read_only(mut self) -> Self {
            self.mode.read_only = true;
            self
        }

        /// Lets a serializable transaction that only reads, such as a long report, wait at its beginning until it can
        /// neither fail nor make others fail. Has no effect without `isolation(Serializable)` and `read_only`.
        pub fn deferrable(mut self) -> Self {
            self.mode.deferrable = true;
            self
        }

        /// Sets how long each statement may run before the server ends it (SQLSTATE 57014).
        pub fn statement_timeout(mut self, limit: Duration) -> Self {
            self.mode.statement_timeout = Some(limit);
            self
        }

        /// Sets how long each statement may wait for a lock (SQLSTATE 55P03).
        pub fn lock_timeout(mut self, limit: Duration) -> Self {
            self.mode.lock_timeout = Some(limit);
            self
        }

        /// Sets how long the transaction may be idle between two statements before the server closes the connection.
        pub fn idle_timeout(mut self, limit: Duration) -> Self {
            self.mode.idle_timeout = Some(limit);
            self
        }
    };
}

/// A transaction that has not begun yet. `.await` begins it.
#[must_use = "nothing happens until it is awaited"]
pub struct Begin<M> {
    pool: Arc<Pool>,
    mode: Mode,
    models: std::marker::PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Begin<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Begin({})", self.mode.begin_sql())
    }
}

impl<M> Begin<M> {
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, mode: Mode::default(), models: std::marker::PhantomData }
    }

    mode_methods!();
}

impl<M: Models> IntoFuture for Begin<M> {
    type Output = Result<Transaction<M>>;
    type IntoFuture = BoxFuture<'static, Result<Transaction<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let shared = self.mode.begin(&self.pool).await?;
            Ok(Transaction::of(Arc::new(shared)))
        }
        .boxed()
    }
}

/// A client that runs its transactions again after collisions: see [`Client::retrying`](crate::Client::retrying).
#[derive(Debug)]
pub struct Retrying<M> {
    pub(super) pool: Arc<Pool>,
    pub(super) times: u32,
    pub(super) models: std::marker::PhantomData<fn() -> M>,
}

impl<M: Models> Retrying<M> {
    /// Like [`Client::transaction`](crate::Client::transaction), with a closure that can run several times.
    pub fn transaction<'a, F, Fut, T, E>(&self, work: F) -> TransactionCall<'a, M, F, Repeated>
    where
        F: FnMut(Transaction<M>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        TransactionCall::new(Arc::clone(&self.pool), work, Repeated { times: self.times })
    }
}

/// The closure of a transaction runs once.
#[derive(Debug, Clone, Copy)]
pub struct Once;

/// The closure of a transaction runs again after a collision.
#[derive(Debug, Clone, Copy)]
pub struct Repeated {
    times: u32,
}

/// A closure to run inside a transaction. `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct TransactionCall<'a, M, F, R = Once> {
    pool: Arc<Pool>,
    work: F,
    mode: Mode,
    timeout: Option<Duration>,
    runs: R,
    types: std::marker::PhantomData<fn() -> (M, &'a ())>,
}

impl<M, F, R: std::fmt::Debug> std::fmt::Debug for TransactionCall<'_, M, F, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TransactionCall({}, {:?})", self.mode.begin_sql(), self.runs)
    }
}

impl<M, F, R> TransactionCall<'_, M, F, R> {
    pub(super) fn new(pool: Arc<Pool>, work: F, runs: R) -> Self {
        Self { pool, work, mode: Mode::default(), timeout: None, runs, types: std::marker::PhantomData }
    }

    mode_methods!();

    /// Sets how long the whole call may take: waiting for a connection, the closure, COMMIT, and all retries. After
    /// that, the running statement is cancelled, the transaction is rolled back, and the result is [`Error::Timeout`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }
}

impl<'a, M, F, Fut, T, E> IntoFuture for TransactionCall<'a, M, F, Once>
where
    M: Models,
    F: FnOnce(Transaction<M>) -> Fut + Send + 'a,
    Fut: Future<Output = Result<T, E>> + Send + 'a,
    T: Send + 'a,
    E: From<Error> + Send + 'a,
{
    type Output = Result<T, E>;
    type IntoFuture = BoxFuture<'a, Result<T, E>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { pool, work, mode, .. } = self;
        within(self.timeout, async move { attempt(&pool, &mode, work).await?.1 })
    }
}

impl<'a, M, F, Fut, T, E> IntoFuture for TransactionCall<'a, M, F, Repeated>
where
    M: Models,
    F: FnMut(Transaction<M>) -> Fut + Send + 'a,
    Fut: Future<Output = Result<T, E>> + Send + 'a,
    T: Send + 'a,
    E: From<Error> + Send + 'a,
{
    type Output = Result<T, E>;
    type IntoFuture = BoxFuture<'a, Result<T, E>>;

    fn into_future(self) -> Self::IntoFuture {
        within(self.timeout, repeat(self))
    }
}

/// Limits the time of a call.
fn within<'a, T, E>(
    limit: Option<Duration>,
    call: impl Future<Output = Result<T, E>> + Send + 'a,
) -> BoxFuture<'a, Result<T, E>>
where
    T: Send + 'a,
    E: From<Error> + Send + 'a,
{
    let Some(limit) = limit else { return call.boxed() };
    async move {
        let late = |_| Err(E::from(Error::Timeout { what: "the transaction", limit }));
        tokio::time::timeout(limit, call).await.unwrap_or_else(late)
    }
    .boxed()
}

/// Runs the closure, and runs it again after collisions.
async fn repeat<M, F, Fut, T, E>(mut call: TransactionCall<'_, M, F, Repeated>) -> Result<T, E>
where
    M: Models,
    F: FnMut(Transaction<M>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let mut retries = 0;
    loop {
        let (shared, outcome) = attempt(&call.pool, &call.mode, &mut call.work).await?;
        // Checked while the error exists, because the error tells whether a collision is the reason.
        if outcome.is_ok() || retries == call.runs.times || !shared.has_collided() {
            return outcome;
        }
        drop((shared, outcome));
        retries += 1;
        tokio::time::sleep(back_off(retries)).await;
    }
}

/// Runs the closure in a transaction. Fails if none begins.
async fn attempt<M, F, Fut, T, E>(
    pool: &Arc<Pool>,
    mode: &Mode,
    work: F,
) -> Result<(Arc<OpenTransaction>, Result<T, E>)>
where
    M: Models,
    F: FnOnce(Transaction<M>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let shared = Arc::new(mode.begin(pool).await?);
    let outcome = match work(Transaction::of(Arc::clone(&shared))).await {
        Ok(value) => shared.commit().await.map(|()| value).map_err(E::from),
        Err(error) => {
            // A failed rollback means that the connection is lost, and then the server rolls back.
            let _ = shared.rollback().await;
            Err(error)
        }
    };
    Ok((shared, outcome))
}

/// The delay doubles each time, up to half a second. It is random within its upper half, so that colliding transactions
/// do not meet again.
fn back_off(attempt: u32) -> Duration {
    let longest = 5_u64.saturating_mul(1 << attempt.min(7)).min(500);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    Duration::from_millis(longest / 2 + longest * chance / 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_begins_in_one_message() {
        assert!(matches!(Mode::default().begin_sql(), Cow::Borrowed("BEGIN")));
        let mode = Mode {
            isolation: Some(Isolation::Serializable),
            read_only: true,
            deferrable: true,
            statement_timeout: Some(Duration::from_micros(3)),
            lock_timeout: Some(Duration::from_secs(2)),
            idle_timeout: None,
        };
        assert_eq!(
            mode.begin_sql(),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SET LOCAL statement_timeout = 1; \
             SET LOCAL lock_timeout = 2000"
        );
    }

    #[test]
    fn waiting_grows_and_has_an_end() {
        for attempt in 1..40 {
            let longest = 5_u64.saturating_mul(1 << attempt.min(7)).min(500);
            for _ in 0..50 {
                let waits = back_off(attempt).as_millis() as u64;
                assert!((longest / 2..=longest).contains(&waits), "{attempt}: {waits}");
            }
        }
    }
}
