//! Calculations over the values of a field: `count`, `sum`, `avg`, `min` and `max`.

use crate::dsl::{Calculated, Field, ListField, OptionalField, OptionalUniqueField, UniqueField};
use crate::query::Calculation;
use crate::rows::Model;
use crate::value::{Average, Ordered, Scalar, Sum};

macro_rules! calculations {
    ($($field:ident),+) => {
        $(
            impl<M: Model, T: Scalar> $field<M, T> {
                /// Counts the rows that have a value in this column.
                pub fn count(self) -> Calculated<M, i64> {
                    Calculated::new(Calculation::Count(self.column))
                }

                /// Counts the distinct values of this column.
                pub fn count_distinct(self) -> Calculated<M, i64> {
                    Calculated::new(Calculation::CountDistinct(self.column))
                }

                /// Sums the values. The sum of no values is 0.
                pub fn sum(self) -> Calculated<M, T::Sum>
                where
                    T: Sum,
                {
                    Calculated::new(Calculation::Sum(self.column, T::SUMMED))
                }

                /// Averages the values, if there are any.
                pub fn avg(self) -> Calculated<M, T::Average, Option<T::Average>>
                where
                    T: Average,
                {
                    Calculated::new(Calculation::Average(self.column, T::AVERAGED))
                }

                /// Finds the smallest value, if there is one.
                pub fn min(self) -> Calculated<M, T, Option<T>>
                where
                    T: Ordered,
                {
                    Calculated::new(Calculation::Least(self.column))
                }

                /// Finds the largest value, if there is one.
                pub fn max(self) -> Calculated<M, T, Option<T>>
                where
                    T: Ordered,
                {
                    Calculated::new(Calculation::Greatest(self.column))
                }
            }
        )+
    };
}

calculations!(Field, UniqueField, OptionalField, OptionalUniqueField);

impl<M: Model, T: Scalar> ListField<M, T> {
    /// Counts the rows that have a list in this column, including empty lists.
    pub fn count(self) -> Calculated<M, i64> {
        Calculated::new(Calculation::Count(self.column))
    }
}
