//! Inserts: the rows that a new row points at first, then the row, then the rows that point at it.
//!
//! Rows of one level that have values for the same columns go in one statement.

use std::collections::BTreeSet;

use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::connection::Session;
use crate::create::{Insert, NestedInsert};
use crate::error::{Error, Result};
use crate::field::SetTo;
use crate::result::Node;
use crate::sql::{self, BulkInsert, Cell, Statement};
use crate::table::{ClientDefault, Relation, Table};
use crate::value::Param;

impl Insert {
    /// Whether it takes other rows along.
    pub(crate) fn is_nested(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    /// Fills in what the client makes: keys and the like.
    fn fill_defaults(&mut self) {
        // One order of columns for every order in which they were set: fewer texts, one statement in bulk.
        if !self.cells.is_sorted_by_key(|(column, _)| *column) {
            self.cells.sort_by_key(|(column, _)| *column);
        }
        for (index, column) in self.table.columns.iter().enumerate() {
            if column.default != ClientDefault::None {
                let number = index as u16;
                if let Err(place) = self.cells.binary_search_by_key(&number, |(column, _)| *column) {
                    self.cells.insert(place, (number, Cell::Value(client_default(column.default))));
                }
            }
        }
    }

    /// Takes over the key of the row that it points at.
    fn point_at(&mut self, relation: &Relation, ours: &[u16], theirs: &[u16], parent: &Node) -> Result<()> {
        let Some(at) = parent.cursors().next() else {
            return Err(Error::NotFound { model: relation.child.name, operation: "connected" });
        };
        for (ours, theirs) in ours.iter().zip(theirs) {
            let value = at.raw(usize::from(*theirs)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
            self.cells.retain(|(column, _)| column != ours);
            self.cells.push((*ours, Cell::Value(value)));
        }
        Ok(())
    }
}

fn client_default(default: ClientDefault) -> Param {
    match default {
        ClientDefault::None => Param::Null,
        ClientDefault::Uuid4 => Param::Uuid(Uuid::new_v4()),
        ClientDefault::Uuid7 => Param::Uuid(Uuid::now_v7()),
        ClientDefault::Uuid4Text => Param::Text(Uuid::new_v4().to_string()),
        ClientDefault::Uuid7Text => Param::Text(Uuid::now_v7().to_string()),
        ClientDefault::Cuid => Param::Text(cuid::cuid1()),
        ClientDefault::Cuid2 => Param::Text(cuid::cuid2()),
        ClientDefault::Ulid => Param::Text(ulid::Ulid::generate().to_string()),
        ClientDefault::Nanoid(length) => Param::Text(nanoid::nanoid!(usize::from(length))),
    }
}

/// The statement of a row that takes no other along.
pub(super) fn statement(mut row: Insert) -> Statement {
    row.fill_defaults();
    sql::insert_statement(row.table, row.cells)
}

/// Inserts a row with all that it takes along, and gives the row.
pub(super) fn insert(session: Session<'_>, mut row: Insert) -> BoxFuture<'_, Result<Node>> {
    async move {
        insert_before(session, &mut row).await?;
        let after = std::mem::take(&mut row.after);
        let (own, theirs): (Vec<_>, Vec<_>) = after.into_iter().partition(|nested| nested.relation.referencing);
        for nested in own {
            insert_referenced(session, &mut row, nested).await?;
        }
        let table = row.table;
        let looked_up = lookup_of(&row);
        let rows = session.query(statement(row), table).await.map_err(|error| explain_lookup(error, looked_up))?;
        let node = Node::new(table, rows);
        insert_after(session, &node, theirs).await?;
        Ok(node)
    }
    .boxed()
}

/// The rows that this one points at.
async fn insert_before(session: Session<'_>, row: &mut Insert) -> Result<()> {
    for (relation, parent) in std::mem::take(&mut row.before) {
        let parent = insert(session, parent).await?;
        row.point_at(relation, relation.parent_columns, relation.child_columns, &parent)?;
    }
    Ok(())
}

/// A row that was created through a relation whose foreign key is on this side.
async fn insert_referenced(session: Session<'_>, row: &mut Insert, nested: NestedInsert) -> Result<()> {
    for parent in nested.rows {
        let parent = insert(session, parent).await?;
        row.point_at(nested.relation, nested.relation.parent_columns, nested.relation.child_columns, &parent)?;
    }
    Ok(())
}

/// The rows that point at the one in `node`.
async fn insert_after(session: Session<'_>, node: &Node, nested: Vec<NestedInsert>) -> Result<()> {
    for NestedInsert { relation, mut rows } in nested {
        if let Some(through) = relation.through {
            for row in rows {
                let child = insert(session, row).await?;
                connect(session, node, relation, through, &child).await?;
            }
            continue;
        }
        for row in &mut rows {
            row.point_at(relation, relation.child_columns, relation.parent_columns, node)?;
        }
        insert_many(session, rows).await?;
    }
    Ok(())
}

/// A row in the table between two sides of a many-to-many relation.
async fn connect(
    session: Session<'_>,
    parent: &Node,
    relation: &'static Relation,
    through: crate::table::JoinTable,
    child: &Node,
) -> Result<()> {
    let key = |node: &Node, column: u16| {
        let raw = node.cursors().next().and_then(|at| at.raw(usize::from(column)));
        raw.map_or(Param::Null, |raw| Param::Raw(raw.to_vec()))
    };
    let params = vec![key(parent, relation.parent_columns[0]), key(child, relation.child_columns[0])];
    let sql = sql::connect_text(through);
    session.execute(Statement { sql, params }, relation.child).await?;
    Ok(())
}

/// What a NOT NULL violation means for a row whose key was looked up: there was nothing to find.
fn lookup_of(row: &Insert) -> Option<(&'static str, &'static str)> {
    row.cells.iter().find_map(|(column, cell)| match cell {
        Cell::Lookup { relation, .. } => Some((relation.child.name, row.table.columns[usize::from(*column)].name)),
        Cell::Value(_) => None,
    })
}

fn explain_lookup(error: Error, looked_up: Option<(&'static str, &'static str)>) -> Error {
    match (&error, looked_up) {
        (Error::NotNullViolation(violation), Some((model, column)))
            if violation.columns.iter().any(|known| known == column) =>
        {
            Error::NotFound { model, operation: "connected" }
        }
        _ => error,
    }
}

/// Whether `create_many` of these rows is more than one statement.
pub(super) fn takes_several_statements(rows: &[Insert]) -> bool {
    rows.iter().any(Insert::is_nested) || rows.windows(2).any(|pair| !have_same_columns(&pair[0], &pair[1])) || {
        let is_list = |(column, _): &(u16, Cell)| rows[0].table.columns[usize::from(*column)].sql_type.ends_with("[]");
        rows.first().is_some_and(|row| row.cells.iter().any(is_list))
    }
}

fn columns(row: &Insert) -> impl Iterator<Item = u16> {
    row.cells.iter().map(|(column, _)| *column)
}

fn have_same_columns(a: &Insert, b: &Insert) -> bool {
    // Rows that the same code has made have set them in the same order.
    columns(a).eq(columns(b)) || {
        let sorted = |row| BTreeSet::from_iter(columns(row));
        sorted(a) == sorted(b)
    }
}

/// Inserts many rows, those with values for the same columns in one statement, and counts them.
pub(super) fn insert_many(session: Session<'_>, rows: Vec<Insert>) -> BoxFuture<'_, Result<u64>> {
    async move {
        let mut count = 0;
        let mut groups: Vec<BulkInsert> = Vec::new();
        let mut left = rows.len();
        for mut row in rows {
            if row.is_nested() || row.cells.iter().any(|(_, cell)| matches!(cell, Cell::Lookup { .. })) {
                insert(session, row).await?;
                count += 1;
                continue;
            }
            row.fill_defaults();
            add_to_group(&mut groups, row, left);
            left -= 1;
        }
        for bulk in groups {
            let table = bulk.table;
            for statement in bulk.into_statements() {
                count += session.execute(statement, table).await?;
            }
        }
        Ok(count)
    }
    .boxed()
}

/// Adds a row whose columns are in order to the rows with the same ones; `left` more may follow.
fn add_to_group(groups: &mut Vec<BulkInsert>, row: Insert, left: usize) {
    let known = groups.iter().position(|group| columns(&row).eq(group.columns.iter().copied()));
    let position = known.unwrap_or_else(|| {
        groups.push(empty_group(row.table, columns(&row).collect(), left));
        groups.len() - 1
    });
    let bulk = &mut groups[position];
    bulk.rows += 1;
    for ((_, cell), values) in row.cells.into_iter().zip(&mut bulk.values) {
        if let Cell::Value(value) = cell {
            values.push(value);
        }
    }
}

fn empty_group(table: &'static Table, columns: Vec<u16>, rows: usize) -> BulkInsert {
    let values = columns.iter().map(|_| Vec::with_capacity(rows)).collect();
    BulkInsert { table, columns, values, rows: 0, returning: false }
}

/// Inserts the row or, where its key is taken, updates the row that has it: one statement.
pub(super) async fn upsert(
    session: Session<'_>,
    mut row: Insert,
    key: Vec<(u16, Param)>,
    sets: Vec<(u16, SetTo)>,
) -> Result<Node> {
    insert_before(session, &mut row).await?;
    if !row.after.is_empty() {
        return Err(Error::Refused("upsert creates one row: create what belongs to it in calls of its own".to_owned()));
    }
    for (column, value) in &key {
        let given = row.cells.iter().find(|(known, _)| known == column);
        match given {
            Some((_, Cell::Value(given))) if given != value && !matches!(given, Param::Raw(_)) => {
                return Err(Error::Refused(format!(
                    "upsert looks for one {} and would create it with another: give both the same key",
                    row.table.columns[usize::from(*column)].name
                )));
            }
            Some(_) => {}
            None => row.cells.push((*column, Cell::Value(value.clone()))),
        }
    }
    row.fill_defaults();
    let table = row.table;
    let looked_up = lookup_of(&row);
    let columns: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
    let statement = sql::upsert_statement(table, row.cells, &columns, &sets);
    let rows = session.query(statement, table).await.map_err(|error| explain_lookup(error, looked_up))?;
    Ok(Node::new(table, rows))
}
