//! What PostgreSQL knows of tables, columns, keys and sequences, and the schema language cannot say. Two databases are
//! compared in it; a migration to a schema leaves it as it is.

use super::ObjectName;

/// How a sequence counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceOptions {
    /// From one value to the next.
    pub increment: i64,
    /// The least value; none is that of the type and the direction.
    pub min: Option<i64>,
    /// The largest value; none is that of the type and the direction.
    pub max: Option<i64>,
    /// The first value; none is the end that it counts away from.
    pub start: Option<i64>,
    /// How many values a session takes at once.
    pub cache: i64,
    /// Whether it starts again at its end.
    pub cycle: bool,
}

impl Default for SequenceOptions {
    fn default() -> Self {
        Self { increment: 1, min: None, max: None, start: None, cache: 1, cycle: false }
    }
}

/// What the schema language cannot say of a table. A migration to a schema leaves it alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// Storage parameters: `fillfactor=70`.
    pub storage: Vec<String>,
    /// What `PARTITION BY` says of a partitioned table.
    pub partition_by: Option<String>,
    /// The columns of the partition key.
    pub partition_columns: Vec<String>,
    /// The tables that it inherits from.
    pub inherits: Vec<ObjectName>,
}

impl TableOptions {
    /// Whether a table has the same as far as it can be changed: how it is partitioned and what it inherits cannot.
    pub(in crate::sql) fn serves_for(&self, next: &Self) -> bool {
        self.unlogged == next.unlogged && self.storage == next.storage
    }
}

/// What the schema language cannot say of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnOptions {
    /// How an identity column counts.
    pub counts: SequenceOptions,
    /// A generated column that is computed when it is read, from PostgreSQL 18 on.
    pub is_virtual: bool,
    /// The column comes from a table that this one inherits from.
    pub inherited: bool,
    /// The table declares the inherited column as well, so that it keeps it without the other.
    pub redeclared: bool,
}

/// What the schema language cannot say of a key or check. Two databases are compared in it, and a migration to a schema
/// leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConstraintOptions {
    /// `DEFERRABLE`.
    pub deferrable: Option<Deferrable>,
    /// Existing rows were never checked.
    pub not_valid: bool,
    /// `NOT ENFORCED`, from PostgreSQL 18 on.
    pub not_enforced: bool,
    /// A check that holds for this table alone, not for those that inherit from it.
    pub no_inherit: bool,
    /// A check of a table that this one inherits from.
    pub inherited: bool,
    /// `MATCH FULL`.
    pub match_full: bool,
    /// The columns of `ON DELETE SET NULL (..)`, from PostgreSQL 15 on.
    pub delete_columns: Vec<String>,
    /// `NULLS NOT DISTINCT`, from PostgreSQL 15 on.
    pub nulls_not_distinct: bool,
    /// Columns of `INCLUDE`.
    pub include: Vec<String>,
    /// Storage parameters of its index: `fillfactor=70`.
    pub storage: Vec<String>,
    /// The last column is a period: `WITHOUT OVERLAPS`, from PostgreSQL 18 on.
    pub period: bool,
}

/// When a deferrable constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferrable {
    /// After each statement, unless a transaction asks for more.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}
