//! Which database is meant: `--url`, else `DATABASE_URL`, else the same name in `.env`. Never shows a password.

use std::fmt;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::failure::Failure;

/// A database to connect to.
#[derive(Clone)]
pub(crate) struct Database {
    /// The URL without the parameters that only other tools know.
    url: String,
    /// `schema=` of the URL, as Prisma has it: the search path.
    schema: Option<String>,
    config: Config,
    /// Where the URL came from.
    source: &'static str,
}

/// Parameters of Prisma's URLs that say nothing about a single connection.
const FOREIGN_PARAMETERS: [&str; 6] =
    ["connection_limit", "pgbouncer", "pool_timeout", "schema", "socket_timeout", "statement_cache_size"];

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
        Err(Failure::refused("no database was named").help(
            "pass --url postgres://user:password@host/database, or set DATABASE_URL in the environment or in .env",
        ))
    }

    /// Reads a URL, or `key=value` pairs.
    pub(crate) fn parse(text: &str, source: &'static str) -> Result<Self, Failure> {
        let (url, schema) = split_parameters(text.trim());
        // The cause is not shown: it may quote the text, password included.
        let config: Config = url.parse().map_err(|_| {
            Failure::refused(format!("{source} is not a URL of a PostgreSQL database"))
                .help("it looks like postgres://user:password@host:5432/database; write % / @ : in a password as %25 %2F %40 %3A")
        })?;
        Ok(Self { url, schema, config, source })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    pub(crate) fn source(&self) -> &'static str {
        self.source
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres")
    }

    pub(crate) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("the user of this process")
    }
}

/// Host and database, as a person would name it.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => self.config.get_hostaddrs().first().map_or_else(|| "localhost".to_owned(), ToString::to_string),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        write!(f, "{} at {host}:{port}", self.name())
    }
}

fn split_parameters(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?').filter(|(base, _)| base.contains("://")) else {
        return (url.to_owned(), None);
    };
    let mut schema = None;
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == "schema" && !value.is_empty() {
                schema = Some(value.to_owned());
            }
            !FOREIGN_PARAMETERS.contains(&key)
        })
        .collect();
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    (url, schema)
}

fn from_env_file() -> Result<Option<String>, Failure> {
    let entries = match dotenvy::from_filename_iter(".env") {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(None),
        Err(_) => return Err(Failure::refused("cannot read .env")),
    };
    for entry in entries {
        // The error quotes the line, and a line of this file may hold a password.
        let (key, value) = entry.map_err(|_| {
            Failure::refused(".env has a line that is not KEY=value").help("quote values that hold spaces or #")
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
    fn parameters_of_prisma_are_taken_out() {
        let url = "postgres://u:p@h/d?schema=shop&connection_limit=5&sslmode=disable";
        let database = Database::parse(url, "--url").expect("valid");
        assert_eq!(database.url(), "postgres://u:p@h/d?sslmode=disable");
        assert_eq!(database.schema(), Some("shop"));
        assert_eq!(database.to_string(), "d at h:5432");
    }

    #[test]
    fn a_bad_url_is_not_shown() {
        for url in ["postgres://user:hunter2@host:port/db", "hunter2", "postgres://u:hunter2@h/d?nonsense=1", ""] {
            let Err(failure) = Database::parse(url, "--url") else { continue };
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
