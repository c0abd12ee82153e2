//! Confines a statement to the rows of one tenant: each table of tenants that it reads becomes a subquery with the
//! tenant's condition, and the statements that write get the condition, and the tenant of new rows.
//!
//! Only a statement that is completely understood is confined. These are not: a statement that names a table or a
//! function which the schema does not know, that names a table which is not in the client, in which the name of such a
//! table occurs where the analysis found no table, or that writes what could belong to another tenant.

mod grouped;
mod written;

use super::infer::{Grouping, Write};
use super::lexer::{Kind, Token};
use super::query::{Confinement, Query};
use crate::diagnostics::Span;
use crate::ir::{ModelId, ModelWalker, Schema};
use relata_pgsql::ident;

/// What is known about the tables of a statement.
pub(super) struct Tables<'q> {
    pub(super) reads: Vec<(Span, ModelId)>,
    pub(super) writes: Vec<Write>,
    pub(super) groupings: Vec<Grouping>,
    pub(super) goes_outside: bool,
    pub(super) tokens: &'q [Token],
}

/// A piece of the file, and the text in its place.
#[derive(Debug)]
struct Edit {
    start: u32,
    end: u32,
    text: String,
}

impl Edit {
    fn insert(at: u32, text: String) -> Self {
        Self { start: at, end: at, text }
    }
}

/// Returns how a query is confined to a tenant, and whether only the client of a tenant can send it.
pub(super) fn confine(schema: &Schema, query: &Query, mut tables: Tables<'_>) -> (Confinement, bool) {
    const NOT: (Confinement, bool) = (Confinement::None, false);
    if schema.tenant().is_none() || tables.goes_outside || names_ignored(schema, &tables) || names_more(schema, &tables)
    {
        return NOT;
    }
    let parameter = query.params.len() + 1;
    let Some(written) = written::edits(schema, &tables.writes, parameter) else { return NOT };
    tables.reads.retain(|(_, model)| schema.walk_model(*model).has_tenant());
    tables.reads.sort_by_key(|(span, _)| *span);
    tables.reads.dedup();
    if tables.reads.is_empty() && written.edits.is_empty() {
        return (Confinement::Shared, false);
    }
    match confined_sql(schema, query, &tables, written.edits, parameter) {
        Some(sql) => (Confinement::Confined(sql), written.needs_tenant),
        None => NOT,
    }
}

/// Returns the statement with a subquery in place of each table of tenants that it reads, and with the other edits.
fn confined_sql(
    schema: &Schema,
    query: &Query,
    tables: &Tables<'_>,
    mut edits: Vec<Edit>,
    parameter: usize,
) -> Option<String> {
    for (span, model) in &tables.reads {
        let text = confined_table(schema, tables, *span, *model, parameter)?;
        edits.push(Edit { start: span.start, end: span.end, text });
    }
    let columns = grouped::added_columns(schema, tables)?;
    edits.extend(columns.into_iter().map(|(end, columns)| Edit::insert(end, columns)));
    // From the last to the first, so that the places before them stay valid.
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.start, edit.end)));
    let mut sql = query.sql.clone();
    for edit in edits {
        let range = query.sent(edit.start)?..query.sent(edit.end)?;
        let (before, after) = (sql.get(..range.start)?, sql.get(range.end..)?);
        let joins = |left: &str, right: &str| left.ends_with(is_of_word) && right.starts_with(is_of_word);
        let space_before = if joins(before, &edit.text) { " " } else { "" };
        let space_after = if joins(&edit.text, after) { " " } else { "" };
        sql = format!("{before}{space_before}{}{space_after}{after}", edit.text);
    }
    Some(sql)
}

/// Returns whether a character may be part of a word, of a parameter, or of quotes that a word before them changes.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii() || "_$\"'".contains(c)
}

/// Returns whether a table is ignored by the client, so that its owner is unknown.
fn names_ignored(schema: &Schema, tables: &Tables<'_>) -> bool {
    let reads = tables.reads.iter().map(|(_, model)| *model);
    let mut all = reads.chain(tables.writes.iter().map(|write| write.model));
    all.any(|model| schema.walk_model(model).model().ignored)
}

/// Returns whether the name of a table of tenants occurs where the analysis found no table, or with a schema in front of
/// a column. Ignored tables count too, because their owners are unknown.
fn names_more(schema: &Schema, tables: &Tables<'_>) -> bool {
    let names: Vec<&str> = schema
        .walk_models()
        .filter(|model| model.has_tenant() || model.model().ignored)
        .map(|model| model.model().db_name.as_str())
        .collect();
    // A subquery has no schema by which its columns could be qualified.
    let is_read = |name: &str| {
        tables
            .reads
            .iter()
            .map(|(_, model)| schema.walk_model(*model))
            .any(|it| it.has_tenant() && it.model().db_name == name)
    };
    let is_seen = |token: &Token| {
        let (start, end) = (token.span.start as u32, token.span.end as u32);
        let reads = tables.reads.iter().map(|(span, _)| span);
        reads.chain(tables.writes.iter().map(|write| &write.table)).any(|span| span.start <= start && end <= span.end)
    };
    tables.tokens.iter().enumerate().any(|(at, token)| {
        let is_qualifier = tables.tokens.get(at + 1).is_some_and(|next| next.is("."));
        let is_qualified = at > 0 && tables.tokens[at - 1].is(".");
        matches!(token.kind, Kind::Word | Kind::Quoted)
            && names.contains(&token.text.as_str())
            && !is_seen(token)
            && (!is_qualifier || is_qualified && is_read(&token.text))
    })
}

/// Returns `(SELECT * FROM "t" AS t0 WHERE ..)`, with an alias if the statement has none.
fn confined_table(
    schema: &Schema,
    tables: &Tables<'_>,
    span: Span,
    model: ModelId,
    parameter: usize,
) -> Option<String> {
    let first = tables.tokens.iter().position(|token| token.span.start as u32 == span.start)?;
    let last = tables.tokens.iter().position(|token| token.span.end as u32 == span.end)?;
    let before = first.checked_sub(1).and_then(|at| tables.tokens.get(at));
    // `TABLE t` and `ONLY t` accept no subquery, and neither does a table with a suffix such as `*`.
    if before.is_some_and(|token| token.is("table") || token.is("only")) {
        return None;
    }
    let next = tables.tokens.get(last + 1)?;
    if next.is("*") || next.is("tablesample") {
        return None;
    }
    let has_alias = next.is("as")
        || next.kind == Kind::Quoted
        || next.kind == Kind::Word && !ENDS_TABLE.contains(&next.text.as_str());
    let walker = schema.walk_model(model);
    let condition = condition_of(walker, ("t0", 't'), parameter)?;
    let alias = if has_alias { String::new() } else { format!(" AS {}", ident(&walker.model().db_name)) };
    Some(format!("(SELECT * FROM {} AS t0 WHERE {condition}){alias}", name_of(walker)))
}

/// Keywords that may follow a table without an alias. Any other word is the alias.
const ENDS_TABLE: [&str; 26] = [
    "where",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "returning",
    "set",
    "into",
    "tablesample",
    "lateral",
];

fn name_of(model: ModelWalker<'_>) -> String {
    let name = ident(&model.model().db_name);
    model.model().namespace.as_deref().map_or_else(|| name.clone(), |namespace| format!("{}.{name}", ident(namespace)))
}

/// Returns the condition that a row belongs to the tenant. The row's name comes with a letter that does not begin it.
fn condition_of(model: ModelWalker<'_>, (row, letter): (&str, char), parameter: usize) -> Option<String> {
    let (steps, column) = model.way_to_tenant()?;
    let name = |number: usize| if number == 0 { row.to_owned() } else { format!("{letter}{number}") };
    let is_tenant = format!("{}.{} = ${parameter}", name(steps.len()), ident(column.db_name()));
    let steps = steps.iter().enumerate().rev();
    Some(steps.fold(is_tenant, |rest, (number, step)| {
        let (this, next) = (name(number), name(number + 1));
        let pairs = step.from.iter().zip(&step.to);
        let joins = pairs
            .map(|(ours, theirs)| format!("{next}.{} = {this}.{}", ident(theirs.db_name()), ident(ours.db_name())));
        let joins: Vec<String> = joins.collect();
        format!("EXISTS (SELECT 1 FROM {} AS {next} WHERE {} AND {rest})", name_of(step.model), joins.join(" AND "))
    }))
}
