//! The objects whose comments a schema declares.

use std::fmt;

use crate::sql::state::ObjectName;

/// An object with a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commented {
    /// A table.
    Table(ObjectName),
    /// A column of a table.
    Column(ObjectName, String),
    /// An enum type.
    Enum(ObjectName),
}

impl Commented {
    /// Returns the table that it is, or is part of.
    pub(in crate::sql) fn table(&self) -> Option<&ObjectName> {
        match self {
            Commented::Table(table) | Commented::Column(table, _) => Some(table),
            Commented::Enum(_) => None,
        }
    }
}

impl fmt::Display for Commented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Commented::Table(table) => write!(f, "table {table}"),
            Commented::Column(table, column) => write!(f, "column {table}.{column}"),
            Commented::Enum(name) => write!(f, "enum {name}"),
        }
    }
}
