//! A server that answers, wherever it comes from: what can be done with it.

use crate::Source;
use crate::admin::{Admin, Failure};
use crate::database::{self, TestDatabase};
use crate::error::Error;
use crate::{files, redact_url, url};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres::error::SqlState;

/// Locks of templates; several keys may share one, which costs waiting and nothing else.
const LOCKS: u8 = 64;

/// A server and what keeps it running.
pub(crate) struct Server {
    pub(crate) source: Source,
    pub(crate) admin: Admin,
    /// With the password; every other URL is made from it.
    pub(crate) url: String,
    /// For psql and its like: by the socket, where there is one.
    pub(crate) psql_url: String,
    pub(crate) description: String,
    pub(crate) max_connections: usize,
    /// ` STRATEGY FILE_COPY` where it exists and is the faster one.
    pub(crate) copy_strategy: &'static str,
    /// The folder for the templates' locks.
    pub(crate) home: PathBuf,
    /// Dropped last: what keeps the server alive for as long as somebody uses it.
    #[expect(dead_code, reason = "held for its Drop")]
    pub(crate) life: Box<dyn Send + Sync>,
}

/// What a server says about itself when we first meet it.
pub(crate) struct Greeting {
    pub(crate) version: String,
    pub(crate) version_number: u32,
    pub(crate) max_connections: usize,
}

/// Asks a server for its version, and drops what dead processes left on it.
pub(crate) fn greet(admin: &Admin) -> Result<Greeting, Failure> {
    let rows =
        admin.run(&["SHOW server_version", "SHOW server_version_num", "SHOW max_connections", database::LEFTOVERS])?;
    let first = |statement: usize| rows[statement].first().and_then(|row| row.get(0)).unwrap_or_default();
    let leftovers = rows[3].iter().filter(|row| database::is_leftover(row.get(0).unwrap_or_default(), row.get(1)));
    for row in leftovers {
        // Without FORCE: whoever connected since keeps it. Somebody else may have dropped it already.
        let _ = admin.run(&[&format!("DROP DATABASE IF EXISTS {}", row.get(0).unwrap_or_default())]);
    }
    Ok(Greeting {
        version: first(0).split_whitespace().next().unwrap_or_default().to_owned(),
        version_number: first(1).parse().unwrap_or(0),
        max_connections: first(2).parse().unwrap_or(1),
    })
}

impl Server {
    pub(crate) fn create_database(self: &Arc<Self>, prefix: &str) -> Result<TestDatabase, Error> {
        let database = self.test_database(prefix);
        // template1 may be busy or changed; template0 is neither.
        self.admin.run(&[&format!("CREATE DATABASE {} TEMPLATE template0", database.name)])?;
        Ok(database)
    }

    pub(crate) fn database_from_template<E>(
        self: &Arc<Self>,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E> + Send,
    ) -> Result<TestDatabase, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let template = database::template_name(key);
        match self.copy(&template) {
            Err(failure) if is_missing(&failure) => {}
            done => return Ok(done?),
        }
        {
            let _lock = self.lock(&template)?;
            if !self.exists(&template)? {
                self.prepare(&template, key, prepare)?;
            }
        }
        Ok(self.copy(&template)?)
    }

    fn prepare<E>(
        self: &Arc<Self>,
        template: &str,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E> + Send,
    ) -> Result<(), Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // Prepared under another name: a template exists when it is whole. If this fails it is dropped.
        let draft = self.create_database("template")?;
        // On a thread of its own, so that the closure may start a runtime even when the caller is in one.
        let prepared = std::thread::scope(|scope| {
            let work = || prepare(&draft.url).map_err(Into::into);
            match scope.spawn(work).join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        prepared.map_err(|source| Error::Prepare { key: key.to_owned(), source })?;
        let name = &draft.name;
        let published = self.admin.run(&[
            // Nobody connects to a template: a copy has to wait for whoever does.
            &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
            &format!("COMMENT ON DATABASE {name} IS '{}'", database::template_comment()),
            &format!("ALTER DATABASE {name} RENAME TO {template}"),
        ]);
        match published {
            // Another machine was faster; our draft is dropped.
            Err(failure) if is_duplicate(&failure) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    fn copy(self: &Arc<Self>, template: &str) -> Result<TestDatabase, Failure> {
        let database = self.test_database("copy");
        let strategy = self.copy_strategy;
        self.admin.run(&[&format!("CREATE DATABASE {} TEMPLATE {template}{strategy}", database.name)])?;
        Ok(database)
    }

    fn exists(&self, name: &str) -> Result<bool, Error> {
        let rows = self.admin.run(&[&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")])?;
        Ok(!rows[0].is_empty())
    }

    pub(crate) fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let quoted = name.replace('"', "\"\"");
        match self.admin.run(&[&format!("CREATE DATABASE \"{quoted}\" TEMPLATE template0")]) {
            Err(failure) if is_duplicate(&failure) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    pub(crate) fn drop_database(&self, name: &str) -> Result<(), Error> {
        self.admin.run(&[&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")])?;
        Ok(())
    }

    pub(crate) fn database_url(&self, name: &str) -> String {
        url::with_database(&self.url, name)
    }

    pub(crate) fn psql_url(&self, name: &str) -> String {
        url::with_database(&self.psql_url, name)
    }

    /// The value whose Drop removes the database, made before the database: a failure in between leaves nothing.
    fn test_database(self: &Arc<Self>, prefix: &str) -> TestDatabase {
        let name = database::test_name(prefix);
        TestDatabase { url: self.database_url(&name), server: Arc::clone(self), name }
    }

    fn lock(&self, template: &str) -> Result<std::fs::File, Error> {
        let home = files::create_home(&self.home)?;
        let number = template.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % LOCKS;
        files::lock(&home.join(format!("template-{number}.lock")))
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("source", &self.source).field("url", &redact_url(&self.url)).finish()
    }
}

fn is_missing(failure: &Failure) -> bool {
    failure.code == Some(SqlState::INVALID_CATALOG_NAME)
}

/// PostgreSQL reports a name that is taken, and one that is being taken at this moment by its index.
fn is_duplicate(failure: &Failure) -> bool {
    failure.code == Some(SqlState::DUPLICATE_DATABASE) || failure.code == Some(SqlState::UNIQUE_VIOLATION)
}
