//! What can go wrong between "I need a database" and its URL.
//!
//! Every message says what to do next, and none of them holds a password: URLs are redacted before they get here, and
//! only the server's own message is taken from a failed statement.

use std::fmt;
use std::path::PathBuf;

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting (an environment variable or its builder method) has a value that cannot be used.
    #[error("{name}: {problem}\n{help}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// What to write instead.
        help: String,
    },

    /// No source had a server for us; each says why.
    #[error("no PostgreSQL to work with{}\n{}", list(.0), how_to_get_one())]
    NotFound(Vec<Refusal>),

    /// The server is of a version that lacks what this crate needs.
    #[error(
        "{server} is PostgreSQL {version}, but 13 or later is needed: install a newer one, or set PG_BIN or DATABASE_URL to it"
    )]
    TooOld {
        /// Which server: a redacted URL or a folder.
        server: String,
        /// Its version as it reports it.
        version: String,
    },

    /// A file or folder that this crate keeps could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: "create", "read", "lock".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
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
        /// What was being done, with a redacted URL where there is one.
        action: String,
        /// The server's or the connection's message.
        message: String,
    },

    /// The closure that prepares a template failed; the template was not kept.
    #[error("the template for {key:?} could not be prepared: {source}")]
    Prepare {
        /// The key that was asked for.
        key: String,
        /// What the closure returned.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The server does not outlive the process that started it, so it cannot be handed to another one.
    #[error("{0}")]
    Unsupported(String),
}

/// A source that had no server for us, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The source in words.
    pub source: &'static str,
    /// Why it has none.
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
     - set PG_BIN to the folder that holds PostgreSQL's postgres, initdb and pg_ctl"
}

/// The message of `error` and of everything below it, on one line.
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
