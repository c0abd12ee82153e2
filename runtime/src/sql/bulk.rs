//! INSERT statements of many rows.

use super::nested::selected;
use super::pass::Pass;
use super::statement::Statement;
use super::tenant::Context;
use super::writer::Writer;
use crate::meta::Table;
use crate::query::{BulkInsert, OnConflict, Returned};
use crate::value::Param;

/// The maximum number of parameters of one statement: the protocol counts them in 16 bits.
pub(super) const MAX_PARAMETERS: usize = 32_767;

/// Returns the statements: usually a single one, with one array parameter per column. PostgreSQL has no arrays of
/// arrays as parameters, so rows with list columns are written as VALUES, in as many statements as needed.
pub(crate) fn bulk_insert_statements(context: Context<'_>, mut insert: BulkInsert) -> Vec<Statement> {
    if let Some(own) = context.own_column(insert.table) {
        insert.remove(own);
    }
    if !insert.lookups.is_empty() || insert.returned == Returned::Marked {
        return selected(context, insert);
    }
    let is_list = |column: &u16| insert.table.columns[usize::from(*column)].sql_type.ends_with("[]");
    if insert.columns.is_empty() || insert.columns.iter().any(is_list) {
        with_values(context, insert)
    } else {
        vec![unnested(context, insert)]
    }
}

fn unnested(context: Context<'_>, insert: BulkInsert) -> Statement {
    let mut writer = Writer::new(context);
    writer.push_insert_head(insert.table, insert.columns.iter().copied());
    writer.push(" SELECT ");
    let glue = if writer.push_own_value(insert.table) { ", " } else { "" };
    for (index, column) in insert.columns.iter().enumerate() {
        writer.push(if index > 0 { ", " } else { glue });
        writer.push(&format!("r.c{index}"));
        let column = &insert.table.columns[usize::from(*column)];
        if column.wire.is_some() {
            writer.push("::");
            writer.push(column.sql_type);
        }
    }
    writer.push_now_values(insert.table, insert.columns.iter().copied(), ", ");
    writer.push(" FROM unnest(");
    for (index, (column, values)) in insert.columns.iter().zip(insert.values).enumerate() {
        writer.push(if index > 0 { ", " } else { "" });
        writer.push_param(Param::Array(values));
        let column = &insert.table.columns[usize::from(*column)];
        writer.push(&format!("::{}[]", column.wire_in_list().unwrap_or(column.sql_type)));
    }
    writer.push(") AS r(");
    for index in 0..insert.columns.len() {
        writer.push(&format!("{}c{index}", if index > 0 { ", " } else { "" }));
    }
    writer.push(")");
    writer.push_bulk_end(insert.table, &insert.on_conflict, insert.returned);
    writer.finish()
}

fn with_values(context: Context<'_>, insert: BulkInsert) -> Vec<Statement> {
    let has_own = context.own_column(insert.table).is_some();
    let per_statement = (MAX_PARAMETERS / insert.columns.len().max(1)).max(1);
    let mut columns: Vec<_> = insert.values.into_iter().map(Vec::into_iter).collect();
    let mut statements = Vec::new();
    let mut left = insert.rows;
    while left > 0 {
        let rows = left.min(per_statement);
        left -= rows;
        let mut writer = Writer::new(context);
        if insert.columns.is_empty() && !has_own && !insert.table.columns.iter().any(|column| column.updated_at) {
            // Without columns, there is no list of VALUES, and rows are all equal.
            writer.push_default_rows(insert.table, rows);
        } else {
            writer.push_insert_head(insert.table, insert.columns.iter().copied());
            writer.push(" VALUES ");
            for row in 0..rows {
                writer.push(if row > 0 { ", (" } else { "(" });
                let glue = if writer.push_own_value(insert.table) { ", " } else { "" };
                for (index, (column, values)) in insert.columns.iter().zip(&mut columns).enumerate() {
                    writer.push(if index > 0 { ", " } else { glue });
                    let value = values.next().unwrap_or(Param::Null);
                    writer.push_value(&insert.table.columns[usize::from(*column)], value);
                }
                let glue = if insert.columns.is_empty() && !has_own { "" } else { ", " };
                writer.push_now_values(insert.table, insert.columns.iter().copied(), glue);
                writer.push(")");
            }
        }
        writer.push_bulk_end(insert.table, &insert.on_conflict, insert.returned);
        statements.push(writer.finish());
    }
    statements
}

impl<P: Pass> Writer<'_, P> {
    fn push_default_rows(&mut self, table: &'static Table, rows: usize) {
        let alias = self.alias();
        self.push("INSERT INTO ");
        self.push_unconfined_table(table, alias);
        match table.columns.first() {
            Some(column) => {
                self.push(" (");
                self.push_quoted(column.name);
                self.push(") VALUES ");
                for row in 0..rows {
                    self.push(if row > 0 { ", (DEFAULT)" } else { "(DEFAULT)" });
                }
            }
            None => self.push(" DEFAULT VALUES"),
        }
    }

    pub(super) fn push_bulk_end(&mut self, table: &'static Table, on_conflict: &OnConflict, returned: Returned) {
        let marks = returned == Returned::Marked;
        match on_conflict {
            OnConflict::Fail => {}
            OnConflict::Skip => self.push(" ON CONFLICT DO NOTHING"),
            OnConflict::SkipKey(key) => {
                self.push_conflict(table, key);
                self.push(" DO NOTHING");
            }
            OnConflict::Update { key, sets, only_if } => {
                self.push_update_on_conflict(table, key, sets, only_if);
                if marks {
                    let is_confined = self.tenancy_of(table).is_some() || table.has_scopes();
                    let is_first = !is_confined && only_if.is_all();
                    self.push(if is_first { " WHERE " } else { " AND " });
                    self.push(MARK_EXISTING);
                }
            }
        }
        let skips = matches!(on_conflict, OnConflict::Skip | OnConflict::SkipKey(_));
        match returned {
            // Without rows to return, Citus also counts the ones that it skips.
            Returned::Count if table.is_on_citus && skips => self.push(" RETURNING 1"),
            Returned::Count => {}
            Returned::Rows => self.push_returning(table),
            Returned::Marked => {
                self.push_returning(table);
                self.push(MARK);
            }
        }
    }
}

// RETURNING cannot name the input row, and `xmax` tells an insert from an update only in tables without partitions. So a
// setting of the transaction has the number of the input row, from the moment when PostgreSQL takes it until it returns
// the written row. PostgreSQL takes the rows of an INSERT one by one.

/// Marks the written row with the setting.
const MARK: &str = ", current_setting('relata.row')::bigint";

/// Makes the number negative, because the row already exists.
const MARK_EXISTING: &str = "set_config('relata.row', '-' || ltrim(current_setting('relata.row'), '-'), true) <> ''";

impl<P: Pass> Writer<'_, P> {
    /// Writes the condition of the input rows that stores the number of each, which is in this column.
    pub(super) fn push_mark_input(&mut self, name: &str, number: usize) {
        self.push(" WHERE set_config('relata.row', ");
        self.push_given_name(name, number);
        self.push("::text, true) <> ''");
    }
}
