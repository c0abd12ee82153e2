//! Calculations over the values of a field: `count`, `sum`, `avg`, `min` and `max`.

use super::Field;
use crate::dsl::Calculated;
use crate::dsl::kind::{Arity, Single, Source, Uniqueness};
use crate::query::{Calculation, Function};
use crate::rows::Model;
use crate::value::{Average, Ordered, Scalar, Sum};

/// The type of the average of values of type `T`.
type Mean<T> = <<T as Scalar>::Base as Average>::Average;

impl<M: Model, T: Scalar, A: Arity, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Counts the rows that have a value in this column. An empty list is a value.
    pub fn count(self) -> Calculated<M, i64> {
        Calculated::new(Calculation::Of(Function::Count, self.operand()))
    }
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Counts the distinct values of this column.
    pub fn count_distinct(self) -> Calculated<M, i64> {
        Calculated::new(Calculation::Of(Function::CountDistinct, self.operand()))
    }

    /// Sums the values. The sum of no values is 0.
    pub fn sum(self) -> Calculated<M, <T::Base as Sum>::Sum>
    where
        T::Base: Sum,
    {
        Calculated::new(Calculation::Of(Function::Sum(T::Base::SUMMED), self.operand()))
    }

    /// Averages the values, if there are any.
    pub fn avg(self) -> Calculated<M, Mean<T>, Option<Mean<T>>>
    where
        T::Base: Average,
    {
        Calculated::new(Calculation::Of(Function::Average(T::Base::AVERAGED), self.operand()))
    }

    /// Finds the smallest value, if there is one.
    pub fn min(self) -> Calculated<M, T, Option<T>>
    where
        T::Base: Ordered,
    {
        Calculated::new(Calculation::Of(Function::Least, self.operand()))
    }

    /// Finds the largest value, if there is one.
    pub fn max(self) -> Calculated<M, T, Option<T>>
    where
        T::Base: Ordered,
    {
        Calculated::new(Calculation::Of(Function::Greatest, self.operand()))
    }
}
