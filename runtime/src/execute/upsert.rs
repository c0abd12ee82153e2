//! Upserts: rows that are inserted, or updated if their keys are taken.

use super::insert::{Group, Placed, add_row, empty_group, explain_lookup, fits, in_order, lookups_of, query_group};
use super::keys::KeySet;
use super::{children::which_are_there, level, nested, read};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{
    Action, BulkInsert, Cell, Condition, Insert, Key, Lock, NestedWrite, OnConflict, Returned, Select, SetTo, Sets,
    another_key,
};
use crate::rows::Node;
use crate::sql::{self, Context, Statement};
use crate::value::Param;

/// Inserts the row or, if its key is taken, updates the row that has it: one statement.
pub(super) async fn upsert(
    session: Session<'_>,
    row: Insert,
    key: Vec<(u16, Param)>,
    sets: Vec<(u16, SetTo)>,
) -> Result<Node> {
    upsert_if(session, row, key, sets, &Condition::ALL).await
}

/// Like [`upsert`], but it is an error if the existing row does not match `only_if`.
pub(super) async fn upsert_if(
    session: Session<'_>,
    mut row: Insert,
    key: Vec<(u16, Param)>,
    sets: Vec<(u16, SetTo)>,
    only_if: &Condition,
) -> Result<Node> {
    find_connected(session, &mut row).await?;
    if !row.before.is_empty() {
        complete(&mut row, &key)?;
        if let Some(node) = change_existing(session, &row, &key, &sets, only_if).await? {
            return Ok(node);
        }
    }
    level::write_parents(session, std::slice::from_mut(&mut row)).await?;
    if looks_up_first(&row) {
        find_others(session, &mut row).await?;
    }
    let (table, looked_up) = (row.table, lookups_of(&row));
    let statement = upsert_statement(session.unshaped(), row, &key, &sets, only_if)?;
    let rows = session.query(statement, table).await.map_err(|error| explain(error, table, &looked_up))?;
    if rows.is_empty() {
        return Err(Error::not_found(table.name, Lookup::Update));
    }
    Ok(Node::new(table, rows))
}

/// Finds the rows that a new row connects to, and locks them, so that they stay what they are until the row is written.
pub(super) async fn find_connected(session: Session<'_>, row: &mut Insert) -> Result<()> {
    let connects = |write: &NestedWrite| write.relation.referencing && matches!(write.action, Action::Connect(_));
    let (connected, others): (Vec<_>, Vec<_>) = std::mem::take(&mut row.after).into_iter().partition(connects);
    row.after = others;
    for NestedWrite { relation, action, .. } in connected {
        let Action::Connect(keys) = action else { continue };
        for key in keys {
            let mut select = Select::new(relation.child);
            select.filter(nested::key_condition(&key));
            select.lock = Some(Lock::SHARE);
            let found = read::read(&session, &select, &[]).await?;
            level::point_at(row, relation, &found, 0)?;
        }
    }
    Ok(())
}

/// Returns whether the rows that it references have to be read before. Citus refuses a subquery among VALUES, and loses the
/// parameters of ON CONFLICT behind a SELECT.
pub(super) fn looks_up_first(row: &Insert) -> bool {
    row.table.is_on_citus && row.looks_up()
}

/// Reads the rows that it references by other keys, and takes their columns.
async fn find_others(session: Session<'_>, row: &mut Insert) -> Result<()> {
    for cell in row.cells.iter_mut().map(|(_, cell)| cell) {
        let Cell::Lookup { relation, column, key } = cell else { continue };
        let mut select = Select::new(relation.child);
        select.filter(nested::key_condition(key));
        let node = read::read(&session, &select, &[]).await?;
        if node.len() == 0 {
            return Err(Error::not_related(relation, Lookup::Connect));
        }
        let value = node.cursor(0).raw(usize::from(*column)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
        *cell = Cell::Value(value);
    }
    Ok(())
}

/// Changes the row with this key, if there is one, instead of creating the rows that a new one would reference.
async fn change_existing(
    session: Session<'_>,
    row: &Insert,
    key: &Key,
    sets: &Sets,
    only_if: &Condition,
) -> Result<Option<Node>> {
    let table = row.table;
    let existing = nested::read_locked(session, table, nested::key_condition(key)).await?;
    if existing.len() == 0 {
        return Ok(None);
    }
    let sets = sets_of_existing(row, sets);
    if sets.is_empty() && only_if.is_all() {
        return Ok(Some(existing));
    }
    let condition = nested::key_condition(key).and(only_if.clone());
    let node = if sets.is_empty() {
        nested::read_locked(session, table, condition).await?
    } else {
        let statement = sql::update_statement(session.unshaped(), table, &condition, &sets, true);
        Node::new(table, session.query(statement, table).await?)
    };
    if node.len() == 0 { Err(Error::not_found(table.name, Lookup::Update)) } else { Ok(Some(node)) }
}

/// Changes those rows that exist, if new ones would reference rows that have to be created first. Returns them with
/// their positions.
async fn change_all_existing(
    session: Session<'_>,
    rows: &mut [Insert],
    keys: &[Key],
    sets: &Sets,
    only_if: &Condition,
) -> Result<Vec<Placed>> {
    let mut placed = Vec::new();
    let nested: Vec<usize> = (0..rows.len()).filter(|place| !rows[*place].before.is_empty()).collect();
    if nested.is_empty() {
        return Ok(placed);
    }
    let those: Vec<Key> = nested.iter().map(|place| keys[*place].clone()).collect();
    let there = which_are_there(session, rows[nested[0]].table, &those).await?;
    for (place, is_there) in nested.into_iter().zip(there) {
        complete(&mut rows[place], &keys[place])?;
        if is_there && let Some(node) = change_existing(session, &rows[place], &keys[place], sets, only_if).await? {
            rows[place].before.clear();
            placed.extend(node.into_rows().into_iter().map(|row| Placed { position: place, existed: true, row }));
        }
    }
    Ok(placed)
}

/// Returns the changes of a row that exists, with the values of the row that is not created.
fn sets_of_existing(row: &Insert, sets: &Sets) -> Sets {
    let given = |column: u16| row.cells.iter().find(|(known, _)| *known == column).map(|(_, cell)| cell.clone());
    let resolved = |(column, to): &(u16, SetTo)| match to {
        SetTo::Excluded => match given(*column) {
            Some(Cell::Value(value)) => (*column, SetTo::Value(value)),
            Some(Cell::Lookup { relation, column: theirs, key }) => {
                (*column, SetTo::Lookup { relation, column: theirs, key })
            }
            None => (*column, SetTo::Default),
        },
        to => (*column, to.clone()),
    };
    sets.iter().map(resolved).collect()
}

/// Returns the statement of an upsert whose row has no nested rows.
pub(super) fn upsert_statement(
    context: Context<'_>,
    mut row: Insert,
    key: &[(u16, Param)],
    sets: &[(u16, SetTo)],
    only_if: &Condition,
) -> Result<Statement> {
    complete(&mut row, key)?;
    let columns: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
    Ok(sql::upsert_statement(context, row.table, row.cells, &columns, sets, only_if))
}

/// Explains an error of the statement in terms of the upsert.
pub(super) fn explain(error: Error, table: &'static Table, looked_up: &[(u16, &'static Relation)]) -> Error {
    explain_lookup(explain_hidden(error, table), table, looked_up)
}

/// A row that has the key, and that policies hide, is not found. Some minor releases of PostgreSQL refuse the upsert then,
/// others leave the row to the statement's condition. The message names `USING` in every language; that of a policy that
/// refuses the new row does not.
pub(super) fn explain_hidden(error: Error, table: &'static Table) -> Error {
    let table = table.writes.unwrap_or(table);
    match &error {
        Error::Database(refused)
            if table.is_row_secured && refused.sqlstate == "42501" && refused.server_message().contains("USING") =>
        {
            Error::not_found(table.name, Lookup::Update)
        }
        _ => error,
    }
}

/// Sets the key that an upsert looks for, and the values that the client generates.
fn complete(row: &mut Insert, key: &[(u16, Param)]) -> Result<()> {
    if !row.after.is_empty() {
        return Err(Error::Misuse("upsert creates one row: create related rows in separate calls".into()));
    }
    for (column, value) in key {
        let known = &row.table.columns[usize::from(*column)];
        if known.generated {
            let reason = format!(
                "upsert cannot create a row with this {}, because it is generated: use another key",
                known.name
            );
            return Err(Error::Misuse(reason.into()));
        }
        let given = row.cells.iter().find(|(set, _)| set == column);
        match given {
            Some((_, Cell::Value(given))) if given != value && !matches!(given, Param::Raw(_)) => {
                return Err(Error::Misuse(another_key(known.name).into()));
            }
            Some(_) => {}
            None => row.cells.push((*column, Cell::Value(value.clone()))),
        }
    }
    row.fill_defaults();
    Ok(())
}

/// Rows that were inserted or already existed.
pub(super) struct Upserted {
    pub(super) node: Node,
    /// The row of the node for each input row. Input rows with the same key have the same row.
    pub(super) places: Vec<usize>,
}

/// Inserts rows or, if their keys are taken, updates the rows that have them: those with the same columns in one
/// statement. It is an error if an existing row does not match `only_if`.
pub(super) async fn upsert_many(
    session: Session<'_>,
    rows: Vec<(Insert, Key)>,
    sets: &Sets,
    only_if: &Condition,
) -> Result<Upserted> {
    let (mut met, mut distinct, mut keys) = (KeySet::default(), Vec::new(), Vec::new());
    let table = rows.first().map(|(row, _)| row.table).ok_or(Error::Internal("an upsert of no rows"))?;
    let mut places = Vec::with_capacity(rows.len());
    for (row, key) in rows {
        let (place, is_new) = met.add(&key);
        places.push(place);
        if is_new {
            distinct.push(row);
            keys.push(key);
        }
    }
    if table.is_on_citus {
        return Ok(Upserted { node: one_by_one(session, table, distinct, keys, sets, only_if).await?, places });
    }
    for row in &mut distinct {
        find_connected(session, row).await?;
    }
    let mut placed = change_all_existing(session, &mut distinct, &keys, sets, only_if).await?;
    let is_placed: Vec<usize> = placed.iter().map(|placed| placed.position).collect();
    let total = distinct.len();
    level::write_parents(session, &mut distinct).await?;
    let mut groups: Vec<Group> = Vec::new();
    for (position, (mut row, key)) in distinct.into_iter().zip(keys).enumerate() {
        if is_placed.contains(&position) {
            continue;
        }
        complete(&mut row, &key)?;
        let key: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
        let same = |bulk: &BulkInsert| {
            fits(&row, bulk) && matches!(&bulk.on_conflict, OnConflict::Update { key: known, .. } if *known == key)
        };
        let index = groups.iter().position(|group| same(&group.bulk)).unwrap_or_else(|| {
            let on_conflict = OnConflict::Update { key: key.clone(), sets: sets.clone(), only_if: only_if.clone() };
            let bulk = empty_group(&row, 1, Returned::Rows, on_conflict);
            groups.push(Group { bulk, positions: Vec::new() });
            groups.len() - 1
        });
        groups[index].positions.push(position);
        add_row(&mut groups[index].bulk, row);
    }
    for group in groups {
        let expected = group.positions.len();
        let rows = query_group(session, group).await.map_err(|error| explain_hidden(error, table))?;
        if rows.len() < expected {
            return Err(Error::not_found(table.name, Lookup::Update));
        }
        placed.extend(rows);
    }
    let (rows, _) = in_order(placed, total);
    Ok(Upserted { node: Node::new(table, rows), places })
}

/// Upserts each row with a statement of its own, because Citus loses the parameters of ON CONFLICT behind a SELECT.
async fn one_by_one(
    session: Session<'_>,
    table: &'static Table,
    rows: Vec<Insert>,
    keys: Vec<Key>,
    sets: &Sets,
    only_if: &Condition,
) -> Result<Node> {
    let mut written = Vec::with_capacity(rows.len());
    for (row, key) in rows.into_iter().zip(keys) {
        let node = Box::pin(upsert_if(session, row, key, sets.clone(), only_if)).await?;
        written.extend(node.into_rows());
    }
    Ok(Node::new(table, written))
}
