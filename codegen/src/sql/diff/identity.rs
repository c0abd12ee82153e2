//! Which hints of a rename still mean something: what is called so in the schema was called otherwise before.

use std::collections::{BTreeMap, BTreeSet};

/// What the schemas on both sides say of a name under which something goes in the database.
///
/// A hint is used up by the migration that it was written for: then the thing has its new name already. And it does not
/// take a name from something that keeps it.
pub(super) struct Identity<'k, N> {
    /// Name in the schema and name in the database, before; none if a database is all that is known.
    previous: Option<BTreeMap<&'k str, &'k N>>,
    /// What is called the same on both sides, in the schema and in the database.
    kept: BTreeSet<&'k N>,
}

impl<'k, N: Ord> Identity<'k, N> {
    pub(super) fn new(previous: Option<Vec<(&'k str, &'k N)>>, next: Vec<(&'k str, &'k N)>) -> Self {
        let previous: Option<BTreeMap<_, _>> = previous.map(|names| names.into_iter().collect());
        let is_kept = |(key, name): &(&str, &'k N)| previous.as_ref().is_some_and(|old| old.get(key) == Some(name));
        let kept = next.into_iter().filter(is_kept).map(|(_, name)| name).collect();
        Self { previous, kept }
    }

    /// What it was called in the database.
    pub(super) fn before(&self, key: &str) -> Option<&'k N> {
        self.previous.as_ref()?.get(key).copied()
    }

    /// Whether what is called `key` was called `to` before, as it is now.
    pub(super) fn is_done(&self, key: &str, to: &N, is_there: impl FnOnce(&N) -> bool) -> bool {
        if self.previous.is_none() { is_there(to) } else { self.before(key) == Some(to) }
    }

    /// Whether something was called `from` and still is.
    pub(super) fn is_kept(&self, from: &N, is_next: impl FnOnce(&N) -> bool) -> bool {
        if self.previous.is_none() { is_next(from) } else { self.kept.contains(from) }
    }
}
