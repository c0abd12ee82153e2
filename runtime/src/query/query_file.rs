//! Queries of `queries/*.sql`, as data.
//!
//! The statement and the columns that it was compiled for are a static of the generated code.

use crate::meta::{Column, Table};
use crate::value::Param;

/// A file of `queries/`, as generated code says it.
#[derive(Debug)]
pub struct Sql {
    text: &'static str,
    /// Called like the query, with the columns of its rows; none if it gives no rows.
    table: Table,
}

impl Sql {
    /// For generated code.
    pub const fn new(name: &'static str, text: &'static str, columns: &'static [Column]) -> Self {
        Self { text, table: Table::new(name, name, columns, &[], &[], &[]) }
    }

    /// Sets the table that the statement writes, to explain violations.
    pub const fn writes(mut self, table: &'static Table) -> Self {
        self.table.writes = Some(table);
        self
    }
}

/// A query of `queries/` with its parameters, as data.
#[derive(Debug)]
pub(crate) struct SqlCall {
    sql: &'static Sql,
    params: Vec<Param>,
    /// One row is asked for, so that others are an error: in a batch, before it is committed.
    pub(crate) alone: bool,
}

impl SqlCall {
    pub(crate) fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { sql, params, alone: false }
    }

    pub(crate) fn table(&self) -> &'static Table {
        &self.sql.table
    }

    /// Asks for one row, so that others are an error.
    pub(crate) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The statement's text.
    pub(crate) fn text(&self) -> &'static str {
        self.sql.text
    }

    pub(crate) fn params(&self) -> &[Param] {
        &self.params
    }

    /// Whether it is confined to the tenant of the call.
    pub(crate) fn is_confined(&self) -> bool {
        false
    }

    pub(crate) fn writes(&self) -> bool {
        self.sql.table.writes.is_some() || !self.gives_rows()
    }

    pub(crate) fn gives_rows(&self) -> bool {
        !self.sql.table.columns.is_empty()
    }
}
