//! What a listener gets.

use std::fmt;

#[cfg(feature = "serde")]
use crate::error::{Error, Result};

/// What happened to a [`Listener`](crate::Listener).
///
/// PostgreSQL keeps no notifications for a session that is not there. So a program that keeps something up to date by
/// notifications reads its state again after `Reconnected` and `Lagged`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenEvent {
    /// A notification.
    Notification(Notification),
    /// The connection was lost, and is being opened again. What was learned by notifications may be out of date from
    /// now on.
    Disconnected,
    /// The connection is there again, and listens. Notifications in between were missed. Those from now on arrive.
    Reconnected,
    /// The program did not read fast enough, so that this number of notifications was dropped, which came before the
    /// next event.
    Lagged(u64),
}

/// A notification.
///
/// Its `Debug` does not show the payload.
#[derive(Clone, PartialEq, Eq)]
pub struct Notification {
    channel: String,
    payload: String,
    process_id: i32,
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("channel", &self.channel)
            .field("bytes", &self.payload.len())
            .field("process_id", &self.process_id)
            .finish_non_exhaustive()
    }
}

impl Notification {
    pub(super) fn new(notification: &tokio_postgres::Notification) -> Self {
        Self {
            channel: notification.channel().to_owned(),
            payload: notification.payload().to_owned(),
            process_id: notification.process_id(),
        }
    }

    #[cfg(test)]
    pub(super) fn with(channel: &str, payload: &str) -> Self {
        Self { channel: channel.to_owned(), payload: payload.to_owned(), process_id: 7 }
    }

    /// Returns the name of the channel.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Returns the payload; empty for a NOTIFY without one.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// Returns the payload without copying it.
    pub fn into_payload(self) -> String {
        self.payload
    }

    /// Returns the process id of the session that sent it, as `pg_backend_pid()` shows it there.
    pub fn process_id(&self) -> i32 {
        self.process_id
    }

    /// Reads the payload as JSON. Needs the feature `serde`.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Moved {
    ///     class_year: i32,
    /// }
    ///
    /// let mut events = db.listen(["students"]).await?;
    /// while let Some(event) = events.next().await {
    ///     if let relata::ListenEvent::Notification(one) = event {
    ///         println!("class of {}", one.json::<Moved>()?.class_year);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::RowMismatch`] if the payload is not JSON, or does not fit the type. The message has the path, and not the
    /// value.
    #[cfg(feature = "serde")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        crate::value::decode_json(self.payload.as_bytes()).map_err(|reason| {
            let message = format!("the payload of a notification of channel {} does not fit: {reason}", self.channel);
            Error::RowMismatch(message.into())
        })
    }
}
