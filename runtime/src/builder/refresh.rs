//! `refresh`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::builder::OfModels;
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Operation, Parts, Query, Tenant};
use crate::rows::Materialized;

/// A refresh of a materialized view. `.await` runs it.
///
/// PostgreSQL blocks queries of the view in the meantime (ACCESS EXCLUSIVE), unless it is refreshed `concurrently`.
#[must_use = "nothing happens until it is awaited"]
#[derive(Debug)]
pub struct Refresh<M> {
    executor: Executor,
    concurrently: bool,
    view: PhantomData<fn() -> M>,
}

impl<M: Materialized> Refresh<M> {
    pub(crate) fn new(executor: Executor) -> Self {
        Self { executor, concurrently: false, view: PhantomData }
    }

    /// Lets other sessions read the view while it is refreshed. This takes longer if many rows change.
    ///
    /// The view needs a unique index without a condition (`@unique`, `@@unique`), and must have been refreshed before.
    pub fn concurrently(mut self) -> Self {
        self.concurrently = true;
        self
    }
}

impl<M: Materialized> Query for Refresh<M> {
    type Output = ();
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<()> {
        let operation = Operation::Refresh { table: M::table(), concurrently: self.concurrently };
        Parts { operation, finish: |outcome| outcome.into_count().map(drop) }
    }
}

impl<M: Materialized> IntoFuture for Refresh<M> {
    type Output = Result<()>;
    type IntoFuture = Call<()>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}
