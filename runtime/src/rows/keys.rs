//! The keys of rows, and the rows of another statement that have them.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::node::{KeyedRows, Node};
use crate::meta::KeyForm;
use crate::value::RawList;

/// The number of a row without a key.
const NO_KEY: u32 = u32::MAX;

/// The distinct keys of rows, numbered in order of first occurrence.
pub(crate) struct Keys<'n> {
    numbers: HashMap<Cow<'n, [u8]>, u32, RandomState>,
    /// The number of each row's key.
    of_parents: Vec<u32>,
    /// The keys themselves, a list per column.
    pub(crate) lists: Vec<RawList>,
    /// How each column is compared; empty if all are compared as they are.
    forms: Vec<KeyForm>,
}

impl<'n> Keys<'n> {
    /// Collects the distinct keys of all rows that have one.
    pub(crate) fn of(node: &'n Node, columns: &[usize], forms: Vec<KeyForm>) -> Self {
        let mut numbers = HashMap::with_capacity_and_hasher(node.len(), RandomState::default());
        let mut of_parents = Vec::with_capacity(node.len());
        let mut lists: Vec<RawList> = columns.iter().map(|_| RawList::with_capacity(node.len())).collect();
        for row in 0..node.len() {
            let number = node.key(row, columns, &forms).map(|key| {
                let next = numbers.len() as u32;
                *numbers.entry(key).or_insert_with(|| {
                    for (list, column) in lists.iter_mut().zip(columns) {
                        list.push(node.raw(row, *column).unwrap_or_default());
                    }
                    next
                })
            });
            of_parents.push(number.unwrap_or(NO_KEY));
        }
        Self { numbers, of_parents, lists, forms }
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Matches children with rows. The order of the children stays.
    pub(crate) fn match_children(self, children: &Node, columns: &[usize]) -> KeyedRows {
        let of_child = |row| children.key(row, columns, &self.forms).and_then(|key| self.numbers.get(&key).copied());
        let of_children: Vec<u32> = (0..children.len()).map(|row| of_child(row).unwrap_or(NO_KEY)).collect();
        // First the number of children of each key, then the start of its children.
        let mut ends = vec![0_u32; self.len()];
        for number in of_children.iter().filter(|number| **number != NO_KEY) {
            ends[*number as usize] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            begin += std::mem::replace(end, begin);
        }
        // Each child goes to the end of its key's part, whose end moves on.
        let mut order = vec![0_u32; begin as usize];
        for (row, number) in of_children.iter().enumerate().filter(|(_, number)| **number != NO_KEY) {
            let end = &mut ends[*number as usize];
            order[*end as usize] = row as u32;
            *end += 1;
        }
        KeyedRows { of_parents: self.of_parents, ends, order }
    }
}
