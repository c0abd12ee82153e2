//! Conditions on groups, and sort keys of groups.

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use super::order::Order;
use crate::query::{GroupCondition, GroupTerm, MAX_DEPTH};

/// A condition on groups of rows of `M`. It comes from calculated values and composes with `&`, `|` and `!`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let busy: Vec<(relata::uuid::Uuid, i64)> = db
///     .student_exam()
///     .group_by(student_exam::student_id)
///     .aggregate(relata::count())
///     .having(relata::count().gte(3) & !student_exam::score.avg().lt(60.0))
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct Having<M> {
    pub(crate) condition: GroupCondition,
    /// The maximum depth of its conditions.
    levels: u16,
    model: PhantomData<fn() -> M>,
}

impl<M> Having<M> {
    pub(crate) fn new(condition: GroupCondition) -> Self {
        Self::deep(condition, 1)
    }

    fn deep(condition: GroupCondition, levels: u16) -> Self {
        if levels > MAX_DEPTH {
            return Self::new(GroupCondition::Refused("having has more than 256 conditions inside one another"));
        }
        Self { condition, levels, model: PhantomData }
    }

    /// Returns the depth of this condition combined with another one.
    fn levels_with(&self, other: &Self, takes_in: bool) -> u16 {
        (self.levels + u16::from(!takes_in)).max(other.levels + 1)
    }
}

impl<M> Clone for Having<M> {
    fn clone(&self) -> Self {
        Self::deep(self.condition.clone(), self.levels)
    }
}

impl<M> std::fmt::Debug for Having<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.condition.fmt(f)
    }
}

impl<M> BitAnd for Having<M> {
    type Output = Having<M>;

    fn bitand(self, other: Having<M>) -> Having<M> {
        let levels = self.levels_with(&other, matches!(self.condition, GroupCondition::And(_)));
        Self::deep(self.condition.and(other.condition), levels)
    }
}

impl<M> BitOr for Having<M> {
    type Output = Having<M>;

    fn bitor(self, other: Having<M>) -> Having<M> {
        let levels = self.levels_with(&other, matches!(self.condition, GroupCondition::Or(_)));
        Self::deep(self.condition.or(other.condition), levels)
    }
}

impl<M> Not for Having<M> {
    type Output = Having<M>;

    fn not(self) -> Having<M> {
        Self::deep(GroupCondition::Not(Box::new(self.condition)), self.levels + 1)
    }
}

/// A sort key of groups: a calculated value, or a field that they are grouped by.
pub struct GroupOrder<M> {
    pub(crate) term: GroupTerm,
    model: PhantomData<fn() -> M>,
}

impl<M> GroupOrder<M> {
    pub(crate) fn new(term: GroupTerm) -> Self {
        Self { term, model: PhantomData }
    }

    fn nulls(mut self, first: bool) -> Self {
        match &mut self.term {
            GroupTerm::Rows(term) => term.nulls_first = Some(first),
            GroupTerm::Calculated { nulls_first, .. } => *nulls_first = Some(first),
        }
        self
    }

    /// Sorts groups without a value before all others.
    pub fn nulls_first(self) -> Self {
        self.nulls(true)
    }

    /// Sorts groups without a value after all others.
    pub fn nulls_last(self) -> Self {
        self.nulls(false)
    }
}

impl<M> Clone for GroupOrder<M> {
    fn clone(&self) -> Self {
        Self::new(self.term.clone())
    }
}

impl<M> std::fmt::Debug for GroupOrder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.term.fmt(f)
    }
}

impl<M> From<Order<M>> for GroupOrder<M> {
    fn from(order: Order<M>) -> Self {
        Self::new(GroupTerm::Rows(order.term))
    }
}
