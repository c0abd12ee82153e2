//! `@default(..)`: literals, enum values, lists and functions, checked against the field's type.

mod literals;

pub(super) use literals::{is_base64, is_decimal, is_moment, literal};

use super::Cx;
use super::arguments::{Parameters, bind};
use super::draft::FieldType;
use super::native_types::scalar_name;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::ir::{Arity, DefaultValue, EnumId, FieldId, Literal, ScalarType};
use crate::syntax::{Attribute, Expression, Name};

const ON_DEFAULT: Parameters =
    Parameters { owner: "@default", unnamed: Some("value"), names: &["value", "map"], required: &["value"] };

const FUNCTIONS: [&str; 7] = ["now", "autoincrement", "uuid", "cuid", "ulid", "nanoid", "dbgenerated"];

/// Reads `@default` of a field that has a column.
pub(super) fn read_default<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let bound = bind(cx, attribute.arguments(), attribute.span, &ON_DEFAULT);
    if let Some(span) = bound.span("map") {
        cx.report(
            Diagnostic::new(codes::UNSUPPORTED_ARGUMENT, span, "a default has no name in PostgreSQL")
                .label("not in PostgreSQL")
                .help("remove `map`"),
        );
    }
    let Some(value) = bound.get("value") else { return };
    if let Some(default) = default_value(cx, id, value) {
        cx.field_mut(id).default = Some((default, attribute.span));
    }
}

/// Runs the checks that need all attributes of a field.
pub(super) fn check_defaults(cx: &mut Cx<'_, '_>) {
    for id in cx.field_ids() {
        let field = cx.field(id);
        let Some((DefaultValue::Literal(Literal::Number(number)), span)) = &field.default else { continue };
        let (number, span) = (number.clone(), *span);
        let Some(native) = field.native_type() else { continue };
        if let Some((name, least, most)) = literals::integer_range(native)
            && number.parse::<i64>().is_ok_and(|number| number < least || number > most)
        {
            cx.report(
                Diagnostic::new(
                    codes::DEFAULT_OUT_OF_RANGE,
                    span,
                    format!("{number} is too large for a column of type {name}"),
                )
                .label("PostgreSQL will reject this default")
                .help(format!("write a number from {least} to {most}, or change the field's type")),
            );
        }
    }
}

fn default_value(cx: &mut Cx<'_, '_>, id: FieldId, value: &Expression<'_>) -> Option<DefaultValue> {
    if let Expression::Call { name, .. } = value {
        return function_default(cx, id, *name, value);
    }
    let field = cx.field(id);
    let is_empty_list = matches!(value, Expression::Array { items, .. } if items.is_empty());
    if field.ty == FieldType::Unsupported && field.arity() == Arity::List && is_empty_list {
        return Some(DefaultValue::List(Vec::new()));
    }
    if field.ty == FieldType::Unsupported {
        report_mismatch(
            cx,
            &place_of(cx, id),
            value,
            "`dbgenerated(\"..\")`, the only default of a type that is no scalar",
        );
        return None;
    }
    if let (true, Expression::Array { items, .. }) = (field.is_json_list(), value) {
        if items.is_empty() {
            return Some(DefaultValue::Literal(Literal::String("[]".to_owned())));
        }
        report_mismatch(cx, &place_of(cx, id), value, "`[]`, or an array of JSON in a string, such as `\"[]\"`");
        return None;
    }
    match (field.arity(), value) {
        (Arity::List, Expression::Array { items, .. }) => {
            let items: Vec<_> = items.iter().map(|item| single_value(cx, id, item)).collect();
            Some(DefaultValue::List(items.into_iter().collect::<Option<Vec<_>>>()?))
        }
        (Arity::List, _) => {
            report_mismatch(cx, &place_of(cx, id), value, "a list such as `[]`");
            None
        }
        (_, Expression::Array { .. }) => {
            report_mismatch(cx, &place_of(cx, id), value, "a single value, because the field is not a list");
            None
        }
        _ => single_value(cx, id, value),
    }
}

fn single_value(cx: &mut Cx<'_, '_>, id: FieldId, value: &Expression<'_>) -> Option<DefaultValue> {
    match cx.field(id).ty {
        FieldType::Enum(enumeration) => enum_value(cx, &place_of(cx, id), enumeration, value),
        FieldType::Scalar(scalar) => match literals::literal(scalar, value) {
            Ok(literal) => Some(DefaultValue::Literal(literal)),
            Err(expected) => {
                match value {
                    Expression::Constant(word)
                        if FUNCTIONS.contains(&word.text) && function_fits(cx, id, word.text) =>
                    {
                        report_mismatch(
                            cx,
                            &place_of(cx, id),
                            value,
                            &format!("`{}()`: a function has parentheses", word.text),
                        );
                    }
                    Expression::Constant(word) if word.text == "null" => {
                        report_mismatch(
                            cx,
                            &place_of(cx, id),
                            value,
                            "no default: an optional field without one is null",
                        );
                    }
                    _ => report_mismatch(cx, &place_of(cx, id), value, expected),
                }
                None
            }
        },
        _ => None,
    }
}

/// The maximum number of enum values that a message lists.
const MAX_LISTED: usize = 20;

/// Returns the value of an enum that a default names.
pub(super) fn enum_value(
    cx: &mut Cx<'_, '_>,
    place: &Place,
    enumeration: EnumId,
    value: &Expression<'_>,
) -> Option<DefaultValue> {
    let block = cx.enums[enumeration.index()].ast;
    let Expression::Constant(word) = value else {
        let is_value = |text: &str| block.values.iter().any(|known| known.name.text == text);
        let expected = match value {
            Expression::String(text) if is_value(&text.value) => format!("`{}`, without quotes", text.value),
            _ => format!("a value of the enum `{}`, without quotes", block.name.text),
        };
        report_mismatch(cx, place, value, &expected);
        return None;
    };
    if let Some(index) = block.values.iter().position(|known| known.name.text == word.text) {
        return Some(DefaultValue::EnumValue(index));
    }
    let names = || block.values.iter().map(|value| value.name.text);
    let help = suggest(did_you_mean(word.text, names().filter(|_| cx.may_search())), || {
        let more = if block.values.len() > MAX_LISTED { ", .." } else { "" };
        format!("write one of `{}`{more}", names().take(MAX_LISTED).collect::<Vec<_>>().join("`, `"))
    });
    if !block.broken {
        let message = format!("`{}` has no value `{}`", block.name.text, word.text);
        cx.report(
            Diagnostic::new(codes::UNKNOWN_VALUE, word.span, message)
                .label("unknown value")
                .second(block.name.span, "this is the enum")
                .help(help),
        );
    }
    None
}

/// A field with a default, for messages.
pub(super) struct Place {
    /// `Model.field`.
    pub(super) name: String,
    /// The place of its type.
    pub(super) ty: Span,
}

fn place_of(cx: &Cx<'_, '_>, id: FieldId) -> Place {
    Place { name: cx.qualified(id), ty: cx.field(id).ast.ty.span }
}

pub(super) fn report_mismatch(cx: &mut Cx<'_, '_>, place: &Place, value: &Expression<'_>, expected: &str) {
    let message = format!("{} cannot be the default of `{}`", value.describe(), place.name);
    cx.report(
        Diagnostic::new(codes::DEFAULT_MISMATCH, value.span(), message)
            .label("does not fit the type")
            .second(place.ty, "the field has this type")
            .help(format!("write {expected}")),
    );
}

fn function_default(cx: &mut Cx<'_, '_>, id: FieldId, name: Name<'_>, value: &Expression<'_>) -> Option<DefaultValue> {
    if !FUNCTIONS.contains(&name.text) {
        let help = suggest(did_you_mean(name.text, FUNCTIONS).map(|guess| format!("{guess}()")), || {
            format!("the functions are `{}()`; write any other SQL as `dbgenerated(\"..\")`", FUNCTIONS.join("()`, `"))
        });
        let message = format!("there is no function `{}` for a default", name.text);
        cx.report(Diagnostic::new(codes::UNKNOWN_FUNCTION, name.span, message).label("unknown function").help(help));
        return None;
    }
    if !function_fits(cx, id, name.text) {
        let ty = cx.field(id).ast.ty.span;
        let message = format!("`{}()` cannot be the default of `{}`", name.text, cx.qualified(id));
        cx.report(
            Diagnostic::new(codes::DEFAULT_MISMATCH, name.span, message)
                .label(format!("generates values for {}", function_types(name.text)))
                .second(ty, "the field has this type")
                .help(format!("change the field's type to {}, or choose another default", function_types(name.text))),
        );
        return None;
    }
    let Expression::Call { arguments, .. } = value else { return None };
    let values: Vec<_> = arguments.list.iter().map(|argument| &argument.value).collect();
    if values.iter().any(|value| matches!(value, Expression::Missing(_))) {
        return None;
    }
    match function_value(name.text, &values) {
        Ok(default) => Some(default),
        Err(expected) => {
            report_function_arguments(cx, arguments.span, name.text, expected);
            None
        }
    }
}

fn function_fits(cx: &Cx<'_, '_>, id: FieldId, function: &str) -> bool {
    match (function, cx.field(id).ty) {
        ("dbgenerated", _) => true,
        ("now", FieldType::Scalar(scalar)) => scalar == ScalarType::DateTime,
        ("autoincrement", FieldType::Scalar(scalar)) => matches!(scalar, ScalarType::Int | ScalarType::BigInt),
        (_, FieldType::Scalar(scalar)) => scalar == ScalarType::String,
        _ => false,
    }
}

fn function_types(function: &str) -> &'static str {
    match function {
        "now" => scalar_name(ScalarType::DateTime),
        "autoincrement" => "Int or BigInt",
        _ => scalar_name(ScalarType::String),
    }
}

/// Returns the default that a function generates, or what its arguments should be.
fn function_value(function: &str, values: &[&Expression<'_>]) -> Result<DefaultValue, &'static str> {
    let number = match values {
        [Expression::Number(number)] => number.text.parse::<u32>().ok(),
        _ => None,
    };
    match (function, values, number) {
        ("now", [], _) => Ok(DefaultValue::Now),
        ("autoincrement", [], _) => Ok(DefaultValue::Autoincrement),
        ("ulid", [], _) => Ok(DefaultValue::Ulid),
        ("uuid", [], _) => Ok(DefaultValue::Uuid(4)),
        ("uuid", _, Some(version @ (4 | 7))) => Ok(DefaultValue::Uuid(version as u8)),
        ("cuid", [], _) => Ok(DefaultValue::Cuid(1)),
        ("cuid", _, Some(version @ (1 | 2))) => Ok(DefaultValue::Cuid(version as u8)),
        ("nanoid", [], _) => Ok(DefaultValue::Nanoid(None)),
        ("nanoid", _, Some(length @ 2..=255)) => Ok(DefaultValue::Nanoid(Some(length))),
        ("dbgenerated", [], _) => Ok(DefaultValue::DbGenerated(None)),
        ("dbgenerated", [Expression::String(sql)], _) if !sql.value.is_empty() => {
            Ok(DefaultValue::DbGenerated(Some(sql.value.clone().into_owned())))
        }
        ("uuid", ..) => Err("nothing, 4 or 7"),
        ("cuid", ..) => Err("nothing, 1 or 2"),
        ("nanoid", ..) => Err("nothing, or a length from 2 to 255"),
        ("dbgenerated", ..) => Err("nothing, or a string with SQL"),
        _ => Err("nothing"),
    }
}

fn report_function_arguments(cx: &mut Cx<'_, '_>, span: Span, function: &str, expected: &str) {
    cx.report(
        Diagnostic::new(codes::FUNCTION_ARGUMENTS, span, format!("`{function}()` does not accept this argument"))
            .label(format!("expected {expected}"))
            .help(format!("write `{function}()`, or an argument that it accepts: {expected}")),
    );
}
