//! A connection inside a transaction: how it is begun and ended, and what becomes of it when it is dropped.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;

use super::pool::Pool;
use super::session::Session;
use crate::error::{Error, Result, from_connection};
use crate::operation::{Operation, Outcome, execute};

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
