//! INSERT, UPDATE, DELETE and count statements.

use super::pass::Pass;
use super::sets::now_columns;
use super::statement::Statement;
use super::tenant::Context;
use super::walk::{Walk, shaped};
use super::writer::{Alias, Writer};
use crate::meta::{Lifted, Relation, Table};
use crate::query::{Cell, Condition, Operator, SetTo};
use crate::value::Param;

pub(super) const TABLE: Alias = Alias(0);

/// Kinds of statements, in the first word of a shape. The kind of a read is 0.
const INSERT: usize = 1;
const UPDATE: usize = 2;
const DELETE: usize = 3;
const COUNT: usize = 4;
const EXISTS: usize = 5;

/// `INSERT .. RETURNING` all columns, of one row.
struct InsertRow {
    table: &'static Table,
    cells: Vec<(u16, Cell)>,
}

impl Walk for InsertRow {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        writer.begin(INSERT, self.table);
        writer.push_insert(self.table, &mut self.cells);
        writer.push_returning(self.table);
    }
}

/// Returns the insert of one row, which is returned with all columns.
pub(crate) fn insert_statement(context: Context<'_>, table: &'static Table, cells: Vec<(u16, Cell)>) -> Statement {
    shaped(context, InsertRow { table, cells })
}

/// `INSERT .. ON CONFLICT (key) DO UPDATE .. RETURNING` all columns. An existing row that does not match `only_if` is
/// not changed and not returned.
pub(crate) fn upsert_statement(
    context: Context<'_>,
    table: &'static Table,
    mut cells: Vec<(u16, Cell)>,
    key: &[u16],
    sets: &[(u16, SetTo)],
    only_if: &Condition,
) -> Statement {
    let mut writer = Writer::new(context);
    writer.push_insert(table, &mut cells);
    writer.push_update_on_conflict(table, key, sets, only_if);
    writer.push_returning(table);
    writer.finish()
}

/// `COPY .. FROM STDIN`, binary.
pub(crate) fn copy_statement(table: &Table, columns: &[u16]) -> String {
    let mut writer = Writer::new(Context::default());
    writer.push("COPY ");
    writer.push(table.sql);
    writer.push(" (");
    writer.push_column_names(table, columns.iter().copied());
    writer.push(") FROM STDIN (FORMAT binary)");
    writer.finish().into_sql()
}

/// Returns a statement whose parameters have the types of the columns, to request these types.
pub(crate) fn columns_statement(table: &Table, columns: &[u16]) -> Statement {
    let mut writer = Writer::new(Context::default());
    writer.push("INSERT INTO ");
    writer.push(table.sql);
    writer.push(" (");
    writer.push_column_names(table, columns.iter().copied());
    writer.push(") VALUES (");
    for index in 0..columns.len() {
        writer.push(if index > 0 { ", " } else { "" });
        writer.push_param(Param::Null);
    }
    writer.push(")");
    writer.finish()
}

/// Returns the time of the transaction, in the type of each column.
pub(crate) fn now_statement(table: &Table, columns: &[u16]) -> Statement {
    let mut writer = Writer::new(Context::default());
    for (index, column) in columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "SELECT " });
        writer.push("CURRENT_TIMESTAMP::");
        writer.push(table.columns[usize::from(*column)].sql_type);
    }
    writer.finish()
}

/// `UPDATE`, returning all columns of the changed rows or nothing.
struct UpdateRows<'q> {
    table: &'static Table,
    condition: &'q Condition,
    sets: &'q [(u16, SetTo)],
    returning: bool,
}

impl Walk for UpdateRows<'_> {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        let Self { table, condition, sets, returning } = *self;
        writer.begin(UPDATE, table);
        let alias = writer.alias();
        writer.push("UPDATE ");
        writer.push_table(table, alias);
        writer.push(" SET ");
        writer.push_sets(table, sets);
        writer.push_where(condition, table, alias);
        writer.push_returning_if(returning, table);
    }
}

/// Returns an update of all rows that match a condition. They are returned with all columns, or not at all.
pub(crate) fn update_statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    sets: &[(u16, SetTo)],
    returning: bool,
) -> Statement {
    shaped(context, UpdateRows { table, condition, sets, returning })
}

/// `UPDATE` of all rows that match a condition, or of the first of them in the order of their key.
pub(crate) fn update_many_statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    sets: &[(u16, SetTo)],
    limit: Option<u64>,
    returning: bool,
) -> Statement {
    let context = Context { shapes: None, ..context };
    let Some(limit) = limit else { return update_statement(context, table, condition, sets, returning) };
    let mut writer = Writer::new(context);
    let alias = writer.alias();
    writer.push_chosen(table, condition, limit);
    writer.push("UPDATE ");
    writer.push_table(table, alias);
    writer.push(" SET ");
    writer.push_sets(table, sets);
    writer.push(" FROM ");
    writer.push_is_chosen(table, alias, condition.lifted());
    if returning {
        writer.push_returning(table);
    }
    writer.finish()
}

/// `DELETE` of all rows that match a condition, or of the first of them in the order of their key.
pub(crate) fn delete_many_statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    limit: Option<u64>,
) -> Statement {
    let context = Context { shapes: None, ..context };
    let Some(limit) = limit else { return delete_statement(context, table, condition, false) };
    let mut writer = Writer::new(context);
    let alias = writer.alias();
    writer.push_chosen(table, condition, limit);
    writer.push("DELETE FROM ");
    writer.push_table(table, alias);
    writer.push(" USING ");
    writer.push_is_chosen(table, alias, condition.lifted());
    writer.finish()
}

/// `REFRESH MATERIALIZED VIEW`.
pub(crate) fn refresh_statement(table: &'static Table, concurrently: bool) -> Statement {
    let how = if concurrently { "CONCURRENTLY " } else { "" };
    Statement::new(format!("REFRESH MATERIALIZED VIEW {how}{}", table.sql), Vec::new())
}

/// `DELETE`, returning all columns of the deleted rows or nothing.
struct DeleteRows<'q> {
    table: &'static Table,
    condition: &'q Condition,
    returning: bool,
}

impl Walk for DeleteRows<'_> {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        let Self { table, condition, returning } = *self;
        writer.begin(DELETE, table);
        let alias = writer.alias();
        writer.push("DELETE FROM ");
        writer.push_table(table, alias);
        writer.push_where(condition, table, alias);
        writer.push_returning_if(returning, table);
    }
}

/// Returns a deletion of all rows that match a condition. They are returned with all columns, or not at all.
pub(crate) fn delete_statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    returning: bool,
) -> Statement {
    shaped(context, DeleteRows { table, condition, returning })
}

/// `SELECT count(*)`.
struct CountRows<'q> {
    table: &'static Table,
    condition: &'q Condition,
}

impl Walk for CountRows<'_> {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        writer.begin(COUNT, self.table);
        let alias = writer.alias();
        writer.push("SELECT count(*) FROM ");
        writer.push_table(self.table, alias);
        writer.push_where(self.condition, self.table, alias);
    }
}

/// A count of rows.
pub(crate) fn count_statement(context: Context<'_>, table: &'static Table, condition: &Condition) -> Statement {
    shaped(context, CountRows { table, condition })
}

/// `SELECT EXISTS`.
struct RowExists<'q> {
    table: &'static Table,
    condition: &'q Condition,
}

impl Walk for RowExists<'_> {
    fn walk<P: Pass>(&mut self, writer: &mut Writer<'_, P>) {
        writer.begin(EXISTS, self.table);
        let alias = writer.alias();
        writer.push("SELECT EXISTS (SELECT 1 FROM ");
        writer.push_table(self.table, alias);
        writer.push_where(self.condition, self.table, alias);
        writer.push(")::integer::bigint");
    }
}

/// Returns whether a row exists: 1 or 0.
pub(crate) fn exists_statement(context: Context<'_>, table: &'static Table, condition: &Condition) -> Statement {
    shaped(context, RowExists { table, condition })
}

impl<P: Pass> Writer<'_, P> {
    /// Writes the keys of the first rows that match a condition, locked, so that concurrent calls choose different
    /// rows. Materialized, so that it runs once, whatever the plan is.
    fn push_chosen(&mut self, table: &'static Table, condition: &Condition, limit: u64) {
        let alias = self.alias();
        let key = |writer: &mut Self| {
            for (index, column) in table.key.iter().enumerate() {
                writer.push(if index > 0 { ", " } else { "" });
                writer.push_column(alias, &table.columns[usize::from(*column)]);
            }
        };
        self.push("WITH relata_chosen AS MATERIALIZED (SELECT ");
        key(self);
        self.push(" FROM ");
        self.push_table(table, alias);
        self.push_where(condition, table, alias);
        self.push(" ORDER BY ");
        key(self);
        self.push_limit(Some(limit), None);
        self.push(" FOR UPDATE OF ");
        self.push_alias(alias);
        self.push(") ");
    }

    fn push_is_chosen(&mut self, table: &'static Table, alias: Alias, lifted: Lifted) {
        self.push("relata_chosen AS chosen WHERE ");
        for (index, column) in table.key.iter().enumerate() {
            let column = &table.columns[usize::from(*column)];
            self.push(if index > 0 { " AND " } else { "" });
            self.push_column(alias, column);
            self.push(" = chosen.");
            self.push_quoted(column.name);
        }
        self.push_confined(" AND ", table, alias, lifted);
    }

    /// Writes `INSERT INTO "t" AS t0 (..) VALUES (..)`. Values are moved out of the cells.
    fn push_insert(&mut self, table: &'static Table, cells: &mut Vec<(u16, Cell)>) {
        let own = self.own_column(table);
        if let Some(own) = own {
            cells.retain(|(column, _)| *column != own);
        }
        if cells.is_empty() && own.is_none() && !table.columns.iter().any(|column| column.updated_at) {
            self.push("INSERT INTO ");
            let alias = self.alias();
            self.push_unconfined_table(table, alias);
            return self.push(" DEFAULT VALUES");
        }
        self.push_insert_head(table, cells.iter().map(|(column, _)| *column));
        // Citus refuses a subquery among VALUES.
        let selects = table.is_on_citus && cells.iter().any(|(_, cell)| matches!(cell, Cell::Lookup { .. }));
        self.push(if selects { " SELECT " } else { " VALUES (" });
        let glue = if self.push_own_value(table) { ", " } else { "" };
        for (index, (number, cell)) in cells.iter_mut().enumerate() {
            self.push(if index > 0 { ", " } else { glue });
            self.word(usize::from(*number));
            match cell {
                Cell::Value(value) => {
                    let value = std::mem::replace(value, Param::Null);
                    let column = &table.columns[usize::from(*number)];
                    if selects { self.push_typed(column, value) } else { self.push_value(column, value) }
                }
                Cell::Lookup { relation, column, key } => {
                    self.pass().give_up();
                    self.push_lookup(relation, *column, key);
                }
            }
        }
        let glue = if cells.is_empty() && own.is_none() { "" } else { ", " };
        self.push_now_values(table, cells.iter().map(|(column, _)| *column), glue);
        self.push(if selects { "" } else { ")" });
    }

    /// Writes the tenant of a new row, as its first value. Returns whether there is one.
    pub(super) fn push_own_value(&mut self, table: &Table) -> bool {
        let Some(own) = self.own_column(table) else { return false };
        self.push_tenant_key(&table.columns[usize::from(own)]);
        true
    }

    /// Writes `INSERT INTO "t" AS t0 ("a", "b", "updated_at")`.
    pub(super) fn push_insert_head(
        &mut self,
        table: &'static Table,
        columns: impl ExactSizeIterator<Item = u16> + Clone,
    ) {
        // The following text depends only on the table and the columns.
        if !P::IS_TEXT {
            return;
        }
        let alias = self.alias();
        self.push("INSERT INTO ");
        self.push_unconfined_table(table, alias);
        let own = self.own_column(table);
        let mut glue = if columns.len() == 0 && own.is_none() { "" } else { ", " };
        if glue.is_empty() && !table.columns.iter().any(|column| column.updated_at) {
            return;
        }
        self.push(" (");
        self.push_column_names(table, own.into_iter().chain(columns.clone()));
        for column in now_columns(table, columns) {
            self.push(glue);
            self.push_quoted(column.name);
            glue = ", ";
        }
        self.push(")");
    }

    /// Writes the time of the transaction, for every `@updatedAt` column without a value.
    pub(super) fn push_now_values(
        &mut self,
        table: &'static Table,
        columns: impl Iterator<Item = u16> + Clone,
        first_glue: &str,
    ) {
        if !P::IS_TEXT {
            return;
        }
        let mut glue = first_glue;
        for _ in now_columns(table, columns) {
            self.push(glue);
            self.push("CURRENT_TIMESTAMP");
            glue = ", ";
        }
    }

    fn push_column_names(&mut self, table: &Table, columns: impl Iterator<Item = u16>) {
        for (index, column) in columns.enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push_quoted(table.columns[usize::from(column)].name);
        }
    }

    pub(super) fn push_lookup(&mut self, relation: &'static Relation, column: u16, key: &[(u16, Param)]) {
        let child = self.alias();
        let columns = relation.child.columns;
        self.push("(SELECT ");
        self.push_column(child, &columns[usize::from(column)]);
        self.push(" FROM ");
        self.push_table(relation.child, child);
        let compare = |(column, value): &(u16, Param)| Condition::Compare {
            column: *column,
            operator: Operator::Eq,
            value: value.clone(),
        };
        let condition = Condition::And(key.iter().map(compare).collect());
        self.push_where(&condition, relation.child, child);
        self.push(")");
    }

    /// Writes `ON CONFLICT ("a", "b")`.
    pub(super) fn push_conflict(&mut self, table: &'static Table, key: &[u16]) {
        self.push(" ON CONFLICT (");
        let own = self.own_column(table).filter(|_| table.tenancy.is_some_and(|tenancy| tenancy.is_key(key)));
        self.push_column_names(table, own.into_iter().chain(key.iter().copied()));
        self.push(")");
        self.push_key_condition(" WHERE ", table, key);
    }

    pub(super) fn push_update_on_conflict(
        &mut self,
        table: &'static Table,
        key: &[u16],
        sets: &[(u16, SetTo)],
        only_if: &Condition,
    ) {
        self.push_conflict(table, key);
        self.push(" DO UPDATE SET ");
        self.is_immutable = table.is_on_citus;
        self.must_be_confined(table);
        if sets.is_empty() {
            // Sets a key column to itself, so that the row is returned.
            for column in key.iter().take(1).map(|column| &table.columns[usize::from(*column)]) {
                self.push_quoted(column.name);
                self.push(" = ");
                self.push_column(TABLE, column);
            }
        } else {
            self.push_sets(table, sets);
        }
        self.push_where(only_if, table, TABLE);
        self.is_immutable = false;
    }

    /// The first words of a shape.
    fn begin(&mut self, kind: usize, table: &'static Table) {
        self.word(kind);
        self.pass().address(table);
    }

    fn push_returning_if(&mut self, returning: bool, table: &'static Table) {
        self.word(returning.into());
        if returning {
            self.push_returning(table);
        }
    }

    pub(super) fn push_returning(&mut self, table: &'static Table) {
        self.push(" RETURNING ");
        self.push_returned_columns(table, TABLE);
    }
}
