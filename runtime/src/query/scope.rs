//! Scopes: which rows a call wants besides those that are in them, and what a deletion of marked rows does.

use super::condition::Condition;
use super::expression::{Now, Operand};
use super::write::{SetTo, Sets};
use crate::meta::{Lifted, Table};
use crate::value::Param;

/// The reason why a key that is unique only among rows that are not deleted is refused for other rows.
const LIVE_KEY: &str = "this key is unique among rows that are not deleted only: use a key that is unique among all rows, \
    such as the id, or `find_many` with a filter";

/// What a deletion does to the rows of its own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Marks them if the model has `@softDelete`, and removes them otherwise.
    AsDeclared,
    /// Removes them.
    Hard,
}

impl Removal {
    /// Returns the changes that mark rows as deleted; `None` if rows are removed.
    pub(crate) fn marks(self, table: &Table) -> Option<Sets> {
        let soft_delete = table.soft_delete.filter(|_| self == Removal::AsDeclared)?;
        Some(vec![(soft_delete.column, SetTo::Computed(Operand::Now(Now::TRANSACTION)))])
    }
}

impl Table {
    /// Returns the changes that make deleted rows rows again.
    pub(crate) fn restores(&self) -> Sets {
        self.soft_delete.iter().map(|soft_delete| (soft_delete.column, SetTo::Value(Param::Null))).collect()
    }

    /// Returns whether a key is unique only among rows that are not deleted.
    pub(crate) fn is_live_key_of(&self, key: &[(u16, Param)]) -> bool {
        self.soft_delete.is_some() && self.is_live_key(&key.iter().map(|(column, _)| *column).collect::<Vec<_>>())
    }

    /// If a key is unique only among rows that are not deleted, changes it so that it cannot be sent.
    pub(crate) fn refuse_live_key(&self, key: &mut [(u16, Param)]) {
        if self.is_live_key_of(key)
            && let Some((_, value)) = key.first_mut()
        {
            *value = Param::Misuse(LIVE_KEY);
        }
    }
}

impl Condition {
    /// Remembers that the condition is a key that is unique only among rows that are not deleted.
    pub(crate) fn by_live_key(self) -> Condition {
        self.lifting(|lifted| lifted.by_live_key = true)
    }

    /// Also wants rows that are deleted.
    pub(crate) fn with_deleted(self) -> Condition {
        self.showing_deleted(|lifted| {
            lifted.scopes |= Lifted::DELETED;
            lifted.only_deleted = false;
        })
    }

    /// Wants only rows that are deleted.
    pub(crate) fn only_deleted(self) -> Condition {
        self.showing_deleted(|lifted| lifted.only_deleted = true)
    }

    /// Lifts the scope of `@@scope` at this position.
    pub(crate) fn unscoped(self, place: usize) -> Condition {
        self.lifting(|lifted| lifted.scopes |= Lifted::bit_of(place))
    }

    fn showing_deleted(self, change: impl FnOnce(&mut Lifted)) -> Condition {
        let condition = self.lifting(change);
        if !condition.lifted().by_live_key {
            return condition;
        }
        condition.and(Condition::Refused(Param::Misuse(LIVE_KEY)))
    }
}
