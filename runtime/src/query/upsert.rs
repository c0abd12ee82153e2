//! Many rows that are inserted, or that change the rows that already have their keys, as data.

use super::bulk::{NewRows, OnConflict};
use super::condition::Condition;
use super::write::{Action, Cell, Insert, Refusal, SetTo, Sets, push_set};
use crate::error::Error;
use crate::meta::Table;
use crate::value::Param;

/// Rows to insert, and what happens to rows that already have their keys.
#[derive(Debug)]
pub(crate) struct UpsertRows {
    pub(crate) table: &'static Table,
    pub(crate) rows: NewRows,
    /// The columns of the key.
    pub(crate) key: Vec<u16>,
    pub(crate) existing: Existing,
    pub(crate) returning: bool,
}

/// What happens to rows that already exist.
#[derive(Debug)]
pub(crate) enum Existing {
    /// They stay as they are.
    Stay,
    /// They get values.
    Change {
        /// The columns that get the values of the new row. Without any choice: all that the row gives, except for the keys.
        columns: Option<Vec<u16>>,
        /// Other new values.
        sets: Sets,
    },
}

const NEEDS_PLAIN_ROWS: &str = "upsert_many writes rows of one table: create related rows in separate calls";

impl UpsertRows {
    pub(crate) fn stays(&self) -> bool {
        matches!(self.existing, Existing::Stay)
    }

    /// Returns the columns that existing rows take from a new row that gives these.
    pub(crate) fn taken(&self, given: impl Iterator<Item = u16>) -> Vec<u16> {
        let Existing::Change { columns, sets } = &self.existing else { return Vec::new() };
        let is_set = |column: &u16| sets.iter().any(|(known, _)| known == column);
        let is_taken = |column: &u16| match columns {
            Some(columns) => columns.contains(column),
            None => sets.is_empty() && !self.key.contains(column) && !self.table.key.contains(column),
        };
        let mut taken: Vec<u16> = given.filter(|column| is_taken(column) && !is_set(column)).collect();
        taken.sort_unstable();
        taken
    }

    /// Returns what happens to existing rows if a new row gives these columns.
    pub(crate) fn on_conflict(&self, given: impl Iterator<Item = u16>) -> OnConflict {
        let key = self.key.clone();
        let Existing::Change { sets, .. } = &self.existing else { return OnConflict::SkipKey(key) };
        let mut all: Sets = self.taken(given).into_iter().map(|column| (column, SetTo::Excluded)).collect();
        sets.iter().for_each(|(column, to)| push_set(&mut all, *column, to.clone()));
        OnConflict::Update { key, sets: all, only_if: Condition::ALL }
    }

    /// Returns whether a row with the key may be one that the call must not change: that of another tenant, or one that a
    /// scope leaves out.
    pub(crate) fn may_meet_others(&self) -> bool {
        let may_be_deleted = self.table.soft_delete.is_some() && !self.table.is_live_key(&self.key);
        may_be_deleted
            || !self.table.scopes.is_empty()
            || self.table.tenancy.is_some_and(|tenancy| {
                !tenancy.path.is_empty() || !tenancy.is_key(&self.key) && !self.key.contains(&tenancy.column)
            })
    }

    /// Returns a mistake in the rows.
    pub(crate) fn refused(&self) -> Option<Error> {
        if let Some(refusal) = self.rows.refused() {
            return Some(Refusal::into_error(refusal));
        }
        let rows = match &self.rows {
            NewRows::Uniform(uniform) => return self.lacks_key(|column| uniform.given().any(|known| known == column)),
            NewRows::Any(rows) => rows,
        };
        if !rows.iter().all(is_plain) {
            return Some(Error::Misuse(NEEDS_PLAIN_ROWS.into()));
        }
        rows.iter().find_map(|row| self.lacks_key(|column| gives(row, column)))
    }

    /// Returns the error for a column of the key that a row does not give: a default is hardly the key of an existing row.
    fn lacks_key(&self, gives: impl Fn(u16) -> bool) -> Option<Error> {
        let own = self.table.own_tenant_column();
        let column = |number: u16| &self.table.columns[usize::from(number)];
        let lacking = |number: &&u16| Some(**number) != own && !column(**number).generated && !gives(**number);
        let lacking = column(*self.key.iter().find(lacking)?).name;
        Some(Error::Misuse(
            format!("a row of upsert_many has no value for {lacking}, its key: set it, or name another key in `on`")
                .into(),
        ))
    }
}

/// Returns whether a row sets a column, by itself or by a row that it connects to.
fn gives(row: &Insert, column: u16) -> bool {
    row.columns().any(|known| known == column)
        || row.after.iter().any(|write| write.relation.parent_columns.contains(&column))
}

/// Returns whether a row only connects to rows that it references.
fn is_plain(row: &Insert) -> bool {
    row.before.is_empty()
        && row.after.iter().all(|write| write.relation.referencing && matches!(write.action, Action::Connect(_)))
}

/// Returns the value of a row's column, if it is known before the statement runs.
pub(crate) fn value_of(row: &Insert, column: u16) -> Option<&Param> {
    row.cells.iter().find_map(|(known, cell)| match cell {
        Cell::Value(value) if *known == column => Some(value),
        _ => None,
    })
}
