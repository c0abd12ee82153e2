//! The types of `jiff`: timestamps, dates and times of day. Values are truncated to microseconds.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use tokio_postgres::types::Type;

use super::arithmetic::Ordered;
use super::datetime::{DATE_OUT_OF_RANGE, TIME_OUT_OF_RANGE, unix_days, unix_micros, utc_micros_of_day};
use super::param::Param;
use super::scalar::Scalar;
use crate::value::BoxError;

impl Scalar for Timestamp {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Timestamp;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        let micros = unix_micros(raw)?;
        let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1000)?;
        Timestamp::new(micros.div_euclid(1_000_000), nanos).map_err(|_| TIME_OUT_OF_RANGE.into())
    }

    fn into_param(self) -> Param {
        // jiff ends with the year 9999, chrono much later.
        Param::Timestamp(DateTime::from_timestamp_micros(self.as_microsecond()).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIMESTAMPTZ | Type::TIMESTAMP)
    }
}

/// Days are counted from 1970, like those of chrono.
const EPOCH: Date = Date::constant(1970, 1, 1);

impl Scalar for Date {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Date;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        let days = jiff::Span::new().try_days(unix_days(raw)?).map_err(|_| DATE_OUT_OF_RANGE)?;
        EPOCH.checked_add(days).map_err(|_| DATE_OUT_OF_RANGE.into())
    }

    fn into_param(self) -> Param {
        let (year, month, day) = (i32::from(self.year()), self.month().unsigned_abs(), self.day().unsigned_abs());
        Param::Date(NaiveDate::from_ymd_opt(year, month.into(), day.into()).unwrap_or(NaiveDate::MAX))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }
}

impl Scalar for Time {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Time;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        let micros = utc_micros_of_day(raw)?;
        let span = jiff::Span::new().try_microseconds(micros).map_err(|_| TIME_OUT_OF_RANGE)?;
        Time::midnight().checked_add(span).map_err(|_| TIME_OUT_OF_RANGE.into())
    }

    fn into_param(self) -> Param {
        let (hour, minute, second) =
            (self.hour().unsigned_abs(), self.minute().unsigned_abs(), self.second().unsigned_abs());
        let nanos = self.subsec_nanosecond().unsigned_abs();
        let time = NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanos);
        Param::Time(time.unwrap_or(NaiveTime::MIN))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIME | Type::TIMETZ)
    }
}

impl Ordered for Timestamp {}
impl Ordered for Date {}
impl Ordered for Time {}
