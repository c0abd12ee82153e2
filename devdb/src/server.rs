//! A running server, wherever it comes from, and the operations on it.

use crate::Source;
use crate::admin::{Admin, Failure};
use crate::backend::{Backend, Prepare, run_prepare};
use crate::database::{self, TestDatabase};
use crate::error::Error;
use crate::{files, skip, url};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres::error::SqlState;

/// The number of locks for templates. Several keys may share one, which only causes waiting.
const LOCKS: u8 = 64;

/// What a prepared database is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepared {
    Template,
    Shared,
}

/// A server and what keeps it running.
pub(crate) struct Server {
    pub(crate) source: Source,
    pub(crate) admin: Admin,
    /// Includes the password; every other URL is derived from it.
    pub(crate) url: String,
    /// For psql and similar programs: through the socket, if there is one.
    pub(crate) psql_url: String,
    pub(crate) description: String,
    pub(crate) max_connections: usize,
    /// Whether databases outlive their values.
    pub(crate) keep: bool,
    /// ` STRATEGY FILE_COPY`, if the server supports it and it is faster.
    pub(crate) copy_strategy: &'static str,
    /// The folder for the locks of the templates.
    pub(crate) home: PathBuf,
    /// Dropped last: keeps the server alive while it is in use.
    #[expect(dead_code, reason = "held for its Drop")]
    pub(crate) life: Box<dyn Send + Sync>,
}

/// What a server reports about itself on the first connection.
pub(crate) struct ServerInfo {
    pub(crate) version: String,
    pub(crate) version_number: u32,
    pub(crate) max_connections: usize,
}

/// Asks a server for its version, and drops the leftovers of dead processes.
pub(crate) fn server_info(admin: &Admin) -> Result<ServerInfo, Failure> {
    let rows =
        admin.run(&["SHOW server_version", "SHOW server_version_num", "SHOW max_connections", database::LEFTOVERS])?;
    let first = |statement: usize| rows[statement].first().and_then(|row| row.get(0)).unwrap_or_default();
    let leftovers = rows[3].iter().filter(|row| database::is_leftover(row.get(0).unwrap_or_default(), row.get(1)));
    for row in leftovers {
        // Without FORCE: a process that has connected meanwhile keeps the database. Another may have dropped it
        // already.
        let _ = admin.run(&[&format!("DROP DATABASE IF EXISTS {}", row.get(0).unwrap_or_default())]);
    }
    Ok(ServerInfo {
        version: first(0).split_whitespace().next().unwrap_or_default().to_owned(),
        version_number: first(1).parse().unwrap_or(0),
        max_connections: first(2).parse().unwrap_or(1),
    })
}

impl Server {
    /// Creates the database `name`, unless it exists, in the state in which `prepare` leaves it.
    fn prepare(self: &Arc<Self>, (kind, name): (Prepared, &str), key: &str, prepare: Prepare<'_>) -> Result<(), Error> {
        let _lock = self.lock(name)?;
        if self.exists(name)? {
            return Ok(());
        }
        // It is prepared under another name, so that one that exists is complete. If this fails, it is dropped.
        let draft = self.create("template", false)?;
        run_prepare(key, prepare, draft.url())?;
        let made = draft.name();
        let close = format!("ALTER DATABASE {made} ALLOW_CONNECTIONS false");
        let terminate = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{made}'");
        let comment = format!("COMMENT ON DATABASE {made} IS '{}'", database::time_comment());
        let rename = format!("ALTER DATABASE {made} RENAME TO {name}");
        let mut statements = vec![terminate.as_str(), &comment, &rename];
        if kind == Prepared::Template {
            // Nobody should connect to a template, because a copy would have to wait for that connection.
            statements.insert(0, &close);
        }
        match self.admin.run(&statements) {
            // Another machine was faster; our draft is dropped.
            Err(failure) if is_duplicate(&failure) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    fn copy(self: &Arc<Self>, template: &str) -> Result<TestDatabase, Failure> {
        let database = self.test_database("copy", self.keep);
        let strategy = self.copy_strategy;
        self.admin.run(&[&format!("CREATE DATABASE {} TEMPLATE {template}{strategy}", database.name())])?;
        Ok(database)
    }

    fn exists(&self, name: &str) -> Result<bool, Error> {
        let rows = self.admin.run(&[&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")])?;
        Ok(!rows[0].is_empty())
    }

    /// This value, whose Drop removes the database, exists before the database does: a failure in between leaves
    /// nothing behind.
    fn test_database(self: &Arc<Self>, prefix: &str, keep: bool) -> TestDatabase {
        let name = database::test_name(prefix);
        let life = Created { server: Arc::clone(self), name: name.clone(), keep };
        TestDatabase::new(name.clone(), self.url(&name), Box::new(life))
    }

    fn create(self: &Arc<Self>, prefix: &str, keep: bool) -> Result<TestDatabase, Error> {
        let database = self.test_database(prefix, keep);
        // template1 may be busy or changed; template0 is neither.
        self.admin.run(&[&format!("CREATE DATABASE {} TEMPLATE template0", database.name())])?;
        Ok(database)
    }

    fn lock(&self, template: &str) -> Result<std::fs::File, Error> {
        let home = files::create_home(&self.home)?;
        let number = template.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % LOCKS;
        files::lock(&home.join(format!("template-{number}.lock")))
    }
}

impl Backend for Server {
    fn source(&self) -> Source {
        self.source
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn max_connections(&self) -> usize {
        self.max_connections
    }

    fn url(&self, database: &str) -> String {
        url::with_database(&self.url, database)
    }

    fn psql_url(&self, database: &str) -> String {
        url::with_database(&self.psql_url, database)
    }

    fn ensure_database(&self, name: &str) -> Result<(), Error> {
        ensure_database(&self.admin, name)
    }

    fn create_database(self: Arc<Self>, prefix: &str) -> Result<TestDatabase, Error> {
        self.create(prefix, self.keep)
    }

    fn database_from_template(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error> {
        let template = database::template_name(key);
        match self.copy(&template) {
            Err(failure) if is_missing(&failure) => {}
            done => return Ok(done?),
        }
        self.prepare((Prepared::Template, &template), key, prepare)?;
        Ok(self.copy(&template)?)
    }

    fn shared_database(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error> {
        let name = database::shared_name(key);
        if !self.exists(&name)? {
            self.prepare((Prepared::Shared, &name), key, prepare)?;
        }
        let url = self.url(&name);
        Ok(TestDatabase::new(name, url, Box::new(self)))
    }
}

/// A database that was created on a server and is dropped with this value, unless it is kept.
struct Created {
    server: Arc<Server>,
    name: String,
    keep: bool,
}

impl Drop for Created {
    fn drop(&mut self) {
        if self.keep {
            return skip::kept(&crate::redact_url(&url::with_database(&self.server.psql_url, &self.name)));
        }
        // If the server is gone, so is the database. Anything that remains is dropped by a later start.
        let _ = self.server.admin.run(&[&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)]);
    }
}

/// Creates a database if it does not exist.
pub(crate) fn ensure_database(admin: &Admin, name: &str) -> Result<(), Error> {
    match admin.run(&[&format!("CREATE DATABASE {} TEMPLATE template0", relata_pgsql::ident(name))]) {
        Err(failure) if is_duplicate(&failure) => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

fn is_missing(failure: &Failure) -> bool {
    failure.code == Some(SqlState::INVALID_CATALOG_NAME)
}

/// Whether PostgreSQL reports that the name is taken, or, through its index, that it is being taken right now.
fn is_duplicate(failure: &Failure) -> bool {
    failure.code == Some(SqlState::DUPLICATE_DATABASE) || failure.code == Some(SqlState::UNIQUE_VIOLATION)
}
