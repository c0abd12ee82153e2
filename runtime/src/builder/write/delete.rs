//! `delete` and `delete_many`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{AddFilterOrAllRows, RowsChosen, empty_filter};
use crate::builder::OfModels;
use crate::builder::explain::explained;
use crate::builder::scope::scoped;
use crate::dsl::{Filter, Unique};
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Condition, Operation, Outcome, Parts, Query, Removal, Select, Tenant};
use crate::rows::{FromRow, Model};

/// A deletion of the row with a unique key. `.await` deletes it and returns the row as it was.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid, tenant: relata::uuid::Uuid) -> relata::Result<()> {
/// let gone = db.session().delete(session::id.eq(id)).filter(session::user_id.eq(tenant)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Delete<M, S = M> {
    pub(super) executor: Executor,
    pub(super) condition: Condition,
    pub(super) removal: Removal,
    pub(super) then: Option<Box<Select>>,
    pub(super) types: PhantomData<fn() -> (M, S)>,
}

impl<M: Model> Delete<M> {
    pub(crate) fn new(executor: Executor, key: Unique<M>, removal: Removal) -> Self {
        Self { executor, condition: key.into_row_condition(), removal, then: None, types: PhantomData }
    }
}

impl<M: Model, S> Delete<M, S> {
    pub(super) fn operation(self) -> Operation {
        Operation::Delete { table: M::table(), condition: self.condition, removal: self.removal }
    }

    /// Requires the row to match this filter too; otherwise the result is [`Error::NotFound`](crate::Error::NotFound).
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
        self.condition = self.condition.and(filter.into().condition);
        self
    }
}

scoped!(Delete<M, S> in condition, "deletes");
call!(Delete<M: Model, S: FromRow> gives S);
explained!([M: Model, S: FromRow] Delete<M, S>, executor);

/// A deletion of all rows that match the filters. `.await` deletes them and returns their number.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let deleted: u64 = db.session().delete_many().all_rows().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct DeleteMany<M, C> {
    executor: Executor,
    condition: Condition,
    limit: Option<u64>,
    all_rows: bool,
    removal: Removal,
    types: PhantomData<fn() -> (M, C)>,
}

impl<M: Model> DeleteMany<M, AddFilterOrAllRows> {
    pub(crate) fn new(executor: Executor, removal: Removal) -> Self {
        Self { executor, condition: Condition::ALL, limit: None, all_rows: false, removal, types: PhantomData }
    }
}

impl<M: Model, C> DeleteMany<M, C> {
    fn chosen(self) -> DeleteMany<M, RowsChosen> {
        let DeleteMany { executor, condition, limit, all_rows, removal, .. } = self;
        DeleteMany { executor, condition, limit, all_rows, removal, types: PhantomData }
    }

    /// Keeps only rows that match the filter, in addition to earlier filters.
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> DeleteMany<M, RowsChosen> {
        self.condition = self.condition.and(filter.into().condition);
        self.chosen()
    }

    /// Writes at most `rows` rows: the first ones in the order of their key. If another transaction is changing one of
    /// them, the call waits, and leaves the row out if it no longer matches the filters.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Chooses every row of the table.
    pub fn all_rows(mut self) -> DeleteMany<M, RowsChosen> {
        self.all_rows = true;
        self.chosen()
    }
}

impl<M: Model> Query for DeleteMany<M, RowsChosen> {
    type Output = u64;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<u64> {
        let operation = if self.condition.is_all() && !self.all_rows {
            Operation::Refused(empty_filter("delete_many"))
        } else {
            let DeleteMany { condition, limit, removal, .. } = self;
            Operation::DeleteMany { table: M::table(), condition, limit, removal }
        };
        Parts { operation, finish: Outcome::into_count }
    }
}

scoped!(DeleteMany<M, C> in condition, "deletes");
call!(DeleteMany<M, C> gives u64);
explained!([M: Model] DeleteMany<M, RowsChosen>, executor);
