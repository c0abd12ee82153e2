//! Scalars: the Rust types that a column can hold, and how they and lists of them are read.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use postgres_protocol::types as wire;
use rust_decimal::Decimal;
use tokio_postgres::fallible_iterator::FallibleIterator;
use tokio_postgres::types::{FromSql, Kind, Type};
use uuid::Uuid;

use super::datetime::{decode_date, decode_time, decode_timestamp};
use super::holds::Holds;
use super::json;
use super::number::{decode_decimal, decode_float, decode_int};
use super::param::{Param, is_text};
use crate::value::BoxError;

/// Returns the value of a row with one value, which is how an enum is returned by Citus: the number of values, the type,
/// the length, and the bytes.
pub(crate) fn only_value(row: &[u8]) -> Result<Option<&[u8]>, BoxError> {
    let number = |at: usize| row.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    match (number(0), number(8)) {
        (Some(1), Some(-1)) => Ok(None),
        (Some(1), Some(length)) if usize::try_from(length).is_ok_and(|length| row.len() == 12 + length) => {
            Ok(Some(&row[12..]))
        }
        _ => Err("it is not a row of one value".into()),
    }
}

/// Returns whether a column holds a list of such values.
pub(crate) fn accepts_list<T: Scalar>(ty: &Type) -> bool {
    matches!(ty.kind(), Kind::Array(element) if T::accepts(below(element)))
}

/// Returns the type that a domain is based on, or the type itself.
pub(super) fn below(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => below(inner),
        _ => ty,
    }
}

/// A Rust type that a column can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can hold",
    note = "a type of your own becomes one with `#[derive(relata::Value)]`"
)]
pub trait Scalar: Sized + Send + 'static {
    /// The type whose methods its fields have: `Self`, or for a type around another one that one. A field whose type has
    /// the base `String` has conditions on text, with [`serde_json::Value`] conditions on paths, and with a number sums.
    type Base: Scalar;

    /// What values of this type are in PostgreSQL. A client whose `@rust` names the type for another kind of column does not
    /// compile.
    const HOLDS: Holds = Holds::Any;

    /// Reads a value that is not null.
    fn decode(raw: &[u8]) -> Result<Self, BoxError>;

    /// Reads a value that is not null, and whose type in PostgreSQL is `ty`. Only a format that depends on the type needs
    /// this method.
    #[inline]
    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        let _ = ty;
        Self::decode(raw)
    }

    /// For types of generated code: whether a value of an optional column is null although SQL's null is another one.
    #[doc(hidden)]
    #[inline]
    fn is_null(_: &[u8]) -> bool {
        false
    }

    /// For types of generated code: reads a list of values that is one value of JSON.
    #[doc(hidden)]
    fn decode_json_list(_: &[u8]) -> Result<Vec<Self>, BoxError> {
        Err("the values of the column are not lists in JSON".into())
    }

    /// Converts it into a parameter.
    fn into_param(self) -> Param;

    /// Returns whether a column of this type can be read as one. Only for raw queries, whose types the schema does not
    /// determine.
    fn accepts(ty: &Type) -> bool {
        is_text(ty)
    }
}

/// The type of a column's field: a scalar or an optional one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can hold",
    note = "a type of your own becomes one with `#[derive(relata::Value)]`"
)]
pub trait Decode: Sized {
    /// Reads a value of this type, or null.
    fn decode_nullable(ty: &Type, raw: Option<&[u8]>) -> Result<Self, BoxError>;
}

impl<T: Scalar> Decode for T {
    #[inline]
    fn decode_nullable(ty: &Type, raw: Option<&[u8]>) -> Result<Self, BoxError> {
        match raw {
            Some(raw) => T::decode_as(ty, raw),
            None => Err("it is null, and the schema says that it never is".into()),
        }
    }
}

impl<T: Scalar> Decode for Option<T> {
    #[inline]
    fn decode_nullable(ty: &Type, raw: Option<&[u8]>) -> Result<Self, BoxError> {
        raw.filter(|raw| !T::is_null(raw)).map(|raw| T::decode_as(ty, raw)).transpose()
    }
}

/// A value for one of our decoders: the statement's columns have the expected types, so the driver need not compare
/// them for every row.
pub(crate) struct Decoded<T>(pub(crate) T);

impl<'a, T: Decode> FromSql<'a> for Decoded<T> {
    #[inline]
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        T::decode_nullable(ty, Some(raw)).map(Decoded)
    }

    #[inline]
    fn from_sql_null(ty: &Type) -> Result<Self, BoxError> {
        T::decode_nullable(ty, None).map(Decoded)
    }

    #[inline]
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a list of this type. As in Prisma, null is read as the empty list.
pub(crate) fn decode_list<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<Vec<T>, BoxError> {
    let element = element(ty);
    decode_elements(raw, |value| T::decode_as(element, value.ok_or("the list holds a null")?))
}

/// Reads a list of this type whose elements may be null.
pub(crate) fn decode_list_with_nulls<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<Vec<Option<T>>, BoxError> {
    let element = element(ty);
    decode_elements(raw, |value| value.map(|value| T::decode_as(element, value)).transpose())
}

/// Returns the type of the elements of a list.
fn element(ty: &Type) -> &Type {
    match below(ty).kind() {
        Kind::Array(element) => element,
        _ => ty,
    }
}

fn decode_elements<T>(
    raw: Option<&[u8]>,
    decode: impl Fn(Option<&[u8]>) -> Result<T, BoxError>,
) -> Result<Vec<T>, BoxError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let array = wire::array_from_sql(raw)?;
    if array.dimensions().count()? > 1 {
        return Err("it has more than one dimension".into());
    }
    let mut values = array.values();
    let mut list = Vec::new();
    while let Some(value) = values.next()? {
        list.push(decode(value)?);
    }
    Ok(list)
}

macro_rules! scalar {
    ($holds:ident: $type:ty [$($accepted:ident),+], |$raw:ident| $decode:expr, |$value:ident| $param:expr) => {
        impl Scalar for $type {
            type Base = Self;
            const HOLDS: Holds = Holds::$holds;

            fn decode($raw: &[u8]) -> Result<Self, BoxError> {
                $decode
            }

            fn into_param(self) -> Param {
                let $value = self;
                $param
            }

            fn accepts(ty: &Type) -> bool {
                matches!(*ty, $(Type::$accepted)|+)
            }
        }
    };
}

impl Scalar for String {
    type Base = Self;
    const HOLDS: Holds = Holds::Text;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        Ok(wire::text_from_sql(raw)?.to_owned())
    }

    fn into_param(self) -> Param {
        Param::Text(self)
    }
}

scalar!(Bool: bool[BOOL], |raw| wire::bool_from_sql(raw), |value| Param::Bool(value));
scalar!(Int: i32 [INT4, INT2], |raw| Ok(i32::try_from(decode_int(raw)?)?), |value| Param::Int(value.into()));
scalar!(Int: i64 [INT8, INT4, INT2], |raw| decode_int(raw), |value| Param::Int(value));
scalar!(Float: f64 [FLOAT8, FLOAT4], |raw| decode_float(raw), |value| Param::Float(value));
scalar!(Bytes: Vec<u8> [BYTEA], |raw| Ok(raw.to_vec()), |value| Param::Bytes(value));
scalar!(Uuid: Uuid[UUID], |raw| Ok(Uuid::from_bytes(wire::uuid_from_sql(raw)?)), |value| Param::Uuid(value));
scalar!(Timestamp: DateTime<Utc> [TIMESTAMPTZ, TIMESTAMP], |raw| decode_timestamp(raw), |value| Param::Timestamp(value));
scalar!(Date: NaiveDate[DATE], |raw| decode_date(raw), |value| Param::Date(value));
scalar!(Time: NaiveTime [TIME, TIMETZ], |raw| decode_time(raw), |value| Param::Time(value));
scalar!(Decimal: Decimal[NUMERIC], |raw| decode_decimal(raw), |value| Param::Decimal(value));
scalar!(Json: serde_json::Value [JSONB, JSON], |raw| json::decode(raw), |value| json::param(value));

#[cfg(test)]
mod tests {
    use std::fmt;

    use bytes::BytesMut;
    use tokio_postgres::types::ToSql;

    use super::*;

    fn round_trip<T: Scalar + Clone + PartialEq + fmt::Debug>(value: T, ty: &Type) {
        let mut out = BytesMut::new();
        value.clone().into_param().to_sql(ty, &mut out).expect("encodes");
        assert_eq!(T::decode(&out).expect("decodes"), value);
    }

    #[test]
    fn every_scalar_survives_the_wire() {
        round_trip(true, &Type::BOOL);
        round_trip(-7_i32, &Type::INT2);
        round_trip(i32::MIN, &Type::INT4);
        round_trip(i64::MAX, &Type::INT8);
        round_trip(0.1_f64, &Type::FLOAT8);
        round_trip("ü".to_owned(), &Type::TEXT);
        round_trip(vec![0_u8, 255], &Type::BYTEA);
        round_trip(Uuid::from_u128(7), &Type::UUID);
        let time = DateTime::from_timestamp_micros(1_790_000_000_123_456).expect("in range");
        round_trip(time, &Type::TIMESTAMPTZ);
        round_trip(time, &Type::TIMESTAMP);
        round_trip(time.date_naive(), &Type::DATE);
        round_trip(time.time(), &Type::TIME);
        round_trip(time.time(), &Type::TIMETZ);
        round_trip(Decimal::new(-12345, 2), &Type::NUMERIC);
        round_trip(serde_json::json!({ "a": [1, null] }), &Type::JSONB);
        round_trip(serde_json::json!("x"), &Type::JSON);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        for length in 0..20 {
            let raw = vec![0xff_u8; length];
            let _ = decode_list::<i32>(&Type::INT4_ARRAY, Some(&raw));
            let _ = DateTime::<Utc>::decode(&raw);
            let _ = NaiveTime::decode(&raw);
            let _ = NaiveDate::decode(&raw);
            let _ = Decimal::decode(&raw);
            let _ = serde_json::Value::decode(&raw);
        }
    }
}
