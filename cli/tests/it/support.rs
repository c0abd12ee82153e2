//! A folder of its own for each test, the command in it, and a database.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use relata_devdb::{DevDb, TestDatabase};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub(crate) fn server() -> &'static DevDb {
    static SERVER: OnceLock<DevDb> = OnceLock::new();
    SERVER.get_or_init(|| DevDb::start().expect("a PostgreSQL for the tests"))
}

pub(crate) fn database(prefix: &str) -> TestDatabase {
    server().create_database(prefix).expect("a database")
}

/// What the command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The same, if the code is the expected one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The same, if stdout or stderr holds the text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "{text:?} is in neither\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same, if neither stdout nor stderr holds the text.
    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text), "{}", self.stdout);
        assert!(!self.stderr.contains(text), "{}", self.stderr);
        self
    }
}

/// A project's folder.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        std::fs::write(path, text).expect("written");
        self
    }

    pub(crate) fn migration(&self, name: &str, sql: &str) -> &Self {
        self.write(&format!("migrations/{name}/migration.sql"), sql)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    /// Names in a folder, sorted; none if the folder is not there.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(name)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegen"));
        command.args(args).current_dir(self.folder.path()).env_remove("DATABASE_URL");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        output(self.command(args).spawn().expect("the command starts"))
    }

    /// Runs it in a folder of the project.
    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Output {
        output(self.command(args).current_dir(self.path(folder)).spawn().expect("the command starts"))
    }

    pub(crate) fn run_with(&self, args: &[&str], key: &str, value: &str) -> Output {
        output(self.command(args).env(key, value).spawn().expect("the command starts"))
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("the command starts")
    }

    pub(crate) fn deploy(&self, database: &TestDatabase) -> Output {
        self.run(&["migrate", "deploy", "--url", database.url()])
    }

    pub(crate) fn status(&self, database: &TestDatabase) -> Output {
        self.run(&["migrate", "status", "--url", database.url()])
    }
}

pub(crate) fn output(child: Child) -> Output {
    let output = child.wait_with_output().expect("the command ends");
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A connection that is used from tests without async.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn open(url: &str) -> Self {
        Self::try_open(url).expect("a connection")
    }

    pub(crate) fn try_open(url: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an async runtime");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
            tokio::spawn(connection);
            Some(client)
        });
        Some(Self { runtime, client: client? })
    }

    /// Runs SQL and gives the first column of all rows.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> Vec<String> {
        self.try_sql(sql).expect("runs")
    }

    /// Like [`sql`](Self::sql), with the server's message if it refuses a statement.
    pub(crate) fn try_sql(&self, sql: &str) -> Result<Vec<String>, String> {
        let told = |error: tokio_postgres::Error| error.as_db_error().map_or(error.to_string(), ToString::to_string);
        let messages = self.runtime.block_on(self.client.simple_query(sql)).map_err(told)?;
        let first = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(first).collect())
    }
}

/// The first column of all rows of a query, on a connection of its own.
#[track_caller]
pub(crate) fn query(database: &TestDatabase, sql: &str) -> Vec<String> {
    Session::open(database.url()).sql(sql)
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
