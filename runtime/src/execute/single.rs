//! Operations with a single statement, and the outcomes of these.

use super::insert::marked;
use super::read::{self, count_of};
use super::{bulk, delete, each, insert, nested, returning, upsert, upserts};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::query::{Condition, Operation, Outcome, Returned};
use crate::rows::Node;
use crate::sql::{self, Context, Statement};

/// Returns whether it needs several statements in one transaction.
pub(super) fn needs_transaction(operation: &Operation) -> bool {
    match operation {
        Operation::Create(row) => row.is_nested(),
        Operation::Upsert { row, .. } => row.is_nested() || upsert::looks_up_first(row),
        Operation::Update { nested, .. } => !nested::fit_into_the_update(nested),
        Operation::CreateMany { rows, .. } => rows.takes_several_statements(),
        Operation::UpsertMany(call) => upserts::needs_transaction(call),
        Operation::UpdateEach { table, changes, .. } => each::needs_transaction(table, changes),
        Operation::Delete { table, removal, .. } | Operation::DeleteMany { table, removal, .. } => {
            delete::cascades(table, *removal)
        }
        Operation::Returning(returning) => returning::needs_transaction(returning),
        _ => false,
    }
}

/// Returns its only statement, if it needs only one and reads nothing else.
pub(super) fn single_statement(context: Context<'_>, operation: &Operation) -> Option<(Statement, &'static Table)> {
    let statement = match operation {
        Operation::Read(select) => {
            let (statement, plan) = sql::read_statement(context, select, None);
            return plan.is_single_statement().then_some((statement, select.table));
        }
        Operation::Count { table, condition } => sql::count_statement(context, table, condition),
        Operation::Exists { table, condition } => sql::exists_statement(context, table, condition),
        Operation::Aggregate(aggregation) => sql::aggregate_statement(context, aggregation),
        Operation::Create(row) if !row.is_nested() => insert::statement(context, &mut row.clone()),
        Operation::CreateMany { rows, options, .. } => bulk::statement(context, rows.clone(), *options)?,
        Operation::UpsertMany(call) => upserts::single_statement(context, call)?,
        Operation::UpdateEach { table, changes, returning } => {
            each::single_statement(context, table, changes, *returning)?
        }
        Operation::Upsert { row, key, sets } if !row.is_nested() && !upsert::looks_up_first(row) => {
            upsert::upsert_statement(context, row.clone(), key, sets, &Condition::ALL).ok()?
        }
        Operation::Returning(returning) => returning::single_statement(context, returning)?,
        Operation::Update { table, condition, sets, nested } if nested.is_empty() && !sets.is_empty() => {
            sql::update_statement(context, table, condition, sets, true)
        }
        Operation::UpdateMany { table, condition, sets, limit, returning } if !sets.is_empty() => {
            sql::update_many_statement(context, table, condition, sets, *limit, *returning)
        }
        Operation::Delete { table, condition, removal } if !delete::cascades(table, *removal) => {
            delete::statement(context, table, condition, *removal, true)
        }
        Operation::DeleteMany { table, condition, limit, removal } if !delete::cascades(table, *removal) => {
            delete::many_statement(context, table, condition, *limit, *removal)
        }
        Operation::Refresh { table, concurrently } => sql::refresh_statement(table, *concurrently),
        Operation::Sql(call) => Statement::of_call(call),
        _ => return None,
    };
    Some((statement, operation.table()?))
}

/// Returns the outcome for the rows of its single statement.
pub(super) fn outcome_of(operation: &Operation, mut node: Node) -> Result<Outcome> {
    match operation {
        Operation::Count { .. } | Operation::Exists { .. } => count_of(&node),
        Operation::Read(select) => {
            let plan = sql::read_plan(select);
            read::attach_joined(&mut node, &plan);
            Ok(read::outcome(node, &plan))
        }
        Operation::Returning(returning) => Ok(returning::outcome_of(returning, node)),
        Operation::UpsertMany(call) => upserts::outcome_of(call, node),
        Operation::UpdateEach { table, changes, .. } => each::outcome_of(table, changes, node),
        Operation::CreateMany { table, rows, options } if options.returned == Returned::Marked => {
            let (rows, places) = insert::in_order(marked(node, &Vec::from_iter(0..rows.len()))?, rows.len());
            Ok(Outcome::Placed(Node::new(table, rows), places))
        }
        Operation::Aggregate(aggregation) => {
            node.set_names(Some(aggregation.names()));
            Ok(Outcome::Rows(node))
        }
        _ => Ok(Outcome::Rows(node)),
    }
}

/// Returns the outcome for the number of rows that its single statement wrote.
pub(super) fn outcome_of_count(operation: &Operation, count: u64) -> Outcome {
    match operation {
        Operation::UpdateEach { changes, .. } => each::counted(changes, count),
        _ => Outcome::Count(count),
    }
}

/// Explains an error of its single statement in terms of the operation.
pub(super) fn explain(operation: &Operation, error: Error) -> Error {
    match operation {
        Operation::Create(row) => insert::explain_lookup(error, row.table, &insert::lookups_of(row)),
        Operation::Upsert { row, .. } => upsert::explain(error, row.table, &insert::lookups_of(row)),
        Operation::UpsertMany(call) => upserts::explain(call.table, &call.key, error, &[]),
        Operation::Returning(returning) => explain(&returning.write, error),
        Operation::Sql(call) => upsert::explain_hidden(error, call.table()),
        _ => error,
    }
}

/// Returns the read to repeat for the outcome of its single statement, if any.
pub(super) fn missing(operation: &Operation, outcome: &Outcome) -> Option<Operation> {
    match operation {
        Operation::Returning(returning) => returning::missing(returning, outcome),
        _ => None,
    }
}
