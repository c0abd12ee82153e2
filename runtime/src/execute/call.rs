//! A running call, and how its outcome is read.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::query::Outcome;

/// A running call: the work, and how its outcome is read.
#[must_use = "nothing happens until it is awaited"]
pub struct Call<T>(Work<T>);

enum Work<T> {
    /// Reads the outcome afterwards. The flag says whether it is already committed, so that the write stands if reading
    /// fails.
    ReadLast(BoxFuture<'static, Result<Outcome>>, fn(Outcome) -> Result<T>, bool),
    /// Reads the outcome before COMMIT.
    ReadFirst(BoxFuture<'static, Result<Done<T>>>),
}

/// The result, and how many rows were read or written for it.
pub(crate) struct Done<T> {
    pub(crate) values: T,
    pub(crate) rows: u64,
}

impl<T> Done<T> {
    /// Reads an outcome.
    pub(crate) fn read(outcome: Outcome, finish: fn(Outcome) -> Result<T>) -> Result<Self> {
        let rows = outcome.rows();
        finish(outcome).map(|values| Self { values, rows })
    }
}

impl<T> Call<T> {
    pub(crate) fn reading_last(
        work: BoxFuture<'static, Result<Outcome>>,
        finish: fn(Outcome) -> Result<T>,
        committed: bool,
    ) -> Self {
        Self(Work::ReadLast(work, finish, committed))
    }

    pub(crate) fn reading_first(work: BoxFuture<'static, Result<Done<T>>>) -> Self {
        Self(Work::ReadFirst(work))
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Work::ReadLast(work, finish, committed) => work.as_mut().poll(cx).map(|outcome| match finish(outcome?) {
                Err(error) if *committed => Err(error.after_commit()),
                read => read,
            }),
            Work::ReadFirst(work) => work.as_mut().poll(cx).map(|done| done.map(|done| done.values)),
        }
    }
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}
