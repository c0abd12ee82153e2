//! Checks that PostgreSQL can find the rows of a relation without reading the whole table.

use super::super::Cx;
use super::super::draft::{FieldList, FieldType, KeyDraft};
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{FieldId, IndexMethod};
use crate::syntax::ModelKind;

/// PostgreSQL does not create an index for a foreign key.
pub(super) fn columns_have_an_index(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList) -> Option<Diagnostic> {
    let field = cx.field(id);
    let model = cx.model(field.model);
    let mut columns = fields.ids();
    columns.sort();
    let unclear = fields.broken || columns.is_empty() || model.has_broken_key || model.ast.broken;
    if unclear || model.ast.kind == ModelKind::View || model.keys.iter().any(|key| serves(key, &columns)) {
        return None;
    }
    let names: Vec<_> = fields.fields.iter().map(|(id, _)| cx.field(*id).ast.name.text).collect();
    let target = match field.ty {
        FieldType::Model(target) => cx.model(target).ast.name.text,
        _ => return None,
    };
    let from = model.ast.name.text;
    let message = format!("the columns of the relation `{}` have no index", cx.qualified(id));
    let line = format!("@@index([{}])", names.join(", "));
    let edit = model.ast.close.map(|at| Edit {
        span: Span { file: model.ast.name.span.file, start: at, end: at },
        text: format!("{line}\n"),
    });
    Some(
        Diagnostic::new(codes::UNINDEXED_RELATION, fields.span, message)
            .label(format!("no index or key starts with `{}`", names.join("`, `")))
            .second(model.ast.name.span, "in this model")
            .help(format!("add `{line}`: without it, PostgreSQL scans `{from}` to find the rows of one `{target}`"))
            .edits(edit),
    )
}

/// Returns whether a key or index finds rows by these columns, which are sorted: they are its first columns, in any
/// order. A partial index counts, because its author knows which rows are searched.
fn serves(key: &KeyDraft<'_>, columns: &[FieldId]) -> bool {
    let method = key.method();
    let is_long_enough = match method {
        IndexMethod::Hash => key.fields.len() == columns.len(),
        _ => key.fields.len() >= columns.len(),
    };
    let first: Option<Vec<_>> = key.fields.iter().take(columns.len()).map(|field| field.column()).collect();
    is_long_enough
        && first.is_some_and(|mut first| {
            first.sort();
            first == columns
        })
}
