//! Nested writes as data: what is written to related rows together with a row.

use std::marker::PhantomData;

use crate::create::{CreateRow, Insert};
use crate::delegate::UniqueKey;
use crate::field::{Assignment, SetTo};
use crate::filter::{Condition, Filter};
use crate::model::Model;
use crate::relation::{Many, Maybe, One, RelationOf};
use crate::table::Relation;
use crate::value::Param;

/// The values of a unique key.
pub(crate) type Key = Vec<(u16, Param)>;

/// New values of columns.
pub(crate) type Sets = Vec<(u16, SetTo)>;

/// A write to the rows of a relation.
#[derive(Debug, Clone)]
pub(crate) struct NestedWrite {
    pub(crate) relation: &'static Relation,
    pub(crate) action: Action,
    /// How many writes are inside one another at most, this one included.
    pub(crate) levels: u16,
    /// What cannot be done, in this write or in one inside it.
    pub(crate) refused: Option<&'static str>,
}

/// How many writes may be inside one another. Each level is written by statements of its own, and by a function that
/// calls itself.
pub(crate) const MOST_LEVELS: u16 = 32;

pub(crate) const TOO_DEEP: &str = "the write has more than 32 nested writes inside one another: \
    write the upper levels first, and the lower ones in calls of their own";

impl NestedWrite {
    /// What is too deep is dropped here, before it is so deep that dropping it overflows the stack.
    fn new(relation: &'static Relation, action: Action) -> Self {
        let (levels, refused) = match &action {
            Action::Create(rows) => deepest(rows.iter().map(|row| (row.levels, row.refused))),
            Action::ConnectOrCreate(_, row) | Action::Upsert { row, .. } => (row.levels, row.refused),
            Action::Update { nested, .. } => deepest(nested.iter().map(|write| (write.levels, write.refused))),
            _ => (0, None),
        };
        if levels >= MOST_LEVELS {
            return Self { relation, action: Action::Create(Vec::new()), levels: 1, refused: Some(TOO_DEEP) };
        }
        Self { relation, action, levels: levels + 1, refused }
    }
}

/// The most levels of several writes, and the first that is refused.
fn deepest(writes: impl Iterator<Item = (u16, Option<&'static str>)>) -> (u16, Option<&'static str>) {
    writes.fold((0, None), |(levels, refused), (more, why)| (levels.max(more), refused.or(why)))
}

/// What is done to the rows of a relation. Without a key, it concerns the one row of a to-one relation.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create(Vec<Insert>),
    Connect(Vec<Key>),
    ConnectOrCreate(Key, Insert),
    Disconnect(Option<Vec<Key>>),
    Set(Vec<Key>),
    Update { key: Option<Key>, sets: Sets, nested: Vec<NestedWrite> },
    UpdateMany { condition: Condition, sets: Sets },
    Upsert { key: Option<Key>, row: Insert, sets: Sets },
    Delete(Option<Vec<Key>>),
    DeleteMany(Condition),
}

/// Related rows to create or connect: the argument of `with` on `create` and `update`.
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
    fn new(relation: &'static Relation, action: Action) -> Self {
        Self { write: NestedWrite::new(relation, action), model: PhantomData }
    }
}

impl<M> NestedChange<M> {
    fn new(relation: &'static Relation, action: Action) -> Self {
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
    fn new(relation: &'static Relation, key: Option<Key>, sets: impl IntoIterator<Item = Assignment<C>>) -> Self {
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

fn sets_of<M>(assignments: impl IntoIterator<Item = Assignment<M>>) -> Sets {
    assignments.into_iter().map(|assignment| (assignment.column, assignment.to)).collect()
}

fn key_of<M: Model>(key: impl UniqueKey<M>) -> Key {
    key.into_unique().values
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> Many<P, C, SLOT, BACK> {
    /// Creates a related row together with this one.
    pub fn create<R: CreateRow<BACK, Model = C>>(self, row: R) -> Nested<P> {
        self.create_many([row])
    }

    /// Creates related rows together with this one.
    pub fn create_many<R: CreateRow<BACK, Model = C>>(self, rows: impl IntoIterator<Item = R>) -> Nested<P> {
        Nested::new(Self::relation(), Action::Create(rows.into_iter().map(R::into_insert).collect()))
    }

    /// Connects an existing row to this one.
    pub fn connect(self, key: impl UniqueKey<C>) -> Nested<P> {
        self.connect_many([key])
    }

    /// Connects existing rows to this one. If one of them is missing, nothing is written.
    pub fn connect_many<K: UniqueKey<C>>(self, keys: impl IntoIterator<Item = K>) -> Nested<P> {
        Nested::new(Self::relation(), Action::Connect(keys.into_iter().map(key_of).collect()))
    }

    /// Connects the row with this key to this one, and creates it if it does not exist.
    pub fn connect_or_create<R: CreateRow<BACK, Model = C>>(self, key: impl UniqueKey<C>, row: R) -> Nested<P> {
        Nested::new(Self::relation(), Action::ConnectOrCreate(key_of(key), row.into_insert()))
    }

    /// Updates the row with this key, which must be connected to this one. To write rows that are related to it in turn,
    /// use [`with`](NestedUpdate::with).
    pub fn update(self, key: impl UniqueKey<C>, sets: impl IntoIterator<Item = Assignment<C>>) -> NestedUpdate<P, C> {
        NestedUpdate::new(Self::relation(), Some(key_of(key)), sets)
    }

    /// Updates the connected rows that match the filter.
    pub fn update_many(
        self,
        filter: impl Into<Filter<C>>,
        sets: impl IntoIterator<Item = Assignment<C>>,
    ) -> NestedChange<P> {
        let condition = filter.into().condition;
        NestedChange::new(Self::relation(), Action::UpdateMany { condition, sets: sets_of(sets) })
    }

    /// Updates the row with this key, which must be connected to this one, or creates it.
    pub fn upsert<R: CreateRow<BACK, Model = C>>(
        self,
        key: impl UniqueKey<C>,
        row: R,
        sets: impl IntoIterator<Item = Assignment<C>>,
    ) -> NestedChange<P> {
        let action = Action::Upsert { key: Some(key_of(key)), row: row.into_insert(), sets: sets_of(sets) };
        NestedChange::new(Self::relation(), action)
    }

    /// Deletes the row with this key, which must be connected to this one.
    pub fn delete(self, key: impl UniqueKey<C>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Delete(Some(vec![key_of(key)])))
    }

    /// Deletes the connected rows that match the filter.
    pub fn delete_many(self, filter: impl Into<Filter<C>>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::DeleteMany(filter.into().condition))
    }
}

/// For rows that can exist without this one: many-to-many relations, and relations with an optional key.
impl<P: Model, C: Model, const SLOT: usize> Many<P, C, SLOT> {
    /// Disconnects the row with this key from this one.
    pub fn disconnect(self, key: impl UniqueKey<C>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Disconnect(Some(vec![key_of(key)])))
    }

    /// Connects exactly these rows to this one, and disconnects all others.
    pub fn set<K: UniqueKey<C>>(self, keys: impl IntoIterator<Item = K>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Set(keys.into_iter().map(key_of).collect()))
    }
}

macro_rules! to_one {
    ($name:ident) => {
        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> $name<P, C, SLOT, BACK> {
            /// Creates the related row together with this one.
            pub fn create<R: CreateRow<BACK, Model = C>>(self, row: R) -> Nested<P> {
                Nested::new(Self::relation(), Action::Create(vec![row.into_insert()]))
            }

            /// Connects an existing row to this one.
            pub fn connect(self, key: impl UniqueKey<C>) -> Nested<P> {
                Nested::new(Self::relation(), Action::Connect(vec![key_of(key)]))
            }

            /// Connects the row with this key to this one, and creates it if it does not exist.
            pub fn connect_or_create<R: CreateRow<BACK, Model = C>>(self, key: impl UniqueKey<C>, row: R) -> Nested<P> {
                Nested::new(Self::relation(), Action::ConnectOrCreate(key_of(key), row.into_insert()))
            }

            /// Updates the related row. To write rows that are related to it in turn, use [`with`](NestedUpdate::with).
            pub fn update(self, sets: impl IntoIterator<Item = Assignment<C>>) -> NestedUpdate<P, C> {
                NestedUpdate::new(Self::relation(), None, sets)
            }
        }
    };
}

to_one!(One);
to_one!(Maybe);

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> Maybe<P, C, SLOT, BACK> {
    /// Updates the related row, or creates it if there is none.
    pub fn upsert<R: CreateRow<BACK, Model = C>>(
        self,
        row: R,
        sets: impl IntoIterator<Item = Assignment<C>>,
    ) -> NestedChange<P> {
        let action = Action::Upsert { key: None, row: row.into_insert(), sets: sets_of(sets) };
        NestedChange::new(Self::relation(), action)
    }

    /// Deletes the related row.
    pub fn delete(self) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Delete(None))
    }
}

/// For rows that can exist without the related one.
impl<P: Model, C: Model, const SLOT: usize> Maybe<P, C, SLOT> {
    /// Disconnects the related row.
    pub fn disconnect(self) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Disconnect(None))
    }
}
