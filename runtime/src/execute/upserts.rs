//! `upsert_many`: rows with the same columns in one statement each.

use futures_util::future::{BoxFuture, FutureExt, try_join_all};

use super::insert::{Group, Placed, add_row, empty_group, explain_lookup, fits, in_order, lookups_of, marked};
use super::keys::KeySet;
use super::upsert::{explain_hidden, find_connected, upsert_if};
use crate::connection::Session;
use crate::error::{Error, Lookup, Result};
use crate::meta::{Relation, Table};
use crate::query::{
    BulkInsert, Condition, Insert, Key, MAX_ROWS, NewRows, OnConflict, Outcome, Returned, UpsertRows, value_of,
};
use crate::rows::Node;
use crate::sql::{self, Context, Statement};
use crate::value::Param;

/// Returns whether it needs several statements, or may have to be undone because a row belongs to another tenant, or is deleted.
pub(super) fn needs_transaction(call: &UpsertRows) -> bool {
    call.rows.takes_several_statements()
        || call.table.is_on_citus && !call.rows.is_empty()
        || call.may_meet_others() && !call.stays()
}

/// Returns the only statement, if there is only one.
pub(super) fn single_statement(context: Context<'_>, call: &UpsertRows) -> Option<Statement> {
    if needs_transaction(call) {
        return None;
    }
    let mut groups = groups(call, call.rows.clone());
    let mut statements = sql::bulk_insert_statements(context, groups.pop()?.bulk);
    if groups.is_empty() && statements.len() == 1 { statements.pop() } else { None }
}

/// Returns the outcome for the rows of the only statement.
pub(super) fn outcome_of(call: &UpsertRows, node: Node) -> Result<Outcome> {
    let total = call.rows.len();
    Ok(placed_outcome(call.table, marked(node, &Vec::from_iter(0..total))?, total))
}

/// Explains an error of one of its statements.
pub(super) fn explain(
    table: &'static Table,
    key: &[u16],
    error: Error,
    looked_up: &[(u16, &'static Relation)],
) -> Error {
    let is_repeated = |error: &crate::error::DatabaseError| {
        // The message names the clause in every language. Functions of the database can have the same code.
        error.sqlstate == "21000" && error.server_message().contains("ON CONFLICT")
    };
    match &error {
        Error::Database(refused) if is_repeated(refused) => repeated(table, key),
        _ => explain_lookup(explain_hidden(error, table), table, looked_up),
    }
}

fn repeated(table: &Table, key: &[u16]) -> Error {
    let columns: Vec<&str> = key.iter().map(|column| table.columns[usize::from(*column)].name).collect();
    let columns = columns.join(" and ");
    Error::Misuse(
        format!(
            "two rows of upsert_many have the same {columns}: pass one row for each key, because only one can stay"
        )
        .into(),
    )
}

fn placed_outcome(table: &'static Table, placed: Vec<Placed>, total: usize) -> Outcome {
    let (rows, places) = in_order(placed, total);
    Outcome::Placed(Node::new(table, rows), places)
}

/// Writes the rows.
pub(super) fn upsert_rows(session: Session<'_>, mut call: UpsertRows) -> BoxFuture<'_, Result<Outcome>> {
    async move {
        let (table, total) = (call.table, call.rows.len());
        let rows = std::mem::replace(&mut call.rows, NewRows::Any(Vec::new()));
        let rows = match rows {
            NewRows::Uniform(uniform) if !table.is_on_citus => NewRows::Uniform(uniform),
            rows => {
                let mut rows = rows.into_rows();
                try_join_all(rows.iter_mut().map(|row| find_connected(session, row))).await?;
                NewRows::Any(rows)
            }
        };
        let (mut count, mut placed) = (0, Vec::new());
        if table.is_on_citus {
            placed = one_by_one(session, &call, rows.into_rows()).await?;
            count = placed.len() as u64;
        } else {
            let groups = groups(&call, rows);
            let is_list = |column: &u16| table.columns[usize::from(*column)].sql_type.ends_with("[]");
            let has_lists = groups.iter().any(|group| group.bulk.columns.iter().any(is_list));
            if (groups.len() > 1 || has_lists) && !call.stays() {
                refuse_repeated(table, &call.key, &groups)?;
            }
            for group in groups {
                let written = write_group(session, &call, group).await?;
                count += written.count;
                placed.extend(written.rows);
            }
        }
        if (table.tenancy.is_some() || table.has_scopes()) && !call.stays() && count < total as u64 {
            return Err(Error::not_found(table.name, Lookup::Update));
        }
        Ok(if call.returning { placed_outcome(table, placed, total) } else { Outcome::Count(count) })
    }
    .boxed()
}

struct Written {
    count: u64,
    rows: Vec<Placed>,
}

/// Sends the statements of one group, usually a single one.
async fn write_group(session: Session<'_>, call: &UpsertRows, group: Group) -> Result<Written> {
    let (table, Group { bulk, positions }) = (call.table, group);
    let looked_up: Vec<_> = bulk.lookups.iter().map(|it| (bulk.columns[it.place], it.relation)).collect();
    let mut written = Written { count: 0, rows: Vec::new() };
    for statement in sql::bulk_insert_statements(session.unshaped(), bulk) {
        let explain = |error| explain(table, &call.key, error, &looked_up);
        if call.returning {
            let rows = session.query(statement, table).await.map_err(explain)?;
            let rows = marked(Node::new(table, rows), &positions)?;
            written.count += rows.len() as u64;
            written.rows.extend(rows);
        } else {
            written.count += session.execute(statement, table).await.map_err(explain)?;
        }
    }
    Ok(written)
}

/// Returns the rows in groups of one statement each: those with the same columns, which change existing rows in the same
/// way.
fn groups(call: &UpsertRows, rows: NewRows) -> Vec<Group> {
    let returned = if call.returning { Returned::Marked } else { Returned::Count };
    let rows = match rows {
        NewRows::Uniform(uniform) => {
            let on_conflict = call.on_conflict(uniform.given());
            let mut positions = 0..uniform.len();
            let parts = uniform.into_parts(returned, on_conflict);
            return parts.map(|bulk| Group { positions: positions.by_ref().take(bulk.rows).collect(), bulk }).collect();
        }
        NewRows::Any(rows) => rows,
    };
    let mut groups: Vec<Group> = Vec::new();
    for (position, mut row) in rows.into_iter().enumerate() {
        let on_conflict = call.on_conflict(row.columns());
        row.fill_defaults();
        let same = |group: &Group| {
            group.bulk.rows < MAX_ROWS && fits(&row, &group.bulk) && is_same(&group.bulk.on_conflict, &on_conflict)
        };
        let index = groups.iter().position(same).unwrap_or_else(|| {
            groups.push(Group { bulk: empty_group(&row, 1, returned, on_conflict), positions: Vec::new() });
            groups.len() - 1
        });
        groups[index].positions.push(position);
        add_row(&mut groups[index].bulk, row);
    }
    groups
}

/// Returns whether existing rows change in the same way. The columns say so: the values come from the same call.
fn is_same(a: &OnConflict, b: &OnConflict) -> bool {
    match (a, b) {
        (OnConflict::Update { sets: a, .. }, OnConflict::Update { sets: b, .. }) => {
            a.iter().map(|(column, _)| column).eq(b.iter().map(|(column, _)| column))
        }
        _ => true,
    }
}

/// Refuses two rows with the same key in different statements. In one statement, PostgreSQL does.
fn refuse_repeated(table: &'static Table, key: &[u16], groups: &[Group]) -> Result<()> {
    let mut met = KeySet::default();
    for bulk in groups.iter().map(|group| &group.bulk) {
        for row in 0..bulk.rows {
            if let Some(key_of_row) = key_of(bulk, key, row)
                && !met.add(&key_of_row).1
            {
                return Err(repeated(table, key));
            }
        }
    }
    Ok(())
}

/// Returns the key of a row, unless a part of it is null or known to PostgreSQL alone.
fn key_of(bulk: &BulkInsert, key: &[u16], row: usize) -> Option<Key> {
    let own = bulk.table.own_tenant_column();
    let given = key.iter().filter(|column| Some(**column) != own);
    let value = |column: &u16| {
        let place = bulk.columns.iter().position(|known| known == column)?;
        let is_looked_up = bulk.lookups.iter().any(|lookup| lookup.place == place);
        let value = bulk.values.get(place).filter(|_| !is_looked_up)?.get(row)?;
        (*value != Param::Null).then(|| (*column, value.clone()))
    };
    given.map(value).collect()
}

/// Writes each row with statements of its own, because Citus loses the parameters of ON CONFLICT behind a SELECT.
async fn one_by_one(session: Session<'_>, call: &UpsertRows, rows: Vec<Insert>) -> Result<Vec<Placed>> {
    let mut placed = Vec::with_capacity(rows.len());
    let mut met = KeySet::default();
    for (position, row) in rows.into_iter().enumerate() {
        let key: Option<Key> =
            call.key.iter().map(|column| Some((*column, value_of(&row, *column)?.clone()))).collect();
        if let Some(key) = key
            && !call.stays()
            && !met.add(&key).1
        {
            return Err(repeated(call.table, &call.key));
        }
        placed.extend(one(session, call, row, position).await?);
    }
    Ok(placed)
}

/// Inserts a row, and otherwise changes the one that has its key.
async fn one(session: Session<'_>, call: &UpsertRows, row: Insert, position: usize) -> Result<Option<Placed>> {
    let table = call.table;
    let looked_up = lookups_of(&row);
    let mut new = row.clone();
    new.fill_defaults();
    let mut bulk = empty_group(&new, 1, Returned::Rows, OnConflict::SkipKey(call.key.clone()));
    add_row(&mut bulk, new);
    for statement in sql::bulk_insert_statements(session.unshaped(), bulk) {
        let rows = session.query(statement, table).await;
        let rows = rows.map_err(|error| explain(table, &call.key, error, &looked_up))?;
        if let Some(row) = rows.into_iter().next() {
            return Ok(Some(Placed { position, existed: false, row }));
        }
    }
    let OnConflict::Update { sets, .. } = call.on_conflict(row.columns()) else { return Ok(None) };
    let key = call.key.iter().filter_map(|column| Some((*column, value_of(&row, *column)?.clone()))).collect();
    let node = upsert_if(session, row, key, sets, &Condition::ALL).await?;
    Ok(node.into_rows().into_iter().next().map(|row| Placed { position, existed: true, row }))
}
