//! A connection inside a transaction: how it is begun and ended.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::lease::Lease;
use super::pool::Pool;
use super::session::Session;
use crate::error::{Error, Result, from_connection};
use crate::operation::{Operation, Outcome, execute};

/// A connection inside a transaction. Whatever becomes of it, an unfinished transaction never goes
/// back to the pool: see `Lease`.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    lease: Lease,
    /// What it was begun with.
    begin: Cow<'static, str>,
    /// How many statements were sent in it.
    statements: AtomicU32,
    /// A statement failed in a way that running the transaction again may mend.
    retryable: AtomicBool,
    /// Something failed, so the server may have ended the transaction already.
    failed: AtomicBool,
    /// Savepoints that were dropped and have to be rolled back to before anything else, innermost first.
    dropped_savepoints: Mutex<Vec<u32>>,
    /// How many savepoints and streams there were.
    numbers: AtomicU32,
}

impl OpenTransaction {
    /// Takes a connection and begins. From before the first byte the connection counts as unclean.
    pub(crate) async fn begin(pool: &Arc<Pool>, begin: impl Into<Cow<'static, str>>) -> Result<Self> {
        let transaction = Self::adopt(pool.acquire().await?, begin.into());
        transaction.lease.batch_execute(&transaction.begin).await.map_err(|error| from_connection(&error))?;
        Ok(transaction)
    }

    /// Takes charge of a connection that is about to begin.
    pub(crate) fn adopt(lease: Lease, begin: Cow<'static, str>) -> Self {
        lease.opens_transaction();
        Self {
            lease,
            begin,
            statements: AtomicU32::new(0),
            retryable: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            dropped_savepoints: Mutex::default(),
            numbers: AtomicU32::new(0),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.lease.pool
    }

    pub(crate) fn lease(&self) -> Result<&Lease> {
        if self.lease.has_transaction() { Ok(&self.lease) } else { Err(Error::TransactionFinished) }
    }

    /// Undoes what dropped savepoints have left behind.
    pub(crate) async fn ready(&self) -> Result<()> {
        self.lease()?;
        while let Some(savepoint) = self.next_dropped_savepoint()? {
            self.undo_savepoint(savepoint).await?;
        }
        Ok(())
    }

    /// The innermost one. What is sent is done, however the future that sends it ends, so that it is off the list.
    fn next_dropped_savepoint(&self) -> Result<Option<u32>> {
        let mut dropped = self.dropped_savepoints.lock().map_err(|_| Error::TransactionFinished)?;
        Ok(if dropped.is_empty() { None } else { Some(dropped.remove(0)) })
    }

    /// A number that nothing else in the transaction has.
    pub(crate) fn next_number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// From now on it may have failed without anyone having seen it.
    pub(crate) fn doubt(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Begins a savepoint and gives its number.
    pub(crate) async fn begin_savepoint(&self) -> Result<u32> {
        self.ready().await?;
        let savepoint = self.next_number();
        self.command(format!("SAVEPOINT relata_{savepoint}")).await?;
        Ok(savepoint)
    }

    /// What was done since holds.
    pub(crate) async fn release_savepoint(&self, savepoint: u32) -> Result<()> {
        self.command(format!("RELEASE SAVEPOINT relata_{savepoint}")).await
    }

    /// What was done since is undone.
    pub(crate) async fn undo_savepoint(&self, savepoint: u32) -> Result<()> {
        self.command(format!("ROLLBACK TO SAVEPOINT relata_{savepoint}; RELEASE SAVEPOINT relata_{savepoint}")).await
    }

    async fn command(&self, sql: String) -> Result<()> {
        self.note_statement();
        let lease = self.lease()?;
        lease.command(&sql).await.map_err(|error| from_connection(&error))
    }

    /// Notes that a savepoint's work was dropped in the middle.
    pub(crate) fn drop_savepoint(&self, savepoint: u32) {
        if let Ok(mut dropped) = self.dropped_savepoints.lock() {
            dropped.push(savepoint);
        }
    }

    pub(crate) async fn run(&self, operation: Operation) -> Result<Outcome> {
        self.ready().await?;
        let session = Session::in_transaction(self, operation.name())?;
        let outcome = execute(session, operation).await;
        self.note(&outcome);
        outcome
    }

    /// Counts a statement that is about to be sent.
    pub(super) fn note_statement(&self) {
        self.statements.fetch_add(1, Ordering::AcqRel);
    }

    /// After a failure of its only statement so far: rolls back and begins again, as if nothing had been. Tells whether
    /// it did.
    pub(super) async fn begin_again(&self) -> Result<bool> {
        if self.statements.load(Ordering::Acquire) != 1 {
            return Ok(false);
        }
        let lease = self.lease()?;
        let sql = format!("ROLLBACK; {}", self.begin);
        lease.command(&sql).await.map_err(|error| from_connection(&error))?;
        Ok(true)
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
        self.ready().await?;
        let lease = self.lease()?;
        if self.failed.load(Ordering::Acquire) && lease.simple_query("SELECT 1").await.is_err() {
            self.rollback().await?;
            return Err(Error::TransactionFailed);
        }
        let answer = lease.simple_query("COMMIT").await;
        let Err(error) = answer.as_ref().map_err(commit_error) else {
            self.lease.transaction_is_over();
            return Ok(());
        };
        if !matches!(error, Error::CommitUnknown) {
            // A refused COMMIT has rolled back already.
            self.retryable.fetch_or(error.is_retryable(), Ordering::AcqRel);
            self.lease.transaction_is_over();
        }
        Err(error)
    }

    pub(crate) async fn rollback(&self) -> Result<()> {
        self.lease()?.batch_execute("ROLLBACK").await.map_err(|error| from_connection(&error))?;
        self.lease.transaction_is_over();
        Ok(())
    }

    /// The transaction ended by other means than `commit` or `rollback`: its last statement did it.
    pub(crate) fn mark_finished(&self) {
        self.lease.transaction_is_over();
    }
}

/// What a COMMIT that gave an error means. If the server ended the connection with it, it may have committed before.
pub(crate) fn commit_error(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error().map(|known| known.code().code()) {
        None => Error::CommitUnknown,
        Some(code) if code.starts_with("57P") || code.starts_with("08") => Error::CommitUnknown,
        Some(_) => from_connection(error),
    }
}
