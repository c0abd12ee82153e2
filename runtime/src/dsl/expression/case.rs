//! CASE.

use std::marker::PhantomData;

use super::{Expression, Types};
use crate::dsl::Filter;
use crate::dsl::kind::{Optional, Single};
use crate::dsl::operand::{Comparand, Term};
use crate::query::{self, Form, Operand, OperandType};
use crate::value::Scalar;

/// Returns a value that depends on conditions: SQL's CASE. The first condition that matches a row decides.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let urgency = relata::case(student::has_accommodations.eq(true), 1)
///     .when(student::class_year.lt(2027), 2)
///     .otherwise(3);
/// let students = db.student().find_many().order_by(urgency.asc()).await?;
/// # Ok(())
/// # }
/// ```
pub fn case<M, V: Term<M>>(filter: impl Into<Filter<M>>, value: V) -> Case<M, V::Value, V::Arity> {
    let empty: Case<M, V::Value, V::Arity> = Case { operands: Vec::new(), like: None, levels: 0, types: PhantomData };
    empty.branch(filter.into(), value.into_term().0)
}

/// A CASE without its last branch: see [`case`].
#[must_use = "it is complete after `otherwise` or `or_null`"]
pub struct Case<M, T, A> {
    operands: Vec<Operand>,
    like: Option<u16>,
    levels: u16,
    types: Types<M, T, A>,
}

impl<M, T, A> std::fmt::Debug for Case<M, T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case({} branches)", self.operands.len() / 2)
    }
}

impl<M, T: Scalar, A: Single> Case<M, T, A> {
    fn branch<B>(mut self, filter: Filter<M>, value: Operand) -> Case<M, T, B> {
        self.levels = self.levels.max(filter.levels()).max(value.levels());
        self.like = self.like.or(value.like());
        self.operands.extend([Operand::Condition(filter.condition), value]);
        Case { operands: self.operands, like: self.like, levels: self.levels, types: PhantomData }
    }

    /// Adds a branch: the value of rows that match the filter, and none of the filters before.
    pub fn when<K, V: Comparand<M, T, K>>(
        self,
        filter: impl Into<Filter<M>>,
        value: V,
    ) -> Case<M, T, A::With<V::Arity>> {
        self.branch(filter.into(), value.into_operand().0)
    }

    /// Sets the value of all other rows.
    pub fn otherwise<K, V: Comparand<M, T, K>>(mut self, value: V) -> Expression<M, T, A::With<V::Arity>> {
        let value = value.into_operand().0;
        self.levels = self.levels.max(value.levels());
        self.like = self.like.or(value.like());
        self.operands.push(value);
        self.end()
    }

    /// Leaves all other rows without a value.
    pub fn or_null(self) -> Expression<M, T, Optional> {
        self.end()
    }

    fn end<B>(self) -> Expression<M, T, B> {
        let like = self.like;
        // Among values only, nothing else tells PostgreSQL their type.
        let typed = |operand| match operand {
            Operand::Value { value, ty: OperandType::Column } if like.is_none() => {
                let ty = value.sql_type().map_or(OperandType::Column, OperandType::Named);
                Operand::Value { value, ty }
            }
            other => other,
        };
        let operands = self.operands.into_iter().map(typed).collect();
        Expression::of(query::Expression::deep(Form::Case, operands, like, self.levels))
    }
}
