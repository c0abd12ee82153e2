//! `group_by`: groups of rows that agree in some columns, and values calculated for each group.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use crate::aggregate::{Aggregates, Aggregation, Calculation, calculations};
use crate::batch::{Parts, Query};
use crate::columns::Columns;
use crate::connection::Handle;
use crate::error::Result;
use crate::filter::{Filter, MOST_LEVELS, Operator};
use crate::model::Model;
use crate::operation::{Call, Operation, Outcome};
use crate::order::{Order, OrderKey, OrderTerm};
use crate::select::Select;
use crate::selection::Reader;
use crate::value::Param;

/// A condition on groups.
#[derive(Debug, Clone)]
pub(crate) enum GroupCondition {
    /// Two or more.
    And(Vec<GroupCondition>),
    /// Two or more.
    Or(Vec<GroupCondition>),
    Not(Box<GroupCondition>),
    Compare {
        calculation: Calculation,
        operator: Operator,
        value: Param,
    },
    /// In the place of conditions that cannot be sent: why not.
    Refused(&'static str),
}

impl GroupCondition {
    fn and(self, other: GroupCondition) -> Self {
        match self {
            GroupCondition::And(mut parts) => {
                parts.push(other);
                GroupCondition::And(parts)
            }
            one => GroupCondition::And(vec![one, other]),
        }
    }

    fn or(self, other: GroupCondition) -> Self {
        match self {
            GroupCondition::Or(mut parts) => {
                parts.push(other);
                GroupCondition::Or(parts)
            }
            one => GroupCondition::Or(vec![one, other]),
        }
    }
}

/// A sort key of groups.
#[derive(Debug, Clone)]
pub(crate) enum GroupTerm {
    Rows(OrderTerm),
    Calculated { calculation: Calculation, descending: bool, nulls_first: Option<bool> },
}

/// A condition on groups of rows of `M`. It comes from calculated values and composes with `&`, `|` and `!`.
pub struct Having<M> {
    condition: GroupCondition,
    /// How many conditions are inside one another at most.
    levels: u16,
    model: PhantomData<fn() -> M>,
}

impl<M> Having<M> {
    pub(crate) fn new(condition: GroupCondition) -> Self {
        Self::deep(condition, 1)
    }

    fn deep(condition: GroupCondition, levels: u16) -> Self {
        if levels > MOST_LEVELS {
            return Self::new(GroupCondition::Refused("having has more than 256 conditions inside one another"));
        }
        Self { condition, levels, model: PhantomData }
    }

    /// How many levels this condition and another one make together.
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
    term: GroupTerm,
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

type Types<M, K, A> = PhantomData<fn() -> (M, K, A)>;

/// A grouping by the columns `K` that calculates the values `A` for each group. `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct GroupBy<M, K, A = ()> {
    handle: Handle,
    aggregation: Aggregation,
    types: Types<M, K, A>,
}

impl<M, K, A> std::fmt::Debug for GroupBy<M, K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.aggregation.fmt(f)
    }
}

impl<M: Model, K: Columns<M>> GroupBy<M, K> {
    pub(crate) fn new(handle: Handle, columns: K) -> Self {
        let aggregation = Aggregation {
            select: Select::new(M::table()),
            group_by: columns.numbers(),
            calculations: Vec::new(),
            having: None,
            order: Vec::new(),
            take: None,
            skip: None,
        };
        Self { handle, aggregation, types: PhantomData }
    }

    /// Calculates these values for each group.
    pub fn aggregate<A: Aggregates<M>>(mut self, values: A) -> GroupBy<M, K, A> {
        self.aggregation.calculations = calculations(&values);
        GroupBy { handle: self.handle, aggregation: self.aggregation, types: PhantomData }
    }
}

impl<M: Model, K: Columns<M>, A: Aggregates<M>> GroupBy<M, K, A> {
    /// Groups only rows that match the filter, in addition to earlier filters.
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
        self.aggregation.select.filter(filter.into().condition);
        self
    }

    /// Keeps only groups that match the condition, in addition to earlier conditions.
    pub fn having(mut self, having: Having<M>) -> Self {
        self.aggregation.having = Some(match self.aggregation.having {
            Some(before) => before.and(having.condition),
            None => having.condition,
        });
        self
    }

    /// Appends a sort key, by a calculated value or by a field that the rows are grouped by; earlier keys take
    /// precedence.
    pub fn order_by(mut self, order: impl Into<GroupOrder<M>>) -> Self {
        self.aggregation.order.push(order.into().term);
        self
    }

    /// Returns at most `groups` groups.
    pub fn take(mut self, groups: u64) -> Self {
        self.aggregation.take = Some(groups);
        self
    }

    /// Skips the first `groups` groups.
    pub fn skip(mut self, groups: u64) -> Self {
        self.aggregation.skip = Some(groups);
        self
    }
}

impl<M: Model, K: Columns<M>, A: Aggregates<M>> Query for GroupBy<M, K, A> {
    type Output = Vec<(K::Values, A::Out)>;

    fn into_parts(self) -> Parts<Self::Output> {
        let known = |term: &GroupTerm| match term {
            GroupTerm::Rows(term) => {
                matches!(term.key, OrderKey::Column(column) if self.aggregation.group_by.contains(&column))
            }
            GroupTerm::Calculated { .. } => true,
        };
        let operation = if self.aggregation.order.iter().all(known) {
            Operation::Aggregate(Box::new(self.aggregation))
        } else {
            let reason = "groups are ordered by calculated values and by the fields that they are grouped by";
            Operation::Refused(reason.to_owned())
        };
        Parts { operation, finish: finish_groups::<M, K, A> }
    }
}

fn finish_groups<M: Model, K: Columns<M>, A: Aggregates<M>>(outcome: Outcome) -> Result<Vec<(K::Values, A::Out)>> {
    let node = outcome.into_rows()?;
    let read = |at| {
        let mut reader = Reader::new(at);
        Ok((K::read_values(&mut reader)?, A::read(&mut reader)?))
    };
    node.cursors().map(read).collect()
}

impl<M: Model, K: Columns<M>, A: Aggregates<M>> IntoFuture for GroupBy<M, K, A> {
    type Output = Result<Vec<(K::Values, A::Out)>>;
    type IntoFuture = Call<Vec<(K::Values, A::Out)>>;

    fn into_future(self) -> Self::IntoFuture {
        self.handle.clone().call(self)
    }
}
