//! Advisory locks of a session, for work that is longer than a transaction.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Models};
use crate::connection::{LockKey, Pool, SessionLock};
use crate::error::{Error, Result};

/// An advisory lock that is held while something runs: see [`Client::advisory_lock`].
///
/// There is no guard that a program could drop too early, or keep for too long: [`run`](Self::run) and
/// [`try_run`](Self::try_run) take the lock, do the work, and release it.
#[must_use = "nothing happens until `run` or `try_run` is awaited"]
#[derive(Debug)]
pub struct AdvisoryLock {
    pool: Arc<Pool>,
    key: LockKey,
    limit: Option<Duration>,
}

impl AdvisoryLock {
    /// Sets how long [`run`](Self::run) waits for the lock. There is no limit by default.
    pub fn wait_at_most(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Waits for the lock, does the work, and releases the lock.
    ///
    /// The lock is released when the work ends, and when the future of this call is dropped. If the connection that holds
    /// the lock is lost, the work is dropped at the `.await` where it is, and the result is
    /// [`Error::ConnectionLost`]. So `Ok` says that the lock was held to the end of the work. The server releases the lock
    /// as soon as it has noticed the loss, which can be before the client has: up to 25 seconds if no packet arrives.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let deleted = db
    ///     .advisory_lock("nightly cleaning")
    ///     .run(async || {
    ///         let now = relata::chrono::Utc::now();
    ///         db.session().delete_many().filter(session::expires_at.lt(now)).await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of the work; those of a connection; [`Error::Connect`] for a pooler in transaction mode, behind which the
    /// lock would have no owner; [`Error::Timeout`] after [`wait_at_most`](Self::wait_at_most); [`Error::Misuse`] at
    /// `db.replica()`.
    pub async fn run<F, Fut, T, E>(self, work: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        self.pool.check_write()?;
        let lock = SessionLock::take(&self.pool.shared, self.key, self.limit).await?;
        lock.during(work()).await
    }

    /// Like [`run`](Self::run), but returns `None` at once if another session has the lock.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let counted = db.advisory_lock("count").try_run(async || db.student().count().await).await?;
    /// if counted.is_none() {
    ///     println!("another program counts already");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub async fn try_run<F, Fut, T, E>(self, work: F) -> Result<Option<T>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        self.pool.check_write()?;
        match SessionLock::try_take(&self.pool.shared, self.key).await? {
            Some(lock) => lock.during(work()).await.map(Some),
            None => Ok(None),
        }
    }
}

impl<M: Models> Client<M> {
    /// Returns an advisory lock of a session, for work that is longer than a transaction: of all programs that use the same
    /// key in a database, one at a time does its work.
    ///
    /// The lock has a connection of its own, which `max_connections` does not count, so the work can use the client as
    /// usual. A transaction takes a lock with `tx.advisory_lock(key)` instead, which needs no connection, and works behind a
    /// pooler. The key is a name, a name and a value, or numbers: see [`LockKey`]. It belongs to the database, so for a lock
    /// of a tenant, the tenant is part of it: `("report", tenant)`.
    ///
    /// Each call is another session. So work that takes a lock that it already holds waits for itself.
    pub fn advisory_lock(&self, key: impl Into<LockKey>) -> AdvisoryLock {
        AdvisoryLock { pool: Arc::clone(&self.pool), key: key.into(), limit: None }
    }
}
