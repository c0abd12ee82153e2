//! Upserts: rows that are inserted, or updated if their keys are taken.

use tokio_postgres::Row;

use super::insert::{Group, add_row, empty_group, explain_lookup, fits, lookups_of, query_group};
use super::keys::KeySet;
use super::{level, nested, read};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{BulkInsert, Cell, Condition, Insert, Key, OnConflict, Select, SetTo, Sets};
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
fn explain_hidden(error: Error, table: &'static Table) -> Error {
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
                let name = known.name;
                let reason =
                    format!("upsert looks for one {name} and would create it with another: give both the same key");
                return Err(Error::Misuse(reason.into()));
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
    level::write_parents(session, &mut distinct).await?;
    let mut placed: Vec<(usize, Row)> = Vec::with_capacity(distinct.len());
    let mut groups: Vec<Group> = Vec::new();
    for (position, (mut row, key)) in distinct.into_iter().zip(keys).enumerate() {
        complete(&mut row, &key)?;
        let key: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
        let same = |bulk: &BulkInsert| {
            fits(&row, bulk) && matches!(&bulk.on_conflict, OnConflict::Update { key: known, .. } if *known == key)
        };
        let index = groups.iter().position(|group| same(&group.bulk)).unwrap_or_else(|| {
            let on_conflict = OnConflict::Update { key: key.clone(), sets: sets.clone(), only_if: only_if.clone() };
            let bulk = empty_group(&row, 1, true, on_conflict);
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
    placed.sort_by_key(|(position, _)| *position);
    Ok(Upserted { node: Node::new(table, placed.into_iter().map(|(_, row)| row).collect()), places })
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
