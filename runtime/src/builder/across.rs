//! The queries of a model whose rows belong to tenants, across all tenants.

use super::aggregate::Aggregate;
use super::count::{Count, Exists};
use super::delegate::Delegate;
use super::find::{FindFirst, FindMany, FindUnique};
use super::group::GroupBy;
use super::refresh::Refresh;
use super::write::{AddFilterOrAllRows, Delete, DeleteMany, Update, UpdateEach, UpdateMany};
use crate::dsl::{Aggregates, Grouping, IntoAssignments, UniqueKey};
use crate::execute::Executor;
use crate::rows::{Materialized, Model, SoftDelete, Writable};

/// The queries of a model whose rows belong to tenants, on the rows of all tenants.
///
/// It cannot create rows. A row is created for one tenant, through `db.tenant(id)`.
#[derive(Debug)]
pub struct AcrossTenants<M>(Delegate<M>);

macro_rules! forwarded {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty $(where $writable:ident)?),+ $(,)?) => {
        $(
            #[doc = concat!("See [`Delegate::", stringify!($name), "`].")]
            pub fn $name(self, $($argument: $type),*) -> $out
            $(where M: $writable)?
            {
                self.0.$name($($argument),*)
            }
        )+
    };
}

impl<M: Model> AcrossTenants<M> {
    /// For generated code: the queries of a model that run on `executor`.
    pub fn new(executor: &Executor) -> Self {
        Self(Delegate::new(executor))
    }

    forwarded! {
        find_unique(key: impl UniqueKey<M>) -> FindUnique<M>,
        find_first() -> FindFirst<M>,
        find_many() -> FindMany<M>,
        count() -> Count<M>,
        exists() -> Exists<M>,
        update(key: impl UniqueKey<M>) -> Update<M> where Writable,
        update_many() -> UpdateMany<M, AddFilterOrAllRows> where Writable,
        delete(key: impl UniqueKey<M>) -> Delete<M> where Writable,
        delete_many() -> DeleteMany<M, AddFilterOrAllRows> where Writable,
        restore(key: impl UniqueKey<M>) -> Update<M> where SoftDelete,
        restore_many() -> UpdateMany<M, AddFilterOrAllRows> where SoftDelete,
        hard_delete(key: impl UniqueKey<M>) -> Delete<M> where SoftDelete,
        hard_delete_many() -> DeleteMany<M, AddFilterOrAllRows> where SoftDelete,
    }

    /// See [`Delegate::refresh`].
    pub fn refresh(self) -> Refresh<M>
    where
        M: Materialized,
    {
        self.0.refresh()
    }

    /// See [`Delegate::update_each`].
    pub fn update_each<K: UniqueKey<M>, C: IntoAssignments<M>>(
        self,
        changes: impl IntoIterator<Item = (K, C)>,
    ) -> UpdateEach<M>
    where
        M: Writable,
    {
        self.0.update_each(changes)
    }

    /// See [`Delegate::aggregate`].
    pub fn aggregate<A: Aggregates<M>>(self, values: A) -> Aggregate<M, A> {
        self.0.aggregate(values)
    }

    /// See [`Delegate::group_by`].
    pub fn group_by<K: Grouping<M>>(self, columns: K) -> GroupBy<M, K> {
        self.0.group_by(columns)
    }
}
