//! Reads values of a row one after another.

use super::model::{Model, Slot};
use super::node::Cursor;
use crate::error::Result;
use crate::value::json_format::JsonFormat;
use crate::value::{Decode, Scalar};

/// Reads selected values in the order in which they were selected.
#[derive(Debug)]
pub struct Reader<'a> {
    at: Cursor<'a>,
    next_value: usize,
    next_slot: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(at: Cursor<'a>) -> Self {
        Self { at, next_value: 0, next_slot: 0 }
    }

    pub(crate) fn value<T: Decode>(&mut self) -> Result<T> {
        self.next_value += 1;
        self.at.get(self.next_value - 1)
    }

    pub(crate) fn list<T: Scalar>(&mut self) -> Result<Vec<T>> {
        self.next_value += 1;
        self.at.list(self.next_value - 1)
    }

    pub(crate) fn json_list<T: Scalar>(&mut self) -> Result<Vec<T>> {
        self.next_value += 1;
        self.at.json_list(self.next_value - 1)
    }

    /// Reads a value in JSON; none if it is null, in SQL or in JSON.
    pub(crate) fn in_json<T, F: JsonFormat<T>>(&mut self) -> Result<Option<T>> {
        self.next_value += 1;
        self.at.in_json::<T, F>(self.next_value - 1)
    }

    /// Reads the columns of a row.
    pub(crate) fn model<M: Model>(&mut self) -> Result<M> {
        let first = self.next_value;
        self.next_value += M::table().reads;
        self.at.model(first)
    }

    /// Reads the next slot of a relation.
    pub(crate) fn slot<T: Slot>(&mut self) -> Result<T> {
        self.next_slot += 1;
        T::from_slot(self.at, self.next_slot - 1)
    }
}
