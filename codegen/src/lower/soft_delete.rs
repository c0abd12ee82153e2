//! `@softDelete`: a deletion marks rows of the model by a time, and they stay in the table.

use super::Cx;
use super::arguments::{Parameters, bind};
use super::draft::{FieldType, KeyDraft, KeyKind};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, FieldId, ModelId, ReferentialAction, ScalarType, is_null_test};
use crate::syntax::{Attribute, ModelKind};

/// Reads `@softDelete`.
pub(super) fn read_soft_delete<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let parameters = Parameters { owner: "@softDelete", unnamed: None, names: &[], required: &[] };
    bind(cx, attribute.arguments(), attribute.span, &parameters);
    let field = cx.field(id);
    if field.ty != FieldType::Scalar(ScalarType::DateTime) || field.arity() != Arity::Optional {
        let (name, ty) = (field.ast.name.text, field.ast.ty.span);
        let message = "`@softDelete` is for an optional DateTime, which is null in rows that are not deleted";
        return cx.report(
            Diagnostic::new(codes::SOFT_DELETE, attribute.span, message)
                .label("not possible for this type")
                .second(ty, "this is another type")
                .help(format!("write `{name} DateTime? @softDelete`")),
        );
    }
    cx.field_mut(id).soft_delete = Some(attribute.span);
}

/// Reports fields that cannot mark rows, keys that deleted rows keep, and rows that stay when their parent is deleted.
pub(super) fn check_soft_deletes(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for model in cx.model_ids() {
        let marks: Vec<_> = cx.model(model).field_ids().filter(|id| cx.field(*id).soft_delete.is_some()).collect();
        let Some(first) = marks.first().copied() else { continue };
        found.extend(marks[1..].iter().filter_map(|id| second_mark(cx, first, *id)));
        found.extend(marks.iter().filter_map(|id| is_not_alone(cx, *id)));
        if cx.model(model).ast.kind == ModelKind::Model {
            found.extend(cx.model(model).keys.iter().filter_map(|key| is_kept(cx, first, key)));
        }
    }
    found.extend(cx.relations.iter().filter_map(|relation| outlives(cx, relation.referencing, relation.referenced)));
    cx.diagnostics.extend(found);
}

/// Returns the field of a model with `@softDelete`.
fn mark_of(cx: &Cx<'_, '_>, model: ModelId) -> Option<FieldId> {
    cx.model(model).field_ids().find(|id| cx.field(*id).soft_delete.is_some())
}

/// Returns whether a key identifies a row among those that are not deleted.
pub(super) fn is_live_key(cx: &Cx<'_, '_>, model: ModelId, key: &KeyDraft<'_>) -> bool {
    let is_test = |sql: &String| mark_of(cx, model).is_some_and(|mark| is_null_test(sql, cx.field(mark).db_name()));
    key.kind == KeyKind::Unique && key.columns().is_some() && key.predicate.as_ref().is_some_and(is_test)
}

/// Returns whether fields identify a row among those that are not deleted.
pub(super) fn is_unique_among_live(cx: &Cx<'_, '_>, fields: &[FieldId]) -> bool {
    let Some(first) = fields.first() else { return false };
    let model = cx.field(*first).model;
    cx.model(model).keys.iter().any(|key| is_live_key(cx, model, key) && has_fields(key, fields))
}

/// Returns whether a key has exactly these fields, in any order.
fn has_fields(key: &KeyDraft<'_>, fields: &[FieldId]) -> bool {
    let (mut columns, mut wanted) = (key.columns().unwrap_or_default(), fields.to_vec());
    columns.sort();
    wanted.sort();
    columns == wanted
}

fn second_mark(cx: &Cx<'_, '_>, first: FieldId, second: FieldId) -> Option<Diagnostic> {
    let message = format!("`{}` is a second field with `@softDelete`", cx.qualified(second));
    let diagnostic = Diagnostic::new(codes::SOFT_DELETE, cx.field(second).soft_delete?, message)
        .label("only one field of a model can have it")
        .second(cx.field(first).soft_delete?, "the first one");
    Some(diagnostic.help("remove one of them"))
}

/// Returns why nothing can be marked: something else writes the field, or the client lacks it.
fn is_not_alone(cx: &Cx<'_, '_>, id: FieldId) -> Option<Diagnostic> {
    let field = cx.field(id);
    let place = field.soft_delete?;
    let report = |message: String, at: Option<Span>, help: &str| {
        let diagnostic = Diagnostic::new(codes::SOFT_DELETE, place, message).label("not possible here");
        Some(at.into_iter().fold(diagnostic, |diagnostic, at| diagnostic.second(at, "because of this")).help(help))
    };
    if cx.model(field.model).ast.kind == ModelKind::View {
        let name = cx.model(field.model).ast.name;
        let help = "remove it: leave deleted rows out in the query of the view";
        return report(format!("rows of the view `{}` cannot be deleted", name.text), Some(name.span), help);
    }
    let others = ["updatedAt", "default", "generated", "ignore", "id", "unique"];
    let other = field.ast.attributes.iter().find(|attribute| others.contains(&attribute.name.text))?;
    let name = other.name.text;
    let message = format!("`{}` has `@softDelete`, and cannot have `@{name}`", cx.qualified(id));
    let help = match name {
        "ignore" => "remove `@ignore`: the client has to know which rows are deleted".to_owned(),
        _ => format!("remove `@{name}`: the field is null until the row is deleted, and only then has a time"),
    };
    report(message, Some(other.span), &help)
}

/// Reports a unique key that also holds for deleted rows, unless a foreign key needs it.
fn is_kept(cx: &Cx<'_, '_>, mark: FieldId, key: &KeyDraft<'_>) -> Option<Diagnostic> {
    if key.kind != KeyKind::Unique || key.predicate.is_some() || key.options.deferrable.is_some() {
        return None;
    }
    let columns = key.columns().unwrap_or_default();
    let references = cx.relations.iter().filter_map(|relation| relation.foreign_key.as_ref());
    if !columns.is_empty() && references.map(|key| &key.references).any(|fields| has_fields(key, fields)) {
        return None;
    }
    let name = cx.field(mark).ast.name.text;
    let model = cx.model(cx.field(mark).model).ast.name.text;
    let message = format!("a deleted row of `{model}` keeps its unique value, which no other row can have");
    Some(
        Diagnostic::new(codes::KEY_OF_DELETED_ROWS, key.span, message)
            .label("unique among all rows, including deleted ones")
            .second(cx.field(mark).soft_delete?, "deleted rows stay in the table")
            .help(format!("write `where: {{ {name}: null }}` in it, or allow the warning if values are never reused")),
    )
}

/// Reports `onDelete: Cascade` to a model with `@softDelete` from one without.
fn outlives(cx: &Cx<'_, '_>, referencing: FieldId, referenced: FieldId) -> Option<Diagnostic> {
    let (child, parent) = (cx.field(referencing).model, cx.field(referenced).model);
    let mark = mark_of(cx, parent)?;
    let (action, span) = cx.field(referencing).relation.on_delete?;
    if action != ReferentialAction::Cascade || mark_of(cx, child).is_some() {
        return None;
    }
    let (child, parent) = (cx.model(child).ast.name.text, cx.model(parent).ast.name.text);
    let message = format!("rows of `{child}` stay when their `{parent}` is marked as deleted");
    Some(
        Diagnostic::new(codes::OUTLIVED_PARENT, span, message)
            .label("PostgreSQL carries this out for `hard_delete` only")
            .second(cx.field(mark).soft_delete?, format!("a deletion of `{parent}` is an update"))
            .help(format!(
                "add a field with `@softDelete` to `{child}`, so that its rows are marked, too, or allow the warning and \
                 delete them in the same transaction"
            )),
    )
}
