//! Nested writes: what a relation offers for writing related rows together with a row.

use super::RelationOf;
use super::constant::RelationField;
use crate::dsl::kind::{List, Optional, Single};
use crate::dsl::{CreateRow, Filter, IntoAssignments, Nested, NestedChange, NestedUpdate, UniqueKey, sets_of};
use crate::query::{Action, Key};
use crate::rows::Model;

fn key_of<M: Model>(key: impl UniqueKey<M>) -> Key {
    key.into_unique().values
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationField<P, C, List, SLOT, BACK> {
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
    pub fn update(self, key: impl UniqueKey<C>, sets: impl IntoAssignments<C>) -> NestedUpdate<P, C> {
        NestedUpdate::new(Self::relation(), Some(key_of(key)), sets)
    }

    /// Updates the connected rows that match the filter.
    pub fn update_many(self, filter: impl Into<Filter<C>>, sets: impl IntoAssignments<C>) -> NestedChange<P> {
        let condition = filter.into().condition;
        NestedChange::new(Self::relation(), Action::UpdateMany { condition, sets: sets_of(sets) })
    }

    /// Updates the row with this key, which must be connected to this one, or creates it.
    pub fn upsert<R: CreateRow<BACK, Model = C>>(
        self,
        key: impl UniqueKey<C>,
        row: R,
        sets: impl IntoAssignments<C>,
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
impl<P: Model, C: Model, const SLOT: usize> RelationField<P, C, List, SLOT> {
    /// Disconnects the row with this key from this one.
    pub fn disconnect(self, key: impl UniqueKey<C>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Disconnect(Some(vec![key_of(key)])))
    }

    /// Connects exactly these rows to this one, and disconnects all others.
    pub fn set<K: UniqueKey<C>>(self, keys: impl IntoIterator<Item = K>) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Set(keys.into_iter().map(key_of).collect()))
    }
}

impl<P: Model, C: Model, A: Single, const SLOT: usize, const BACK: usize> RelationField<P, C, A, SLOT, BACK> {
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
    pub fn update(self, sets: impl IntoAssignments<C>) -> NestedUpdate<P, C> {
        NestedUpdate::new(Self::relation(), None, sets)
    }
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationField<P, C, Optional, SLOT, BACK> {
    /// Updates the related row, or creates it if there is none.
    pub fn upsert<R: CreateRow<BACK, Model = C>>(self, row: R, sets: impl IntoAssignments<C>) -> NestedChange<P> {
        let action = Action::Upsert { key: None, row: row.into_insert(), sets: sets_of(sets) };
        NestedChange::new(Self::relation(), action)
    }

    /// Deletes the related row.
    pub fn delete(self) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Delete(None))
    }
}

/// For rows that can exist without the related one.
impl<P: Model, C: Model, const SLOT: usize> RelationField<P, C, Optional, SLOT> {
    /// Disconnects the related row.
    pub fn disconnect(self) -> NestedChange<P> {
        NestedChange::new(Self::relation(), Action::Disconnect(None))
    }
}
