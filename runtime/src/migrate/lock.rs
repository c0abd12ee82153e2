//! Ensures that a database has one migration run at a time: an advisory lock that is polled.
//!
//! Never waits inside PostgreSQL: a blocked `pg_advisory_lock` holds a snapshot, and the holder's `CREATE INDEX
//! CONCURRENTLY` waits for that snapshot, which is a deadlock.

use std::fmt;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::error::Error;
use super::{Event, Options};

/// "RELA" in ASCII; the second half of the key is the history table, so that two schemas do not wait for each other.
const KEY: i32 = 0x5245_4c41;

/// The session that holds the migration lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id in the server.
    pub pid: i32,
    /// `application_name` of its session.
    pub application: String,
    /// The address of its client.
    pub address: String,
    /// Its state: `active`, `idle` and so on.
    pub state: String,
    /// How long its current statement or transaction has been running, in seconds.
    pub seconds: i64,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, application, address, state, seconds } = self;
        write!(f, "pid {pid}, application \"{application}\", from {address}, {state} for {seconds} s")
    }
}

/// Takes the lock, polling for [`Options::lock_wait`].
pub(super) async fn acquire(client: &Client, table: &str, options: &Options) -> Result<(), Error> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(100);
    let mut announced = false;
    while !try_lock(client, table).await? {
        let holder = holder(client, table).await?;
        let waited = started.elapsed();
        if let Some(holder) = holder {
            if waited >= options.lock_wait {
                return Err(Error::Locked { holder, waited });
            }
            if !announced {
                options.announce(&Event::WaitingForLock { holder });
                announced = true;
            }
        }
        let left = options.lock_wait.saturating_sub(waited).max(Duration::from_millis(50));
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
    check_session(client, table).await
}

async fn try_lock(client: &Client, table: &str) -> Result<bool, Error> {
    let row = client
        .query_one("SELECT pg_try_advisory_lock($1, hashtext($2))", &[&KEY, &table])
        .await
        .map_err(|source| Error::Database { doing: "taking the migration lock", source })?;
    Ok(row.get(0))
}

const HOLDER: &str = "
    SELECT COALESCE(l.pid, 0), COALESCE(a.application_name, ''), COALESCE(a.client_addr::text, 'the same machine'),
           COALESCE(a.state, 'unknown'),
           COALESCE(EXTRACT(epoch FROM clock_timestamp() - COALESCE(a.state_change, a.backend_start)), 0)::bigint
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.classid = $1::int4::oid AND l.objid = hashtext($2)::oid";

async fn holder(client: &Client, table: &str) -> Result<Option<Holder>, Error> {
    let row = client
        .query_opt(HOLDER, &[&KEY, &table])
        .await
        .map_err(|source| Error::Database { doing: "looking for the holder of the migration lock", source })?;
    Ok(row.map(|row| Holder {
        pid: row.get(0),
        application: row.get(1),
        address: row.get(2),
        state: row.get(3),
        seconds: row.get(4),
    }))
}

/// A transaction pooler runs the next statement in another session, which does not hold the lock.
async fn check_session(client: &Client, table: &str) -> Result<(), Error> {
    let own: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .map_err(|source| Error::Database { doing: "checking the migration lock", source })?
        .get(0);
    match holder(client, table).await? {
        Some(holder) if holder.pid == own => Ok(()),
        _ => Err(Error::Pooler),
    }
}

/// Releases the lock. If the connection is lost, it is already released.
pub(super) async fn release(client: &Client, table: &str) {
    if let Err(error) = client.execute("SELECT pg_advisory_unlock($1, hashtext($2))", &[&KEY, &table]).await {
        tracing::debug!(error = %super::error::describe(&error), "the migration lock ends with its connection");
    }
}
