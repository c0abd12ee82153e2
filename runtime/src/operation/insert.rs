//! Inserts: the rows that a new row points at first, then the row, then the rows that point at it.
//!
//! Rows of one level that have values for the same columns go in one statement.

use std::collections::BTreeSet;

use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;

use super::keys::KeySet;
use super::level;
use crate::connection::Session;
use crate::create::Insert;
use crate::error::{Error, Result};
use crate::field::SetTo;
use crate::filter::Condition;
use crate::model::Cursor;
use crate::nested::{Key, Sets};
use crate::result::Node;
use crate::sql::{self, BulkInsert, BulkLookup, Cell, OnConflict, Statement};
use crate::table::{ClientDefault, Table};
use crate::value::Param;

impl Insert {
    /// Whether it takes other rows along.
    pub(crate) fn is_nested(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    /// Whether one of its columns is looked up in another table.
    pub(super) fn looks_up(&self) -> bool {
        self.cells.iter().any(|(_, cell)| matches!(cell, Cell::Lookup { .. }))
    }

    /// Fills in what the client makes: keys and the like.
    pub(super) fn fill_defaults(&mut self) {
        // One order of columns for every order in which they were set: fewer texts, one statement in bulk.
        if !self.cells.is_sorted_by_key(|(column, _)| *column) {
            self.cells.sort_by_key(|(column, _)| *column);
        }
        for (index, column) in self.table.columns.iter().enumerate() {
            if column.default != ClientDefault::None {
                let number = index as u16;
                if let Err(place) = self.cells.binary_search_by_key(&number, |(column, _)| *column) {
                    self.cells.insert(place, (number, Cell::Value(column.default.value())));
                }
            }
        }
    }

    /// Takes over the key of the row that it points at.
    pub(super) fn point_at(&mut self, ours: &[u16], theirs: &[u16], other: Cursor<'_>) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            let value = other.raw(usize::from(*theirs)).map_or(Param::Null, |raw| Param::Raw(raw.to_vec()));
            self.cells.retain(|(column, _)| column != ours);
            self.cells.push((*ours, Cell::Value(value)));
        }
    }
}

/// The statement of a row that takes no other along.
pub(super) fn statement(mut row: Insert) -> Statement {
    row.fill_defaults();
    sql::insert_statement(row.table, row.cells)
}

/// The same, of a connection that may know it.
fn shaped_statement(session: Session<'_>, mut row: Insert) -> Statement {
    row.fill_defaults();
    sql::shaped_insert_statement(session.shapes(), row.table, row.cells)
}

/// Inserts a row with all that it takes along, and gives the row.
pub(super) fn insert(session: Session<'_>, mut row: Insert) -> BoxFuture<'_, Result<Node>> {
    async move {
        if !row.is_nested() {
            return insert_row(session, row).await;
        }
        let theirs = level::write_before(session, std::slice::from_mut(&mut row)).await?;
        let node = insert_row(session, row).await?;
        level::write_behind(session, &node, theirs).await?;
        Ok(node)
    }
    .boxed()
}

/// Inserts a row that takes no other along.
pub(super) async fn insert_row(session: Session<'_>, row: Insert) -> Result<Node> {
    let (table, looked_up) = (row.table, lookups_of(&row));
    let rows = session
        .query(shaped_statement(session, row), table)
        .await
        .map_err(|error| explain_lookup(error, table, &looked_up))?;
    let node = Node::new(table, rows);
    found_all(&node, &looked_up)?;
    Ok(node)
}

/// The columns of a row that are looked up, and the models that they are looked up in.
pub(super) fn lookups_of(row: &Insert) -> Vec<(u16, &'static str)> {
    let lookup = |(column, cell): &(u16, Cell)| match cell {
        Cell::Lookup { relation, .. } => Some((*column, relation.child.name)),
        Cell::Value(_) => None,
    };
    row.cells.iter().filter_map(lookup).collect()
}

/// A required column that was looked up is null where there was nothing to find.
pub(super) fn explain_lookup(error: Error, table: &'static Table, looked_up: &[(u16, &'static str)]) -> Error {
    let Error::NotNullViolation(violation) = &error else { return error };
    let is_meant = |column: &u16| violation.columns.iter().any(|name| name == table.columns[usize::from(*column)].name);
    match looked_up.iter().find(|(column, _)| is_meant(column)) {
        Some((_, model)) => Error::NotFound { model, operation: "connected" },
        None => error,
    }
}

/// An optional column that was looked up is null, too, and that is no error to PostgreSQL.
pub(super) fn found_all(node: &Node, looked_up: &[(u16, &'static str)]) -> Result<()> {
    let missing = |at: Cursor<'_>| {
        looked_up.iter().find(|(column, _)| at.raw(usize::from(*column)).is_none()).map(|(_, model)| *model)
    };
    match node.cursors().find_map(missing) {
        Some(model) => Err(Error::NotFound { model, operation: "connected" }),
        None => Ok(()),
    }
}

/// Whether `create_many` of these rows is more than one statement.
pub(super) fn takes_several_statements(rows: &[Insert]) -> bool {
    rows.len() > MOST_ROWS
        || rows.iter().any(|row| row.is_nested() || row.looks_up())
        || rows.windows(2).any(|pair| !have_same_columns(&pair[0], &pair[1]))
        || {
            let is_list =
                |(column, _): &(u16, Cell)| rows[0].table.columns[usize::from(*column)].sql_type.ends_with("[]");
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

/// How rows are inserted in bulk.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BulkOptions {
    /// A row whose key is taken is left out.
    pub(crate) skip_duplicates: bool,
    /// The rows come back, in the order in which they were given.
    pub(crate) returning: bool,
}

/// What became of rows that were inserted in bulk.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    pub(super) count: u64,
    /// The rows, if they were to come back.
    pub(super) rows: Vec<Row>,
}

/// Rows with values for the same columns.
struct Group {
    bulk: BulkInsert,
    /// Where its rows stood among all rows, if they are to come back.
    positions: Vec<usize>,
}

/// How many rows go in one statement: what is sent and kept for it stays of one size, however many there are.
pub(super) const MOST_ROWS: usize = 10_000;

/// Inserts many rows, those with values for the same columns in one statement, and what they take along level by
/// level.
pub(super) fn insert_many(
    session: Session<'_>,
    rows: Vec<Insert>,
    options: BulkOptions,
) -> BoxFuture<'_, Result<Inserted>> {
    async move {
        if options.skip_duplicates && rows.iter().any(|row| row.is_nested() || row.looks_up()) {
            return Err(Error::Refused(SKIPPING_NEEDS_PLAIN_ROWS.to_owned()));
        }
        let mut inserted = Inserted::default();
        let mut rows = rows.into_iter();
        loop {
            let part: Vec<Insert> = rows.by_ref().take(MOST_ROWS).collect();
            if part.is_empty() {
                return Ok(inserted);
            }
            let of_part = insert_part(session, part, options).await?;
            inserted.count += of_part.count;
            inserted.rows.extend(of_part.rows);
        }
    }
    .boxed()
}

/// Rows that go together.
async fn insert_part(session: Session<'_>, mut rows: Vec<Insert>, options: BulkOptions) -> Result<Inserted> {
    let table = rows[0].table;
    if !rows.iter().any(Insert::is_nested) {
        return insert_rows(session, rows, options).await;
    }
    let theirs = level::write_before(session, &mut rows).await?;
    let returning = options.returning || !theirs.is_empty();
    let Inserted { count, rows } = insert_rows(session, rows, BulkOptions { returning, ..options }).await?;
    let node = Node::new(table, rows);
    level::write_behind(session, &node, theirs).await?;
    Ok(Inserted { count, rows: node.into_rows() })
}

/// Inserts rows that take no others along.
async fn insert_rows(session: Session<'_>, rows: Vec<Insert>, options: BulkOptions) -> Result<Inserted> {
    let mut count = 0;
    let mut placed: Vec<(usize, Row)> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let total = rows.len();
    let Some(table) = rows.first().map(|row| row.table) else { return Ok(Inserted::default()) };
    for (position, mut row) in rows.into_iter().enumerate() {
        // What was not found is seen in the rows.
        let returning = options.returning || row.looks_up();
        row.fill_defaults();
        add_to_group(&mut groups, row, position, total, BulkOptions { returning, ..options });
    }
    for group in groups {
        if !group.bulk.returning {
            for statement in group.bulk.into_statements() {
                count += session.execute(statement, table).await?;
            }
            continue;
        }
        let rows = query_group(session, group).await?;
        count += rows.len() as u64;
        placed.extend(rows);
    }
    placed.sort_by_key(|(position, _)| *position);
    Ok(Inserted { count, rows: placed.into_iter().map(|(_, row)| row).collect() })
}

/// The rows of a group that come back, each with the place of the one that it was made of.
async fn query_group(session: Session<'_>, group: Group) -> Result<Vec<(usize, Row)>> {
    let Group { bulk, positions } = group;
    let table = bulk.table;
    let looked_up: Vec<(u16, &'static str)> =
        bulk.lookups.iter().map(|lookup| (bulk.columns[lookup.place], lookup.relation.child.name)).collect();
    let mut positions = positions.into_iter();
    let mut placed = Vec::new();
    for statement in bulk.into_statements() {
        let rows = session.query(statement, table).await;
        let node = Node::new(table, rows.map_err(|error| explain_lookup(error, table, &looked_up))?);
        found_all(&node, &looked_up)?;
        placed.extend(node.into_rows().into_iter().map(|row| (positions.next().unwrap_or(usize::MAX), row)));
    }
    Ok(placed)
}

const SKIPPING_NEEDS_PLAIN_ROWS: &str = "skip_duplicates works on rows that give keys: \
    what is created or looked up together with a row would stay when the row is left out";

/// Adds a row, the one at `position` of `total`, to the rows with the same columns. Its columns are in order.
fn add_to_group(groups: &mut Vec<Group>, row: Insert, position: usize, total: usize, options: BulkOptions) {
    let known = groups.iter().position(|group| fits(&row, &group.bulk));
    let index = known.unwrap_or_else(|| {
        let on_conflict = if options.skip_duplicates { OnConflict::Skip } else { OnConflict::Fail };
        let bulk = empty_group(&row, total - position, options.returning, on_conflict);
        groups
            .push(Group { bulk, positions: Vec::with_capacity(if options.returning { total - position } else { 0 }) });
        groups.len() - 1
    });
    let group = &mut groups[index];
    if options.returning {
        group.positions.push(position);
    }
    add_row(&mut group.bulk, row);
}

/// Whether a row has values for the same columns as others, and looks up the same in the same way.
fn fits(row: &Insert, bulk: &BulkInsert) -> bool {
    let same_lookup = |(place, (_, cell)): (usize, &(u16, Cell))| {
        let known = bulk.lookups.iter().find(|lookup| lookup.place == place);
        match (cell, known) {
            (Cell::Value(_), None) => true,
            (Cell::Lookup { key, .. }, Some(known)) => {
                key.iter().map(|(column, _)| *column).eq(known.key.iter().copied())
            }
            _ => false,
        }
    };
    columns(row).eq(bulk.columns.iter().copied())
        && (bulk.lookups.is_empty() && !row.looks_up() || row.cells.iter().enumerate().all(same_lookup))
}

fn add_row(bulk: &mut BulkInsert, row: Insert) {
    bulk.rows += 1;
    let mut lookups = bulk.lookups.iter_mut();
    for ((_, cell), values) in row.cells.into_iter().zip(&mut bulk.values) {
        match cell {
            Cell::Value(value) => values.push(value),
            Cell::Lookup { key, .. } => {
                let values = lookups.next().map(|lookup| lookup.values.iter_mut()).into_iter().flatten();
                values.zip(key).for_each(|(values, (_, value))| values.push(value));
            }
        }
    }
}

/// A group for rows like this one.
fn empty_group(row: &Insert, rows: usize, returning: bool, on_conflict: OnConflict) -> BulkInsert {
    let columns: Vec<u16> = columns(row).collect();
    let values = columns.iter().map(|_| Vec::with_capacity(rows)).collect();
    let lookup = |(place, (_, cell)): (usize, &(u16, Cell))| match cell {
        Cell::Value(_) => None,
        Cell::Lookup { relation, column, key } => {
            let key: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
            let values = key.iter().map(|_| Vec::new()).collect();
            Some(BulkLookup { place, relation, column: *column, key, values })
        }
    };
    let lookups = row.cells.iter().enumerate().filter_map(lookup).collect();
    BulkInsert { table: row.table, columns, values, lookups, rows: 0, returning, on_conflict }
}

/// The statement of rows that take only one, and no others along.
pub(super) fn bulk_statement(rows: Vec<Insert>, options: BulkOptions) -> Option<Statement> {
    if rows.is_empty() || takes_several_statements(&rows) {
        return None;
    }
    let mut groups = Vec::new();
    let total = rows.len();
    for (position, mut row) in rows.into_iter().enumerate() {
        row.fill_defaults();
        add_to_group(&mut groups, row, position, total, options);
    }
    let mut statements = groups.pop()?.bulk.into_statements();
    if groups.is_empty() && statements.len() == 1 { statements.pop() } else { None }
}

/// Inserts the row or, where its key is taken, updates the row that has it: one statement.
pub(super) async fn upsert(
    session: Session<'_>,
    row: Insert,
    key: Vec<(u16, Param)>,
    sets: Vec<(u16, SetTo)>,
) -> Result<Node> {
    upsert_if(session, row, key, sets, &Condition::ALL).await
}

/// Like `upsert`; a row that is there and does not meet `only_if` is an error.
pub(super) async fn upsert_if(
    session: Session<'_>,
    mut row: Insert,
    key: Vec<(u16, Param)>,
    sets: Vec<(u16, SetTo)>,
    only_if: &Condition,
) -> Result<Node> {
    level::write_parents(session, std::slice::from_mut(&mut row)).await?;
    let (table, looked_up) = (row.table, lookups_of(&row));
    let statement = upsert_statement(row, &key, &sets, only_if)?;
    let rows = session.query(statement, table).await.map_err(|error| explain_lookup(error, table, &looked_up))?;
    if rows.is_empty() {
        return Err(Error::NotFound { model: table.name, operation: "updated" });
    }
    Ok(Node::new(table, rows))
}

/// The statement of an upsert whose row takes no other along.
pub(super) fn upsert_statement(
    mut row: Insert,
    key: &[(u16, Param)],
    sets: &[(u16, SetTo)],
    only_if: &Condition,
) -> Result<Statement> {
    complete(&mut row, key)?;
    let columns: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
    Ok(sql::upsert_statement(row.table, row.cells, &columns, sets, only_if))
}

/// Gives a row the key that an upsert looks for, and what the client makes.
fn complete(row: &mut Insert, key: &[(u16, Param)]) -> Result<()> {
    if !row.after.is_empty() {
        return Err(Error::Refused("upsert creates one row: create what belongs to it in calls of its own".to_owned()));
    }
    for (column, value) in key {
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
    Ok(())
}

/// Rows that were inserted or were there.
pub(super) struct Upserted {
    pub(super) node: Node,
    /// Which row of the node each of the given rows became: those with the same key became the same.
    pub(super) places: Vec<usize>,
}

/// Inserts rows or, where their keys are taken, updates the rows that have them: those with the same columns in one
/// statement. A row that is there and does not meet `only_if` is an error.
pub(super) async fn upsert_many(
    session: Session<'_>,
    rows: Vec<(Insert, Key)>,
    sets: &Sets,
    only_if: &Condition,
) -> Result<Upserted> {
    let (mut met, mut distinct, mut keys) = (KeySet::default(), Vec::new(), Vec::new());
    let table = rows.first().map(|(row, _)| row.table).ok_or(Error::TransactionFinished)?;
    let mut places = Vec::with_capacity(rows.len());
    for (row, key) in rows {
        let (place, is_new) = met.add(&key);
        places.push(place);
        if is_new {
            distinct.push(row);
            keys.push(key);
        }
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
        let rows = query_group(session, group).await?;
        if rows.len() < expected {
            return Err(Error::NotFound { model: table.name, operation: "updated" });
        }
        placed.extend(rows);
    }
    placed.sort_by_key(|(position, _)| *position);
    Ok(Upserted { node: Node::new(table, placed.into_iter().map(|(_, row)| row).collect()), places })
}
