//! A connection outside of any pool, for what belongs to a session: LISTEN, and the advisory locks of a session.
//!
//! The maximum number of connections of a client does not limit these. Each is one session of the primary: a pooler in
//! transaction mode is refused.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::open::Opener;
use super::options::ConnectOptions;
use super::pool::Shared;
use super::pooler;
use crate::error::{Error, Result, from_connection};

/// How often an idle connection is asked whether it is there. Without that, a lost network would be noticed only when the
/// system gives up, which takes hours.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long the answer may take.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(10);

/// How many bytes of a chance decide about a pause.
const CHANCE: u64 = 256;

/// What needs a session of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Listen,
    Lock,
}

impl Purpose {
    fn reason(self) -> &'static str {
        match self {
            Purpose::Listen => {
                "it is behind a pooler in transaction mode, which gives each transaction another session: LISTEN belongs to \
                 one session; call `listen` on a client with the URL of the server itself, not of the pooler, and without \
                 pgbouncer=true"
            }
            Purpose::Lock => {
                "it is behind a pooler in transaction mode, which gives each transaction another session: this lock belongs \
                 to one session; take it in a transaction, with `tx.advisory_lock(..)`, or through a client with the URL \
                 of the server itself, not of the pooler, and without pgbouncer=true"
            }
        }
    }

    fn refusal(self, options: &ConnectOptions) -> Error {
        Error::Connect { target: options.target(), reason: self.reason().to_owned() }
    }
}

/// A connection that is closed when it is dropped.
pub(super) struct OwnConnection {
    client: Client,
    /// Drives the connection until it ends.
    task: JoinHandle<()>,
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OwnConnection {
    /// Opens a connection, and returns what can open it again.
    ///
    /// Refuses a pooler in transaction mode. A client examines this once, because it takes another connection.
    pub(super) async fn first(shared: &Shared, options: &ConnectOptions, purpose: Purpose) -> Result<(Self, Opener)> {
        shared.check_open()?;
        if options.is_through_pooler() {
            return Err(purpose.refusal(options));
        }
        let opener = Opener::new(options)?;
        let connection = Self::open(&opener).await.map_err(|error| match &error {
            Error::Connect { reason, .. } if reason.contains(pooler::REFUSED_OPTION) => purpose.refusal(options),
            _ => error,
        })?;
        let examine = || pooler::shares_sessions(&connection.client, &opener);
        match shared.is_pooled.get_or_try_init(examine).await? {
            true => Err(purpose.refusal(options)),
            false => Ok((connection, opener)),
        }
    }

    /// Opens a connection again.
    pub(super) async fn open(opener: &Opener) -> Result<Self> {
        let (client, task) = opener.open().await?;
        Ok(Self { client, task })
    }

    /// Sends statements without parameters.
    pub(super) async fn command(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(|error| from_connection(&error))
    }

    /// Sends a statement, and returns its rows.
    pub(super) async fn ask(&self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>> {
        self.client.query_typed(sql, params).await.map_err(|error| from_connection(&error))
    }

    /// Returns when the connection is lost. Asks the server now and then, so that it is noticed.
    pub(super) async fn lost(&mut self) {
        let Self { client, task } = self;
        let beats = async {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                // A query without a statement.
                let answer = tokio::time::timeout(HEARTBEAT_LIMIT, client.batch_execute("")).await;
                if !matches!(answer, Ok(Ok(()))) {
                    return;
                }
            }
        };
        tokio::select! {
            _ = task => {}
            () = beats => {}
        }
    }
}

/// Returns a pause that doubles with each attempt, up to `longest`. It is random within its upper half, so that many
/// programs do not come back at the same moment.
pub(super) fn back_off(first: Duration, longest: Duration, attempt: u32) -> Duration {
    let pause = first.saturating_mul(1 << attempt.min(16)).min(longest);
    let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    pause / 2 + pause.mul_f64(chance as f64 / (2 * CHANCE) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(10));
        for attempt in 0..40 {
            let whole = first.saturating_mul(1 << attempt.min(16)).min(longest);
            for _ in 0..50 {
                let pause = back_off(first, longest, attempt);
                assert!(pause >= whole / 2 && pause <= whole, "{attempt}: {pause:?}");
            }
        }
    }
}
