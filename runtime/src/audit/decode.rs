//! Recorded values, which are JSON, as PostgreSQL sends values of their columns: then every type of Rust that a column can
//! have reads them.

use std::str::FromStr;

use bytes::BytesMut;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value as Json;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::meta::Column;
use crate::value::Param;

/// Why a value cannot be read. It never contains the value.
type Reason = &'static str;

const OTHER_TYPE: Reason = "it had another type when it was recorded";
const UNREADABLE: Reason = "values of its type are read with `before_json` and `after_json` only";

/// Returns a type, and the bytes of a value of it; no bytes for null.
pub(super) fn read(column: &Column, json: &str) -> Result<(Type, Option<Vec<u8>>), Reason> {
    let name = column.wire.unwrap_or(column.sql_type);
    let (ty, list) = match name.strip_suffix("[]") {
        Some(element) => (type_of(element)?, true),
        None => (type_of(name)?, false),
    };
    let of_list = if list { list_of(&ty)? } else { ty.clone() };
    // `money` travels as a number, and is recorded as a text of the server's language.
    if column.sql_type.starts_with("money") {
        return Err(UNREADABLE);
    }
    if json == "null" && !is_json(&ty) {
        return Ok((of_list, None));
    }
    let param = if list { elements(&ty, json)? } else { value(&ty, json)? };
    let mut bytes = BytesMut::new();
    match param.to_sql(&of_list, &mut bytes) {
        Ok(tokio_postgres::types::IsNull::No) => Ok((of_list, Some(bytes.to_vec()))),
        Ok(tokio_postgres::types::IsNull::Yes) => Ok((of_list, None)),
        Err(_) => Err(OTHER_TYPE),
    }
}

fn is_json(ty: &Type) -> bool {
    matches!(*ty, Type::JSON | Type::JSONB)
}

fn type_of(name: &str) -> Result<Type, Reason> {
    Ok(match name {
        "boolean" => Type::BOOL,
        "smallint" => Type::INT2,
        "integer" => Type::INT4,
        "bigint" => Type::INT8,
        "real" => Type::FLOAT4,
        "double precision" => Type::FLOAT8,
        "numeric" => Type::NUMERIC,
        "text" | "varchar" | "bpchar" => Type::TEXT,
        "uuid" => Type::UUID,
        "bytea" => Type::BYTEA,
        "date" => Type::DATE,
        "time" => Type::TIME,
        "timestamp" => Type::TIMESTAMP,
        "timestamptz" => Type::TIMESTAMPTZ,
        "json" => Type::JSON,
        "jsonb" => Type::JSONB,
        _ => return Err(UNREADABLE),
    })
}

fn list_of(element: &Type) -> Result<Type, Reason> {
    Ok(match *element {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::FLOAT4 => Type::FLOAT4_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        Type::UUID => Type::UUID_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::JSON => Type::JSON_ARRAY,
        Type::JSONB => Type::JSONB_ARRAY,
        _ => return Err(UNREADABLE),
    })
}

/// Reads the elements of a list. Numbers of lists go through the parser of JSON, except for those that it would round.
fn elements(ty: &Type, json: &str) -> Result<Param, Reason> {
    if *ty == Type::NUMERIC {
        let inner = json.strip_prefix('[').and_then(|json| json.strip_suffix(']')).ok_or(OTHER_TYPE)?;
        let parts = inner.split(',').map(str::trim).filter(|part| !part.is_empty());
        return parts.map(|part| element(ty, part)).collect::<Result<_, _>>().map(Param::Array);
    }
    let Json::Array(values) = serde_json::from_str(json).map_err(|_| OTHER_TYPE)? else { return Err(OTHER_TYPE) };
    values.iter().map(|value| element(ty, &value.to_string())).collect::<Result<_, _>>().map(Param::Array)
}

fn element(ty: &Type, json: &str) -> Result<Param, Reason> {
    if json == "null" && !is_json(ty) { Ok(Param::Null) } else { value(ty, json) }
}

fn value(ty: &Type, json: &str) -> Result<Param, Reason> {
    if is_json(ty) {
        // As PostgreSQL sends it.
        let version: &[u8] = if *ty == Type::JSONB { &[1] } else { &[] };
        return Ok(Param::Raw([version, json.as_bytes()].concat()));
    }
    let text = match json.starts_with('"') {
        true => serde_json::from_str::<String>(json).map_err(|_| OTHER_TYPE)?,
        false => json.to_owned(),
    };
    let is_text = json.starts_with('"');
    let param = match *ty {
        Type::BOOL => text.parse().ok().map(Param::Bool),
        Type::INT2 | Type::INT4 | Type::INT8 => text.parse().ok().map(Param::Int),
        Type::FLOAT4 | Type::FLOAT8 => float(&text).map(Param::Float),
        Type::NUMERIC => decimal(&text),
        Type::TEXT if is_text => Some(Param::Text(text)),
        Type::UUID => Uuid::parse_str(&text).ok().map(Param::Uuid),
        Type::BYTEA => bytes(&text).map(Param::Bytes),
        Type::DATE => NaiveDate::from_str(&text).ok().map(Param::Date),
        Type::TIME => NaiveTime::from_str(&text).ok().map(Param::Time),
        Type::TIMESTAMP => NaiveDateTime::from_str(&text).ok().map(|time| Param::Timestamp(time.and_utc())),
        Type::TIMESTAMPTZ => DateTime::parse_from_rfc3339(&text).ok().map(|time| Param::Timestamp(time.to_utc())),
        _ => None,
    };
    param.ok_or(OTHER_TYPE)
}

fn float(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        number => number.parse().ok(),
    }
}

#[cfg(feature = "bigdecimal")]
fn decimal(text: &str) -> Option<Param> {
    bigdecimal::BigDecimal::from_str(text).ok().map(Param::BigDecimal)
}

#[cfg(not(feature = "bigdecimal"))]
fn decimal(text: &str) -> Option<Param> {
    rust_decimal::Decimal::from_str(text).ok().map(Param::Decimal)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Decode;

    fn read_as<T: Decode>(sql_type: &'static str, json: &str) -> Result<T, Reason> {
        let (ty, raw) = read(&Column::new("it", sql_type), json)?;
        T::decode_nullable(&ty, raw.as_deref()).map_err(|_| OTHER_TYPE)
    }

    #[test]
    fn values_are_read_as_their_columns_are() {
        assert_eq!(read_as("integer", "7"), Ok(7));
        assert_eq!(read_as::<Option<i32>>("integer", "null"), Ok(None));
        assert_eq!(read_as("text", r#""a \"b\"""#), Ok("a \"b\"".to_owned()));
        assert_eq!(read_as("double precision", "0.1"), Ok(0.1));
        assert_eq!(read_as("bytea", r#""\\x00ff""#), Ok(vec![0_u8, 255]));
        assert_eq!(read_as("boolean", "true"), Ok(true));
        assert_eq!(read_as("date", r#""2026-12-01""#), Ok(NaiveDate::from_ymd_opt(2026, 12, 1).expect("a date")));
        let decimal = rust_decimal::Decimal::from_str("12345678901234567890.123").expect("a decimal");
        assert_eq!(read_as("numeric", "12345678901234567890.123"), Ok(decimal));
        let time = DateTime::parse_from_rfc3339("2026-12-01T10:00:00.5Z").expect("a time").to_utc();
        assert_eq!(read_as("timestamptz", r#""2026-12-01T10:00:00.5+00:00""#), Ok(time));
        assert_eq!(read_as("timestamp", r#""2026-12-01T10:00:00.5""#), Ok(time));
        assert_eq!(read_as("jsonb", r#"{"a": [1]}"#), Ok(serde_json::json!({ "a": [1] })));
    }

    #[test]
    fn values_of_an_earlier_type_are_refused_without_being_shown() {
        assert_eq!(read_as::<i32>("integer", r#""many""#), Err(OTHER_TYPE));
        assert_eq!(read_as::<i32>("smallint", "70000"), Err(OTHER_TYPE));
        assert_eq!(read_as::<String>("text", "7"), Err(OTHER_TYPE));
        assert_eq!(read_as::<i32>("interval", r#""1 day""#), Err(UNREADABLE));
    }
}
