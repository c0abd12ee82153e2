//! Ensures that a database has one migration run at a time where sessions cannot hold a lock: a row with a lease.
//!
//! The row has a token, which is one more for each run. A run that lost its lease, for example because its process was
//! paused, has an old token: it is checked before each statement, and all that is written to the history requires it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as PgError};

use super::error::Error;
use super::{Event, Options};

/// The table with the lease, in the schema of the history.
pub const LOCK_TABLE: &str = "_relata_migrations_lock";

/// The run that has the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseHolder {
    /// The program and its process id.
    pub runner: String,
    /// When it took the lease, by the server's clock, in UTC.
    pub since: String,
    /// When the lease ends unless it is renewed, in UTC.
    pub until: String,
}

impl fmt::Display for LeaseHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runner, since, until } = self;
        write!(f, "{runner}, since {since}; unless it is alive and renews it, its lease ends at {until}")
    }
}

/// The lease of this run. Dropping it stops the renewal, so that it ends by itself.
pub(super) struct Lease {
    table: String,
    token: i64,
    renewal: JoinHandle<()>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Returns whether the error means that another run changed the table at the same time.
fn is_race(error: &PgError) -> bool {
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| codes.contains(code))
}

fn taking(source: PgError) -> Error {
    Error::Database { doing: "taking the migration lock", source }
}

/// Takes the lease, polling for [`Options::lock_wait`]. `renews` is the connection that renews it.
pub(super) async fn acquire(
    client: &Client,
    renews: Arc<Client>,
    schema: &str,
    runner: &str,
    options: &Options,
) -> Result<Lease, Error> {
    let table = format!("{schema}.{LOCK_TABLE}");
    let (started, mut pause, mut announced) = (Instant::now(), Duration::from_millis(100), false);
    loop {
        match try_acquire(client, &table, runner, options.lease).await {
            Ok(Some(token)) => {
                let renewal = tokio::spawn(renew(renews, table.clone(), token, options.lease));
                return Ok(Lease { table, token, renewal });
            }
            Ok(None) => {}
            Err(error) if is_race(&error) => {}
            Err(error) => return Err(taking(error)),
        }
        let waited = started.elapsed();
        if let Some(holder) = holder(client, &table).await? {
            if waited >= options.lock_wait {
                return Err(Error::Leased { holder, waited });
            }
            if !announced {
                options.announce(&Event::WaitingForLease { holder });
                announced = true;
            }
        }
        let left = options.lock_wait.saturating_sub(waited).max(Duration::from_millis(50));
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// Returns the token, or `None` if another run has the lease.
async fn try_acquire(client: &Client, table: &str, runner: &str, lease: Duration) -> Result<Option<i64>, PgError> {
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {table} (name text PRIMARY KEY, token bigint NOT NULL, holder text NOT NULL, \
         taken_at timestamptz NOT NULL, ends_at timestamptz NOT NULL)"
    );
    client.batch_execute(&create).await?;
    let first = format!(
        "INSERT INTO {table} (name, token, holder, taken_at, ends_at) \
         VALUES ('run', 0, '', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP) ON CONFLICT (name) DO NOTHING"
    );
    client.batch_execute(&first).await?;
    let take = format!(
        "UPDATE {table} SET token = token + 1, holder = $1, taken_at = CURRENT_TIMESTAMP, ends_at = {} \
         WHERE name = 'run' AND ends_at <= CURRENT_TIMESTAMP RETURNING token",
        end(lease)
    );
    client.query_opt(&take, &[&runner]).await?.map(|row| row.try_get(0)).transpose()
}

/// The end of a lease that begins now, by the server's clock.
fn end(lease: Duration) -> String {
    format!("CURRENT_TIMESTAMP + interval '{} milliseconds'", lease.as_millis())
}

/// Renews the lease until it is lost. A failure is tried again: the row decides, not this task.
async fn renew(client: Arc<Client>, table: String, token: i64, lease: Duration) {
    let sql = format!("UPDATE {table} SET ends_at = {} WHERE name = 'run' AND token = $1", end(lease));
    loop {
        tokio::time::sleep(lease / 3).await;
        match client.execute(&sql, &[&token]).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if client.is_closed() => {
                tracing::warn!(error = %super::error::describe(&error), "the migration lock cannot be renewed");
                return;
            }
            Err(error) => tracing::debug!(error = %super::error::describe(&error), "renewing the migration lock"),
        }
    }
}

async fn holder(client: &Client, table: &str) -> Result<Option<LeaseHolder>, Error> {
    // Times as text: the client has no type for them.
    let sql = format!(
        "SELECT holder, taken_at::text, ends_at::text FROM {table} WHERE name = 'run' AND ends_at > CURRENT_TIMESTAMP"
    );
    let row = client.query_opt(&sql, &[]).await.map_err(taking)?;
    Ok(row.map(|row| LeaseHolder { runner: row.get(0), since: row.get(1), until: row.get(2) }))
}

/// Returns whether a run has the lease. `schema` is quoted.
pub(super) async fn is_held(client: &Client, schema: &str) -> Result<bool, Error> {
    match holder(client, &format!("{schema}.{LOCK_TABLE}")).await {
        // No run has ever asked for it.
        Err(Error::Database { source, .. }) if source.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(false),
        found => Ok(found?.is_some()),
    }
}

impl Lease {
    /// Returns a condition that holds while the lease has not gone to another run.
    pub(super) fn condition(&self) -> String {
        format!("EXISTS (SELECT 1 FROM {} WHERE name = 'run' AND token = {})", self.table, self.token)
    }

    /// Checks that this run still has the lease, by the server's clock.
    pub(super) async fn check(&self, client: &Client) -> Result<(), Error> {
        let sql = format!(
            "SELECT holder FROM {} WHERE name = 'run' AND token = $1 AND ends_at > CURRENT_TIMESTAMP",
            self.table
        );
        let row = client
            .query_opt(&sql, &[&self.token])
            .await
            .map_err(|source| Error::Database { doing: "checking the migration lock", source })?;
        match row {
            Some(_) => Ok(()),
            None => Err(Error::LeaseLost { holder: holder(client, &self.table).await? }),
        }
    }

    /// Gives it back. If the connection is lost, it ends by itself.
    pub(super) async fn release(self, client: &Client) {
        self.renewal.abort();
        let sql = format!("UPDATE {} SET ends_at = taken_at WHERE name = 'run' AND token = $1", self.table);
        if let Err(error) = client.execute(&sql, &[&self.token]).await {
            tracing::debug!(error = %super::error::describe(&error), "the lease of the migration lock ends by itself");
        }
    }
}
