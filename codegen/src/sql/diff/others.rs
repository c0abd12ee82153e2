//! Objects that no schema declares, between two databases. In a comparison with a schema they do not change, except
//! that those which would be lost with a recreated column are created again.

use std::collections::BTreeSet;

use super::DiffCx;
use crate::sql::cast;
use crate::sql::change::Change;
use crate::sql::normalize::Origin;
use crate::sql::state::{ObjectName, Other, OtherKind, State, Use};

pub(super) fn diff_others(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    if cx.origin != Origin::Catalogs {
        if cx.previous_is_database {
            let lost: Vec<_> = previous.others.iter().filter(|old| is_lost(cx, old, changes)).collect();
            let again =
                |old: &Other| Change::ReplaceOther(Box::new((old.clone(), Other { change: None, ..old.clone() })));
            changes.extend(lost.into_iter().map(again));
        }
        return;
    }
    let same_thing = |a: &Other, b: &Other| a.kind == b.kind && a.name == b.name;
    let in_the_way = in_the_way(cx, previous, changes);
    for old in &previous.others {
        match cx.next.others.iter().find(|next| same_thing(old, next)) {
            // A column uses it from now on.
            None if is_sequence(cx.next, old) => {}
            None => changes.push(Change::DropOther(old.clone())),
            Some(next) if in_the_way.contains(&(old.kind, old.name.as_str())) => {
                let (restore, without_data) = (old.restore.clone(), old.without_data);
                let next = Other { change: None, restore, without_data, ..next.clone() };
                changes.push(Change::ReplaceOther(Box::new((old.clone(), next))));
            }
            // Sequences are compared elsewhere.
            Some(next) if next.create != old.create && next.sequence.is_none() => {
                changes.push(Change::ReplaceOther(Box::new((old.clone(), next.clone()))));
            }
            Some(_) => {}
        }
    }
    let is_new =
        |next: &&Other| !previous.others.iter().any(|old| same_thing(old, next)) && !is_sequence(previous, next);
    changes.extend(cx.next.others.iter().filter(is_new).cloned().map(Change::CreateOther));
}

/// Returns whether it would be dropped silently with a column or key that is recreated. PostgreSQL does not drop a view
/// silently.
fn is_lost(cx: &DiffCx<'_>, old: &Other, changes: &[Change]) -> bool {
    let goes_along = matches!(old.kind, OtherKind::Statistics | OtherKind::Settings | OtherKind::Comment);
    let comes_back = |change: &&Change| match change {
        Change::AlterColumn { .. } => true,
        Change::ReplaceObject { previous, next, .. } => previous.name() == next.name(),
        _ => false,
    };
    let is_reset = |change: &Change, used: &Use| {
        old.kind == OtherKind::Settings && keeps_texts(change) && takes_away(change, used, true)
    };
    let is_taken_away = |used: &Use| {
        changes.iter().filter(comes_back).any(|change| takes_away(change, used, false) || is_reset(change, used))
    };
    let stays = |used: &Use| match used {
        Use::Column(table, column) => cx.next.table(table).is_some_and(|table| table.column(column).is_some()),
        Use::Relation(_) | Use::Constraint(..) => true,
    };
    goes_along && old.part_of.is_none() && old.uses.iter().any(is_taken_away) && old.uses.iter().all(stays)
}

/// Returns whether a state has it as a sequence that a column uses.
fn is_sequence(state: &State, other: &Other) -> bool {
    other.kind == OtherKind::Sequence && state.sequences.iter().any(|it| it.name.to_string() == other.name)
}

/// Returns the views over columns that change, the objects that depend on dropped views, and the objects that are
/// dropped with a recreated column or key. All of these must be dropped first.
fn in_the_way<'p>(cx: &DiffCx<'_>, previous: &'p State, changes: &[Change]) -> BTreeSet<(OtherKind, &'p str)> {
    let is_view = |other: &Other| matches!(other.kind, OtherKind::View | OtherKind::MaterializedView);
    let differs = |old: &Other| {
        !cx.next.others.iter().any(|next| next.kind == old.kind && next.name == old.name && next.create == old.create)
    };
    let goes = |old: &&Other| {
        // A column of another type gets PostgreSQL's default storage.
        let by_type = is_view(old) || old.kind == OtherKind::Settings;
        let is_touched = old.uses.iter().any(|used| changes.iter().any(|change| takes_away(change, used, by_type)));
        is_touched || (is_view(old) && differs(old))
    };
    let mut going: Vec<&Other> = previous.others.iter().filter(goes).collect();
    let mut found: BTreeSet<_> = going.iter().map(|other| (other.kind, other.name.as_str())).collect();
    while let Some(dropped) = going.pop() {
        for other in previous.others.iter().filter(|_| is_view(dropped)) {
            let depends_on_it = other.uses.iter().any(|used| used.relation().to_string() == dropped.name)
                || other.part_of.as_ref().is_some_and(|view| view.to_string() == dropped.name);
            if depends_on_it && found.insert((other.kind, other.name.as_str())) {
                going.push(other);
            }
        }
    }
    found
}

/// Returns whether a text column stays a text column. Columns of other types are stored differently.
fn keeps_texts(change: &Change) -> bool {
    matches!(change, Change::AlterColumn { previous, next, .. } if cast::has_collation(previous) && cast::has_collation(next))
}

/// Returns whether a change drops or recreates what is used. With `by_type`, also whether it changes the type of the
/// column, which PostgreSQL refuses under a view.
fn takes_away(change: &Change, used: &Use, by_type: bool) -> bool {
    let is_column = |table: &ObjectName, column: &str| matches!(used, Use::Column(t, c) if t == table && c == column);
    match change {
        Change::AlterColumn { table, previous, next, enum_replaced, .. } => {
            let is_retyped = by_type && (*enum_replaced || previous.is_retyped(next));
            (is_retyped || previous.is_recreated(next)) && is_column(table, &next.name)
        }
        Change::DropColumn { table, column } => by_type && is_column(table, &column.name),
        Change::DropTable(dropped) => by_type && dropped.name == *used.relation(),
        Change::DropObject { table, object } | Change::ReplaceObject { table, previous: object, .. } => {
            matches!(used, Use::Constraint(t, name) if t == table && name == object.name())
        }
        _ => false,
    }
}
