//! One recorded change.

use std::fmt;

use chrono::{DateTime, Utc};

use super::Audited;
use super::decode::read;
use crate::dsl::Field;
use crate::dsl::kind::{Arity, Source, Uniqueness};
use crate::error::{Error, Result};
use crate::meta::{Column, Table};
use crate::rows::{FromRawRow, RawRow};
use crate::value::{List, Scalar};

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// A row was inserted.
    Insert,
    /// A row was updated. A soft delete is an update, too.
    Update,
    /// A row was deleted, also by a cascade.
    Delete,
    /// The table was emptied by TRUNCATE. Such a change has no key and no values.
    Truncate,
}

impl ChangeKind {
    /// Returns the word in the table of changes.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Insert => "insert",
            ChangeKind::Update => "update",
            ChangeKind::Delete => "delete",
            ChangeKind::Truncate => "truncate",
        }
    }

    fn of(word: &str) -> Result<Self> {
        let all = [ChangeKind::Insert, ChangeKind::Update, ChangeKind::Delete, ChangeKind::Truncate];
        let found = all.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| Error::RowMismatch("a recorded change is of a kind that this version does not know".into()))
    }
}

/// A recorded change of one row.
///
/// An update has the columns that it changed, an insert those of the new row, and a deletion those of the old one. Columns
/// with `@sensitive` are there, but their values are not.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Its number. Numbers increase, but a transaction that takes longer may commit a smaller one later.
    pub id: i64,
    /// When the statement began.
    pub at: DateTime<Utc>,
    /// The number of the transaction, in this database server.
    pub transaction: i64,
    /// The schema of the table.
    pub schema: String,
    /// The name of the table in PostgreSQL.
    pub table: String,
    /// What it did.
    pub kind: ChangeKind,
    /// Who did it, if the client said so: see [`acting_as`](crate::Client::acting_as).
    pub actor: Option<String>,
    /// The role in PostgreSQL.
    pub role: String,
    key: Values,
    old: Values,
    new: Values,
}

/// Columns, each with its value in JSON.
type Values = Vec<(String, String)>;

/// The value of a masked column.
const MASK: &str = "\"***\"";

/// Does not show values, and not who changed them.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns().collect();
        f.debug_struct("Change")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("table", &self.table)
            .field("kind", &self.kind)
            .field("columns", &columns)
            .finish_non_exhaustive()
    }
}

impl Change {
    /// Returns whether it is a change of this model.
    pub fn is_of<M: Audited>(&self) -> bool {
        let table = M::table();
        table.bare_name() == self.table && table.schema().is_none_or(|schema| schema == self.schema)
    }

    /// Returns the names of the columns that it changed, as PostgreSQL has them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let values = if self.new.is_empty() { &self.old } else { &self.new };
        values.iter().map(|(name, _)| name.as_str())
    }

    /// Returns whether it changed the column: whether the update set another value, or the row was inserted or deleted.
    ///
    /// # Panics
    /// Never. A change of another model did not change the column.
    pub fn changed<M: Audited, T, A: Arity, U: Uniqueness, S: Source>(&self, field: Field<M, T, A, U, S>) -> bool {
        let name = column(M::table(), field.column).map(|column| column.name);
        self.is_of::<M>() && self.columns().any(|column| Some(column) == name)
    }

    /// Returns whether the column changed and its value is not recorded, because it has `@sensitive`.
    pub fn is_masked<M: Audited, T, A: Arity, U: Uniqueness, S: Source>(&self, field: Field<M, T, A, U, S>) -> bool {
        let name = column(M::table(), field.column).map(|column| column.name).unwrap_or_default();
        let is_mask = |values: &Values| find(values, name) == Some(MASK);
        let is_sensitive = column(M::table(), field.column).is_some_and(|column| column.sensitive);
        self.is_of::<M>() && is_sensitive && (is_mask(&self.old) || is_mask(&self.new))
    }

    /// Returns the value of a column before the change. `None` if it is not recorded: an update that did not change the
    /// column, or an insert.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is a change of another model, if the column has `@sensitive`, or if values of its type are
    /// read with [`before_json`](Self::before_json) only. [`Error::RowMismatch`] if the column had another type then.
    pub fn before<M, T, A, U, S>(&self, field: Field<M, T, A, U, S>) -> Result<Option<A::Values<T>>>
    where
        M: Audited,
        T: Scalar,
        A: Arity,
        U: Uniqueness,
        S: Source,
    {
        self.value::<M, T, A>(&self.old, field.column)
    }

    /// Returns the value of a column after the change. `None` if it is not recorded: an update that did not change the
    /// column, or a deletion.
    ///
    /// # Errors
    /// Like [`before`](Self::before).
    pub fn after<M, T, A, U, S>(&self, field: Field<M, T, A, U, S>) -> Result<Option<A::Values<T>>>
    where
        M: Audited,
        T: Scalar,
        A: Arity,
        U: Uniqueness,
        S: Source,
    {
        self.value::<M, T, A>(&self.new, field.column)
    }

    /// Returns the value of a column of the primary key, which every change of a row has.
    ///
    /// # Errors
    /// Like [`before`](Self::before).
    pub fn key<M, T, A, U, S>(&self, field: Field<M, T, A, U, S>) -> Result<Option<A::Values<T>>>
    where
        M: Audited,
        T: Scalar,
        A: Arity,
        U: Uniqueness,
        S: Source,
    {
        self.value::<M, T, A>(&self.key, field.column)
    }

    /// Returns the value of a column before the change as JSON, by the name of the column in PostgreSQL.
    pub fn before_json(&self, column: &str) -> Option<&str> {
        find(&self.old, column)
    }

    /// Returns the value of a column after the change as JSON, by the name of the column in PostgreSQL.
    pub fn after_json(&self, column: &str) -> Option<&str> {
        find(&self.new, column)
    }

    /// Returns the value of a column of the primary key as JSON, by the name of the column in PostgreSQL.
    pub fn key_json(&self, column: &str) -> Option<&str> {
        find(&self.key, column)
    }

    fn value<M: Audited, T: Scalar, A: Arity>(&self, values: &Values, number: u16) -> Result<Option<A::Values<T>>> {
        let (column, json) = match self.recorded(M::table(), self.is_of::<M>(), values, number)? {
            Some(found) => found,
            None => return Ok(None),
        };
        let (ty, raw) = read(column, json).map_err(|reason| mismatch(column, reason))?;
        let value = A::of_value::<T>(&ty, raw.as_deref());
        value.map(Some).map_err(|_| mismatch(column, "it is no value of its present type"))
    }

    /// Returns what is recorded of a column.
    fn recorded<'c>(
        &self,
        table: &'static Table,
        is_of: bool,
        values: &'c Values,
        number: u16,
    ) -> Result<Option<(&'static Column, &'c str)>> {
        let misuse = |text: String| Err(Error::Misuse(text.into()));
        if !is_of {
            return misuse(format!("this is a change of table `{}`, not of `{}`", self.table, table.name));
        }
        let Some(column) = column(table, number) else { return Ok(None) };
        let Some(json) = find(values, column.name) else { return Ok(None) };
        if column.sensitive {
            let name = column.name;
            return misuse(format!(
                "column `{name}` has `@sensitive`: `changed` tells whether it changed, not to what"
            ));
        }
        Ok(Some((column, json)))
    }
}

fn column(table: &'static Table, number: u16) -> Option<&'static Column> {
    table.columns.get(usize::from(number))
}

fn find<'v>(values: &'v Values, name: &str) -> Option<&'v str> {
    values.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str())
}

fn mismatch(column: &Column, reason: &str) -> Error {
    Error::RowMismatch(format!("the recorded value of column {} cannot be read: {reason}", column.name).into())
}

impl FromRawRow for Change {
    fn from_raw(row: &RawRow<'_>) -> Result<Self> {
        let values = |at: usize| -> Result<Values> {
            let list: List<String> = row.get(at)?;
            let mut parts = list.0.into_iter();
            Ok(std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect())
        };
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            transaction: row.get(2)?,
            schema: row.get(3)?,
            table: row.get(4)?,
            kind: ChangeKind::of(&row.get::<String>(5)?)?,
            key: values(6)?,
            old: values(7)?,
            new: values(8)?,
            actor: row.get(9)?,
            role: row.get(10)?,
        })
    }
}
