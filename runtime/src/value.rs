//! Values on their way to PostgreSQL (`Param`) and back (`Scalar`, `Decode`).
//!
//! Both ways use the binary protocol. Parameters never appear in Debug, errors or logs.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use postgres_protocol::IsNull;
use postgres_protocol::types as wire;
use rust_decimal::Decimal;
use tokio_postgres::fallible_iterator::FallibleIterator;
use tokio_postgres::types::{FromSql, Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use number::{decimal_of, decode_decimal, decode_float, decode_int, int_to_sql, narrowed};

#[cfg(feature = "bigdecimal")]
mod bigdecimal;
#[cfg(feature = "jiff")]
mod jiff;
pub(crate) mod json;
mod number;
#[cfg(feature = "serde")]
pub mod text;
#[cfg(feature = "time")]
mod time;

type BoxError = Box<dyn StdError + Sync + Send>;

/// A parameter of a statement.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Param {
    /// SQL's null.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `smallint`, `integer`, `bigint` and `oid`, checked against the width of the column.
    Int(i64),
    /// `real` and `double precision`.
    Float(f64),
    /// `text` and its kin.
    Text(String),
    /// Text that is known at compile time: enum values.
    Label(&'static str),
    /// `bytea`.
    Bytes(Vec<u8>),
    /// `uuid`.
    Uuid(Uuid),
    /// `timestamptz` and, as UTC, `timestamp`.
    Timestamp(DateTime<Utc>),
    /// `date`.
    Date(NaiveDate),
    /// `time` and, as UTC, `timetz`.
    Time(NaiveTime),
    /// `numeric`.
    Decimal(Decimal),
    /// `numeric` of any size.
    #[cfg(feature = "bigdecimal")]
    BigDecimal(::bigdecimal::BigDecimal),
    /// `json` and `jsonb`, of at most 512 levels.
    Json(serde_json::Value),
    /// What cannot be sent, and why: a statement with it fails before it runs.
    Refused(&'static str),
    /// An array of any of these.
    Array(Vec<Param>),
    /// A value as the database sent it.
    Raw(Vec<u8>),
    /// An array of values as the database sent them.
    RawList(RawList),
}

/// Values of one type, as the database sent them, behind one another.
#[derive(Clone, Default, PartialEq)]
pub struct RawList(Box<RawValues>);

/// Behind a pointer, because every [`Param`] is as large as the largest of them.
#[derive(Clone, Default, PartialEq)]
struct RawValues {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl fmt::Debug for RawList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} parameters>", self.len())
    }
}

impl RawList {
    /// Room for as many values, of the size that keys usually have.
    pub(crate) fn with_capacity(values: usize) -> Self {
        Self(Box::new(RawValues { bytes: Vec::with_capacity(values * 16), ends: Vec::with_capacity(values) }))
    }

    pub(crate) fn push(&mut self, value: &[u8]) {
        let RawValues { bytes, ends } = &mut *self.0;
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
    }

    fn len(&self) -> usize {
        self.0.ends.len()
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.0.ends.iter().copied());
        starts.zip(&self.0.ends).map(|(start, end)| &self.0.bytes[start..*end])
    }

    /// The value at `index` as a parameter of its own.
    pub(crate) fn param(&self, index: usize) -> Option<Param> {
        self.values().nth(index).map(|value| Param::Raw(value.to_vec()))
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<parameter>")
    }
}

impl ToSql for Param {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<tokio_postgres::types::IsNull, BoxError> {
        if !self.fits(ty) {
            return Err(format!("{} was given for a parameter of type {ty}; cast it in the SQL", self.kind()).into());
        }
        match self {
            Param::Null => return Ok(tokio_postgres::types::IsNull::Yes),
            Param::Bool(value) => wire::bool_to_sql(*value, out),
            Param::Int(value) => int_to_sql(*value, ty, out)?,
            Param::Float(value) if *ty == Type::FLOAT4 => wire::float4_to_sql(narrowed(*value)?, out),
            Param::Float(value) if *ty == Type::NUMERIC => return decimal_of(*value)?.to_sql(ty, out),
            Param::Float(value) => wire::float8_to_sql(*value, out),
            Param::Text(value) => wire::text_to_sql(value, out),
            Param::Label(value) => wire::text_to_sql(value, out),
            Param::Bytes(value) | Param::Raw(value) => wire::bytea_to_sql(value, out),
            Param::Uuid(value) => wire::uuid_to_sql(*value.as_bytes(), out),
            Param::Timestamp(value) => return timestamp_to_sql(value, ty, out),
            Param::Date(value) => return value.to_sql(ty, out),
            Param::Time(value) if *ty == Type::TIMETZ => {
                wire::time_to_sql(micros_of_day(*value), out);
                out.put_i32(0);
            }
            Param::Time(value) => wire::time_to_sql(micros_of_day(*value), out),
            Param::Decimal(value) => return value.to_sql(ty, out),
            #[cfg(feature = "bigdecimal")]
            Param::BigDecimal(value) => bigdecimal::encode(value, out)?,
            Param::Json(value) => return value.to_sql(ty, out),
            Param::Refused(reason) => return Err(Box::new(Refused(reason))),
            Param::Array(values) => {
                array_to_sql(values, values.len(), ty, out, |value, element, out| value.element_to_sql(element, out))?
            }
            Param::RawList(list) => array_to_sql(list.values(), list.len(), ty, out, |value, _, out| {
                wire::bytea_to_sql(value, out);
                Ok(tokio_postgres::types::IsNull::No)
            })?,
        }
        Ok(tokio_postgres::types::IsNull::No)
    }

    /// Whether a value fits depends on the value, too: `to_sql` says.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Param {
    /// Equal values have equal hashes; of rarer types, others may have the same.
    pub(crate) fn hash_into(&self, state: &mut impl std::hash::Hasher) {
        use std::hash::Hash;
        match self {
            Param::Bool(value) => value.hash(state),
            Param::Int(value) => value.hash(state),
            Param::Text(value) => value.hash(state),
            Param::Label(value) => value.hash(state),
            Param::Bytes(value) | Param::Raw(value) => value.hash(state),
            Param::Uuid(value) => value.hash(state),
            Param::Timestamp(value) => value.hash(state),
            Param::Date(value) => value.hash(state),
            _ => std::mem::discriminant(self).hash(state),
        }
    }

    /// The usual elements without a second look.
    fn element_to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<tokio_postgres::types::IsNull, BoxError> {
        match self {
            Param::Text(value) if *ty == Type::TEXT => wire::text_to_sql(value, out),
            Param::Label(value) if *ty == Type::TEXT => wire::text_to_sql(value, out),
            Param::Uuid(value) if *ty == Type::UUID => wire::uuid_to_sql(*value.as_bytes(), out),
            _ => return self.to_sql(ty, out),
        }
        Ok(tokio_postgres::types::IsNull::No)
    }

    /// Whether it can be sent as a value of this type. In SQL of the client's own it always can.
    fn fits(&self, ty: &Type) -> bool {
        match self {
            Param::Null | Param::Raw(_) | Param::RawList(_) | Param::Array(_) | Param::Refused(_) => true,
            Param::Bool(_) => *ty == Type::BOOL,
            Param::Int(_) => {
                matches!(
                    *ty,
                    Type::INT4 | Type::INT8 | Type::INT2 | Type::OID | Type::FLOAT8 | Type::FLOAT4 | Type::NUMERIC
                )
            }
            Param::Float(_) => matches!(*ty, Type::FLOAT8 | Type::FLOAT4 | Type::NUMERIC),
            Param::Text(_) | Param::Label(_) => is_text(ty),
            Param::Bytes(_) => *ty == Type::BYTEA,
            Param::Uuid(_) => *ty == Type::UUID,
            Param::Timestamp(_) => matches!(*ty, Type::TIMESTAMPTZ | Type::TIMESTAMP),
            Param::Date(_) => *ty == Type::DATE,
            Param::Time(_) => matches!(*ty, Type::TIME | Type::TIMETZ),
            Param::Decimal(_) => *ty == Type::NUMERIC,
            #[cfg(feature = "bigdecimal")]
            Param::BigDecimal(_) => *ty == Type::NUMERIC,
            Param::Json(_) => matches!(*ty, Type::JSONB | Type::JSON),
        }
    }

    /// What it is, without its value.
    fn kind(&self) -> &'static str {
        match self {
            Param::Null => "null",
            Param::Bool(_) => "a boolean",
            Param::Int(_) => "an integer",
            Param::Float(_) => "a float",
            Param::Text(_) | Param::Label(_) => "a text",
            Param::Bytes(_) => "bytes",
            Param::Uuid(_) => "a UUID",
            Param::Timestamp(_) => "a point in time",
            Param::Date(_) => "a date",
            Param::Time(_) => "a time",
            Param::Decimal(_) => "a decimal",
            #[cfg(feature = "bigdecimal")]
            Param::BigDecimal(_) => "a decimal",
            Param::Json(_) => "JSON",
            Param::Array(_) | Param::RawList(_) => "a list",
            Param::Raw(_) | Param::Refused(_) => "a value",
        }
    }
}

/// Types whose binary form is their text: strings, enums, and what extensions call text.
fn is_text(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)
        || matches!(ty.kind(), Kind::Enum(_))
        || ty.name() == "citext"
}

/// Why a parameter is not sent at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) &'static str);

fn timestamp_to_sql(
    value: &DateTime<Utc>,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<tokio_postgres::types::IsNull, BoxError> {
    if *ty == Type::TIMESTAMP { value.naive_utc().to_sql(ty, out) } else { value.to_sql(ty, out) }
}

fn micros_of_day(value: NaiveTime) -> i64 {
    value.signed_duration_since(NaiveTime::MIN).num_microseconds().unwrap_or_default()
}

fn array_to_sql<V>(
    values: impl IntoIterator<Item = V>,
    length: usize,
    ty: &Type,
    out: &mut BytesMut,
    write: impl Fn(V, &Type, &mut BytesMut) -> Result<tokio_postgres::types::IsNull, BoxError>,
) -> Result<(), BoxError> {
    let Kind::Array(element) = ty.kind() else {
        return Err("a list was given for a column that is none".into());
    };
    let dimension = wire::ArrayDimension { len: i32::try_from(length)?, lower_bound: 1 };
    let dimensions = (length > 0).then_some(dimension);
    let write_element = |value, out: &mut BytesMut| match write(value, element, out)? {
        tokio_postgres::types::IsNull::Yes => Ok(IsNull::Yes),
        tokio_postgres::types::IsNull::No => Ok(IsNull::No),
    };
    wire::array_to_sql(dimensions, element.oid(), values, write_element, out)
}

/// A Rust type that a column can hold.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a type that a column can hold")]
pub trait Scalar: Sized + Send + 'static {
    /// Reads a value that is not null.
    fn decode(raw: &[u8]) -> Result<Self, BoxError>;

    /// Turns it into a parameter.
    fn into_param(self) -> Param;

    /// Whether a column of this type can be read as one. Asked where the schema does not say: in raw queries.
    fn accepts(ty: &Type) -> bool {
        is_text(ty)
    }
}

/// What a column's field is decoded to: a scalar or an optional one.
pub trait Decode: Sized {
    /// Reads a value or null.
    fn decode_nullable(raw: Option<&[u8]>) -> Result<Self, BoxError>;
}

impl<T: Scalar> Decode for T {
    fn decode_nullable(raw: Option<&[u8]>) -> Result<Self, BoxError> {
        match raw {
            Some(raw) => T::decode(raw),
            None => Err("it is null, and the schema says that it never is".into()),
        }
    }
}

impl<T: Scalar> Decode for Option<T> {
    fn decode_nullable(raw: Option<&[u8]>) -> Result<Self, BoxError> {
        raw.map(T::decode).transpose()
    }
}

/// A value that a decoder of ours has read: the statement's columns have the types that it expects, so
/// the driver need not compare them for every row.
pub(crate) struct Decoded<T>(pub(crate) T);

impl<'a, T: Decode> FromSql<'a> for Decoded<T> {
    #[inline]
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        T::decode_nullable(Some(raw)).map(Decoded)
    }

    #[inline]
    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        T::decode_nullable(None).map(Decoded)
    }

    #[inline]
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a list. PostgreSQL's null reads as the empty list, as in Prisma.
pub(crate) fn decode_list<T: Scalar>(raw: Option<&[u8]>) -> Result<Vec<T>, BoxError> {
    decode_elements(raw, |value| T::decode(value.ok_or("the list holds a null")?))
}

/// Reads a list whose elements may be null.
pub(crate) fn decode_list_with_nulls<T: Scalar>(raw: Option<&[u8]>) -> Result<Vec<Option<T>>, BoxError> {
    decode_elements(raw, |value| value.map(T::decode).transpose())
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
    ($type:ty [$($accepted:ident),+], |$raw:ident| $decode:expr, |$value:ident| $param:expr) => {
        impl Scalar for $type {
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
    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        Ok(wire::text_from_sql(raw)?.to_owned())
    }

    fn into_param(self) -> Param {
        Param::Text(self)
    }
}

scalar!(bool[BOOL], |raw| wire::bool_from_sql(raw), |value| Param::Bool(value));
scalar!(i32 [INT4, INT2], |raw| Ok(i32::try_from(decode_int(raw)?)?), |value| Param::Int(value.into()));
scalar!(i64 [INT8, INT4, INT2], |raw| decode_int(raw), |value| Param::Int(value));
scalar!(f64 [FLOAT8, FLOAT4], |raw| decode_float(raw), |value| Param::Float(value));
scalar!(Vec<u8> [BYTEA], |raw| Ok(raw.to_vec()), |value| Param::Bytes(value));
scalar!(Uuid[UUID], |raw| Ok(Uuid::from_bytes(wire::uuid_from_sql(raw)?)), |value| Param::Uuid(value));
scalar!(DateTime<Utc> [TIMESTAMPTZ, TIMESTAMP], |raw| decode_timestamp(raw), |value| Param::Timestamp(value));
scalar!(NaiveDate[DATE], |raw| decode_date(raw), |value| Param::Date(value));
scalar!(NaiveTime [TIME, TIMETZ], |raw| decode_time(raw), |value| Param::Time(value));
scalar!(Decimal[NUMERIC], |raw| decode_decimal(raw), |value| Param::Decimal(value));
scalar!(serde_json::Value [JSONB, JSON], |raw| json::decode(raw), |value| json::param(value));

const TIME_OUT_OF_RANGE: &str = "the time is beyond what its Rust type can hold";

fn decode_timestamp(raw: &[u8]) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_micros(unix_micros(raw)?).ok_or_else(|| TIME_OUT_OF_RANGE.into())
}

/// Microseconds since 1970. PostgreSQL counts them from 2000-01-01, with and without time zone.
fn unix_micros(raw: &[u8]) -> Result<i64, BoxError> {
    const EPOCH_MICROS: i64 = 946_684_800_000_000;
    match wire::timestamp_from_sql(raw)? {
        i64::MAX | i64::MIN => Err("the time is infinite, which its Rust type cannot hold".into()),
        micros => micros.checked_add(EPOCH_MICROS).ok_or_else(|| TIME_OUT_OF_RANGE.into()),
    }
}

fn decode_date(raw: &[u8]) -> Result<NaiveDate, BoxError> {
    unix_days(raw)?.try_into().ok().and_then(NaiveDate::from_epoch_days).ok_or_else(|| DATE_OUT_OF_RANGE.into())
}

const DATE_OUT_OF_RANGE: &str = "the date is beyond what its Rust type can hold";

/// Days since 1970. PostgreSQL counts them from 2000-01-01.
fn unix_days(raw: &[u8]) -> Result<i64, BoxError> {
    const EPOCH_DAYS: i64 = 10_957;
    match wire::date_from_sql(raw)? {
        i32::MAX | i32::MIN => Err("the date is infinite, which its Rust type cannot hold".into()),
        days => Ok(i64::from(days) + EPOCH_DAYS),
    }
}

/// PostgreSQL takes `23:59:60` for `24:00`, and a `NaiveTime` can hold that leap second.
fn decode_time(raw: &[u8]) -> Result<NaiveTime, BoxError> {
    if is_midnight_behind(raw) {
        return NaiveTime::from_num_seconds_from_midnight_opt(86_399, 1_000_000_000)
            .ok_or_else(|| "the time is out of range".into());
    }
    let micros = utc_micros_of_day(raw)?;
    let nanos = u32::try_from(micros % 1_000_000)? * 1_000;
    NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(micros / 1_000_000)?, nanos)
        .ok_or_else(|| "the time is out of range".into())
}

/// Microseconds since midnight, in UTC: `timetz` has its offset, in seconds west of UTC, behind the time.
fn utc_micros_of_day(raw: &[u8]) -> Result<i64, BoxError> {
    let (time, west) = match raw.len() {
        12 => (&raw[..8], i64::from(i32::from_be_bytes([raw[8], raw[9], raw[10], raw[11]]))),
        _ => (raw, 0),
    };
    if is_midnight_behind(raw) {
        return Err("the time is 24:00, which its Rust type cannot hold".into());
    }
    Ok((wire::time_from_sql(time)? + west * 1_000_000).rem_euclid(DAY_MICROS))
}

/// Whether a time is `24:00`, with or without UTC's offset behind it.
fn is_midnight_behind(raw: &[u8]) -> bool {
    let (time, zone) = raw.split_at_checked(8).unwrap_or_default();
    time == DAY_MICROS.to_be_bytes() && zone.iter().all(|byte| *byte == 0)
}

const DAY_MICROS: i64 = 86_400_000_000;

/// What may be given where a `T` is wanted: a `T`, or what turns into one without loss.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, and `{Self}` is not one",
    label = "expected a value for a column of type `{T}`",
    note = "a filter whose value may be missing is `eq_opt`, `lt_opt` and so on: they take an `Option`"
)]
pub trait IntoValue<T> {
    /// The value.
    fn into_value(self) -> T;
}

impl<T: Scalar> IntoValue<T> for T {
    fn into_value(self) -> T {
        self
    }
}

macro_rules! into_value {
    ($($from:ty => $to:ty),+ $(,)?) => {
        $(
            impl IntoValue<$to> for $from {
                fn into_value(self) -> $to {
                    self.into()
                }
            }

            impl IntoNullable<$to> for $from {
                fn into_nullable(self) -> Option<$to> {
                    Some(self.into())
                }
            }
        )+
    };
}

into_value! {
    &str => String,
    &String => String,
    i32 => i64,
    i32 => f64,
    f32 => f64,
    i32 => Decimal,
    i64 => Decimal,
    &[u8] => Vec<u8>,
}

/// What may be given for an optional column: a value, or an `Option` of exactly its type, so that a bare
/// `None` says enough.
#[diagnostic::on_unimplemented(
    message = "this column holds `Option<{T}>`, and `{Self}` is neither that nor a `{T}`",
    label = "expected a value for an optional column of type `{T}`"
)]
pub trait IntoNullable<T> {
    /// The value, or none for null.
    fn into_nullable(self) -> Option<T>;
}

impl<T: Scalar> IntoNullable<T> for T {
    fn into_nullable(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Scalar> IntoNullable<T> for Option<T> {
    fn into_nullable(self) -> Option<T> {
        self
    }
}

#[cfg(test)]
mod tests {
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
    fn an_integer_that_the_column_cannot_hold_is_refused() {
        let mut out = BytesMut::new();
        assert!(70_000_i32.into_param().to_sql(&Type::INT2, &mut out).is_err());
    }

    #[test]
    fn a_parameter_is_not_printed() {
        assert_eq!(format!("{:?}", Param::Text("secret".to_owned())), "<parameter>");
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        for length in 0..20 {
            let raw = vec![0xff_u8; length];
            let _ = decode_list::<i32>(Some(&raw));
            let _ = DateTime::<Utc>::decode(&raw);
            let _ = NaiveTime::decode(&raw);
            let _ = NaiveDate::decode(&raw);
            let _ = Decimal::decode(&raw);
            let _ = serde_json::Value::decode(&raw);
        }
    }
}
