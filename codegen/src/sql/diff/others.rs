//! What no schema speaks of, between two databases. A schema on either side says nothing about it, and so changes
//! nothing.

use std::collections::BTreeSet;

use super::DiffCx;
use crate::sql::change::Change;
use crate::sql::state::{Other, OtherKind, State};

pub(super) fn diff_others(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    if !cx.previous_is_database || !cx.next_is_database {
        return;
    }
    let same_thing = |a: &Other, b: &Other| a.kind == b.kind && a.name == b.name;
    let in_the_way = in_the_way(cx, previous, changes);
    for old in &previous.others {
        match cx.next.others.iter().find(|next| same_thing(old, next)) {
            None => changes.push(Change::DropOther(old.clone())),
            Some(next) if in_the_way.contains(&(old.kind, old.name.as_str())) => {
                let next = Other { change: None, ..next.clone() };
                changes.push(Change::ReplaceOther(Box::new((old.clone(), next))));
            }
            Some(next) if next.create != old.create => {
                changes.push(Change::ReplaceOther(Box::new((old.clone(), next.clone()))));
            }
            Some(_) => {}
        }
    }
    let is_new = |next: &&Other| !previous.others.iter().any(|old| same_thing(old, next));
    changes.extend(cx.next.others.iter().filter(is_new).cloned().map(Change::CreateOther));
}

/// Views over columns that change, and whatever stands on a view that goes: it cannot stay while that happens.
fn in_the_way<'p>(cx: &DiffCx<'_>, previous: &'p State, changes: &[Change]) -> BTreeSet<(OtherKind, &'p str)> {
    let touched = |other: &Other| {
        other.uses.iter().any(|(table, column)| {
            changes.iter().any(|change| match change {
                Change::AlterColumn { table: name, previous, next, enum_replaced, .. } => {
                    let retyped = *enum_replaced || previous.is_retyped(next);
                    retyped && name == table && column.as_ref() == Some(&next.name)
                }
                Change::DropColumn { table: name, column: gone } => {
                    name == table && column.as_ref() == Some(&gone.name)
                }
                Change::DropTable(gone) => gone.name == *table,
                _ => false,
            })
        })
    };
    let is_view = |other: &Other| matches!(other.kind, OtherKind::View | OtherKind::MaterializedView);
    let differs = |old: &Other| {
        !cx.next.others.iter().any(|next| next.kind == old.kind && next.name == old.name && next.create == old.create)
    };
    let views = previous.others.iter().filter(|old| is_view(old));
    let mut going: Vec<&Other> = views.filter(|old| touched(old) || differs(old)).collect();
    let mut found: BTreeSet<_> = going.iter().map(|other| (other.kind, other.name.as_str())).collect();
    while let Some(gone) = going.pop() {
        for other in &previous.others {
            let stands_on_it = other.uses.iter().any(|(name, _)| name.to_string() == gone.name);
            if stands_on_it && found.insert((other.kind, other.name.as_str())) {
                going.push(other);
            }
        }
    }
    found
}
