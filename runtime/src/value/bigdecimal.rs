//! `BigDecimal` as a scalar.

use bigdecimal::BigDecimal;
use tokio_postgres::types::Type;

use super::arithmetic::{Average, Averaged, Number, Ordered, Sum, Summed};
use super::into::{IntoNullable, IntoValue};
use super::numeric;
use super::param::Param;
use super::scalar::Scalar;
use crate::value::BoxError;

impl Scalar for BigDecimal {
    type Base = Self;
    const HOLDS: super::Holds = super::Holds::Decimal;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        numeric::decode(raw)
    }

    fn into_param(self) -> Param {
        Param::BigDecimal(self)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

impl Number for BigDecimal {}
impl Ordered for BigDecimal {}

impl Sum for BigDecimal {
    type Sum = BigDecimal;
    const SUMMED: Summed = Summed::Numeric;
}

impl Average for BigDecimal {
    type Average = BigDecimal;
    const AVERAGED: Averaged = Averaged::Numeric;
}

macro_rules! from_integer {
    ($($from:ty),+) => {
        $(
            impl IntoValue<BigDecimal> for $from {
                fn into_value(self) -> BigDecimal {
                    self.into()
                }
            }

            impl IntoNullable<BigDecimal> for $from {
                fn into_nullable(self) -> Option<BigDecimal> {
                    Some(self.into())
                }
            }
        )+
    };
}

from_integer!(i32, i64);
