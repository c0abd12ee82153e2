//! Inserts: first the rows that a new row references, then the row, then the rows that reference it.
//!
//! Rows of one level with values for the same columns share one statement.

use std::future::Future;

use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;

use super::level;
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{
    BulkInsert, BulkLookup, BulkOptions, Cell, Insert, MAX_ROWS, OnConflict, Place, Returned, takes_several_statements,
};
use crate::rows::{Cursor, Node};
use crate::sql::{self, Context, Statement};

/// Takes the values of a row without nested rows into its statement, in the context of a connection that may know it.
pub(super) fn statement(context: Context<'_>, row: &mut Insert) -> Statement {
    row.fill_defaults();
    sql::insert_statement(context, row.table, std::mem::take(&mut row.cells))
}

/// Inserts a row with its nested rows, and returns the row.
pub(crate) fn insert(session: Session<'_>, mut row: Insert) -> BoxFuture<'_, Result<Node>> {
    async move {
        if !row.is_nested() {
            return insert_row(&session, &mut row).await;
        }
        let theirs = level::write_before(session, std::slice::from_mut(&mut row)).await?;
        let node = insert_row(&session, &mut row).await?;
        level::write_after(session, &node, theirs).await?;
        Ok(node)
    }
    .boxed()
}

/// Inserts a row without nested rows, and takes its values.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
pub(super) fn insert_row(session: &Session<'_>, row: &mut Insert) -> impl Future<Output = Result<Node>> + Send {
    async move {
        let (table, looked_up) = (row.table, lookups_of(row));
        let inserting = session.query(statement(session.shaped(), row), table);
        let rows = inserting.await.map_err(|error| explain_lookup(error, table, &looked_up))?;
        let node = Node::new(table, rows);
        check_all_found(&node, &looked_up)?;
        Ok(node)
    }
}

/// Returns the columns of a row that are looked up, with their relations.
pub(super) fn lookups_of(row: &Insert) -> Vec<(u16, &'static Relation)> {
    let lookup = |(column, cell): &(u16, Cell)| match cell {
        Cell::Lookup { relation, .. } => Some((*column, *relation)),
        Cell::Value(_) => None,
    };
    row.cells.iter().filter_map(lookup).collect()
}

/// Explains an error: a required column that was looked up is null if no row was found.
pub(super) fn explain_lookup(error: Error, table: &'static Table, looked_up: &[(u16, &'static Relation)]) -> Error {
    if let Some(relation) = refused_by_policy(&error, table, looked_up) {
        return Error::not_related(relation, Lookup::Connect);
    }
    let Error::NotNullViolation(violation) = &error else { return error };
    let is_meant = |column: &u16| violation.columns.iter().any(|name| name == table.columns[usize::from(*column)].name);
    match looked_up.iter().find(|(column, _)| is_meant(column)) {
        Some((_, relation)) => Error::not_related(relation, Lookup::Connect),
        None => error,
    }
}

/// Returns the relation that leads to the tenant of a new row, if it was looked up and not found. In that case, the
/// policy refuses the row before PostgreSQL checks NOT NULL.
fn refused_by_policy(
    error: &Error,
    table: &'static Table,
    looked_up: &[(u16, &'static Relation)],
) -> Option<&'static Relation> {
    let is_refused = matches!(error, Error::Database(error) if error.sqlstate == "42501");
    let slot = table.tenancy.filter(|_| table.is_row_secured && is_refused)?.path.first()?;
    let relation = &table.relations[usize::from(*slot)];
    looked_up.iter().map(|(_, relation)| *relation).find(|other| std::ptr::eq(*other, relation))
}

/// Checks that all lookups found a row. If a lookup for an optional column finds nothing, the column is null, which is
/// not an error in PostgreSQL.
pub(super) fn check_all_found(node: &Node, looked_up: &[(u16, &'static Relation)]) -> Result<()> {
    let missing = |at: Cursor<'_>| {
        looked_up.iter().find(|(column, _)| at.raw(usize::from(*column)).is_none()).map(|(_, relation)| *relation)
    };
    match node.cursors().find_map(missing) {
        Some(relation) => Err(Error::not_related(relation, Lookup::Connect)),
        None => Ok(()),
    }
}

/// The result of a bulk insert.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    pub(super) count: u64,
    /// The rows, if they are returned.
    pub(super) rows: Vec<Row>,
    /// The place of each input row, if the rows have marks.
    pub(super) places: Vec<Place>,
}

/// A written row.
pub(super) struct Placed {
    /// The number of its input row.
    pub(super) position: usize,
    /// Whether it was there before.
    pub(super) existed: bool,
    pub(super) row: Row,
}

/// Rows with values for the same columns.
pub(super) struct Group {
    pub(super) bulk: BulkInsert,
    /// The positions of its rows among all rows, if they are returned.
    pub(super) positions: Vec<usize>,
}

/// Inserts many rows, in one statement for those with values for the same columns, and their nested rows level by
/// level.
pub(super) fn insert_many(
    session: Session<'_>,
    rows: Vec<Insert>,
    options: BulkOptions,
) -> BoxFuture<'_, Result<Inserted>> {
    async move {
        if options.skip_duplicates && rows.iter().any(|row| row.is_nested() || row.looks_up()) {
            return Err(Error::Misuse(SKIPPING_NEEDS_PLAIN_ROWS.into()));
        }
        let mut inserted = Inserted::default();
        let mut rows = rows.into_iter();
        loop {
            let part: Vec<Insert> = rows.by_ref().take(MAX_ROWS).collect();
            if part.is_empty() {
                return Ok(inserted);
            }
            let of_part = insert_part(session, part, options).await?;
            let before = inserted.rows.len();
            inserted.places.extend(of_part.places.into_iter().map(|place| place.map(|row| Some(before + row))));
            inserted.count += of_part.count;
            inserted.rows.extend(of_part.rows);
        }
    }
    .boxed()
}

/// Inserts rows of one statement.
async fn insert_part(session: Session<'_>, mut rows: Vec<Insert>, options: BulkOptions) -> Result<Inserted> {
    let table = rows[0].table;
    if !rows.iter().any(Insert::is_nested) {
        return insert_rows(session, rows, options).await;
    }
    let theirs = level::write_before(session, &mut rows).await?;
    let options = if theirs.is_empty() { options } else { options.at_least_rows() };
    let Inserted { count, rows, places } = insert_rows(session, rows, options).await?;
    let node = Node::new(table, rows);
    level::write_after(session, &node, theirs).await?;
    Ok(Inserted { count, rows: node.into_rows(), places })
}

/// Inserts rows without nested rows.
async fn insert_rows(session: Session<'_>, rows: Vec<Insert>, options: BulkOptions) -> Result<Inserted> {
    let mut count = 0;
    let mut placed: Vec<Placed> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let total = rows.len();
    let Some(table) = rows.first().map(|row| row.table) else { return Ok(Inserted::default()) };
    for (position, mut row) in rows.into_iter().enumerate() {
        // The returned rows show which lookups found nothing.
        let options = if row.looks_up() { options.at_least_rows() } else { options };
        row.fill_defaults();
        add_to_group(&mut groups, row, position, total, options);
    }
    for group in groups {
        if group.bulk.returned == Returned::Count {
            for statement in sql::bulk_insert_statements(session.unshaped(), group.bulk) {
                count += session.execute(statement, table).await?;
            }
            continue;
        }
        let rows = query_group(session, group).await?;
        count += rows.len() as u64;
        placed.extend(rows);
    }
    let (rows, places) = in_order(placed, total);
    Ok(Inserted { count, rows, places })
}

/// Returns the rows in the order of the input rows, and the place of each of these.
pub(super) fn in_order(mut placed: Vec<Placed>, total: usize) -> (Vec<Row>, Vec<Place>) {
    placed.sort_by_key(|placed| placed.position);
    let mut places = vec![Place::Nothing; total];
    let mut rows = Vec::with_capacity(placed.len());
    for Placed { position, existed, row } in placed {
        if let Some(place) = places.get_mut(position) {
            *place = if existed { Place::Updated(rows.len()) } else { Place::Inserted(rows.len()) };
        }
        rows.push(row);
    }
    (rows, places)
}

/// Returns the rows of a group, each with the position of the input row.
pub(super) async fn query_group(session: Session<'_>, group: Group) -> Result<Vec<Placed>> {
    let Group { bulk, positions } = group;
    let (table, returned) = (bulk.table, bulk.returned);
    let looked_up: Vec<(u16, &'static Relation)> =
        bulk.lookups.iter().map(|lookup| (bulk.columns[lookup.place], lookup.relation)).collect();
    let mut next = positions.iter().copied();
    let mut placed = Vec::new();
    for statement in sql::bulk_insert_statements(session.unshaped(), bulk) {
        let rows = session.query(statement, table).await;
        let node = Node::new(table, rows.map_err(|error| explain_lookup(error, table, &looked_up))?);
        if returned == Returned::Marked {
            placed.extend(marked(node, &positions)?);
            continue;
        }
        check_all_found(&node, &looked_up)?;
        placed.extend(node.into_rows().into_iter().map(|row| Placed {
            position: next.next().unwrap_or(usize::MAX),
            existed: false,
            row,
        }));
    }
    Ok(placed)
}

/// Returns rows with marks, each with the position of its input row.
pub(super) fn marked(node: Node, positions: &[usize]) -> Result<Vec<Placed>> {
    let mark = node.table.reads;
    let marks = node.cursors().map(|at| at.get::<i64>(mark)).collect::<Result<Vec<_>>>()?;
    let placed = marks.into_iter().zip(node.into_rows()).map(|(mark, row)| {
        let number = usize::try_from(mark.unsigned_abs()).unwrap_or(usize::MAX);
        let position = positions.get(number.wrapping_sub(1)).copied();
        let position = position.ok_or(Error::Internal("a row was returned for no input row"))?;
        Ok(Placed { position, existed: mark < 0, row })
    });
    placed.collect()
}

const SKIPPING_NEEDS_PLAIN_ROWS: &str = "skip_duplicates works on rows that give keys: \
    what is created or looked up together with a row would stay when the row is left out";

/// Adds a row, at `position` of `total`, to the group with the same columns. Its columns are in order.
fn add_to_group(groups: &mut Vec<Group>, row: Insert, position: usize, total: usize, options: BulkOptions) {
    let known = groups.iter().position(|group| fits(&row, &group.bulk));
    let index = known.unwrap_or_else(|| {
        let bulk = empty_group(&row, total - position, options.returned, options.on_conflict());
        let expected = if options.returned == Returned::Count { 0 } else { total - position };
        groups.push(Group { bulk, positions: Vec::with_capacity(expected) });
        groups.len() - 1
    });
    let group = &mut groups[index];
    if options.returned != Returned::Count {
        group.positions.push(position);
    }
    add_row(&mut group.bulk, row);
}

/// Returns whether a row has values for the same columns, and the same lookups.
pub(crate) fn fits(row: &Insert, bulk: &BulkInsert) -> bool {
    let same_lookup = |(place, (_, cell)): (usize, &(u16, Cell))| {
        let known = bulk.lookups.iter().find(|lookup| lookup.place == place);
        match (cell, known) {
            (Cell::Value(_), None) => true,
            (Cell::Lookup { relation, column, key }, Some(known)) => {
                std::ptr::eq(*relation, known.relation)
                    && *column == known.column
                    && key.iter().map(|(column, _)| *column).eq(known.key.iter().copied())
            }
            _ => false,
        }
    };
    row.columns().eq(bulk.columns.iter().copied())
        && (bulk.lookups.is_empty() && !row.looks_up() || row.cells.iter().enumerate().all(same_lookup))
}

pub(super) fn add_row(bulk: &mut BulkInsert, row: Insert) {
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

/// Returns an empty group for rows like this one.
pub(super) fn empty_group(row: &Insert, rows: usize, returned: Returned, on_conflict: OnConflict) -> BulkInsert {
    let columns: Vec<u16> = row.columns().collect();
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
    BulkInsert { table: row.table, columns, values, lookups, rows: 0, returned, on_conflict }
}

/// Returns the statement, if one is enough and there are no nested rows.
pub(crate) fn bulk_statement(context: Context<'_>, rows: Vec<Insert>, options: BulkOptions) -> Option<Statement> {
    if rows.is_empty() || takes_several_statements(&rows) {
        return None;
    }
    let mut groups = Vec::new();
    let total = rows.len();
    for (position, mut row) in rows.into_iter().enumerate() {
        row.fill_defaults();
        add_to_group(&mut groups, row, position, total, options);
    }
    let mut statements = sql::bulk_insert_statements(context, groups.pop()?.bulk);
    if groups.is_empty() && statements.len() == 1 { statements.pop() } else { None }
}
