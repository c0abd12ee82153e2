//! Properties of keys, foreign keys and columns that PostgreSQL has and Prisma's language does not.

use super::FieldId;

/// Properties of a key or an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyOptions {
    /// `include:`: further columns that the index stores.
    pub include: Vec<FieldId>,
    /// `nullsNotDistinct: true`: two rows with nulls are equal, from PostgreSQL 15 on.
    pub nulls_not_distinct: bool,
    /// `deferrable:`: when the key is checked.
    pub deferrable: Option<Deferrable>,
    /// `with:`, as storage parameters: `fillfactor=70`. Sorted.
    pub storage: Vec<String>,
}

/// Properties of a foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignKeyOptions {
    /// `deferrable:`: when the key is checked.
    pub deferrable: Option<Deferrable>,
    /// `match: Full`: the columns are all null, or none is.
    pub match_full: bool,
    /// `setNull:`: the columns that `onDelete` sets, from PostgreSQL 15 on. If empty, all columns of the key.
    pub delete_fields: Vec<FieldId>,
}

/// When a deferrable constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferrable {
    /// After each statement, unless the transaction defers it.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// Where an index puts nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullsOrder {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

/// How PostgreSQL numbers the rows of a table: `GENERATED .. AS IDENTITY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `always: true`: a program cannot set the value.
    pub always: bool,
    /// The options of its sequence.
    pub options: SequenceOptions,
}

/// The collation of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    /// Its name in PostgreSQL.
    pub name: String,
    /// Its schema, if specified.
    pub schema: Option<String>,
}

/// The domain of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name in PostgreSQL.
    pub name: String,
    /// Its schema, if specified.
    pub schema: Option<String>,
}

/// The options of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceOptions {
    /// The difference between two values.
    pub increment: i64,
    /// The minimum; `None` for that of the type and the direction.
    pub min: Option<i64>,
    /// The maximum; `None` for that of the type and the direction.
    pub max: Option<i64>,
    /// The first value; `None` for the default, the minimum or the maximum.
    pub start: Option<i64>,
    /// How many values a session allocates at once.
    pub cache: i64,
    /// Whether it starts again after the last value.
    pub cycle: bool,
}

impl Default for SequenceOptions {
    fn default() -> Self {
        Self { increment: 1, min: None, max: None, start: None, cache: 1, cycle: false }
    }
}
