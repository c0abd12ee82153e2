//! What the database of a test contains, and the template that has it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use relata_devdb::{DevDb, TestDatabase};
use tokio_postgres::Client;

use super::Error;
use super::argument::Failure;
use super::role::Role;
use crate::connection::ConnectOptions;
use crate::migrate::{self, Migrations};

/// The migrations, fixtures and privileges of a database.
#[derive(Default)]
pub(super) struct Contents {
    migrations: Migrations,
    fixtures: Vec<Fixture>,
    role: Option<Role>,
}

/// A file of SQL that creates rows.
struct Fixture {
    file: PathBuf,
    sql: String,
}

impl Contents {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_migrations(mut self, folder: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Migrations { folder: folder.to_owned(), source: Box::new(source) };
        self.migrations = Migrations::from_dir(folder).map_err(unreadable)?;
        Ok(self)
    }

    pub(super) fn with_fixture(mut self, file: PathBuf) -> Result<Self, Error> {
        match std::fs::read_to_string(&file) {
            Ok(sql) => self.fixtures.push(Fixture { file, sql }),
            Err(source) => return Err(Error::Fixtures { file, source }),
        }
        Ok(self)
    }

    /// Lets the sessions of the test begin as this role, with the privileges to read and write all tables.
    pub(super) fn with_role(mut self, role: &str) -> Self {
        self.role = Some(Role::new(role));
        self
    }

    /// Creates a database with the contents, for exclusive use.
    pub(super) fn copy(&self, server: &DevDb) -> Result<TestDatabase, Error> {
        let database = server.database_from_template(&self.key(), |url| self.prepare(url))?;
        Ok(self.as_role(database))
    }

    /// Returns the database with the contents that all tests share.
    pub(super) fn shared(&self, server: &DevDb) -> Result<TestDatabase, Error> {
        let database = server.shared_database(&self.key(), |url| self.prepare(url))?;
        Ok(self.as_role(database))
    }

    fn as_role(&self, database: TestDatabase) -> TestDatabase {
        match &self.role {
            Some(role) => database.with_role(role.name()),
            None => database,
        }
    }

    /// Everything that the contents depend on, also the layout of the history table.
    fn key(&self) -> String {
        let mut key = format!("relata {}\n", env!("CARGO_PKG_VERSION"));
        for migration in &self.migrations {
            // Writing to a String cannot fail.
            let _ = writeln!(key, "migration {} {}", migration.name(), migration.hash());
        }
        for fixture in &self.fixtures {
            let _ = writeln!(key, "fixture {} {}", fixture.sql.len(), fixture.sql);
        }
        if let Some(role) = &self.role {
            let _ = writeln!(key, "role {}", role.name());
        }
        key
    }

    fn prepare(&self, url: &str) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = url.parse::<ConnectOptions>()?.connect_direct().await?;
            self.fill(&mut connection).await
        })
    }

    async fn fill(&self, connection: &mut Client) -> Result<(), Failure> {
        let options = migrate::Options::default();
        migrate::deploy(connection, &self.migrations, &options).await?;
        for Fixture { file, sql } in &self.fixtures {
            migrate::execute(connection, &file.display().to_string(), sql, &options).await?;
        }
        if let Some(role) = &self.role {
            connection.batch_execute(&role.create_and_grant()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(sql: &str, fixtures: &[&str], role: Option<&str>) -> String {
        let migrations = Migrations::from_static(&[("1_init", sql)]).expect("are well-formed");
        let fixtures = fixtures.iter().map(|sql| Fixture { file: PathBuf::new(), sql: (*sql).to_owned() });
        Contents { migrations, fixtures: fixtures.collect(), role: role.map(Role::new) }.key()
    }

    #[test]
    fn a_template_is_kept_as_long_as_its_contents_are_the_same() {
        let before = with("CREATE TABLE t (n int)", &["SELECT 1"], None);
        assert_eq!(before, with("CREATE TABLE t (n int) -- a comment", &["SELECT 1"], None));
        for other in [
            with("CREATE TABLE t (n int8)", &["SELECT 1"], None),
            with("CREATE TABLE t (n int)", &["SELECT 2"], None),
            with("CREATE TABLE t (n int)", &[], None),
            with("CREATE TABLE t (n int)", &["SELECT 1"], Some("app")),
        ] {
            assert_ne!(before, other);
        }
        assert_ne!(with("SELECT 1", &["a", "b"], None), with("SELECT 1", &["a\nfixture 1 b"], None));
    }
}
