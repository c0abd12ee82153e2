//! How many rows a read returns, as types.

use crate::error::{Error, Lookup, Result};

/// How many rows a read returns: the last type parameter of [`Find`](crate::Find).
pub trait Cardinality: Send + 'static {
    /// Rows of type `T`.
    type Of<T: Send + 'static>: Send + 'static;

    /// Whether rows are decoded while others are still arriving.
    #[doc(hidden)]
    const DECODES_EARLY: bool = false;

    /// Reads the rows, and appends them to those that were read before.
    #[doc(hidden)]
    fn collect<T: Send + 'static>(
        before: Vec<T>,
        rows: impl Iterator<Item = Result<T>>,
        model: &'static str,
    ) -> Result<Self::Of<T>>;
}

/// One row or none.
#[derive(Debug)]
pub enum OneOrNone {}

/// Exactly one row. If there is none, the result is [`Error::NotFound`].
#[derive(Debug)]
pub enum ExactlyOne {}

/// All rows.
#[derive(Debug)]
pub enum All {}

impl Cardinality for OneOrNone {
    type Of<T: Send + 'static> = Option<T>;

    fn collect<T: Send + 'static>(
        _: Vec<T>,
        mut rows: impl Iterator<Item = Result<T>>,
        _: &'static str,
    ) -> Result<Option<T>> {
        rows.next().transpose()
    }
}

impl Cardinality for ExactlyOne {
    type Of<T: Send + 'static> = T;

    fn collect<T: Send + 'static>(
        _: Vec<T>,
        mut rows: impl Iterator<Item = Result<T>>,
        model: &'static str,
    ) -> Result<T> {
        rows.next().unwrap_or(Err(Error::not_found(model, Lookup::Find)))
    }
}

impl Cardinality for All {
    type Of<T: Send + 'static> = Vec<T>;

    const DECODES_EARLY: bool = true;

    fn collect<T: Send + 'static>(
        before: Vec<T>,
        rows: impl Iterator<Item = Result<T>>,
        _: &'static str,
    ) -> Result<Vec<T>> {
        let mut all = before;
        all.reserve_exact(rows.size_hint().0);
        for row in rows {
            all.push(row?);
        }
        Ok(all)
    }
}
