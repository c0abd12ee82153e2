//! `@db.X`: the native types of fields, and their arguments.

use super::Cx;
use super::draft::FieldType;
use crate::diagnostics::{self as codes, Diagnostic, did_you_mean};
use crate::ir::{FieldId, NativeType, ScalarType};
use crate::syntax::{Attribute, Expression, Name};

/// The arguments that a native type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TypeArguments {
    Nothing,
    /// A length, at least this one.
    Length(u32),
    /// Fractional digits of a second, 0 to 6.
    Digits,
    PrecisionAndScale,
}

/// A native type: its name, its scalar, its arguments, and the function that creates it.
struct Known {
    name: &'static str,
    scalar: ScalarType,
    takes: TypeArguments,
    make: fn(&[u32]) -> NativeType,
}

const fn known(name: &'static str, scalar: ScalarType, takes: TypeArguments, make: fn(&[u32]) -> NativeType) -> Known {
    Known { name, scalar, takes, make }
}

fn first(numbers: &[u32]) -> Option<u32> {
    numbers.first().copied()
}

static KNOWN: [Known; 26] = [
    known("SmallInt", ScalarType::Int, TypeArguments::Nothing, |_| NativeType::SmallInt),
    known("Integer", ScalarType::Int, TypeArguments::Nothing, |_| NativeType::Integer),
    known("BigInt", ScalarType::BigInt, TypeArguments::Nothing, |_| NativeType::BigInt),
    known("Oid", ScalarType::Int, TypeArguments::Nothing, |_| NativeType::Oid),
    known("Decimal", ScalarType::Decimal, TypeArguments::PrecisionAndScale, |numbers| {
        NativeType::Decimal(first(numbers).zip(numbers.get(1).copied()))
    }),
    known("Money", ScalarType::Decimal, TypeArguments::Nothing, |_| NativeType::Money),
    known("Real", ScalarType::Float, TypeArguments::Nothing, |_| NativeType::Real),
    known("DoublePrecision", ScalarType::Float, TypeArguments::Nothing, |_| NativeType::DoublePrecision),
    known("VarChar", ScalarType::String, TypeArguments::Length(0), |numbers| NativeType::VarChar(first(numbers))),
    known("Char", ScalarType::String, TypeArguments::Length(0), |numbers| NativeType::Char(first(numbers))),
    known("Text", ScalarType::String, TypeArguments::Nothing, |_| NativeType::Text),
    known("Citext", ScalarType::String, TypeArguments::Nothing, |_| NativeType::Citext),
    known("Inet", ScalarType::String, TypeArguments::Nothing, |_| NativeType::Inet),
    known("Uuid", ScalarType::String, TypeArguments::Nothing, |_| NativeType::Uuid),
    known("Xml", ScalarType::String, TypeArguments::Nothing, |_| NativeType::Xml),
    known("Bit", ScalarType::String, TypeArguments::Length(1), |numbers| NativeType::Bit(first(numbers))),
    known("VarBit", ScalarType::String, TypeArguments::Length(1), |numbers| NativeType::VarBit(first(numbers))),
    known("ByteA", ScalarType::Bytes, TypeArguments::Nothing, |_| NativeType::ByteA),
    known("Timestamp", ScalarType::DateTime, TypeArguments::Digits, |numbers| NativeType::Timestamp(first(numbers))),
    known("Timestamptz", ScalarType::DateTime, TypeArguments::Digits, |numbers| {
        NativeType::Timestamptz(first(numbers))
    }),
    known("Time", ScalarType::DateTime, TypeArguments::Digits, |numbers| NativeType::Time(first(numbers))),
    known("Timetz", ScalarType::DateTime, TypeArguments::Digits, |numbers| NativeType::Timetz(first(numbers))),
    known("Date", ScalarType::DateTime, TypeArguments::Nothing, |_| NativeType::Date),
    known("Boolean", ScalarType::Boolean, TypeArguments::Nothing, |_| NativeType::Boolean),
    known("Json", ScalarType::Json, TypeArguments::Nothing, |_| NativeType::Json),
    known("JsonB", ScalarType::Json, TypeArguments::Nothing, |_| NativeType::JsonB),
];

/// The name after `@db.`.
pub(super) fn native_type_name(native: NativeType) -> &'static str {
    let same = |known: &&Known| std::mem::discriminant(&(known.make)(&[])) == std::mem::discriminant(&native);
    KNOWN.iter().find(same).map_or("", |known| known.name)
}

/// The name of a scalar.
pub(super) fn scalar_name(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::String => "String",
        ScalarType::Boolean => "Boolean",
        ScalarType::Int => "Int",
        ScalarType::BigInt => "BigInt",
        ScalarType::Float => "Float",
        ScalarType::Decimal => "Decimal",
        ScalarType::DateTime => "DateTime",
        ScalarType::Json => "Json",
        ScalarType::Bytes => "Bytes",
    }
}

/// Reads the native type of a field.
pub(super) fn read_native_types(cx: &mut Cx<'_, '_>, id: FieldId) {
    let mut first: Option<&Attribute<'_>> = None;
    for attribute in cx.field(id).ast.attributes.iter().filter(|attribute| attribute.name.text.contains('.')) {
        if let Some(first) = first {
            cx.report(
                Diagnostic::new(codes::REPEATED_ATTRIBUTE, attribute.span, "a field has only one type in the database")
                    .label("this is the second")
                    .second(first.span, "this is the first")
                    .help("remove one of them"),
            );
            continue;
        }
        first = Some(attribute);
        if !attribute.broken {
            read_native_type(cx, id, attribute);
        }
    }
}

fn read_native_type(cx: &mut Cx<'_, '_>, id: FieldId, attribute: &Attribute<'_>) {
    let Some((prefix, name)) = attribute.name.text.split_once('.') else { return };
    if name.is_empty() {
        return;
    }
    if let Some(datasource) = cx.config.datasource.filter(|datasource| datasource.text != prefix) {
        let message = format!("`@{prefix}.` is not the name of the datasource");
        cx.report(
            Diagnostic::new(codes::UNKNOWN_NATIVE_TYPE, attribute.name.span, message)
                .label("unknown prefix")
                .second(datasource.span, "the datasource has this name")
                .help(format!("write `@{}.{name}`", datasource.text)),
        );
        return;
    }
    let scalar = match cx.field(id).ty {
        FieldType::Scalar(scalar) => scalar,
        FieldType::Unknown => return,
        _ => return report_no_native_type(cx, id, attribute),
    };
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        return report_unknown(cx, attribute.name, prefix, name, scalar);
    };
    if known.scalar != scalar {
        return report_mismatch(cx, id, attribute, prefix, known);
    }
    if let Some(numbers) = read_numbers(cx, attribute, known) {
        cx.field_mut(id).native = Some((known.make)(&numbers));
    }
}

fn report_no_native_type(cx: &mut Cx<'_, '_>, id: FieldId, attribute: &Attribute<'_>) {
    let message = format!("`{}` cannot have a native type", cx.qualified(id));
    let ty = cx.field(id).ast.ty.span;
    cx.report(
        Diagnostic::new(codes::MISPLACED_ATTRIBUTE, attribute.span, message)
            .label("not possible here")
            .second(ty, "only for the built-in types")
            .help("remove it"),
    );
}

fn report_unknown(cx: &mut Cx<'_, '_>, place: Name<'_>, prefix: &str, name: &str, scalar: ScalarType) {
    let fitting = || KNOWN.iter().filter(|known| known.scalar == scalar).map(|known| known.name);
    let guess = did_you_mean(name, fitting()).or_else(|| did_you_mean(name, KNOWN.iter().map(|known| known.name)));
    let help = match guess {
        Some(guess) => format!("did you mean `@{prefix}.{guess}`?"),
        None => {
            let names: Vec<_> = fitting().map(|name| format!("`@{prefix}.{name}`")).collect();
            format!(
                "the native types for {} are {}; write other types as `Unsupported(\"..\")`",
                scalar_name(scalar),
                names.join(", ")
            )
        }
    };
    let message = format!("there is no type `@{prefix}.{name}`");
    cx.report(Diagnostic::new(codes::UNKNOWN_NATIVE_TYPE, place.span, message).label("unknown type").help(help));
}

fn report_mismatch(cx: &mut Cx<'_, '_>, id: FieldId, attribute: &Attribute<'_>, prefix: &str, known: &Known) {
    let ty = cx.field(id).ast.ty.name;
    let expected = scalar_name(known.scalar);
    let message = format!("`@{prefix}.{}` is a type for {expected}, not for {}", known.name, ty.text);
    cx.report(
        Diagnostic::new(codes::NATIVE_TYPE_MISMATCH, attribute.name.span, message)
            .label(format!("holds values of type {expected}"))
            .second(ty.span, "the field has this type")
            .help(format!("write `{expected}` as the field's type, or choose another `@{prefix}.` type")),
    );
}

fn read_numbers(cx: &mut Cx<'_, '_>, attribute: &Attribute<'_>, known: &Known) -> Option<Vec<u32>> {
    let Some(arguments) = &attribute.arguments else { return Some(Vec::new()) };
    let values: Option<Vec<u32>> = arguments
        .list
        .iter()
        .map(|argument| match &argument.value {
            Expression::Number(number) => number.text.parse().ok(),
            _ => None,
        })
        .collect();
    let problem = match &values {
        None => Some("only whole numbers are allowed here"),
        Some(values) => out_of_range(known.takes, values),
    };
    let Some(problem) = problem else { return values };
    let name = attribute.name.text;
    let help = match known.takes {
        TypeArguments::Nothing => format!("write `@{name}`"),
        TypeArguments::Length(_) => format!("write a length, such as `@{name}(255)`, or no argument"),
        TypeArguments::Digits => format!("write the number of fractional digits, `@{name}(3)`, or no argument"),
        TypeArguments::PrecisionAndScale => {
            format!("write the precision and the scale, such as `@{name}(10, 2)`, or no arguments")
        }
    };
    let message = format!("`@{name}` does not accept these arguments");
    cx.report(Diagnostic::new(codes::NATIVE_TYPE_ARGUMENTS, arguments.span, message).label(problem).help(help));
    None
}

fn out_of_range(takes: TypeArguments, values: &[u32]) -> Option<&'static str> {
    match (takes, values) {
        (_, []) => None,
        (TypeArguments::Nothing, _) => Some("this type takes no arguments"),
        (TypeArguments::Length(least), [length]) => (*length < least).then_some("the length must be at least 1"),
        (TypeArguments::Digits, [digits]) => (*digits > 6).then_some("the precision must be at most 6"),
        (TypeArguments::PrecisionAndScale, [precision, scale]) => {
            if !(1..=1000).contains(precision) {
                Some("the precision must be from 1 to 1000")
            } else {
                (scale > precision).then_some("the scale is greater than the precision")
            }
        }
        (TypeArguments::PrecisionAndScale, _) => Some("two numbers are required here"),
        (TypeArguments::Length(_) | TypeArguments::Digits, _) => Some("one number is required here"),
    }
}
