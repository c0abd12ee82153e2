//! Numbers as parameters and as results: a number that does not fit is refused rather than changed.

use bytes::BytesMut;
use postgres_protocol::types as wire;
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::value::BoxError;

pub(super) fn int_to_sql(value: i64, ty: &Type, out: &mut BytesMut) -> Result<(), BoxError> {
    match *ty {
        Type::INT2 => wire::int2_to_sql(i16::try_from(value)?, out),
        Type::INT4 => wire::int4_to_sql(i32::try_from(value)?, out),
        Type::OID => wire::oid_to_sql(u32::try_from(value)?, out),
        // Rounded to the nearest float, as PostgreSQL rounds a bigint that is cast to one.
        Type::FLOAT8 => wire::float8_to_sql(value as f64, out),
        Type::FLOAT4 => wire::float4_to_sql(value as f32, out),
        Type::NUMERIC => {
            Decimal::from(value).to_sql(ty, out)?;
        }
        _ => wire::int8_to_sql(value, out),
    }
    Ok(())
}

/// Converts to `real`. As in PostgreSQL, a number that is too large for it, or so small that it would be 0, is an
/// error.
pub(super) fn narrowed(value: f64) -> Result<f32, BoxError> {
    let narrow = value as f32;
    if narrow.is_infinite() && value.is_finite() || narrow == 0.0 && value != 0.0 {
        return Err("the number is out of range for real".into());
    }
    Ok(narrow)
}

/// Converts to `numeric`, with as many digits as distinguish the float from its neighbours.
pub(super) fn decimal_of(value: f64) -> Result<Decimal, BoxError> {
    let decimal = Decimal::try_from(value).map_err(|_| "the float is no number that a numeric can hold")?;
    if decimal.is_zero() && value != 0.0 {
        return Err("the float is too small to be sent as a numeric".into());
    }
    Ok(decimal)
}

/// The width of the column shows which of PostgreSQL's integer types it has.
pub(super) fn decode_int(raw: &[u8]) -> Result<i64, BoxError> {
    match raw.len() {
        2 => Ok(wire::int2_from_sql(raw)?.into()),
        4 => Ok(wire::int4_from_sql(raw)?.into()),
        _ => wire::int8_from_sql(raw),
    }
}

pub(super) fn decode_float(raw: &[u8]) -> Result<f64, BoxError> {
    if raw.len() == 4 { Ok(wire::float4_from_sql(raw)?.into()) } else { wire::float8_from_sql(raw) }
}

/// Rounds to 28 decimal places, as long as the number keeps its first 16 digits.
pub(super) fn decode_decimal(raw: &[u8]) -> Result<Decimal, BoxError> {
    if matches!(raw, [_, _, _, _, 0xc0..=0xff, ..]) {
        return Err("the number is NaN or infinite, which its Rust type cannot hold".into());
    }
    if loses_digits(raw) {
        return Err("the number is too small for its Rust type, which has 28 decimal places".into());
    }
    Decimal::from_sql(&Type::NUMERIC, raw).map_err(|_| "the number has more digits than its Rust type can hold".into())
}

/// Returns whether rounding to 28 decimal places leaves fewer than 16 digits. The value begins with the number of
/// groups of four digits, and the weight of the first group as a power of 10,000.
fn loses_digits(raw: &[u8]) -> bool {
    const PLACES: i32 = 28;
    let &[high, low, weight_high, weight_low, _, _, _, _, ref groups @ ..] = raw else { return false };
    let (count, weight) = (i16::from_be_bytes([high, low]), i16::from_be_bytes([weight_high, weight_low]));
    let places = 4 * (i32::from(count) - 1 - i32::from(weight));
    if weight >= -3 || places <= PLACES || count <= 0 {
        return false;
    }
    let first = groups.first_chunk().map_or(0, |digits| u16::from_be_bytes(*digits));
    let last = groups.last_chunk().map_or(0, |digits| u16::from_be_bytes(*digits));
    let zeros_behind = (1..4_u32).take_while(|zeros| last % 10_u16.pow(*zeros) == 0).count() as i32;
    if places - zeros_behind <= PLACES {
        return false;
    }
    let zeros_before = 4 * (-i32::from(weight) - 1) + 4 - first.checked_ilog10().map_or(0, |log| log as i32 + 1);
    PLACES - zeros_before < 16
}
