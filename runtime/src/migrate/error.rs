//! What can go wrong with migrations, and what to do about it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::compare::Problem;
use relata_pgsql::{TokenKind, Unterminated, tokens};

use super::engine::Engine;
use super::lease::LeaseHolder;
use super::lock::Holder;
use super::partitions::PartitionError;
use super::script::line_of;
use super::script::{ScriptError, Statement};
use super::source::Migration;

/// An error of the migration runner. Never contains a password or a connection string.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A folder of a migration has no SQL.
    #[error("{} has no migration.sql; write one, or delete the folder", folder.display())]
    NoScript {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is not UTF-8.
    #[error("{} is not UTF-8 (byte {offset}); save it as UTF-8", file.display())]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The first invalid byte.
        offset: usize,
    },
    /// A file cannot be split into statements.
    #[error("{}: {source}", file.display())]
    Script {
        /// The file.
        file: PathBuf,
        /// Line and reason.
        source: ScriptError,
    },
    /// Two embedded migrations have the same name.
    #[error("two migrations are named {name}; rename one of them")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// No schema of the search path exists.
    #[error(
        "none of the schemas in the search path ({search_path}) exists in this database; create one (CREATE SCHEMA), \
         or correct the connection string"
    )]
    NoSchema {
        /// The search path of the connection.
        search_path: String,
    },
    /// Another run holds the lock for longer than [`Options::lock_wait`](super::Options::lock_wait).
    #[error(
        "waited {} s for another migration run to end: {holder}; try again when it is done, or end it with SELECT \
         pg_terminate_backend({})", waited.as_secs(), holder.pid
    )]
    Locked {
        /// The session that holds it.
        holder: Holder,
        /// How long the runner waited.
        waited: Duration,
    },
    /// The lock is not held by the session that took it.
    #[error(
        "the connection goes through a pooler that gives each transaction another session, so migrations cannot be \
         locked; use a direct connection to PostgreSQL"
    )]
    Pooler,
    /// Another run has the lease for longer than [`Options::lock_wait`](super::Options::lock_wait).
    #[error(
        "waited {} s for another migration run to end: {holder}; try again when it is done or its lease has ended",
        waited.as_secs()
    )]
    Leased {
        /// The run that has it.
        holder: LeaseHolder,
        /// How long the runner waited.
        waited: Duration,
    },
    /// The lease ended or went to another run, for example because this process was paused.
    #[error(
        "this run lost the migration lock, because it did not renew its lease in time, and stopped{}; run `migrate \
         status` to see what the database has, and deploy again: it resumes there", taken_by(holder.as_ref())
    )]
    LeaseLost {
        /// The run that has it now.
        holder: Option<LeaseHolder>,
    },
    /// The engine has no locks of sessions, and there is no connection that could renew a lease.
    #[error(
        "{engine} has no advisory locks, so the lock is a row that a second connection renews: set Options::renews to \
         another connection to the same database"
    )]
    NoRenewal {
        /// The engine.
        engine: Engine,
    },
    /// The server is none of the engines that the runner knows.
    #[error(
        "the server is not PostgreSQL, nor another engine that migrations know ({version}); if it behaves like one of \
         them, name it: --engine {}, or Options::engine", Engine::ALL.map(Engine::id).join(", ")
    )]
    UnknownEngine {
        /// What it says.
        version: String,
    },
    /// Pending migrations have statements that the engine does not have.
    #[error("nothing was run, because {engine} does not have:{}", Lines(statements))]
    NotInEngine {
        /// The engine.
        engine: Engine,
        /// The statements: their place, what is missing, and what to do instead.
        statements: Vec<String>,
    },
    /// The operation needs what only PostgreSQL has.
    #[error("{engine} cannot do this: {problem}")]
    NotForEngine {
        /// The engine.
        engine: Engine,
        /// What is missing, and what to do instead.
        problem: &'static str,
    },
    /// Partitions cannot be created. Nothing was changed.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// The history was written for another engine.
    #[error(
        "the history of this database was written {}; run this with the same engine as before (--engine, or \
         Options::engine)", if *portable { "for another engine than PostgreSQL" } else { "for PostgreSQL" }
    )]
    HistoryOfAnother {
        /// Whether the history is that of an engine other than PostgreSQL.
        portable: bool,
    },
    /// The server does not write.
    #[error(
        "this server does not write: it is a standby, or its sessions are read-only; connect to the primary (of several \
         hosts in the connection string, target_session_attrs=read-write finds it, which is the default)"
    )]
    ReadOnly,
    /// The history and the files contradict each other.
    #[error("the migrations do not match the history of this database:{}", Lines(problems))]
    History {
        /// All contradictions.
        problems: Vec<Problem>,
    },
    /// Another process runs the same migration, although this run holds the lock.
    #[error("{name} is being run by another process; try again when it is done")]
    Running {
        /// The migration.
        name: String,
    },
    /// A manual resolution of a migration contradicts the history.
    #[error("{name} {problem}")]
    Unresolvable {
        /// The migration.
        name: String,
        /// The problem, and what to do instead.
        problem: &'static str,
    },
    /// A database that already has a history cannot be given a baseline.
    #[error("this database already has a history (migrations: {count}); `migrate resolve` changes single ones")]
    HasHistory {
        /// The number of migrations in the history.
        count: usize,
    },
    /// The migrations to undo are no longer the last ones of the history.
    #[error("the history has changed in the meantime: these are no longer its last migrations; run `migrate status`")]
    NotTheLast,
    /// A statement failed.
    #[error(transparent)]
    Statement(Box<StatementError>),
    /// An index was built concurrently and is not valid.
    #[error(
        "{}:{line}: the index {index} exists but is invalid, so PostgreSQL does not use it; run DROP INDEX CONCURRENTLY \
         {index}, remove the cause, and deploy again", file.display()
    )]
    InvalidIndex {
        /// The file.
        file: PathBuf,
        /// The line of the statement.
        line: u32,
        /// The index.
        index: String,
    },
    /// A reset would have dropped objects outside the schemas that it may empty.
    #[error(
        "reset would also drop what is not in {schemas}, because it depends on it:{}\nnothing was changed; drop these \
         yourself, or add their schema",
        Lines(objects)
    )]
    ResetTooFar {
        /// The schemas to empty, joined.
        schemas: String,
        /// The objects that would have been dropped with them.
        objects: Vec<String>,
    },
    /// The connection failed, or the server refused something that is not a statement of a migration.
    #[error("{doing}: {}", describe(source))]
    Database {
        /// What the runner was doing.
        doing: &'static str,
        /// The cause.
        source: tokio_postgres::Error,
    },
}

/// A statement of a migration that PostgreSQL refused.
#[derive(Debug, thiserror::Error)]
pub struct StatementError {
    /// The migration.
    pub migration: String,
    /// Its file.
    pub file: PathBuf,
    /// The line in the file: of the place that PostgreSQL points to, or of the start of the statement.
    pub line: u32,
    /// The statement, shortened.
    pub statement: String,
    /// The state that it leaves behind.
    pub aftermath: Aftermath,
    /// The error of the server or the connection.
    #[source]
    pub source: tokio_postgres::Error,
}

/// The state that a failed statement leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// The transaction with everything of this migration was rolled back.
    RolledBack,
    /// The migration stopped after this many statements. The next deploy resumes there.
    StoppedAfter(u32),
    /// The migration was not undone: all of that was rolled back.
    StillApplied,
    /// Undoing stopped after this many statements. The next `down` resumes there.
    UndoStoppedAfter(u32),
    /// SQL that is not a migration stopped after this many statements, which are committed.
    DoneUpTo(u32),
    /// The connection was lost. `status` shows what the database has.
    Unknown,
    /// COMMIT got no answer: either everything or nothing took effect. `status` shows which.
    CommitUnknown,
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = describe(&self.source);
        match self.aftermath {
            Aftermath::StillApplied | Aftermath::UndoStoppedAfter(_) => writeln!(
                f,
                "line {} of the reverse migration of {}, which `migrate down --dry-run` prints: {source}",
                self.line, self.migration
            )?,
            _ => writeln!(f, "{}:{}: {source}", self.file.display(), self.line)?,
        }
        writeln!(f, "  in: {}", self.statement)?;
        if let Some(hint) = self.source.as_db_error().and_then(advice) {
            writeln!(f, "  help: {hint}")?;
        }
        match self.aftermath {
            Aftermath::RolledBack => {
                write!(f, "  {} was rolled back and left nothing; correct it and deploy again", self.migration)
            }
            Aftermath::StoppedAfter(done) => write!(
                f,
                "  {} stopped after {done} of its statements; correct the rest and deploy again: it resumes there",
                self.migration
            ),
            Aftermath::StillApplied => write!(f, "  nothing of {} was undone", self.migration),
            Aftermath::UndoStoppedAfter(done) => write!(
                f,
                "  undoing {} stopped after {done} of its statements; remove the cause and run down again: it resumes there",
                self.migration
            ),
            Aftermath::DoneUpTo(0) => write!(f, "  nothing was changed"),
            Aftermath::DoneUpTo(1) => write!(f, "  the statement of the segments before is committed"),
            Aftermath::DoneUpTo(done) => write!(f, "  the {done} statements of the segments before are committed"),
            Aftermath::Unknown => write!(f, "  the connection was lost; run status to see what the database has"),
            Aftermath::CommitUnknown => write!(
                f,
                "  COMMIT got no answer, so {} may have taken effect or not; run `migrate status`: if it has, nothing is \
                 left to do, otherwise run this again",
                self.migration
            ),
        }
    }
}

/// The place of a failure in a migration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'m> {
    /// Before its first statement.
    Begin,
    Statement(&'m Statement),
    /// When its row was written.
    History,
    /// At the end, when deferred constraints are checked.
    Commit,
}

impl StatementError {
    pub(super) fn new(
        migration: &Migration,
        place: Place<'_>,
        aftermath: Aftermath,
        source: tokio_postgres::Error,
    ) -> Self {
        let last_line = || migration.script().statements().last().map_or(1, |last| last.line);
        let (line, excerpt) = match place {
            Place::Begin => (1, "BEGIN".to_owned()),
            Place::Statement(statement) => (failing_line(statement, &source), shorten(&statement.sql)),
            Place::History => (last_line(), "the history row".to_owned()),
            Place::Commit => (last_line(), "COMMIT".to_owned()),
        };
        Self {
            migration: migration.name().to_owned(),
            file: migration.file().to_owned(),
            line,
            statement: excerpt,
            aftermath: match place {
                Place::Commit if is_lost(&source) => Aftermath::CommitUnknown,
                _ if source.is_closed() => Aftermath::Unknown,
                _ => aftermath,
            },
            source,
        }
    }
}

/// Returns whether the session ended without an answer. A server that stops may announce that before it answers.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    let stops = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];
    error.as_db_error().is_none_or(|error| stops.contains(error.code()))
}

/// Returns the line of PostgreSQL's error position, which counts characters.
fn failing_line(statement: &Statement, error: &tokio_postgres::Error) -> u32 {
    let Some(ErrorPosition::Original(position)) = error.as_db_error().and_then(DbError::position) else {
        return statement.line;
    };
    let characters = usize::try_from(*position).unwrap_or(1).saturating_sub(1);
    let offset = statement.sql.char_indices().nth(characters).map_or(0, |(offset, _)| offset);
    statement.line + line_of(&statement.sql, offset) - 1
}

/// Returns the first line of a statement without passwords, with a mark if there is more.
fn shorten(sql: &str) -> String {
    const WIDTH: usize = 120;
    let sql = without_passwords(sql);
    let first = sql.lines().next().unwrap_or_default();
    let short: String = first.chars().take(WIDTH).collect();
    if short.len() < sql.trim_end().len() { format!("{short} ..") } else { short }
}

/// Replaces `PASSWORD 'secret'` by `PASSWORD '***'`.
fn without_passwords(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let (mut copied, mut after_password) = (0, false);
    for token in tokens(sql) {
        let is_string = token.is_string() || token.kind == TokenKind::Unterminated(Unterminated::String);
        if after_password && is_string {
            text.push_str(&sql[copied..token.start]);
            text.push_str("'***'");
            copied = token.end;
        }
        after_password = token.is_word(sql, "password");
    }
    text.push_str(&sql[copied..]);
    text
}

/// Returns the server's error with its SQLSTATE, in one line. tokio-postgres itself says only "db error".
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
            for more in [db.detail(), db.hint()].into_iter().flatten() {
                text.push_str("; ");
                text.push_str(more);
            }
            text
        }
        None if error.is_closed() => "the connection to the database was lost".to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// Returns what to do about errors whose text does not say it.
fn advice(error: &DbError) -> Option<&'static str> {
    let code = error.code();
    Some(if *code == SqlState::ACTIVE_SQL_TRANSACTION {
        "put `-- relata:segment outside` on a line before it: it cannot run in a transaction"
    } else if *code == SqlState::UNSAFE_NEW_ENUM_VALUE_USAGE {
        "a new enum value can be used once it is committed: put `-- relata:segment transactional` on a line before \
         this statement"
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        "other sessions kept the table locked through all attempts; deploy again when it is less busy"
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "connect as the owner of the tables, or have the privilege granted"
    } else if *code == SqlState::DEPENDENT_OBJECTS_STILL_EXIST
        || (*code == SqlState::FEATURE_NOT_SUPPORTED && error.message().starts_with("cannot alter type of a column"))
    {
        "drop the view, policy, trigger or other object that uses it in a statement before this one, and make it again \
         after it, in the same migration"
    } else if *code == SqlState::UNDEFINED_OBJECT && error.message().starts_with("type ") {
        "create the type in a statement before this one: a schema only names its domains"
    } else if *code == SqlState::NOT_NULL_VIOLATION {
        "rows without a value exist: give the column a default, or fill it in an earlier statement; if this statement adds \
         it, add it without NOT NULL, fill it, and then set NOT NULL"
    } else if *code == SqlState::UNIQUE_VIOLATION {
        "rows with equal keys exist: remove the duplicates first"
    } else if *code == SqlState::FOREIGN_KEY_VIOLATION {
        "rows reference rows that do not exist: remove or correct them first"
    } else {
        return None;
    })
}

fn taken_by(holder: Option<&LeaseHolder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" ({} has it now)", holder.runner))
}

struct Lines<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Lines<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  - {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_holds_no_password() {
        assert_eq!(shorten("CREATE ROLE r PASSWORD 'hunter2' LOGIN"), "CREATE ROLE r PASSWORD '***' LOGIN");
        assert_eq!(shorten("SELECT 1,\n2"), "SELECT 1, ..");
        assert_eq!(shorten(&"x".repeat(200)).len(), 123);
        assert_eq!(shorten("SELECT 'password', 'kept'"), "SELECT 'password', 'kept'");
    }
}
