//! A folder with a cluster that is removed after the test, and a client to query databases with.

use relata_devdb::{Builder, DevDb, Source};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for the cluster of one test. Dropping it stops the cluster and removes the folder.
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
}

impl Home {
    /// Returns none on a machine without PostgreSQL: the test is skipped.
    pub(crate) fn new() -> Option<Self> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let home = Home { folder: std::env::temp_dir().join(format!("relata-devdb-it-{}", &random[..8])) };
        if let Err(error) = home.builder().status() {
            relata_devdb::skip(&format!("no PostgreSQL is installed: {error}"));
            return None;
        }
        Some(home)
    }

    pub(crate) fn builder(&self) -> Builder {
        DevDb::builder().only(Source::System).directory(&self.folder)
    }

    pub(crate) fn start(&self) -> DevDb {
        self.builder().start().expect("a cluster starts")
    }

    /// Returns the `devdb` command, in an environment that contains only this folder.
    pub(crate) fn devdb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devdb"));
        command.args(arguments).env("RELATA_DEVDB_DIR", &self.folder).env("RELATA_DEVDB", "system");
        command.env_remove("DATABASE_URL").env_remove("PG_BIN");
        command
    }

    /// Returns the folder of the only version that was started.
    pub(crate) fn cluster(&self) -> PathBuf {
        let entries = std::fs::read_dir(&self.folder).expect("the folder exists").flatten();
        entries.map(|entry| entry.path()).find(|path| path.join("data").is_dir()).expect("a cluster was made")
    }

    pub(crate) fn pid(&self) -> i32 {
        let file = std::fs::read_to_string(self.cluster().join("data/postmaster.pid")).expect("a server runs");
        file.lines().next().and_then(|line| line.parse().ok()).expect("line 1 is the process")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.builder().stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns the first column of the first row, over a new connection.
pub(crate) fn ask(url: &str, sql: &str) -> String {
    try_ask(url, sql).expect("the statement runs")
}

pub(crate) fn try_ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        let _ = driver.await;
        let value = messages?.into_iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(value.unwrap_or_default())
    })
}

pub(crate) fn exists(db: &DevDb, database: &str) -> bool {
    ask(&db.url("postgres"), &format!("SELECT count(*) FROM pg_database WHERE datname = '{database}'")) == "1"
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the file can be written");
}
