//! `where:` of partial indexes and of scopes: `raw("sql")`, or an object with fields and their values.
//!
//! The object is turned into SQL here, because the IR contains predicates as SQL.

use super::Cx;
use super::arguments::{read_raw_sql, report_wrong_value};
use super::draft::FieldType;
use super::field_names::find_column;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{Arity, EnumId, FieldId, ModelId, ScalarType};
use crate::syntax::{Expression, Name};

/// Returns the predicate as SQL; `None` if a mistake was reported.
pub(super) fn read_predicate<'a>(cx: &mut Cx<'a, '_>, model: ModelId, value: &'a Expression<'a>) -> Option<String> {
    let Expression::Object { entries, span } = value else {
        let sql = read_raw_sql(cx, value)?;
        if sql.text.trim().is_empty() {
            cx.report(
                Diagnostic::new(codes::WRONG_VALUE, sql.span, "this condition is empty")
                    .label("empty")
                    .help("write a condition, such as `raw(\"deleted_at IS NULL\")`"),
            );
            return None;
        }
        return Some(sql.text.to_owned());
    };
    if entries.is_empty() {
        cx.report(
            Diagnostic::new(codes::EMPTY_LIST, *span, "a condition needs at least one field")
                .label("empty")
                .help("write fields and their values, such as `{ active: true }`"),
        );
    }
    let conditions: Vec<_> = entries.iter().map(|(name, value)| condition(cx, model, *name, value)).collect();
    let conditions: Option<Vec<_>> = conditions.into_iter().collect();
    conditions.map(|conditions| conditions.join(" AND "))
}

/// Reads `field: value` or `field: { not: value }`.
fn condition(cx: &mut Cx<'_, '_>, model: ModelId, name: Name<'_>, value: &Expression<'_>) -> Option<String> {
    let id = find_column(cx, model, name, "where:")?;
    let (negated, value) = match value {
        Expression::Object { entries, .. } => match entries.as_slice() {
            [(key, value)] if key.text == "not" => (true, value),
            _ => {
                report_wrong_value(cx, value, "`{ not: .. }`", "write other conditions as `raw(\"..\")`".to_owned());
                return None;
            }
        },
        value => (false, value),
    };
    let literal = literal(cx, id, value)?;
    let column = relata_pgsql::ident(cx.field(id).db_name());
    Some(match (literal.as_str(), negated) {
        ("NULL", false) => format!("{column} IS NULL"),
        ("NULL", true) => format!("{column} IS NOT NULL"),
        (_, false) => format!("{column} = {literal}"),
        (_, true) => format!("{column} <> {literal}"),
    })
}

/// Returns a value of the field's type as SQL.
fn literal(cx: &mut Cx<'_, '_>, id: FieldId, value: &Expression<'_>) -> Option<String> {
    let field = cx.field(id);
    if field.ty == FieldType::Unknown {
        return None;
    }
    let single = field.arity() != Arity::List;
    let found = match (field.ty, value) {
        (_, Expression::Constant(word)) if word.text == "null" => Some("NULL".to_owned()),
        (FieldType::Enum(enumeration), _) if single => enum_label(cx, enumeration, value),
        (FieldType::Scalar(ScalarType::Boolean), Expression::Constant(word)) if single => {
            matches!(word.text, "true" | "false").then(|| word.text.to_owned())
        }
        (FieldType::Scalar(scalar), Expression::Number(number)) if single => {
            let numeric = [ScalarType::Int, ScalarType::BigInt, ScalarType::Float, ScalarType::Decimal];
            numeric.contains(&scalar).then(|| number.text.to_owned())
        }
        (FieldType::Scalar(ScalarType::String | ScalarType::DateTime), Expression::String(text)) if single => {
            Some(relata_pgsql::literal(&text.value))
        }
        _ => None,
    };
    if found.is_none() {
        let ty = field.ast.ty.span;
        let message = format!("{} cannot be a value of `{}`", value.describe(), cx.qualified(id));
        cx.report(
            Diagnostic::new(codes::WRONG_VALUE, value.span(), message)
                .label("does not fit the type")
                .second(ty, "the field has this type")
                .help("write a value of the field's type, `null`, or the whole condition as `raw(\"..\")`"),
        );
    }
    found
}

/// Returns the label of an enum value, which is written as a word or in quotes.
fn enum_label(cx: &Cx<'_, '_>, id: EnumId, value: &Expression<'_>) -> Option<String> {
    let name = match value {
        Expression::Constant(word) => word.text,
        Expression::String(text) => &text.value,
        _ => return None,
    };
    let value = cx.enums[id.index()].values.iter().find(|value| value.ast.name.text == name)?;
    Some(relata_pgsql::literal(value.db_name()))
}
