//! Column types: conversion between PostgreSQL's text and data.
//!
//! [`DataType::parse`] accepts the output of `format_type` and the text in `Unsupported("..")`.

use std::fmt;

use super::expression::{Token, tokens};
use super::names::ObjectName;
use super::quote::qualified;
use crate::ir::NativeType;

/// The type of a column, or of the elements of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataType {
    /// A type with a name in the schema language.
    Native(NativeType),
    /// An enum type.
    Enum(ObjectName),
    /// Any other type, as it is written in the schema or printed by PostgreSQL: `tsvector`, `vector(3)`, `interval`.
    Other(String),
}

impl DataType {
    /// Parses the text of a type. The second value is whether it is an array. Enum types become `Other`, because only
    /// the catalog or the schema knows them.
    pub fn parse(text: &str) -> (Self, bool) {
        let mut text = text.trim();
        let mut array = false;
        while let Some(element) = strip_array(text) {
            text = element;
            array = true;
        }
        let (name, arguments) = split_arguments(text);
        let ty = native(&name, arguments.as_deref()).map_or_else(|| DataType::Other(text.to_owned()), DataType::Native);
        (ty, array)
    }

    /// Returns whether both are the same type in PostgreSQL: `char` is `char(1)`, `timestamp` is `timestamp(6)`,
    /// `Vector( 3 )` is `vector(3)`.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (DataType::Native(a), DataType::Native(b)) => canonical(*a) == canonical(*b),
            (DataType::Other(a), DataType::Other(b)) => is_same_name(a, b),
            _ => self == other,
        }
    }
}

/// Formats the type as SQL, with quotes if names need them.
impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Native(native) => write_native(f, *native),
            DataType::Enum(name) => f.write_str(&qualified(name)),
            DataType::Other(text) => f.write_str(text),
        }
    }
}

fn write_native(f: &mut fmt::Formatter<'_>, native: NativeType) -> fmt::Result {
    let with = |f: &mut fmt::Formatter<'_>, name: &str, argument: Option<u32>| match argument {
        Some(argument) => write!(f, "{name}({argument})"),
        None => f.write_str(name),
    };
    match native {
        NativeType::SmallInt => f.write_str("SMALLINT"),
        NativeType::Integer => f.write_str("INTEGER"),
        NativeType::BigInt => f.write_str("BIGINT"),
        NativeType::Oid => f.write_str("OID"),
        NativeType::Decimal(Some((precision, scale))) => write!(f, "DECIMAL({precision},{scale})"),
        NativeType::Decimal(None) => f.write_str("DECIMAL"),
        NativeType::Money => f.write_str("MONEY"),
        NativeType::Real => f.write_str("REAL"),
        NativeType::DoublePrecision => f.write_str("DOUBLE PRECISION"),
        NativeType::VarChar(length) => with(f, "VARCHAR", length),
        NativeType::Char(length) => with(f, "CHAR", length),
        NativeType::Text => f.write_str("TEXT"),
        NativeType::Citext => f.write_str("CITEXT"),
        NativeType::Inet => f.write_str("INET"),
        NativeType::Uuid => f.write_str("UUID"),
        NativeType::Xml => f.write_str("XML"),
        NativeType::Bit(length) => with(f, "BIT", length),
        NativeType::VarBit(length) => with(f, "VARBIT", length),
        NativeType::ByteA => f.write_str("BYTEA"),
        NativeType::Timestamp(precision) => with(f, "TIMESTAMP", precision),
        NativeType::Timestamptz(precision) => with(f, "TIMESTAMPTZ", precision),
        NativeType::Time(precision) => with(f, "TIME", precision),
        NativeType::Timetz(precision) => with(f, "TIMETZ", precision),
        NativeType::Date => f.write_str("DATE"),
        NativeType::Boolean => f.write_str("BOOLEAN"),
        NativeType::Json => f.write_str("JSON"),
        NativeType::JsonB => f.write_str("JSONB"),
    }
}

/// Adds the arguments that PostgreSQL assumes.
fn canonical(native: NativeType) -> NativeType {
    match native {
        NativeType::Char(None) => NativeType::Char(Some(1)),
        NativeType::Bit(None) => NativeType::Bit(Some(1)),
        NativeType::Timestamp(None) => NativeType::Timestamp(Some(6)),
        NativeType::Timestamptz(None) => NativeType::Timestamptz(Some(6)),
        NativeType::Time(None) => NativeType::Time(Some(6)),
        NativeType::Timetz(None) => NativeType::Timetz(Some(6)),
        other => other,
    }
}

/// Returns the element type of `text[]`, `text[3]` or `text ARRAY`.
fn strip_array(text: &str) -> Option<&str> {
    if let Some(open) = text.strip_suffix(']').and_then(|inner| inner.rfind('[')) {
        let bounds = &text[open + 1..text.len() - 1];
        return bounds.chars().all(|digit| digit.is_ascii_digit()).then(|| text[..open].trim_end());
    }
    let cut = text.len().checked_sub(" array".len())?;
    let suffix = text.get(cut..)?;
    suffix.eq_ignore_ascii_case(" array").then(|| text[..cut].trim_end())
}

/// Splits `timestamp(3) with time zone` into `timestamp with time zone` and `3`.
fn split_arguments(text: &str) -> (String, Option<String>) {
    // In a quoted name every letter is significant, including blanks and brackets.
    if text.contains('"') {
        return (text.to_owned(), None);
    }
    let fold = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => {
            let name = format!("{} {}", &text[..open], &text[close + 1..]);
            let arguments: String = text[open + 1..close].chars().filter(|letter| !letter.is_whitespace()).collect();
            (fold(&name), Some(arguments))
        }
        _ => (fold(text), None),
    }
}

/// Returns whether two names of types or collations are equal. Case and spaces are ignored, and so is a schema that
/// only one of them has.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    let (Some((a_schema, a)), Some((b_schema, b))) = (split_schema(a), split_schema(b)) else {
        return a.trim() == b.trim();
    };
    a == b && (a_schema.is_none() || b_schema.is_none() || a_schema == b_schema)
}

/// Returns the schema, and all other tokens in the spelling of PostgreSQL.
fn split_schema(text: &str) -> Option<(Option<Token>, Vec<Token>)> {
    let folded = tokens(text)?.into_iter().map(|token| match token {
        // `dec` is `numeric`, with any arguments.
        Token::Word(word) if ["dec", "decimal"].contains(&word.as_str()) => Token::Quoted("numeric".to_owned()),
        Token::Word(word) => Token::Quoted(word),
        other => other,
    });
    let mut tokens: Vec<Token> = folded.collect();
    if matches!(tokens.get(1), Some(Token::Sign(sign)) if sign == ".") {
        let schema = tokens.remove(0);
        tokens.remove(0);
        let is_built_in = schema == Token::Quoted("pg_catalog".to_owned());
        return Some(((!is_built_in).then_some(schema), tokens));
    }
    Some((None, tokens))
}

fn native(name: &str, arguments: Option<&str>) -> Option<NativeType> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    // An argument that is not a number belongs to a type that only `Other` can represent.
    let one = |make: fn(Option<u32>) -> NativeType| match arguments {
        Some(arguments) => arguments.parse().ok().map(|length| make(Some(length))),
        None => Some(make(None)),
    };
    let plain = |ty: NativeType| arguments.is_none().then_some(ty);
    match name {
        "smallint" | "int2" => plain(NativeType::SmallInt),
        "integer" | "int" | "int4" => plain(NativeType::Integer),
        "bigint" | "int8" => plain(NativeType::BigInt),
        "oid" => plain(NativeType::Oid),
        "numeric" | "decimal" | "dec" => decimal(arguments),
        "money" => plain(NativeType::Money),
        "real" | "float4" => plain(NativeType::Real),
        "double precision" | "float8" => plain(NativeType::DoublePrecision),
        "float" => match arguments.map(str::parse::<u8>) {
            None | Some(Ok(25..=53)) => Some(NativeType::DoublePrecision),
            Some(Ok(1..=24)) => Some(NativeType::Real),
            Some(_) => None,
        },
        "character varying"
        | "varchar"
        | "char varying"
        | "national character varying"
        | "national char varying"
        | "nchar varying" => one(NativeType::VarChar),
        "character" | "char" | "national character" | "national char" | "nchar" => one(NativeType::Char),
        "bpchar" if arguments.is_some() => one(NativeType::Char),
        "text" => plain(NativeType::Text),
        "citext" => plain(NativeType::Citext),
        "inet" => plain(NativeType::Inet),
        "uuid" => plain(NativeType::Uuid),
        "xml" => plain(NativeType::Xml),
        "bit" => one(NativeType::Bit),
        "bit varying" | "varbit" => one(NativeType::VarBit),
        "bytea" => plain(NativeType::ByteA),
        "timestamp" | "timestamp without time zone" => one(NativeType::Timestamp),
        "timestamptz" | "timestamp with time zone" => one(NativeType::Timestamptz),
        "time" | "time without time zone" => one(NativeType::Time),
        "timetz" | "time with time zone" => one(NativeType::Timetz),
        "date" => plain(NativeType::Date),
        "boolean" | "bool" => plain(NativeType::Boolean),
        "json" => plain(NativeType::Json),
        "jsonb" => plain(NativeType::JsonB),
        _ => None,
    }
}

fn decimal(arguments: Option<&str>) -> Option<NativeType> {
    let Some(arguments) = arguments else { return Some(NativeType::Decimal(None)) };
    let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    // PostgreSQL also accepts negative scales and scales beyond the precision; the schema language does not.
    (scale <= precision).then_some(NativeType::Decimal(Some((precision, scale))))
}

#[cfg(test)]
mod tests {
    use super::DataType;
    use crate::ir::NativeType;

    #[test]
    fn what_postgresql_prints_is_read() {
        let native = |text: &str| match DataType::parse(text) {
            (DataType::Native(native), array) => (native, array),
            (other, _) => panic!("{text} became {other:?}"),
        };
        assert_eq!(native("integer"), (NativeType::Integer, false));
        assert_eq!(native("character varying(20)[]"), (NativeType::VarChar(Some(20)), true));
        assert_eq!(native("timestamp(3) without time zone"), (NativeType::Timestamp(Some(3)), false));
        assert_eq!(native("time(0) with time zone"), (NativeType::Timetz(Some(0)), false));
        assert_eq!(native("numeric(65,30)"), (NativeType::Decimal(Some((65, 30))), false));
        assert_eq!(native("numeric(5)"), (NativeType::Decimal(Some((5, 0))), false));
        assert_eq!(native("INT ARRAY"), (NativeType::Integer, true));
    }

    #[test]
    fn other_types_keep_their_text() {
        assert_eq!(DataType::parse("Vector(3)"), (DataType::Other("Vector(3)".into()), false));
        assert_eq!(DataType::parse("geometry(Point, 4326)"), (DataType::Other("geometry(Point, 4326)".into()), false));
        assert_eq!(DataType::parse("\"My Type\"[]"), (DataType::Other("\"My Type\"".into()), true));
        assert_eq!(DataType::parse("\"a  (b)\""), (DataType::Other("\"a  (b)\"".into()), false));
        assert_eq!(DataType::parse("numeric(3,5)"), (DataType::Other("numeric(3,5)".into()), false));
        assert_eq!(DataType::parse(""), (DataType::Other(String::new()), false));
    }

    #[test]
    fn spellings_of_one_type_are_the_same() {
        let same = |a: &str, b: &str| DataType::parse(a).0.is_same(&DataType::parse(b).0);
        for (a, b) in [
            ("dec(5,2)", "numeric(5, 2)"),
            ("dec(3,5)", "numeric(3,5)"),
            ("national character varying (5)", "character varying(5)"),
            ("float(10)", "real"),
            ("FLOAT(53)", "double precision"),
            ("Vector( 3 )", "vector(3)"),
            ("geometry(Point, 4326)", "geometry(point,4326)"),
            ("Interval  DAY to second (3)", "interval day to second(3)"),
            ("pg_catalog.tsvector", "tsvector"),
            ("public.ltree", "ltree"),
            ("\"ltree\"", "ltree"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("\"Ltree\"", "ltree"), ("a.x", "b.x"), ("vector(3)", "vector(4)"), ("f('A')", "f('a')")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn unsaid_arguments_are_postgresqls() {
        let ty = |native| DataType::Native(native);
        assert!(ty(NativeType::Char(None)).is_same(&ty(NativeType::Char(Some(1)))));
        assert!(ty(NativeType::Timestamp(Some(6))).is_same(&ty(NativeType::Timestamp(None))));
        assert!(!ty(NativeType::VarChar(None)).is_same(&ty(NativeType::VarChar(Some(1)))));
    }
}
