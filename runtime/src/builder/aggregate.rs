//! `aggregate`: counts, sums, averages, minimums and maximums, calculated by the database.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::explain::explained;
use super::scope::scoped;
use crate::builder::OfModels;
use crate::dsl::{Aggregates, Columns, Filter, Order, UniqueKey, calculations};
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Aggregation, Operation, Outcome, Parts, Query, Select, Tenant};
use crate::rows::{Model, Reader};

/// A calculation over the rows that match the filters. `.await` runs it.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// let best: Option<f64> = db
///     .student_exam()
///     .aggregate(student_exam::score.max())
///     .filter(student_exam::student_id.eq(id))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Aggregate<M, A> {
    executor: Executor,
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
    pub(crate) fn new(executor: Executor, values: A) -> Self {
        Self { executor, select: Select::new(M::table()), values, model: PhantomData }
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
        self.select.take(rows);
        self
    }

    /// Aggregates at most the last `rows` rows.
    pub fn take_last(mut self, rows: u64) -> Self {
        self.select.take_last(rows);
        self
    }

    /// Skips the first `rows` rows.
    pub fn skip(mut self, rows: u64) -> Self {
        self.select.skip = Some(rows);
        self
    }

    /// Starts at the row with this key, including it.
    pub fn cursor(mut self, key: impl UniqueKey<M>) -> Self {
        self.select.cursor = Some(key.into_unique().values);
        self
    }

    /// Aggregates only the first of the rows that have the same values in these columns.
    pub fn distinct(mut self, columns: impl Columns<M>) -> Self {
        self.select.distinct = columns.numbers();
        self
    }
}

scoped!(Aggregate<M, A> in select.condition, "aggregates");

impl<M: Model, A: Aggregates<M>> Query for Aggregate<M, A> {
    type Output = A::Out;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

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

explained!([M: Model, A: Aggregates<M>] Aggregate<M, A>, executor);

impl<M: Model, A: Aggregates<M>> IntoFuture for Aggregate<M, A> {
    type Output = Result<A::Out>;
    type IntoFuture = Call<A::Out>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}
