//! `interval`.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use chrono::TimeDelta;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::arithmetic::{Average, Averaged, Ordered, Sum, Summed};
use super::super::into::{IntoNullable, IntoValue};
use super::super::param::Param;
use super::super::postgres::Encoded;
use super::super::scalar::Scalar;
use crate::value::BoxError;

/// A span of time, as PostgreSQL keeps it: months, days and microseconds.
///
/// A month has 28 to 31 days, and a day 23 to 25 hours, so the three parts are kept apart. Two intervals are equal in
/// Rust if their parts are. PostgreSQL compares a month as 30 days, and a day as 24 hours: in a filter, `1 mon` equals
/// `30 days`.
///
/// `Display` and `FromStr` use the format of ISO 8601: `P1Y2M3DT4H5M6.7S`.
///
/// ```
/// use relata::Interval;
///
/// let interval = Interval::from_months(14) + Interval::from_days(3) + Interval::from_seconds(90);
/// assert_eq!(interval.to_string(), "P1Y2M3DT1M30S");
/// assert_eq!("P1Y2M3DT1M30S".parse(), Ok(interval));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Months; a year is 12.
    pub months: i32,
    /// Days; a week is 7.
    pub days: i32,
    /// Microseconds.
    pub microseconds: i64,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Interval {
    /// No time.
    pub const ZERO: Self = Self::new(0, 0, 0);

    /// Creates an interval of these parts.
    pub const fn new(months: i32, days: i32, microseconds: i64) -> Self {
        Self { months, days, microseconds }
    }

    /// Creates an interval of months.
    pub const fn from_months(months: i32) -> Self {
        Self::new(months, 0, 0)
    }

    /// Creates an interval of days.
    pub const fn from_days(days: i32) -> Self {
        Self::new(0, days, 0)
    }

    /// Creates an interval of hours. More than an interval can hold become the longest interval of hours.
    pub const fn from_hours(hours: i64) -> Self {
        Self::new(0, 0, hours.saturating_mul(HOUR))
    }

    /// Creates an interval of minutes. More than an interval can hold become the longest interval of minutes.
    pub const fn from_minutes(minutes: i64) -> Self {
        Self::new(0, 0, minutes.saturating_mul(MINUTE))
    }

    /// Creates an interval of seconds. More than an interval can hold become the longest interval of seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::new(0, 0, seconds.saturating_mul(SECOND))
    }

    /// Creates an interval of microseconds.
    pub const fn from_microseconds(microseconds: i64) -> Self {
        Self::new(0, 0, microseconds)
    }

    /// Returns the length in microseconds, with months of 30 days and days of 24 hours, as PostgreSQL compares it.
    pub fn compared_length(self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * 24 * i128::from(HOUR) + i128::from(self.microseconds)
    }

    /// Returns whether PostgreSQL 17 and later would print `infinity` or `-infinity`.
    pub const fn is_infinite(self) -> bool {
        matches!(self, Self { months: i32::MAX, days: i32::MAX, microseconds: i64::MAX })
            || matches!(self, Self { months: i32::MIN, days: i32::MIN, microseconds: i64::MIN })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { months, days, microseconds } = *self;
        let mut date = String::new();
        let part = |number: i64, unit: char, text: &mut String| {
            if number != 0 {
                text.push_str(&format!("{number}{unit}"));
            }
        };
        part((months / 12).into(), 'Y', &mut date);
        part((months % 12).into(), 'M', &mut date);
        part(days.into(), 'D', &mut date);
        let mut time = String::new();
        part(microseconds / HOUR, 'H', &mut time);
        part(microseconds % HOUR / MINUTE, 'M', &mut time);
        let (seconds, fraction) = (microseconds % MINUTE / SECOND, microseconds % SECOND);
        if fraction != 0 {
            let sign = if microseconds < 0 { "-" } else { "" };
            let digits = format!("{:06}", fraction.unsigned_abs());
            time.push_str(&format!("{sign}{}.{}S", seconds.unsigned_abs(), digits.trim_end_matches('0')));
        } else {
            part(seconds, 'S', &mut time);
        }
        match (date.is_empty(), time.is_empty()) {
            (true, true) => f.write_str("PT0S"),
            (_, true) => write!(f, "P{date}"),
            _ => write!(f, "P{date}T{time}"),
        }
    }
}

/// A text that is not an interval in the format of ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an interval is written as in ISO 8601, such as P1Y2M3DT4H5M6.7S, and its parts have to fit")]
pub struct NotAnInterval;

impl FromStr for Interval {
    type Err = NotAnInterval;

    fn from_str(text: &str) -> Result<Self, NotAnInterval> {
        let (date, time) = match text.strip_prefix('P').ok_or(NotAnInterval)?.split_once('T') {
            Some((_, "")) => return Err(NotAnInterval),
            Some((date, time)) => (date, time),
            None => (text.trim_start_matches('P'), ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(NotAnInterval);
        }
        let mut found = Self::ZERO;
        for (number, unit) in parts(date, "YMWD")? {
            let number: i32 = number.parse().map_err(|_| NotAnInterval)?;
            let (part, factor) = match unit {
                'Y' => (&mut found.months, 12),
                'M' => (&mut found.months, 1),
                'W' => (&mut found.days, 7),
                _ => (&mut found.days, 1),
            };
            *part = number.checked_mul(factor).and_then(|more| part.checked_add(more)).ok_or(NotAnInterval)?;
        }
        for (number, unit) in parts(time, "HMS")? {
            let scale = match unit {
                'H' => HOUR,
                'M' => MINUTE,
                _ => SECOND,
            };
            let more = scaled(number, scale).ok_or(NotAnInterval)?;
            found.microseconds = found.microseconds.checked_add(more).ok_or(NotAnInterval)?;
        }
        Ok(found)
    }
}

/// Splits `1Y2M` into numbers and units. Each unit occurs once at most, in the order of `units`.
fn parts<'t>(text: &'t str, mut units: &str) -> Result<Vec<(&'t str, char)>, NotAnInterval> {
    let mut rest = text;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let at = rest.find(|letter: char| letter.is_ascii_alphabetic()).ok_or(NotAnInterval)?;
        let unit = rest[at..].chars().next().ok_or(NotAnInterval)?;
        let place = units.find(unit).ok_or(NotAnInterval)?;
        units = &units[place + 1..];
        found.push((&rest[..at], unit));
        rest = &rest[at + 1..];
    }
    Ok(found)
}

/// Multiplies a number that may have a fraction, down to a microsecond.
fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_negative = whole.starts_with('-');
    if !is_digits(whole.trim_start_matches('-')) || !is_digits(fraction) || fraction.len() > 18 {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(scale)?;
    let digits: i128 = fraction.parse().ok()?;
    let behind = i64::try_from(digits * i128::from(scale) / 10_i128.pow(fraction.len() as u32)).ok()?;
    whole.checked_add(if is_negative { -behind } else { behind })
}

impl Add for Interval {
    type Output = Self;

    /// Adds each part. A part that is too large becomes the largest.
    fn add(self, other: Self) -> Self {
        Self {
            months: self.months.saturating_add(other.months),
            days: self.days.saturating_add(other.days),
            microseconds: self.microseconds.saturating_add(other.microseconds),
        }
    }
}

impl Sub for Interval {
    type Output = Self;

    /// Subtracts each part. A part that is too small becomes the smallest.
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            months: self.months.saturating_neg(),
            days: self.days.saturating_neg(),
            microseconds: self.microseconds.saturating_neg(),
        }
    }
}

impl Mul<i32> for Interval {
    type Output = Self;

    /// Multiplies each part. A part that is too large becomes the largest.
    fn mul(self, factor: i32) -> Self {
        Self {
            months: self.months.saturating_mul(factor),
            days: self.days.saturating_mul(factor),
            microseconds: self.microseconds.saturating_mul(factor.into()),
        }
    }
}

impl From<Duration> for Interval {
    /// Converts to microseconds; nanoseconds are cut. A duration of more than 292,000 years becomes the longest interval.
    fn from(duration: Duration) -> Self {
        Self::from_microseconds(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }
}

impl From<TimeDelta> for Interval {
    /// Converts to microseconds; nanoseconds are cut. A duration of more than 292,000 years becomes the longest interval.
    fn from(delta: TimeDelta) -> Self {
        let longest = if delta < TimeDelta::zero() { i64::MIN } else { i64::MAX };
        Self::from_microseconds(delta.num_microseconds().unwrap_or(longest))
    }
}

impl TryFrom<Interval> for TimeDelta {
    type Error = &'static str;

    /// Converts an interval without months and days.
    fn try_from(interval: Interval) -> Result<Self, &'static str> {
        match interval {
            Interval { months: 0, days: 0, microseconds } => Ok(TimeDelta::microseconds(microseconds)),
            _ => Err("months and days have no fixed length"),
        }
    }
}

macro_rules! durations {
    ($($from:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl IntoValue<Interval> for $from {
                fn into_value(self) -> Interval {
                    self.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoNullable<Interval> for $from {
                fn into_nullable(self) -> Option<Interval> {
                    Some(self.into())
                }
            }
        )+
    };
}

durations!(Duration, TimeDelta);

#[diagnostic::do_not_recommend]
impl Scalar for Interval {
    type Base = Self;

    fn decode(mut raw: &[u8]) -> Result<Self, BoxError> {
        if raw.len() != 16 {
            return Err("it is not an interval".into());
        }
        let microseconds = raw.get_i64();
        let days = raw.get_i32();
        Ok(Self { months: raw.get_i32(), days, microseconds })
    }

    fn into_param(self) -> Param {
        Param::Encoded(Encoded::new(self))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_i64(self.microseconds);
        out.put_i32(self.days);
        out.put_i32(self.months);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }

    to_sql_checked!();
}

impl Ordered for Interval {}

impl Sum for Interval {
    type Sum = Self;
    const SUMMED: Summed = Summed::Interval;
}

impl Average for Interval {
    type Average = Self;
    const AVERAGED: Averaged = Averaged::Same;
}

#[cfg(feature = "serde")]
super::as_text!(Interval, "an interval, such as P1Y2M3DT4H5M6.7S");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_iso_8601() {
        let parse = |text: &str| text.parse::<Interval>().ok();
        assert_eq!(parse("P1Y2M3DT4H5M6.7S"), Some(Interval::new(14, 3, 4 * HOUR + 5 * MINUTE + 6_700_000)));
        assert_eq!(parse("P2W"), Some(Interval::from_days(14)));
        assert_eq!(parse("PT0.000001S"), Some(Interval::from_microseconds(1)));
        assert_eq!(parse("PT1.5H"), Some(Interval::from_minutes(90)));
        for interval in [
            Interval::ZERO,
            Interval::new(-14, 3, -(4 * HOUR + 5 * MINUTE + 6_700_000)),
            Interval::new(i32::MAX, i32::MIN, i64::MAX),
            Interval::new(i32::MIN, i32::MAX, i64::MIN),
            Interval::from_microseconds(-1),
            Interval::from_seconds(-59),
        ] {
            assert_eq!(parse(&interval.to_string()), Some(interval), "{interval}");
        }
        for text in
            ["", "P", "PT", "P1", "1Y", "P1X", "PT1Y", "P1DT", "P1M1Y", "P1.5Y", "PTS", "PT--1S", "PT1.S", "P1Y1Y"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn intervals_are_calculated_by_parts() {
        let interval = Interval::from_months(1) + Interval::from_days(2) - Interval::from_hours(3);
        assert_eq!(interval * 2, Interval::new(2, 4, -6 * HOUR));
        assert_eq!(Interval::from(Duration::from_millis(1500)), Interval::from_microseconds(1_500_000));
        assert!(TimeDelta::try_from(Interval::from_days(1)).is_err());
        assert_eq!(Interval::from_months(1).compared_length(), Interval::from_days(30).compared_length());
    }
}
