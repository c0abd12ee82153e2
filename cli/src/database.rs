//! The database to connect to: `--url`, else `DATABASE_URL` from the environment or `.env`. Never prints a password.

use std::fmt;
use std::sync::Arc;

use relata::ConnectOptions;
use relata::migrate::{Engine, Options};
use tokio_postgres::Client;
use tokio_postgres::error::{DbError, Severity};

use crate::failure::Failure;
use crate::terminal::output::eprint;

/// What the runtime says of a pooler.
const POOLER: &str = "behind a pooler in transaction mode";

/// A database to connect to.
#[derive(Clone)]
pub(crate) struct Database {
    options: ConnectOptions,
    /// The URL as it was given, with its password.
    url: String,
    /// Where the URL came from.
    source: &'static str,
}

/// Prints what the server warns of. Notices, such as that something exists already, are not printed.
fn tell_warning(notice: &DbError) {
    if notice.parsed_severity() == Some(Severity::Warning) {
        let message = notice.message().replace(char::is_control, " ");
        eprint(&format!("warning: PostgreSQL says: {message}"));
    }
}

impl Database {
    /// Finds the URL.
    pub(crate) fn find(flag: Option<&str>) -> Result<Self, Failure> {
        if let Some(url) = flag {
            return Self::parse(url, "--url");
        }
        if let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| !url.trim().is_empty()) {
            return Self::parse(&url, "DATABASE_URL");
        }
        if let Some(url) = from_env_file()? {
            return Self::parse(&url, "DATABASE_URL in .env");
        }
        Err(Failure::refused("no database is configured").help(
            "pass --url postgres://user:password@host/database, or set DATABASE_URL in the environment or in .env",
        ))
    }

    /// Reads a URL, or `key=value` pairs.
    pub(crate) fn parse(text: &str, source: &'static str) -> Result<Self, Failure> {
        let mut options: ConnectOptions = text.parse().map_err(|error| {
            Failure::refused(format!("{source}: {error}"))
                .help("in a password, write % as %25, / as %2F, @ as %40 and : as %3A")
        })?;
        options.on_notice(tell_warning);
        Ok(Self { options, url: text.to_owned(), source })
    }

    /// Opens a connection that sees the rows of all tenants. Otherwise, an owner on whom row security is forced would
    /// see empty tables, and a command would take what it drops for empty. Refuses poolers, where that would show the
    /// rows of all tenants to the next program.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let client = self.options.connect_direct().await.map_err(|error| match error.to_string() {
            reason if reason.contains(POOLER) => self.refuse_pooler(),
            reason => Failure::refused(reason).help(format!("the URL is that of {}", self.source)),
        })?;
        let set = client.batch_execute("SET relata.across_tenants = 'on'").await;
        match set {
            // A server without row security may have no settings of programs.
            Err(error) if error.is_closed() || Engine::detect(&client).await? == Engine::PostgreSql => {
                Err(Failure::database("preparing the connection", &error))
            }
            _ => Ok(client),
        }
    }

    fn refuse_pooler(&self) -> Failure {
        Failure::refused(
            "the database is behind a pooler in transaction mode, which gives each transaction another session: the lock \
             and the settings of a command belong to one session",
        )
        .help(format!(
            "give the URL of the server itself, not of the pooler, and without pgbouncer=true (the URL is that of {})",
            self.source
        ))
    }

    /// Returns the options for migrations on `client`, for this engine or the one that the server is. If it has no
    /// advisory locks, a second connection renews the lock.
    pub(crate) async fn migrate_options(&self, client: &Client, engine: Option<Engine>) -> Result<Options, Failure> {
        let engine = match engine {
            Some(engine) => engine,
            None => Engine::detect(client).await?,
        };
        let mut options = Options::default();
        options.engine = Some(engine);
        if !engine.profile().advisory_locks {
            options.renews = Some(Arc::new(self.connect().await?));
        }
        Ok(options)
    }

    /// The URL with its password, for the environment of a program. Never to be printed.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> String {
        self.options.database().map_or_else(|| self.to_string(), str::to_owned)
    }
}

/// Host and database.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.options.target())
    }
}

fn from_env_file() -> Result<Option<String>, Failure> {
    let entries = match dotenvy::from_filename_iter(".env") {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(None),
        Err(_) => return Err(Failure::refused("cannot read .env")),
    };
    for entry in entries {
        // The error quotes the line, which may contain a password.
        let (key, value) = entry.map_err(|_| {
            Failure::refused(".env has a line that is not KEY=value").help("quote values that contain spaces or #")
        })?;
        if key == "DATABASE_URL" && !value.trim().is_empty() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_not_shown() {
        for url in ["postgres://user:hunter2@host:port/db", "hunter2", "postgres://u:hunter2@h/d?nonsense=1", ""] {
            let failure = Database::parse(url, "--url").err().expect("refused");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
