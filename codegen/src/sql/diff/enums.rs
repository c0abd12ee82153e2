//! Enum types: values that can be added, and types that have to be created again.

use std::collections::BTreeSet;

use super::DiffCx;
use super::renames::temporary;
use crate::sql::change::{Change, Place};
use crate::sql::state::{EnumType, ObjectName, State};

/// Adds the changes. Returns the enums that are replaced.
pub(super) fn diff_enums(cx: &DiffCx<'_>, whole: &State, changes: &mut Vec<Change>) -> BTreeSet<ObjectName> {
    let mut replaced = BTreeSet::new();
    for next in &cx.next.enums {
        match whole.enum_type(&next.name) {
            None => changes.push(Change::CreateEnum(next.clone())),
            Some(previous) if previous.labels == next.labels => {}
            Some(previous) if is_extended(previous, next) => changes.extend(added_labels(previous, next)),
            Some(previous) => {
                replaced.insert(next.name.clone());
                let temporary_name = temporary_name(cx, whole, &next.name);
                changes.push(Change::ReplaceEnum { previous: previous.clone(), next: next.clone(), temporary_name });
            }
        }
    }
    let dropped = whole.enums.iter().filter(|old| cx.next.enum_type(&old.name).is_none());
    changes.extend(dropped.cloned().map(Change::DropEnum));
    replaced
}

/// Returns a temporary name for the old type. A table has a type of its name, too.
fn temporary_name(cx: &DiffCx<'_>, previous: &State, name: &ObjectName) -> String {
    let is_free = |temporary_name: &String| {
        let temporary_name = name.sibling(temporary_name);
        [previous, cx.next]
            .iter()
            .all(|state| state.enum_type(&temporary_name).is_none() && state.table(&temporary_name).is_none())
    };
    (0..).map(|number| temporary(&name.name, number)).find(is_free).unwrap_or_default()
}

/// Returns whether all old values still exist, in their order.
fn is_extended(previous: &EnumType, next: &EnumType) -> bool {
    let kept = next.labels.iter().filter(|label| previous.labels.contains(label));
    kept.eq(&previous.labels)
}

/// Returns the new values from last to first, so that the value before which each one is placed already exists.
fn added_labels(previous: &EnumType, next: &EnumType) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut following: Option<&String> = None;
    for label in next.labels.iter().rev() {
        if !previous.labels.contains(label) {
            changes.push(Change::AddLabel {
                enum_name: next.name.clone(),
                label: label.clone(),
                place: following.map_or(Place::End, |following| Place::Before(following.clone())),
            });
        }
        following = Some(label);
    }
    changes
}
