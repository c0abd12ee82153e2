//! `aggregate`: counts, sums, averages, minimums and maximums, calculated by the database.

use std::future::IntoFuture;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::batch::{Parts, Query};
use crate::columns::Columns;
use crate::connection::Handle;
use crate::delegate::UniqueKey;
use crate::error::Result;
use crate::field::{Field, ListField, Number, OptionalField, OptionalUniqueField, UniqueField};
use crate::filter::{Filter, Operator};
use crate::group::{GroupCondition, GroupOrder, GroupTerm, Having};
use crate::model::Model;
use crate::operation::{Call, Operation, Outcome};
use crate::order::Order;
use crate::result::{Names, Node};
use crate::select::Select;
use crate::selection::Reader;
use crate::value::{IntoValue, Scalar};

/// What is calculated over rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calculation {
    /// The rows themselves.
    CountRows,
    /// Values that are not null.
    Count(u16),
    /// Distinct values that are not null.
    CountDistinct(u16),
    Sum(u16, Summed),
    Average(u16, Averaged),
    Least(u16),
    Greatest(u16),
}

/// The type of a sum.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summed {
    Bigint,
    Double,
    Numeric,
}

/// The type of an average.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Averaged {
    Double,
    Numeric,
}

/// An aggregation as data.
#[derive(Debug, Clone)]
pub(crate) struct Aggregation {
    /// The rows.
    pub(crate) select: Select,
    pub(crate) group_by: Vec<u16>,
    pub(crate) calculations: Vec<Calculation>,
    pub(crate) having: Option<GroupCondition>,
    pub(crate) order: Vec<GroupTerm>,
    /// Of groups.
    pub(crate) take: Option<u64>,
    /// Of groups.
    pub(crate) skip: Option<u64>,
}

impl Aggregation {
    /// The columns that the values of a row are about. Of the number of rows there is none.
    pub(crate) fn names(&self) -> Names {
        let columns = self.select.table.columns;
        let of = |calculation: &Calculation| match calculation {
            Calculation::CountRows => "count(*)",
            Calculation::Count(column)
            | Calculation::CountDistinct(column)
            | Calculation::Sum(column, _)
            | Calculation::Average(column, _)
            | Calculation::Least(column)
            | Calculation::Greatest(column) => columns[usize::from(*column)].name,
        };
        let groups = self.group_by.iter().map(|column| columns[usize::from(*column)].name);
        groups.chain(self.calculations.iter().map(of)).collect()
    }

    /// Its rows.
    pub(crate) fn node(&self, rows: Vec<Row>) -> Node {
        let mut node = Node::new(self.select.table, rows);
        node.set_names(Some(self.names()));
        node
    }
}

/// Number types that can be summed.
pub trait Sum: Number {
    /// The sum's type: `i64` for integers.
    type Sum: Scalar;
    #[doc(hidden)]
    const SUMMED: Summed;
}

/// Number types that have an average.
pub trait Average: Number {
    /// The average's type: `Decimal` for `Decimal`, else `f64`.
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
#[diagnostic::on_unimplemented(message = "values of `{Self}` have no least and no greatest one")]
pub trait Ordered: Scalar {}

macro_rules! ordered {
    ($($type:ty),+) => {
        $(impl Ordered for $type {})+
    };
}

ordered!(bool, i32, i64, f64, Decimal, String, Uuid, DateTime<Utc>, NaiveDate, NaiveTime);

type Types<M, T, O> = PhantomData<fn() -> (M, T, O)>;

/// A calculated value of type `T`, or `Option<T>` where there may be none. `aggregate` takes it, and conditions and sort
/// keys of groups are made from it.
pub struct Calculated<M, T, O = T> {
    calculation: Calculation,
    types: Types<M, T, O>,
}

impl<M, T, O> Clone for Calculated<M, T, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, O> Copy for Calculated<M, T, O> {}

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
    fn new(calculation: Calculation) -> Self {
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

/// What `aggregate` takes: a calculated value, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be calculated of rows of `{M}`",
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
    /// When a value does not fit its type.
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
        calculations.0.push(self.calculation);
    }

    fn read(reader: &mut Reader<'_>) -> Result<T> {
        reader.value()
    }
}

impl<M: Model, T: Scalar> Aggregates<M> for Calculated<M, T, Option<T>> {
    type Out = Option<T>;

    fn add_to(&self, calculations: &mut Calculations) {
        calculations.0.push(self.calculation);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<T>> {
        reader.value()
    }
}

macro_rules! aggregates {
    ($($type:ident $place:tt),*) => {
        impl<M_: Model, $($type: Aggregates<M_>),*> Aggregates<M_> for ($($type,)*) {
            type Out = ($($type::Out,)*);

            #[allow(unused_variables, reason = "of none there is nothing to add")]
            fn add_to(&self, calculations: &mut Calculations) {
                $(self.$place.add_to(calculations);)*
            }

            #[allow(unused_variables, clippy::unused_unit, reason = "of none there is nothing to read")]
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

/// A calculation over the rows that match the filters. `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct Aggregate<M, A> {
    handle: Handle,
    select: Select,
    values: A,
    model: PhantomData<fn() -> M>,
}

impl<M, A> std::fmt::Debug for Aggregate<M, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.select.fmt(f)
    }
}

impl<M: Model, A: Aggregates<M>> Aggregate<M, A> {
    pub(crate) fn new(handle: Handle, values: A) -> Self {
        Self { handle, select: Select::new(M::table()), values, model: PhantomData }
    }

    /// Keeps only rows that match the filter, in addition to earlier filters.
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
        self.select.filter(filter.into().condition);
        self
    }

    /// Appends a sort key for `take`, `skip` and `cursor`; earlier keys take precedence.
    pub fn order_by(mut self, order: Order<M>) -> Self {
        self.select.order.push(order.term);
        self
    }

    /// Aggregates at most the first `rows` rows.
    pub fn take(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = false;
        self
    }

    /// Aggregates at most the last `rows` rows.
    pub fn take_last(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = true;
        self
    }

    /// Skips the first `rows` rows.
    pub fn skip(mut self, rows: u64) -> Self {
        self.select.skip = Some(rows);
        self
    }

    /// Aggregates the rows from the row with this key on, including it.
    pub fn cursor(mut self, key: impl UniqueKey<M>) -> Self {
        self.select.cursor = Some(key.into_unique().values);
        self
    }

    /// Aggregates only the first of the rows that agree in these columns.
    pub fn distinct(mut self, columns: impl Columns<M>) -> Self {
        self.select.distinct = columns.numbers();
        self
    }
}

pub(crate) fn calculations<M: Model, A: Aggregates<M>>(values: &A) -> Vec<Calculation> {
    let mut calculations = Calculations::default();
    values.add_to(&mut calculations);
    calculations.0
}

impl<M: Model, A: Aggregates<M>> Query for Aggregate<M, A> {
    type Output = A::Out;

    fn into_parts(self) -> Parts<A::Out> {
        let aggregation = Aggregation {
            select: self.select,
            group_by: Vec::new(),
            calculations: calculations(&self.values),
            having: None,
            order: Vec::new(),
            take: None,
            skip: None,
        };
        Parts { operation: Operation::Aggregate(Box::new(aggregation)), finish: finish_aggregate::<M, A> }
    }
}

fn finish_aggregate<M: Model, A: Aggregates<M>>(outcome: Outcome) -> Result<A::Out> {
    let node = outcome.into_rows()?;
    A::read(&mut Reader::new(node.cursor(0)))
}

impl<M: Model, A: Aggregates<M>> IntoFuture for Aggregate<M, A> {
    type Output = Result<A::Out>;
    type IntoFuture = Call<A::Out>;

    fn into_future(self) -> Self::IntoFuture {
        self.handle.clone().call(self)
    }
}
