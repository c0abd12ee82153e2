//! `@identity`: columns whose values PostgreSQL counts, as the SQL standard has them.

use super::Cx;
use super::arguments::{Bound, Parameters, bind, expect_flag, report_wrong_value};
use super::draft::FieldType;
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, FieldId, Identity, NativeType, ScalarType, SequenceOptions};
use crate::syntax::{Attribute, Expression, ModelKind};

const PARAMETERS: Parameters = Parameters {
    owner: "@identity",
    unnamed: None,
    names: &["always", "start", "increment", "min", "max", "cache", "cycle"],
    required: &[],
};

/// Reads `@identity(always: true, start: 1000, increment: 10)`.
pub(super) fn read_identity<'a>(cx: &mut Cx<'a, '_>, id: FieldId, attribute: &'a Attribute<'a>) {
    let bound = bind(cx, attribute.arguments(), attribute.span, &PARAMETERS);
    let always = bound.get("always").and_then(|value| expect_flag(cx, value, "always: true"));
    let cycle = bound.get("cycle").and_then(|value| expect_flag(cx, value, "cycle: true"));
    let mut options = SequenceOptions { cycle: cycle.unwrap_or(false), ..SequenceOptions::default() };
    if let Some(increment) = read_number(cx, &bound, "increment", i64::MIN..=i64::MAX) {
        options.increment = increment;
    }
    options.min = read_number(cx, &bound, "min", i64::MIN..=i64::MAX);
    options.max = read_number(cx, &bound, "max", i64::MIN..=i64::MAX);
    options.start = read_number(cx, &bound, "start", i64::MIN..=i64::MAX);
    if let Some(cache) = read_number(cx, &bound, "cache", 1..=i64::MAX) {
        options.cache = cache;
    }
    if is_refused(cx, id, attribute.span) {
        return;
    }
    let Some((least, largest)) = bounds(cx, id) else { return };
    match checked(options, least, largest) {
        Ok(options) => {
            let always = always.unwrap_or(false);
            cx.field_mut(id).identity = Some((Identity { always, options }, attribute.span));
        }
        Err(reason) => cx.report(
            Diagnostic::new(codes::WRONG_VALUE, attribute.span, format!("this identity cannot count: {reason}"))
                .label("PostgreSQL would reject it")
                .help("change the numbers, or omit those that can have their default"),
        ),
    }
}

/// Reads a number in this range, other than 0.
fn read_number<'a>(
    cx: &mut Cx<'a, '_>,
    bound: &Bound<'a>,
    name: &'static str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<i64> {
    let value = bound.get(name)?;
    let number = match value {
        Expression::Number(number) => number.text.parse::<i64>().ok(),
        _ => None,
    };
    let is_step = name == "increment";
    let number = number.filter(|number| range.contains(number) && !(is_step && *number == 0));
    if number.is_none() {
        let expected = if is_step { "a whole number other than 0" } else { "a whole number of 64 bits" };
        let expected = if name == "cache" { "a positive whole number" } else { expected };
        report_wrong_value(cx, value, expected, format!("write a number, such as `{name}: 10`"));
    }
    number
}

/// Reports a field that cannot be an identity column.
fn is_refused(cx: &mut Cx<'_, '_>, id: FieldId, span: Span) -> bool {
    let field = cx.field(id);
    let is_whole = matches!(field.ty, FieldType::Scalar(ScalarType::Int | ScalarType::BigInt));
    let is_oid = field.native_type() == Some(NativeType::Oid);
    if cx.model(field.model).ast.kind == ModelKind::View {
        cx.report(
            Diagnostic::new(codes::MISPLACED_ATTRIBUTE, span, "a view has no identity columns")
                .label("not possible here")
                .help("remove it: the query of the view computes its columns"),
        );
        return true;
    }
    if is_whole && !is_oid && field.arity() == Arity::Required {
        return false;
    }
    let ty = field.ast.ty.span;
    cx.report(
        Diagnostic::new(codes::WRONG_FIELD_TYPE, span, "`@identity` is for a required Int or BigInt")
            .label("not possible for this type")
            .second(ty, "this is another type")
            .help("write `Int` or `BigInt`, without `?` or `[]`"),
    );
    true
}

/// Returns the least and the largest value of the column.
fn bounds(cx: &Cx<'_, '_>, id: FieldId) -> Option<(i64, i64)> {
    Some(match cx.field(id).native_type()? {
        NativeType::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        NativeType::BigInt => (i64::MIN, i64::MAX),
        _ => (i32::MIN.into(), i32::MAX.into()),
    })
}

/// Leaves out the options that have PostgreSQL's default. PostgreSQL 15 manual, CREATE SEQUENCE.
fn checked(options: SequenceOptions, least: i64, largest: i64) -> Result<SequenceOptions, &'static str> {
    let (usual_min, usual_max) = if options.increment < 0 { (least, -1) } else { (1, largest) };
    let (min, max) = (options.min.unwrap_or(usual_min), options.max.unwrap_or(usual_max));
    let first = if options.increment < 0 { max } else { min };
    let start = options.start.unwrap_or(first);
    if min < least || max > largest {
        return Err("`min` or `max` is not a value of the column's type");
    }
    if min >= max {
        return Err("`min` is not less than `max`");
    }
    if !(min..=max).contains(&start) {
        return Err("`start` is not between `min` and `max`");
    }
    Ok(SequenceOptions {
        min: options.min.filter(|min| *min != usual_min),
        max: options.max.filter(|max| *max != usual_max),
        start: options.start.filter(|start| *start != first),
        ..options
    })
}
