//! The fields of `type` blocks: their types and attributes.

use super::super::arguments::{Parameters, bind};
use super::super::attributes::{name_parameters, read_name, report_misplaced, usable};
use super::super::defaults::{Place, enum_value, literal, report_mismatch};
use super::super::types::{report_unknown_type, scalar_type};
use super::super::{Cx, Declared, rust_types};
use crate::diagnostics::{self as codes, Diagnostic, Edit};
use crate::ir::{Arity, DefaultValue, JsonFieldType, Literal, NativeType, ScalarType, TypeId, sql_of_type_name};
use crate::syntax::Attribute;

/// The attributes of fields of models. Of these, a field of a `type` block has the first three.
const ON_FIELDS: &[&str] = &[
    "default",
    "map",
    "rust",
    "json",
    "id",
    "unique",
    "updatedAt",
    "softDelete",
    "generated",
    "identity",
    "collate",
    "domain",
    "relation",
    "ignore",
    "renamedFrom",
    "using",
    "sensitive",
    "omit",
];

/// The native types whose values have another type in the client.
const NATIVE: [(&str, ScalarType, NativeType); 3] = [
    ("Uuid", ScalarType::String, NativeType::Uuid),
    ("Date", ScalarType::DateTime, NativeType::Date),
    ("Time", ScalarType::DateTime, NativeType::Time(None)),
];

const DEFAULT: Parameters =
    Parameters { owner: "@default", unnamed: Some("value"), names: &["value"], required: &["value"] };

/// Reads a field.
pub(super) fn read_field(cx: &mut Cx<'_, '_>, id: TypeId, index: usize) {
    let ty = resolve_type(cx, id, index);
    cx.types[id.index()].fields[index].ty = ty;
    let ast = cx.types[id.index()].fields[index].ast;
    let (native, plain): (Vec<_>, Vec<_>) =
        ast.attributes.iter().partition(|attribute| attribute.name.text.contains('.'));
    for attribute in native {
        read_native_type(cx, id, index, attribute);
    }
    for (name, attribute) in usable(cx, &plain, "@", ON_FIELDS) {
        match name {
            "map" => {
                let map = read_name(cx, attribute, &name_parameters("@map"));
                cx.types[id.index()].fields[index].map = map;
            }
            "rust" => read_rust_type(cx, id, index, attribute),
            "default" => {}
            _ => report_meaningless(cx, id, index, name, attribute),
        }
    }
    // A default depends on the type in the client.
    let default = ast.attributes.iter().find(|attribute| attribute.name.text == "default" && !attribute.broken);
    if let Some(attribute) = default {
        let value = read_default(cx, id, index, attribute);
        cx.types[id.index()].fields[index].default = value;
    }
}

/// Returns `Type.field`, for messages.
fn qualified(cx: &Cx<'_, '_>, id: TypeId, index: usize) -> String {
    let draft = &cx.types[id.index()];
    format!("{}.{}", draft.ast.name.text, draft.fields[index].ast.name.text)
}

fn resolve_type(cx: &mut Cx<'_, '_>, id: TypeId, index: usize) -> Option<JsonFieldType> {
    let field = cx.types[id.index()].fields[index].ast;
    let name = field.ty.name.text;
    let is_named = !cx.declared.contains_key(name) && sql_of_type_name(name, None).is_some();
    if field.ty.unsupported.is_some() || is_named {
        let message = format!("`{}` has a type of PostgreSQL, which JSON does not have", qualified(cx, id, index));
        let diagnostic = Diagnostic::new(codes::TYPE_FIELD, field.ty.span, message);
        cx.report(diagnostic.with("not in JSON", "write a scalar such as `String`, an enum, or another `type` block"));
        return None;
    }
    if let Some(scalar) = scalar_type(name) {
        return Some(JsonFieldType::Scalar(scalar, scalar.default_native_type()));
    }
    match cx.declared.get(name).copied() {
        Some(Declared::Enum(known)) => Some(JsonFieldType::Enum(known)),
        Some(Declared::Type(known)) => Some(JsonFieldType::Type(known)),
        Some(Declared::Model(model)) => {
            let model = cx.model(model).ast.name;
            let message = format!("`{}` is a relation, which a `type` block cannot have", qualified(cx, id, index));
            cx.report(
                Diagnostic::new(codes::TYPE_FIELD, field.ty.span, message)
                    .label("this is a model")
                    .second(model.span, "declared here")
                    .help("keep the key of the row, or put the relation in the model that has the JSON"),
            );
            None
        }
        None => {
            if !field.broken {
                report_unknown_type(cx, field.ty.name);
            }
            None
        }
    }
}

/// Reads `@db.Uuid`, `@db.Date` or `@db.Time`. Other native types do not change the value in JSON.
fn read_native_type(cx: &mut Cx<'_, '_>, id: TypeId, index: usize, attribute: &Attribute<'_>) {
    let field = &cx.types[id.index()].fields[index];
    let Some(JsonFieldType::Scalar(scalar, _)) = field.ty else {
        if field.ty.is_some() {
            let message = format!("`{}` cannot have a native type", qualified(cx, id, index));
            report_misplaced(cx, attribute.span, message, "remove it");
        }
        return;
    };
    let name = attribute.name.text.split_once('.').map_or("", |(_, name)| name);
    match NATIVE.iter().find(|(known, of, _)| *known == name && *of == scalar) {
        Some((_, _, native)) if attribute.arguments.is_none() => {
            cx.types[id.index()].fields[index].ty = Some(JsonFieldType::Scalar(scalar, *native));
        }
        _ => {
            let message = format!("`@{}` has no meaning in JSON, which has no types of columns", attribute.name.text);
            let help = match scalar {
                ScalarType::String => "remove it; in a `type` block, a `String` can have `@db.Uuid` alone",
                ScalarType::DateTime => {
                    "remove it; in a `type` block, a `DateTime` can have `@db.Date` or `@db.Time`, without arguments"
                }
                _ => "remove it",
            };
            report_misplaced(cx, attribute.span, message, help);
        }
    }
}

fn read_rust_type<'a>(cx: &mut Cx<'a, '_>, id: TypeId, index: usize, attribute: &'a Attribute<'a>) {
    let field = &cx.types[id.index()].fields[index];
    let own = match field.ty {
        None => return,
        Some(JsonFieldType::Scalar(..)) => None,
        Some(JsonFieldType::Enum(_)) => Some(("an enum", field.ast.ty.span)),
        Some(JsonFieldType::Type(_)) => Some(("a `type` block", field.ast.ty.span)),
    };
    let (name, path) = rust_types::read_name_and_type(cx, attribute, own);
    let field = &mut cx.types[id.index()].fields[index];
    (field.rust_name, field.rust) = (name, path.map(|(path, _)| path));
}

fn report_meaningless(cx: &mut Cx<'_, '_>, id: TypeId, index: usize, name: &str, attribute: &Attribute<'_>) {
    let message = format!("`@{name}` has no meaning on `{}`, which is a value in JSON", qualified(cx, id, index));
    let help = match name {
        "json" => "remove it: everything in a `type` block is JSON",
        "id" | "unique" => "remove it, or put a unique index in the model: `@@unique([raw(\"(address ->> 'zip')\")])`",
        "relation" => "put the relation in the model that has the JSON",
        "sensitive" => "put it on the field of the model: it hides the whole value",
        "omit" => "put it on the field of the model: it omits the whole value",
        "ignore" => "remove the field: a key without a field is ignored when the value is read",
        "renamedFrom" => "write `@map(\"..\")` with the old key: migrations do not change the values of columns",
        _ => "remove it: it is for columns",
    };
    let span = attribute.span;
    let diagnostic = Diagnostic::new(codes::MISPLACED_ATTRIBUTE, span, message).with("not possible here", help);
    let edits = (name == "json").then(|| Edit { span, text: String::new() });
    cx.report(diagnostic.edits(edits));
}

/// Reads `@default`: the value of a field whose key is missing.
fn read_default<'a>(
    cx: &mut Cx<'a, '_>,
    id: TypeId,
    index: usize,
    attribute: &'a Attribute<'a>,
) -> Option<DefaultValue> {
    let field = &cx.types[id.index()].fields[index];
    let ty = field.ty?;
    let place = Place { name: qualified(cx, id, index), ty: field.ast.ty.span };
    let (arity, has_own) = (field.arity(), field.rust.is_some());
    let value = bind(cx, attribute.arguments(), attribute.span, &DEFAULT).get("value")?;
    let refused = match (arity, ty) {
        (Arity::List, _) => Some("no default: a list whose key is missing is empty"),
        (Arity::Optional, _) => Some("no default: an optional field whose key is missing is `None`"),
        (Arity::Required, JsonFieldType::Scalar(..)) if has_own => Some("no default: only its `@rust` type knows one"),
        (Arity::Required, JsonFieldType::Type(_)) => Some("no default, and make the field optional"),
        (Arity::Required, JsonFieldType::Scalar(scalar, native)) => no_default(scalar, native),
        (Arity::Required, JsonFieldType::Enum(_)) => None,
    };
    if let Some(instead) = refused {
        report_mismatch(cx, &place, value, instead);
        return None;
    }
    match ty {
        JsonFieldType::Enum(known) => enum_value(cx, &place, known, value),
        JsonFieldType::Scalar(scalar, _) => match literal(scalar, value) {
            Ok(literal) if fits(scalar, &literal) => Some(DefaultValue::Literal(literal)),
            Ok(_) => {
                report_mismatch(cx, &place, value, "a number from -2147483648 to 2147483647");
                None
            }
            Err(expected) => {
                report_mismatch(cx, &place, value, expected);
                None
            }
        },
        JsonFieldType::Type(_) => None,
    }
}

/// Returns what to write in place of a default of this type, if it can have none.
fn no_default(scalar: ScalarType, native: NativeType) -> Option<&'static str> {
    match (scalar, native) {
        (ScalarType::String, NativeType::Uuid)
        | (ScalarType::DateTime | ScalarType::Decimal | ScalarType::Bytes | ScalarType::Json, _) => {
            Some("no default, and make the field optional")
        }
        _ => None,
    }
}

/// Returns whether the type in the client holds the literal.
fn fits(scalar: ScalarType, literal: &Literal) -> bool {
    match literal {
        Literal::Number(number) if scalar == ScalarType::Int => number.parse::<i32>().is_ok(),
        Literal::Number(number) => number.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}
