//! Databases for tests: migrated once, copied for each test, and dropped after it.
//!
//! [`#[relata::test]`](macro@crate::test) gives a test function its own database:
//!
//! ```
//! use plain_planner::{Client, institution};
//!
//! #[relata::test]
//! async fn a_new_database_has_no_rows(db: Client) -> relata::Result<()> {
//!     assert_eq!(db.institution().count().await?, 0);
//!     Ok(())
//! }
//! ```
//!
//! The server is the one that [`DevDb::start`] finds or starts. [`MigratedDatabases`] returns the same databases without
//! the attribute.

mod argument;
mod contents;
#[doc(hidden)]
pub mod harness;
mod role;

use std::path::{Path, PathBuf};

pub use argument::{Failure, InTransaction, TestArgument};
use contents::Contents;
pub use relata_devdb::{self as devdb, DevDb, Feature, TestDatabase, skip};

use crate::migrate;

/// The reason why a test has no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The migrations cannot be read.
    #[error(
        "cannot read the migrations of {}: {source}. Name their folder, as in #[relata::test(migrations = \"..\")], or \
         create the first migration: codegen migrate dev --name init",
        folder.display()
    )]
    Migrations {
        /// Their folder.
        folder: PathBuf,
        /// The reason.
        source: Box<migrate::Error>,
    },

    /// A file of fixtures cannot be read.
    #[error("cannot read the fixtures of {}: {source}", file.display())]
    Fixtures {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// A migration, or the SQL of fixtures, cannot be run.
    #[error("cannot prepare the database of the tests: {0}")]
    Prepare(Failure),

    /// There is no server, or it refused.
    #[error(transparent)]
    Server(relata_devdb::Error),
}

/// Migrated databases on a [`DevDb`].
///
/// ```
/// # fn main() -> Result<(), relata::testing::Error> {
/// # let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/plain/migrations");
/// use relata::testing::{DevDb, MigratedDatabases};
///
/// let server = DevDb::start()?;
/// let database = server.migrated(migrations)?;
/// println!("{}", database.name());
/// # Ok(())
/// # }   // here the database is dropped
/// ```
pub trait MigratedDatabases {
    /// Creates a database to which all migrations of a folder are applied. It is dropped with its value.
    ///
    /// The migrations run once. As long as their statements stay the same, every further database is a copy of the
    /// result, also in other processes.
    ///
    /// # Errors
    /// [`Error::Migrations`] if the folder cannot be read, [`Error::Prepare`] if a migration fails, [`Error::Server`] if
    /// the server refuses.
    fn migrated(&self, migrations: impl AsRef<Path>) -> Result<TestDatabase, Error>;
}

impl MigratedDatabases for DevDb {
    fn migrated(&self, migrations: impl AsRef<Path>) -> Result<TestDatabase, Error> {
        Contents::new().with_migrations(migrations.as_ref())?.copy(self)
    }
}

impl From<relata_devdb::Error> for Error {
    /// What [`Contents`] reports about a template is not about the template, but about what it contains.
    fn from(error: relata_devdb::Error) -> Self {
        match error {
            relata_devdb::Error::Prepare { source, .. } => Error::Prepare(source),
            other => Error::Server(other),
        }
    }
}
