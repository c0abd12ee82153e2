//! How rows are read: one at a time, or part by part while others arrive.

use std::any::Any;

use super::node::{Cursor, Node};
use crate::error::{Error, Result};

/// Reads rows part by part, while others arrive.
pub(crate) trait RowDecoder: Send {
    /// Reads a part.
    fn take(&mut self, part: &Node) -> Result<(), Error>;

    /// Returns how many rows it has read.
    fn len(&self) -> usize;

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

impl std::fmt::Debug for dyn RowDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} rows>", self.len())
    }
}

/// How a row of a query is read.
pub(crate) trait ReadRow: 'static {
    /// The type of the result.
    type Out: Send + 'static;

    /// Reads it.
    fn read(at: Cursor<'_>) -> Result<Self::Out>;
}
