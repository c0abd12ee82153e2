//! One call of the client, as data. Nothing here is generic: types appear only when results are read.

use std::sync::Arc;

use super::aggregation::Aggregation;
use super::bulk::{BulkOptions, NewRows, Returned};
use super::condition::Condition;
use super::outcome::Outcome;
use super::query_file::SqlCall;
use super::scope::Removal;
use super::select::Select;
use super::tenant::Tenant;
use super::upsert::UpsertRows;
use super::write::{Insert, Key, NestedWrite, Refusal, Sets};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::value::Param;

/// A query that can be part of a batch: every builder of the client.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a query that can be batched")]
pub trait Query: Sized {
    /// The type of its result.
    type Output: Send + 'static;

    /// Which clients can send it: for rustc.
    #[doc(hidden)]
    type Confinement;

    /// For the runtime: the query as data.
    #[doc(hidden)]
    fn into_parts(self) -> Parts<Self::Output>;

    /// For the runtime: the tenant of the handle that the query began with; `None` if it began with no handle.
    #[doc(hidden)]
    fn tenant(&self) -> Option<Option<Arc<Tenant>>>;
}

/// A query as data, and the function that reads its outcome.
pub struct Parts<T> {
    pub(crate) operation: Operation,
    pub(crate) finish: fn(Outcome) -> Result<T>,
}

impl<T> std::fmt::Debug for Parts<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// One call of the client.
#[derive(Debug)]
pub(crate) enum Operation {
    /// Boxed by the builder, which is moved by every call on it.
    Read(Box<Select>),
    Count {
        table: &'static Table,
        condition: Condition,
    },
    Exists {
        table: &'static Table,
        condition: Condition,
    },
    Aggregate(Box<Aggregation>),
    Create(Insert),
    CreateMany {
        table: &'static Table,
        rows: NewRows,
        options: BulkOptions,
    },
    Update {
        table: &'static Table,
        condition: Condition,
        sets: Sets,
        nested: Vec<NestedWrite>,
    },
    UpdateMany {
        table: &'static Table,
        condition: Condition,
        sets: Sets,
        limit: Option<u64>,
        returning: bool,
    },
    Upsert {
        row: Insert,
        key: Vec<(u16, Param)>,
        sets: Sets,
    },
    UpsertMany(Box<UpsertRows>),
    /// Changes rows by their keys, each in its own way.
    UpdateEach {
        table: &'static Table,
        changes: Vec<(Key, Sets)>,
        returning: bool,
    },
    Delete {
        table: &'static Table,
        condition: Condition,
        removal: Removal,
    },
    DeleteMany {
        table: &'static Table,
        condition: Condition,
        limit: Option<u64>,
        removal: Removal,
    },
    Returning(Box<Returning>),
    /// Stores the rows of a materialized view again.
    Refresh {
        table: &'static Table,
        concurrently: bool,
    },
    Sql(SqlCall),
    Refused(String),
}

impl Operation {
    /// Returns the operation, and leaves one that is refused in its place.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Operation::Refused(String::new()))
    }

    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self {
            Operation::Read(select) => Some(select.table),
            Operation::Aggregate(aggregation) => Some(aggregation.select.table),
            Operation::Create(row) | Operation::Upsert { row, .. } => Some(row.table),
            Operation::UpsertMany(call) => Some(call.table),
            Operation::Count { table, .. }
            | Operation::Exists { table, .. }
            | Operation::CreateMany { table, .. }
            | Operation::Update { table, .. }
            | Operation::UpdateMany { table, .. }
            | Operation::UpdateEach { table, .. }
            | Operation::Delete { table, .. }
            | Operation::DeleteMany { table, .. }
            | Operation::Refresh { table, .. } => Some(table),
            Operation::Returning(returning) => Some(returning.then.table),
            Operation::Sql(call) => Some(call.table()),
            Operation::Refused(_) => None,
        }
    }

    /// Returns the operation's name for traces.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Operation::Read(select) if select.single => "find_one",
            Operation::Read(_) => "find_many",
            Operation::Count { .. } => "count",
            Operation::Exists { .. } => "exists",
            Operation::Aggregate(aggregation) if aggregation.group_by.is_empty() => "aggregate",
            Operation::Aggregate(_) => "group_by",
            Operation::Create(_) => "create",
            Operation::CreateMany { .. } => "create_many",
            Operation::Update { .. } => "update",
            Operation::UpdateMany { .. } => "update_many",
            Operation::Upsert { .. } => "upsert",
            Operation::UpsertMany(_) => "upsert_many",
            Operation::UpdateEach { .. } => "update_each",
            Operation::Delete { .. } => "delete",
            Operation::DeleteMany { .. } => "delete_many",
            Operation::Returning(returning) => returning.write.name(),
            Operation::Refresh { .. } => "refresh",
            Operation::Sql(call) if call.gives_rows() => "query",
            Operation::Sql(_) => "execute",
            Operation::Refused(_) => "refused",
        }
    }

    /// Returns whether it is an error if there is no row.
    pub(crate) fn must_find(&self) -> bool {
        match self {
            Operation::Read(select) => select.required,
            Operation::Update { .. } | Operation::Delete { .. } => true,
            Operation::Returning(returning) => returning.write.must_find(),
            Operation::Sql(call) => call.alone,
            _ => false,
        }
    }

    /// Returns whether it changes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(
            self,
            Operation::Read(_) | Operation::Count { .. } | Operation::Exists { .. } | Operation::Aggregate(_)
        )
    }

    /// Returns the same read again; `None` if it may write.
    pub(crate) fn repeated(&self) -> Option<Self> {
        Some(match self {
            Operation::Read(select) => Operation::Read(select.clone()),
            Operation::Count { table, condition } => Operation::Count { table, condition: condition.clone() },
            Operation::Exists { table, condition } => Operation::Exists { table, condition: condition.clone() },
            Operation::Aggregate(aggregation) => Operation::Aggregate(aggregation.clone()),
            Operation::Sql(call) if !call.writes() => Operation::Sql(call.clone()),
            _ => return None,
        })
    }

    /// Returns whether it may change something.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Operation::Sql(call) => call.writes(),
            _ => !self.only_reads(),
        }
    }

    /// Returns whether it locks the rows that it reads.
    pub(crate) fn locks_rows(&self) -> bool {
        matches!(self, Operation::Read(select) if select.lock.is_some())
    }

    /// Returns whether its result is the number of rows that its statement wrote.
    pub(crate) fn counts_written_rows(&self) -> bool {
        match self {
            Operation::UpdateMany { returning, .. } | Operation::UpdateEach { returning, .. } => !returning,
            Operation::CreateMany { options, .. } => options.returned == Returned::Count,
            Operation::UpsertMany(call) => !call.returning,
            Operation::DeleteMany { .. } | Operation::Refresh { .. } => true,
            Operation::Sql(call) => !call.gives_rows(),
            _ => false,
        }
    }

    /// Returns a mistake that was found before anything was sent.
    pub(crate) fn refused(&self) -> Option<Error> {
        match self {
            Operation::Refused(reason) => Some(Error::Misuse(reason.clone().into())),
            Operation::Read(select) => select.refused_page().or_else(|| select.refused_lock()),
            Operation::Create(row) | Operation::Upsert { row, .. } => row.refused.map(Refusal::into_error),
            Operation::Update { nested, .. } => nested.iter().find_map(|write| write.refused).map(Refusal::into_error),
            Operation::CreateMany { rows, .. } => rows.refused().map(Refusal::into_error),
            Operation::UpsertMany(call) => call.refused(),
            Operation::Returning(returning) => returning.write.refused(),
            _ => None,
        }
    }
}

/// A write, and how its row is read. `then` has no conditions.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(crate) write: Operation,
    pub(crate) then: Select,
}
