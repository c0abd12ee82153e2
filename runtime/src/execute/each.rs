//! `update_each`: rows are changed by their keys, each in its own way. Those that set the same columns share a statement.

use futures_util::future::{BoxFuture, FutureExt, try_join_all};

use super::changes::value;
use super::insert::{Placed, explain_lookup, in_order, marked};
use super::keys::KeySet;
use super::{nested, read};
use crate::connection::Session;
use crate::error::Result;
use crate::meta::{ClientDefault, Relation, Table};
use crate::query::{Condition, Key, MAX_ROWS, Outcome, Place, Select, SetTo, Sets, generate};
use crate::rows::Node;
use crate::sql::{self, BulkUpdate, Context, InputRows, Statement};
use crate::value::Param;

/// The numbers of changes that one statement makes.
type Group = Vec<usize>;

/// Returns whether it needs several statements.
pub(super) fn needs_transaction(table: &'static Table, changes: &[(Key, Sets)]) -> bool {
    changes.len() > 1 && runs(table, changes).iter().flatten().count() > 1
}

/// Returns the only statement, if there is only one.
pub(super) fn single_statement(
    context: Context<'_>,
    table: &'static Table,
    changes: &[(Key, Sets)],
    returning: bool,
) -> Option<Statement> {
    let mut groups = runs(table, changes).into_iter().flatten();
    let group = groups.next()?;
    let (_, sets) = &changes[group[0]];
    // What nothing is set for is read, and the number of rows is not that of a write.
    let is_written = is_bulk(table, sets) && !sets.is_empty();
    (groups.next().is_none() && is_written).then(|| bulk_statement(context, table, changes, &group, returning))
}

/// Returns the outcome for the number of rows that the only statement wrote.
pub(super) fn counted(changes: &[(Key, Sets)], updated: u64) -> Outcome {
    Outcome::Each { updated, missing: (changes.len() as u64).saturating_sub(updated) }
}

/// Returns the outcome for the rows of the only statement.
pub(super) fn outcome_of(table: &'static Table, changes: &[(Key, Sets)], node: Node) -> Result<Outcome> {
    let placed = marked(node, &Vec::from_iter(0..changes.len()))?;
    Ok(placed_outcome(table, placed, changes.len()))
}

fn placed_outcome(table: &'static Table, placed: Vec<Placed>, total: usize) -> Outcome {
    let (rows, places) = in_order(placed, total);
    let updated = |place: Place| place.row().map_or(Place::Nothing, Place::Updated);
    Outcome::Placed(Node::new(table, rows), places.into_iter().map(updated).collect())
}

/// Makes the changes.
pub(super) fn update_each<'a>(
    session: Session<'a>,
    table: &'static Table,
    changes: Vec<(Key, Sets)>,
    returning: bool,
) -> BoxFuture<'a, Result<Outcome>> {
    async move {
        let (mut updated, mut placed) = (0, Vec::new());
        for run in runs(table, &changes) {
            // The changes of a run concern different rows, so they need not wait for each other.
            let written = run.iter().map(|group| write_group(session, table, &changes, group, returning));
            for written in try_join_all(written).await? {
                updated += written.count;
                placed.extend(written.rows);
            }
        }
        Ok(if returning { placed_outcome(table, placed, changes.len()) } else { counted(&changes, updated) })
    }
    .boxed()
}

struct Written {
    count: u64,
    rows: Vec<Placed>,
}

async fn write_group(
    session: Session<'_>,
    table: &'static Table,
    changes: &[(Key, Sets)],
    group: &[usize],
    returning: bool,
) -> Result<Written> {
    let (key, sets) = &changes[group[0]];
    if !is_bulk(table, sets) {
        return write_one(session, table, key, sets, group[0]).await;
    }
    let statement = bulk_statement(session.unshaped(), table, changes, group, returning);
    if !returning && !sets.is_empty() {
        return Ok(Written { count: session.execute(statement, table).await?, rows: Vec::new() });
    }
    let rows = marked(Node::new(table, session.query(statement, table).await?), group)?;
    Ok(Written { count: rows.len() as u64, rows })
}

/// Makes a change that needs a statement of its own.
async fn write_one(
    session: Session<'_>,
    table: &'static Table,
    key: &Key,
    sets: &Sets,
    position: usize,
) -> Result<Written> {
    let condition = nested::key_condition(key);
    let rows = if sets.is_empty() {
        let mut select = Select::new(table);
        select.filter(condition);
        read::read(&session, &select, &[]).await?.into_rows()
    } else {
        let looked_up = lookups_of(sets);
        let statement = sql::update_statement(session.unshaped(), table, &condition, sets, true);
        session.query(statement, table).await.map_err(|error| explain_lookup(error, table, &looked_up))?
    };
    let rows: Vec<_> = rows.into_iter().map(|row| Placed { position, existed: true, row }).collect();
    Ok(Written { count: rows.len() as u64, rows })
}

fn lookups_of(sets: &Sets) -> Vec<(u16, &'static Relation)> {
    let lookup = |(column, to): &(u16, SetTo)| match to {
        SetTo::Lookup { relation, .. } => Some((*column, *relation)),
        _ => None,
    };
    sets.iter().filter_map(lookup).collect()
}

/// Returns the changes in runs, which are made one after another, and those of a run in groups of one statement each. In
/// a run, no key occurs twice, all keys have the same columns, and no change sets one of these: so a later change never
/// meets a row that an earlier one has not changed yet.
fn runs(table: &'static Table, changes: &[(Key, Sets)]) -> Vec<Vec<Group>> {
    let mut runs: Vec<Vec<Group>> = Vec::new();
    let mut met = KeySet::default();
    let mut is_closed = true;
    for (number, (key, sets)) in changes.iter().enumerate() {
        let columns = || key.iter().map(|(column, _)| *column);
        let moves = sets.iter().any(|(column, _)| columns().any(|known| known == *column));
        let before = number.checked_sub(1).map(|before| &changes[before].0);
        let same_columns = before.is_some_and(|before| before.iter().map(|(column, _)| *column).eq(columns()));
        let is_new = met.add(key).1;
        if is_closed || moves || !same_columns || !is_new {
            met = KeySet::default();
            met.add(key);
            runs.push(Vec::new());
        }
        is_closed = moves;
        let Some(run) = runs.last_mut() else { continue };
        let fits = |group: &&mut Group| {
            let (_, first) = &changes[group[0]];
            is_bulk(table, sets) && have_same_form(first, sets) && group.len() < most_rows(table, key, sets)
        };
        match run.iter_mut().rev().find(fits) {
            Some(group) => group.push(number),
            None => run.push(vec![number]),
        }
    }
    runs
}

/// Returns whether two rows set the same columns in the same way.
fn have_same_form(a: &Sets, b: &Sets) -> bool {
    let form = |sets: &Sets| sets.iter().map(|(column, to)| (*column, std::mem::discriminant(to))).collect::<Vec<_>>();
    form(a) == form(b)
}

/// Returns whether a statement can set these columns for many rows.
fn is_bulk(table: &Table, sets: &Sets) -> bool {
    !table.is_on_citus && sets.iter().all(|(_, to)| value(to).is_some() || matches!(to, SetTo::Default))
}

/// The maximum number of rows in one statement.
fn most_rows(table: &Table, key: &Key, sets: &Sets) -> usize {
    let numbers = key.iter().map(|(column, _)| column).chain(sets.iter().map(|(column, _)| column));
    MAX_ROWS.min(sql::rows_per_statement(numbers.map(|column| &table.columns[usize::from(*column)])))
}

/// Returns the statement for changes of one form, which numbers the rows that it returns.
fn bulk_statement(
    context: Context<'_>,
    table: &'static Table,
    changes: &[(Key, Sets)],
    group: &[usize],
    returning: bool,
) -> Statement {
    let (key, sets) = &changes[group[0]];
    let key: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
    let mut given = InputRows::new(table, &key);
    let valued: Vec<u16> = sets.iter().filter(|set| has_value(table, set)).map(|(column, _)| *column).collect();
    given.add_columns(table, &valued);
    for number in group {
        let (key, sets) = &changes[*number];
        let values = sets.iter().filter(|set| has_value(table, set)).map(|(column, to)| value_of(table, *column, to));
        given.push(key.iter().map(|(_, value)| value.clone()).chain(values));
    }
    if returning || sets.is_empty() {
        given.number(0, group.len());
    }
    if sets.is_empty() {
        return sql::read_each_statement(context, table, &key, given);
    }
    let made = |set: &(u16, SetTo)| match set {
        (column, SetTo::Default) if has_value(table, set) => (*column, SetTo::Value(Param::Null)),
        set => set.clone(),
    };
    let sets = sets.iter().map(made).collect();
    sql::update_each_statement(context, BulkUpdate { table, key, sets, given }, &Condition::ALL)
}

/// Returns whether each row has its own value: also of a default, if the client generates it.
fn has_value(table: &Table, (column, to): &(u16, SetTo)) -> bool {
    let column = &table.columns[usize::from(*column)];
    value(to).is_some() || column.default != ClientDefault::None && !column.updated_at
}

fn value_of(table: &Table, column: u16, to: &SetTo) -> Param {
    value(to).cloned().unwrap_or_else(|| generate(table.columns[usize::from(column)].default))
}
