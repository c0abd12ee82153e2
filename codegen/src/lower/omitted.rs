//! `@omit`: columns that rows do not have unless a program asks for them.

use super::Cx;
use super::draft::KeyKind;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{FieldId, ModelId};

/// Reports omitted columns that rows cannot be without: those that identify or connect them.
pub(super) fn check_omitted(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for id in cx.field_ids() {
        let Some(span) = cx.field(id).omitted else { continue };
        let why = if is_in_key(cx, cx.field(id).model, id) {
            "rows are identified by it"
        } else if is_in_relation(cx, id) {
            "rows are connected by it"
        } else {
            continue;
        };
        found.push(report(cx, id, span, why));
    }
    cx.diagnostics.extend(found);
}

fn report(cx: &Cx<'_, '_>, id: FieldId, span: Span, why: &str) -> Diagnostic {
    let message = format!("`{}` cannot be omitted: {why}", cx.qualified(id));
    Diagnostic::new(codes::MISPLACED_ATTRIBUTE, span, message).label("every row needs it").help(
        "remove the attribute; `@sensitive` keeps the value out of Debug, and `select_as` reads a struct without it",
    )
}

/// Returns whether a column is part of the primary key, or of a unique key in its place.
fn is_in_key(cx: &Cx<'_, '_>, model: ModelId, id: FieldId) -> bool {
    let keys = &cx.model(model).keys;
    let has_primary = keys.iter().any(|key| key.kind == KeyKind::Primary);
    let wanted = if has_primary { KeyKind::Primary } else { KeyKind::Unique };
    keys.iter().any(|key| key.kind == wanted && key.fields.iter().any(|field| field.column() == Some(id)))
}

/// Returns whether a relation stores or references a column.
fn is_in_relation(cx: &Cx<'_, '_>, id: FieldId) -> bool {
    cx.relations
        .iter()
        .filter_map(|relation| relation.foreign_key.as_ref())
        .any(|key| key.fields.contains(&id) || key.references.contains(&id))
}
