//! Sequences behind columns. One that no column owns is not ours and stays.

use super::DiffCx;
use super::renames::{order, temporary};
use crate::ir::NativeType;
use crate::sql::change::Change;
use crate::sql::data_type::DataType;
use crate::sql::normalize::Origin;
use crate::sql::state::{Column, ColumnDefault, ObjectName, Sequence, State};

pub(super) fn diff_sequences(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    let mut renames = Vec::new();
    let mut altered = Vec::new();
    for next in &cx.next.sequences {
        match find(cx, previous, next) {
            Some(old) => {
                if old.name != next.name && cx.origin == Origin::Schemas {
                    renames.push((old.name.clone(), next.name.clone()));
                }
                if !serves(cx, old, next) {
                    let name = if cx.origin == Origin::Schemas { &next.name } else { &old.name };
                    let to = Sequence { name: name.clone(), ..next.clone() };
                    altered.push(Change::AlterSequence(Box::new((old.clone(), to))));
                }
            }
            None if is_counted_otherwise(previous, next) => {}
            None => altered.push(Change::CreateSequence(next.clone())),
        }
    }
    let occupied = previous.sequences.iter().map(|sequence| sequence.name.clone()).collect();
    let set_aside = |name: &ObjectName, number| name.sibling(&temporary(&name.name, number));
    let renames = order(renames, occupied, set_aside);
    changes.extend(renames.into_iter().map(|(from, to)| Change::RenameSequence { from, to }));
    changes.extend(altered);
    let gone = previous.sequences.iter().filter(|old| is_gone(cx, old));
    changes.extend(gone.cloned().map(Change::DropSequence));
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
    let free = || previous.sequence(&next.name).filter(|old| old.owned_by.is_none());
    // In a database a column may own another sequence than the one it counts with.
    let counting = if cx.origin == Origin::Printed { used() } else { None };
    counting.or_else(|| previous.sequences.iter().find(same_owner)).or_else(used).or_else(free)
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
    }
}

/// An identity column, or a default from a sequence that the picture does not hold.
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
