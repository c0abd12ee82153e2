//! Timestamps, dates and times of day on the wire, and as the types of `chrono`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use postgres_protocol::types as wire;

use crate::value::BoxError;

pub(super) fn micros_of_day(value: NaiveTime) -> i64 {
    value.signed_duration_since(NaiveTime::MIN).num_microseconds().unwrap_or_default()
}

pub(super) const TIME_OUT_OF_RANGE: &str = "the time is beyond what its Rust type can hold";

pub(super) fn decode_timestamp(raw: &[u8]) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_micros(unix_micros(raw)?).ok_or_else(|| TIME_OUT_OF_RANGE.into())
}

/// Returns microseconds since 1970. PostgreSQL counts from 2000-01-01, with and without time zone.
pub(super) fn unix_micros(raw: &[u8]) -> Result<i64, BoxError> {
    const EPOCH_MICROS: i64 = 946_684_800_000_000;
    match wire::timestamp_from_sql(raw)? {
        i64::MAX | i64::MIN => Err("the time is infinite, which its Rust type cannot hold".into()),
        micros => micros.checked_add(EPOCH_MICROS).ok_or_else(|| TIME_OUT_OF_RANGE.into()),
    }
}

pub(super) fn decode_date(raw: &[u8]) -> Result<NaiveDate, BoxError> {
    unix_days(raw)?.try_into().ok().and_then(NaiveDate::from_epoch_days).ok_or_else(|| DATE_OUT_OF_RANGE.into())
}

pub(super) const DATE_OUT_OF_RANGE: &str = "the date is beyond what its Rust type can hold";

/// Returns days since 1970. PostgreSQL counts from 2000-01-01.
pub(super) fn unix_days(raw: &[u8]) -> Result<i64, BoxError> {
    const EPOCH_DAYS: i64 = 10_957;
    match wire::date_from_sql(raw)? {
        i32::MAX | i32::MIN => Err("the date is infinite, which its Rust type cannot hold".into()),
        days => Ok(i64::from(days) + EPOCH_DAYS),
    }
}

/// PostgreSQL reads `23:59:60` as `24:00`, and a `NaiveTime` can represent it as a leap second.
pub(super) fn decode_time(raw: &[u8]) -> Result<NaiveTime, BoxError> {
    if is_midnight_behind(raw) {
        return NaiveTime::from_num_seconds_from_midnight_opt(86_399, 1_000_000_000)
            .ok_or_else(|| "the time is out of range".into());
    }
    let micros = utc_micros_of_day(raw)?;
    let nanos = u32::try_from(micros % 1_000_000)? * 1_000;
    NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(micros / 1_000_000)?, nanos)
        .ok_or_else(|| "the time is out of range".into())
}

/// Returns microseconds since midnight in UTC: a `timetz` has its offset after the time, in seconds west of UTC.
pub(super) fn utc_micros_of_day(raw: &[u8]) -> Result<i64, BoxError> {
    let (time, west) = match raw.len() {
        12 => (&raw[..8], i64::from(i32::from_be_bytes([raw[8], raw[9], raw[10], raw[11]]))),
        _ => (raw, 0),
    };
    if is_midnight_behind(raw) {
        return Err("the time is 24:00, which its Rust type cannot hold".into());
    }
    Ok((wire::time_from_sql(time)? + west * 1_000_000).rem_euclid(DAY_MICROS))
}

/// Returns whether a time is `24:00`, possibly followed by the offset of UTC.
fn is_midnight_behind(raw: &[u8]) -> bool {
    let (time, zone) = raw.split_at_checked(8).unwrap_or_default();
    time == DAY_MICROS.to_be_bytes() && zone.iter().all(|byte| *byte == 0)
}

const DAY_MICROS: i64 = 86_400_000_000;
