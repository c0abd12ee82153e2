//! Parameters: values for PostgreSQL, in the binary protocol.
//!
//! They never appear in `Debug`, errors or logs.

use std::fmt;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use postgres_protocol::{IsNull, types as wire};
use rust_decimal::Decimal;
use tokio_postgres::types::{Kind, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::datetime::micros_of_day;
use super::number::{decimal_of, int_to_sql, narrowed};
#[cfg(feature = "bigdecimal")]
use super::numeric;
use super::postgres::Encoded;
use crate::value::BoxError;

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
    /// `text` and similar types.
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
    /// `json` and `jsonb`, with at most 512 levels.
    Json(serde_json::Value),
    /// A value that cannot be sent, and why: a statement with it fails before it runs.
    Refused(&'static str),
    /// A value that its column cannot hold, and why.
    Invalid(&'static str),
    /// The same, because the call is one that the program must not make.
    Misuse(&'static str),
    /// An array of any of these.
    Array(Vec<Param>),
    /// A value that writes itself.
    #[doc(hidden)]
    Encoded(Encoded),
    /// A value as the database sent it.
    Raw(Vec<u8>),
    /// An array of values as the database sent them.
    RawList(RawList),
}

/// Values of one type, as the database sent them, one after another.
#[derive(Clone, Default, PartialEq)]
pub struct RawList(Box<RawValues>);

/// Behind a pointer, because every [`Param`] is as large as its largest variant.
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
    /// Allocates memory for this many values of the size that keys usually have.
    pub(crate) fn with_capacity(values: usize) -> Self {
        Self(Box::new(RawValues { bytes: Vec::with_capacity(values * 16), ends: Vec::with_capacity(values) }))
    }

    pub(crate) fn push(&mut self, value: &[u8]) {
        let RawValues { bytes, ends } = &mut *self.0;
        bytes.extend_from_slice(value);
        ends.push(bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.0.ends.len()
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.0.ends.iter().copied());
        starts.zip(&self.0.ends).map(|(start, end)| &self.0.bytes[start..*end])
    }

    /// Returns the value at `index` as a parameter.
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
            if let Kind::Domain(below) = ty.kind() {
                return self.to_sql(below, out);
            }
            let cast =
                if matches!(self, Param::Text(_)) { format!(", such as `$1::text::{ty}`") } else { String::new() };
            return Err(
                format!("{} was given for a parameter of type {ty}; cast it in the SQL{cast}", self.kind()).into()
            );
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
            Param::Bytes(value) => wire::bytea_to_sql(value, out),
            Param::Raw(value) => raw_to_sql(value, ty, out)?,
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
            Param::BigDecimal(value) => numeric::encode(value, out)?,
            Param::Json(value) => return value.to_sql(ty, out),
            Param::Encoded(value) => return value.to_sql(ty, out),
            Param::Refused(reason) => return Err(Box::new(Refused { reason, kind: RefusedKind::TooComplex })),
            Param::Invalid(reason) => return Err(Box::new(Refused { reason, kind: RefusedKind::Invalid })),
            Param::Misuse(reason) => return Err(Box::new(Refused { reason, kind: RefusedKind::Misuse })),
            Param::Array(values) => {
                array_to_sql(values, values.len(), ty, out, |value, element, out| value.element_to_sql(element, out))?
            }
            Param::RawList(list) => array_to_sql(list.values(), list.len(), ty, out, |value, element, out| {
                raw_to_sql(value, element, out)?;
                Ok(tokio_postgres::types::IsNull::No)
            })?,
        }
        Ok(tokio_postgres::types::IsNull::No)
    }

    /// Whether a value fits also depends on the value: `to_sql` checks that.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Writes a value as the database sent it. An integer of another size, because a foreign key references one, is
/// converted.
fn raw_to_sql(value: &[u8], ty: &Type, out: &mut BytesMut) -> Result<(), BoxError> {
    let size = match *ty {
        Type::INT2 => 2,
        Type::INT4 => 4,
        Type::INT8 => 8,
        _ => match ty.kind() {
            Kind::Domain(below) => return raw_to_sql(value, below, out),
            _ => value.len(),
        },
    };
    match integer(value).filter(|_| size != value.len()) {
        Some(number) => int_to_sql(number, ty, out),
        None => {
            wire::bytea_to_sql(value, out);
            Ok(())
        }
    }
}

/// Reads the bytes of an integer of any size.
pub(crate) fn integer(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        2 => Some(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        4 => Some(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        8 => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

impl Param {
    /// Equal values have equal hashes. Values of rarer types may all have the same hash.
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

    /// Returns a text that differs for different values. Only its fingerprint is used.
    pub(crate) fn words(&self) -> String {
        match self {
            Param::Null => "null".to_owned(),
            Param::Bool(value) => value.to_string(),
            Param::Int(value) => value.to_string(),
            Param::Float(value) => value.to_string(),
            Param::Text(text) => text.clone(),
            Param::Label(text) | Param::Refused(text) | Param::Invalid(text) | Param::Misuse(text) => {
                (*text).to_owned()
            }
            Param::Bytes(bytes) | Param::Raw(bytes) => format!("{bytes:?}"),
            Param::Uuid(value) => value.to_string(),
            Param::Timestamp(value) => value.to_string(),
            Param::Date(value) => value.to_string(),
            Param::Time(value) => value.to_string(),
            Param::Decimal(value) => value.to_string(),
            #[cfg(feature = "bigdecimal")]
            Param::BigDecimal(value) => value.to_string(),
            Param::Json(value) => value.to_string(),
            Param::Array(values) => values.iter().map(|value| value.words() + ",").collect(),
            Param::Encoded(value) => value.words(),
            Param::RawList(list) => list.values().map(|value| format!("{value:?},")).collect(),
        }
    }

    /// Returns the type of PostgreSQL in which a value can be written where nothing tells its type. Enums, lists, and
    /// values that write themselves have none.
    pub(crate) fn sql_type(&self) -> Option<&'static str> {
        Some(match self {
            Param::Bool(_) => "boolean",
            Param::Int(value) if i32::try_from(*value).is_ok() => "integer",
            Param::Int(_) => "bigint",
            Param::Float(_) => "double precision",
            Param::Text(_) => "text",
            Param::Bytes(_) => "bytea",
            Param::Uuid(_) => "uuid",
            Param::Timestamp(_) => "timestamptz",
            Param::Date(_) => "date",
            Param::Time(_) => "time",
            Param::Decimal(_) => "numeric",
            #[cfg(feature = "bigdecimal")]
            Param::BigDecimal(_) => "numeric",
            Param::Json(_) => "jsonb",
            _ => return None,
        })
    }

    /// Fast path for the usual elements.
    #[inline]
    fn element_to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<tokio_postgres::types::IsNull, BoxError> {
        match self {
            Param::Text(value) if *ty == Type::TEXT => wire::text_to_sql(value, out),
            Param::Label(value) if *ty == Type::TEXT => wire::text_to_sql(value, out),
            Param::Uuid(value) if *ty == Type::UUID => wire::uuid_to_sql(*value.as_bytes(), out),
            _ => return self.to_sql(ty, out),
        }
        Ok(tokio_postgres::types::IsNull::No)
    }

    /// Returns whether it can be sent as a value of this type. In SQL of the client, it always can.
    fn fits(&self, ty: &Type) -> bool {
        match self {
            Param::Null | Param::Raw(_) | Param::RawList(_) | Param::Array(_) => true,
            Param::Refused(_) | Param::Invalid(_) | Param::Misuse(_) => true,
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
            Param::Encoded(value) => value.fits(ty),
        }
    }

    /// Returns its kind, without the value.
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
            Param::Raw(_) | Param::Encoded(_) | Param::Refused(_) | Param::Invalid(_) | Param::Misuse(_) => "a value",
        }
    }
}

/// Returns whether the binary format of the type is text: strings, enums, and text types of extensions.
pub(super) fn is_text(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)
        || matches!(ty.kind(), Kind::Enum(_))
        || ty.name() == "citext"
}

/// The reason why a parameter is not sent.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refused {
    pub(crate) reason: &'static str,
    pub(crate) kind: RefusedKind,
}

/// Which error it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RefusedKind {
    TooComplex,
    Invalid,
    Misuse,
}

fn timestamp_to_sql(
    value: &DateTime<Utc>,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<tokio_postgres::types::IsNull, BoxError> {
    if *ty == Type::TIMESTAMP { value.naive_utc().to_sql(ty, out) } else { value.to_sql(ty, out) }
}

fn array_to_sql<V>(
    values: impl IntoIterator<Item = V>,
    length: usize,
    ty: &Type,
    out: &mut BytesMut,
    write: impl Fn(V, &Type, &mut BytesMut) -> Result<tokio_postgres::types::IsNull, BoxError>,
) -> Result<(), BoxError> {
    let Kind::Array(element) = ty.kind() else {
        return Err("a list was given for a column that is not a list".into());
    };
    let dimension = wire::ArrayDimension { len: i32::try_from(length)?, lower_bound: 1 };
    let dimensions = (length > 0).then_some(dimension);
    let write_element = |value, out: &mut BytesMut| match write(value, element, out)? {
        tokio_postgres::types::IsNull::Yes => Ok(IsNull::Yes),
        tokio_postgres::types::IsNull::No => Ok(IsNull::No),
    };
    wire::array_to_sql(dimensions, element.oid(), values, write_element, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_the_column_cannot_hold_is_refused() {
        let mut out = BytesMut::new();
        assert!(Param::Int(70_000).to_sql(&Type::INT2, &mut out).is_err());
    }

    #[test]
    fn a_parameter_is_not_printed() {
        assert_eq!(format!("{:?}", Param::Text("secret".to_owned())), "<parameter>");
    }
}
