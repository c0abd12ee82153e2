//! Connections in use: statements go through a `Session`, a `Handle` says where one comes from.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_postgres::{Object, PoolError, TimeoutType, Timeouts};
use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tracing::Instrument;

use crate::batch::Query;
use crate::connect::ConnectOptions;
use crate::error::{Error, Result, from_connection};
use crate::operation::{Call, Operation, Outcome, execute};
use crate::sql::Statement;
use crate::table::Table;
use crate::value::Param;

/// Where queries go: a pool, or one connection inside a transaction.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Target);

#[derive(Debug, Clone)]
pub(crate) enum Target {
    Pool(Arc<Pool>),
    Transaction(Arc<OpenTransaction>),
}

/// Connections to one database.
pub(crate) struct Pool {
    pub(crate) connections: deadpool_postgres::Pool,
    pub(crate) options: ConnectOptions,
    pub(crate) acquire_timeout: Duration,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.options.target())
    }
}

/// One connection, for the statements of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Session<'c> {
    connection: &'c Object,
    in_transaction: bool,
}

impl<'c> Session<'c> {
    /// Every statement stands for itself.
    pub(crate) fn new(connection: &'c Object) -> Self {
        Self { connection, in_transaction: false }
    }

    /// The statements belong to a transaction: a failed one ends it.
    pub(crate) fn in_transaction(connection: &'c Object) -> Self {
        Self { connection, in_transaction: true }
    }

    /// Prepares a statement, if this connection has not done so before.
    pub(crate) async fn prepare(self, sql: &str, table: &'static Table) -> Result<tokio_postgres::Statement> {
        self.connection.prepare_cached(sql).await.map_err(|error| Error::from_driver(&error, table))
    }

    /// The rows of a statement.
    pub(crate) async fn query(self, statement: Statement, table: &'static Table) -> Result<Vec<Row>> {
        let prepared = self.prepare(&statement.sql, table).await?;
        match self.query_prepared(&prepared, &statement, table).await {
            Err(error) if self.prepares_again(&error, &statement) => {
                let prepared = self.prepare(&statement.sql, table).await?;
                self.query_prepared(&prepared, &statement, table).await
            }
            outcome => outcome,
        }
    }

    /// Whether the statement was prepared before a migration changed its table, so that nothing was executed and it
    /// can be prepared again. Inside a transaction the next one can: this one is lost.
    fn prepares_again(self, error: &Error, statement: &Statement) -> bool {
        if !error.is_stale_plan() {
            return false;
        }
        self.connection.statement_cache.remove(&statement.sql, &[]);
        !self.in_transaction
    }

    pub(crate) async fn query_prepared(
        self,
        prepared: &tokio_postgres::Statement,
        statement: &Statement,
        table: &'static Table,
    ) -> Result<Vec<Row>> {
        let params = parameters(&statement.params);
        self.connection.query(prepared, &params).await.map_err(|error| Error::from_driver(&error, table))
    }

    /// The number of rows that a statement wrote.
    pub(crate) async fn execute(self, statement: Statement, table: &'static Table) -> Result<u64> {
        let prepared = self.prepare(&statement.sql, table).await?;
        match self.execute_prepared(&prepared, &statement, table).await {
            Err(error) if self.prepares_again(&error, &statement) => {
                let prepared = self.prepare(&statement.sql, table).await?;
                self.execute_prepared(&prepared, &statement, table).await
            }
            outcome => outcome,
        }
    }

    pub(crate) async fn execute_prepared(
        self,
        prepared: &tokio_postgres::Statement,
        statement: &Statement,
        table: &'static Table,
    ) -> Result<u64> {
        let params = parameters(&statement.params);
        self.connection.execute(prepared, &params).await.map_err(|error| Error::from_driver(&error, table))
    }
}

pub(crate) fn parameters(params: &[Param]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

impl Pool {
    /// A connection of the pool.
    pub(crate) async fn acquire(&self) -> Result<Object> {
        // Usually one is free, and then no timer is needed. Nobody who waits is overtaken: what comes back
        // to the pool is given to them first.
        let without_waiting = Timeouts { wait: Some(Duration::ZERO), ..self.connections.timeouts() };
        match self.connections.timeout_get(&without_waiting).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                self.connections.get().await.map_err(|error| self.explain(error))
            }
            other => other.map_err(|error| self.explain(error)),
        }
    }

    fn explain(&self, error: PoolError) -> Error {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                let status = self.connections.status();
                Error::PoolTimeout {
                    limit: self.acquire_timeout,
                    max_size: status.max_size,
                    in_use: status.size.saturating_sub(status.available),
                    waiting: status.waiting,
                }
            }
            PoolError::Timeout(_) => Error::Timeout { what: "connecting to PostgreSQL", limit: self.acquire_timeout },
            PoolError::Backend(error) => self.options.connect_error(&error),
            PoolError::Closed => Error::Config("the client was closed".to_owned()),
            other => Error::Config(format!("the pool cannot give a connection: {other}")),
        }
    }
}

impl Handle {
    /// Starts a query.
    pub(crate) fn call<Q: Query>(&self, query: Q) -> Call<Q::Output> {
        let parts = query.into_parts();
        Call { work: self.run(parts.operation), finish: parts.finish }
    }

    /// Carries an operation out, on a connection of the pool or in the transaction.
    pub(crate) fn run(&self, operation: Operation) -> BoxFuture<'static, Result<Outcome>> {
        let table = operation.table().map_or("", |table| table.name);
        let span = tracing::debug_span!(
            "relata.query",
            db.system.name = "postgresql",
            db.collection.name = table,
            db.operation.name = operation.name(),
        );
        let work = match self.0.clone() {
            Target::Pool(pool) => async move {
                if operation.locks_rows() {
                    return Err(Error::Refused(LOCK_NEEDS_TRANSACTION.to_owned()));
                }
                if operation.needs_transaction() {
                    return in_transaction(&pool, operation).await;
                }
                let connection = pool.acquire().await?;
                execute(Session::new(&connection), operation).await
            }
            .boxed(),
            Target::Transaction(transaction) => async move { transaction.run(operation).await }.boxed(),
        };
        // Without a subscriber there is nothing to enter and leave at every poll.
        if span.is_disabled() { work } else { work.instrument(span).boxed() }
    }
}

const LOCK_NEEDS_TRANSACTION: &str = "a lock on rows ends with its transaction, and here there is none: \
    begin one, and read through it";

/// Carries out an operation of several statements, all or nothing.
async fn in_transaction(pool: &Pool, operation: Operation) -> Result<Outcome> {
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let outcome = transaction.run(operation).await?;
    transaction.commit().await?;
    Ok(outcome)
}

/// A connection inside a transaction. Whatever becomes of it, an unfinished transaction never goes
/// back to the pool: the connection is rolled back first, or closed.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    connection: Option<Object>,
    state: AtomicU8,
    /// A statement failed in a way that running the transaction again may mend.
    retryable: AtomicBool,
    /// Something failed, so the server may have ended the transaction already.
    failed: AtomicBool,
    /// Savepoints that were dropped and have to be rolled back to before anything else, innermost first.
    dropped_savepoints: Mutex<Vec<u32>>,
    /// How many savepoints there were.
    savepoints: AtomicU32,
}

const OPEN: u8 = 0;
const FINISHED: u8 = 1;

/// How long a dropped transaction may take to roll back before its connection is closed.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(5);

impl OpenTransaction {
    /// Takes a connection and begins. From before the first byte the connection counts as unclean.
    pub(crate) async fn begin(pool: &Pool, begin: &str) -> Result<Self> {
        let transaction = Self::adopt(pool.acquire().await?);
        transaction.connection()?.batch_execute(begin).await.map_err(|error| from_connection(&error))?;
        Ok(transaction)
    }

    /// Takes charge of a connection that is about to begin.
    pub(crate) fn adopt(connection: Object) -> Self {
        Self {
            connection: Some(connection),
            state: AtomicU8::new(OPEN),
            retryable: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            dropped_savepoints: Mutex::default(),
            savepoints: AtomicU32::new(0),
        }
    }

    pub(crate) fn connection(&self) -> Result<&Object> {
        match &self.connection {
            Some(connection) if self.state.load(Ordering::Acquire) == OPEN => Ok(connection),
            _ => Err(Error::TransactionFinished),
        }
    }

    /// The connection, after what dropped savepoints have left behind is undone.
    pub(crate) async fn ready(&self) -> Result<&Object> {
        let connection = self.connection()?;
        let dropped = match self.dropped_savepoints.lock() {
            Ok(mut dropped) => std::mem::take(&mut *dropped),
            Err(_) => return Err(Error::TransactionFinished),
        };
        for savepoint in dropped {
            self.savepoint_command("ROLLBACK TO SAVEPOINT", savepoint).await?;
        }
        Ok(connection)
    }

    /// Begins a savepoint and gives its number.
    pub(crate) async fn begin_savepoint(&self) -> Result<u32> {
        self.ready().await?;
        let savepoint = self.savepoints.fetch_add(1, Ordering::Relaxed);
        self.savepoint_command("SAVEPOINT", savepoint).await?;
        Ok(savepoint)
    }

    /// Ends a savepoint: what was done since holds, or is undone.
    pub(crate) async fn end_savepoint(&self, savepoint: u32, holds: bool) -> Result<()> {
        if holds {
            self.ready().await?;
            return self.savepoint_command("RELEASE SAVEPOINT", savepoint).await;
        }
        self.savepoint_command("ROLLBACK TO SAVEPOINT", savepoint).await
    }

    async fn savepoint_command(&self, command: &str, savepoint: u32) -> Result<()> {
        let sql = format!("{command} relata_{savepoint}");
        self.connection()?.batch_execute(&sql).await.map_err(|error| from_connection(&error))
    }

    /// Notes that a savepoint's work was dropped in the middle.
    pub(crate) fn drop_savepoint(&self, savepoint: u32) {
        if let Ok(mut dropped) = self.dropped_savepoints.lock() {
            dropped.push(savepoint);
        }
    }

    pub(crate) async fn run(&self, operation: Operation) -> Result<Outcome> {
        let outcome = execute(Session::in_transaction(self.ready().await?), operation).await;
        self.note(&outcome);
        outcome
    }

    /// Remembers that something failed.
    pub(crate) fn note<T>(&self, outcome: &Result<T>) {
        if let Err(error) = outcome {
            self.failed.store(true, Ordering::Release);
            self.retryable.fetch_or(error.is_retryable(), Ordering::AcqRel);
        }
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable.load(Ordering::Acquire)
    }

    /// Commits. An answer that never came is [`Error::CommitUnknown`].
    ///
    /// PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK and no error. Where something failed it
    /// is asked first whether the transaction is still alive.
    pub(crate) async fn commit(&self) -> Result<()> {
        let connection = self.ready().await?;
        if self.failed.load(Ordering::Acquire) && connection.simple_query("SELECT 1").await.is_err() {
            self.rollback().await?;
            return Err(Error::TransactionFailed);
        }
        let rows = connection.simple_query("COMMIT").await;
        match rows {
            Ok(_) => {
                self.state.store(FINISHED, Ordering::Release);
                Ok(())
            }
            Err(error) if error.as_db_error().is_none() => Err(Error::CommitUnknown),
            Err(error) => {
                let error = match from_connection(&error) {
                    Error::Database(known) if matches!(known.sqlstate.as_str(), "40001" | "40P01") => {
                        self.retryable.store(true, Ordering::Release);
                        Error::Serialization { sqlstate: known.sqlstate }
                    }
                    other => other,
                };
                // A refused COMMIT has rolled back already.
                self.state.store(FINISHED, Ordering::Release);
                Err(error)
            }
        }
    }

    pub(crate) async fn rollback(&self) -> Result<()> {
        self.connection()?.batch_execute("ROLLBACK").await.map_err(|error| from_connection(&error))?;
        self.state.store(FINISHED, Ordering::Release);
        Ok(())
    }

    /// The transaction ended by other means than `commit` or `rollback`: its last statement did it.
    pub(crate) fn mark_finished(&self) {
        self.state.store(FINISHED, Ordering::Release);
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.state.load(Ordering::Acquire) == FINISHED {
            return;
        }
        let unclean = Unclean(Some(connection));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(unclean.roll_back());
        }
    }
}

/// A connection that may be inside a transaction: dropped as it is, it is closed, not reused.
struct Unclean(Option<Object>);

impl Unclean {
    async fn roll_back(mut self) {
        let rolled_back = match &self.0 {
            Some(connection) => tokio::time::timeout(ROLLBACK_LIMIT, connection.batch_execute("ROLLBACK")).await,
            None => return,
        };
        if matches!(rolled_back, Ok(Ok(()))) {
            // Clean again: back to the pool.
            drop(self.0.take());
        }
    }
}

impl Drop for Unclean {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}
