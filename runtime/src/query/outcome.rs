//! The outcome of an operation, before it is read.

use std::ops::Range;

use super::page::PageToken;
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::rows::{Node, RowDecoder};

/// The outcome of an operation.
#[derive(Debug)]
pub(crate) enum Outcome {
    Rows(Node),
    /// Rows that were decoded while others arrived, and the last ones.
    Decoded(Box<dyn RowDecoder>, Node),
    /// Rows of which some are a page, with the tokens of the next and the previous page.
    Page {
        node: Node,
        rows: Range<usize>,
        next: Option<PageToken>,
        previous: Option<PageToken>,
    },
    Count(u64),
}

impl Outcome {
    /// Returns the table or query of the rows.
    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } | Outcome::Decoded(_, node) => Some(node.table),
            Outcome::Count(_) => None,
        }
    }

    pub(crate) fn into_rows(self) -> Result<Node> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } => Ok(node),
            Outcome::Count(_) => Err(Error::Internal("a count was returned in place of rows")),
            Outcome::Decoded(..) => Err(Error::Internal("rows were returned that had been read already")),
        }
    }

    /// Returns how many rows were read or written, without those of includes.
    pub(crate) fn rows(&self) -> u64 {
        match self {
            Outcome::Count(count) => *count,
            Outcome::Page { rows, .. } => rows.len() as u64,
            Outcome::Decoded(decoded, last) => (decoded.len() + last.len()) as u64,
            Outcome::Rows(node) => node.len() as u64,
        }
    }

    pub(crate) fn into_count(self) -> Result<u64> {
        match self {
            Outcome::Count(count) => Ok(count),
            Outcome::Rows(node) | Outcome::Page { node, .. } => Ok(node.len() as u64),
            outcome @ Outcome::Decoded(..) => Ok(outcome.rows()),
        }
    }
}
