//! Values that PostgreSQL computes: calculations, functions, CASE, distances, bounds of ranges, values of keys.

mod case;
mod methods;
mod sql;

pub use case::{Case, case};
pub use methods::TextOrRange;
pub use sql::SqlArguments;

use std::marker::PhantomData;

use super::columns::{GroupKeys, Grouping};
use super::filter::Filter;
use super::kind::{Arity, Optional, Single};
use super::operand::Comparand;
use super::order::Order;
use super::selection::{Selection, push_output};
use crate::error::Result;
use crate::query::{self, Condition, Form, Operand, OperandType, Operator, OrderKey, Output, Select};
use crate::rows::{Model, Reader};
use crate::value::{Compared, Param, Scalar};

type Types<M, T, A> = PhantomData<fn() -> (M, T, A)>;

/// A value of type `T` that PostgreSQL computes from a row of `M`: `order::price.times(order::quantity)`, the distance of a
/// vector, the lower bound of a range. It is a source of conditions and sort keys, can be selected, grouped by and
/// aggregated, and a column can be set to it.
///
/// `A` is [`Required`](super::kind::Required) or [`Optional`], which can be null.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// use relata::DateUnit;
///
/// // Without regard to case
/// let user = db.user().find_first().filter(user::email.lower().eq("ada@example.org")).await?;
///
/// // How many exams there are in each month
/// let month = student_exam::scheduled_on.date_trunc(DateUnit::Month);
/// let exams = db.student_exam().group_by(month.clone()).aggregate(relata::count()).order_by(month.asc()).await?;
/// # Ok(())
/// # }
/// ```
pub struct Expression<M, T, A = super::kind::Required> {
    pub(super) expression: query::Expression,
    types: Types<M, T, A>,
}

impl<M, T, A> Clone for Expression<M, T, A> {
    fn clone(&self) -> Self {
        Self::of(self.expression.clone())
    }
}

impl<M, T, A> std::fmt::Debug for Expression<M, T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({:?})", self.expression.form)
    }
}

impl<M, T, A> Expression<M, T, A> {
    pub(super) fn of(expression: query::Expression) -> Self {
        Self { expression, types: PhantomData }
    }

    pub(super) fn operand(self) -> Operand {
        Operand::Expression(self.expression)
    }
}

impl<M: Model, T: Scalar, A: Single> Expression<M, T, A> {
    /// Creates an expression of a column and other operands.
    #[cfg_attr(
        not(any(feature = "types", feature = "net", feature = "geo", feature = "pgvector", feature = "bit")),
        expect(dead_code, reason = "only columns of such types")
    )]
    pub(super) fn new(column: u16, form: Form, operands: Vec<Operand>) -> Self {
        Self::of(query::Expression::new(form, behind_column(column, operands)))
    }

    fn compare<K>(self, operator: Operator, value: impl Comparand<M, T, K>) -> Filter<M> {
        compare(self.operand(), operator, value.into_operand().0)
    }

    /// Matches if it equals the value.
    pub fn eq<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Eq, value)
    }

    /// Matches if it differs from the value.
    pub fn ne<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Ne, value)
    }

    /// Matches if it is less than the value.
    pub fn lt<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Lt, value)
    }

    /// Matches if it is less than or equal to the value.
    pub fn lte<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Lte, value)
    }

    /// Matches if it is greater than the value.
    pub fn gt<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Gt, value)
    }

    /// Matches if it is greater than or equal to the value.
    pub fn gte<K>(self, value: impl Comparand<M, T, K>) -> Filter<M> {
        self.compare(Operator::Gte, value)
    }

    /// Matches if it is between the two values, inclusive.
    pub fn between<K, L>(self, low: impl Comparand<M, T, K>, high: impl Comparand<M, T, L>) -> Filter<M> {
        self.clone().gte(low) & self.lte(high)
    }

    /// Matches if it is one of the values. They are sent as one parameter, however many there are.
    pub fn in_<V: Compared<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        let values = values.into_iter().map(|value| value.into_compared().into_param()).collect();
        let (levels, operand) = (self.expression.levels, Box::new(self.operand()));
        Filter::deep(Condition::OperandIn { operand, values: Param::Array(values) }, levels + 1)
    }

    /// Matches if it is none of the values.
    pub fn not_in<V: Compared<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M> {
        !self.in_(values)
    }

    /// Sorts in ascending order.
    pub fn asc(self) -> Order<M> {
        let order = Order::<M>::by(OrderKey::Expression(self.expression));
        order.map(|key| key, A::NULLABLE)
    }

    /// Sorts in descending order.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

impl<M: Model, T: Scalar> Expression<M, T, Optional> {
    /// Matches if it is null.
    pub fn is_null(self) -> Filter<M> {
        !self.is_not_null()
    }

    /// Matches if it is not null.
    pub fn is_not_null(self) -> Filter<M> {
        let levels = self.expression.levels;
        Filter::deep(Condition::IsNotNull(self.expression), levels + 1)
    }
}

impl<M: Model, T: Scalar, A: Arity> Selection<M> for Expression<M, T, A> {
    type Out = A::Values<T>;

    fn add_to(self, select: &mut Select) {
        push_output(select, Output::Expression(self.expression));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self::Out> {
        A::read(reader)
    }
}

impl<M: Model, T: Scalar, A: Arity> Grouping<M> for Expression<M, T, A> {
    type Values = A::Values<T>;

    fn add_to(&self, keys: &mut GroupKeys) {
        keys.0.push(self.clone().operand());
    }

    fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values> {
        A::read(reader)
    }
}

/// Compares two operands.
pub(super) fn compare<M>(left: Operand, operator: Operator, right: Operand) -> Filter<M> {
    let levels = left.levels().max(right.levels());
    Filter::deep(Condition::CompareOperands { left: Box::new(left), operator, right: Box::new(right) }, levels + 1)
}

/// An expression that is true or false.
pub(super) fn condition<M>(form: Form, operands: Vec<Operand>) -> Filter<M> {
    condition_of(query::Expression::new(form, operands))
}

fn condition_of<M>(expression: query::Expression) -> Filter<M> {
    let levels = expression.levels;
    Filter::deep(Condition::Holds(expression), levels + 1)
}

/// A condition that an operator or a function of a column is.
#[cfg_attr(
    not(any(feature = "types", feature = "net", feature = "geo")),
    expect(dead_code, reason = "only columns of such types")
)]
pub(super) fn holds<M: Model>(column: u16, form: Form, operands: Vec<Operand>) -> Filter<M> {
    condition(form, behind_column(column, operands))
}

fn behind_column(column: u16, operands: Vec<Operand>) -> Vec<Operand> {
    std::iter::once(Operand::Column(column)).chain(operands).collect()
}

/// An operand in the type of the column.
#[cfg_attr(
    not(any(feature = "types", feature = "geo", feature = "pgvector", feature = "bit")),
    expect(dead_code, reason = "only columns of such types")
)]
pub(super) fn like_column(value: Param) -> Operand {
    Operand::value(value)
}

/// An operand in a type by its name.
pub(super) fn named(value: Param, ty: &'static str) -> Operand {
    Operand::Value { value, ty: OperandType::Named(ty) }
}
