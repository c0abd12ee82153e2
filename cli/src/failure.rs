//! Why a command fails: the message and the exit code.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use relata::migrate::{Error, Problem};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success.
    Done,
    /// Refused or failed.
    Refused,
    /// There is a difference, or pending work.
    Difference,
    /// A decision is needed: a probable rename, or a history that must be resolved manually.
    Question,
    /// The command line is wrong.
    Usage,
    /// A program that the command ran for the project has failed with this code.
    Program(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Difference => 2,
            Exit::Question => 3,
            Exit::Usage => 64,
            Exit::Program(code) => code,
        })
    }
}

/// An error message, printed after `error:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) exit: Exit,
    /// Empty if the error was already reported.
    message: String,
    help: Option<String>,
}

impl Failure {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), help: None }
    }

    pub(crate) fn question(message: impl Into<String>) -> Self {
        Self { exit: Exit::Question, ..Self::refused(message) }
    }

    /// There is a difference where there must be none.
    pub(crate) fn difference(message: impl Into<String>) -> Self {
        Self { exit: Exit::Difference, ..Self::refused(message) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::refused(message) }
    }

    /// A program has failed, and its exit code becomes that of the command.
    pub(crate) fn program(code: u8, message: impl Into<String>) -> Self {
        Self { exit: Exit::Program(code), ..Self::refused(message) }
    }

    /// The printed diagnostics are the message.
    pub(crate) fn reported() -> Self {
        Self::refused("")
    }

    /// Adds what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        Self::refused(format!("cannot read {}: {error}", path.display()))
    }

    pub(crate) fn writing(path: &Path, error: &io::Error) -> Self {
        Self::refused(format!("cannot write {}: {error}", path.display()))
    }

    /// tokio-postgres itself says only "db error".
    pub(crate) fn database(doing: &str, error: &tokio_postgres::Error) -> Self {
        let text = match (error.as_db_error(), std::error::Error::source(error)) {
            (Some(db), _) => format!("{doing}: {} (SQLSTATE {})", db.message(), db.code().code()),
            (None, Some(source)) => format!("{doing}: {error}: {source}"),
            (None, None) => format!("{doing}: {error}"),
        };
        Self::refused(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.message.is_empty() {
            write!(f, "error: {}", self.message)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::refused(error.to_string());
        match &error {
            Error::History { problems } if problems.iter().any(|it| matches!(it, Problem::OutOfOrder { .. })) => {
                failure.help("`codegen migrate deploy --allow-out-of-order` applies older migrations")
            }
            _ => failure,
        }
    }
}
