//! LISTEN on a connection of its own, which is opened again when it is lost.
//!
//! A task owns the connection and writes what arrives into a bounded buffer, whether anybody reads or not, so that the
//! server never waits for the program.

mod buffer;
mod notification;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::buffer::Buffer;
pub use self::notification::{ListenEvent, Notification};
use super::notices::NotificationHook;
use super::open::Opener;
use super::own::{OwnConnection, Purpose, back_off};
use super::pool::Shared;
use crate::error::{Error, Result};

/// The pause before the first attempt to connect again, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest name of a channel, in bytes. PostgreSQL's limit for names; LISTEN cuts a longer one, and NOTIFY refuses it.
const LONGEST_CHANNEL: usize = 63;

const WRONG_CHANNEL: &str = "the name of a channel has 1 to 63 bytes, none of which is zero";
const NO_CHANNEL: &str = "`listen` needs the name of at least one channel";

/// Checks the name of a channel.
pub(crate) fn check_channel(name: &str) -> Result<()> {
    match (1..=LONGEST_CHANNEL).contains(&name.len()) && !name.contains('\0') {
        true => Ok(()),
        false => Err(Error::Misuse(WRONG_CHANNEL.into())),
    }
}

/// The notifications of channels: a [`Stream`], which [`next`](Self::next) makes usable without any other crate. See
/// [`Client::listen`](crate::Client::listen).
///
/// If it is dropped, its connection is closed.
#[must_use = "notifications arrive as long as it is kept"]
pub struct Listener {
    buffer: Arc<Buffer>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("is_connected", &self.is_connected()).finish_non_exhaustive()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    /// Opens the connection, and listens. The buffer holds `capacity` notifications.
    pub(crate) async fn open(shared: &Arc<Shared>, channels: &[String], capacity: usize) -> Result<Self> {
        let Some(sql) = listen_sql(channels)? else { return Err(Error::Misuse(NO_CHANNEL.into())) };
        let buffer = Arc::new(Buffer::new(capacity));
        let sink = Arc::clone(&buffer);
        let hook = NotificationHook(Arc::new(move |one| sink.push(ListenEvent::Notification(Notification::new(&one)))));
        let options = shared.options.at_primary().with_notifications(hook);
        let (connection, opener) = OwnConnection::first(shared, &options, Purpose::Listen).await?;
        connection.command(&sql).await?;
        let closed = shared.closed.subscribe();
        let task = tokio::spawn(drive(opener, sql, connection, Ending(Arc::clone(&buffer)), closed));
        Ok(Self { buffer, task })
    }

    /// Returns the next event, and waits for it. `None` after the client was closed, and everything was read.
    ///
    /// If its future is dropped, no event is lost.
    pub async fn next(&mut self) -> Option<ListenEvent> {
        std::future::poll_fn(|cx| self.buffer.poll_next(cx)).await
    }

    /// Returns whether the connection is there. If not, it is being opened again.
    pub fn is_connected(&self) -> bool {
        self.buffer.is_connected()
    }
}

impl Stream for Listener {
    type Item = ListenEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ListenEvent>> {
        self.buffer.poll_next(cx)
    }
}

/// Returns the LISTEN of all channels; `None` if there is no channel.
fn listen_sql(channels: &[String]) -> Result<Option<String>> {
    channels.iter().try_for_each(|name| check_channel(name))?;
    let listens: Vec<String> = channels.iter().map(|name| format!("LISTEN {}", relata_pgsql::ident(name))).collect();
    Ok((!listens.is_empty()).then(|| listens.join("; ")))
}

/// Ends the stream when the task ends, for whatever reason.
struct Ending(Arc<Buffer>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Keeps a connection that listens, until the client is closed.
async fn drive(
    opener: Opener,
    sql: String,
    mut connection: OwnConnection,
    ending: Ending,
    closed: watch::Receiver<bool>,
) {
    let buffer = &ending.0;
    let keeps = async {
        loop {
            connection.lost().await;
            buffer.push(ListenEvent::Disconnected);
            connection = connect_again(&opener, &sql).await;
            // Not before LISTEN: a program that now reads its state again misses nothing.
            buffer.push(ListenEvent::Reconnected);
        }
    };
    tokio::select! {
        () = keeps => {}
        () = until_closed(closed) => {}
    }
}

/// Opens a connection that listens. Does not give up.
async fn connect_again(opener: &Opener, sql: &str) -> OwnConnection {
    let mut attempt = 0;
    loop {
        tokio::time::sleep(back_off(FIRST_PAUSE, LONGEST_PAUSE, attempt)).await;
        let opened = async {
            let connection = OwnConnection::open(opener).await?;
            connection.command(sql).await?;
            Ok::<_, Error>(connection)
        };
        match opened.await {
            Ok(connection) => return connection,
            Err(error) => tracing::warn!(reason = %error, attempt, "LISTEN is interrupted: cannot connect again yet"),
        }
        attempt = attempt.saturating_add(1);
    }
}

/// Returns when the client is closed; never, if it is dropped without that.
async fn until_closed(mut closed: watch::Receiver<bool>) {
    if closed.wait_for(|closed| *closed).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_channels_are_quoted_and_have_a_limit() {
        let sql = listen_sql(&["orders".to_owned(), "My \"Jobs\"".to_owned()]).expect("is right");
        assert_eq!(sql.as_deref(), Some("LISTEN \"orders\"; LISTEN \"My \"\"Jobs\"\"\""));
        assert_eq!(listen_sql(&[]).expect("is right"), None);
        for wrong in ["", "a\0b", &"x".repeat(64), &"ü".repeat(32)] {
            assert!(check_channel(wrong).is_err(), "{wrong:?}");
        }
        check_channel(&"x".repeat(63)).expect("is short enough");
    }
}
