//! What can go wrong, as types to match on.
//!
//! No message here shows a parameter's value or a password: see `message`.

mod citus;
mod fixed;
mod http;
mod message;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use message::STALE_PLAN;
use tokio_postgres::error::{DbError, SqlState};

use crate::meta::{Relation, Table};
use crate::value::{Refused, RefusedKind};

/// What takes too long in [`Error::Timeout`] if the server does not answer.
pub(crate) const CONNECTING: &str = "connecting to PostgreSQL";

/// The result of all calls that talk to the database.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of a query, a transaction or a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row with these values already exists (SQLSTATE 23505).
    #[error("a unique value is already taken: {0}")]
    UniqueViolation(ConstraintViolation),
    /// A referenced row does not exist, or a row is still referenced and cannot be deleted (SQLSTATE 23503, 23001).
    #[error("a referenced row does not exist, or is still referenced: {0}")]
    ForeignKeyViolation(ConstraintViolation),
    /// A required column has no value (SQLSTATE 23502).
    #[error("a required value is missing: {0}")]
    NotNullViolation(ConstraintViolation),
    /// A check failed (SQLSTATE 23514).
    #[error("a check refused the row: {0}")]
    CheckViolation(ConstraintViolation),
    /// Another row excludes this one (SQLSTATE 23P01).
    #[error("another row excludes this one: {0}")]
    ExclusionViolation(ConstraintViolation),
    /// No row matched.
    #[error("no {model} with this key{}: nothing was {operation}", for_relation(*relation))]
    NotFound {
        /// The model that was searched; for a query file without a model, the name of the query.
        model: &'static str,
        /// Why the row was looked up.
        operation: Lookup,
        /// The relation that led to the row, for rows that were connected, or written in a nested write. `None` if the
        /// call named the row itself.
        relation: Option<&'static str>,
    },
    /// A serialization failure or a deadlock (SQLSTATE 40001, 40P01): the transaction can be run again.
    #[error("the transaction collided with another one and was rolled back ({sqlstate}); it can be run again")]
    Serialization {
        /// 40001 or 40P01. Shared, so that a transaction knows whether this error ended it.
        sqlstate: Arc<str>,
    },
    /// A time limit passed.
    #[error("{what} took longer than {limit:?}")]
    Timeout {
        /// The operation that took too long.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The pool had no connection in time.
    #[error(
        "no connection became free in {limit:?}: all {in_use} of {max_size} are in use, {waiting} tasks wait; \
         raise max_connections, or look for transactions that stay open"
    )]
    PoolTimeout {
        /// The limit.
        limit: Duration,
        /// The maximum number of connections of the pool.
        max_size: usize,
        /// The number of connections in use.
        in_use: usize,
        /// The number of tasks that wait for one.
        waiting: usize,
    },
    /// The database cannot be reached, or refuses the connection.
    #[error("cannot connect to PostgreSQL at {target}: {reason}")]
    Connect {
        /// Host and database, without a password.
        target: String,
        /// The reason, and what to do.
        reason: String,
    },
    /// The connection string, or another setting, is wrong.
    #[error("{0}")]
    Config(String),
    /// The schema has `rowSecurity`, but PostgreSQL does not apply it to the role of the connection.
    #[error("row security is not in effect: {0}")]
    RowSecurity(String),
    /// The connection broke.
    #[error("the connection to PostgreSQL was lost: {0}")]
    ConnectionLost(String),
    /// The connection broke during COMMIT: it is unknown whether the transaction was committed.
    #[error("the connection was lost during COMMIT: the transaction may or may not be in the database")]
    CommitUnknown,
    /// The transaction has already been committed or rolled back.
    #[error("this transaction is finished: it was committed or rolled back before")]
    TransactionFinished,
    /// A statement failed and its error was ignored: PostgreSQL undoes the whole transaction, or the savepoint that the
    /// statement belongs to.
    #[error(
        "a statement of this transaction or savepoint failed before, and nothing of it was kept; \
         run what may fail in a savepoint of its own"
    )]
    TransactionFailed,
    /// A row changed between the statement that read it and the statement that read its relations.
    #[error(
        "{model} changed while it was read: its `{relation}` is gone; \
         read in a transaction with isolation RepeatableRead to see one state"
    )]
    ChangedWhileReading {
        /// The model that was read.
        model: &'static str,
        /// The relation whose row is missing.
        relation: &'static str,
    },
    /// A text that is not a page token.
    #[error("this is not a page token")]
    InvalidPageToken,
    /// A page token of a query with another order or model.
    #[error("this page token belongs to a query with another order: start again without a token")]
    ForeignPageToken,
    /// A value that its column, or a notification, cannot hold. Nothing was sent.
    #[error("{0}")]
    InvalidValue(Cow<'static, str>),
    /// A filter, an order, JSON or a nested write that is nested too deep, or too many parameters. Nothing was sent.
    #[error("{0}")]
    TooComplex(Cow<'static, str>),
    /// Row locks and advisory locks outside a transaction would end with their statement.
    #[error(
        "this lock lasts until the end of a transaction, and there is none: \
         run the call in one that `begin` or `transaction` started"
    )]
    LockOutsideTransaction,
    /// The columns or rows that a statement returned do not fit the type that they are read as.
    #[error("{0}")]
    RowMismatch(Cow<'static, str>),
    /// A mistake in the program. The text says what to do.
    #[error("{0}")]
    Misuse(Cow<'static, str>),
    /// An error of the program, from a hook or from the closure of a transaction: see [`Error::custom`].
    #[error("{0}")]
    Custom(Box<dyn std::error::Error + Send + Sync>),
    /// Something that cannot happen: a bug in Relata. Please report it.
    #[error("this is a bug in Relata: {0}")]
    Internal(&'static str),
    /// A value that came from the database does not fit the schema.
    #[error(
        "column {column} of {model}: {reason} (`codegen migrate status` tells whether the database matches the schema)"
    )]
    Decode {
        /// The model.
        model: &'static str,
        /// The column.
        column: String,
        /// The problem, without the value.
        reason: String,
    },
    /// A write was committed, but its answer cannot be read, for this reason. Running it again would write twice. In a
    /// transaction of the program, which is not committed yet, the reason is returned by itself.
    #[error("the write was committed, but its answer cannot be read: {0}")]
    Committed(Box<Error>),
    /// Any other answer of the database.
    #[error("{0}")]
    Database(Box<DatabaseError>),
}

/// A violated constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintViolation {
    /// The model whose row was refused. That of the call, if the row is one of a table without a relation to it, which a
    /// trigger may have written.
    pub model: &'static str,
    /// The table.
    pub table: String,
    /// The constraint's name in PostgreSQL; empty for a not-null violation.
    pub constraint: String,
    /// Its columns, as far as the schema knows them.
    pub columns: Vec<String>,
    /// The SQLSTATE.
    pub sqlstate: String,
}

impl fmt::Display for ConstraintViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.model, self.columns.join(", "))?;
        if !self.constraint.is_empty() {
            write!(f, ", constraint {}", self.constraint)?;
        }
        write!(f, ", SQLSTATE {}", self.sqlstate)
    }
}

/// An error of the database without a variant of its own.
///
/// Neither `Display` nor `Debug` shows values that PostgreSQL may have quoted: see
/// [`server_message`](Self::server_message).
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseError {
    /// The SQLSTATE.
    pub sqlstate: String,
    /// PostgreSQL's primary message if it cannot contain a value, otherwise the meaning of the SQLSTATE.
    pub message: String,
    /// The model of the query; `None` for BEGIN, COMMIT and similar statements.
    pub model: Option<&'static str>,
    /// The table that PostgreSQL names, if it names one.
    pub table: Option<String>,
    /// The column that PostgreSQL names, if it names one.
    pub column: Option<String>,
    /// The constraint that PostgreSQL names, if it names one.
    pub constraint: Option<String>,
    server_message: String,
}

impl DatabaseError {
    fn new(error: &DbError, model: Option<&'static str>) -> Self {
        Self {
            sqlstate: error.code().code().to_owned(),
            message: message::safe_message(error),
            model,
            table: error.table().map(str::to_owned),
            column: error.column().map(str::to_owned),
            constraint: error.constraint().map(str::to_owned),
            server_message: error.message().to_owned(),
        }
    }

    /// Returns PostgreSQL's primary message unchanged, for example that of a `RAISE EXCEPTION` in a trigger.
    ///
    /// It may quote values of parameters and rows, so do not log it where those must not appear.
    pub fn server_message(&self) -> &str {
        &self.server_message
    }
}

impl fmt::Debug for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseError")
            .field("sqlstate", &self.sqlstate)
            .field("message", &self.message)
            .field("model", &self.model)
            .field("table", &self.table)
            .field("column", &self.column)
            .field("constraint", &self.constraint)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgreSQL refused ")?;
        match self.model {
            Some(model) => write!(f, "a query on {model}")?,
            None => f.write_str("a statement")?,
        }
        write!(f, ": {}", self.message)?;
        for (what, name) in [("table", &self.table), ("column", &self.column), ("constraint", &self.constraint)] {
            if let Some(name) = name {
                write!(f, ", {what} {name}")?;
            }
        }
        write!(f, " (SQLSTATE {})", self.sqlstate)
    }
}

/// Why a row was looked up, in [`Error::NotFound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lookup {
    /// To read it.
    Find,
    /// To update it.
    Update,
    /// To delete it.
    Delete,
    /// To connect it to another row: the referenced row is missing.
    Connect,
    /// To disconnect it from another row.
    Disconnect,
    /// To return it after its creation: the database did not store the row, for example because of a trigger.
    Create,
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookup::Find => "found",
            Lookup::Update => "updated",
            Lookup::Delete => "deleted",
            Lookup::Connect => "connected",
            Lookup::Disconnect => "disconnected",
            Lookup::Create => "created",
        })
    }
}

fn for_relation(relation: Option<&'static str>) -> String {
    relation.map_or_else(String::new, |relation| format!(" for the relation `{relation}`"))
}

impl Error {
    /// Wraps an error of the program itself, to return it from a hook or from the closure of a transaction.
    ///
    /// ```
    /// let error = relata::Error::custom("the class of 2028 is full");
    /// assert_eq!(error.to_string(), "the class of 2028 is full");
    /// ```
    pub fn custom(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Custom(error.into())
    }

    /// Creates the error for a row that the call itself named.
    pub(crate) fn not_found(model: &'static str, operation: Lookup) -> Self {
        Error::NotFound { model, operation, relation: None }
    }

    /// Creates the error for a row on the other side of a relation.
    pub(crate) fn not_related(relation: &Relation, operation: Lookup) -> Self {
        Error::NotFound { model: relation.child.name, operation, relation: Some(relation.name) }
    }

    /// Adds the relation that led to the row.
    pub(crate) fn through(self, relation: &Relation) -> Self {
        match self {
            Error::NotFound { model, operation, relation: None } => {
                Error::NotFound { model, operation, relation: Some(relation.name) }
            }
            error => error,
        }
    }

    /// Returns the SQLSTATE, if the database returned one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Error::UniqueViolation(violation)
            | Error::ForeignKeyViolation(violation)
            | Error::NotNullViolation(violation)
            | Error::CheckViolation(violation)
            | Error::ExclusionViolation(violation) => Some(&violation.sqlstate),
            Error::Serialization { sqlstate } => Some(sqlstate),
            Error::Database(error) => Some(&error.sqlstate),
            _ => None,
        }
    }

    /// Returns the name of the variant, for traces, counters and the answers of a web service.
    ///
    /// ```
    /// assert_eq!(relata::Error::InvalidPageToken.kind(), "InvalidPageToken");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Error::UniqueViolation(_) => "UniqueViolation",
            Error::ForeignKeyViolation(_) => "ForeignKeyViolation",
            Error::NotNullViolation(_) => "NotNullViolation",
            Error::CheckViolation(_) => "CheckViolation",
            Error::ExclusionViolation(_) => "ExclusionViolation",
            Error::NotFound { .. } => "NotFound",
            Error::Serialization { .. } => "Serialization",
            Error::Timeout { .. } => "Timeout",
            Error::PoolTimeout { .. } => "PoolTimeout",
            Error::Connect { .. } => "Connect",
            Error::Config(_) => "Config",
            Error::RowSecurity(_) => "RowSecurity",
            Error::ConnectionLost(_) => "ConnectionLost",
            Error::CommitUnknown => "CommitUnknown",
            Error::TransactionFinished => "TransactionFinished",
            Error::TransactionFailed => "TransactionFailed",
            Error::ChangedWhileReading { .. } => "ChangedWhileReading",
            Error::InvalidPageToken => "InvalidPageToken",
            Error::ForeignPageToken => "ForeignPageToken",
            Error::InvalidValue(_) => "InvalidValue",
            Error::TooComplex(_) => "TooComplex",
            Error::LockOutsideTransaction => "LockOutsideTransaction",
            Error::RowMismatch(_) => "RowMismatch",
            Error::Misuse(_) => "Misuse",
            Error::Custom(_) => "Custom",
            Error::Internal(_) => "Internal",
            Error::Decode { .. } => "Decode",
            Error::Committed(_) => "Committed",
            Error::Database(_) => "Database",
        }
    }

    /// Returns whether a time limit passed: one of the client, or of the server for a statement (SQLSTATE 57014) or a
    /// lock (55P03).
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::PoolTimeout { .. })
            || matches!(self.sqlstate(), Some("57014" | "55P03"))
    }

    /// Returns whether the transaction can be run again unchanged: a serialization failure or a deadlock.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Serialization { .. })
    }

    /// Returns whether a table or type has changed since the statement was prepared. It was not executed.
    pub(crate) fn is_stale_plan(&self) -> bool {
        match self {
            Error::Database(error) => {
                error.sqlstate == SqlState::INVALID_SQL_STATEMENT_NAME.code()
                    || (error.sqlstate == SqlState::FEATURE_NOT_SUPPORTED.code()
                        && error.message == STALE_PLAN)
                    // For a dropped type; PostgreSQL never translates this message.
                    || (error.sqlstate == SqlState::INTERNAL_ERROR.code()
                        && error.server_message.starts_with("cache lookup failed for type"))
            }
            _ => false,
        }
    }

    /// Returns whether PostgreSQL refused to write in a transaction that only reads, as all of a standby do.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self, Error::Database(error) if error.sqlstate == SqlState::READ_ONLY_SQL_TRANSACTION.code())
    }

    /// Returns whether the server of a read or the way to it is lost, so that another one may have the answer: SQLSTATE
    /// 57P01, 57P02 and 57P03 are those of a server that stops or starts.
    pub(crate) fn is_lost_server(&self) -> bool {
        match self {
            Error::Connect { .. } | Error::ConnectionLost(_) | Error::CommitUnknown => true,
            Error::Timeout { what, .. } => *what == CONNECTING,
            Error::Database(error) => error.sqlstate.starts_with("57P") || error.sqlstate.starts_with("08"),
            _ => false,
        }
    }

    /// Returns whether a standby refuses what its primary may do: to write, or to name what a migration has just
    /// created.
    pub(crate) fn is_of_standby(&self) -> bool {
        let known = ["25006", "42P01", "42703", "42704", "42883"];
        self.is_read_only() || matches!(self, Error::Database(error) if known.contains(&error.sqlstate.as_str()))
    }

    /// Returns whether PostgreSQL refused a statement, or the format of its parameters, before anything ran.
    pub(crate) fn is_wrong_statement(&self) -> bool {
        matches!(self, Error::Database(error) if error.sqlstate.starts_with("42") || error.sqlstate == "22P03")
    }

    /// Converts an error while reading the answer of a committed write. If there is no row, nothing was written.
    #[cold]
    pub(crate) fn after_commit(self) -> Self {
        match self {
            error @ (Error::NotFound { .. } | Error::Committed(_)) => error,
            error => Error::Committed(Box::new(error)),
        }
    }

    /// Converts the driver's error about a statement on `table`.
    pub(crate) fn from_driver(error: &tokio_postgres::Error, table: &'static Table) -> Self {
        match error.as_db_error() {
            Some(database) => from_database(database, table),
            None => from_connection(error),
        }
    }
}

/// Converts an error that is not an answer of the database.
pub(crate) fn from_connection(error: &tokio_postgres::Error) -> Error {
    if let Some(database) = error.as_db_error() {
        if is_collision(database.code()) {
            return Error::Serialization { sqlstate: database.code().code().into() };
        }
        return Error::Database(Box::new(DatabaseError::new(database, None)));
    }
    if error.is_closed() {
        return Error::ConnectionLost("it is closed".to_owned());
    }
    let source = std::error::Error::source(error);
    if let Some(Refused { reason, kind }) = source.and_then(|source| source.downcast_ref()) {
        let reason = Cow::Borrowed(*reason);
        return match kind {
            RefusedKind::TooComplex => Error::TooComplex(reason),
            RefusedKind::Invalid => Error::InvalidValue(reason),
            RefusedKind::Misuse => Error::Misuse(reason),
        };
    }
    match source.map(ToString::to_string) {
        Some(reason) if error.to_string().contains("serializing parameter") => {
            Error::InvalidValue(format!("a parameter does not fit its column: {reason}").into())
        }
        Some(reason) => Error::ConnectionLost(reason),
        None => Error::ConnectionLost(error.to_string()),
    }
}

fn from_database(error: &DbError, table: &'static Table) -> Error {
    let code = error.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        Error::UniqueViolation(violation(error, table))
    } else if *code == SqlState::FOREIGN_KEY_VIOLATION || *code == SqlState::RESTRICT_VIOLATION {
        Error::ForeignKeyViolation(violation(error, table))
    } else if *code == SqlState::NOT_NULL_VIOLATION {
        Error::NotNullViolation(violation(error, table))
    } else if *code == SqlState::CHECK_VIOLATION {
        Error::CheckViolation(violation(error, table))
    } else if *code == SqlState::EXCLUSION_VIOLATION {
        Error::ExclusionViolation(violation(error, table))
    } else if is_collision(code) {
        Error::Serialization { sqlstate: code.code().into() }
    } else {
        Error::Database(Box::new(DatabaseError::new(error, Some(table.name))))
    }
}

fn is_collision(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
}

fn violation(error: &DbError, table: &'static Table) -> ConstraintViolation {
    let of_shard = match error.constraint() {
        None => citus::constraint(error.message(), table),
        Some(_) => None,
    };
    let constraint = error.constraint().or(of_shard.map(|(_, name)| name)).unwrap_or_default();
    let named = error.table().or(of_shard.map(|(table, _)| table.bare_name())).unwrap_or_default();
    let mut tables = std::iter::once(table).chain(table.relations.iter().map(|relation| relation.child));
    let refused = tables.clone().find(|table| table.bare_name() == named).unwrap_or(table);
    let known =
        tables.find_map(|table| Some((table, table.constraints.iter().find(|known| known.name == constraint)?)));
    let is_required = *error.code() == SqlState::NOT_NULL_VIOLATION;
    let column = error.column().or_else(|| citus::column(error.message(), table).filter(|_| is_required));
    let (model, columns) = match (known, column) {
        (Some((table, known)), _) => (table.name, known.columns.iter().map(ToString::to_string).collect()),
        (None, Some(column)) => (refused.name, vec![column.to_owned()]),
        (None, None) => (refused.name, Vec::new()),
    };
    ConstraintViolation {
        model,
        table: named.to_owned(),
        constraint: constraint.to_owned(),
        columns,
        sqlstate: error.code().code().to_owned(),
    }
}
