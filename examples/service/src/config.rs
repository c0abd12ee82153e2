//! Settings, from the environment.

use std::env::{self, VarError};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use tracing::Level;

use crate::Email;

/// The settings of the service.
pub struct Config {
    /// `DATABASE_URL`, which is required.
    pub database_url: String,
    /// `LISTEN`, by default `127.0.0.1:3000`.
    pub listen: SocketAddr,
    /// `MAX_CONNECTIONS` to the database, by default 10.
    pub max_connections: usize,
    /// `STATEMENT_TIMEOUT` in seconds, by default 30.
    pub statement_timeout: Duration,
    /// `ADMIN_EMAIL` and `ADMIN_TOKEN`: an agent who can create others.
    pub admin: Option<(Email, String)>,
    /// `LOG`: `error`, `warn`, `info` (by default), `debug` or `trace`.
    pub log: Level,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// A sentence that names the variable, and never its value.
    pub fn from_env() -> Result<Self, String> {
        let admin = match (optional("ADMIN_EMAIL")?, optional("ADMIN_TOKEN")?) {
            (Some(email), Some(token)) => Some((email, token)),
            (None, None) => None,
            _ => return Err("set both ADMIN_EMAIL and ADMIN_TOKEN, or neither".to_owned()),
        };
        Ok(Self {
            database_url: optional("DATABASE_URL")?.ok_or("set DATABASE_URL to the URL of the database")?,
            listen: optional("LISTEN")?.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            max_connections: optional("MAX_CONNECTIONS")?.unwrap_or(10),
            statement_timeout: Duration::from_secs(optional("STATEMENT_TIMEOUT")?.unwrap_or(30)),
            admin,
            log: optional("LOG")?.unwrap_or(Level::INFO),
        })
    }
}

/// The value of a variable, if it is set.
fn optional<T: FromStr>(name: &str) -> Result<Option<T>, String> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| format!("{name} has a value that cannot be read")),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8")),
    }
}
