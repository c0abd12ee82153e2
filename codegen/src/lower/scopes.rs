//! `@@scope(name, where: ..)`: conditions on the rows of a model that no call has to repeat.

use relata_pgsql::{Lexeme, Token, is_enclosed, lexemes, tokens};

use super::Cx;
use super::arguments::{Parameters, bind, expect_word};
use super::draft::ScopeDraft;
use super::predicates;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::names::snake_ident;
use crate::ir::{FieldId, MAX_SCOPES, ModelId};
use crate::syntax::Attribute;

/// Reads `@@scope(published, where: { published: true })`.
pub(super) fn read_scope<'a>(cx: &mut Cx<'a, '_>, id: ModelId, attribute: &'a Attribute<'a>) {
    let names = &["name", "where"];
    let parameters = Parameters { owner: "@@scope", unnamed: Some("name"), names, required: &[] };
    let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
    if !bound.broken && names.iter().any(|name| bound.get(name).is_none()) {
        return cx.report(
            Diagnostic::new(codes::MISSING_ARGUMENT, attribute.span, "`@@scope` needs a name and a condition")
                .label("incomplete")
                .help("write them as in `@@scope(published, where: { public: true })`"),
        );
    }
    let name = bound.get("name").and_then(|value| expect_word(cx, value, "the name of a scope"));
    let condition = bound.get("where").and_then(|value| Some((value, predicates::read_predicate(cx, id, value)?)));
    let (Some(name), Some((value, sql))) = (name, condition) else { return };
    let report = |cx: &mut Cx<'_, '_>, message: String, span: Span, label: &str, help: &str| {
        cx.report(Diagnostic::new(codes::SCOPE, span, message).label(label).help(help));
    };
    let rust_ident = snake_ident(name.text);
    let known = cx.model(id).scopes.iter().find(|scope| scope.rust_ident == rust_ident).map(|scope| scope.name);
    if let Some(known) = known {
        let message = format!("`{}` has two scopes with this name", cx.model(id).ast.name.text);
        let diagnostic = Diagnostic::new(codes::SCOPE, name.span, message)
            .label("the second one")
            .second(known.span, "the first one")
            .help("write both conditions in one scope, or choose another name");
        return cx.report(diagnostic);
    }
    if cx.model(id).scopes.len() == MAX_SCOPES {
        let message = format!("a model has at most {MAX_SCOPES} scopes");
        return report(cx, message, attribute.span, "one too many", "write several conditions in one scope");
    }
    if let Some((message, help)) = refused(&sql) {
        return report(cx, message.to_owned(), value.span(), "not possible in a scope", help);
    }
    let is_ignored = |field: &FieldId| cx.field(*field).ignored && names_column(cx, *field, &sql);
    let ignored = cx.model(id).field_ids().find(is_ignored);
    if let Some(field) = ignored {
        let message = format!("the scope names `{}`, which the client lacks", cx.qualified(field));
        return report(cx, message, value.span(), "because of `@ignore`", "remove `@ignore` from the field");
    }
    cx.model_mut(id).scopes.push(ScopeDraft { name, rust_ident, sql: without_comments(&sql) });
}

/// Returns why a condition cannot stand in any statement of the client, and what to do. It is written in parentheses, so it
/// must not close them: other conditions, such as that of the tenant, are beside it.
fn refused(sql: &str) -> Option<(&'static str, &'static str)> {
    if !is_enclosed(&without_comments(sql)) {
        let help = "close every parenthesis, string and name that it opens, and write no semicolon";
        return Some(("this is not one SQL condition", help));
    }
    let is_word = |is_it: fn(&str) -> bool| {
        lexemes(sql).into_iter().flatten().any(|lexeme| matches!(&lexeme, Lexeme::Word(word) if is_it(word)))
    };
    if is_word(|word| ["select", "table", "values", "with"].contains(&word)) {
        let help = "write a condition on the columns of the model; use a filter with a relation for others";
        return Some(("a scope is a condition on one row, and cannot read tables", help));
    }
    is_word(|word| word.starts_with('$'))
        .then_some(("a scope has no parameters", "write the value, or use a filter for a value of the program"))
}

/// A comment would hide what the client writes behind the condition.
fn without_comments(sql: &str) -> String {
    let mut text = String::new();
    let mut behind = 0;
    for comment in tokens(sql).filter(Token::is_comment) {
        text.push_str(&sql[behind..comment.start]);
        text.push(' ');
        behind = comment.end;
    }
    text.push_str(&sql[behind..]);
    text.trim().to_owned()
}

/// Returns whether a condition names the column of a field.
fn names_column(cx: &Cx<'_, '_>, field: FieldId, sql: &str) -> bool {
    let field = cx.field(field);
    let column = field.is_column().then(|| field.db_name());
    let is_column =
        |lexeme: &Lexeme| matches!(lexeme, Lexeme::Word(name) | Lexeme::Quoted(name) if Some(name.as_str()) == column);
    lexemes(sql).is_some_and(|found| found.iter().any(is_column))
}
