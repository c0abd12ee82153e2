//! `listen`: LISTEN on a connection of its own.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::models::Root;
use super::{Client, Models};
use crate::connection::{Listener, Pool};
use crate::error::Result;

/// Clients that can listen. Channels belong to the database, not to a tenant.
#[diagnostic::on_unimplemented(
    message = "a handle of a tenant cannot listen: the channels of a database belong to all tenants",
    note = "call `listen` on the client itself, and say in the payload which tenant it is about"
)]
pub trait Listens {}

// Otherwise, rustc would speak of clients that connect.
#[diagnostic::do_not_recommend]
impl<M: Root> Listens for M {}

/// How many notifications a listener keeps until the program reads them, by default.
const BUFFER: usize = 1024;

/// The start of a [`Listener`]. `.await` connects and listens.
#[must_use = "nothing happens until it is awaited"]
pub struct Listen {
    pool: Arc<Pool>,
    channels: Vec<String>,
    buffer: usize,
}

impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listen").field("channels", &self.channels).field("buffer", &self.buffer).finish_non_exhaustive()
    }
}

impl Listen {
    /// Sets how many notifications are kept until the program reads them. The default is 1024. If there are more, the oldest
    /// one is dropped, and [`Lagged`](crate::ListenEvent::Lagged) says how many were.
    pub fn buffer(mut self, notifications: usize) -> Self {
        self.buffer = notifications;
        self
    }
}

impl IntoFuture for Listen {
    type Output = Result<Listener>;
    type IntoFuture = BoxFuture<'static, Result<Listener>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { pool, channels, buffer } = self;
        async move {
            pool.check_write()?;
            Listener::open(&pool.shared, &channels, buffer).await
        }
        .boxed()
    }
}

impl<M: Models> Client<M> {
    /// Listens on channels, and returns what is sent there with NOTIFY or `notify`, as a stream.
    ///
    /// The stream has a connection of its own, to the primary, which `max_connections` does not count. If it is lost, it is
    /// opened again, as often as that takes, with pauses of up to 10 seconds. PostgreSQL keeps nothing for a session that is
    /// not there, so the stream says [`Disconnected`](crate::ListenEvent::Disconnected) at once, and
    /// [`Reconnected`](crate::ListenEvent::Reconnected) once it listens again. A program that then reads its state has missed
    /// nothing. The stream ends when the client is [closed](Self::close).
    ///
    /// Names of channels are taken as they are, with their case: `listen(["Orders"])` is `LISTEN "Orders"` in SQL.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// use relata::ListenEvent;
    ///
    /// let mut events = db.listen(["orders", "jobs"]).await?;
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         ListenEvent::Notification(one) => println!("{}: {}", one.channel(), one.payload()),
    ///         ListenEvent::Reconnected | ListenEvent::Lagged(_) => println!("read everything again"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of a connection. [`Error::Connect`](crate::Error::Connect) for a pooler in transaction mode, behind which
    /// nothing would arrive. [`Error::Misuse`](crate::Error::Misuse) without a channel, for a name that is empty or longer
    /// than 63 bytes, and at `db.replica()`.
    pub fn listen(&self, channels: impl IntoIterator<Item = impl Into<String>>) -> Listen
    where
        M: Listens,
    {
        let channels = channels.into_iter().map(Into::into).collect();
        Listen { pool: Arc::clone(&self.pool), channels, buffer: BUFFER }
    }
}
