//! Fields that are named in keys, conditions and relations.

use super::Cx;
use super::arguments::{list_items, report_wrong_value};
use super::draft::{FieldList, FieldType};
use crate::diagnostics::{self as codes, Diagnostic, did_you_mean};
use crate::ir::{FieldId, ModelId};
use crate::syntax::{Attribute, Expression, Name};

/// Finds the field that a key or a condition names: it must exist and have a column.
pub(super) fn find_column(cx: &mut Cx<'_, '_>, model: ModelId, name: Name<'_>, owner: &str) -> Option<FieldId> {
    let id = find_named_field(cx, model, name, owner, None)?;
    if !matches!(cx.field(id).ty, FieldType::Model(_)) {
        return Some(id);
    }
    let columns: Vec<_> =
        relation_columns(cx, id).iter().map(|column| cx.field(*column).ast.name.text.to_owned()).collect();
    let help = if columns.is_empty() {
        "name a field with a column".to_owned()
    } else {
        format!("name the columns of the relation: `{}`", columns.join(", "))
    };
    let message = format!("`{owner}` cannot name `{}`, which is a relation and not a column", cx.qualified(id));
    cx.report(
        Diagnostic::new(codes::RELATION_IN_KEY, name.span, message)
            .label("a relation field")
            .second(cx.field(id).ast.name.span, "declared here")
            .help(help),
    );
    None
}

/// Returns the columns that `fields:` of a relation field names, as far as they were read.
fn relation_columns(cx: &Cx<'_, '_>, id: FieldId) -> Vec<FieldId> {
    cx.field(id).relation.fields.as_ref().map(FieldList::ids).unwrap_or_default()
}

/// `declaration` is a possible declaration of the field, if one is known.
fn find_named_field(
    cx: &mut Cx<'_, '_>,
    model: ModelId,
    name: Name<'_>,
    owner: &str,
    declaration: Option<String>,
) -> Option<FieldId> {
    let found = cx.find_field(model, name.text);
    if found.is_none() && !cx.model(model).ast.broken {
        let model = cx.model(model);
        // A relation field has no column.
        let is_column = |id: &FieldId| !matches!(cx.field(*id).ty, FieldType::Model(_));
        let known = model.by_name.iter().filter(|(_, id)| cx.may_search() && is_column(id)).map(|(name, _)| *name);
        let guess = did_you_mean(name.text, known).or_else(|| {
            let mut fields = model.field_ids().map(|id| cx.field(id));
            fields
                .find(|field| cx.may_search() && field.ast.attributes.iter().any(|a| is_mapped_to(a, name.text)))
                .map(|f| f.ast.name.text)
        });
        let help = match (guess, declaration) {
            (Some(guess), _) => format!("did you mean `{guess}`?"),
            (None, Some(declaration)) => format!("declare `{declaration}` in `{}`", model.ast.name.text),
            (None, None) => format!("declare it in `{}`, or name one of its fields", model.ast.name.text),
        };
        let message = format!("`{}` has no field `{}`", model.ast.name.text, name.text);
        let place = model.ast.name.span;
        cx.report(
            Diagnostic::new(codes::UNKNOWN_FIELD, name.span, message)
                .label(format!("`{owner}` names it"))
                .second(place, "this is the model")
                .help(help),
        );
    }
    found
}

/// Returns whether an attribute is `@map` with that column. Writing the column instead of the field is a common
/// mistake.
fn is_mapped_to(attribute: &Attribute<'_>, column: &str) -> bool {
    attribute.name.text == "map"
        && attribute
            .arguments
            .iter()
            .flat_map(|arguments| &arguments.list)
            .any(|argument| matches!(&argument.value, Expression::String(text) if text.value == column))
}

/// Returns `name Int @db.SmallInt`, with the type of the field that it would reference.
fn declaration(cx: &Cx<'_, '_>, name: Name<'_>, model: ModelId, reference: Option<&Expression<'_>>) -> Option<String> {
    let Some(Expression::Constant(reference)) = reference else { return None };
    let referenced = cx.field(cx.find_field(model, reference.text)?).ast;
    let native = referenced.attributes.iter().find(|it| it.name.text.contains('.') && it.arguments.is_none());
    let native = native.map(|it| format!(" @{}", it.name.text)).unwrap_or_default();
    Some(format!("{} {}{native}", name.text, referenced.ty.name.text))
}

/// Reads a list of fields in an argument of `@relation`. `opposite` is the other list, and its model.
pub(super) fn read_field_list<'a>(
    cx: &mut Cx<'a, '_>,
    value: &'a Expression<'a>,
    model: ModelId,
    argument: &str,
    opposite: Option<(&'a Expression<'a>, ModelId)>,
) -> FieldList {
    let mut list = FieldList { fields: Vec::new(), span: value.span(), broken: false };
    for (at, item) in list_items(value).iter().enumerate() {
        let Expression::Constant(name) = item else {
            report_wrong_value(cx, item, "the name of a field", "write the field's name without quotes".to_owned());
            list.broken = true;
            continue;
        };
        let declared = opposite.and_then(|(list, model)| declaration(cx, *name, model, list_items(list).get(at)));
        match find_named_field(cx, model, *name, &format!("{argument}:"), declared) {
            Some(id) if matches!(cx.field(id).ty, FieldType::Model(_)) => {
                list.broken = true;
                let message = format!("`{argument}:` cannot name `{}`, which is a relation", cx.qualified(id));
                cx.report(
                    Diagnostic::new(codes::RELATION_IN_KEY, name.span, message)
                        .label("a relation field")
                        .help("name the fields with the columns of the relation"),
                );
            }
            Some(id) => list.fields.push((id, name.span)),
            None => list.broken = true,
        }
    }
    if list_items(value).is_empty() {
        list.broken = true;
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, value.span(), format!("`{argument}:` needs at least one field"))
                .label("empty")
                .help("write the names of the fields, such as `[id]`"),
        );
    }
    list
}
