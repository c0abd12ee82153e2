//! `update_each`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::push_sets;
use crate::builder::OfModels;
use crate::dsl::{IntoAssignments, Unique};
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Key, Operation, Outcome, Parts, Query, Select, Sets, Tenant};
use crate::rows::{FromRow, Model};

/// Updates of rows by their keys, each with its own changes. `.await` makes all or none, and returns how many rows there
/// were.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, scores: Vec<(relata::uuid::Uuid, f64)>) -> relata::Result<()> {
/// let changes = scores.into_iter().map(|(id, score)| (student_exam::id.eq(id), student_exam::score.to(score)));
/// let done = db.student_exam().update_each(changes).await?;
/// println!("{} graded, {} not found", done.updated, done.missing);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct UpdateEach<M> {
    executor: Executor,
    changes: Vec<(Key, Sets)>,
    model: PhantomData<fn() -> M>,
}

/// The result of [`update_each`](crate::Delegate::update_each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdatedEach {
    /// The number of changes whose row was found. As in [`update_many`](crate::Delegate::update_many), those that set nothing
    /// count, too.
    pub updated: u64,
    /// The number of changes for whose key there was no row.
    pub missing: u64,
}

impl<M: Model> UpdateEach<M> {
    pub(crate) fn new<C: IntoAssignments<M>>(
        executor: Executor,
        changes: impl Iterator<Item = (Unique<M>, C)>,
    ) -> Self {
        let change = |(key, assignments): (Unique<M>, C)| {
            let mut sets = Sets::new();
            push_sets(&mut sets, assignments);
            // In the order of the columns, so that changes that set the same ones share a statement.
            sets.sort_by_key(|(column, _)| *column);
            (key.values, sets)
        };
        Self { executor, changes: changes.map(change).collect(), model: PhantomData }
    }

    /// Returns the updated rows instead of their number, in the order in which the changes were given. If there is no row
    /// for a key, `None` is in its place.
    pub fn and_return(self) -> UpdateEachAndReturn<M> {
        UpdateEachAndReturn { executor: self.executor.clone(), update: self, then: None, types: PhantomData }
    }

    fn operation(self, returning: bool) -> Operation {
        Operation::UpdateEach { table: M::table(), changes: self.changes, returning }
    }
}

impl<M: Model> Query for UpdateEach<M> {
    type Output = UpdatedEach;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<UpdatedEach> {
        let finish = |outcome: Outcome| {
            let (updated, missing) = outcome.into_each()?;
            Ok(UpdatedEach { updated, missing })
        };
        Parts { operation: self.operation(false), finish }
    }
}

call!(UpdateEach<M: Model> gives UpdatedEach);

/// Updates of rows by their keys. `.await` makes all or none, and returns the rows as they are afterwards, in the order in
/// which the changes were given: `None` for a key that no row has.
#[must_use = "nothing happens until it is awaited"]
pub struct UpdateEachAndReturn<M, S = M> {
    pub(super) executor: Executor,
    pub(super) update: UpdateEach<M>,
    pub(super) then: Option<Box<Select>>,
    pub(super) types: PhantomData<fn() -> S>,
}

impl<M: Model, S> UpdateEachAndReturn<M, S> {
    pub(super) fn operation(self) -> Operation {
        self.update.operation(true)
    }
}

call!(UpdateEachAndReturn<M: Model, S: FromRow> gives Vec<Option<S>>);
