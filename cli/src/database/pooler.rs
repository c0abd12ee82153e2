//! Whether a pooler gives the transactions of one connection to different sessions of the server.
//!
//! There, a lock of migrations would be taken in one session and released in another, and a setting such as
//! `relata.across_tenants` would stay behind for other programs.

use std::time::{SystemTime, UNIX_EPOCH};

use relata::ConnectOptions;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use crate::failure::Failure;

/// The setting that marks a session. A pooler that does not know it leaves it there for the next client.
const MARK: &str = "relata.session";

/// How often the two connections are compared. A pooler that is idle gives them the same session at once.
const ROUNDS: usize = 3;

/// Returns the error about a connection through a pooler.
pub(super) fn refusal(source: &str) -> Failure {
    Failure::refused(
        "the database is behind a pooler in transaction mode, which gives each transaction another session: the lock and \
         the settings of a command belong to one session",
    )
    .help(format!(
        "give the URL of the server itself, not of the pooler, and without pgbouncer=true (the URL is that of {source})"
    ))
}

/// Marks the session of a connection, and looks for the mark through a second one. Statements are sent without preparing
/// them, since a prepared one may exist in the other session. Servers without settings of programs are not examined, nor
/// are those that allow one connection only.
pub(super) async fn shares_sessions(client: &Client, options: &ConnectOptions) -> Result<bool, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mark = format!("{} {now}", std::process::id());
    let set = format!("SELECT set_config('{MARK}', '{mark}', false)");
    if let Err(error) = client.simple_query(&set).await {
        return if error.is_closed() { Err(error) } else { Ok(false) };
    }
    let Ok(other) = options.connect_direct().await else { return Ok(false) };
    let mut shares = false;
    for _ in 0..ROUNDS {
        let (here, there) = (has_mark(client, &mark).await?, has_mark(&other, &mark).await?);
        if there || !here {
            shares = true;
            break;
        }
    }
    let reset = format!("SELECT set_config('{MARK}', '', false)");
    client.simple_query(&reset).await?;
    if shares {
        other.simple_query(&reset).await?;
    }
    Ok(shares)
}

async fn has_mark(client: &Client, mark: &str) -> Result<bool, Error> {
    let messages = client.simple_query(&format!("SELECT current_setting('{MARK}', true)")).await?;
    Ok(messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some(mark))))
}
