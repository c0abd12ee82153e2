//! Numbers keys, and finds repeated ones.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::query::Key;

/// Distinct keys, numbered in order of first occurrence.
#[derive(Default)]
pub(super) struct KeySet {
    /// The numbers of the keys with this hash.
    numbers: HashMap<u64, Vec<usize>>,
    keys: Vec<Key>,
    hasher: RandomState,
}

impl KeySet {
    /// Returns the number of a key, and whether it is new.
    pub(super) fn add(&mut self, key: &Key) -> (usize, bool) {
        let hash = self.hasher.hash_one(Hashed(key));
        let same_hash = self.numbers.entry(hash).or_default();
        if let Some(known) = same_hash.iter().find(|number| self.keys[**number] == *key) {
            return (*known, false);
        }
        let number = self.keys.len();
        same_hash.push(number);
        self.keys.push(key.clone());
        (number, true)
    }
}

struct Hashed<'k>(&'k Key);

impl std::hash::Hash for Hashed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for (column, value) in self.0 {
            column.hash(state);
            value.hash_into(state);
        }
    }
}

/// Splits items into runs without repeated keys, so that writes to the same row stay in order.
pub(super) fn runs<T>(things: Vec<T>, key: impl Fn(&T) -> &Key) -> Vec<Vec<T>> {
    let mut runs: Vec<Vec<T>> = Vec::new();
    let mut met = KeySet::default();
    for thing in things {
        let is_new = met.add(key(&thing)).1;
        if !is_new {
            met = KeySet::default();
            met.add(key(&thing));
        }
        match runs.last_mut() {
            Some(run) if is_new => run.push(thing),
            _ => runs.push(vec![thing]),
        }
    }
    runs
}
