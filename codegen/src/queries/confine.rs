//! Confines a statement to the rows of one tenant: each table of tenants in it becomes a subquery with the tenant's
//! condition.
//!
//! Only a statement that is completely understood is confined. These are not: a statement that writes, that names a
//! table or a function which the schema does not know, that names a table which is not in the client, or in which the
//! name of such a table occurs where the analysis found no table.

mod grouped;

use super::infer::Grouping;
use super::lexer::{Kind, Token};
use super::query::{Confinement, Query};
use crate::diagnostics::Span;
use crate::ir::{ModelId, ModelWalker, Schema};
use relata_pgsql::ident;

/// What is known about the tables of a statement.
pub(super) struct Reads<'q> {
    pub(super) tables: Vec<(Span, ModelId)>,
    pub(super) groupings: Vec<Grouping>,
    pub(super) goes_outside: bool,
    pub(super) tokens: &'q [Token],
}

/// Returns how a query is confined to a tenant.
pub(super) fn confine(schema: &Schema, query: &Query, mut reads: Reads<'_>) -> Confinement {
    let is_ignored = |(_, model): &(Span, ModelId)| schema.walk_model(*model).model().ignored;
    if schema.tenant().is_none()
        || reads.goes_outside
        || reads.tables.iter().any(is_ignored)
        || names_more(schema, &reads)
    {
        return Confinement::None;
    }
    reads.tables.retain(|(_, model)| schema.walk_model(*model).has_tenant());
    reads.tables.sort_by_key(|(span, _)| *span);
    reads.tables.dedup();
    if reads.tables.is_empty() {
        return Confinement::Shared;
    }
    confined_sql(schema, query, &reads).map_or(Confinement::None, Confinement::Confined)
}

/// Returns the statement with a subquery in place of each table of tenants.
fn confined_sql(schema: &Schema, query: &Query, reads: &Reads<'_>) -> Option<String> {
    let parameter = query.params.len() + 1;
    let mut edits: Vec<(u32, u32, String)> = Vec::new();
    for (span, model) in &reads.tables {
        edits.push((span.start, span.end, confined_table(schema, reads, *span, *model, parameter)?));
    }
    edits.extend(grouped::added_columns(schema, reads)?.into_iter().map(|(end, columns)| (end, end, columns)));
    edits.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    let mut sql = query.sql.clone();
    for (start, end, text) in edits {
        let range = query.sent(start)?..query.sent(end)?;
        sql.get(range.clone())?;
        sql.replace_range(range, &text);
    }
    Some(sql)
}

/// Returns whether the name of a table of tenants occurs where the analysis found no table. Ignored tables count too,
/// because their owners are unknown.
fn names_more(schema: &Schema, reads: &Reads<'_>) -> bool {
    let names: Vec<&str> = schema
        .walk_models()
        .filter(|model| model.has_tenant() || model.model().ignored)
        .map(|model| model.model().db_name.as_str())
        .collect();
    let is_seen = |token: &Token| {
        let (start, end) = (token.span.start as u32, token.span.end as u32);
        reads.tables.iter().any(|(span, _)| span.start <= start && end <= span.end)
    };
    reads.tokens.iter().enumerate().any(|(at, token)| {
        let is_qualifier = reads.tokens.get(at + 1).is_some_and(|next| next.is("."));
        matches!(token.kind, Kind::Word | Kind::Quoted)
            && names.contains(&token.text.as_str())
            && !is_qualifier
            && !is_seen(token)
    })
}

/// Returns `(SELECT * FROM "t" AS t0 WHERE ..)`, with an alias if the statement has none.
fn confined_table(schema: &Schema, reads: &Reads<'_>, span: Span, model: ModelId, parameter: usize) -> Option<String> {
    let first = reads.tokens.iter().position(|token| token.span.start as u32 == span.start)?;
    let last = reads.tokens.iter().position(|token| token.span.end as u32 == span.end)?;
    let before = first.checked_sub(1).and_then(|at| reads.tokens.get(at));
    // `TABLE t` and `ONLY t` accept no subquery, and neither does a table with a suffix such as `*`.
    if before.is_some_and(|token| token.is("table") || token.is("only")) {
        return None;
    }
    let next = reads.tokens.get(last + 1)?;
    if next.is("*") || next.is("tablesample") {
        return None;
    }
    let has_alias = next.is("as")
        || next.kind == Kind::Quoted
        || next.kind == Kind::Word && !ENDS_TABLE.contains(&next.text.as_str());
    let walker = schema.walk_model(model);
    let condition = condition_of(walker, &format!("${parameter}"))?;
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

/// Returns the condition that a row of `t0` belongs to the tenant.
fn condition_of(model: ModelWalker<'_>, parameter: &str) -> Option<String> {
    let (steps, column) = model.way_to_tenant()?;
    let is_tenant = format!("t{}.{} = {parameter}", steps.len(), ident(column.db_name()));
    let steps = steps.iter().enumerate().rev();
    Some(steps.fold(is_tenant, |rest, (number, step)| {
        let next = number + 1;
        let pairs = step.from.iter().zip(&step.to);
        let joins = pairs
            .map(|(ours, theirs)| format!("t{next}.{} = t{number}.{}", ident(theirs.db_name()), ident(ours.db_name())));
        let joins: Vec<String> = joins.collect();
        format!("EXISTS (SELECT 1 FROM {} AS t{next} WHERE {} AND {rest})", name_of(step.model), joins.join(" AND "))
    }))
}
