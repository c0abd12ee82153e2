//! Chooses the server: the settings, and the order in which the sources are tried.

use crate::admin::Admin;
use crate::embedded::Embedded;
use crate::error::{Error, Refusal};
use crate::server::{Server, server_info};
use crate::skip::say;
use crate::{DevDb, Source, redact_url};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(unix)]
const DEFAULT_IDLE: Duration = Duration::from_secs(30 * 60);
const OLDEST_VERSION: u32 = 130_000;
#[cfg(unix)]
const FILE_COPY_SINCE: u32 = 150_000;

/// How to find or start a server; see [`DevDb::builder`].
///
/// Each setting starts as the environment variable that its method names.
#[derive(Clone)]
pub struct Builder {
    only: Option<Source>,
    only_text: Option<OsString>,
    database_url: Option<OsString>,
    directory: Option<PathBuf>,
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no cluster to stop"))]
    idle: Option<OsString>,
    path: OsString,
    keep: bool,
    #[cfg(unix)]
    search: crate::system::Search,
}

impl Builder {
    pub(crate) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Builder {
            only: None,
            only_text: variable("RELATA_DEVDB"),
            database_url: variable("DATABASE_URL"),
            directory: variable("RELATA_DEVDB_DIR").map(PathBuf::from),
            idle: variable("RELATA_DEVDB_IDLE"),
            path: variable("PATH").unwrap_or_default(),
            keep: variable("RELATA_DEVDB_KEEP").is_some_and(|value| value != "0"),
            #[cfg(unix)]
            search: crate::system::Search {
                pg_bin: variable("PG_BIN").map(PathBuf::from),
                path: variable("PATH").unwrap_or_default(),
                only: None,
            },
        }
    }

    /// Uses only this source (`RELATA_DEVDB`: `url`, `system` or `embedded`).
    pub fn only(mut self, source: Source) -> Self {
        self.only = Some(source);
        self
    }

    /// Sets the server to create databases on (`DATABASE_URL`).
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(OsString::from(url.into()));
        self
    }

    /// Sets the folder for clusters and locks (`RELATA_DEVDB_DIR`). By default, it is `relata-devdb-<user id>` in the
    /// temporary folder.
    pub fn directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.directory = Some(folder.into());
        self
    }

    /// Looks for PostgreSQL's programs only in these folders, instead of PATH and the usual ones.
    ///
    /// `PG_BIN` is ignored too. Unix only: on other systems, no installed server is started.
    #[cfg(unix)]
    pub fn look_in(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.search.only = Some(folders.into_iter().collect());
        self.search.pg_bin = None;
        self
    }

    /// Sets how long an unused cluster keeps running (`RELATA_DEVDB_IDLE`, in seconds; 30 minutes by default).
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = Some(OsString::from(limit.as_secs().to_string()));
        self
    }

    /// Keeps the databases that are created, to look at them after a test (`RELATA_DEVDB_KEEP`). The URL of each is printed on
    /// stderr, without a password. A later start drops them when they are six hours old. The embedded engine keeps none.
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Finds or starts the server.
    ///
    /// # Errors
    ///
    /// Fails if no source has a server ([`Error::NotFound`] says why for each), or if a source that was named
    /// (`DATABASE_URL`, `PG_BIN`, `RELATA_DEVDB`) does not work. In the second case, no other source is tried.
    pub fn start(self) -> Result<DevDb, Error> {
        let only = self.source()?;
        if only == Some(Source::Url) || (only.is_none() && self.database_url.is_some()) {
            return self.take_url();
        }
        let mut refusals = Vec::new();
        for source in [Source::System, Source::Embedded] {
            if only.is_some_and(|only| only != source) {
                continue;
            }
            let (name, taken) = match source {
                Source::System => ("PostgreSQL on this machine", self.take_system()),
                _ => ("the embedded PostgreSQL", self.take_embedded()),
            };
            match taken {
                Err(error @ Error::Setting { .. }) => return Err(error),
                Err(error) => {
                    if only.is_none() && source == Source::System && self.has_system() {
                        say(&format!(
                            "devdb: the PostgreSQL on this machine cannot be used: {error}\n\
                             devdb: the embedded one takes its place; with RELATA_DEVDB=system, this is an error\n"
                        ));
                    }
                    refusals.push(Refusal { source: name, reason: error.to_string() });
                }
                done => return done,
            }
        }
        Err(Error::NotFound(refusals))
    }

    fn source(&self) -> Result<Option<Source>, Error> {
        let Some(text) = self.only_text.as_ref().filter(|_| self.only.is_none()) else { return Ok(self.only) };
        match text.to_str() {
            Some("url") => Ok(Some(Source::Url)),
            Some("system") => Ok(Some(Source::System)),
            Some("embedded") => Ok(Some(Source::Embedded)),
            _ => Err(Error::Setting {
                name: "RELATA_DEVDB",
                problem: format!("there is no source {text:?}"),
                help: "Write url, system or embedded, or unset it.".to_owned(),
            }),
        }
    }

    fn take_url(&self) -> Result<DevDb, Error> {
        let wrong = |problem: &str| Error::Setting {
            name: "DATABASE_URL",
            problem: problem.to_owned(),
            help: "Write postgres://user:password@host:5432/database, or unset it to have a server found or started."
                .to_owned(),
        };
        let text = self.database_url.as_ref().ok_or_else(|| wrong("it is not set"))?;
        // The parser's own message may quote the part that it did not understand, and that may be the password.
        let text = text.to_str().ok_or_else(|| wrong("it is not UTF-8"))?;
        let config = text.parse().map_err(|_| wrong("it is not a PostgreSQL connection URL"))?;
        let admin = Admin::new(config, redact_url(text));
        let info = server_info(&admin).map_err(|failure| match failure.error {
            Error::Server { action, message } => wrong(&format!("{action}: {message}")),
            error => error,
        })?;
        check_version(info.version_number, &info.version, redact_url(text))?;
        Ok(DevDb::new(Server {
            source: Source::Url,
            admin,
            url: text.to_owned(),
            psql_url: text.to_owned(),
            description: format!("DATABASE_URL, PostgreSQL {} at {}", info.version, redact_url(text)),
            max_connections: info.max_connections,
            keep: self.keep,
            // FILE_COPY forces checkpoints, which would slow down a server that is not ours.
            copy_strategy: "",
            home: self.home(),
            life: Box::new(()),
        }))
    }

    fn take_embedded(&self) -> Result<DevDb, Error> {
        Embedded::start(&self.home(), &self.path).map(DevDb::new)
    }

    #[cfg(unix)]
    fn take_system(&self) -> Result<DevDb, Error> {
        let cluster = self.cluster()?;
        let running = cluster.ensure()?;
        let info = server_info(&running.admin)?;
        check_version(info.version_number, &info.version, cluster.describe())?;
        let idle = cluster.idle().as_secs().div_ceil(60);
        Ok(DevDb::new(Server {
            source: Source::System,
            admin: running.admin,
            url: running.url,
            psql_url: running.socket_url,
            description: format!("{}, shared, stops after {idle} min without use", cluster.describe()),
            max_connections: info.max_connections,
            keep: self.keep,
            copy_strategy: if info.version_number >= FILE_COPY_SINCE { " STRATEGY FILE_COPY" } else { "" },
            home: self.home(),
            life: Box::new(cluster.heartbeat()),
        }))
    }

    #[cfg(not(unix))]
    fn take_system(&self) -> Result<DevDb, Error> {
        Err(Error::Unsupported("a cluster is started on Unix only: set DATABASE_URL".to_owned()))
    }

    #[cfg(unix)]
    fn has_system(&self) -> bool {
        crate::system::is_installed(&self.search)
    }

    #[cfg(not(unix))]
    fn has_system(&self) -> bool {
        false
    }

    #[cfg(unix)]
    fn cluster(&self) -> Result<crate::system::Cluster, Error> {
        crate::system::find(&self.search, &self.home(), self.idle_limit()?)
    }

    /// Describes the cluster of this machine in one line, if it is running. Starts nothing.
    ///
    /// # Errors
    ///
    /// Fails if there is no PostgreSQL on this machine, or if its cluster is running and does not answer.
    pub fn status(&self) -> Result<Option<String>, Error> {
        #[cfg(unix)]
        {
            let cluster = self.cluster()?;
            Ok(cluster.attach()?.map(|running| format!("{}, process {}", cluster.describe(), running.pid)))
        }
        #[cfg(not(unix))]
        Ok(None)
    }

    /// Stops the cluster of this machine, even if it is in use. Returns whether it was running.
    ///
    /// # Errors
    ///
    /// Fails if there is no PostgreSQL on this machine, or if its cluster does not stop.
    pub fn stop(&self) -> Result<bool, Error> {
        #[cfg(unix)]
        {
            self.cluster()?.stop()
        }
        #[cfg(not(unix))]
        Ok(false)
    }

    #[cfg(unix)]
    fn idle_limit(&self) -> Result<Duration, Error> {
        let Some(text) = &self.idle else { return Ok(DEFAULT_IDLE) };
        match text.to_str().and_then(|text| text.parse().ok()) {
            Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
            _ => Err(Error::Setting {
                name: "RELATA_DEVDB_IDLE",
                problem: format!("{text:?} is not a number of seconds"),
                help: "Write a positive integer, or unset it for 30 minutes.".to_owned(),
            }),
        }
    }

    fn home(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(default_home)
    }
}

#[cfg(unix)]
fn default_home() -> PathBuf {
    crate::system::default_home()
}

#[cfg(not(unix))]
fn default_home() -> PathBuf {
    std::env::temp_dir().join("relata-devdb")
}

fn check_version(number: u32, version: &str, server: String) -> Result<(), Error> {
    if number >= OLDEST_VERSION {
        return Ok(());
    }
    Err(Error::TooOld { server, version: version.to_owned() })
}
