//! Writes whose row is returned with its relations, or as chosen values.
//!
//! Referenced rows are joined in the statement that writes. Everything else is read after it, in the same transaction;
//! for a deleted row, before it.

use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;

use super::run::execute;
use super::{bulk, delete, insert, nested, read, single, upsert};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Count, Lifted, Relation, Table};
use crate::query::{
    Condition, Key, Lock, Operation, Outcome, Output, Outputs, Place, Returned, Returning, Select, SetTo,
};
use crate::rows::{Keys, Node};
use crate::sql::{self, Context, ReadPlan, Statement};
use crate::value::Param;

/// Returns whether it needs several statements.
pub(super) fn needs_transaction(returning: &Returning) -> bool {
    single::needs_transaction(&returning.write)
        || !at_once(returning)
        || !sql::written_plan(&returning.then).is_single_statement()
}

fn counts(returning: &Returning) -> bool {
    matches!(&returning.then.outputs, Outputs::List(list) if list.iter().any(|one| matches!(one, Output::Count { .. })))
}

/// Returns whether the statement that writes can return the referenced rows.
fn at_once(returning: &Returning) -> bool {
    let table = returning.then.table;
    let possible = match &returning.write {
        Operation::Create(row) => !row.is_nested(),
        Operation::Update { sets, nested, .. } => nested.is_empty() && keeps_keys(table, sets),
        Operation::Upsert { row, sets, .. } => {
            !row.is_nested() && !upsert::looks_up_first(row) && keeps_keys(table, sets)
        }
        Operation::Delete { removal, .. } if removal.marks(table).is_some() => !delete::cascades(table, *removal),
        // After a row is deleted, nothing can be read for it.
        Operation::Delete { .. } => sql::written_plan(&returning.then).is_single_statement(),
        Operation::CreateMany { rows, options, .. } => {
            options.returned != Returned::Marked && !rows.is_empty() && !rows.takes_several_statements()
        }
        Operation::UpdateMany { sets, .. } => !sets.is_empty(),
        _ => false,
    };
    possible && !counts(returning)
}

/// Returns the only statement, if there is only one.
pub(super) fn single_statement(context: Context<'_>, returning: &Returning) -> Option<Statement> {
    if needs_transaction(returning) {
        return None;
    }
    let (statement, _) = single::single_statement(context, &returning.write)?;
    Some(sql::written_statement(context, statement, &returning.then).0)
}

/// Returns the outcome of its only statement. If a referenced row was created in the meantime, it has to be read again.
pub(super) fn outcome_of(returning: &Returning, mut node: Node) -> Outcome {
    read::attach_joined(&mut node, &sql::written_plan(&returning.then));
    Outcome::Rows(node)
}

/// Returns the read to repeat for an outcome, if any.
pub(super) fn missing(returning: &Returning, outcome: &Outcome) -> Option<Operation> {
    let plan = sql::written_plan(&returning.then);
    let Outcome::Rows(node) = outcome else { return None };
    lacks_a_row(node, &plan).then(|| {
        let key = key_of(node, &plan);
        let mut select = returning.then.clone();
        select.filter(written_row(&key));
        Operation::Read(Box::new(select))
    })
}

/// Returns whether no column is set that other tables reference: the database would change those after the statement.
fn keeps_keys(table: &Table, sets: &[(u16, SetTo)]) -> bool {
    let mut referenced = table.relations.iter().filter(|relation| !relation.referencing);
    !referenced.any(|relation| sets.iter().any(|(column, _)| relation.parent_columns.contains(column)))
}

pub(crate) fn write(session: Session<'_>, returning: Returning) -> BoxFuture<'_, Result<Outcome>> {
    write_and_read(session, returning).boxed()
}

async fn write_and_read(session: Session<'_>, returning: Returning) -> Result<Outcome> {
    let at_once = at_once(&returning);
    let Returning { write, then } = returning;
    let node = match write {
        Operation::Create(mut row) if at_once => {
            let looked_up = insert::lookups_of(&row);
            insert_returning(session, insert::statement(session.unshaped(), &mut row), looked_up, &then).await?
        }
        Operation::Upsert { row, key, sets } if at_once => {
            let looked_up = insert::lookups_of(&row);
            let statement = upsert::upsert_statement(session.unshaped(), row, &key, &sets, &Condition::ALL)?;
            insert_returning(session, statement, looked_up, &then).await?
        }
        Operation::Update { condition, sets, nested, .. } if nested.is_empty() && sets.is_empty() => {
            return read_one(session, then, condition).await;
        }
        Operation::Update { table, condition, sets, .. } if at_once => {
            written(session, sql::update_statement(session.unshaped(), table, &condition, &sets, true), &then).await?
        }
        Operation::UpdateMany { table, condition, sets, limit, .. } if at_once => {
            written(
                session,
                sql::update_many_statement(session.unshaped(), table, &condition, &sets, limit, true),
                &then,
            )
            .await?
        }
        Operation::CreateMany { rows, options, .. } if at_once => {
            match bulk::statement(session.unshaped(), rows, options) {
                Some(statement) => written(session, statement, &then).await?,
                None => return Ok(Outcome::Rows(Node::new(then.table, Vec::new()))),
            }
        }
        Operation::Delete { table, condition, removal } if at_once => {
            written(session, delete::statement(session.unshaped(), table, &condition, removal, true), &then).await?
        }
        Operation::Delete { table, condition, removal } if removal.marks(table).is_none() => {
            return read_and_delete(session, table, condition, then).await;
        }
        mut other => match Box::pin(execute(session, &mut other)).await? {
            Outcome::Placed(node, places) => return behind_placed(session, node, places, then).await,
            outcome => behind(session, outcome.into_rows()?, then).await?,
        },
    };
    Ok(Outcome::Rows(node))
}

async fn insert_returning(
    session: Session<'_>,
    statement: Statement,
    looked_up: Vec<(u16, &'static Relation)>,
    then: &Select,
) -> Result<Node> {
    let node = written(session, statement, then).await;
    node.map_err(|error| upsert::explain(error, then.table, &looked_up))
}

/// Returns the written row with the joined ones.
async fn written(session: Session<'_>, statement: Statement, then: &Select) -> Result<Node> {
    let (statement, plan) = sql::written_statement(session.unshaped(), statement, then);
    let mut node = Node::new(then.table, session.query(statement, then.table).await?);
    if lacks_a_row(&node, &plan) {
        // Another transaction created the row after this statement began. A new statement sees it.
        return read_by_key(session, then.clone(), key_of(&node, &plan)).await;
    }
    read::attach(session, &mut node, &plan, &plan.separate).await?;
    Ok(node)
}

/// Returns whether a referenced row did not exist when the statement began.
fn lacks_a_row(node: &Node, plan: &ReadPlan<'_>) -> bool {
    node.len() > 0
        && plan.joined.iter().any(|(include, child, present)| {
            let there = |place: usize| node.raw(0, place).is_some();
            let points = plan.parent_places(include.relation).iter().all(|place| there(plan.offset + place));
            let found = present.is_none_or(|place| there(child.offset + place));
            points && !found || found && lacks_a_row(node, child)
        })
}

/// Returns the key of the first row.
fn key_of(node: &Node, plan: &ReadPlan<'_>) -> Vec<(u16, Param)> {
    node.table.key.iter().map(|column| (*column, raw_param(node, plan.place(*column)))).collect()
}

fn raw_param(node: &Node, column: usize) -> Param {
    match (node.len() > 0).then(|| node.raw(0, column)).flatten() {
        Some(raw) => Param::Raw(raw.to_vec()),
        None => Param::Null,
    }
}

async fn read_one(session: Session<'_>, mut then: Select, condition: Condition) -> Result<Outcome> {
    then.filter(condition);
    read::read(&session, &then, &[]).await.map(Outcome::Rows)
}

async fn read_by_key(session: Session<'_>, mut then: Select, key: Vec<(u16, Param)>) -> Result<Node> {
    then.filter(written_row(&key));
    read::read(&session, &then, &key).await
}

/// Returns the condition that a row which was just written matches: the write may have put it out of scopes.
fn written_row(key: &Key) -> Condition {
    nested::key_condition(key).lifting(|lifted| *lifted = Lifted::ALL)
}

/// Reads the relations after the rows were written. If a row is read again, its to-one relations are joined.
async fn behind(session: Session<'_>, mut node: Node, then: Select) -> Result<Node> {
    let to_one = then.includes.iter().any(|include| include.relation.count != Count::Many);
    if node.len() == 1 && then.single && (then.is_projection() || to_one) {
        let key = then.table.key.iter().map(|column| (*column, raw_param(&node, usize::from(*column)))).collect();
        return read_by_key(session, then, key).await;
    }
    if then.is_projection() {
        return read_in_order(session, &node, then).await;
    }
    read::attach_all(session, &mut node, &then).await?;
    Ok(node)
}

/// Like [`behind`], for rows with places. One row may have several places.
async fn behind_placed(session: Session<'_>, mut node: Node, places: Vec<Place>, then: Select) -> Result<Outcome> {
    if !then.is_projection() {
        read::attach_all(session, &mut node, &then).await?;
        return Ok(Outcome::Placed(node, places));
    }
    let mut then = then;
    let Some((found, rows)) = find_again(session, &node, &mut then).await? else {
        return Ok(Outcome::Placed(Node::new(then.table, Vec::new()), places));
    };
    let (_, plan) = sql::read_statement(session.unshaped(), &then, None);
    let found = read::attach_to_rows(session, found, &plan).await?;
    Ok(Outcome::Placed(found, places.into_iter().map(|place| place.map(|row| rows[row])).collect()))
}

/// Reads values of written rows, in their order.
async fn read_in_order(session: Session<'_>, node: &Node, mut then: Select) -> Result<Node> {
    let table = then.table;
    let Some((found, order)) = find_again(session, node, &mut then).await? else {
        return Ok(Node::new(table, Vec::new()));
    };
    let (_, plan) = sql::read_statement(session.unshaped(), &then, None);
    let mut rows: Vec<Option<Row>> = found.into_rows().into_iter().map(Some).collect();
    let rows = order.into_iter().flatten().filter_map(|row| rows.get_mut(row)?.take()).collect();
    read::attach_to_rows(session, Node::new(table, rows), &plan).await
}

/// Reads written rows again by their keys. Returns what it found, and the place of each row in it. Returns nothing if there
/// are no rows.
async fn find_again(
    session: Session<'_>,
    node: &Node,
    then: &mut Select,
) -> Result<Option<(Node, Vec<Option<usize>>)>> {
    let table = then.table;
    let places: Vec<usize> = table.key.iter().map(|column| usize::from(*column)).collect();
    let mut keys = Keys::of(node, &places, Vec::new());
    if keys.len() == 0 {
        return Ok(None);
    }
    let these = Condition::has_one_of(table, table.key, std::mem::take(&mut keys.lists));
    then.filter(these.lifting(|lifted| *lifted = Lifted::ALL));
    let (statement, plan) = sql::read_statement(session.unshaped(), then, None);
    let found = Node::new(table, session.query(statement, table).await?);
    let places: Vec<usize> = table.key.iter().map(|column| plan.place(*column)).collect();
    let matched = keys.match_children(&found, &places);
    let place = |row| Some(*matched.children(row).first()? as usize);
    let order = (0..node.len()).map(place).collect();
    Ok(Some((found, order)))
}

/// Reads everything, and then deletes the row.
async fn read_and_delete(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    mut then: Select,
) -> Result<Outcome> {
    then.filter(condition.clone());
    then.lock = Some(Lock::UPDATE);
    let node = read::read(&session, &then, &[]).await?;
    if node.len() > 0
        && session.execute(sql::delete_statement(session.unshaped(), table, &condition, false), table).await? == 0
    {
        return Err(Error::not_found(table.name, Lookup::Delete));
    }
    Ok(Outcome::Rows(node))
}
