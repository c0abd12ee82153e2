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
//! The order: the server of `DATABASE_URL`; else a throw-away cluster from the PostgreSQL that is installed; else the
//! embedded engine. A source that was named (`DATABASE_URL`, `PG_BIN`, `RELATA_DEVDB`) and does not work is an error;
//! otherwise the next one is tried, and the last error says why none did.
//!
//! **On the server of `DATABASE_URL`** databases are created and dropped beside the named one, which is connected to
//! and never changed. The connections for that are without TLS.
//!
//! **The cluster** is one per user and version, in the temporary folder, shared by all processes and kept running
//! between them. It has no fsync and nothing in it is safe: it is wiped when it was not shut down properly, and when
//! it is started again after more than a week. A small watcher stops it after 30 minutes without use
//! (`RELATA_DEVDB_IDLE`, in seconds); deleting its folder stops it too. Unix only.
//!
//! **The embedded engine** is PGlite, PostgreSQL 17 as WebAssembly. It works where nothing but Rust is, with limits:
//! - any number of connections, which take turns: one transaction runs at a time, and a connection that waits longer
//!   than 10 seconds for one that is idle in its transaction gets an error;
//! - it lacks every [`Feature`]: ask [`DevDb::has`], or skip a test with [`DevDb::skips_without`];
//! - each database is a process of its own with some 140 MB once it is connected to, and ends with this one;
//! - [`DevDb::ensure_database`] and [`DevDb::url`] speak of one more server.
//!
//! All calls block, need no async runtime, and may be made from within one. Nothing here prints, but for the progress
//! of building the embedded engine and for tests that are skipped, both on stderr. No message or `Debug` output holds a
//! password.

mod admin;
mod backend;
mod builder;
mod database;
mod embedded;
mod error;
mod feature;
mod files;
mod server;
mod skip;
#[cfg(unix)]
mod system;
mod url;

pub use builder::Builder;
pub use database::TestDatabase;
pub use error::{Error, Refusal};
pub use feature::Feature;
pub use skip::skip;
pub use url::redact_url;

use backend::{Backend, Prepare};
use std::fmt;
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
#[derive(Clone)]
pub struct DevDb {
    backend: Arc<dyn Backend>,
}

impl fmt::Debug for DevDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevDb").field("server", &self.describe()).finish()
    }
}

impl DevDb {
    fn new(backend: impl Backend + 'static) -> Self {
        DevDb { backend: Arc::new(backend) }
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
        self.backend.description()
    }

    /// Where the server comes from.
    pub fn source(&self) -> Source {
        self.backend.source()
    }

    /// The URL of `database` on this server, password included. The database need not exist.
    pub fn url(&self, database: &str) -> String {
        self.backend.url(database)
    }

    /// The same for psql and other programs on libpq: for a cluster of ours by its socket, without a password.
    pub fn psql_url(&self, database: &str) -> String {
        self.backend.psql_url(database)
    }

    /// How many connections the server takes altogether.
    pub fn max_connections_hint(&self) -> usize {
        self.backend.max_connections()
    }

    /// Creates an empty database that nobody else has, dropped with its value. `prefix` becomes part of its name.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses, such as for a user who may not create databases.
    pub fn create_database(&self, prefix: &str) -> Result<TestDatabase, Error> {
        Arc::clone(&self.backend).create_database(prefix)
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
        let prepare: Prepare<'_> = Box::new(move |url| prepare(url).map_err(Into::into));
        Arc::clone(&self.backend).database_from_template(key, prepare)
    }

    /// Creates the database `name` unless it is there. It is not dropped at the end.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses.
    pub fn ensure_database(&self, name: &str) -> Result<(), Error> {
        self.backend.ensure_database(name)
    }
}
