//! Values that PostgreSQL computes from one column: distances, bounds of ranges, values of keys.

use std::marker::PhantomData;

use super::filter::Filter;
use super::kind::{Arity, Optional, Single};
use super::order::Order;
use super::selection::{Selection, push_output};
use crate::error::Result;
use crate::query::{self, Condition, Operand, OperandType, Operator, OrderKey, Output, Select};
use crate::rows::{Model, Reader};
use crate::value::{IntoValue, Param, Scalar};

type Types<M, T, A> = PhantomData<fn() -> (M, T, A)>;

/// A value of type `T` that PostgreSQL computes from a column of `M`: the distance of a vector, the lower bound of a range,
/// the value of a key. It is a source of conditions and sort keys, and can be selected.
///
/// `A` is [`Required`](super::kind::Required) or [`Optional`], which can be null.
pub struct Expression<M, T, A = super::kind::Required> {
    expression: query::Expression,
    types: Types<M, T, A>,
}

impl<M, T, A> Clone for Expression<M, T, A> {
    fn clone(&self) -> Self {
        Self { expression: self.expression.clone(), types: PhantomData }
    }
}

impl<M, T, A> std::fmt::Debug for Expression<M, T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({})", self.expression.column)
    }
}

impl<M: Model, T: Scalar, A: Single> Expression<M, T, A> {
    pub(super) fn new(column: u16, form: query::Form, operands: Vec<Operand>) -> Self {
        Self { expression: query::Expression { column, form, operands }, types: PhantomData }
    }

    fn compare(self, operator: Operator, value: impl IntoValue<T>) -> Filter<M> {
        let value = value.into_value().into_param();
        Filter::new(Condition::CompareExpression { expression: self.expression, operator, value })
    }

    /// Matches if it equals the value.
    pub fn eq(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Eq, value)
    }

    /// Matches if it differs from the value.
    pub fn ne(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Ne, value)
    }

    /// Matches if it is less than the value.
    pub fn lt(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Lt, value)
    }

    /// Matches if it is less than or equal to the value.
    pub fn lte(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Lte, value)
    }

    /// Matches if it is greater than the value.
    pub fn gt(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Gt, value)
    }

    /// Matches if it is greater than or equal to the value.
    pub fn gte(self, value: impl IntoValue<T>) -> Filter<M> {
        self.compare(Operator::Gte, value)
    }

    /// Matches if it is between the two values, inclusive.
    pub fn between(self, low: impl IntoValue<T>, high: impl IntoValue<T>) -> Filter<M> {
        self.clone().gte(low) & self.lte(high)
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
        Filter::new(Condition::IsNotNull(self.expression))
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

/// A condition that an operator or a function of a column is.
pub(super) fn holds<M: Model>(column: u16, form: query::Form, operands: Vec<Operand>) -> Filter<M> {
    Filter::new(Condition::Holds(query::Expression { column, form, operands }))
}

/// An operand in the type of the column.
pub(super) fn like_column(value: Param) -> Operand {
    Operand { value, ty: OperandType::Column }
}

/// An operand in a type by its name.
pub(super) fn named(value: Param, ty: &'static str) -> Operand {
    Operand { value, ty: OperandType::Named(ty) }
}
