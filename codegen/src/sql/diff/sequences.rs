//! Sequences of columns. A sequence that no column owns belongs to another program and stays.

use super::DiffCx;
use super::renames::{order, temporary};
use crate::ir::NativeType;
use crate::sql::change::Change;
use crate::sql::data_type::DataType;
use crate::sql::normalize::Origin;
use crate::sql::state::{Column, ColumnDefault, ObjectName, Other, OtherKind, Sequence, SequenceOptions, State};

pub(super) fn diff_sequences(cx: &DiffCx<'_>, state: &mut State, changes: &mut Vec<Change>) {
    let previous = &*state;
    let keeps_names = cx.origin == Origin::Printed;
    let mut renames = Vec::new();
    let mut altered = Vec::new();
    for next in &cx.next.sequences {
        match find(cx, previous, next) {
            Some(old) => {
                if old.name != next.name && !keeps_names {
                    renames.push((old.name.clone(), next.name.clone()));
                }
                if !serves(cx, old, next) && !is_narrow_before(cx, previous, next) {
                    let name = if keeps_names { &old.name } else { &next.name };
                    // No schema says how a sequence counts.
                    let options = if keeps_names { &old.options } else { &next.options };
                    let to = Sequence { name: name.clone(), options: options.clone(), ..next.clone() };
                    altered.push(Change::AlterSequence(Box::new((old.clone(), to))));
                }
            }
            None if cx.origin != Origin::Catalogs && is_counted_otherwise(previous, next) => {}
            None => match idle(previous, next) {
                Some(old) => altered.push(Change::AlterSequence(Box::new((old, next.clone())))),
                None => altered.push(Change::CreateSequence(next.clone())),
            },
        }
    }
    let occupied = previous.sequences.iter().map(|sequence| sequence.name.clone()).collect();
    let set_aside = |name: &ObjectName, number| name.sibling(&temporary(&name.name, number));
    let ordered = order(renames.clone(), occupied, set_aside);
    changes.extend(ordered.into_iter().map(|(from, to)| Change::RenameSequence { from, to }));
    changes.extend(altered);
    let matched: Vec<_> = cx.next.sequences.iter().filter_map(|next| find(cx, previous, next)).collect();
    let is_unused = |old: &Sequence| {
        let is_idle = |it: &Other| it.kind == OtherKind::Sequence && it.name == old.name.to_string();
        cx.origin == Origin::Catalogs
            && old.owned_by.is_none()
            && !matched.contains(&old)
            && !cx.next.others.iter().any(is_idle)
    };
    let gone = previous.sequences.iter().filter(|old| is_gone(cx, old) || is_unused(old));
    changes.extend(gone.cloned().map(Change::DropSequence));
    rename_in_defaults(state, &renames);
}

/// One that is there and that no column uses yet. How it counts is said anew.
fn idle(previous: &State, next: &Sequence) -> Option<Sequence> {
    let is_it = |other: &Other| other.kind == OtherKind::Sequence && other.name == next.name.to_string();
    let options = SequenceOptions { increment: 0, ..SequenceOptions::default() };
    let ty = DataType::Other(String::new());
    let old = Sequence { name: next.name.clone(), ty, owned_by: None, options };
    previous.others.iter().any(is_it).then_some(old)
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

/// The sequence that does the same work: of the same column, or free and of the same name.
fn find<'p>(cx: &DiffCx<'_>, previous: &'p State, next: &Sequence) -> Option<&'p Sequence> {
    let same_owner = |old: &&Sequence| next.owned_by.is_some() && old.owned_by == next.owned_by;
    let used = || {
        let (table, column) = next.owned_by.as_ref()?;
        match &previous.table(table)?.column(column)?.default {
            Some(ColumnDefault::Sequence(name)) => previous.sequence(name),
            _ => None,
        }
    };
    // One that no column owns any more is the one of that name; no schema has such.
    let named = || previous.sequence(&next.name).filter(|old| old.owned_by.is_none() || next.owned_by.is_none());
    // In a database a column may own another sequence than the one it counts with.
    let counting = if cx.origin == Origin::Printed { used() } else { None };
    counting.or_else(|| previous.sequences.iter().find(same_owner)).or_else(used).or_else(named)
}

/// Old servers made all sequences bigint: a wider one is as good.
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

/// Whether a live column has the wider type already: its narrow sequence is no business of a schema then, and `pull` tells
/// of it.
fn is_narrow_before(cx: &DiffCx<'_>, previous: &State, next: &Sequence) -> bool {
    let Some((table, column)) = &next.owned_by else { return false };
    let ty = |state: &State| state.table(table).and_then(|it| it.column(column)).map(|it| it.ty.clone());
    cx.origin == Origin::Printed && ty(previous).is_some() && ty(previous) == ty(cx.next)
}

/// An identity column, or a default from a sequence that the state does not contain.
fn is_counted_otherwise(previous: &State, next: &Sequence) -> bool {
    let column = |(table, column): &(ObjectName, String)| previous.table(table)?.column(column);
    let counts =
        |column: &Column| column.identity.is_some() || matches!(column.default, Some(ColumnDefault::Sequence(_)));
    next.owned_by.as_ref().and_then(column).is_some_and(counts)
}

/// Whether it must be dropped by itself: its column stays, but counts no more.
fn is_gone(cx: &DiffCx<'_>, old: &Sequence) -> bool {
    let Some((table, column)) = &old.owned_by else { return false };
    let Some(column) = cx.next.table(table).and_then(|table| table.column(column)) else { return false };
    !matches!(column.default, Some(ColumnDefault::Sequence(_) | ColumnDefault::Unmanaged))
}
