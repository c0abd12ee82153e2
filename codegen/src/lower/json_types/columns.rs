//! Columns whose values have the shape of a `type` block: their defaults.

use super::super::Cx;
use super::super::defaults::{is_base64, is_decimal, is_moment};
use super::super::draft::TypeFieldDraft;
use super::value::{Value, parse};
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{Arity, DefaultValue, FieldId, JsonFieldType, Literal, NativeType, ScalarType, TypeId};

/// Checks that the defaults of columns have the shape of their types.
pub(in crate::lower) fn check_columns(cx: &mut Cx<'_, '_>) {
    let found: Vec<_> = cx.field_ids().filter_map(|id| misshapen_default(cx, id)).collect();
    cx.diagnostics.extend(found);
}

fn misshapen_default(cx: &Cx<'_, '_>, id: FieldId) -> Option<Diagnostic> {
    let field = cx.field(id);
    let ty = field.json?;
    let Some((DefaultValue::Literal(Literal::String(text)), span)) = &field.default else { return None };
    let value = parse(text)?;
    let problem = match (&value, field.is_json_list()) {
        (Value::Array(items), true) => items.iter().find_map(|item| misfit(cx, ty, item, "[]")),
        (_, true) => Some("it is not an array".to_owned()),
        (_, false) => misfit(cx, ty, &value, ""),
    }?;
    let name = cx.types[ty.index()].ast.name;
    let message = format!("the default of `{}` is not a `{}`: {problem}", cx.qualified(id), name.text);
    Some(
        Diagnostic::new(codes::DEFAULT_MISMATCH, *span, message)
            .label("does not fit the type")
            .second(name.span, "this is the type")
            .help("write a JSON value with the fields of the type, each under its key"),
    )
}

/// Returns how a value differs from a type. `path` is where it is.
fn misfit(cx: &Cx<'_, '_>, ty: TypeId, value: &Value, path: &str) -> Option<String> {
    let draft = &cx.types[ty.index()];
    let Value::Object(entries) = value else { return Some(format!("{}an object is expected", place(path))) };
    for field in &draft.fields {
        let below = if path.is_empty() { field.key().to_owned() } else { format!("{path}.{}", field.key()) };
        let given = entries.iter().rev().find(|(key, _)| key == field.key()).map(|(_, value)| value);
        let problem = match (given, field.arity()) {
            (None | Some(Value::Null), Arity::Optional | Arity::List) => None,
            (None, Arity::Required) if field.default.is_some() => None,
            (None, Arity::Required) => Some(format!("{}the key is missing", place(&below))),
            (Some(Value::Array(items)), Arity::List) => {
                items.iter().find_map(|item| field_misfit(cx, field, item, &format!("{below}[]")))
            }
            (Some(_), Arity::List) => Some(format!("{}an array is expected", place(&below))),
            (Some(value), _) => field_misfit(cx, field, value, &below),
        };
        if problem.is_some() {
            return problem;
        }
    }
    let is_known = |key: &str| draft.fields.iter().any(|field| field.key() == key);
    let unknown = entries.iter().find(|(key, _)| !is_known(key));
    unknown.map(|(key, _)| format!("`{}` has no field with the key {key:?}", draft.ast.name.text))
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("at `{path}`, ") }
}

/// Returns how one value differs from the type of a field.
fn field_misfit(cx: &Cx<'_, '_>, field: &TypeFieldDraft<'_>, value: &Value, path: &str) -> Option<String> {
    // What an own type reads is not known here.
    if field.rust.is_some() {
        return None;
    }
    let expected = match field.ty? {
        JsonFieldType::Type(ty) => return misfit(cx, ty, value, path),
        JsonFieldType::Enum(id) => {
            let block = cx.enums[id.index()].ast;
            let is_value = |text: &str| block.values.iter().any(|known| known.name.text == text);
            let fits = matches!(value, Value::String(text) if is_value(text)) || block.broken;
            (!fits).then(|| format!("a value of `{}` is expected", block.name.text))
        }
        JsonFieldType::Scalar(scalar, native) => expected(scalar, native, value).map(str::to_owned),
    };
    expected.map(|expected| format!("{}{expected}", place(path)))
}

/// Returns what a scalar needs, if the value is something else.
fn expected(scalar: ScalarType, native: NativeType, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match (scalar, value) {
        (ScalarType::Json, _) => (true, ""),
        (ScalarType::Boolean, value) => (*value == Value::Boolean, "`true` or `false` is expected"),
        (ScalarType::Int, Value::Number(text)) => (text.parse::<i32>().is_ok(), "a number of 32 bits is expected"),
        (ScalarType::BigInt, Value::Number(text)) => (text.parse::<i64>().is_ok(), "a number of 64 bits is expected"),
        (ScalarType::Float | ScalarType::Decimal, Value::Number(_)) => (true, ""),
        (ScalarType::Int | ScalarType::BigInt | ScalarType::Float, _) => (false, "a number is expected"),
        (ScalarType::Decimal, Value::String(text)) => (is_decimal(text), "a decimal number is expected"),
        (ScalarType::Decimal, _) => (false, "a decimal number is expected"),
        (ScalarType::Bytes, Value::String(text)) => (is_base64(text), "base64 is expected"),
        (ScalarType::DateTime, Value::String(text)) if matches!(native, NativeType::Timestamp(_)) => {
            (is_moment(text), "a timestamp such as \"2026-01-31T12:00:00Z\" is expected")
        }
        (ScalarType::String | ScalarType::DateTime, Value::String(_)) => (true, ""),
        (ScalarType::String | ScalarType::DateTime | ScalarType::Bytes, _) => (false, "a string is expected"),
    };
    (!fits).then_some(expected)
}
