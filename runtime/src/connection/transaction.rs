//! A connection inside a transaction: how it is begun and ended, and who may send in it.
//!
//! PostgreSQL keeps savepoints on a stack, so what is sent belongs to the innermost open one. Only the scope that is on
//! top may send; everything else is refused before a byte of it leaves.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::pool::Pool;
use super::pooled::PooledConnection;
use super::session::Session;
use super::settings::{Current, Settings};
use crate::error::{Error, Result, from_connection};
use crate::query::Tenant;

/// A connection inside a transaction. Whatever becomes of it, an unfinished transaction never goes
/// back to the pool: see `PooledConnection`.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    connection: PooledConnection,
    /// What it was begun with.
    begin: Cow<'static, str>,
    /// How many statements were sent in it.
    statements: AtomicU32,
    /// Something failed, so the server may have ended the transaction already.
    failed: AtomicBool,
    collisions: Mutex<Collisions>,
    /// The innermost open savepoint, or [`WHOLE`].
    top: AtomicU32,
    savepoints: Mutex<Vec<OpenSavepoint>>,
    /// Some open savepoint was dropped, and has to be rolled back to before anything else.
    has_dropped: AtomicBool,
    /// How many operations are carried out in it at this moment.
    running: AtomicU32,
    /// How many savepoints and streams there were.
    numbers: AtomicU32,
    settings: Mutex<Current>,
}

/// The scope of what belongs to a transaction and to none of its savepoints.
pub(crate) const WHOLE: u32 = 0;

#[derive(Debug)]
struct OpenSavepoint {
    number: u32,
    dropped: bool,
}

/// Serialization failures and deadlocks of the statements so far.
#[derive(Debug, Default)]
struct Collisions {
    /// One has ended the transaction on the server, and no savepoint was rolled back to since.
    ended_it: bool,
    /// Their errors: each lives as long as the program keeps it.
    errors: Vec<Weak<str>>,
}

/// A transaction, and whether what runs belongs to one of its savepoints.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) transaction: Arc<OpenTransaction>,
    pub(crate) savepoint: u32,
    /// The tenant that it is confined to.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// What holds in PostgreSQL for its statements.
    pub(crate) settings: Option<Arc<Settings>>,
}

impl Scope {
    pub(crate) fn whole(transaction: Arc<OpenTransaction>) -> Self {
        let (tenant, settings) = (transaction.pool().tenant.clone(), transaction.pool().settings.clone());
        Self { transaction, savepoint: WHOLE, tenant, settings }
    }

    /// Waits until something may be sent, or says why it may not.
    pub(crate) async fn enter(&self) -> Result<Running<'_>> {
        self.transaction.enter(self.savepoint).await
    }

    pub(crate) fn session(&self, operation: &'static str) -> Result<Session<'_>> {
        let session = Session::in_transaction(&self.transaction, self.savepoint, operation)?;
        Ok(session.of_tenant(self.tenant.as_deref(), self.settings.as_ref()))
    }
}

/// An operation that is carried out in a transaction. Dropped before its end, it may have failed unseen.
pub(crate) struct Running<'t> {
    transaction: &'t OpenTransaction,
    ended: bool,
}

impl Running<'_> {
    /// Its outcome is known.
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

/// A savepoint that is open: dropped, its work is undone before anything else is sent.
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
    use the savepoint that the closure gets, or wait until it has ended";
const SAVEPOINT_HAS_ENDED: &str = "this savepoint has ended: use the transaction that it was part of";
const STILL_RUNNING: &str = "another query of this transaction still runs, and part of it would belong to the \
    savepoint: await it before the savepoint begins";
const RUNS_BEHIND_SAVEPOINT: &str = "a query of this savepoint still ran when its closure returned, so the savepoint \
    was rolled back: await every query inside the closure";
const RUNS_BEHIND_COMMIT: &str = "a query of this transaction still ran when it was to be committed, so it was rolled \
    back: await every query before the commit";

impl OpenTransaction {
    /// Takes a connection and begins. From before the first byte the connection counts as unclean.
    pub(crate) async fn begin(pool: &Arc<Pool>, begin: impl Into<Cow<'static, str>>) -> Result<Self> {
        let transaction = Self::adopt(pool.acquire().await?, begin.into());
        transaction.connection.batch_execute(&transaction.begin).await.map_err(|error| from_connection(&error))?;
        Ok(transaction)
    }

    /// Takes charge of a connection that is about to begin.
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
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.connection.pool
    }

    pub(crate) fn connection(&self) -> Result<&PooledConnection> {
        if self.connection.has_transaction() { Ok(&self.connection) } else { Err(Error::TransactionFinished) }
    }

    /// Undoes what dropped savepoints have left behind, and begins an operation of a scope.
    async fn enter(&self, scope: u32) -> Result<Running<'_>> {
        self.undo_dropped().await?;
        self.check(scope)?;
        self.running.fetch_add(1, Ordering::AcqRel);
        Ok(Running { transaction: self, ended: false })
    }

    /// Whether a scope may send.
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

    /// Rolls back to the outermost savepoint that was dropped, and with that undoes those inside it. What is sent is
    /// done, however the future that sends it ends, so that it is off the stack before.
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

    /// Takes a savepoint off the stack, and those inside it.
    fn take_off(&self, number: u32) {
        let mut savepoints = self.savepoints();
        if let Some(place) = savepoints.iter().position(|open| open.number == number) {
            savepoints.truncate(place);
        }
        self.top.store(savepoints.last().map_or(WHOLE, |open| open.number), Ordering::Release);
    }

    /// What is set in it.
    pub(super) fn settings(&self) -> MutexGuard<'_, Current> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nothing else in the transaction has.
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

    /// Ends a savepoint: what was done since holds, or is undone. If something of it runs on, it is undone.
    pub(crate) async fn end_savepoint(&self, mut savepoint: Savepoint<'_>, keep: bool) -> Result<()> {
        self.undo_dropped().await?;
        let number = savepoint.number;
        // What follows sends, and what is sent is done, also if nobody waits for the answer.
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
            // The error of a statement was passed over: what PostgreSQL refuses to keep is undone.
            Err(Error::Database(_)) => {
                self.undo_savepoint(number).await?;
                Err(Error::TransactionFailed)
            }
            released => released,
        }
    }

    /// What was done since is undone.
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

    /// Notes that a savepoint's work was dropped in the middle.
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

    /// After a failure of its only statement so far: rolls back and begins again, as if nothing had been. Tells whether
    /// it did.
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

    /// Remembers that something failed.
    fn note<T>(&self, outcome: &Result<T>) {
        let Err(error) = outcome else { return };
        self.failed.store(true, Ordering::Release);
        if let Error::Serialization { sqlstate } = error {
            let mut collisions = self.collisions();
            collisions.ended_it = true;
            collisions.errors.push(Arc::downgrade(sqlstate));
        }
    }

    /// Whether running the transaction again may mend what ended it: a collision that the server ended it with, or the
    /// error of one that the program has passed on, in whatever error of its own.
    pub(crate) fn has_collided(&self) -> bool {
        let collisions = self.collisions();
        collisions.ended_it || collisions.errors.iter().any(|error| error.strong_count() > 0)
    }

    /// Commits. An answer that never came is [`Error::CommitUnknown`].
    ///
    /// PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK and no error. Where something failed it
    /// is asked first whether the transaction is still alive.
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
        // Whatever collided before did not end the transaction, and from here on all of it may hold.
        *self.collisions() = Collisions::default();
        let answer = connection.simple_query("COMMIT").await;
        let Err(error) = answer.map_err(|error| commit_error(&error)) else {
            self.connection.transaction_is_over();
            return Ok(());
        };
        if !matches!(error, Error::CommitUnknown) {
            // A refused COMMIT has rolled back already.
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

    /// The transaction ended by other means than `commit` or `rollback`: its last statement did it.
    pub(crate) fn mark_finished(&self) {
        self.connection.transaction_is_over();
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
