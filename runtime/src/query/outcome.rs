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
    /// Rows of a node, and what became of each row that the call was given.
    Placed(Node, Vec<Place>),
    /// How many rows of `update_each` were found, and how many were not.
    Each {
        updated: u64,
        missing: u64,
    },
}

/// What became of a row that a call was given. Numbers are those of rows in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing was written.
    Nothing,
    Inserted(usize),
    Updated(usize),
}

impl Place {
    /// Returns the number of its row in the result.
    pub(crate) fn row(self) -> Option<usize> {
        match self {
            Place::Nothing => None,
            Place::Inserted(row) | Place::Updated(row) => Some(row),
        }
    }

    /// Returns the place with another row.
    pub(crate) fn map(self, row: impl FnOnce(usize) -> Option<usize>) -> Self {
        match self {
            Place::Nothing => Place::Nothing,
            Place::Inserted(known) => row(known).map_or(Place::Nothing, Place::Inserted),
            Place::Updated(known) => row(known).map_or(Place::Nothing, Place::Updated),
        }
    }
}

impl Outcome {
    /// Returns the table or query of the rows.
    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } | Outcome::Decoded(_, node) | Outcome::Placed(node, _) => {
                Some(node.table)
            }
            Outcome::Count(_) | Outcome::Each { .. } => None,
        }
    }

    pub(crate) fn into_rows(self) -> Result<Node> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } | Outcome::Placed(node, _) => Ok(node),
            Outcome::Count(_) | Outcome::Each { .. } => Err(Error::Internal("a count was returned in place of rows")),
            Outcome::Decoded(..) => Err(Error::Internal("rows were returned that had been read already")),
        }
    }

    /// Returns how many rows were read or written, without those of includes.
    pub(crate) fn rows(&self) -> u64 {
        match self {
            Outcome::Count(count) => *count,
            Outcome::Page { rows, .. } => rows.len() as u64,
            Outcome::Decoded(decoded, last) => (decoded.len() + last.len()) as u64,
            Outcome::Rows(node) | Outcome::Placed(node, _) => node.len() as u64,
            Outcome::Each { updated, .. } => *updated,
        }
    }

    /// Returns the rows, and the place of each row that the call was given.
    pub(crate) fn into_placed(self) -> Result<(Node, Vec<Place>)> {
        match self {
            Outcome::Placed(node, places) => Ok((node, places)),
            _ => Err(Error::Internal("rows were returned without the places of those that were given")),
        }
    }

    /// Returns how many rows of `update_each` were found, and how many were not.
    pub(crate) fn into_each(self) -> Result<(u64, u64)> {
        match self {
            Outcome::Each { updated, missing } => Ok((updated, missing)),
            _ => Err(Error::Internal("rows were returned in place of the numbers of found and missing ones")),
        }
    }

    pub(crate) fn into_count(self) -> Result<u64> {
        match self {
            Outcome::Count(count) => Ok(count),
            outcome => Ok(outcome.rows()),
        }
    }
}
