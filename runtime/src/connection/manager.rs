//! The pooled objects: a connection of the driver, and its prepared statements.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::task::JoinHandle;

use super::open::Opener;
use super::replicas::Lsn;
use crate::error::Error;
use crate::sql::Statements;

/// Opens connections, each with a cache of statements, and says which of them may be used again.
pub(crate) struct Manager {
    pub(crate) opener: Opener,
    /// The number of statements that each connection keeps.
    pub(crate) statements: usize,
    pub(crate) life: Life,
}

/// How long a connection may be used again and again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    /// Since it was opened. Each connection has up to a tenth less, so that they do not end together.
    pub(crate) max: Option<Duration>,
    /// Since it was last used.
    pub(crate) max_idle: Option<Duration>,
}

/// A connection of the pool.
pub(crate) struct Connection {
    client: tokio_postgres::Client,
    /// Drives the connection.
    task: JoinHandle<()>,
    pub(crate) statements: Statements,
    /// Whether row security was checked: it applies to the role, or a warning was logged.
    pub(super) is_checked: AtomicBool,
    /// When it is not used again.
    end: Option<Instant>,
    /// How much of which timeline the server of a replica has replayed at least.
    replayed: Mutex<Option<(u32, Lsn)>>,
}

impl Connection {
    pub(super) fn replayed(&self) -> Option<(u32, Lsn)> {
        *self.replayed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_replayed(&self, replayed: (u32, Lsn)) {
        *self.replayed.lock().unwrap_or_else(PoisonError::into_inner) = Some(replayed);
    }
}

impl Deref for Connection {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &tokio_postgres::Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Life {
    fn end(self) -> Option<Instant> {
        let chance = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0;
        self.max.map(|max| Instant::now() + max.mul_f64(1.0 - chance / 10.0))
    }
}

impl managed::Manager for Manager {
    /// In a box, because the pool moves it a dozen times for each call.
    type Type = Box<Connection>;
    type Error = Error;

    async fn create(&self) -> Result<Box<Connection>, Error> {
        // A caller that does not want to wait polls only once, and must not begin a connection that is then dropped.
        tokio::task::yield_now().await;
        // In a box, because every call moves the future of the pool, which has room for this one.
        let (client, task) = Box::pin(self.opener.open()).await?;
        Ok(Box::new(Connection {
            client,
            task,
            statements: Statements::new(self.statements),
            is_checked: AtomicBool::new(false),
            end: self.life.end(),
            replayed: Mutex::default(),
        }))
    }

    async fn recycle(&self, connection: &mut Box<Connection>, metrics: &Metrics) -> RecycleResult<Error> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("it is closed"));
        }
        if connection.end.is_some_and(|end| end <= Instant::now()) {
            return Err(RecycleError::message("it has reached the end of its life"));
        }
        if self.life.max_idle.is_some_and(|limit| metrics.last_used() >= limit) {
            return Err(RecycleError::message("it was not used for too long"));
        }
        Ok(())
    }
}
