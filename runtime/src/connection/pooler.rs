//! Whether a pooler gives the transactions of one connection to different sessions of the server.
//!
//! There, a lock of migrations would be taken in one session and released in another, and a setting such as
//! `relata.across_tenants` would stay behind for other programs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::open::Opener;
use crate::error::{Error, Result, from_connection};

/// The setting that marks a session. A pooler that does not know it leaves it there for the next client.
const MARK: &str = "relata.session";

/// How often the two connections are compared. A pooler that is idle gives them the same session at once.
const ROUNDS: usize = 3;

/// How a message of PgBouncer about a start-up option begins.
pub(super) const REFUSED_OPTION: &str = "unsupported startup parameter";

const REASON: &str = "it is behind a pooler in transaction mode, which gives each transaction another session: the lock and \
    the settings of a migration belong to one session; give the URL of the server itself, not of the pooler, and without \
    pgbouncer=true";

/// Returns the error about a connection that is not one session.
pub(super) fn refusal(target: String) -> Error {
    Error::Connect { target, reason: REASON.to_owned() }
}

/// Marks the session of a connection, and looks for the mark through a second one. Statements are sent without preparing
/// them, since a prepared one may exist in the other session. Servers without settings of programs are not examined, nor
/// are those that allow one connection only.
pub(super) async fn shares_sessions(client: &Client, opener: &Opener) -> Result<bool> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mark = format!("{} {now} {}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    if let Err(error) = client.simple_query(&format!("SELECT set_config('{MARK}', '{mark}', false)")).await {
        return if error.is_closed() { Err(from_connection(&error)) } else { Ok(false) };
    }
    let Ok((other, _)) = opener.open().await else { return Ok(false) };
    let mut shares = false;
    for _ in 0..ROUNDS {
        let (here, there) = (has_mark(client, &mark).await?, has_mark(&other, &mark).await?);
        if there || !here {
            shares = true;
            break;
        }
    }
    unmark(client).await?;
    if shares {
        unmark(&other).await?;
    }
    Ok(shares)
}

async fn unmark(client: &Client) -> Result<()> {
    let sql = format!("SELECT set_config('{MARK}', '', false)");
    client.simple_query(&sql).await.map(drop).map_err(|error| from_connection(&error))
}

async fn has_mark(client: &Client, mark: &str) -> Result<bool> {
    let sql = format!("SELECT current_setting('{MARK}', true)");
    let messages = client.simple_query(&sql).await.map_err(|error| from_connection(&error))?;
    Ok(messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some(mark))))
}
