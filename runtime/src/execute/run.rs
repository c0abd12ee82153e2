//! Carries out an operation on one connection.

use std::future::Future;

use futures_util::future::FutureExt;

use super::read::{self, count_of};
use super::{bulk, delete, each, insert, nested, returning, upsert, upserts};
use crate::connection::Session;
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::query::{Condition, NewRows, Operation, Outcome, Returned, Select};
use crate::rows::Node;
use crate::sql::{self, Statement};

/// Carries out an operation. Rare operations are boxed, because this future has room for the largest of them, and every
/// call moves it.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
///
/// The operation is borrowed, so that the caller's future does not have room for it twice.
pub(crate) fn execute(session: Session<'_>, operation: &mut Operation) -> impl Future<Output = Result<Outcome>> + Send {
    async move {
        if let Some(error) = operation.refused() {
            return Err(error);
        }
        match operation {
            Operation::Read(select) if select.decoder.is_some() => read::read_many(session, select).boxed().await,
            Operation::Read(select) => {
                let node = read::read(&session, select, &[]).await?;
                Ok(if select.page.is_some() {
                    read::outcome(node, &sql::read_plan(select))
                } else {
                    Outcome::Rows(node)
                })
            }
            Operation::Count { table, condition } => {
                let statement = sql::count_statement(session.shaped(), table, condition);
                count_of(&Node::new(table, session.query(statement, table).await?))
            }
            Operation::Exists { table, condition } => {
                let statement = sql::exists_statement(session.shaped(), table, condition);
                count_of(&Node::new(table, session.query(statement, table).await?))
            }
            Operation::Update { table, condition, sets, nested } if nested.is_empty() && !sets.is_empty() => {
                let statement = sql::update_statement(session.shaped(), table, condition, sets, true);
                run_write(&session, table, statement, true).await
            }
            Operation::UpdateMany { table, condition, sets, limit: None, returning } if !sets.is_empty() => {
                let statement = sql::update_statement(session.shaped(), table, condition, sets, *returning);
                run_write(&session, table, statement, *returning).await
            }
            Operation::Delete { table, condition, removal } if !delete::cascades(table, *removal) => {
                let statement = delete::statement(session.shaped(), table, condition, *removal, true);
                run_write(&session, table, statement, true).await
            }
            Operation::DeleteMany { table, condition, limit: None, removal } if !delete::cascades(table, *removal) => {
                let statement = delete::statement(session.shaped(), table, condition, *removal, false);
                run_write(&session, table, statement, false).await
            }
            Operation::Create(row) if !row.is_nested() => insert::insert_row(&session, row).await.map(Outcome::Rows),
            // Rare or slow operations must not make the future of every call larger.
            other => execute_larger(session, other.take()).boxed().await,
        }
    }
}

/// Carries out operations with several statements, many rows, or raw SQL.
async fn execute_larger(session: Session<'_>, operation: Operation) -> Result<Outcome> {
    match operation {
        Operation::Aggregate(aggregation) => {
            let table = aggregation.select.table;
            let rows = session.query(sql::aggregate_statement(session.unshaped(), &aggregation), table).await?;
            Ok(Outcome::Rows(aggregation.node(rows)))
        }
        Operation::Create(row) => insert::insert(session, row).await.map(Outcome::Rows),
        Operation::CreateMany { table, rows, options } => {
            let inserted = match rows {
                NewRows::Uniform(rows) => bulk::insert_uniform(session, rows, options).await?,
                NewRows::Any(rows) => insert::insert_many(session, rows, options).await?,
            };
            Ok(match options.returned {
                Returned::Count => Outcome::Count(inserted.count),
                Returned::Rows => Outcome::Rows(Node::new(table, inserted.rows)),
                Returned::Marked => Outcome::Placed(Node::new(table, inserted.rows), inserted.places),
            })
        }
        Operation::UpsertMany(call) => upserts::upsert_rows(session, *call).await,
        Operation::UpdateEach { table, changes, returning } => {
            each::update_each(session, table, changes, returning).await
        }
        Operation::Update { table, condition, sets, nested } if !nested.is_empty() => {
            nested::update(session, table, condition, sets, nested).await.map(Outcome::Rows)
        }
        Operation::Update { table, condition, .. } => change_nothing(session, table, condition, None, true).await,
        Operation::UpdateMany { table, condition, sets, limit, returning } if sets.is_empty() => {
            change_nothing(session, table, condition, limit, returning).await
        }
        Operation::UpdateMany { table, condition, sets, limit, returning } => {
            let statement = sql::update_many_statement(session.unshaped(), table, &condition, &sets, limit, returning);
            run_write(&session, table, statement, returning).await
        }
        Operation::Upsert { row, key, sets } => upsert::upsert(session, row, key, sets).await.map(Outcome::Rows),
        Operation::Delete { table, condition, .. } => {
            delete::mark(session, table, condition, None).await.map(Outcome::Rows)
        }
        Operation::DeleteMany { table, condition, limit, removal } if delete::cascades(table, removal) => {
            Ok(Outcome::Count(delete::mark(session, table, condition, limit).await?.len() as u64))
        }
        Operation::DeleteMany { table, condition, limit, removal } => {
            let statement = delete::many_statement(session.unshaped(), table, &condition, limit, removal);
            run_write(&session, table, statement, false).await
        }
        Operation::Returning(returning) => returning::write(session, *returning).await,
        Operation::Sql(call) => {
            let written = run_write(&session, call.table(), Statement::of_call(&call), call.gives_rows()).await;
            written.map_err(|error| upsert::explain_hidden(error, call.table()))
        }
        Operation::Refresh { table, concurrently } => {
            run_write(&session, table, sql::refresh_statement(table, concurrently), false).await
        }
        Operation::Refused(reason) => Err(Error::Misuse(reason.into())),
        mut simple @ (Operation::Read(_) | Operation::Count { .. } | Operation::Exists { .. }) => {
            Box::pin(execute(session, &mut simple)).await
        }
    }
}

/// Returns or counts the rows that match a condition, for an update that sets nothing.
async fn change_nothing(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    limit: Option<u64>,
    returning: bool,
) -> Result<Outcome> {
    if !returning {
        let statement = sql::count_statement(session.shaped(), table, &condition);
        let count = count_of(&Node::new(table, session.query(statement, table).await?))?.into_count()?;
        return Ok(Outcome::Count(limit.map_or(count, |limit| limit.min(count))));
    }
    let mut select = Select::new(table);
    select.filter(condition);
    if limit.is_some() {
        select.take = limit;
        select.order = select.total_order();
    }
    read::read(&session, &select, &[]).await.map(Outcome::Rows)
}

/// Runs a statement, and returns or counts its rows.
async fn run_write(
    session: &Session<'_>,
    table: &'static Table,
    statement: Statement,
    returning: bool,
) -> Result<Outcome> {
    Ok(match returning {
        true => Outcome::Rows(Node::new(table, session.query(statement, table).await?)),
        false => Outcome::Count(session.execute(statement, table).await?),
    })
}
