//! `group_by`: groups of rows that have the same values in some columns, and values calculated for each group.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::explain::explained;
use super::scope::scoped;
use crate::builder::OfModels;
use crate::dsl::{Aggregates, Filter, GroupKeys, GroupOrder, Grouping, Having, calculations};
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{
    Aggregation, GroupTerm, NOT_GROUPED_BY, Operand, Operation, OrderKey, Outcome, Parts, Query, Select, Tenant,
};
use crate::rows::{Model, Reader};

type Types<M, K, A> = PhantomData<fn() -> (M, K, A)>;

/// A grouping by the columns and expressions `K` that calculates the values `A` for each group. `.await` runs it.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let hardest: Vec<(relata::uuid::Uuid, Option<f64>)> = db
///     .student_exam()
///     .group_by(student_exam::exam_type_id)
///     .aggregate(student_exam::score.avg())
///     .having(relata::count().gte(3))
///     .order_by(student_exam::score.avg().asc())
///     .take(10)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct GroupBy<M, K, A = ()> {
    executor: Executor,
    aggregation: Aggregation,
    types: Types<M, K, A>,
}

impl<M, K, A> std::fmt::Debug for GroupBy<M, K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.aggregation.fmt(f)
    }
}

impl<M: Model, K: Grouping<M>> GroupBy<M, K> {
    pub(crate) fn new(executor: Executor, columns: K) -> Self {
        let mut keys = GroupKeys::default();
        columns.add_to(&mut keys);
        let aggregation = Aggregation {
            select: Select::new(M::table()),
            group_by: keys.0,
            calculations: Vec::new(),
            having: None,
            order: Vec::new(),
            take: None,
            skip: None,
        };
        Self { executor, aggregation, types: PhantomData }
    }

    /// Calculates these values for each group.
    pub fn aggregate<A: Aggregates<M>>(mut self, values: A) -> GroupBy<M, K, A> {
        self.aggregation.calculations = calculations(&values);
        GroupBy { executor: self.executor, aggregation: self.aggregation, types: PhantomData }
    }
}

impl<M: Model, K: Grouping<M>, A: Aggregates<M>> GroupBy<M, K, A> {
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

scoped!(GroupBy<M, K, A> in aggregation.select.condition, "groups");

impl<M: Model, K: Grouping<M>, A: Aggregates<M>> Query for GroupBy<M, K, A> {
    type Output = Vec<(K::Values, A::Out)>;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<Self::Output> {
        let known = |term: &GroupTerm| match term {
            GroupTerm::Rows(term) => match &term.key {
                OrderKey::Column(column) => {
                    self.aggregation.group_by.iter().any(|key| matches!(key, Operand::Column(known) if known == column))
                }
                // Its statement finds the expression among those that rows are grouped by.
                OrderKey::Expression(_) => true,
                _ => false,
            },
            GroupTerm::Calculated { .. } => true,
        };
        let operation = if self.aggregation.order.iter().all(known) {
            Operation::Aggregate(Box::new(self.aggregation))
        } else {
            Operation::Refused(NOT_GROUPED_BY.to_owned())
        };
        Parts { operation, finish: finish_groups::<M, K, A> }
    }
}

fn finish_groups<M: Model, K: Grouping<M>, A: Aggregates<M>>(outcome: Outcome) -> Result<Vec<(K::Values, A::Out)>> {
    let node = outcome.into_rows()?;
    let read = |at| {
        let mut reader = Reader::new(at);
        Ok((K::read_values(&mut reader)?, A::read(&mut reader)?))
    };
    node.cursors().map(read).collect()
}

explained!([M: Model, K: Grouping<M>, A: Aggregates<M>] GroupBy<M, K, A>, executor);

impl<M: Model, K: Grouping<M>, A: Aggregates<M>> IntoFuture for GroupBy<M, K, A> {
    type Output = Result<Vec<(K::Values, A::Out)>>;
    type IntoFuture = Call<Vec<(K::Values, A::Out)>>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}
