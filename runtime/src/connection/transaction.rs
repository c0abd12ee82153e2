//! A connection inside a transaction: how the transaction begins and ends, and which scope may send.
//!
//! PostgreSQL keeps savepoints on a stack, so every statement belongs to the innermost open one. Only the scope at the
//! top may send. Everything else is refused before anything is sent.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::pool::Pool;
use super::pooled::PooledConnection;
use super::session::{Explaining, Session};
use super::settings::{Current, Settings};
use crate::error::{Error, Result, from_connection};
use crate::query::Tenant;

/// A connection inside a transaction. An unfinished transaction never returns to the pool: see `PooledConnection`.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    connection: PooledConnection,
    /// The statement that began it.
    begin: Cow<'static, str>,
    /// The number of statements that were sent in it.
    statements: AtomicU32,
    /// Whether an operation failed, so that the server may already have ended the transaction.
    failed: AtomicBool,
    collisions: Mutex<Collisions>,
    /// The innermost open savepoint, or [`WHOLE`].
    top: AtomicU32,
    savepoints: Mutex<Vec<OpenSavepoint>>,
    /// Whether an open savepoint was dropped, and must be rolled back before anything else.
    has_dropped: AtomicBool,
    /// The number of operations that run in it.
    running: AtomicU32,
    /// The number of savepoints and streams so far.
    numbers: AtomicU32,
    settings: Mutex<Current>,
    /// Whether statements are explained before they run, and how.
    explains: AtomicBool,
    explaining: Mutex<Option<Arc<Explaining>>>,
}

/// What BEGIN says of a transaction that does not write.
pub(crate) const READ_ONLY: &str = " READ ONLY";

/// The scope of operations that belong to the transaction, but to none of its savepoints.
pub(crate) const WHOLE: u32 = 0;

#[derive(Debug)]
struct OpenSavepoint {
    number: u32,
    dropped: bool,
}

/// Serialization failures and deadlocks of the statements so far.
#[derive(Debug, Default)]
struct Collisions {
    /// Whether one has ended the transaction on the server, and no savepoint has been rolled back since.
    ended_it: bool,
    /// Their errors, each as long as the program keeps it.
    errors: Vec<Weak<str>>,
}

/// A transaction, and the savepoint that the operations belong to, if any.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) transaction: Arc<OpenTransaction>,
    pub(crate) savepoint: u32,
    /// The tenant that its operations are confined to.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// The settings of PostgreSQL for its statements.
    pub(crate) settings: Option<Arc<Settings>>,
}

impl Scope {
    pub(crate) fn whole(transaction: Arc<OpenTransaction>) -> Self {
        let (tenant, settings) = (transaction.pool().tenant.clone(), transaction.pool().settings.clone());
        Self { transaction, savepoint: WHOLE, tenant, settings }
    }

    /// Waits until an operation may be sent, or returns why it may not.
    pub(crate) async fn enter(&self) -> Result<Running<'_>> {
        self.transaction.enter(self.savepoint).await
    }

    pub(crate) fn session(&self, operation: &'static str) -> Result<Session<'_>> {
        let session = Session::in_transaction(&self.transaction, self.savepoint, operation)?;
        Ok(session.of_tenant(self.tenant.as_deref(), self.settings.as_ref()))
    }
}

/// A running operation in a transaction. If it is dropped before its end, it counts as failed.
pub(crate) struct Running<'t> {
    transaction: &'t OpenTransaction,
    ended: bool,
}

impl Running<'_> {
    /// Records its outcome.
    pub(crate) fn end<T>(mut self, outcome: &Result<T>) {
        self.ended = true;
        self.transaction.note(outcome);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.transaction.running.fetch_sub(1, Ordering::AcqRel);
        if !self.ended {
            self.transaction.failed.store(true, Ordering::Release);
        }
    }
}

/// Explains the statements of a transaction until it is dropped.
pub(crate) struct ExplainsStatements<'t>(&'t OpenTransaction);

impl Drop for ExplainsStatements<'_> {
    fn drop(&mut self) {
        self.0.set_explaining(None);
    }
}

/// An open savepoint. If it is dropped, its work is undone before anything else is sent.
pub(crate) struct Savepoint<'t> {
    transaction: &'t OpenTransaction,
    pub(crate) number: u32,
    ended: bool,
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.transaction.drop_savepoint(self.number);
        }
    }
}

const SAVEPOINT_IS_OPEN: &str = "a savepoint of this transaction is open, and what is sent now would belong to it: \
    use the savepoint that the closure receives, or wait until it has ended";
const SAVEPOINT_HAS_ENDED: &str = "this savepoint has ended: use the transaction that it was part of";
const STILL_RUNNING: &str = "another query of this transaction is still running, and part of it would belong to the \
    savepoint: await it before you begin the savepoint";
const RUNS_BEHIND_SAVEPOINT: &str = "a query of this savepoint was still running when its closure returned, so the \
    savepoint was rolled back: await every query inside the closure";
const RUNS_BEHIND_COMMIT: &str = "a query of this transaction was still running at the commit, so the transaction was \
    rolled back: await every query before the commit";

impl OpenTransaction {
    /// Takes a connection and begins a transaction. The connection counts as unclean before the first byte is sent.
    pub(crate) async fn begin(pool: &Arc<Pool>, begin: impl Into<Cow<'static, str>>) -> Result<Self> {
        let transaction = Self::adopt(pool.acquire().await?, begin.into());
        transaction.connection.batch_execute(&transaction.begin).await.map_err(|error| from_connection(&error))?;
        Ok(transaction)
    }

    /// Wraps a connection that is about to begin a transaction.
    pub(crate) fn adopt(connection: PooledConnection, begin: Cow<'static, str>) -> Self {
        connection.opens_transaction();
        Self {
            connection,
            begin,
            statements: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            collisions: Mutex::default(),
            top: AtomicU32::new(WHOLE),
            savepoints: Mutex::default(),
            has_dropped: AtomicBool::new(false),
            running: AtomicU32::new(0),
            numbers: AtomicU32::new(0),
            settings: Mutex::new(Current::none()),
            explains: AtomicBool::new(false),
            explaining: Mutex::default(),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.connection.pool
    }

    /// Returns whether it began as one that does not write.
    pub(super) fn only_reads(&self) -> bool {
        self.begin.contains(READ_ONLY)
    }

    pub(crate) fn connection(&self) -> Result<&PooledConnection> {
        if self.connection.has_transaction() { Ok(&self.connection) } else { Err(Error::TransactionFinished) }
    }

    /// Undoes the work of dropped savepoints, and begins an operation of a scope.
    async fn enter(&self, scope: u32) -> Result<Running<'_>> {
        self.undo_dropped().await?;
        self.check(scope)?;
        self.running.fetch_add(1, Ordering::AcqRel);
        Ok(Running { transaction: self, ended: false })
    }

    /// Checks that a scope may send.
    fn check(&self, scope: u32) -> Result<()> {
        self.connection()?;
        if self.top.load(Ordering::Acquire) == scope {
            return Ok(());
        }
        let is_open = scope == WHOLE || self.savepoints().iter().any(|open| open.number == scope);
        Err(Error::Misuse(if is_open { SAVEPOINT_IS_OPEN } else { SAVEPOINT_HAS_ENDED }.into()))
    }

    fn savepoints(&self) -> MutexGuard<'_, Vec<OpenSavepoint>> {
        self.savepoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collisions(&self) -> MutexGuard<'_, Collisions> {
        self.collisions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rolls back to the outermost dropped savepoint, which also undoes those inside it. The savepoint is removed from
    /// the stack first, because a sent statement is executed even if its future is dropped.
    async fn undo_dropped(&self) -> Result<()> {
        self.connection()?;
        if !self.has_dropped.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let outermost = self.savepoints().iter().find(|open| open.dropped).map(|open| open.number);
        match outermost {
            Some(number) => self.undo_savepoint(number).await,
            None => Ok(()),
        }
    }

    /// Removes a savepoint and those inside it from the stack.
    fn take_off(&self, number: u32) {
        let mut savepoints = self.savepoints();
        if let Some(place) = savepoints.iter().position(|open| open.number == number) {
            savepoints.truncate(place);
        }
        self.top.store(savepoints.last().map_or(WHOLE, |open| open.number), Ordering::Release);
    }

    /// Returns the settings of the transaction.
    pub(super) fn settings(&self) -> MutexGuard<'_, Current> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Explains each statement before it runs, as long as the result is kept.
    pub(crate) fn explain_with(&self, explaining: &Arc<Explaining>) -> ExplainsStatements<'_> {
        self.set_explaining(Some(Arc::clone(explaining)));
        ExplainsStatements(self)
    }

    fn set_explaining(&self, explaining: Option<Arc<Explaining>>) {
        self.explains.store(explaining.is_some(), Ordering::Release);
        *self.explaining.lock().unwrap_or_else(PoisonError::into_inner) = explaining;
    }

    /// Returns whether statements are explained.
    pub(super) fn explains(&self) -> bool {
        self.explains.load(Ordering::Acquire)
    }

    /// Returns how statements are explained.
    pub(super) fn explaining(&self) -> Option<Arc<Explaining>> {
        self.explaining.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a number that is unique in the transaction.
    pub(crate) fn next_number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Begins a savepoint inside a scope.
    pub(crate) async fn begin_savepoint(&self, scope: u32) -> Result<Savepoint<'_>> {
        self.undo_dropped().await?;
        self.check(scope)?;
        if self.running.load(Ordering::Acquire) > 0 {
            return Err(Error::Misuse(STILL_RUNNING.into()));
        }
        let number = self.next_number();
        self.savepoints().push(OpenSavepoint { number, dropped: false });
        self.top.store(number, Ordering::Release);
        let mut savepoint = Savepoint { transaction: self, number, ended: false };
        if let Err(error) = self.command(format!("SAVEPOINT relata_{number}")).await {
            savepoint.ended = true;
            self.take_off(number);
            return Err(error);
        }
        Ok(savepoint)
    }

    /// Ends a savepoint, and keeps or undoes its work. If one of its operations is still running, the work is undone.
    pub(crate) async fn end_savepoint(&self, mut savepoint: Savepoint<'_>, keep: bool) -> Result<()> {
        self.undo_dropped().await?;
        let number = savepoint.number;
        // The following statement is executed once it is sent, even if nobody waits for the answer.
        savepoint.ended = true;
        if !self.savepoints().iter().any(|open| open.number == number) {
            return Err(Error::Misuse(SAVEPOINT_HAS_ENDED.into()));
        }
        if !keep {
            return self.undo_savepoint(number).await;
        }
        if self.check(number).is_err() || self.running.load(Ordering::Acquire) > 0 {
            self.undo_savepoint(number).await?;
            return Err(Error::Misuse(RUNS_BEHIND_SAVEPOINT.into()));
        }
        self.take_off(number);
        match self.command(format!("RELEASE SAVEPOINT relata_{number}")).await {
            // A statement failed and its error was ignored, so PostgreSQL refuses to keep the work. It is undone.
            Err(Error::Database(_)) => {
                self.undo_savepoint(number).await?;
                Err(Error::TransactionFailed)
            }
            released => released,
        }
    }

    /// Undoes the work since a savepoint.
    async fn undo_savepoint(&self, number: u32) -> Result<()> {
        self.take_off(number);
        self.collisions().ended_it = false;
        self.settings().forget();
        self.command(format!("ROLLBACK TO SAVEPOINT relata_{number}; RELEASE SAVEPOINT relata_{number}")).await
    }

    async fn command(&self, sql: String) -> Result<()> {
        self.statements.fetch_add(1, Ordering::AcqRel);
        let done = self.connection()?.command(&sql).await.map_err(|error| from_connection(&error));
        self.note(&done);
        done
    }

    /// Records that a savepoint was dropped before its end.
    fn drop_savepoint(&self, number: u32) {
        for open in self.savepoints().iter_mut().filter(|open| open.number == number) {
            open.dropped = true;
            self.has_dropped.store(true, Ordering::Release);
        }
    }

    /// Counts a statement that is about to be sent, if its scope may send.
    pub(super) fn note_statement(&self, scope: u32) -> Result<()> {
        self.check(scope)?;
        self.statements.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// If only one statement was sent, rolls back and begins the transaction again. Returns whether it did. Called
    /// after that statement failed.
    pub(super) async fn begin_again(&self) -> Result<bool> {
        if self.statements.load(Ordering::Acquire) != 1 {
            return Ok(false);
        }
        let connection = self.connection()?;
        let sql = format!("ROLLBACK; {}", self.begin);
        self.settings().forget();
        connection.command(&sql).await.map_err(|error| from_connection(&error))?;
        Ok(true)
    }

    /// Records a failure.
    fn note<T>(&self, outcome: &Result<T>) {
        let Err(error) = outcome else { return };
        self.failed.store(true, Ordering::Release);
        if let Error::Serialization { sqlstate } = error {
            let mut collisions = self.collisions();
            collisions.ended_it = true;
            collisions.errors.push(Arc::downgrade(sqlstate));
        }
    }

    /// Returns whether running the transaction again may succeed: a collision ended it on the server, or the program
    /// has returned the error of a collision, possibly inside an error of its own.
    pub(crate) fn has_collided(&self) -> bool {
        let collisions = self.collisions();
        collisions.ended_it || collisions.errors.iter().any(|error| error.strong_count() > 0)
    }

    /// Commits. If the answer is lost, the result is [`Error::CommitUnknown`].
    ///
    /// PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK and no error. So if something failed, the
    /// client first asks whether the transaction is still alive.
    pub(crate) async fn commit(&self) -> Result<()> {
        self.undo_dropped().await?;
        let connection = self.connection()?;
        if self.running.load(Ordering::Acquire) > 0 || self.check(WHOLE).is_err() {
            self.rollback().await?;
            return Err(Error::Misuse(RUNS_BEHIND_COMMIT.into()));
        }
        if self.failed.load(Ordering::Acquire) && connection.simple_query("SELECT 1").await.is_err() {
            self.rollback().await?;
            return Err(Error::TransactionFailed);
        }
        // Earlier collisions did not end the transaction. From here on, all of it may be committed.
        *self.collisions() = Collisions::default();
        let note_write = || {
            if let Some(routing) = self.pool().routing.as_ref().filter(|_| !self.only_reads()) {
                routing.note_write();
            }
        };
        // Noted before it is sent, too: if the future is dropped, the transaction may still be committed.
        note_write();
        let answer = connection.simple_query("COMMIT").await;
        note_write();
        let Err(error) = answer.map_err(|error| commit_error(&error)) else {
            self.connection.transaction_is_over();
            return Ok(());
        };
        if !matches!(error, Error::CommitUnknown) {
            // A refused COMMIT has already rolled back.
            self.connection.transaction_is_over();
        }
        let refused = Err(error);
        self.note(&refused);
        refused
    }

    pub(crate) async fn rollback(&self) -> Result<()> {
        self.connection()?.batch_execute("ROLLBACK").await.map_err(|error| from_connection(&error))?;
        self.connection.transaction_is_over();
        Ok(())
    }

    /// Records that the transaction was ended by its last statement, not by `commit` or `rollback`.
    pub(crate) fn mark_finished(&self) {
        self.connection.transaction_is_over();
    }
}

/// Translates the error of a COMMIT. If the server ended the connection with it, the transaction may have been
/// committed before.
pub(crate) fn commit_error(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error().map(|known| known.code().code()) {
        None => Error::CommitUnknown,
        Some(code) if code.starts_with("57P") || code.starts_with("08") => Error::CommitUnknown,
        Some(_) => from_connection(error),
    }
}
