//! `@@sql("..")`, `views/NAME.sql` and `@@materialized`: views that migrations manage.

use relata_pgsql::TokenKind;

use super::Cx;
use super::arguments::{Parameters, bind, expect_sql};
use super::draft::Given;
use crate::diagnostics::{self as codes, Diagnostic, Edit, SourceFile, Sources, Span};
use crate::ir::ModelId;
use crate::syntax::{Attribute, ModelKind, text_literal};

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

/// Reads the queries of `views/*.sql`: each file is named after its view, in the database or in the schema.
pub(super) fn read_files<'a>(cx: &mut Cx<'a, '_>, sources: &'a Sources) {
    for (file, at) in sources.views.iter().zip(sources.files.len() as u32..) {
        let Some(id) = view_of(cx, file) else {
            let message = format!("`{}` belongs to no view", file.path);
            cx.report(
                Diagnostic::new(codes::VIEW_FILE, Span { file: at, start: 0, end: 0 }, message)
                    .help(format!("declare `view {}`, or rename the file", stem(file))),
            );
            continue;
        };
        let name = cx.model(id).ast.name;
        if let Some(other) = cx.model(id).query {
            let message = format!("`{}` has two queries: `@@sql` and `{}`", name.text, file.path);
            cx.report(
                Diagnostic::new(codes::VIEW_TWICE, other.span, message)
                    .label("one of them")
                    .help("remove the attribute or the file"),
            );
            continue;
        }
        let query = Given { text: text_of(file), span: name.span };
        match mistake(query.text) {
            Some((label, help)) => {
                let message = format!("`{}` is not the query of a view: {label}", file.path);
                cx.report(Diagnostic::new(codes::VIEW_QUERY, query.span, message).label("of this view").help(help));
            }
            None => cx.model_mut(id).query = Some(query),
        }
    }
}

/// Reports options of views that migrations do not create.
pub(super) fn check_options(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for model in &cx.models {
        let is_unmanaged = model.ast.kind == ModelKind::View && model.query.is_none();
        let option = model.attributes.iter().find(|attribute| attribute.name.text == "with");
        if let Some(option) = option.filter(|_| is_unmanaged) {
            let message = format!("migrations do not create `{}`", model.ast.name.text);
            found.push(
                Diagnostic::new(codes::MISPLACED_ATTRIBUTE, option.span, message)
                    .label("has no effect")
                    .help("add the query of the view with `@@sql`, or remove the attribute"),
            );
        }
    }
    cx.diagnostics.extend(found);
}

/// Returns the changes that write the queries of files into the views that they are for.
pub(super) fn attributes_of_files(cx: &Cx<'_, '_>, files: &[SourceFile]) -> Vec<Edit> {
    let attribute = |file: &SourceFile| {
        let id = view_of(cx, file).filter(|id| cx.model(*id).query.is_none())?;
        let block = cx.model(id).ast;
        let at = block.close?;
        let text = format!("\n  @@sql({})\n", text_literal(text_of(file)));
        Some(Edit { span: Span { file: block.name.span.file, start: at, end: at }, text })
    };
    files.iter().filter_map(attribute).collect()
}

fn view_of(cx: &Cx<'_, '_>, file: &SourceFile) -> Option<ModelId> {
    let is_view = |id: &ModelId| cx.model(*id).ast.kind == ModelKind::View;
    let views: Vec<ModelId> = cx.model_ids().filter(is_view).collect();
    let named = |id: &&ModelId| cx.model(**id).db_name() == stem(file);
    views.iter().find(named).or_else(|| views.iter().find(|id| cx.model(**id).ast.name.text == stem(file))).copied()
}

/// Returns the name of a file without its folder and `.sql`.
fn stem(file: &SourceFile) -> &str {
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".sql").unwrap_or(name)
}

/// Returns the text without the semicolon at its end.
fn text_of(file: &SourceFile) -> &str {
    let text = file.text.trim_start_matches('\u{feff}').trim();
    text.strip_suffix(';').unwrap_or(text).trim_end()
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
