//! Sequences of columns. A sequence that no column owns belongs to another program and stays.

use std::collections::BTreeSet;

use super::DiffCx;
use super::renames::{order, temporary};
use crate::ir::NativeType;
use crate::sql::change::Change;
use crate::sql::data_type::DataType;
use crate::sql::normalize::Origin;
use crate::sql::state::{Column, ColumnDefault, ObjectName, Sequence, State};

pub(super) fn diff_sequences(cx: &DiffCx<'_>, state: &mut State, changes: &mut Vec<Change>) {
    let previous = &*state;
    let keeps_names = cx.origin == Origin::Printed;
    let mut renames = Vec::new();
    let mut altered = Vec::new();
    let pairs = pairs(cx, previous);
    for (next, old) in &pairs {
        match *old {
            Some(old) => {
                if old.name != next.name && !keeps_names {
                    renames.push((old.name.clone(), next.name.clone()));
                }
                if !serves(cx, old, next) && !is_narrow_before(cx, previous, next) {
                    let name = if keeps_names { &old.name } else { &next.name };
                    // No schema declares the options of a sequence.
                    let options = if keeps_names { &old.options } else { &next.options };
                    let to = Sequence { name: name.clone(), options: options.clone(), ..(*next).clone() };
                    altered.push(Change::AlterSequence(Box::new((old.clone(), to))));
                }
            }
            None if cx.origin == Origin::Printed && is_counted_otherwise(previous, next) => {}
            // A sequence that no column uses yet.
            None => match free(previous).find(|old| old.name == next.name) {
                Some(old) => altered.push(Change::AlterSequence(Box::new((old.clone(), (*next).clone())))),
                None => altered.push(Change::CreateSequence((*next).clone())),
            },
        }
    }
    if cx.origin == Origin::Catalogs {
        // A sequence that no column uses, or no longer uses.
        for next in free(cx.next) {
            let was_free = free(previous).find(|old| old.name == next.name);
            if let Some(old) = previous.sequence(&next.name).or(was_free).filter(|old| *old != next) {
                altered.push(Change::AlterSequence(Box::new((old.clone(), next.clone()))));
            }
        }
    }
    let kept: Vec<_> = pairs.iter().filter_map(|(_, old)| *old).collect();
    let is_dropped = |old: &&Sequence| match cx.origin {
        Origin::Catalogs => {
            !kept.contains(old) && !free(cx.next).any(|next| next.name == old.name) && !goes_along(cx, old)
        }
        _ => counts_no_more(cx, previous, old),
    };
    let (dropped, stay): (Vec<&Sequence>, Vec<&Sequence>) = previous.sequences.iter().partition(is_dropped);
    // A rename to the name of a dropped sequence waits until it is dropped.
    let occupied = stay.iter().map(|sequence| sequence.name.clone()).collect();
    let set_aside = |name: &ObjectName, number| name.sibling(&temporary(&name.name, number));
    let ordered = order(renames.clone(), occupied, set_aside);
    changes.extend(ordered.into_iter().map(|(from, to)| Change::RenameSequence { from, to }));
    changes.extend(altered);
    changes.extend(dropped.into_iter().cloned().map(Change::DropSequence));
    rename_in_defaults(state, &renames);
}

/// Returns the sequences that no column owns or uses.
fn free(state: &State) -> impl Iterator<Item = &Sequence> {
    state.others.iter().filter_map(|other| other.sequence.as_deref())
}

/// Returns each sequence with the sequence that it becomes, if there is one.
fn pairs<'s>(cx: &DiffCx<'s>, previous: &'s State) -> Vec<(&'s Sequence, Option<&'s Sequence>)> {
    if cx.origin != Origin::Catalogs {
        return cx.next.sequences.iter().map(|next| (next, find(cx, previous, next))).collect();
    }
    // A sequence is identified by its name, whatever owns it. Only a sequence without a namesake may have been renamed.
    let names: BTreeSet<_> = cx.next.sequences.iter().chain(free(cx.next)).map(|next| &next.name).collect();
    let mut taken = BTreeSet::new();
    let mut pair = |next: &'s Sequence| {
        if let Some(old) = previous.sequence(&next.name) {
            return Some(old);
        }
        let is_free = free(previous).any(|old| old.name == next.name);
        let old = find(cx, previous, next).filter(|old| !is_free && !names.contains(&old.name))?;
        taken.insert(&old.name).then_some(old)
    };
    cx.next.sequences.iter().map(|next| (next, pair(next))).collect()
}

/// Defaults follow the names of their sequences.
fn rename_in_defaults(state: &mut State, renames: &[(ObjectName, ObjectName)]) {
    for column in state.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if let Some(ColumnDefault::Sequence(name)) = &mut column.default
            && let Some((_, to)) = renames.iter().find(|(from, _)| from == name)
        {
            *name = to.clone();
        }
    }
}

/// Returns the sequence with the same purpose: of the same column, or without an owner and with the same name.
fn find<'p>(cx: &DiffCx<'_>, previous: &'p State, next: &Sequence) -> Option<&'p Sequence> {
    let same_owner = |old: &&Sequence| next.owned_by.is_some() && old.owned_by == next.owned_by;
    let used = || {
        let (table, column) = next.owned_by.as_ref()?;
        match &previous.table(table)?.column(column)?.default {
            Some(ColumnDefault::Sequence(name)) => previous.sequence(name),
            _ => None,
        }
    };
    // A sequence that no column owns any more is identified by its name; no schema declares one.
    let named = || previous.sequence(&next.name).filter(|old| old.owned_by.is_none() || next.owned_by.is_none());
    // In a database, a column may own another sequence than the one that its default uses.
    let counting = if cx.origin == Origin::Printed { used() } else { None };
    counting.or_else(|| previous.sequences.iter().find(same_owner)).or_else(used).or_else(named)
}

/// Old servers created all sequences as bigint. A wider sequence serves as well.
fn serves(cx: &DiffCx<'_>, old: &Sequence, next: &Sequence) -> bool {
    let width = |sequence: &Sequence| match sequence.ty {
        DataType::Native(NativeType::SmallInt) => 2,
        DataType::Native(NativeType::Integer) => 4,
        _ => 8,
    };
    match cx.origin {
        Origin::Schemas => width(old) == width(next),
        Origin::Printed => width(old) >= width(next),
        Origin::Catalogs => width(old) == width(next) && old.options == next.options && old.owned_by == next.owned_by,
    }
}

/// Returns whether a live column already has the wider type. Then the schema does not change its narrow sequence, and
/// `pull` reports it.
fn is_narrow_before(cx: &DiffCx<'_>, previous: &State, next: &Sequence) -> bool {
    let Some((table, column)) = &next.owned_by else { return false };
    let ty = |state: &State| state.table(table).and_then(|it| it.column(column)).map(|it| it.ty.clone());
    cx.origin == Origin::Printed && ty(previous).is_some() && ty(previous) == ty(cx.next)
}

/// Returns whether it is an identity column, or has a default from a sequence that the state does not contain.
fn is_counted_otherwise(previous: &State, next: &Sequence) -> bool {
    let column = |(table, column): &(ObjectName, String)| previous.table(table)?.column(column);
    let counts =
        |column: &Column| column.identity.is_some() || matches!(column.default, Some(ColumnDefault::Sequence(_)));
    next.owned_by.as_ref().and_then(column).is_some_and(counts)
}

/// Returns whether the sequence must be dropped explicitly: its column stays, but no longer uses it, and neither does
/// any other column. A sequence that its column never used as a default was not created by a schema.
fn counts_no_more(cx: &DiffCx<'_>, previous: &State, old: &Sequence) -> bool {
    let keeps = |column: &Column| matches!(column.default, Some(ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged));
    let uses = |column: &&Column| column.default == Some(ColumnDefault::Sequence(old.name.clone()));
    let Some((owner, name)) = &old.owned_by else { return false };
    let counted = previous.table(owner).and_then(|table| table.column(name)).filter(uses).is_some();
    let is_used = previous.tables.iter().any(|table| {
        let others = table.columns.iter().filter(uses).filter(|column| table.name != *owner || column.name != *name);
        others.filter_map(|column| cx.next.table(&table.name)?.column(&column.name)).any(keeps)
    });
    counted && !is_used && owner_afterwards(cx, old).is_some_and(|column| !keeps(column))
}

/// Returns whether the sequence is dropped with its column or table.
fn goes_along(cx: &DiffCx<'_>, old: &Sequence) -> bool {
    old.owned_by.is_some() && owner_afterwards(cx, old).is_none()
}

fn owner_afterwards<'n>(cx: &DiffCx<'n>, old: &Sequence) -> Option<&'n Column> {
    let (table, column) = old.owned_by.as_ref()?;
    cx.next.table(table)?.column(column)
}
