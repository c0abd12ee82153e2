//! Changes of several rows, each with its own values, in one statement if they set the same columns.

use futures_util::future::try_join_all;

use super::keys::runs;
use super::nested::{change_one, key_condition};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{Cell, Condition, Insert, Key, SetTo, Sets};
use crate::sql::{self, BulkUpdate, InputRows};
use crate::value::Param;

/// Changes rows by their keys. They also have to match a condition.
pub(super) async fn update_each(
    session: Session<'_>,
    relation: &'static Relation,
    condition: &Condition,
    updates: Vec<(Key, Sets)>,
) -> Result<()> {
    for run in runs(updates, |(key, _)| key) {
        if let Some(update) = in_one(relation, &run) {
            let expected = run.len() as u64;
            let statement = sql::update_each_statement(session.unshaped(), update, condition);
            if session.execute(statement, relation.child).await? < expected {
                return Err(Error::not_related(relation, Lookup::Update));
            }
        } else if run.iter().all(|(key, sets)| keeps_its_place(relation, key, sets)) {
            // They concern different rows, so they need not wait for each other.
            try_join_all(run.into_iter().map(|update| one(session, relation, condition, update))).await?;
        } else {
            for update in run {
                one(session, relation, condition, update).await?;
            }
        }
    }
    Ok(())
}

async fn one(
    session: Session<'_>,
    relation: &'static Relation,
    condition: &Condition,
    (key, sets): (Key, Sets),
) -> Result<()> {
    let condition = condition.clone().and(key_condition(&key));
    change_one(session, relation.child, condition, sets, Vec::new()).await.map_err(|error| error.through(relation))
}

/// Returns whether a change keeps the key and the parent of the row.
fn keeps_its_place(relation: &Relation, key: &Key, sets: &Sets) -> bool {
    let in_key = |column: &u16| key.iter().any(|(known, _)| known == column);
    sets.iter().all(|(column, _)| !in_key(column) && !relation.child_columns.contains(column))
}

/// Returns the value of an assignment that can differ from row to row in one statement.
pub(super) fn value(to: &SetTo) -> Option<&Param> {
    match to {
        SetTo::Value(value)
        | SetTo::Add(value)
        | SetTo::Subtract(value)
        | SetTo::Multiply(value)
        | SetTo::Divide(value) => Some(value),
        SetTo::Append(_)
        | SetTo::Computed(_)
        | SetTo::JsonFields(_)
        | SetTo::Lookup { .. }
        | SetTo::Excluded
        | SetTo::Default => None,
    }
}

/// Returns the changes as one statement, if they set the same columns and do not change the columns of the condition.
fn in_one(relation: &'static Relation, updates: &[(Key, Sets)]) -> Option<BulkUpdate> {
    let [(key, sets), others @ ..] = updates else { return None };
    let uniform = |(other_key, other_sets): &(Key, Sets)| {
        let same_key = key.iter().map(|(column, _)| column).eq(other_key.iter().map(|(column, _)| column));
        let same_form = |((a, to_a), (b, to_b)): (&(u16, SetTo), &(u16, SetTo))| {
            a == b && std::mem::discriminant(to_a) == std::mem::discriminant(to_b)
        };
        same_key && sets.len() == other_sets.len() && sets.iter().zip(other_sets).all(same_form)
    };
    let has_values = sets.iter().all(|(_, to)| value(to).is_some());
    if others.is_empty() || sets.is_empty() || !has_values || !others.iter().all(uniform) {
        return None;
    }
    if !keeps_its_place(relation, key, sets) {
        return None;
    }
    let table: &'static Table = relation.child;
    let columns: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
    let mut given = InputRows::new(table, &columns);
    given.add_columns(table, &sets.iter().map(|(column, _)| *column).collect::<Vec<_>>());
    for (key, sets) in updates {
        let values = sets.iter().filter_map(|(_, to)| value(to)).cloned();
        given.push(key.iter().map(|(_, value)| value.clone()).chain(values));
    }
    Some(BulkUpdate { table, key: columns, sets: sets.clone(), given })
}

/// Returns the changes of an upsert, if one statement can make them for all rows: they are the same for each, or each
/// sets the value that the row would have been created with.
pub(super) fn common_sets(rows: &[(Key, Insert, Sets)]) -> Option<Sets> {
    let [(_, _, sets), others @ ..] = rows else { return None };
    let columns = |sets: &Sets| sets.iter().map(|(column, _)| *column).collect::<Vec<_>>();
    if !others.iter().all(|(_, _, other)| columns(other) == columns(sets)) {
        return None;
    }
    let common = |(place, (column, to)): (usize, &(u16, SetTo))| {
        if others.iter().all(|(_, _, other)| is_same(to, &other[place].1)) {
            return Some((*column, to.clone()));
        }
        let as_created = rows.iter().all(|(_, row, sets)| is_value_of(row, *column, &sets[place].1));
        as_created.then_some((*column, SetTo::Excluded))
    };
    sets.iter().enumerate().map(common).collect()
}

fn is_same(a: &SetTo, b: &SetTo) -> bool {
    let values = (value(a), value(b));
    std::mem::discriminant(a) == std::mem::discriminant(b) && matches!(values, (Some(a), Some(b)) if a == b)
}

fn is_value_of(row: &Insert, column: u16, to: &SetTo) -> bool {
    let cell = row.cells.iter().find(|(known, _)| *known == column);
    matches!((cell, to), (Some((_, Cell::Value(cell))), SetTo::Value(value)) if cell == value)
}
