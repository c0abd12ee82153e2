//! `match:` and `setNull:` of relations.

use super::super::Cx;
use super::super::draft::FieldList;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, FieldId, ReferentialAction};

/// Returns what is wrong with the options of a foreign key.
pub(super) fn mistakes(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList) -> Vec<Diagnostic> {
    let relation = &cx.field(id).relation;
    let mut found = Vec::new();
    if let (Some(span), [_]) = (relation.match_full, fields.fields.as_slice()) {
        found.push(
            Diagnostic::new(codes::IGNORED_ARGUMENT, span, "`match: Full` has no effect on a key of one column")
                .label("there is only one column")
                .help("remove it"),
        );
    }
    if let Some(list) = relation.delete_fields.as_ref().filter(|list| !list.broken) {
        found.extend(deletion_sets_null(cx, id, fields, list.span));
        found.extend(list.fields.iter().filter_map(|(column, span)| can_be_set(cx, id, fields, *column, *span)));
    }
    found
}

fn deletion_sets_null(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList, span: Span) -> Option<Diagnostic> {
    let on_delete = cx.field(id).relation.on_delete;
    let is_required = |(id, _): &(FieldId, Span)| cx.field(*id).arity() == Arity::Required;
    match on_delete {
        Some((ReferentialAction::SetNull, _)) => return None,
        // The default action of optional columns.
        None if !fields.fields.iter().any(is_required) => return None,
        _ => {}
    }
    let message = format!("`{}` does not set columns to null", cx.qualified(id));
    let mut diagnostic = Diagnostic::new(codes::SET_NULL_COLUMNS, span, message).label("has no effect");
    if let Some((_, span)) = on_delete {
        diagnostic = diagnostic.second(span, "a deletion does something else");
    }
    Some(diagnostic.help("write `onDelete: SetNull`, or remove `setNull`"))
}

fn can_be_set(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList, column: FieldId, span: Span) -> Option<Diagnostic> {
    let field = cx.field(column);
    let name = field.ast.name.text;
    if !fields.ids().contains(&column) {
        let message = format!("`{name}` is not a column of `{}`", cx.qualified(id));
        return Some(
            Diagnostic::new(codes::SET_NULL_COLUMNS, span, message)
                .label("not in `fields`")
                .second(fields.span, "the columns of the relation")
                .help("name columns that `fields` contains"),
        );
    }
    (field.arity() == Arity::Required).then(|| {
        let message = format!("a deletion cannot set `{name}` to null, because it is required");
        Diagnostic::new(codes::SET_NULL_COLUMNS, span, message)
            .label("fails when a row is deleted")
            .second(field.ast.ty.span, "this column is never null")
            .help(format!("write `{name} {}?`, or leave the column out of `setNull`", field.ast.ty.name.text))
    })
}
