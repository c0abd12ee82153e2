//! Keyset pages: rows, and the tokens of the pages before and after them.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::explain::explained;
use crate::builder::OfModels;
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Operation, Outcome, PageStart, PageToken, Parts, Query, Select, Tenant};
use crate::rows::{Cursor, Model};

/// The rows of a page, and the tokens of the pages before and after it.
///
/// With the feature `serde`, it is an object in JSON, `{ "rows": [..], "next": "..", "previous": null }`, if its rows are.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let mut next = None;
/// loop {
///     let page = db.student().find_many().take(100).page_after(next).await?;
///     println!("{} students", page.rows.len());
///     next = page.next;
///     if next.is_none() {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Page<S> {
    /// At most as many rows as `take` allows.
    pub rows: Vec<S>,
    /// The token of the next page, for `page_after`, if there are more rows.
    pub next: Option<PageToken>,
    /// The token of the previous page, for `page_before`, if there are rows before these.
    pub previous: Option<PageToken>,
}

/// A read of a page. `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct FindPage<M, S = M> {
    executor: Executor,
    select: Box<Select>,
    finish: fn(Outcome) -> Result<Page<S>>,
    types: PhantomData<fn() -> (M, S)>,
}

impl<M, S> FindPage<M, S> {
    pub(crate) fn new(
        executor: Executor,
        mut select: Box<Select>,
        start: PageStart,
        finish: fn(Outcome) -> Result<Page<S>>,
    ) -> Self {
        select.from_end |= start.is_backward();
        select.page = Some(start);
        Self { executor, select, finish, types: PhantomData }
    }
}

impl<M, S> Clone for FindPage<M, S> {
    fn clone(&self) -> Self {
        let (executor, select) = (self.executor.clone(), self.select.clone());
        Self { executor, select, finish: self.finish, types: PhantomData }
    }
}

impl<M, S> fmt::Debug for FindPage<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.select.fmt(f)
    }
}

impl<M: Model, S: Send + 'static> Query for FindPage<M, S> {
    type Output = Page<S>;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<Page<S>> {
        Parts { operation: Operation::Read(self.select), finish: self.finish }
    }
}

/// Reads each row of a page.
pub(crate) fn page_of<S>(outcome: Outcome, read: impl Fn(Cursor<'_>) -> Result<S>) -> Result<Page<S>> {
    let (node, range, next, previous) = match outcome {
        Outcome::Page { node, rows, next, previous } => (node, rows, next, previous),
        other => {
            let node = other.into_rows()?;
            let range = 0..node.len();
            (node, range, None, None)
        }
    };
    let rows = range.map(|row| read(node.cursor(row))).collect::<Result<_>>()?;
    Ok(Page { rows, next, previous })
}

explained!([M: Model, S: Send + 'static] FindPage<M, S>, executor);

impl<M: Model, S: Send + 'static> IntoFuture for FindPage<M, S> {
    type Output = Result<Page<S>>;
    type IntoFuture = Call<Page<S>>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}
