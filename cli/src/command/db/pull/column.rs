//! A column of the database as a field of the schema.

use std::fmt::Write as _;

use relata_codegen::ir::{ColumnWalker, DefaultValue, NativeType, ScalarType};
use relata_codegen::sql::quote::literal;
use relata_codegen::sql::{Column, ColumnDefault, DataType};

use super::render::{Names, quoted};

/// Type, arity and default, without `@id`, `@unique` and `@map`.
pub(super) fn describe(names: &Names<'_>, column: &Column, old: Option<ColumnWalker<'_>>) -> String {
    let (ty, native) = match &column.ty {
        DataType::Native(native) => scalar(*native),
        DataType::Enum(name) => (names.enum_name(name), String::new()),
        DataType::Other(text) => (format!("Unsupported({})", quoted(text)), String::new()),
    };
    let mark = match (column.array, column.nullable) {
        (true, _) => "[]",
        (false, true) => "?",
        (false, false) => "",
    };
    let mut text = format!("{ty}{mark}");
    if let Some(default) = default(names, column).or_else(|| client_default(old)) {
        let _ = write!(text, " @default({default})");
    }
    if !native.is_empty() {
        let _ = write!(text, " {native}");
    }
    if let Some(old) = old {
        for (is_said, attribute) in [
            (old.column().updated_at, " @updatedAt"),
            (old.column().sensitive, " @sensitive"),
            (old.field().ignored, " @ignore"),
        ] {
            text += if is_said { attribute } else { "" };
        }
    }
    text
}

/// What only the client knows.
fn client_default(old: Option<ColumnWalker<'_>>) -> Option<String> {
    Some(match old?.column().default.as_ref()? {
        DefaultValue::Uuid(4) => "uuid()".to_owned(),
        DefaultValue::Uuid(version) => format!("uuid({version})"),
        DefaultValue::Cuid(1) => "cuid()".to_owned(),
        DefaultValue::Cuid(version) => format!("cuid({version})"),
        DefaultValue::Ulid => "ulid()".to_owned(),
        DefaultValue::Nanoid(None) => "nanoid()".to_owned(),
        DefaultValue::Nanoid(Some(length)) => format!("nanoid({length})"),
        _ => return None,
    })
}

fn default(names: &Names<'_>, column: &Column) -> Option<String> {
    let counts = matches!(column.ty, DataType::Native(NativeType::SmallInt | NativeType::Integer | NativeType::BigInt));
    if column.identity.is_some() && counts && !column.array {
        return Some("autoincrement()".to_owned());
    }
    if column.generated.is_some() {
        return Some("dbgenerated()".to_owned());
    }
    let generated = |sql: &str| format!("dbgenerated({})", quoted(sql));
    Some(match column.default.as_ref()? {
        ColumnDefault::Sequence(_) if counts && !column.array => "autoincrement()".to_owned(),
        ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged => "dbgenerated()".to_owned(),
        ColumnDefault::Expression(sql) => {
            let is_now = ["CURRENT_TIMESTAMP", "now()"].contains(&sql.as_str()) && is_moment(&column.ty);
            if is_now { "now()".to_owned() } else { generated(sql) }
        }
        ColumnDefault::Literal(value) => match value_of(names, &column.ty, value) {
            Some(value) => value,
            None => generated(&literal(value)),
        },
        ColumnDefault::List(values) => {
            let all: Option<Vec<String>> = values.iter().map(|value| value_of(names, &column.ty, value)).collect();
            match all {
                Some(values) => format!("[{}]", values.join(", ")),
                None => {
                    let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
                    generated(&format!("ARRAY[{}]::{}[]", values.join(", "), column.ty))
                }
            }
        }
    })
}

fn is_moment(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Native(
            NativeType::Timestamp(_)
                | NativeType::Timestamptz(_)
                | NativeType::Date
                | NativeType::Time(_)
                | NativeType::Timetz(_)
        )
    )
}

/// A value as the language writes it; none where it is written as SQL.
fn value_of(names: &Names<'_>, ty: &DataType, value: &str) -> Option<String> {
    use NativeType as N;
    match ty {
        DataType::Enum(name) => names.label_name(name, value),
        DataType::Native(N::Boolean) => match value {
            "t" | "true" => Some("true".to_owned()),
            "f" | "false" => Some("false".to_owned()),
            _ => None,
        },
        DataType::Native(
            N::SmallInt | N::Integer | N::BigInt | N::Oid | N::Decimal(_) | N::Real | N::DoublePrecision,
        ) => {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
            is_number.then(|| value.to_owned())
        }
        DataType::Native(N::Text | N::VarChar(_) | N::Char(_) | N::Citext | N::Uuid | N::Json | N::JsonB) => {
            Some(quoted(value))
        }
        DataType::Native(_) | DataType::Other(_) => None,
    }
}

/// The scalar of a type, and `@db.` where it is not the scalar's own.
fn scalar(native: NativeType) -> (String, String) {
    use NativeType as N;
    let with = |name: &str, argument: Option<u32>| match argument {
        Some(argument) => format!("{name}({argument})"),
        None => name.to_owned(),
    };
    let (scalar, ty, name) = match native {
        N::SmallInt => ("Int", ScalarType::Int, "SmallInt".to_owned()),
        N::Integer => ("Int", ScalarType::Int, "Integer".to_owned()),
        N::Oid => ("Int", ScalarType::Int, "Oid".to_owned()),
        N::BigInt => ("BigInt", ScalarType::BigInt, "BigInt".to_owned()),
        N::Decimal(Some((precision, scale))) => {
            ("Decimal", ScalarType::Decimal, format!("Decimal({precision}, {scale})"))
        }
        N::Decimal(None) => ("Decimal", ScalarType::Decimal, "Decimal".to_owned()),
        N::Money => ("Decimal", ScalarType::Decimal, "Money".to_owned()),
        N::Real => ("Float", ScalarType::Float, "Real".to_owned()),
        N::DoublePrecision => ("Float", ScalarType::Float, "DoublePrecision".to_owned()),
        N::VarChar(length) => ("String", ScalarType::String, with("VarChar", length)),
        N::Char(length) => ("String", ScalarType::String, with("Char", length)),
        N::Text => ("String", ScalarType::String, "Text".to_owned()),
        N::Citext => ("String", ScalarType::String, "Citext".to_owned()),
        N::Inet => ("String", ScalarType::String, "Inet".to_owned()),
        N::Uuid => ("String", ScalarType::String, "Uuid".to_owned()),
        N::Xml => ("String", ScalarType::String, "Xml".to_owned()),
        N::Bit(length) => ("String", ScalarType::String, with("Bit", length)),
        N::VarBit(length) => ("String", ScalarType::String, with("VarBit", length)),
        N::ByteA => ("Bytes", ScalarType::Bytes, "ByteA".to_owned()),
        N::Timestamp(precision) => ("DateTime", ScalarType::DateTime, with("Timestamp", precision)),
        N::Timestamptz(precision) => ("DateTime", ScalarType::DateTime, with("Timestamptz", precision)),
        N::Time(precision) => ("DateTime", ScalarType::DateTime, with("Time", precision)),
        N::Timetz(precision) => ("DateTime", ScalarType::DateTime, with("Timetz", precision)),
        N::Date => ("DateTime", ScalarType::DateTime, "Date".to_owned()),
        N::Boolean => ("Boolean", ScalarType::Boolean, "Boolean".to_owned()),
        N::Json => ("Json", ScalarType::Json, "Json".to_owned()),
        N::JsonB => ("Json", ScalarType::Json, "JsonB".to_owned()),
    };
    let native = if ty.default_native_type() == native { String::new() } else { format!("@db.{name}") };
    (scalar.to_owned(), native)
}
