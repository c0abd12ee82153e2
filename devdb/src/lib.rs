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
//! The sources, in this order: the server of `DATABASE_URL`; a throw-away cluster from the installed PostgreSQL; the
//! embedded engine. If a source was named (`DATABASE_URL`, `PG_BIN`, `RELATA_DEVDB`) and does not work, that is an
//! error. Otherwise the next one is tried, and the final error says why none worked.
//!
//! **On the server of `DATABASE_URL`**, databases are created and dropped on the same server. The crate connects to the
//! named database but never changes it. These connections do not use TLS.
//!
//! **The cluster**: there is one per user and version, in the temporary folder. All processes share it, and it keeps
//! running between them. It runs without fsync, and no data in it is safe: it is deleted if it was not shut down
//! properly, or if it is started again after more than a week. A small watcher stops it after 30 minutes without use
//! (`RELATA_DEVDB_IDLE`, in seconds). Deleting its folder stops it too. Unix only.
//!
//! **The embedded engine** is PGlite, PostgreSQL 17 compiled to WebAssembly. It works on machines with nothing but
//! Rust, with limits:
//! - It accepts any number of connections, which take turns: one transaction runs at a time. A connection that waits
//!   longer than 10 seconds for one that is idle in its transaction gets an error.
//! - It lacks every [`Feature`]: check with [`DevDb::has`], or skip a test with [`DevDb::skips_without`].
//! - Each database is a separate process, which uses about 140 MB once a client connects, and ends with this process.
//! - [`DevDb::ensure_database`] and [`DevDb::url`] refer to one additional server.
//!
//! All calls block, need no async runtime, and may be made from within one. This crate prints only the progress of
//! building the embedded engine, and which tests are skipped, both on stderr. No message or `Debug` output contains a
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
#[cfg(unix)]
pub use system::Citus;
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
    /// A throw-away cluster from the installed PostgreSQL.
    System,
    /// PostgreSQL compiled to WebAssembly, in a separate process.
    Embedded,
}

/// A server on which databases can be created.
///
/// Starting and cloning it again are cheap. A server of this crate keeps running as long as one of these values, or one
/// of its [`TestDatabase`]s, exists.
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

    /// Finds or starts a server, as the environment variables say.
    ///
    /// # Errors
    ///
    /// See [`Builder::start`].
    pub fn start() -> Result<DevDb, Error> {
        DevDb::builder().start()
    }

    /// Returns a builder with custom settings.
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

    /// Describes the server in one line, without a password.
    pub fn describe(&self) -> &str {
        self.backend.description()
    }

    /// Returns where the server comes from.
    pub fn source(&self) -> Source {
        self.backend.source()
    }

    /// Returns the URL of `database` on this server, including the password. The database need not exist.
    pub fn url(&self, database: &str) -> String {
        self.backend.url(database)
    }

    /// Returns a URL for psql and other libpq programs. For the cluster, it uses the socket and has no password.
    pub fn psql_url(&self, database: &str) -> String {
        self.backend.psql_url(database)
    }

    /// Returns how many connections the server accepts in total.
    pub fn max_connections_hint(&self) -> usize {
        self.backend.max_connections()
    }

    /// Creates an empty database for exclusive use, which is dropped with its value. `prefix` becomes part of its name.
    ///
    /// # Errors
    ///
    /// Fails if the server is gone or refuses, for example because the user may not create databases.
    pub fn create_database(&self, prefix: &str) -> Result<TestDatabase, Error> {
        Arc::clone(&self.backend).create_database(prefix)
    }

    /// Creates a database in the state in which `prepare` leaves it. `prepare` runs once per `key`; every further
    /// database is a copy.
    ///
    /// `key` should cover everything that `prepare` depends on, such as a hash of the schema. `prepare` receives the
    /// URL of an empty database, and runs on a separate thread, so it may start an async runtime. All processes share
    /// the templates, which are dropped after three days.
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
    /// An error of `prepare` is returned as [`Error::Prepare`], and the template is not kept.
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

    /// Returns the database for `key` that all tests and processes share, in the state in which `prepare` leaves it.
    /// `prepare` runs once per `key`, as for [`database_from_template`](Self::database_from_template).
    ///
    /// It is for tests that roll back what they write: nothing restores what is committed in it. It is not dropped with
    /// its value, but by a later start, when it is three days old. On the embedded engine, it is a copy for exclusive
    /// use.
    ///
    /// ```
    /// # fn main() -> Result<(), relata_devdb::Error> {
    /// let db = relata_devdb::DevDb::start()?;
    /// let database = db.shared_database("example-1", |_url| Ok::<(), std::io::Error>(()))?;
    /// # drop(database);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// An error of `prepare` is returned as [`Error::Prepare`], and the database is not kept.
    pub fn shared_database<E>(
        &self,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E> + Send,
    ) -> Result<TestDatabase, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let prepare: Prepare<'_> = Box::new(move |url| prepare(url).map_err(Into::into));
        Arc::clone(&self.backend).shared_database(key, prepare)
    }

    /// Creates the database `name` if it does not exist. It is not dropped automatically.
    ///
    /// # Errors
    ///
    /// Fails if the server is gone or refuses.
    pub fn ensure_database(&self, name: &str) -> Result<(), Error> {
        self.backend.ensure_database(name)
    }
}
