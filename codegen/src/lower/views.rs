//! `@@sql("..")` and `@@materialized`: views that migrations manage.

use relata_pgsql::TokenKind;

use super::Cx;
use super::arguments::{Parameters, bind, expect_sql};
use super::draft::Given;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::ModelId;
use crate::syntax::{Attribute, ModelKind};

const PARAMETERS: Parameters =
    Parameters { owner: "@@sql", unnamed: Some("query"), names: &["query"], required: &["query"] };

/// How the query of a view begins.
const FIRST_WORDS: [&str; 4] = ["select", "with", "values", "table"];

/// Reads `@@sql("SELECT ..")`.
pub(super) fn read_query<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    if refuse_on_model(cx, id, attribute, "@@sql") {
        return;
    }
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let help = "write the query of the view, such as `@@sql(\"SELECT id FROM users\")`";
    let query = bound.get("query").and_then(|value| expect_sql(cx, value, "`@@sql` needs a query", help));
    let Some(query) = query else { return };
    match mistake(query.text) {
        Some((label, help)) => report(cx, query, label, help),
        None => cx.model_mut(id).query = Some(query),
    }
}

/// Reads `@@materialized`.
pub(super) fn read_materialized(cx: &mut Cx<'_, '_>, id: ModelId, attribute: &Attribute<'_>) {
    if !refuse_on_model(cx, id, attribute, "@@materialized") {
        cx.model_mut(id).materialized = true;
    }
}

fn refuse_on_model(cx: &mut Cx<'_, '_>, id: ModelId, attribute: &Attribute<'_>, name: &str) -> bool {
    let is_view = cx.model(id).ast.kind == ModelKind::View;
    if !is_view {
        let message = format!("`{name}` is an attribute of views");
        cx.report(
            Diagnostic::new(codes::MISPLACED_ATTRIBUTE, attribute.span, message)
                .label("not possible here")
                .help("remove it, or write `view` instead of `model`"),
        );
    }
    !is_view
}

/// Returns why a text is not the query of a view, and what to do.
fn mistake(sql: &str) -> Option<(&'static str, &'static str)> {
    let tokens: Vec<_> = relata_pgsql::tokens(sql).filter(|token| !token.is_comment()).collect();
    let is_query = tokens
        .iter()
        .find(|token| !token.is_punctuation(sql, "("))
        .is_some_and(|first| FIRST_WORDS.iter().any(|word| first.is_word(sql, word)));
    if tokens.iter().any(|token| matches!(token.kind, TokenKind::Unterminated(_))) {
        Some(("something in it is not closed", "close the string, the name or the comment"))
    } else if tokens.first().is_some_and(|first| first.is_word(sql, "create")) {
        Some(("a whole statement", "write the query alone, without `CREATE VIEW .. AS`"))
    } else if !is_query {
        Some(("not a query", "begin with SELECT, WITH, VALUES or TABLE"))
    } else if tokens.iter().any(|token| token.is_punctuation(sql, ";")) {
        Some(("contains a semicolon", "write a single query, without a semicolon at its end"))
    } else if tokens.iter().any(|token| token.kind == TokenKind::Param) {
        Some(("contains a parameter", "a view has no parameters: write a query file in `queries/` instead"))
    } else {
        None
    }
}

fn report(cx: &mut Cx<'_, '_>, query: Given<'_>, label: &str, help: &str) {
    cx.report(Diagnostic::new(codes::VIEW_QUERY, query.span, "a view cannot have this query").label(label).help(help));
}
