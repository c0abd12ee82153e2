//! Writes, as data: new rows, new values of columns, and nested writes.

use super::condition::Condition;
use super::default::generate;
use super::expression::Operand;
use super::json_place::{JsonChange, changed, push_change};
use crate::error::Error;
use crate::meta::{ClientDefault, Relation, Table};
use crate::rows::{Cursor, Model};
use crate::value::{Param, Scalar, json_array};

/// The values of a unique key.
pub(crate) type Key = Vec<(u16, Param)>;

/// New values of columns.
pub(crate) type Sets = Vec<(u16, SetTo)>;

/// The new value of a column.
#[derive(Debug, Clone)]
pub(crate) enum SetTo {
    Value(Param),
    Add(Param),
    Subtract(Param),
    Multiply(Param),
    Divide(Param),
    /// Appended to the list.
    Append(Param),
    /// A column of the row of `relation` that `key` identifies, looked up in the same statement.
    Lookup {
        relation: &'static Relation,
        column: u16,
        key: Vec<(u16, Param)>,
    },
    /// A value that PostgreSQL computes.
    Computed(Operand),
    /// Changes inside a value of JSON.
    JsonFields(Vec<JsonChange>),
    /// The value of the row that could not be created because its key is already taken.
    Excluded,
    Default,
}

/// Adds a new value of a column. The last one wins, except that changes inside a value of JSON compose.
pub(crate) fn push_set(sets: &mut Sets, column: u16, to: SetTo) {
    let before = sets.iter().position(|(known, _)| *known == column).map(|at| sets.remove(at).1);
    let to = match (before, to) {
        (Some(before), SetTo::JsonFields(changes)) => changed_inside(before, changes),
        (_, to) => to,
    };
    sets.push((column, to));
}

/// The default of a column is known only to the database.
const INSIDE_DEFAULT: &str = "a value of JSON has its default and is changed inside: set the whole value first";

/// Returns the new value of a column of JSON that is changed inside afterwards.
fn changed_inside(before: SetTo, changes: Vec<JsonChange>) -> SetTo {
    match before {
        SetTo::Value(value) => SetTo::Value(changes.into_iter().fold(value, changed)),
        SetTo::JsonFields(mut known) => {
            changes.into_iter().for_each(|change| push_change(&mut known, change));
            SetTo::JsonFields(known)
        }
        _ => SetTo::Value(Param::Misuse(INSIDE_DEFAULT)),
    }
}

/// Returns why a row is not inserted or updated whose key differs from the one that is looked for.
pub(crate) fn another_key(column: &str) -> String {
    format!("upsert looks for one {column} and would create it with another: give both the same key")
}

/// The value of one column of a new row.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// A value.
    Value(Param),
    /// A column of the row of `relation` that `key` identifies, looked up in the same statement.
    Lookup { relation: &'static Relation, column: u16, key: Vec<(u16, Param)> },
}

/// A new row, for generated code.
#[derive(Debug, Clone)]
pub struct Insert {
    pub(crate) table: &'static Table,
    pub(crate) cells: Vec<(u16, Cell)>,
    /// Rows that must be created first, because this one references them.
    pub(crate) before: Vec<Referenced>,
    /// Rows that reference this one.
    pub(crate) after: Vec<NestedWrite>,
    /// The first mistake that was found while it was built.
    pub(crate) refused: Option<Refusal>,
    /// The maximum depth of its nested writes.
    pub(crate) levels: u16,
}

impl Insert {
    /// Creates a row without values.
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            cells: Vec::with_capacity(table.columns.len()),
            before: Vec::new(),
            after: Vec::new(),
            refused: None,
            levels: 0,
        }
    }

    /// Sets a column.
    pub fn value(mut self, column: u16, value: impl Scalar) -> Self {
        self.cells.push((column, Cell::Value(value.into_param())));
        self
    }

    /// Sets a column to a list in JSON.
    pub fn json_list<T: Scalar>(mut self, column: u16, values: Vec<T>) -> Self {
        let list = json_array(values.into_iter().map(Scalar::into_param));
        self.cells.push((column, Cell::Value(list)));
        self
    }

    /// Sets the row that the relation with this number references.
    pub fn link<M: Model, K>(mut self, slot: usize, to: impl LinkTarget<M, K>) -> Self {
        let table = self.table;
        to.link(&mut self, &table.relations[slot]);
        self
    }

    /// Sets the columns of a foreign key, in the order of the key and without that of the tenant.
    #[inline]
    pub fn key(&mut self, relation: &'static Relation, values: impl IntoIterator<Item = Param>) {
        for ((column, _), value) in relation.key_pairs().zip(values) {
            self.cells.push((column, Cell::Value(value)));
        }
    }

    /// Adds a row that must be written first.
    pub(crate) fn write_before(&mut self, other: Referenced) {
        self.refused = self.refused.or(other.row.refused);
        if other.row.levels >= MAX_DEPTH {
            self.refused = Some(Refusal::TooDeep);
            return;
        }
        self.levels = self.levels.max(other.row.levels + 1);
        self.before.push(other);
    }

    /// Adds a write that comes afterwards.
    pub(crate) fn write_after(&mut self, write: NestedWrite) {
        self.refused = self.refused.or(write.refused);
        self.levels = self.levels.max(write.levels);
        self.after.push(write);
    }

    pub(crate) fn assign(&mut self, column: u16, to: SetTo) {
        match to {
            // A value that is appended to a list begins the list of a new row.
            SetTo::Value(value) | SetTo::Append(value) => {
                self.cells.retain(|(known, _)| *known != column);
                self.cells.push((column, Cell::Value(value)));
            }
            SetTo::Default => self.cells.retain(|(known, _)| *known != column),
            SetTo::JsonFields(changes) => self.change_inside(column, changes),
            _ => self.refused = Some(Refusal::Calculates),
        }
    }

    /// Changes something inside a value of JSON, which is null if the row has none yet.
    fn change_inside(&mut self, column: u16, changes: Vec<JsonChange>) {
        let known = self.cells.iter().position(|(known, _)| *known == column);
        let before = match known.map(|at| self.cells.swap_remove(at).1) {
            Some(Cell::Value(before)) => before,
            None if !self.table.columns[usize::from(column)].json_default => Param::Null,
            _ => Param::Misuse(INSIDE_DEFAULT),
        };
        self.cells.push((column, Cell::Value(changes.into_iter().fold(before, changed))));
    }

    /// Returns the columns that have values, in the order in which they were given.
    pub(crate) fn columns(&self) -> impl Iterator<Item = u16> {
        self.cells.iter().map(|(column, _)| *column)
    }

    /// Returns whether it has nested rows.
    pub(crate) fn is_nested(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    /// Returns whether one of its columns is looked up in another table.
    pub(crate) fn looks_up(&self) -> bool {
        self.cells.iter().any(|(_, cell)| matches!(cell, Cell::Lookup { .. }))
    }

    /// Fills in the values that the client generates, such as keys.
    pub(crate) fn fill_defaults(&mut self) {
        // The columns are sorted, so that the order in which they were set does not matter: fewer statement texts, and
        // one statement in bulk.
        if !self.cells.is_sorted_by_key(|(column, _)| *column) {
            self.cells.sort_by_key(|(column, _)| *column);
        }
        for (index, column) in self.table.columns.iter().enumerate() {
            if column.default != ClientDefault::None {
                let number = index as u16;
                if let Err(place) = self.cells.binary_search_by_key(&number, |(column, _)| *column) {
                    self.cells.insert(place, (number, Cell::Value(generate(column.default))));
                }
            }
        }
    }

    /// Takes the key of the row that it references.
    pub(crate) fn point_at(&mut self, ours: &[u16], theirs: &[u16], other: Cursor<'_>) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            let value = other.raw(usize::from(*theirs)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
            self.cells.retain(|(column, _)| column != ours);
            self.cells.push((*ours, Cell::Value(value)));
        }
    }
}

/// A row that a new row references, and that is written before it.
#[derive(Debug, Clone)]
pub(crate) struct Referenced {
    /// The relation from the new row.
    pub(crate) relation: &'static Relation,
    /// If a row with this key exists, it is referenced, and none is created.
    pub(crate) key: Option<Key>,
    /// The row to create.
    pub(crate) row: Insert,
}

/// The value of a required relation's field in generated code: a [`Link`](crate::Link) or [`Parent`](crate::Parent).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which `{M}` this relation references",
    label = "expected its key of type `{K}`, a unique filter such as `user::id.eq(..)`, or its `Create`"
)]
pub trait LinkTarget<M, K> {
    /// Writes it into the new row.
    fn link(self, insert: &mut Insert, relation: &'static Relation);
}

/// A write to the rows of a relation.
#[derive(Debug, Clone)]
pub(crate) struct NestedWrite {
    pub(crate) relation: &'static Relation,
    pub(crate) action: Action,
    /// The depth of its nested writes, including this one.
    pub(crate) levels: u16,
    /// A mistake in this write, or in one inside it.
    pub(crate) refused: Option<Refusal>,
}

/// The maximum depth of nested writes. Each level has its own statements, and is written by a recursive function.
const MAX_DEPTH: u16 = 32;

/// Why a new row or a nested write cannot be written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refusal {
    /// Nested writes are too deep.
    TooDeep,
    /// A value of a new row is calculated from its previous value.
    Calculates,
}

impl Refusal {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Refusal::TooDeep => Error::TooComplex(
                "the write has more than 32 levels of nested writes: write the lower levels in separate calls".into(),
            ),
            Refusal::Calculates => {
                Error::Misuse("a new row has no value yet to increment, decrement, multiply or divide".into())
            }
        }
    }
}

impl NestedWrite {
    /// Drops writes that are too deep before dropping them could overflow the stack.
    pub(crate) fn new(relation: &'static Relation, action: Action) -> Self {
        let (levels, refused) = match &action {
            Action::Create(rows) => deepest(rows.iter().map(|row| (row.levels, row.refused))),
            Action::ConnectOrCreate(_, row) | Action::Upsert { row, .. } => (row.levels, row.refused),
            Action::Update { nested, .. } => deepest(nested.iter().map(|write| (write.levels, write.refused))),
            _ => (0, None),
        };
        if levels >= MAX_DEPTH {
            return Self { relation, action: Action::Create(Vec::new()), levels: 1, refused: Some(Refusal::TooDeep) };
        }
        Self { relation, action, levels: levels + 1, refused }
    }
}

/// Returns the maximum depth of several writes, and the first mistake.
fn deepest(writes: impl Iterator<Item = (u16, Option<Refusal>)>) -> (u16, Option<Refusal>) {
    writes.fold((0, None), |(levels, refused), (more, why)| (levels.max(more), refused.or(why)))
}

/// A write to the rows of a relation. Without a key, it concerns the only row of a to-one relation.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create(Vec<Insert>),
    Connect(Vec<Key>),
    ConnectOrCreate(Key, Insert),
    Disconnect(Option<Vec<Key>>),
    Set(Vec<Key>),
    Update { key: Option<Key>, sets: Sets, nested: Vec<NestedWrite> },
    UpdateMany { condition: Condition, sets: Sets },
    Upsert { key: Option<Key>, row: Insert, sets: Sets },
    Delete(Option<Vec<Key>>),
    DeleteMany(Condition),
}
