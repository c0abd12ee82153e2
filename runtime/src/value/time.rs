//! The types of `time`: timestamps, dates and times of day. Values are truncated to microseconds.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use time::{Date, Duration, OffsetDateTime, Time};
use tokio_postgres::types::Type;

use super::arithmetic::Ordered;
use super::datetime::{DATE_OUT_OF_RANGE, TIME_OUT_OF_RANGE, unix_days, unix_micros, utc_micros_of_day};
use super::param::Param;
use super::scalar::Scalar;
use crate::value::BoxError;

impl Scalar for OffsetDateTime {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Timestamp;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        let since = Duration::microseconds(unix_micros(raw)?);
        OffsetDateTime::UNIX_EPOCH.checked_add(since).ok_or_else(|| TIME_OUT_OF_RANGE.into())
    }

    fn into_param(self) -> Param {
        // time ends with the year 9999, chrono much later.
        let micros = self.unix_timestamp_nanos().div_euclid(1000);
        let moment = i64::try_from(micros).ok().and_then(DateTime::from_timestamp_micros);
        Param::Timestamp(moment.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIMESTAMPTZ | Type::TIMESTAMP)
    }
}

impl Scalar for Date {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Date;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        OffsetDateTime::UNIX_EPOCH
            .date()
            .checked_add(Duration::days(unix_days(raw)?))
            .ok_or_else(|| DATE_OUT_OF_RANGE.into())
    }

    fn into_param(self) -> Param {
        let (year, month, day) = self.to_calendar_date();
        Param::Date(NaiveDate::from_ymd_opt(year, u8::from(month).into(), day.into()).unwrap_or(NaiveDate::MAX))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }
}

impl Scalar for Time {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Time;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        Ok(Time::MIDNIGHT + Duration::microseconds(utc_micros_of_day(raw)?))
    }

    fn into_param(self) -> Param {
        let (hour, minute, second, nanos) = self.as_hms_nano();
        let time = NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanos);
        Param::Time(time.unwrap_or(NaiveTime::MIN))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIME | Type::TIMETZ)
    }
}

impl Ordered for OffsetDateTime {}
impl Ordered for Date {}
impl Ordered for Time {}
