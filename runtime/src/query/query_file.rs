//! Queries of `queries/*.sql`, as data.
//!
//! The statement and the columns that it was compiled for are a static of the generated code.

use super::tenant::{SQL_OF_ALL, Tenant};
use crate::meta::{Column, Table};
use crate::value::Param;

/// A file of `queries/`, for generated code.
#[derive(Debug)]
pub struct Sql {
    text: &'static str,
    /// Named like the query, with the columns of its rows; no columns if it returns no rows.
    table: Table,
    /// How it reads and writes the rows of one tenant, if it can.
    confinement: Confinement,
}

/// How a statement reads and writes the rows of one tenant.
#[derive(Debug, Clone, Copy)]
enum Confinement {
    None,
    /// The statement neither reads nor writes rows of tenants.
    Shared,
    /// This statement reads and writes the rows of one tenant. Its last parameter is the tenant's id.
    Confined(&'static str),
}

impl Sql {
    /// For generated code.
    pub const fn new(name: &'static str, text: &'static str, columns: &'static [Column]) -> Self {
        Self { text, table: Table::new(name, name, columns, &[], &[], &[]), confinement: Confinement::None }
    }

    /// Declares that it neither reads nor writes rows of tenants.
    pub const fn shared(mut self) -> Self {
        self.confinement = Confinement::Shared;
        self
    }

    /// Sets the statement that reads and writes the rows of one tenant, whose id is its last parameter.
    pub const fn confined(mut self, text: &'static str) -> Self {
        self.confinement = Confinement::Confined(text);
        self
    }

    /// Sets the table that the statement writes, to explain violations.
    pub const fn writes(mut self, table: &'static Table) -> Self {
        self.table.writes = Some(table);
        self
    }
}

/// A query of `queries/` with its parameters, as data.
#[derive(Debug, Clone)]
pub(crate) struct SqlCall {
    sql: &'static Sql,
    text: &'static str,
    params: Vec<Param>,
    /// Whether one row is expected, so that more are an error; in a batch, before it is committed.
    pub(crate) alone: bool,
}

impl SqlCall {
    pub(crate) fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { sql, text: sql.text, params, alone: false }
    }

    pub(crate) fn table(&self) -> &'static Table {
        &self.sql.table
    }

    /// Expects one row, so that more are an error.
    pub(crate) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Returns the statement's text.
    pub(crate) fn text(&self) -> &'static str {
        self.text
    }

    pub(crate) fn params(&self) -> &[Param] {
        &self.params
    }

    /// Confines it to a tenant. Returns `false` if that is not possible.
    #[must_use]
    pub(crate) fn confine(&mut self, tenant: &Tenant) -> bool {
        match self.sql.confinement {
            Confinement::None => return tenant.runs_any_sql,
            Confinement::Shared => {}
            Confinement::Confined(text) => {
                self.text = text;
                self.params.push(tenant.key.clone());
            }
        }
        true
    }

    /// Makes it a query that cannot be sent.
    pub(crate) fn refuse(&mut self) {
        self.params.push(Param::Misuse(SQL_OF_ALL));
    }

    pub(crate) fn writes(&self) -> bool {
        self.sql.table.writes.is_some() || !self.gives_rows()
    }

    pub(crate) fn gives_rows(&self) -> bool {
        !self.sql.table.columns.is_empty()
    }
}
