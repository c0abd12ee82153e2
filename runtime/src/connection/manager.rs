//! What the pool keeps: a connection of the driver, and the statements that it knows by their shape.

use std::ops::Deref;

use deadpool::managed::{self, Metrics, RecycleResult};
use deadpool_postgres::ClientWrapper;

use crate::sql::Shapes;

/// Makes connections as deadpool-postgres does, each with room for the shapes of its statements.
pub(crate) struct Manager(pub(crate) deadpool_postgres::Manager);

/// A connection of the pool.
pub(crate) struct Connection {
    client: ClientWrapper,
    pub(crate) shapes: Shapes,
}

impl Deref for Connection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}

impl managed::Manager for Manager {
    /// In a box: the pool moves it a dozen times for each call.
    type Type = Box<Connection>;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Box<Connection>, tokio_postgres::Error> {
        // Who asks for a connection at once polls only once, and must not begin what is dropped then.
        tokio::task::yield_now().await;
        Ok(Box::new(Connection { client: self.0.create().await?, shapes: Shapes::default() }))
    }

    async fn recycle(
        &self,
        connection: &mut Box<Connection>,
        metrics: &Metrics,
    ) -> RecycleResult<tokio_postgres::Error> {
        self.0.recycle(&mut connection.client, metrics).await
    }

    fn detach(&self, connection: &mut Box<Connection>) {
        self.0.detach(&mut connection.client);
    }
}
