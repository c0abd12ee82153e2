//! Calculated values: the arguments of `aggregate`, and the parts of conditions and sort keys of groups.

use std::marker::PhantomData;

use super::having::{GroupOrder, Having};
use crate::error::Result;
use crate::query::{Calculation, GroupCondition, GroupTerm, Operator};
use crate::rows::{Model, Reader};
use crate::value::{IntoValue, Scalar};

type Types<M, T, O> = PhantomData<fn() -> (M, T, O)>;

/// A calculated value of type `T`, or `Option<T>` if there may be none: an argument of `aggregate`, and the source of
/// conditions and sort keys of groups.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let (lowest, highest): (Option<f64>, Option<f64>) =
///     db.student_exam().aggregate((student_exam::score.min(), student_exam::score.max())).await?;
/// # Ok(())
/// # }
/// ```
pub struct Calculated<M, T, O = T> {
    calculation: Calculation,
    types: Types<M, T, O>,
}

impl<M, T, O> Clone for Calculated<M, T, O> {
    fn clone(&self) -> Self {
        Self::new(self.calculation.clone())
    }
}

impl<M, T, O> std::fmt::Debug for Calculated<M, T, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.calculation.fmt(f)
    }
}

/// Counts rows.
pub fn count<M: Model>() -> Calculated<M, i64> {
    Calculated::new(Calculation::CountRows)
}

impl<M, T, O> Calculated<M, T, O> {
    pub(super) fn new(calculation: Calculation) -> Self {
        Self { calculation, types: PhantomData }
    }
}

impl<M: Model, T: Scalar, O> Calculated<M, T, O> {
    fn compare(self, operator: Operator, value: impl IntoValue<T>) -> Having<M> {
        let value = value.into_value().into_param();
        Having::new(GroupCondition::Compare { calculation: self.calculation, operator, value })
    }

    /// Equals the value.
    pub fn eq(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Eq, value)
    }

    /// Differs from the value.
    pub fn ne(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Ne, value)
    }

    /// Matches if the column is less than the value.
    pub fn lt(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Lt, value)
    }

    /// Matches if the column is less than or equal to the value.
    pub fn lte(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Lte, value)
    }

    /// Matches if the column is greater than the value.
    pub fn gt(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Gt, value)
    }

    /// Matches if the column is greater than or equal to the value.
    pub fn gte(self, value: impl IntoValue<T>) -> Having<M> {
        self.compare(Operator::Gte, value)
    }

    /// Sorts in ascending order.
    pub fn asc(self) -> GroupOrder<M> {
        GroupOrder::new(GroupTerm::Calculated { calculation: self.calculation, descending: false, nulls_first: None })
    }

    /// Sorts in descending order.
    pub fn desc(self) -> GroupOrder<M> {
        GroupOrder::new(GroupTerm::Calculated { calculation: self.calculation, descending: true, nulls_first: None })
    }
}

/// The argument of `aggregate`: a calculated value, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be calculated for rows of `{M}`",
    label = "expected `relata::count()`, or `count`, `sum`, `avg`, `min` or `max` of a field, or a tuple of these"
)]
pub trait Aggregates<M: Model>: Send + 'static {
    /// The type of the result.
    type Out: Send + 'static;

    #[doc(hidden)]
    fn add_to(&self, calculations: &mut Calculations);

    /// For the runtime: reads it, at the position after everything that was read before.
    ///
    /// # Errors
    /// If a value does not fit its type.
    #[doc(hidden)]
    fn read(reader: &mut Reader<'_>) -> Result<Self::Out>;
}

/// The calculations, in the order of their values.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Calculations(Vec<Calculation>);

impl<M: Model, T: Scalar> Aggregates<M> for Calculated<M, T> {
    type Out = T;

    fn add_to(&self, calculations: &mut Calculations) {
        calculations.0.push(self.calculation.clone());
    }

    fn read(reader: &mut Reader<'_>) -> Result<T> {
        reader.value()
    }
}

impl<M: Model, T: Scalar> Aggregates<M> for Calculated<M, T, Option<T>> {
    type Out = Option<T>;

    fn add_to(&self, calculations: &mut Calculations) {
        calculations.0.push(self.calculation.clone());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<T>> {
        reader.value()
    }
}

macro_rules! aggregates {
    ($($type:ident $place:tt),*) => {
        impl<M_: Model, $($type: Aggregates<M_>),*> Aggregates<M_> for ($($type,)*) {
            type Out = ($($type::Out,)*);

            #[allow(unused_variables, reason = "a tuple without values adds nothing")]
            fn add_to(&self, calculations: &mut Calculations) {
                $(self.$place.add_to(calculations);)*
            }

            #[allow(unused_variables, clippy::unused_unit, reason = "a tuple without values reads nothing")]
            fn read(reader: &mut Reader<'_>) -> Result<Self::Out> {
                Ok(($($type::read(reader)?,)*))
            }
        }
    };
}

aggregates!();
aggregates!(A 0);
aggregates!(A 0, B 1);
aggregates!(A 0, B 1, C 2);
aggregates!(A 0, B 1, C 2, D 3);
aggregates!(A 0, B 1, C 2, D 3, E 4);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
aggregates!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

pub(crate) fn calculations<M: Model, A: Aggregates<M>>(values: &A) -> Vec<Calculation> {
    let mut calculations = Calculations::default();
    values.add_to(&mut calculations);
    calculations.0
}
