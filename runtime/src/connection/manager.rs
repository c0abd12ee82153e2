//! The pooled objects: a connection of the driver, and its prepared statements.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;

use deadpool::managed::{self, Metrics, RecycleResult};
use deadpool_postgres::ClientWrapper;

use crate::sql::Statements;

/// Opens connections as deadpool-postgres does, each with a cache of statements.
pub(crate) struct Manager {
    pub(crate) connections: deadpool_postgres::Manager,
    /// The number of statements that each connection keeps.
    pub(crate) statements: usize,
}

/// A connection of the pool.
pub(crate) struct Connection {
    client: ClientWrapper,
    pub(crate) statements: Statements,
    /// Whether row security was checked: it applies to the role, or a warning was logged.
    pub(super) is_checked: AtomicBool,
}

impl Deref for Connection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}

impl managed::Manager for Manager {
    /// In a box, because the pool moves it a dozen times for each call.
    type Type = Box<Connection>;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Box<Connection>, tokio_postgres::Error> {
        // A caller that does not want to wait polls only once, and must not begin a connection that is then dropped.
        tokio::task::yield_now().await;
        let client = self.connections.create().await?;
        Ok(Box::new(Connection {
            client,
            statements: Statements::new(self.statements),
            is_checked: AtomicBool::new(false),
        }))
    }

    async fn recycle(
        &self,
        connection: &mut Box<Connection>,
        metrics: &Metrics,
    ) -> RecycleResult<tokio_postgres::Error> {
        self.connections.recycle(&mut connection.client, metrics).await
    }

    fn detach(&self, connection: &mut Box<Connection>) {
        self.connections.detach(&mut connection.client);
    }
}
