//! Errors that can occur before a database and its URL are available.
//!
//! Every message says what to do next, and none contains a password: URLs are redacted before they get here, and only
//! the server's own message is taken from a failed statement.

use std::fmt;
use std::path::PathBuf;

/// The reason why no database is available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting (an environment variable or its builder method) has an invalid value.
    #[error("{name}: {problem}\n{help}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// What to write instead.
        help: String,
    },

    /// No source has a usable server; each says why.
    #[error("no PostgreSQL is available{}\n{}", list(.0), how_to_get_one())]
    NotFound(Vec<Refusal>),

    /// The server's version is too old for this crate.
    #[error(
        "{server} is PostgreSQL {version}, but 13 or later is needed: install a newer one, or set PG_BIN or DATABASE_URL to it"
    )]
    TooOld {
        /// Which server: a redacted URL or a folder.
        server: String,
        /// Its version as it reports it.
        version: String,
    },

    /// A file or folder of this crate could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: "create", "read", "lock".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },

    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {output}")]
    Program {
        /// The program's path.
        program: String,
        /// What it printed, or why it could not be started.
        output: String,
    },

    /// The server could not be reached, or refused a statement.
    #[error("{action}: {message}")]
    Server {
        /// The attempted action, with a redacted URL if there is one.
        action: String,
        /// The server's or the connection's message.
        message: String,
    },

    /// The closure that prepares a template failed, and the template was not kept.
    #[error("the template for {key:?} could not be prepared: {source}")]
    Prepare {
        /// The key of the template.
        key: String,
        /// The error that the closure returned.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The server ends with the process that started it, so another process cannot use it.
    #[error("{0}")]
    Unsupported(String),
}

/// A source that has no usable server, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A description of the source.
    pub source: &'static str,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| format!("\n  - {refusal}")).collect()
}

fn how_to_get_one() -> &'static str {
    "Do one of these:\n  \
     - set DATABASE_URL=postgres://user:password@host:5432/database to a server on which you may create databases\n  \
     - install PostgreSQL 13 or later (apt install postgresql, brew install postgresql@17, postgresapp.com)\n  \
     - set PG_BIN to the folder that contains PostgreSQL's postgres, initdb and pg_ctl"
}

/// Returns the message of `error` and of all its sources, on one line.
///
/// tokio-postgres says "db error" or "error connecting to server" and leaves the useful part to the source.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let message = source.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        next = source.source();
    }
    text
}
