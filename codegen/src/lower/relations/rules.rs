//! The rules for relations, one function per rule.

use super::super::Cx;
use super::super::draft::{FieldList, FieldType, KeyKind, RelationDraft};
use super::super::native_types::native_type_name;
use super::super::soft_delete;
use super::{Pair, indexes, is_unique, options, place};
use crate::diagnostics::{self as codes, Diagnostic, Edit, Span};
use crate::ir::{Arity, FieldId, NativeType, ReferentialAction, ScalarType};
use crate::syntax::ModelKind;

/// A many-to-many relation has its own table with the two ids.
pub(super) fn many_to_many(cx: &Cx<'_, '_>, pair: Pair) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for id in [pair.first, pair.second] {
        found.extend(list_side_stores_nothing(cx, id, "a many-to-many relation has its own table"));
    }
    for (id, other) in [(pair.first, pair.second), (pair.second, pair.first)] {
        found.extend(many_to_many_needs_a_single_id(cx, id, other));
    }
    found
}

fn many_to_many_needs_a_single_id(cx: &Cx<'_, '_>, id: FieldId, other: FieldId) -> Option<Diagnostic> {
    let model = cx.model(cx.field(other).model);
    let single = model.keys.iter().any(|key| key.kind == KeyKind::Primary && key.fields.len() == 1);
    if single || model.has_broken_key {
        return None;
    }
    let name = model.ast.name;
    let message = format!(
        "`{}` cannot be a many-to-many relation: `{}` has no id of a single field",
        cx.qualified(id),
        name.text
    );
    Some(
        Diagnostic::new(codes::MANY_TO_MANY_ID, place(cx, id), message)
            .label("stored in a table that references both ids")
            .second(name.span, "this model has none")
            .help("declare a model for the table, with a relation to each of the two"),
    )
}

/// The side with the list has no columns, so arguments about columns belong to the other side.
fn list_side_stores_nothing(cx: &Cx<'_, '_>, id: FieldId, reason: &str) -> Vec<Diagnostic> {
    let relation = &cx.field(id).relation;
    let places = [
        ("fields", relation.fields.as_ref().map(|list| list.span)),
        ("references", relation.references.as_ref().map(|list| list.span)),
        ("onDelete", relation.on_delete.map(|(_, span)| span)),
        ("onUpdate", relation.on_update.map(|(_, span)| span)),
        ("deferrable", relation.deferrable.map(|(_, span)| span)),
        ("match", relation.match_full),
        ("setNull", relation.delete_fields.as_ref().map(|list| list.span)),
    ];
    let given = places.into_iter().filter_map(|(name, span)| Some((name, span?)));
    let mut found: Vec<_> = given
        .map(|(name, span)| {
            let message = format!("`{}` cannot have `{name}`", cx.qualified(id));
            Diagnostic::new(codes::ARGUMENT_ON_WRONG_SIDE, span, message)
                .label(reason.to_owned())
                .help("remove it here; only the side that holds the columns has such arguments")
        })
        .collect();
    found.extend(relation.map.map(|map| {
        Diagnostic::new(codes::IGNORED_ARGUMENT, map.span, format!("`map` has no effect on `{}`", cx.qualified(id)))
            .label(reason.to_owned())
            .help("remove it here")
    }));
    found
}

/// Returns, for a one-to-one relation, the side with the columns and the other side.
pub(super) fn referencing_side(cx: &Cx<'_, '_>, pair: Pair) -> Result<(FieldId, FieldId), Vec<Diagnostic>> {
    let says = |id: FieldId| {
        let relation = &cx.field(id).relation;
        (relation.fields.is_some(), relation.references.is_some())
    };
    let (first, second) = (says(pair.first), says(pair.second));
    let either = |side: (bool, bool)| side.0 || side.1;
    if either(first) && either(second) {
        let message = "only one side of a relation holds the columns";
        return Err(vec![
            Diagnostic::new(codes::BOTH_SIDES_STORE, place(cx, pair.second), message)
                .label("this side lists columns")
                .second(place(cx, pair.first), "and so does this side")
                .help("keep `fields` and `references` on one side, and remove them on the other"),
        ]);
    }
    if either(first) {
        return Ok((pair.first, pair.second));
    }
    if either(second) {
        return Ok((pair.second, pair.first));
    }
    if cx.field(pair.first).relation.broken || cx.field(pair.second).relation.broken {
        return Err(Vec::new());
    }
    let (a, b) = (cx.field(pair.first).ast.name, cx.field(pair.second).ast.name);
    Err(vec![
        Diagnostic::new(codes::MISSING_FIELDS, b.span, "neither side of this relation names its columns")
            .label("one side")
            .second(a.span, "the other side")
            .help(fields_help(cx, pair.second)),
    ])
}

/// One side has a foreign key, and the other has none.
pub(super) fn foreign_key(cx: &Cx<'_, '_>, referencing: FieldId, referenced: FieldId) -> Vec<Diagnostic> {
    let relation = &cx.field(referencing).relation;
    let mut found = list_side_stores_nothing(cx, referenced, "the other side of the relation holds the columns");
    found.extend(back_side_is_not_required(cx, referencing, referenced));
    match (&relation.fields, &relation.references) {
        (Some(fields), Some(references)) => {
            if !fields.broken && !references.broken {
                found.extend(columns_match(cx, referencing, fields, references));
                let deferrable = references_are_checked_at_once(cx, referencing, references);
                found.extend(deferrable.or_else(|| references_are_unique(cx, referencing, references)));
                found.extend(one_to_one_is_unique(cx, referencing, referenced, fields));
            }
            found.extend(columns_are_named_once(cx, fields));
            found.extend(columns_are_named_once(cx, references));
            found.extend(required_relation_has_required_columns(cx, referencing, fields));
            found.extend(set_null_needs_optional_columns(cx, referencing, fields));
            found.extend(options::mistakes(cx, referencing, fields));
            found.extend(actions_work_without_foreign_keys(cx, referencing));
        }
        (fields, references) => found.extend(both_lists_are_given(cx, referencing, fields, references)),
    }
    if let (Some(fields), true) = (&relation.fields, found.is_empty()) {
        found.extend(indexes::columns_have_an_index(cx, referencing, fields));
    }
    found
}

/// Returns `fields: [..], references: [..]` as it could be written on a field.
fn fields_help(cx: &Cx<'_, '_>, id: FieldId) -> String {
    let field = cx.field(id);
    let FieldType::Model(target) = field.ty else { return String::new() };
    let target = cx.model(target);
    let key = target.keys.iter().find(|key| key.kind == KeyKind::Primary).and_then(|key| key.columns());
    let references: Vec<_> = key.unwrap_or_default().iter().map(|id| cx.field(*id).ast.name.text).collect();
    let references = if references.is_empty() { vec!["id"] } else { references };
    let own = |reference: &str| {
        let mut characters = reference.chars();
        let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        format!("{}{first}{}", field.ast.name.text, characters.as_str())
    };
    let fields: Vec<_> = references.iter().map(|reference| own(reference)).collect();
    let name = field.relation.name.map(|name| format!("\"{}\", ", name.text)).unwrap_or_default();
    format!(
        "write `@relation({name}fields: [{}], references: [{}])` on `{}`, and declare these fields",
        fields.join(", "),
        references.join(", "),
        field.ast.name.text
    )
}

fn both_lists_are_given(
    cx: &Cx<'_, '_>,
    id: FieldId,
    fields: &Option<FieldList>,
    references: &Option<FieldList>,
) -> Option<Diagnostic> {
    if cx.field(id).relation.broken {
        return None;
    }
    let missing = match (fields, references) {
        (None, None) => "`fields` and `references`",
        (None, _) => "`fields`",
        _ => "`references`",
    };
    let message = format!("`{}` does not name its columns", cx.qualified(id));
    Some(
        Diagnostic::new(codes::MISSING_FIELDS, place(cx, id), message)
            .label(format!("{missing} missing"))
            .help(fields_help(cx, id)),
    )
}

fn back_side_is_not_required(cx: &Cx<'_, '_>, referencing: FieldId, referenced: FieldId) -> Option<Diagnostic> {
    let field = cx.field(referenced);
    if field.arity() != Arity::Required {
        return None;
    }
    let (name, ty) = (field.ast.name.text, field.ast.ty.name.text);
    let message = format!("`{}` cannot be required", cx.qualified(referenced));
    Some(
        Diagnostic::new(codes::REQUIRED_BACK_RELATION, field.ast.ty.span, message)
            .label("no column here ensures that a row exists")
            .second(place(cx, referencing), "the columns are on this side")
            .help(format!("write `{name} {ty}?`")),
    )
}

fn columns_match(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList, references: &FieldList) -> Vec<Diagnostic> {
    let (here, there) = (fields.fields.len(), references.fields.len());
    if here != there {
        let message = format!("`{}` has {here} in `fields`, but {there} in `references`", cx.qualified(id));
        return vec![
            Diagnostic::new(codes::LENGTH_MISMATCH, references.span, message)
                .label(format!("{there} here"))
                .second(fields.span, format!("{here} here"))
                .help("list the same number of fields on both sides, in the same order"),
        ];
    }
    let pairs = fields.fields.iter().zip(&references.fields);
    pairs.filter_map(|((field, span), (reference, _))| types_match(cx, *field, *span, *reference)).collect()
}

fn types_match(cx: &Cx<'_, '_>, field: FieldId, span: Span, reference: FieldId) -> Option<Diagnostic> {
    let (here, there) = (cx.field(field), cx.field(reference));
    if [here.ty, there.ty].contains(&FieldType::Unknown) {
        return None;
    }
    let lists_differ = (here.arity() == Arity::List) != (there.arity() == Arity::List);
    let is_whole = |ty| matches!(ty, FieldType::Scalar(ScalarType::Int | ScalarType::BigInt));
    let are_numbers = is_whole(here.ty) && is_whole(there.ty);
    if (here.ty == there.ty || are_numbers) && !lists_differ {
        return native_types_can_be_compared(cx, field, span, reference);
    }
    let written = |id| {
        let field = cx.field(id);
        let list = if field.arity() == Arity::List { "[]" } else { "" };
        format!("{}{list}", field.ast.ty.name.text)
    };
    let (ty, other) = (written(field), written(reference));
    let message = format!("`{}` is {ty}, but `{}` is {other}", cx.qualified(field), cx.qualified(reference));
    Some(
        Diagnostic::new(codes::REFERENCE_TYPE, span, message)
            .label("references a column of another type")
            .second(here.ast.ty.span, "this is its type")
            .second(there.ast.ty.span, "this is the type of the referenced field")
            .help(format!("write `{other}` as the type of `{}`", here.ast.name.text)),
    )
}

/// PostgreSQL refuses a foreign key between types without a common `=` operator.
fn native_types_can_be_compared(cx: &Cx<'_, '_>, field: FieldId, span: Span, reference: FieldId) -> Option<Diagnostic> {
    let (here, there) = (cx.field(field), cx.field(reference));
    let (a, b) = (here.native_type()?, there.native_type()?);
    if comparable(a) == comparable(b) || !cx.config.foreign_keys {
        return None;
    }
    let (a, b) = (native_type_name(a), native_type_name(b));
    let message = format!("`{}` is of type {a}, but `{}` is of type {b}", cx.qualified(field), cx.qualified(reference));
    Some(
        Diagnostic::new(codes::NATIVE_REFERENCE_TYPE, span, message)
            .label("PostgreSQL will reject this foreign key")
            .second(there.ast.ty.span, format!("this is of type {b} in the database"))
            .help(format!("write `@db.{b}` on `{}` too", here.ast.name.text)),
    )
}

/// Types in the same group can be compared with each other.
fn comparable(native: NativeType) -> u8 {
    match native {
        NativeType::Uuid => 1,
        NativeType::Inet => 2,
        NativeType::Bit(_) | NativeType::VarBit(_) => 3,
        NativeType::Xml => 4,
        NativeType::Money => 5,
        NativeType::Time(_) | NativeType::Timetz(_) => 6,
        NativeType::Json | NativeType::JsonB => 7,
        _ => 0,
    }
}

fn references_are_unique(cx: &Cx<'_, '_>, id: FieldId, references: &FieldList) -> Option<Diagnostic> {
    let ids = references.ids();
    let model = cx.model(cx.field(*ids.first()?).model);
    if is_unique(cx, &ids) || model.has_broken_key {
        return None;
    }
    let names: Vec<_> = ids.iter().map(|id| cx.field(*id).ast.name.text).collect();
    let model_name = model.ast.name;
    let help = match names.as_slice() {
        [name] => format!("add `@unique` to `{}.{name}`, or reference its id", model_name.text),
        names => format!("add `@@unique([{}])` to `{}`, or reference its id", names.join(", "), model_name.text),
    };
    let message = format!("`{}` references fields of `{}` that are not unique", cx.qualified(id), model_name.text);
    Some(
        Diagnostic::new(codes::REFERENCES_NOT_UNIQUE, references.span, message)
            .label("several rows could have these values")
            .second(model_name.span, "no key of this model has exactly these fields")
            .help(help),
    )
}

/// PostgreSQL refuses foreign keys that reference a deferrable key.
fn references_are_checked_at_once(cx: &Cx<'_, '_>, id: FieldId, references: &FieldList) -> Option<Diagnostic> {
    let mut wanted = references.ids();
    wanted.sort();
    let model = cx.model(cx.field(*wanted.first()?).model);
    let same = model.keys.iter().filter(|key| {
        let mut columns = key.columns().unwrap_or_default();
        columns.sort();
        columns == wanted
    });
    let (_, deferrable) = same.filter_map(|key| key.options.deferrable).next()?;
    if is_unique(cx, &wanted) {
        return None;
    }
    let message = format!("`{}` references a deferrable key", cx.qualified(id));
    Some(
        Diagnostic::new(codes::DEFERRABLE_KEY, references.span, message)
            .label("PostgreSQL rejects this foreign key")
            .second(deferrable, "the key is deferrable")
            .help("remove `deferrable` from the key, or reference another key"),
    )
}

fn one_to_one_is_unique(
    cx: &Cx<'_, '_>,
    referencing: FieldId,
    referenced: FieldId,
    fields: &FieldList,
) -> Option<Diagnostic> {
    let ids = fields.ids();
    let back = cx.field(referenced);
    let is_one = || is_unique(cx, &ids) || soft_delete::is_unique_among_live(cx, &ids);
    if back.arity() == Arity::List || is_one() || cx.model(cx.field(referencing).model).has_broken_key {
        return None;
    }
    let names: Vec<_> = ids.iter().map(|id| cx.field(*id).ast.name.text).collect();
    let add = match names.as_slice() {
        [name] => format!("add `@unique` to `{name}`"),
        names => format!("add `@@unique([{}])`", names.join(", ")),
    };
    let list = format!("{} {}[]", back.ast.name.text, back.ast.ty.name.text);
    let message = format!("`{}` is one-to-one, but its columns are not unique", cx.qualified(referencing));
    Some(
        Diagnostic::new(codes::ONE_TO_ONE_NOT_UNIQUE, fields.span, message)
            .label("several rows could have these values")
            .second(back.ast.ty.span, "there should be at most one")
            .help(format!("{add}, or write `{list}` on the other side if there can be many")),
    )
}

/// A relation with nullable columns cannot be required.
fn required_relation_has_required_columns(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList) -> Option<Diagnostic> {
    let field = cx.field(id);
    let column = fields.fields.iter().map(|(id, _)| cx.field(*id)).find(|column| column.arity() == Arity::Optional)?;
    if field.arity() != Arity::Required {
        return None;
    }
    let (name, ty) = (field.ast.name.text, field.ast.ty.name.text);
    let message = format!("`{}` is required, but its column is nullable", cx.qualified(id));
    Some(
        Diagnostic::new(codes::RELATION_ARITY, field.ast.ty.span, message)
            .label("required")
            .second(column.ast.ty.span, "optional")
            .help(format!("write `{name} {ty}?`, or make `{}` required", column.ast.name.text)),
    )
}

fn columns_are_named_once(cx: &Cx<'_, '_>, list: &FieldList) -> Vec<Diagnostic> {
    let mut seen = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for (id, span) in &list.fields {
        if let Some(first) = seen.insert(*id, *span) {
            let message = format!("`{}` is named twice", cx.qualified(*id));
            found.push(
                Diagnostic::new(codes::REPEATED_KEY_FIELD, *span, message)
                    .label("named again")
                    .second(first, "first named here")
                    .help("list each column once"),
            );
        }
    }
    found
}

fn set_null_needs_optional_columns(cx: &Cx<'_, '_>, id: FieldId, fields: &FieldList) -> Vec<Diagnostic> {
    let field = cx.field(id);
    let relation = &field.relation;
    let of = |arity: Arity| fields.fields.iter().map(|(id, _)| *id).filter(move |id| cx.field(*id).arity() == arity);
    let required: Vec<FieldId> = of(Arity::Required).collect();
    let optional: Vec<&str> = of(Arity::Optional).map(|id| cx.field(id).ast.name.text).collect();
    let Some(first) = required.first() else { return Vec::new() };
    // A column of the id cannot become optional.
    let primary = cx.model(field.model).keys.iter().find(|key| key.kind == KeyKind::Primary);
    let in_id = primary.and_then(|key| key.columns()).unwrap_or_default();
    let fixed = required.iter().find(|id| in_id.contains(id));
    let column = cx.field(*fixed.unwrap_or(first));
    // `setNull` names the columns that a deletion sets; another rule checks them.
    let on_delete = relation.on_delete.filter(|_| relation.delete_fields.is_none());
    let actions = [("onDelete", on_delete), ("onUpdate", relation.on_update)];
    let set_null = actions.into_iter().filter_map(|(name, action)| match action {
        Some((ReferentialAction::SetNull, span)) => Some((name, span)),
        _ => None,
    });
    set_null
        .map(|(name, span)| {
            let column_name = column.ast.name.text;
            let message = format!("`{name}: SetNull` cannot set `{column_name}` to null, because it is required");
            let diagnostic = Diagnostic::new(codes::SET_NULL_ON_REQUIRED, span, message)
                .label("fails when the action runs")
                .second(column.ast.ty.span, "this column is never null");
            if name == "onDelete" && !optional.is_empty() {
                let text = format!("setNull: [{}]", optional.join(", "));
                let behind = Span { start: span.end, ..span };
                return diagnostic
                    .help(format!("write `{text}`, so that a deletion only sets what may be null"))
                    .edits([Edit { span: behind, text: format!(", {text}") }]);
            }
            if fixed.is_some() {
                return diagnostic
                    .help(format!(
                        "write `{name}: Restrict`, because `{column_name}` is part of the id and the action always fails; or \
                         another action such as `Cascade`"
                    ))
                    .edits([Edit { span, text: "Restrict".to_owned() }]);
            }
            diagnostic.help(format!(
                "write {}, or another action such as `Cascade`",
                optional_lines(cx, required.iter().chain([&id]))
            ))
        })
        .collect()
}

/// Returns the fields as they are written if they are optional.
fn optional_lines<'i>(cx: &Cx<'_, '_>, ids: impl Iterator<Item = &'i FieldId>) -> String {
    let required = ids.map(|id| cx.field(*id)).filter(|field| field.arity() == Arity::Required);
    let lines = required.map(|field| format!("`{} {}?`", field.ast.name.text, field.ast.ty.name.text));
    lines.collect::<Vec<_>>().join(" and ")
}

/// With `relationMode = "prisma"`, the client would have to carry out the actions.
fn actions_work_without_foreign_keys(cx: &Cx<'_, '_>, id: FieldId) -> Vec<Diagnostic> {
    if cx.config.foreign_keys {
        return Vec::new();
    }
    let relation = &cx.field(id).relation;
    let given = [relation.on_delete, relation.on_update].into_iter().flatten();
    let unknown =
        given.filter(|(action, _)| matches!(action, ReferentialAction::SetDefault | ReferentialAction::NoAction));
    unknown
        .map(|(_, span)| {
            Diagnostic::new(codes::WRONG_VALUE, span, "this action needs a foreign key, and there are none")
                .label("requires a foreign key")
                .help("write `Cascade`, `Restrict` or `SetNull`, or remove `relationMode` from the datasource")
        })
        .collect()
}

/// A relation to a model that is not in the client cannot be in the client either.
pub(super) fn ignored_models_are_not_reachable(cx: &mut Cx<'_, '_>) {
    for id in cx.field_ids() {
        let field = cx.field(id);
        let FieldType::Model(target) = field.ty else { continue };
        let target = cx.model(target);
        if !target.ignored || field.ignored || cx.model(field.model).ignored {
            continue;
        }
        let message = format!("`{}` points to `{}`, which is ignored", cx.qualified(id), target.ast.name.text);
        let diagnostic = Diagnostic::new(codes::IGNORED_TARGET, field.ast.name.span, message)
            .label("cannot be in the client")
            .second(target.ast.name.span, "this model has `@@ignore`")
            .help("add `@ignore` to the field");
        cx.report(diagnostic);
    }
}

/// After a crash, an unlogged table is empty, so PostgreSQL allows no reference to it from a table that keeps its rows.
pub(super) fn logged_tables_reference_logged_ones(cx: &mut Cx<'_, '_>) {
    if !cx.config.foreign_keys {
        return;
    }
    let found: Vec<_> = cx.relations.iter().filter_map(|relation| unlogged_target(cx, relation)).collect();
    cx.diagnostics.extend(found);
}

fn unlogged_target(cx: &Cx<'_, '_>, relation: &RelationDraft<'_>) -> Option<Diagnostic> {
    let model = |id: FieldId| cx.model(cx.field(id).model);
    let is_stored = |id: FieldId| model(id).ast.kind == ModelKind::Model;
    let (from, to) = (relation.referencing, relation.referenced);
    let (target, what) = match relation.foreign_key {
        Some(_) if model(to).unlogged && !model(from).unlogged => (to, "references"),
        None if model(to).unlogged => (to, "has a join table that references"),
        None if model(from).unlogged => (from, "has a join table that references"),
        _ => return None,
    };
    let name = model(target).ast.name;
    let message = format!("`{}` {what} `{}`, which is unlogged", cx.qualified(from), name.text);
    let help = match relation.foreign_key {
        Some(_) => "remove `@@unlogged` from the model, or add it to this one",
        None => "remove `@@unlogged` from the model: a join table is always logged",
    };
    (is_stored(from) && is_stored(to)).then(|| {
        Diagnostic::new(codes::UNLOGGED_TARGET, cx.field(from).ast.name.span, message)
            .label("PostgreSQL rejects this reference")
            .second(name.span, "this model has `@@unlogged`")
            .help(help)
    })
}
