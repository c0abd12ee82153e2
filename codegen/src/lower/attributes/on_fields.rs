//! The attributes of fields.

use super::super::arguments::{Parameters, bind, expect_database_name, expect_one_of, expect_string};
use super::super::draft::{FieldType, KeyDraft, KeyField, KeyKind, KeyTarget};
use super::super::{
    Cx, defaults, domains, field_names, generated, identity, keys, native_types, predicates, rust_types, soft_delete,
};
use super::{expect_no_arguments, name_parameters, read_name, read_sql, report_misplaced, sql_parameters, usable};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, Collation, FieldId, NativeType, ReferentialAction, ScalarType};
use crate::syntax::Attribute;

const ON_FIELDS: &[&str] = &[
    "id",
    "unique",
    "default",
    "updatedAt",
    "softDelete",
    "generated",
    "identity",
    "collate",
    "domain",
    "rust",
    "json",
    "map",
    "relation",
    "ignore",
    "renamedFrom",
    "using",
    "sensitive",
    "omit",
];

const ACTIONS: [(&str, ReferentialAction); 5] = [
    ("Cascade", ReferentialAction::Cascade),
    ("Restrict", ReferentialAction::Restrict),
    ("NoAction", ReferentialAction::NoAction),
    ("SetNull", ReferentialAction::SetNull),
    ("SetDefault", ReferentialAction::SetDefault),
];

const MATCHES: [(&str, bool); 2] = [("Simple", false), ("Full", true)];

/// `@id` and `@unique` with their names.
type KeyAttributes<'a> = Vec<(&'static str, &'a Attribute<'a>)>;

/// Reads the attributes of a field. Returns those that declare keys.
pub(super) fn read_field_attributes<'a>(cx: &mut Cx<'a, '_>, id: FieldId) -> KeyAttributes<'a> {
    let attributes = &cx.field(id).ast.attributes;
    native_types::read_native_types(cx, id);
    // Attributes with a dot are native types.
    let plain = attributes.iter().filter(|attribute| !attribute.name.text.contains('.'));
    let plain: Vec<_> = plain.collect();
    let is_column = !matches!(cx.field(id).ty, FieldType::Model(_));
    let (keys, others): (Vec<_>, Vec<_>) = usable(cx, &plain, "@", ON_FIELDS)
        .into_iter()
        .partition(|(name, _)| is_column && ["id", "unique"].contains(name));
    for (name, attribute) in others {
        read_field_attribute(cx, id, name, attribute);
    }
    keys
}

/// Reads `@id` and `@unique` of a field.
pub(super) fn read_field_keys<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attributes: KeyAttributes<'a>) {
    for (name, attribute) in attributes {
        if name == "id" { read_id(cx, id, attribute) } else { read_unique(cx, id, attribute) }
    }
}

fn read_field_attribute<'a>(cx: &mut Cx<'a, '_>, id: FieldId, name: &str, attribute: &'a Attribute<'a>) {
    match cx.field(id).ty {
        FieldType::Model(_) if !["relation", "ignore", "rust"].contains(&name) => {
            return report_on_relation(cx, id, name, attribute);
        }
        // Whether the other attributes fit depends on the type.
        FieldType::Unknown if !["map", "ignore"].contains(&name) => return,
        _ => {}
    }
    match name {
        "default" => defaults::read_default(cx, id, attribute),
        "updatedAt" => read_updated_at(cx, id, attribute),
        "softDelete" => soft_delete::read_soft_delete(cx, id, attribute),
        "generated" => generated::read_generated(cx, id, attribute),
        "identity" => identity::read_identity(cx, id, attribute),
        "collate" => read_collate(cx, id, attribute),
        "domain" => domains::read_domain(cx, id, attribute),
        "rust" => rust_types::read_rust(cx, id, attribute),
        "json" => read_json(cx, id, attribute),
        "map" => cx.field_mut(id).map = read_name(cx, attribute, &name_parameters("@map")),
        "relation" => read_relation(cx, id, attribute),
        "ignore" => read_ignore(cx, id, attribute),
        "renamedFrom" => cx.field_mut(id).renamed_from = read_name(cx, attribute, &name_parameters("@renamedFrom")),
        "using" => cx.field_mut(id).using = read_sql(cx, attribute, &sql_parameters("@using")),
        "omit" => {
            expect_no_arguments(cx, attribute, "@omit");
            cx.field_mut(id).omitted = Some(attribute.span);
        }
        _ => {
            expect_no_arguments(cx, attribute, "@sensitive");
            cx.field_mut(id).sensitive = true;
        }
    }
}

/// Reports an attribute of columns on a relation field, which has no column.
fn report_on_relation(cx: &mut Cx<'_, '_>, id: FieldId, name: &str, attribute: &Attribute<'_>) {
    let message = format!("`@{name}` cannot be on `{}`, which is a relation and not a column", cx.qualified(id));
    let help = match name {
        "id" | "unique" => {
            "put it on a field that `fields:` of the relation names, or use `@@id([..])` or `@@unique([..])`"
        }
        "map" => "put it on a field that `fields:` of the relation names",
        "json" => "remove it, or declare a block with `type` instead of the model",
        _ => "put it on a field with a column, or remove it",
    };
    report_misplaced(cx, attribute.span, message, help);
}

fn read_id<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    if cx.field(id).arity() != Arity::Required {
        let field = cx.field(id).ast;
        cx.report(
            Diagnostic::new(codes::ID_NOT_REQUIRED, attribute.span, "an id cannot be optional or a list")
                .label(format!("`{}` is the id", field.name.text))
                .second(field.ty.span, "this is not required")
                .help(format!("write `{} {}`", field.name.text, field.ty.name.text)),
        );
    }
    let parameters = Parameters {
        owner: "@id",
        unnamed: None,
        names: &["map", "sort", "length", "clustered", "global", "include", "with"],
        required: &[],
    };
    read_field_key(cx, id, attribute, KeyKind::Primary, "@id", &parameters);
}

fn read_unique<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let parameters = Parameters {
        owner: "@unique",
        unnamed: None,
        names: &[
            "map",
            "sort",
            "length",
            "clustered",
            "where",
            "global",
            "include",
            "nullsNotDistinct",
            "deferrable",
            "with",
        ],
        required: &[],
    };
    read_field_key(cx, id, attribute, KeyKind::Unique, "@unique", &parameters);
}

fn read_field_key<'a>(
    cx: &mut Cx<'a, '_>,
    id: FieldId,
    attribute: &'a Attribute<'a>,
    kind: KeyKind,
    owner: &'static str,
    parameters: &Parameters,
) {
    let bound = bind(cx, attribute.arguments(), attribute.span, parameters);
    let sort = keys::read_sort(cx, &bound, kind, owner);
    keys::refuse_unsupported_arguments(cx, &bound, owner);
    let map = bound.get("map").and_then(|value| keys::read_constraint_name(cx, value));
    let model = cx.field(id).model;
    let predicate = bound.get("where").and_then(|value| predicates::read_predicate(cx, model, value));
    let span = cx.field(id).ast.name.span;
    let options = keys::read_options(cx, model, &bound);
    let key = KeyDraft {
        kind,
        attribute: owner,
        span: attribute.span,
        name: None,
        rust_ident: None,
        map,
        method: None,
        fields: vec![KeyField {
            target: KeyTarget::Field(id),
            span,
            sort,
            nulls: None,
            operator_class: None,
            operator: None,
        }],
        predicate,
        global: keys::read_global(cx, &bound),
        options,
        constraint_name: String::new(),
    };
    cx.model_mut(model).keys.push(key);
}

fn read_updated_at<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    expect_no_arguments(cx, attribute, "@updatedAt");
    let field = cx.field(id);
    if field.ty != FieldType::Scalar(ScalarType::DateTime) || field.arity() == Arity::List {
        let ty = field.ast.ty.span;
        cx.report(
            Diagnostic::new(codes::WRONG_FIELD_TYPE, attribute.span, "`@updatedAt` is for a single DateTime")
                .label("not possible for this type")
                .second(ty, "this is another type")
                .help("write `DateTime` as the field's type, or remove `@updatedAt`"),
        );
        return;
    }
    cx.field_mut(id).updated_at = true;
}

/// Reads `@json`: the value of a `type` block is JSON in its column.
fn read_json<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    expect_no_arguments(cx, attribute, "@json");
    let field = cx.field(id);
    if field.json.is_some() {
        return;
    }
    let (ty, name) = (field.ast.ty.span, field.ast.name.text);
    let help = match field.ty {
        FieldType::Scalar(ScalarType::Json) => {
            "remove it, or declare the shape of the value: a block `type Shape { .. }`, and `Shape @json`".to_owned()
        }
        FieldType::Unsupported => "remove it".to_owned(),
        _ => format!("remove it, or write `{name} Json` to store any JSON"),
    };
    let message = format!("`@json` cannot be on `{}`, whose type is not a `type` block", cx.qualified(id));
    let diagnostic = Diagnostic::new(codes::JSON_ATTRIBUTE, attribute.span, message)
        .label("not possible for this type")
        .second(ty, "the field has this type");
    cx.report(diagnostic.help(help));
}

/// Reads `@collate("de-x-icu", schema: "public")`.
fn read_collate<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let names = &["name", "schema"];
    let parameters = Parameters { owner: "@collate", unnamed: Some("name"), names, required: &["name"] };
    let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
    let name = bound.get("name").and_then(|value| expect_database_name(cx, value));
    let schema = bound.get("schema").and_then(|value| expect_database_name(cx, value));
    let field = cx.field(id);
    let is_text = field.native_type().is_some_and(|native| {
        matches!(native, NativeType::Text | NativeType::VarChar(_) | NativeType::Char(_) | NativeType::Citext)
    });
    if !is_text {
        let ty = field.ast.ty.span;
        cx.report(
            Diagnostic::new(codes::WRONG_FIELD_TYPE, attribute.span, "`@collate` is for text")
                .label("not possible for this type")
                .second(ty, "PostgreSQL does not collate this type")
                .help("remove it"),
        );
        return;
    }
    let Some(name) = name else { return };
    let collation = Collation { name: name.text.to_owned(), schema: schema.map(|schema| schema.text.to_owned()) };
    cx.field_mut(id).collation = Some((collation, attribute.span));
}

fn read_ignore<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    expect_no_arguments(cx, attribute, "@ignore");
    let field = cx.field(id);
    if cx.model(field.model).ignored {
        report_misplaced(
            cx,
            attribute.span,
            "`@ignore` has no effect in a model with `@@ignore`".to_owned(),
            "remove it: the whole model is not in the client",
        );
        return;
    }
    cx.field_mut(id).ignored = true;
}

fn read_relation<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let FieldType::Model(target) = cx.field(id).ty else {
        let message = format!("`@relation` cannot be on `{}`, whose type is not a model", cx.qualified(id));
        return report_misplaced(cx, attribute.span, message, "remove it, or make the field's type a model");
    };
    let parameters = Parameters {
        owner: "@relation",
        unnamed: Some("name"),
        names: &["name", "fields", "references", "onDelete", "onUpdate", "map", "deferrable", "match", "setNull"],
        required: &[],
    };
    let bound = bind(cx, attribute.arguments(), attribute.span, &parameters);
    let model = cx.field(id).model;
    let name = bound.get("name").map(|value| (value.span(), expect_string(cx, value)));
    let fields = bound.get("fields").map(|value| {
        let opposite = bound.get("references").map(|references| (references, target));
        field_names::read_field_list(cx, value, model, "fields", opposite)
    });
    let references =
        bound.get("references").map(|value| field_names::read_field_list(cx, value, target, "references", None));
    let on_delete = bound.get("onDelete").map(|value| expect_one_of(cx, value, "a referential action", &ACTIONS));
    let on_update = bound.get("onUpdate").map(|value| expect_one_of(cx, value, "a referential action", &ACTIONS));
    let map = bound.get("map").map(|value| keys::read_constraint_name(cx, value));
    let deferrable = bound.get("deferrable").map(|value| keys::read_deferrable(cx, value));
    let match_full = bound.get("match").map(|value| expect_one_of(cx, value, "a kind of match", &MATCHES));
    let delete_fields =
        bound.get("setNull").map(|value| field_names::read_field_list(cx, value, model, "setNull", None));
    let unnamed = matches!(name, Some((_, Some(given))) if given.text.is_empty());
    if let Some((span, _)) = name.filter(|_| unnamed) {
        report_empty_relation_name(cx, span);
    }
    let relation = &mut cx.field_mut(id).relation;
    relation.broken = bound.broken
        || unnamed
        || matches!(name, Some((_, None)))
        || on_delete == Some(None)
        || on_update == Some(None)
        || matches!(map, Some(None))
        || deferrable == Some(None)
        || match_full == Some(None)
        || fields.iter().chain(&references).chain(&delete_fields).any(|list| list.broken);
    relation.span = Some(attribute.span);
    relation.name = name.and_then(|(_, name)| name);
    relation.fields = fields;
    relation.references = references;
    relation.on_delete = on_delete.flatten();
    relation.on_update = on_update.flatten();
    relation.map = map.flatten();
    relation.deferrable = deferrable.flatten();
    relation.match_full = match_full.flatten().filter(|(is_full, _)| *is_full).map(|(_, span)| span);
    relation.delete_fields = delete_fields;
}

fn report_empty_relation_name(cx: &mut Cx<'_, '_>, span: Span) {
    cx.report(
        Diagnostic::new(codes::WRONG_VALUE, span, "the name of a relation cannot be empty")
            .label("empty")
            .help("write a name, or omit the argument"),
    );
}
