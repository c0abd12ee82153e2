//! Writes to related rows: the argument of `with`.

use std::marker::PhantomData;

use super::assignment::{IntoAssignments, as_sets};
use crate::meta::Relation;
use crate::query::{Action, Key, NestedWrite, Sets, push_set};

/// Related rows to create or connect: the argument of `with` on `create` and `update`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// let session = session::Create { user: Parent, expires_at: relata::chrono::Utc::now() };
/// let user = db.user().update(user::id.eq(id)).with(user::sessions.create(session)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Nested<M> {
    pub(crate) write: NestedWrite,
    model: PhantomData<fn() -> M>,
}

/// A change of related rows: the argument of `with` on `update`.
#[derive(Debug, Clone)]
pub struct NestedChange<M> {
    pub(crate) write: NestedWrite,
    model: PhantomData<fn() -> M>,
}

impl<M> Nested<M> {
    pub(super) fn new(relation: &'static Relation, action: Action) -> Self {
        Self { write: NestedWrite::new(relation, action), model: PhantomData }
    }
}

impl<M> NestedChange<M> {
    pub(super) fn new(relation: &'static Relation, action: Action) -> Self {
        Self { write: NestedWrite::new(relation, action), model: PhantomData }
    }
}

/// An update of a row of `C` that is related to a row of `P`: an argument of `with` on `update`.
#[derive(Debug, Clone)]
pub struct NestedUpdate<P, C> {
    relation: &'static Relation,
    key: Option<Key>,
    sets: Sets,
    nested: Vec<NestedWrite>,
    models: PhantomData<fn() -> (P, C)>,
}

impl<P, C> NestedUpdate<P, C> {
    pub(super) fn new(relation: &'static Relation, key: Option<Key>, sets: impl IntoAssignments<C>) -> Self {
        Self { relation, key, sets: sets_of(sets), nested: Vec::new(), models: PhantomData }
    }

    /// Also creates, connects, updates or deletes rows that are related to that row.
    pub fn with(mut self, change: impl Into<NestedChange<C>>) -> Self {
        self.nested.push(change.into().write);
        self
    }
}

impl<P, C> From<NestedUpdate<P, C>> for NestedChange<P> {
    fn from(update: NestedUpdate<P, C>) -> Self {
        let NestedUpdate { relation, key, sets, nested, .. } = update;
        NestedChange::new(relation, Action::Update { key, sets, nested })
    }
}

impl<M> From<Nested<M>> for NestedChange<M> {
    fn from(nested: Nested<M>) -> Self {
        Self { write: nested.write, model: PhantomData }
    }
}

pub(crate) fn sets_of<M>(assignments: impl IntoAssignments<M>) -> Sets {
    let mut sets = Sets::new();
    as_sets(assignments).for_each(|(column, to)| push_set(&mut sets, column, to));
    sets
}
