//! Changes of one row together with rows on the other side of its relations, in one transaction.
//!
//! If this row has the foreign key, the other row is written first. Otherwise it is written last, with this row's key:
//! see `children`.

use futures_util::future::{BoxFuture, FutureExt};

use super::insert::insert;
use super::read::{self, count_of};
use super::upsert::upsert;
use super::{delete, level};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{Action, Cell, Condition, Insert, Key, Lock, NestedWrite, Operator, Select, SetTo, Sets};
use crate::rows::{Cursor, Node};
use crate::sql;
use crate::value::Param;

pub(super) fn look_up(row: &mut Insert, relation: &'static Relation, key: &Key) {
    for (ours, theirs) in relation.key_pairs() {
        row.cells.retain(|(column, _)| *column != ours);
        row.cells.push((ours, Cell::Lookup { relation, column: theirs, key: key.clone() }));
    }
}

pub(super) fn changes_nothing() -> Error {
    Error::Internal("a change of rows on the other side of a new row")
}

/// Returns whether a write only sets the foreign key of this row, which its own statement can do.
fn only_points(write: &NestedWrite) -> bool {
    write.relation.referencing && matches!(write.action, Action::Connect(_) | Action::Disconnect(_))
}

/// Returns whether the statement that changes the row can include all nested writes.
pub(super) fn fit_into_the_update(writes: &[NestedWrite]) -> bool {
    writes.iter().all(only_points)
}

/// Changes one row and its related rows. `sets` has the changes of the row itself.
pub(super) fn update<'a>(
    session: Session<'a>,
    table: &'static Table,
    condition: Condition,
    sets: Sets,
    writes: Vec<NestedWrite>,
) -> BoxFuture<'a, Result<Node>> {
    async move {
        let (own, theirs): (Vec<_>, Vec<_>) = writes.into_iter().partition(|nested| nested.relation.referencing);
        let node = if fit_into_the_update(&own) {
            update_pointing(session, table, condition, sets, own).await?
        } else {
            update_with_referenced(session, table, condition, sets, own).await?
        };
        if node.len() > 0 {
            let writes = theirs.into_iter().map(|write| (0, write)).collect();
            level::write_after(session, &node, writes).await?;
        }
        Ok(node)
    }
    .boxed()
}

/// Changes a row and its foreign keys in one statement. If a referenced row is missing, nothing changes.
async fn update_pointing(
    session: Session<'_>,
    table: &'static Table,
    mut condition: Condition,
    mut sets: Sets,
    own: Vec<NestedWrite>,
) -> Result<Node> {
    let mut others = Vec::new();
    for NestedWrite { relation, action, .. } in own {
        let Action::Connect(keys) = action else {
            set_null(relation, &mut sets);
            continue;
        };
        for key in keys {
            others.push((relation, key_condition(&key)));
            for (ours, theirs) in relation.key_pairs() {
                sets.retain(|(column, _)| *column != ours);
                sets.push((ours, SetTo::Lookup { relation, column: theirs, key: key.clone() }));
            }
        }
    }
    for (relation, of_key) in &others {
        condition = condition.and(Condition::Another { table: relation.child, condition: Box::new(of_key.clone()) });
    }
    let node = if sets.is_empty() {
        read_locked(session, table, condition).await?
    } else {
        Node::new(
            table,
            session.query(sql::update_statement(session.unshaped(), table, &condition, &sets, true), table).await?,
        )
    };
    if node.len() == 0 {
        for (relation, of_key) in others {
            let other = relation.child;
            let found = session.query(sql::exists_statement(session.unshaped(), other, &of_key), other).await?;
            if count_of(&Node::new(other, found))?.into_count()? == 0 {
                return Err(Error::not_related(relation, Lookup::Connect));
            }
        }
    }
    Ok(node)
}

pub(super) async fn read_locked(session: Session<'_>, table: &'static Table, condition: Condition) -> Result<Node> {
    let mut select = Select::new(table);
    select.filter(condition);
    select.lock = Some(Lock::UPDATE);
    read::read(&session, &select, &[]).await
}

/// Writes the rows that a row references, and then the row.
async fn update_with_referenced(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    mut sets: Sets,
    own: Vec<NestedWrite>,
) -> Result<Node> {
    let lifted = condition.lifted();
    let before = read_locked(session, table, condition).await?;
    if before.len() == 0 {
        return Ok(before);
    }
    let itself = row_condition(&before).lifting(|of_row| *of_row = lifted);
    let mut deleted_last = Vec::new();
    for NestedWrite { relation, action, .. } in own {
        deleted_last.extend(write_referenced(session, &before, relation, action, &mut sets).await?);
    }
    let node = if sets.is_empty() {
        before
    } else {
        let statement = sql::update_statement(session.unshaped(), table, &itself, &sets, true);
        Node::new(table, session.query(statement, table).await?)
    };
    for (table, condition) in deleted_last {
        delete::delete(session, table, &condition).await?;
    }
    Ok(node)
}

/// Returns the condition that only the first row of a node matches.
fn row_condition(node: &Node) -> Condition {
    equal_to(node.table.key.iter().copied(), values_of(node, node.table.key))
}

/// Returns the values of columns in the first row of a node.
fn values_of(node: &Node, columns: &[u16]) -> Vec<Param> {
    match node.cursors().next() {
        Some(at) => values_at(at, columns),
        None => columns.iter().map(|_| Param::Null).collect(),
    }
}

/// Returns the values of columns in a row.
pub(super) fn values_at(at: Cursor<'_>, columns: &[u16]) -> Vec<Param> {
    let value = |column: &u16| at.raw(usize::from(*column)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
    columns.iter().map(value).collect()
}

pub(super) fn equal_to(columns: impl Iterator<Item = u16>, values: Vec<Param>) -> Condition {
    let compare = |(column, value)| Condition::Compare { column, operator: Operator::Eq, value };
    Condition::And(columns.zip(values).map(compare).collect())
}

/// Returns the condition that only the row with this key matches.
pub(super) fn key_condition(key: &Key) -> Condition {
    equal_to(key.iter().map(|(column, _)| *column), key.iter().map(|(_, value)| value.clone()).collect())
}

/// Carries out a write to the row that this one references. Adds this row's new foreign key to `sets`. Returns the row
/// that can only be deleted when it is no longer referenced.
async fn write_referenced(
    session: Session<'_>,
    before: &Node,
    relation: &'static Relation,
    action: Action,
    sets: &mut Sets,
) -> Result<Option<(&'static Table, Condition)>> {
    let child = relation.child;
    let current = values_of(before, relation.parent_columns);
    let is_there = current.iter().all(|value| *value != Param::Null);
    let that_row = equal_to(relation.child_columns.iter().copied(), current);
    match action {
        Action::Create(rows) => {
            for row in rows {
                point_at(relation, &insert(session, row).await?, sets)?;
            }
        }
        Action::ConnectOrCreate(key, row) => point_at(relation, &upsert(session, row, key, Sets::new()).await?, sets)?,
        Action::Connect(keys) => {
            for key in keys {
                let mut select = Select::new(child);
                select.filter(key_condition(&key));
                point_at(relation, &read::read(&session, &select, &[]).await?, sets)?;
            }
        }
        Action::Disconnect(_) => set_null(relation, sets),
        Action::Update { sets: changes, nested, .. } => {
            change_one(session, child, that_row, changes, nested).await.map_err(|error| error.through(relation))?;
        }
        Action::Upsert { sets: changes, .. } if is_there => {
            change_one(session, child, that_row, changes, Vec::new()).await.map_err(|error| error.through(relation))?;
        }
        Action::Upsert { row, .. } => point_at(relation, &insert(session, row).await?, sets)?,
        Action::Delete(_) if !is_there => return Err(Error::not_related(relation, Lookup::Delete)),
        Action::Delete(_) => {
            set_null(relation, sets);
            return Ok(Some((child, that_row)));
        }
        Action::Set(_) | Action::UpdateMany { .. } | Action::DeleteMany(_) => return Err(changes_nothing()),
    }
    Ok(None)
}

/// Sets the foreign key to the key of the first row of a node.
fn point_at(relation: &Relation, other: &Node, sets: &mut Sets) -> Result<()> {
    if other.len() == 0 {
        return Err(Error::not_related(relation, Lookup::Connect));
    }
    for (ours, value) in relation.parent_columns.iter().zip(values_of(other, relation.child_columns)) {
        sets.retain(|(column, _)| column != ours);
        sets.push((*ours, SetTo::Value(value)));
    }
    Ok(())
}

fn set_null(relation: &Relation, sets: &mut Sets) {
    for (column, _) in relation.key_pairs() {
        sets.retain(|(known, _)| *known != column);
        sets.push((column, SetTo::Value(Param::Null)));
    }
}

/// Changes the row that matches a condition, and its related rows. It is an error if there is none.
pub(super) async fn change_one(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    sets: Sets,
    nested: Vec<NestedWrite>,
) -> Result<()> {
    let changed = if !nested.is_empty() {
        update(session, table, condition, sets, nested).await?.len() as u64
    } else if sets.is_empty() {
        let mut select = Select::new(table);
        select.filter(condition);
        read::read(&session, &select, &[]).await?.len() as u64
    } else {
        session.execute(sql::update_statement(session.unshaped(), table, &condition, &sets, false), table).await?
    };
    if changed == 0 { Err(Error::not_found(table.name, Lookup::Update)) } else { Ok(()) }
}
