//! PostgreSQL as WebAssembly (PGlite), for machines that have no other.
//!
//! The engine is a separate program, `relata-devdb-embedded`, which [`program`] finds or builds.
//!
//! One server runs one transaction at a time, and its connections take turns. Each database is therefore a separate
//! process, whose data is a copy of some files and which lives as long as its value. Tests that run in parallel do not
//! wait for each other, and dropping a database cannot hang because of an open connection. [`slots`] limits how many
//! processes there are.

mod program;
mod slots;

use crate::admin::Admin;
use crate::backend::{Backend, Prepare, run_prepare};
use crate::database::{self, TestDatabase};
use crate::error::Error;
use crate::files::{self, io};
use crate::server::server_info;
use crate::{Source, url};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROGRAM: &str = "relata-devdb-embedded";
/// The database that the engine's data folder contains from the start.
const DATABASE: &str = "postgres";
/// The engine accepts any number of connections and runs one transaction at a time. This is PostgreSQL's default limit.
const MAX_CONNECTIONS: usize = 100;
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// A clean shutdown takes a second; on a busy machine, many.
const FINISH_TIMEOUT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);

/// The embedded engine: one server for databases with a requested name, and the means to start more.
pub(crate) struct Embedded {
    program: PathBuf,
    home: PathBuf,
    version: String,
    description: String,
    main: Process,
}

/// A running engine. It ends when this value is dropped, and when this process dies.
struct Process {
    child: Child,
    url: String,
    /// One of the slots that limit the number of running engines. It is given back when the engine has ended.
    _slot: Option<File>,
}

impl Embedded {
    pub(crate) fn start(home: &Path, path: &OsStr) -> Result<Self, Error> {
        let home = files::create_home(home)?;
        let program = program::find_or_build(path, &home)?;
        let main = Process::start(&program, &home, &[])?;
        let info = server_info(&main.admin()?)?;
        let description = format!("embedded PostgreSQL {} (PGlite), one transaction at a time", info.version);
        remove_old(&home, database::TEMPLATE);
        remove_old(&std::env::temp_dir(), &format!("{PROGRAM}-"));
        Ok(Embedded { program, home, version: info.version, description, main })
    }

    /// Returns the folder of the template for `key`, and prepares it if it does not exist.
    fn template(&self, key: &str, prepare: Prepare<'_>) -> Result<PathBuf, Error> {
        // A template consists of the engine's files, so only the same version can use it.
        let folder = self.home.join(database::template_name(&format!("{} {key}", self.version)));
        let _lock = files::lock(&folder.with_extension("lock"))?;
        if folder.is_dir() {
            return Ok(folder);
        }
        // It is prepared under another name, so that a template that exists is complete.
        let draft = folder.with_extension("draft");
        remove(&draft)?;
        std::fs::create_dir(&draft).map_err(io("create", &draft))?;
        let process = Process::start(&self.program, &self.home, &["--root".as_ref(), draft.as_os_str()])?;
        let prepared = run_prepare(key, prepare, &process.url);
        // The engine's files are complete only after it has ended.
        let prepared = prepared.and_then(|()| process.finish());
        match prepared {
            Ok(()) => std::fs::rename(&draft, &folder).map_err(io("create", &folder))?,
            Err(error) => {
                remove(&draft)?;
                return Err(error);
            }
        }
        Ok(folder)
    }
}

impl Backend for Embedded {
    fn source(&self) -> Source {
        Source::Embedded
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn max_connections(&self) -> usize {
        MAX_CONNECTIONS
    }

    fn url(&self, database: &str) -> String {
        url::with_database(&self.main.url, database)
    }

    fn psql_url(&self, database: &str) -> String {
        self.url(database)
    }

    fn ensure_database(&self, name: &str) -> Result<(), Error> {
        crate::server::ensure_database(&self.main.admin()?, name)
    }

    fn create_database(self: Arc<Self>, _prefix: &str) -> Result<TestDatabase, Error> {
        Ok(Process::start(&self.program, &self.home, &[])?.into_database())
    }

    fn database_from_template(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error> {
        let folder = self.template(key, prepare)?;
        Ok(Process::start(&self.program, &self.home, &["--copy-of".as_ref(), folder.as_os_str()])?.into_database())
    }

    /// A copy, because transactions that are open at the same time would wait for each other.
    fn shared_database(self: Arc<Self>, key: &str, prepare: Prepare<'_>) -> Result<TestDatabase, Error> {
        self.database_from_template(key, prepare)
    }
}

impl Process {
    fn start(program: &Path, home: &Path, arguments: &[&OsStr]) -> Result<Self, Error> {
        let failed = |output: String| Error::Program { program: program.display().to_string(), output };
        let slot = slots::take(home)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // About 100 MB of unpacked engine. It goes into our folder, because the user's may be missing or not writable.
        command.env("HOME", home).env("XDG_CACHE_HOME", home.join("cache"));
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
        }
        let process = Process { child, url: line.trim().to_owned(), _slot: slot };
        if process.url.starts_with("postgres://") {
            return Ok(process);
        }
        let said = process.url.strip_prefix("error: ").unwrap_or(&process.url);
        Err(failed(if said.is_empty() { "it ended without any output".to_owned() } else { said.to_owned() }))
    }

    /// Waits until the engine has written everything and has ended.
    fn finish(mut self) -> Result<(), Error> {
        drop(self.child.stdin.take());
        let failed = |output: &str| Error::Program { program: PROGRAM.to_owned(), output: output.to_owned() };
        let deadline = Instant::now() + FINISH_TIMEOUT;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(None) => std::thread::sleep(PAUSE),
                _ => return Err(failed("it did not shut down cleanly, and its files may be incomplete")),
            }
        }
        Err(failed("it did not end"))
    }

    fn admin(&self) -> Result<Admin, Error> {
        let config = self.url.parse().map_err(|_| Error::Program {
            program: PROGRAM.to_owned(),
            output: "it printed something that is not a URL".to_owned(),
        })?;
        Ok(Admin::new(config, "the embedded server".to_owned()))
    }

    fn into_database(self) -> TestDatabase {
        TestDatabase::new(DATABASE.to_owned(), self.url.clone(), Box::new(self))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The engine ends when its stdin is closed.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Removes old templates, which are created again when needed, and the data of engines that were killed.
fn remove_old(folder: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        let made = entry.metadata().and_then(|metadata| metadata.modified());
        let age = made.ok().and_then(|made| made.elapsed().ok()).unwrap_or_default();
        if age > database::TEMPLATE_LIFETIME {
            // Another process may be doing the same.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
