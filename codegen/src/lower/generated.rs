//! `@generated("sql")`: columns whose values PostgreSQL generates from other columns of the row.

use super::Cx;
use super::arguments::{Parameters, bind, expect_flag, expect_sql};
use super::draft::GeneratedDraft;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{ColumnText, FieldId};
use crate::syntax::{Attribute, ModelKind};

const PARAMETERS: Parameters =
    Parameters { owner: "@generated", unnamed: Some("sql"), names: &["sql", "virtual"], required: &["sql"] };

/// Reads `@generated("sql", virtual: true)`.
pub(super) fn read_generated<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    if cx.model(cx.field(id).model).ast.kind == ModelKind::View {
        cx.report(
            Diagnostic::new(codes::MISPLACED_ATTRIBUTE, attribute.span, "a view has no generated columns")
                .label("not possible here")
                .help("remove it: the query of the view computes its columns"),
        );
        return;
    }
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let is_virtual = bound.get("virtual").and_then(|value| expect_flag(cx, value, "virtual: true"));
    let help = "write an expression over other columns, such as `@generated(\"lower(email)\")`";
    let needs = "`@generated` needs an SQL expression";
    let Some(sql) = bound.get("sql").and_then(|value| expect_sql(cx, value, needs, help)) else { return };
    let is_virtual = is_virtual.unwrap_or(false);
    cx.field_mut(id).generated = Some(GeneratedDraft { sql, is_virtual, span: attribute.span });
}

/// Reports generated columns to which something else writes.
pub(super) fn check_generated(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for id in cx.field_ids() {
        let field = cx.field(id);
        if let Some(generated) = &field.generated {
            found.extend(other_values(cx, id, generated.span, &["default", "updatedAt", "using", "identity"]));
        } else if let Some((_, identity)) = &field.identity {
            found.extend(other_values(cx, id, *identity, &["default", "updatedAt"]));
        }
        for (column, span) in field.relation.fields.iter().flat_map(|list| &list.fields) {
            if let Some(generated) = cx.field(*column).never_written() {
                found.push(in_relation(cx, *column, *span, generated));
            }
        }
    }
    cx.diagnostics.extend(found);
}

/// Returns a mistake for each attribute that gives the column values, too.
fn other_values(cx: &Cx<'_, '_>, id: FieldId, generated: Span, others: &[&str]) -> Vec<Diagnostic> {
    let field = cx.field(id).ast;
    let message = |what: &str| format!("`{}` is generated and cannot have {what}", cx.qualified(id));
    let attributes = field.attributes.iter().filter(|it| others.contains(&it.name.text));
    let mut found: Vec<_> = attributes
        .map(|attribute| {
            let what = format!("`@{}`", attribute.name.text);
            Diagnostic::new(codes::GENERATED_COLUMN, attribute.span, message(&what))
                .label("nothing else writes the column")
                .second(generated, "PostgreSQL generates its values")
                .help("remove one of the two attributes")
        })
        .collect();
    let text = field.ty.unsupported.as_ref().and_then(|text| ColumnText::parse(&text.value).ok());
    if text.is_some_and(|text| text.has_value()) {
        found.push(
            Diagnostic::new(codes::GENERATED_COLUMN, generated, message("a second expression"))
                .label("generated twice")
                .second(field.ty.span, "the text already says how its values are generated")
                .help("leave only the type in `Unsupported(\"..\")`, or remove the attribute"),
        );
    }
    found
}

/// The client would have to write the column to connect rows.
fn in_relation(cx: &Cx<'_, '_>, column: FieldId, span: Span, generated: Span) -> Diagnostic {
    let message = format!("`{}` is generated, so a relation cannot write it", cx.qualified(column));
    Diagnostic::new(codes::GENERATED_COLUMN, span, message)
        .label("the client would have to set it")
        .second(generated, "PostgreSQL generates its values")
        .help("use a column that is not generated, or remove the relation")
}
