//! A PostgreSQL for development and tests: found, or started on demand.
//!
//! ```
//! use relata_devdb::DevDb;
//!
//! # fn main() -> Result<(), relata_devdb::Error> {
//! let db = DevDb::start()?;
//! eprintln!("{}", db.describe());
//! let database = db.create_database("example")?;
//! assert!(database.url().contains(database.name()));
//! # Ok(())
//! # }   // here the database is dropped
//! ```
//!
//! The order: the server of `DATABASE_URL`; else a throw-away cluster from the PostgreSQL that is installed. A source
//! that was named (`DATABASE_URL`, `PG_BIN`, `RELATA_DEVDB`) and does not work is an error; otherwise the next one is
//! tried.
//!
//! **The cluster** is one per user and version, in the temporary folder, shared by all processes and kept running
//! between them. It has no fsync and nothing in it is safe: it is wiped when it was not shut down properly. A small
//! watcher stops it after 30 minutes without use (`RELATA_DEVDB_IDLE`, in seconds); deleting its folder stops it too.
//!
//! **On the server of `DATABASE_URL`** databases are created and dropped beside the named one, which is connected to
//! and never changed.
//!
//! All calls block, need no async runtime, and may be made from within one. Nothing here prints, and no message or
//! `Debug` output holds a password.

mod admin;
mod builder;
mod database;
mod error;
mod files;
mod server;
#[cfg(unix)]
mod system;
mod url;

pub use builder::Builder;
pub use database::TestDatabase;
pub use error::{Error, Refusal};
pub use url::redact_url;

use server::Server;
use std::sync::Arc;

/// Where a server comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The server that `DATABASE_URL` names.
    Url,
    /// A cluster of our own from the PostgreSQL that is installed.
    System,
    /// PostgreSQL compiled to WebAssembly, in a process of its own.
    Embedded,
}

/// A server on which databases can be created.
///
/// Cheap to start again and to clone; a server of ours stays for as long as any of these, or a [`TestDatabase`] of it,
/// exists.
#[derive(Debug, Clone)]
pub struct DevDb {
    server: Arc<Server>,
}

impl DevDb {
    fn new(server: Server) -> Self {
        DevDb { server: Arc::new(server) }
    }

    /// Finds or starts a server, as the environment says.
    ///
    /// # Errors
    ///
    /// See [`Builder::start`].
    pub fn start() -> Result<DevDb, Error> {
        DevDb::builder().start()
    }

    /// The same with settings of one's own.
    ///
    /// ```no_run
    /// use relata_devdb::{DevDb, Source};
    ///
    /// let db = DevDb::builder().only(Source::System).directory("/tmp/mine").start()?;
    /// # Ok::<(), relata_devdb::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::from_environment()
    }

    /// One line that says which server this is, without a password.
    pub fn describe(&self) -> &str {
        &self.server.description
    }

    /// Where the server comes from.
    pub fn source(&self) -> Source {
        self.server.source
    }

    /// The URL of `database` on this server, password included. The database need not exist.
    pub fn url(&self, database: &str) -> String {
        self.server.database_url(database)
    }

    /// The same for psql and other programs on libpq: for a cluster of ours by its socket, without a password.
    pub fn psql_url(&self, database: &str) -> String {
        self.server.psql_url(database)
    }

    /// How many connections the server takes altogether. With 1, a second one waits until the first is closed.
    pub fn max_connections_hint(&self) -> usize {
        self.server.max_connections
    }

    /// Creates an empty database with a name that starts with `prefix` and that nobody else has.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses, such as for a user who may not create databases.
    pub fn create_database(&self, prefix: &str) -> Result<TestDatabase, Error> {
        self.server.create_database(prefix)
    }

    /// Creates a database as `prepare` leaves it; `prepare` runs once per `key`, every further database is a copy.
    ///
    /// Make `key` from all that `prepare` depends on, such as a hash of the schema. `prepare` gets the URL of an empty
    /// database, and runs on a thread of its own, so it may start an async runtime. Templates are shared by all
    /// processes, and dropped after three days.
    ///
    /// ```
    /// # fn main() -> Result<(), relata_devdb::Error> {
    /// # async fn migrate(_url: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// let db = relata_devdb::DevDb::start()?;
    /// let database = db.database_from_template("example-1", |url| {
    ///     let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    ///     runtime.block_on(migrate(url))
    /// })?;
    /// # drop(database);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What `prepare` returns comes back as [`Error::Prepare`], and the template is not kept.
    pub fn database_from_template<E>(
        &self,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E> + Send,
    ) -> Result<TestDatabase, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.server.database_from_template(key, prepare)
    }

    /// Creates the database `name` unless it is there. It is not dropped at the end.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses.
    pub fn ensure_database(&self, name: &str) -> Result<(), Error> {
        self.server.ensure_database(name)
    }
}
