//! The types that PostgreSQL can calculate with, and the types of sums and averages.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::scalar::Scalar;

/// The type of a sum.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summed {
    Bigint,
    Double,
    Numeric,
    Interval,
}

/// The type of an average.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Averaged {
    Double,
    Numeric,
    /// That of the values.
    Same,
}

/// Types whose values can be summed.
pub trait Sum: Scalar {
    /// The sum's type: `i64` for integers.
    type Sum: Scalar;
    #[doc(hidden)]
    const SUMMED: Summed;
}

/// Types whose values have an average.
pub trait Average: Scalar {
    /// The average's type: `f64` for integers, otherwise that of the values.
    type Average: Scalar;
    #[doc(hidden)]
    const AVERAGED: Averaged;
}

macro_rules! number {
    ($($type:ty: $sum:ty = $summed:ident, $average:ty = $averaged:ident;)+) => {
        $(
            impl Sum for $type {
                type Sum = $sum;
                const SUMMED: Summed = Summed::$summed;
            }

            impl Average for $type {
                type Average = $average;
                const AVERAGED: Averaged = Averaged::$averaged;
            }
        )+
    };
}

number! {
    i32: i64 = Bigint, f64 = Double;
    i64: i64 = Bigint, f64 = Double;
    f64: f64 = Double, f64 = Double;
    Decimal: Decimal = Numeric, Decimal = Numeric;
}

/// Types that have a minimum and a maximum.
#[diagnostic::on_unimplemented(message = "values of `{Self}` have no minimum and no maximum")]
pub trait Ordered: Scalar {}

macro_rules! ordered {
    ($($type:ty),+) => {
        $(impl Ordered for $type {})+
    };
}

ordered!(bool, i32, i64, f64, Decimal, String, Uuid, DateTime<Utc>, NaiveDate, NaiveTime);

/// Number types: their columns can be changed relative to their current value.
pub trait Number: Scalar {}

impl Number for i32 {}
impl Number for i64 {}
impl Number for f64 {}
impl Number for rust_decimal::Decimal {}
