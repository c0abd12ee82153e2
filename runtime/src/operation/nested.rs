//! Writes to the other side of a relation, in the transaction of the row they belong to.
//!
//! Where this row holds the foreign key, the other row is written first; else it is written last, with this row's
//! key. Rows of one relation go in one statement where their form allows it.

use super::insert::{self, insert, upsert};
use super::{level, read};
use crate::connection::Session;
use crate::create::Insert;
use crate::error::{Error, Result};
use crate::field::SetTo;
use crate::filter::{Condition, Operator};
use crate::model::Cursor;
use crate::nested::{Action, Key, NestedWrite, Sets};
use crate::result::Node;
use crate::select::{Lock, Select};
use crate::sql::{self, Cell};
use crate::table::{JoinTable, Relation, Table};
use crate::value::{Param, RawList};

pub(super) fn look_up(row: &mut Insert, relation: &'static Relation, key: &Key) {
    for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
        row.cells.retain(|(column, _)| column != ours);
        row.cells.push((*ours, Cell::Lookup { relation, column: *theirs, key: key.clone() }));
    }
}

pub(super) fn changes_nothing() -> Error {
    Error::Refused("a new row has nothing yet on the other side to change".to_owned())
}

/// Changes one row and what belongs to it. `sets` holds the row's own changes.
pub(super) async fn update(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    mut sets: Sets,
    writes: Vec<NestedWrite>,
) -> Result<Node> {
    let mut select = Select::new(table);
    select.filter(condition);
    select.lock = Some(Lock::UPDATE);
    let before = read::read(session, &select, &[]).await?;
    if before.len() == 0 {
        return Ok(before);
    }
    let itself = row_condition(&before);
    let (own, theirs): (Vec<_>, Vec<_>) = writes.into_iter().partition(|nested| nested.relation.referencing);
    let mut deleted_last = Vec::new();
    for NestedWrite { relation, action } in own {
        deleted_last.extend(write_referenced(session, &before, relation, action, &mut sets).await?);
    }
    let node = if super::is_idle(table, &sets) {
        before
    } else {
        let statement = sql::update_statement(table, &itself, &sets, true);
        Node::new(table, session.query(statement, table).await?)
    };
    for (table, condition) in deleted_last {
        session.execute(sql::delete_statement(table, &condition, false), table).await?;
    }
    let writes = theirs.into_iter().map(|write| (0, write)).collect();
    level::write_behind(session, &node, writes).await?;
    Ok(node)
}

/// The condition that only the first row of a node meets.
fn row_condition(node: &Node) -> Condition {
    equal_to(node.table.key.iter().copied(), values_of(node, node.table.key))
}

/// The values of columns in the first row of a node.
fn values_of(node: &Node, columns: &[u16]) -> Vec<Param> {
    match node.cursors().next() {
        Some(at) => values_at(at, columns),
        None => columns.iter().map(|_| Param::Null).collect(),
    }
}

/// The values of columns in a row.
fn values_at(at: Cursor<'_>, columns: &[u16]) -> Vec<Param> {
    let value = |column: &u16| at.raw(usize::from(*column)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
    columns.iter().map(value).collect()
}

fn equal_to(columns: impl Iterator<Item = u16>, values: Vec<Param>) -> Condition {
    let compare = |(column, value)| Condition::Compare { column, operator: Operator::Eq, value };
    Condition::And(columns.zip(values).map(compare).collect())
}

/// The condition that only the row with this key meets.
pub(super) fn key_condition(key: &Key) -> Condition {
    equal_to(key.iter().map(|(column, _)| *column), key.iter().map(|(_, value)| value.clone()).collect())
}

fn any_of(keys: &[Key]) -> Condition {
    Condition::Or(keys.iter().map(key_condition).collect())
}

/// Carries out a write to the row that this one points at. What this one's new key is goes into `sets`; what can be
/// deleted only when nothing points at it any more comes back.
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
        Action::ConnectOrCreate(key, row) => point_at(relation, &upsert(session, row, key, Vec::new()).await?, sets)?,
        Action::Connect(keys) => {
            let mut select = Select::new(child);
            select.filter(any_of(&keys));
            point_at(relation, &read::read(session, &select, &[]).await?, sets)?;
        }
        Action::Disconnect(_) => set_null(relation, sets),
        Action::Update { sets: changes, .. } => change_one(session, child, &that_row, &changes).await?,
        Action::Upsert { sets: changes, .. } if is_there => change_one(session, child, &that_row, &changes).await?,
        Action::Upsert { row, .. } => point_at(relation, &insert(session, row).await?, sets)?,
        Action::Delete(_) if !is_there => return Err(not_found(child, "deleted")),
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
        return Err(not_found(relation.child, "connected"));
    }
    for (ours, value) in relation.parent_columns.iter().zip(values_of(other, relation.child_columns)) {
        sets.retain(|(column, _)| column != ours);
        sets.push((*ours, SetTo::Value(value)));
    }
    Ok(())
}

fn set_null(relation: &Relation, sets: &mut Sets) {
    for column in relation.parent_columns {
        sets.retain(|(known, _)| known != column);
        sets.push((*column, SetTo::Value(Param::Null)));
    }
}

fn not_found(table: &'static Table, operation: &'static str) -> Error {
    Error::NotFound { model: table.name, operation }
}

/// Changes the row that meets a condition; none is an error.
async fn change_one(session: Session<'_>, table: &'static Table, condition: &Condition, sets: &Sets) -> Result<()> {
    let changed = if super::is_idle(table, sets) {
        let mut select = Select::new(table);
        select.filter(condition.clone());
        read::read(session, &select, &[]).await?.len() as u64
    } else {
        session.execute(sql::update_statement(table, condition, sets, false), table).await?
    };
    if changed == 0 { Err(not_found(table, "updated")) } else { Ok(()) }
}

/// Carries out a write to rows that point at the row, or meet it in a table between.
pub(super) async fn write_children(session: Session<'_>, parent: Cursor<'_>, write: NestedWrite) -> Result<()> {
    let NestedWrite { relation, action } = write;
    let children = Children { session, parent, relation };
    match relation.through {
        Some(through) => children.write_through(through, action).await,
        None => children.write_referencing(action).await,
    }
}

/// The rows of a relation that belong to one row.
#[derive(Clone, Copy)]
struct Children<'a> {
    session: Session<'a>,
    parent: Cursor<'a>,
    relation: &'static Relation,
}

impl Children<'_> {
    fn parent_key(self) -> Vec<Param> {
        values_at(self.parent, self.relation.parent_columns)
    }

    /// The condition that the children of the parent meet.
    fn belonging(self) -> Condition {
        match (self.relation.through, self.parent_key().as_slice()) {
            (Some(_), [key]) => Condition::JoinedTo { relation: self.relation, key: key.clone() },
            (_, key) => equal_to(self.relation.child_columns.iter().copied(), key.to_vec()),
        }
    }

    /// Sets the children's foreign key.
    fn key_sets(self, key: Vec<Param>) -> Sets {
        self.relation.child_columns.iter().copied().zip(key.into_iter().map(SetTo::Value)).collect()
    }

    async fn execute_update(self, condition: &Condition, sets: &Sets) -> Result<u64> {
        let child = self.relation.child;
        self.session.execute(sql::update_statement(child, condition, sets, false), child).await
    }

    async fn write_referencing(self, action: Action) -> Result<()> {
        let Children { session, parent, relation } = self;
        let to_one = relation.count != crate::table::Count::Many;
        let no_parent = self.key_sets(relation.child_columns.iter().map(|_| Param::Null).collect());
        match action {
            Action::Connect(keys) => {
                let those = any_of(&keys);
                if to_one {
                    let others = self.belonging().and(those.clone().negated());
                    self.execute_update(&others, &no_parent).await?;
                }
                self.connect_referencing(&keys, &those).await?;
            }
            Action::ConnectOrCreate(key, mut row) => {
                row.point_at(relation.child_columns, relation.parent_columns, parent);
                upsert(session, row, key, self.key_sets(self.parent_key())).await?;
            }
            Action::Disconnect(keys) => {
                let those = keys.map_or(Condition::ALL, |keys| any_of(&keys));
                if self.execute_update(&self.belonging().and(those), &no_parent).await? == 0 {
                    return Err(not_found(relation.child, "disconnected"));
                }
            }
            Action::Set(keys) => {
                let those = any_of(&keys);
                let others = self.belonging().and(those.clone().negated());
                self.execute_update(&others, &no_parent).await?;
                self.connect_referencing(&keys, &those).await?;
            }
            other => self.change(other).await?,
        }
        Ok(())
    }

    async fn connect_referencing(self, keys: &[Key], those: &Condition) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let connected = self.execute_update(those, &self.key_sets(self.parent_key())).await?;
        if connected < distinct(keys) { Err(not_found(self.relation.child, "connected")) } else { Ok(()) }
    }

    async fn write_through(self, through: JoinTable, action: Action) -> Result<()> {
        let Children { session, relation, .. } = self;
        match action {
            Action::ConnectOrCreate(key, row) => {
                let child = upsert(session, row, key, Vec::new()).await?;
                self.connect_through(through, &child).await?;
            }
            Action::Connect(keys) => self.connect_keys(through, &keys).await?,
            Action::Disconnect(keys) => {
                let those = keys.map_or(Condition::ALL, |keys| any_of(&keys));
                self.disconnect_through(through, &those, true).await?;
            }
            Action::Set(keys) => {
                self.disconnect_through(through, &any_of(&keys), false).await?;
                self.connect_keys(through, &keys).await?;
            }
            Action::Upsert { key: Some(key), row, sets } => {
                let mut select = Select::new(relation.child);
                select.filter(any_of(std::slice::from_ref(&key)));
                if read::read(session, &select, &[]).await?.len() > 0 {
                    self.change(Action::Update { key: Some(key), sets }).await?;
                } else {
                    self.connect_through(through, &insert(session, row).await?).await?;
                }
            }
            other => self.change(other).await?,
        }
        Ok(())
    }

    async fn connect_keys(self, through: JoinTable, keys: &[Key]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut select = Select::new(self.relation.child);
        select.filter(any_of(keys));
        let found = read::read(self.session, &select, &[]).await?;
        if (found.len() as u64) < distinct(keys) {
            return Err(not_found(self.relation.child, "connected"));
        }
        self.connect_through(through, &found).await
    }

    async fn connect_through(self, through: JoinTable, children: &Node) -> Result<()> {
        let column = usize::from(self.relation.child_columns[0]);
        let mut keys = RawList::with_capacity(children.len());
        children.cursors().filter_map(|at| at.raw(column)).for_each(|key| keys.push(key));
        let parent = self.parent_key().into_iter().next().unwrap_or(Param::Null);
        let statement = sql::connect_statement(self.parent.node.table, self.relation, through, parent, keys);
        self.session.execute(statement, self.relation.child).await?;
        Ok(())
    }

    async fn disconnect_through(self, through: JoinTable, condition: &Condition, meets: bool) -> Result<u64> {
        let parent = self.parent_key().into_iter().next().unwrap_or(Param::Null);
        let statement = sql::disconnect_statement(self.relation, through, parent, condition, meets);
        self.session.execute(statement, self.relation.child).await
    }

    /// What is the same however the children are tied to the parent.
    async fn change(self, action: Action) -> Result<()> {
        let Children { session, parent, relation } = self;
        let child = relation.child;
        let belonging = self.belonging();
        match action {
            Action::Update { key, sets } => {
                let condition = key.map_or(Condition::ALL, |key| any_of(&[key]));
                change_one(session, child, &belonging.and(condition), &sets).await?;
            }
            Action::UpdateMany { condition, sets } => {
                if !super::is_idle(child, &sets) {
                    self.execute_update(&belonging.and(condition), &sets).await?;
                }
            }
            Action::Upsert { key, mut row, sets } => {
                row.point_at(relation.child_columns, relation.parent_columns, parent);
                // Without a key it is the row that the relation's own columns identify.
                let key =
                    key.unwrap_or_else(|| relation.child_columns.iter().copied().zip(self.parent_key()).collect());
                insert::upsert_if(session, row, key, sets, &belonging).await?;
            }
            Action::Delete(keys) => {
                let condition = belonging.and(keys.map_or(Condition::ALL, |keys| any_of(&keys)));
                if session.execute(sql::delete_statement(child, &condition, false), child).await? == 0 {
                    return Err(not_found(child, "deleted"));
                }
            }
            Action::DeleteMany(condition) => {
                let condition = belonging.and(condition);
                session.execute(sql::delete_statement(child, &condition, false), child).await?;
            }
            _ => return Err(changes_nothing()),
        }
        Ok(())
    }
}

/// How many different keys there are.
fn distinct(keys: &[Key]) -> u64 {
    let mut seen: Vec<&Key> = Vec::new();
    keys.iter().for_each(|key| {
        if !seen.contains(&key) {
            seen.push(key);
        }
    });
    seen.len() as u64
}
