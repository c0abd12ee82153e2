//! `copy_in`: inserts rows in bulk with PostgreSQL's COPY, and takes them one by one from an iterator or a stream.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::dsl::CreateRow;
use crate::error::Result;
use crate::execute::Executor;
use crate::query::Insert;
use crate::rows::Model;

/// Rows to insert with COPY. `.await` sends all or none of them, and returns their number.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let rows = (0..100_000).map(|number| institution::Create { name: "A school".to_owned(), slug: format!("s{number}") });
/// let copied: u64 = db.institution().copy_in(rows).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct CopyIn<M> {
    executor: Executor,
    rows: BoxStream<'static, Result<Insert>>,
    model: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for CopyIn<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CopyIn")
    }
}

impl<M: Model> CopyIn<M> {
    pub(crate) fn of_rows<C, I>(executor: Executor, rows: I) -> Self
    where
        C: CreateRow<Model = M>,
        I: IntoIterator<Item = C>,
        I::IntoIter: Send + 'static,
    {
        let rows = stream::iter(rows.into_iter().map(|row| Ok(row.into_insert()))).boxed();
        Self { executor, rows, model: PhantomData }
    }

    pub(crate) fn of_stream<C, R>(executor: Executor, rows: R) -> Self
    where
        C: CreateRow<Model = M>,
        R: Stream<Item = Result<C>> + Send + 'static,
    {
        let rows = rows.map(|row| row.map(C::into_insert)).boxed();
        Self { executor, rows, model: PhantomData }
    }
}

/// A running copy.
pub struct CopyCall {
    work: BoxFuture<'static, Result<u64>>,
}

impl std::fmt::Debug for CopyCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CopyCall")
    }
}

impl Future for CopyCall {
    type Output = Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.work.as_mut().poll(cx)
    }
}

impl<M: Model> IntoFuture for CopyIn<M> {
    type Output = Result<u64>;
    type IntoFuture = CopyCall;

    fn into_future(self) -> CopyCall {
        CopyCall { work: self.executor.copy_in(M::table(), self.rows) }
    }
}
