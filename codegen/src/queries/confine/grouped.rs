//! GROUP BY of a confined statement.
//!
//! In `SELECT s.id, s.name FROM students s GROUP BY s.id`, PostgreSQL accepts `s.name` because the primary key determines
//! it. A subquery has no primary key, so a confined statement names such columns in GROUP BY. The groups stay the same.

use super::super::infer::{GroupedTable, Grouping};
use super::super::lexer::{Kind, Token};
use super::super::types::Base;
use super::Tables;
use crate::ir::{ColumnWalker, ModelId, ModelWalker, Schema};
use relata_pgsql::ident;

/// Returns the columns to add to each GROUP BY, and the place in the file. `None` if a column that the key determines
/// cannot be in a GROUP BY.
pub(super) fn added_columns(schema: &Schema, tables: &Tables<'_>) -> Option<Vec<(u32, String)>> {
    let mut added = Vec::new();
    for grouping in &tables.groupings {
        let mut columns = String::new();
        for table in &grouping.tables {
            let model = tables.reads.iter().find(|(span, _)| *span == table.span).map(|(_, model)| *model);
            if let Some(model) = model {
                columns.push_str(&determined_columns(schema, tables.tokens, grouping, table, model)?);
            }
        }
        if !columns.is_empty() {
            added.push((grouping.end, columns));
        }
    }
    Some(added)
}

/// Returns the columns of a table that the statement names, if the table's primary key is in GROUP BY.
fn determined_columns(
    schema: &Schema,
    tokens: &[Token],
    grouping: &Grouping,
    table: &GroupedTable,
    model: ModelId,
) -> Option<String> {
    let walker = schema.walk_model(model);
    if table.is_renamed {
        return None;
    }
    if !has_primary_key(walker, grouping, table) {
        return Some(String::new());
    }
    if names_whole_row(tokens, table) {
        return None;
    }
    let is_grouped = |column: &ColumnWalker<'_>| grouping.columns.iter().any(|path| is_path(path, table, column));
    let named =
        walker.columns().filter(|column| !is_grouped(column) && is_named(tokens, grouping, table, column.db_name()));
    let mut columns = String::new();
    for column in named {
        if !has_equality(column) {
            return None;
        }
        columns.push_str(&format!(", {}.{}", ident(&table.name), ident(column.db_name())));
    }
    Some(columns)
}

fn has_primary_key(model: ModelWalker<'_>, grouping: &Grouping, table: &GroupedTable) -> bool {
    let mut key = model.primary_key_columns().peekable();
    key.peek().is_some() && key.all(|column| grouping.columns.iter().any(|path| is_path(path, table, &column)))
}

/// Returns whether a name, perhaps qualified, is that of the column. A name that several tables have is merged by USING, so
/// its value is that of each.
fn is_path(path: &[String], table: &GroupedTable, column: &ColumnWalker<'_>) -> bool {
    match path {
        [name] => name == column.db_name(),
        [.., qualifier, name] => *qualifier == table.name && name == column.db_name(),
        [] => false,
    }
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted)
}

/// Returns whether the statement may name a column of the table in a group. A name that is not meant only makes GROUP BY
/// longer.
fn is_named(tokens: &[Token], grouping: &Grouping, table: &GroupedTable, column: &str) -> bool {
    let is_in_condition = |token: &Token| {
        let start = token.span.start as u32;
        grouping.conditions.iter().any(|span| span.start <= start && start < span.end)
    };
    tokens.iter().enumerate().filter(|(_, token)| !is_in_condition(token)).any(|(at, token)| {
        let before = at.checked_sub(1).map(|at| &tokens[at]);
        let qualifier = at.checked_sub(2).filter(|_| tokens[at - 1].is(".")).map(|at| &tokens[at]);
        // Elsewhere, `*` is `count(*)` or a product.
        let is_item =
            before.is_some_and(|before| ["select", "distinct", "all", ","].iter().any(|word| before.is(word)));
        let is_star = token.is("*") && (is_item || qualifier.is_some());
        (is_star || is_name(token) && token.text == column)
            && qualifier.is_none_or(|qualifier| qualifier.text == table.name)
    })
}

/// Returns whether the name of the table denotes its rows: `row_to_json(s)`.
fn names_whole_row(tokens: &[Token], table: &GroupedTable) -> bool {
    let table_end = tokens.iter().position(|token| token.span.end as u32 == table.span.end).unwrap_or_default();
    let is_alias = |at: usize| at == table_end + 1 || at == table_end + 2 && tokens[table_end + 1].is("as");
    tokens.iter().enumerate().any(|(at, token)| {
        let is_qualifier = tokens.get(at + 1).is_some_and(|next| next.is("."));
        is_name(token) && token.text == table.name && at != table_end && !is_alias(at) && !is_qualifier
    })
}

/// Returns whether GROUP BY accepts values of the column.
fn has_equality(column: ColumnWalker<'_>) -> bool {
    let base = Base::of_column(&column.column().ty);
    base.is_some_and(Base::can_be_grouped)
}
