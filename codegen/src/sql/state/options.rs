//! Properties of tables, columns and keys that Prisma's language does not have. The schema language can express some of
//! them. Between a database and a schema, those that the schema does not mention are not compared.

use super::ObjectName;
use crate::ir::{Deferrable, SequenceOptions};

/// Properties of a table. A schema can express logging, storage parameters, and partition keys of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// Storage parameters: `fillfactor=70`.
    pub storage: Vec<String>,
    /// The text of `PARTITION BY` of a partitioned table.
    pub partition_by: Option<String>,
    /// The columns of the partition key.
    pub partition_columns: Vec<String>,
    /// The bound of a partition: `FOR VALUES IN (1)`. Only if a whole database was read.
    pub partition_bound: Option<String>,
    /// Whether it has the columns of a composite type.
    pub is_typed: bool,
    /// The indexes of a partition that belong to those of its table. They are created and dropped with them.
    pub attached: Vec<String>,
    /// The tables that it inherits from.
    pub inherits: Vec<ObjectName>,
    /// The comment on it. Not if a whole database was read, in which comments are objects.
    pub comment: Option<String>,
}

impl TableOptions {
    /// Returns whether the properties that are compared are equal. Inheritance cannot be changed.
    pub(in crate::sql) fn serves_for(&self, next: &Self) -> bool {
        self.is_stored_like(next) && self.is_partitioned_like(next)
    }

    /// Returns whether the properties that a statement can change are equal.
    pub(in crate::sql) fn is_stored_like(&self, next: &Self) -> bool {
        self.unlogged == next.unlogged && self.storage == next.storage
    }
}

/// Properties of a column. A schema can express the options of an identity, and whether a generated column is virtual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnOptions {
    /// For a generated column: a column of its expression changes its type, so that PostgreSQL can only create it again.
    pub outdated: bool,
    /// For a required generated column that a table with rows gets: a column of its expression allows NULL.
    pub may_be_null: bool,
    /// The options of the sequence of an identity column.
    pub counts: SequenceOptions,
    /// A constant default as PostgreSQL prints it: `'2'::bigint`. Only if a whole database was read.
    pub default_text: Option<String>,
    /// Whether it is a generated column that is computed when it is read, from PostgreSQL 18 on.
    pub is_virtual: bool,
    /// Whether the column is inherited.
    pub inherited: bool,
    /// For a dropped column: whether a table that inherits it keeps it as its own.
    pub stays_in_heirs: bool,
    /// Whether the table also declares the inherited column, so that it keeps it without the parent.
    pub redeclared: bool,
    /// The domain that the column has, or its elements have. The column's type is then what the domain is based on. Not
    /// if a whole database was read, in which the domain is the type.
    pub domain: Option<ObjectName>,
    /// The comment on it. Not if a whole database was read, in which comments are objects.
    pub comment: Option<String>,
}

/// Properties of a key, a foreign key or a check. A schema cannot express whether it is valid, enforced or inherited, or
/// that it is a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConstraintOptions {
    /// `DEFERRABLE`.
    pub deferrable: Option<Deferrable>,
    /// Whether existing rows were never checked.
    pub not_valid: bool,
    /// `NOT ENFORCED`, from PostgreSQL 18 on.
    pub not_enforced: bool,
    /// Whether the check applies to this table only, not to tables that inherit from it.
    pub no_inherit: bool,
    /// Whether the check is inherited.
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
    /// Whether the last column is a period: `WITHOUT OVERLAPS`, from PostgreSQL 18 on.
    pub period: bool,
}

impl ColumnOptions {
    /// Returns whether the constant default is written in another way.
    pub(in crate::sql) fn defaults_otherwise(&self, next: &Self) -> bool {
        matches!((&self.default_text, &next.default_text), (Some(old), Some(new)) if old != new)
    }
}
