//! INSERT, UPDATE, DELETE and count statements.

use super::nested::looked_up;
use super::statement::Statement;
use super::writer::{Alias, Writer, push_quoted};
use crate::meta::{ClientDefault, Column, Relation, Table};
use crate::query::{BulkInsert, Cell, Condition, OnConflict, Operator, SetTo, generate};
use crate::value::Param;

const TABLE: Alias = Alias(0);

/// `INSERT .. RETURNING` all columns, of one row.
pub(crate) fn insert_statement(table: &'static Table, cells: Vec<(u16, Cell)>) -> Statement {
    let mut writer = Writer::new();
    writer.push_insert(table, cells);
    writer.push_returning(table);
    writer.finish()
}

/// `INSERT .. ON CONFLICT (key) DO UPDATE .. RETURNING` all columns; a row that is there and does not meet `only_if`
/// stays as it is and does not come back.
pub(crate) fn upsert_statement(
    table: &'static Table,
    cells: Vec<(u16, Cell)>,
    key: &[u16],
    sets: &[(u16, SetTo)],
    only_if: &Condition,
) -> Statement {
    let mut writer = Writer::new();
    writer.push_insert(table, cells);
    writer.push_update_on_conflict(table, key, sets, only_if);
    writer.push_returning(table);
    writer.finish()
}

/// `COPY .. FROM STDIN`, binary.
pub(crate) fn copy_statement(table: &Table, columns: &[u16]) -> String {
    let mut writer = Writer::new();
    writer.push("COPY ");
    writer.push(table.sql);
    writer.push(" (");
    writer.push_column_names(table, columns);
    writer.push(") FROM STDIN (FORMAT binary)");
    writer.sql
}

/// A statement whose parameters have the types of the columns, to ask for them.
pub(crate) fn columns_statement(table: &Table, columns: &[u16]) -> Statement {
    let mut writer = Writer::new();
    writer.push("INSERT INTO ");
    writer.push(table.sql);
    writer.push(" (");
    writer.push_column_names(table, columns);
    writer.push(") VALUES (");
    for index in 0..columns.len() {
        writer.push(if index > 0 { ", " } else { "" });
        writer.push_param(Param::Null);
    }
    writer.push(")");
    writer.finish()
}

/// The time of the transaction, as the type of each column.
pub(crate) fn now_statement(table: &Table, columns: &[u16]) -> Statement {
    let mut writer = Writer::new();
    for (index, column) in columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "SELECT " });
        writer.push("CURRENT_TIMESTAMP::");
        writer.push(table.columns[usize::from(*column)].sql_type);
    }
    writer.finish()
}

/// `UPDATE`, returning all columns of the changed rows or nothing.
pub(crate) fn update_statement(
    table: &'static Table,
    condition: &Condition,
    sets: &[(u16, SetTo)],
    returning: bool,
) -> Statement {
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push("UPDATE ");
    writer.push_table(table, alias);
    writer.push(" SET ");
    writer.push_sets(table, sets);
    writer.push_where(condition, table, alias);
    if returning {
        writer.push_returning(table);
    }
    writer.finish()
}

/// `UPDATE` of all rows that meet a condition, or of the first of them in the order of their key.
pub(crate) fn update_many_statement(
    table: &'static Table,
    condition: &Condition,
    sets: &[(u16, SetTo)],
    limit: Option<u64>,
    returning: bool,
) -> Statement {
    let Some(limit) = limit else { return update_statement(table, condition, sets, returning) };
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push_chosen(table, condition, limit);
    writer.push("UPDATE ");
    writer.push_table(table, alias);
    writer.push(" SET ");
    writer.push_sets(table, sets);
    writer.push(" FROM ");
    writer.push_is_chosen(table, alias);
    if returning {
        writer.push_returning(table);
    }
    writer.finish()
}

/// `DELETE` of all rows that meet a condition, or of the first of them in the order of their key.
pub(crate) fn delete_many_statement(table: &'static Table, condition: &Condition, limit: Option<u64>) -> Statement {
    let Some(limit) = limit else { return delete_statement(table, condition, false) };
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push_chosen(table, condition, limit);
    writer.push("DELETE FROM ");
    writer.push_table(table, alias);
    writer.push(" USING ");
    writer.push_is_chosen(table, alias);
    writer.finish()
}

/// `DELETE`, returning all columns of the deleted rows or nothing.
pub(crate) fn delete_statement(table: &'static Table, condition: &Condition, returning: bool) -> Statement {
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push("DELETE FROM ");
    writer.push_table(table, alias);
    writer.push_where(condition, table, alias);
    if returning {
        writer.push_returning(table);
    }
    writer.finish()
}

/// `SELECT count(*)`.
pub(crate) fn count_statement(table: &'static Table, condition: &Condition) -> Statement {
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push("SELECT count(*) FROM ");
    writer.push_table(table, alias);
    writer.push_where(condition, table, alias);
    writer.finish()
}

/// Whether there is a row: 1 or 0.
pub(crate) fn exists_statement(table: &'static Table, condition: &Condition) -> Statement {
    let mut writer = Writer::new();
    let alias = writer.alias();
    writer.push("SELECT EXISTS (SELECT 1 FROM ");
    writer.push_table(table, alias);
    writer.push_where(condition, table, alias);
    writer.push(")::integer::bigint");
    writer.finish()
}

/// Parameters of one statement: the protocol counts them in 16 bits.
const MAX_PARAMETERS: usize = 32_767;

/// The statements: one parameter per column, as arrays, in a single statement. Lists of lists do
/// not exist as parameters, so rows with list columns go as VALUES, in as many statements as needed.
pub(crate) fn bulk_insert_statements(insert: BulkInsert) -> Vec<Statement> {
    if !insert.lookups.is_empty() {
        return vec![looked_up(insert)];
    }
    let is_list = |column: &u16| insert.table.columns[usize::from(*column)].sql_type.ends_with("[]");
    if insert.columns.is_empty() || insert.columns.iter().any(is_list) {
        with_values(insert)
    } else {
        vec![unnested(insert)]
    }
}

fn unnested(insert: BulkInsert) -> Statement {
    let mut writer = Writer::new();
    writer.push_insert_head(insert.table, &insert.columns);
    writer.push(" SELECT ");
    for (index, column) in insert.columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { "" });
        writer.push(&format!("r.c{index}"));
        let column = &insert.table.columns[usize::from(*column)];
        if column.wire.is_some() {
            writer.push("::");
            writer.push(column.sql_type);
        }
    }
    writer.push_now_values(insert.table, &insert.columns, ", ");
    writer.push(" FROM unnest(");
    for (index, (column, values)) in insert.columns.iter().zip(insert.values).enumerate() {
        writer.push(if index > 0 { ", " } else { "" });
        writer.push_param(Param::Array(values));
        let column = &insert.table.columns[usize::from(*column)];
        writer.push(&format!("::{}[]", column.wire.unwrap_or(column.sql_type)));
    }
    writer.push(") AS r(");
    for index in 0..insert.columns.len() {
        writer.push(&format!("{}c{index}", if index > 0 { ", " } else { "" }));
    }
    writer.push(")");
    writer.push_bulk_end(insert.table, &insert.on_conflict, insert.returning);
    writer.finish()
}

fn with_values(insert: BulkInsert) -> Vec<Statement> {
    let per_statement = (MAX_PARAMETERS / insert.columns.len().max(1)).max(1);
    let mut columns: Vec<_> = insert.values.into_iter().map(Vec::into_iter).collect();
    let mut statements = Vec::new();
    let mut left = insert.rows;
    while left > 0 {
        let rows = left.min(per_statement);
        left -= rows;
        let mut writer = Writer::new();
        if insert.columns.is_empty() && !insert.table.columns.iter().any(|column| column.updated_at) {
            // Without columns there is no list of VALUES, and rows have nothing to tell them apart.
            writer.push_default_rows(insert.table, rows);
        } else {
            writer.push_insert_head(insert.table, &insert.columns);
            writer.push(" VALUES ");
            for row in 0..rows {
                writer.push(if row > 0 { ", (" } else { "(" });
                for (index, (column, values)) in insert.columns.iter().zip(&mut columns).enumerate() {
                    writer.push(if index > 0 { ", " } else { "" });
                    let value = values.next().unwrap_or(Param::Null);
                    writer.push_value(&insert.table.columns[usize::from(*column)], value);
                }
                let glue = if insert.columns.is_empty() { "" } else { ", " };
                writer.push_now_values(insert.table, &insert.columns, glue);
                writer.push(")");
            }
        }
        writer.push_bulk_end(insert.table, &insert.on_conflict, insert.returning);
        statements.push(writer.finish());
    }
    statements
}

impl Writer {
    /// The keys of the first rows that meet a condition, locked: two programs that take rows at once take different
    /// ones. Materialized, so that it is done once whatever the plan is.
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

    fn push_is_chosen(&mut self, table: &'static Table, alias: Alias) {
        self.push("relata_chosen AS chosen WHERE ");
        for (index, column) in table.key.iter().enumerate() {
            let column = &table.columns[usize::from(*column)];
            self.push(if index > 0 { " AND " } else { "" });
            self.push_column(alias, column);
            self.push(" = chosen.");
            push_quoted(&mut self.sql, column.name);
        }
    }

    fn push_insert(&mut self, table: &'static Table, cells: Vec<(u16, Cell)>) {
        let columns: Vec<u16> = cells.iter().map(|(column, _)| *column).collect();
        if columns.is_empty() && !table.columns.iter().any(|column| column.updated_at) {
            self.push("INSERT INTO ");
            let alias = self.alias();
            self.push_table(table, alias);
            return self.push(" DEFAULT VALUES");
        }
        self.push_insert_head(table, &columns);
        self.push(" VALUES (");
        for (index, (column, cell)) in cells.into_iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            match cell {
                Cell::Value(value) => self.push_value(&table.columns[usize::from(column)], value),
                Cell::Lookup { relation, column, key } => self.push_lookup(relation, column, key),
            }
        }
        self.push_now_values(table, &columns, if columns.is_empty() { "" } else { ", " });
        self.push(")");
    }

    /// `INSERT INTO "t" AS t0 ("a", "b", "updated_at")`.
    pub(super) fn push_insert_head(&mut self, table: &'static Table, columns: &[u16]) {
        let alias = self.alias();
        self.push("INSERT INTO ");
        self.push_table(table, alias);
        self.push(" (");
        self.push_column_names(table, columns);
        let mut glue = if columns.is_empty() { "" } else { ", " };
        for (_, column) in now_columns(table, columns) {
            self.push(glue);
            push_quoted(&mut self.sql, column.name);
            glue = ", ";
        }
        self.push(")");
    }

    /// The time of the transaction, for every `@updatedAt` column that got no value.
    pub(super) fn push_now_values(&mut self, table: &'static Table, columns: &[u16], first_glue: &str) {
        let mut glue = first_glue;
        for _ in now_columns(table, columns) {
            self.push(glue);
            self.push("CURRENT_TIMESTAMP");
            glue = ", ";
        }
    }

    fn push_default_rows(&mut self, table: &'static Table, rows: usize) {
        let alias = self.alias();
        self.push("INSERT INTO ");
        self.push_table(table, alias);
        match table.columns.first() {
            Some(column) => {
                self.push(" (");
                push_quoted(&mut self.sql, column.name);
                self.push(") VALUES ");
                for row in 0..rows {
                    self.push(if row > 0 { ", (DEFAULT)" } else { "(DEFAULT)" });
                }
            }
            None => self.push(" DEFAULT VALUES"),
        }
    }

    fn push_column_names(&mut self, table: &Table, columns: &[u16]) {
        for (index, column) in columns.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            push_quoted(&mut self.sql, table.columns[usize::from(*column)].name);
        }
    }

    fn push_lookup(&mut self, relation: &'static Relation, column: u16, key: Vec<(u16, Param)>) {
        let child = self.alias();
        let columns = relation.child.columns;
        self.push("(SELECT ");
        self.push_column(child, &columns[usize::from(column)]);
        self.push(" FROM ");
        self.push_table(relation.child, child);
        let compare = |(column, value)| Condition::Compare { column, operator: Operator::Eq, value };
        let condition = Condition::And(key.into_iter().map(compare).collect());
        self.push_where(&condition, relation.child, child);
        self.push(")");
    }

    pub(super) fn push_sets(&mut self, table: &'static Table, sets: &[(u16, SetTo)]) {
        for (number, to) in sets {
            let column = &table.columns[usize::from(*number)];
            push_quoted(&mut self.sql, column.name);
            self.push(" = ");
            self.push_set(column, to);
            self.push(", ");
        }
        let given: Vec<u16> = sets.iter().map(|(column, _)| *column).collect();
        self.end_sets(table, &given);
    }

    /// Sets `@updatedAt` columns that have no value, in place of the comma behind what is set.
    pub(super) fn end_sets(&mut self, table: &'static Table, given: &[u16]) {
        for (_, column) in now_columns(table, given) {
            push_quoted(&mut self.sql, column.name);
            self.push(" = CURRENT_TIMESTAMP, ");
        }
        if self.sql.ends_with(", ") {
            self.sql.truncate(self.sql.len() - 2);
        }
    }

    fn push_set(&mut self, column: &Column, to: &SetTo) {
        match to {
            SetTo::Append(values) => self.push_appended(column, values.clone()),
            SetTo::Default => self.push_default(column),
            SetTo::Lookup { relation, column, key } => self.push_lookup(relation, *column, key.clone()),
            SetTo::Excluded => {
                self.push("excluded.");
                push_quoted(&mut self.sql, column.name);
            }
            SetTo::Value(value)
            | SetTo::Add(value)
            | SetTo::Subtract(value)
            | SetTo::Multiply(value)
            | SetTo::Divide(value) => {
                self.push_changed(column, to, |writer, is_operand| match column.wire {
                    Some(wire) if is_operand => {
                        writer.push_param(value.clone());
                        writer.push("::");
                        writer.push(wire);
                    }
                    _ => writer.push_value(column, value.clone()),
                });
            }
        }
    }

    /// A value, behind `t0."a" + ` where the new value is made of the old one. PostgreSQL calculates with `money` and
    /// `oid` as with the numbers that they travel as; `push` is told whether it is to push one of these.
    pub(super) fn push_changed(&mut self, column: &Column, to: &SetTo, push: impl FnOnce(&mut Self, bool)) {
        let operator = match to {
            SetTo::Add(_) => " + ",
            SetTo::Subtract(_) => " - ",
            SetTo::Multiply(_) => " * ",
            SetTo::Divide(_) => " / ",
            SetTo::Value(_) | SetTo::Append(_) | SetTo::Lookup { .. } | SetTo::Excluded | SetTo::Default => {
                return push(self, false);
            }
        };
        let travels = column.wire.is_some();
        self.push(if travels { "(" } else { "" });
        self.push_read(TABLE, column);
        self.push(operator);
        push(self, travels);
        if travels {
            self.push(")::");
            self.push(column.sql_type);
        }
    }

    /// `coalesce(t0."tags", '{}') || $1`: a list that is null in the database reads as an empty one.
    fn push_appended(&mut self, column: &Column, values: Param) {
        self.push("coalesce(");
        self.push_column(TABLE, column);
        self.push(", '{}') || ");
        self.push_typed(column, values);
    }

    pub(super) fn push_default(&mut self, column: &Column) {
        match column.default {
            _ if column.updated_at => self.push("CURRENT_TIMESTAMP"),
            ClientDefault::None => self.push("DEFAULT"),
            made => self.push_value(column, generate(made)),
        }
    }

    fn push_update_on_conflict(
        &mut self,
        table: &'static Table,
        key: &[u16],
        sets: &[(u16, SetTo)],
        only_if: &Condition,
    ) {
        self.push(" ON CONFLICT (");
        self.push_column_names(table, key);
        self.push(") DO UPDATE SET ");
        if sets.is_empty() && !table.columns.iter().any(|column| column.updated_at) {
            // Sets a key column to itself, so that the row comes back.
            for column in key.iter().take(1).map(|column| &table.columns[usize::from(*column)]) {
                push_quoted(&mut self.sql, column.name);
                self.push(" = ");
                self.push_column(TABLE, column);
            }
        } else {
            self.push_sets(table, sets);
        }
        self.push_where(only_if, table, TABLE);
    }

    pub(super) fn push_bulk_end(&mut self, table: &'static Table, on_conflict: &OnConflict, returning: bool) {
        match on_conflict {
            OnConflict::Fail => {}
            OnConflict::Skip => self.push(" ON CONFLICT DO NOTHING"),
            OnConflict::Update { key, sets, only_if } => self.push_update_on_conflict(table, key, sets, only_if),
        }
        if returning {
            self.push_returning(table);
        }
    }

    fn push_returning(&mut self, table: &'static Table) {
        self.push(" RETURNING ");
        self.push_all_columns(table, TABLE);
    }
}

/// The `@updatedAt` columns that are not among those that have a value.
fn now_columns<'t>(table: &'t Table, given: &'t [u16]) -> impl Iterator<Item = (usize, &'t Column)> + use<'t> {
    table
        .columns
        .iter()
        .enumerate()
        .filter(|(index, column)| column.updated_at && !given.iter().any(|number| usize::from(*number) == *index))
}
