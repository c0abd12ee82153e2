//! What builders ask for, as data, and how it is carried out on one connection.
//!
//! Nothing here is generic: types appear only when results are read.

mod bulk;
mod changes;
mod children;
mod copy;
mod insert;
mod keys;
mod level;
mod nested;
mod read;
mod returning;

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt};

use crate::aggregate::Aggregation;
use crate::connection::Session;
use crate::create::Insert;
use crate::error::{Error, Result};
use crate::filter::Condition;
use crate::nested::{NestedWrite, Sets};
use crate::page::{self, PageToken};
use crate::result::{Node, TakeRows};
use crate::select::Select;
use crate::sql::{self, Statement};
use crate::table::Table;
use crate::typed::SqlCall;
use crate::value::Param;

pub(crate) use bulk::NewRows;
pub(crate) use copy::copy_rows;
pub(crate) use insert::BulkOptions;
pub(crate) use read::attach_to_rows;
pub(crate) use returning::Returning;

/// One call of the client.
#[derive(Debug)]
pub(crate) enum Operation {
    /// Boxed by the builder, which moves with every call on it.
    Read(Box<Select>),
    Count {
        table: &'static Table,
        condition: Condition,
    },
    Exists {
        table: &'static Table,
        condition: Condition,
    },
    Aggregate(Box<Aggregation>),
    Create(Insert),
    CreateMany {
        table: &'static Table,
        rows: NewRows,
        options: BulkOptions,
    },
    Update {
        table: &'static Table,
        condition: Condition,
        sets: Sets,
        nested: Vec<NestedWrite>,
    },
    UpdateMany {
        table: &'static Table,
        condition: Condition,
        sets: Sets,
        limit: Option<u64>,
        returning: bool,
    },
    Upsert {
        row: Insert,
        key: Vec<(u16, Param)>,
        sets: Sets,
    },
    Delete {
        table: &'static Table,
        condition: Condition,
    },
    DeleteMany {
        table: &'static Table,
        condition: Condition,
        limit: Option<u64>,
    },
    Returning(Box<Returning>),
    Sql(SqlCall),
    Refused(String),
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Rows(Node),
    /// Rows that were read while they arrived, and the last ones.
    Taken(Box<dyn TakeRows>, Node),
    /// Rows of which some are a page, where the next one begins, and where the one before ends.
    Page {
        node: Node,
        rows: Range<usize>,
        next: Option<PageToken>,
        previous: Option<PageToken>,
    },
    Count(u64),
}

impl Operation {
    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self {
            Operation::Read(select) => Some(select.table),
            Operation::Aggregate(aggregation) => Some(aggregation.select.table),
            Operation::Create(row) | Operation::Upsert { row, .. } => Some(row.table),
            Operation::Count { table, .. }
            | Operation::Exists { table, .. }
            | Operation::CreateMany { table, .. }
            | Operation::Update { table, .. }
            | Operation::UpdateMany { table, .. }
            | Operation::Delete { table, .. }
            | Operation::DeleteMany { table, .. } => Some(table),
            Operation::Returning(returning) => Some(returning.then.table),
            Operation::Sql(call) => Some(call.table()),
            Operation::Refused(_) => None,
        }
    }

    /// The operation's name for traces.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Operation::Read(select) if select.single => "find_one",
            Operation::Read(_) => "find_many",
            Operation::Count { .. } => "count",
            Operation::Exists { .. } => "exists",
            Operation::Aggregate(aggregation) if aggregation.group_by.is_empty() => "aggregate",
            Operation::Aggregate(_) => "group_by",
            Operation::Create(_) => "create",
            Operation::CreateMany { .. } => "create_many",
            Operation::Update { .. } => "update",
            Operation::UpdateMany { .. } => "update_many",
            Operation::Upsert { .. } => "upsert",
            Operation::Delete { .. } => "delete",
            Operation::DeleteMany { .. } => "delete_many",
            Operation::Returning(returning) => returning.write.name(),
            Operation::Sql(call) if call.gives_rows() => "query",
            Operation::Sql(_) => "execute",
            Operation::Refused(_) => "refused",
        }
    }

    /// Whether it is an error if there is no row.
    pub(crate) fn must_find(&self) -> bool {
        match self {
            Operation::Read(select) => select.required,
            Operation::Update { .. } | Operation::Delete { .. } => true,
            Operation::Returning(returning) => returning.write.must_find(),
            Operation::Sql(call) => call.alone,
            _ => false,
        }
    }

    /// Whether it changes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(
            self,
            Operation::Read(_) | Operation::Count { .. } | Operation::Exists { .. } | Operation::Aggregate(_)
        )
    }

    /// Whether it changes something, as far as is known.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Operation::Sql(call) => call.writes(),
            _ => !self.only_reads(),
        }
    }

    /// Whether it locks the rows that it reads.
    pub(crate) fn locks_rows(&self) -> bool {
        matches!(self, Operation::Read(select) if select.lock.is_some())
    }

    /// Whether it takes several statements that must hold together.
    pub(crate) fn needs_transaction(&self) -> bool {
        match self {
            Operation::Create(row) | Operation::Upsert { row, .. } => row.is_nested(),
            Operation::Update { nested, .. } => !nested::fit_into_the_update(nested),
            Operation::CreateMany { rows, .. } => rows.takes_several_statements(),
            Operation::Returning(returning) => returning.needs_transaction(),
            _ => false,
        }
    }

    /// Its only statement, if it takes one and reads nothing else along.
    pub(crate) fn single_statement(&self) -> Option<(Statement, &'static Table)> {
        let statement = match self {
            Operation::Read(select) => {
                let (statement, plan) = sql::read_statement(select, None);
                return plan.is_single_statement().then_some((statement, select.table));
            }
            Operation::Count { table, condition } => sql::count_statement(table, condition),
            Operation::Exists { table, condition } => sql::exists_statement(table, condition),
            Operation::Aggregate(aggregation) => sql::aggregate_statement(aggregation),
            Operation::Create(row) if !row.is_nested() => insert::statement(row.clone()),
            Operation::CreateMany { rows, options, .. } => rows.clone().statement(*options)?,
            Operation::Upsert { row, key, sets } if !row.is_nested() => {
                insert::upsert_statement(row.clone(), key, sets, &Condition::ALL).ok()?
            }
            Operation::Returning(returning) => returning.single_statement()?,
            Operation::Update { table, condition, sets, nested } if nested.is_empty() && !is_idle(table, sets) => {
                sql::update_statement(table, condition, sets, true)
            }
            Operation::UpdateMany { table, condition, sets, limit, returning } if !is_idle(table, sets) => {
                sql::update_many_statement(table, condition, sets, *limit, *returning)
            }
            Operation::Delete { table, condition } => sql::delete_statement(table, condition, true),
            Operation::DeleteMany { table, condition, limit } => sql::delete_many_statement(table, condition, *limit),
            Operation::Sql(call) => call.statement(),
            _ => return None,
        };
        Some((statement, self.table()?))
    }

    /// Whether it gives the number of rows that its statement wrote.
    pub(crate) fn counts_written_rows(&self) -> bool {
        match self {
            Operation::UpdateMany { returning, .. } => !returning,
            Operation::CreateMany { options, .. } => !options.returning,
            Operation::DeleteMany { .. } => true,
            Operation::Sql(call) => !call.gives_rows(),
            _ => false,
        }
    }

    /// The outcome, given the rows of its single statement.
    pub(crate) fn outcome_of(&self, mut node: Node) -> Result<Outcome> {
        match self {
            Operation::Count { .. } | Operation::Exists { .. } => count_of(&node),
            Operation::Read(select) => {
                let plan = sql::read_plan(select);
                read::attach_joined(&mut node, &plan);
                Ok(read::outcome(node, &plan))
            }
            Operation::Returning(returning) => Ok(returning.outcome_of(node)),
            Operation::Aggregate(aggregation) => {
                node.set_names(Some(aggregation.names()));
                Ok(Outcome::Rows(node))
            }
            _ => Ok(Outcome::Rows(node)),
        }
    }

    /// An error of its single statement, in the words of what was asked for.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self {
            Operation::Create(row) | Operation::Upsert { row, .. } => {
                insert::explain_lookup(error, row.table, &insert::lookups_of(row))
            }
            Operation::Returning(returning) => returning.write.explain(error),
            _ => error,
        }
    }

    /// What has to be read again of the outcome of its single statement, if anything.
    pub(crate) fn lacking(&self, outcome: &Outcome) -> Option<Operation> {
        match self {
            Operation::Returning(returning) => returning.lacking(outcome),
            _ => None,
        }
    }

    /// What was found wrong with it before anything was sent.
    pub(crate) fn refused(&self) -> Option<Error> {
        match self {
            Operation::Refused(reason) => Some(Error::Refused(reason.clone())),
            Operation::Read(select) => page::refused(select).or_else(|| select.refused_lock()),
            Operation::Create(row) | Operation::Upsert { row, .. } => row.refused.map(|why| Error::Refused(why.into())),
            Operation::Update { nested, .. } => {
                nested.iter().find_map(|write| write.refused).map(|why| Error::Refused(why.into()))
            }
            Operation::CreateMany { rows, .. } => rows.refused().map(|why| Error::Refused(why.into())),
            Operation::Returning(returning) => returning.write.refused(),
            _ => None,
        }
    }
}

/// Whether an update changes nothing: no column is set, and none is kept up to date.
fn is_idle(table: &Table, sets: &Sets) -> bool {
    sets.is_empty() && !table.columns.iter().any(|column| column.updated_at)
}

fn count_of(node: &Node) -> Result<Outcome> {
    let count: i64 = node.cursors().next().map_or(Ok(0), |at| at.get(0))?;
    Ok(Outcome::Count(count.unsigned_abs()))
}

impl Outcome {
    /// The table or query whose rows they are.
    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } | Outcome::Taken(_, node) => Some(node.table),
            Outcome::Count(_) => None,
        }
    }

    pub(crate) fn into_rows(self) -> Result<Node> {
        match self {
            Outcome::Rows(node) | Outcome::Page { node, .. } => Ok(node),
            Outcome::Count(_) => Err(Error::Refused("a count was given where rows were asked for".to_owned())),
            Outcome::Taken(..) => Err(Error::Refused("rows were given that were read already".to_owned())),
        }
    }

    /// How many rows were read or written, those of includes apart.
    pub(crate) fn rows(&self) -> u64 {
        match self {
            Outcome::Count(count) => *count,
            Outcome::Page { rows, .. } => rows.len() as u64,
            Outcome::Taken(taken, last) => (taken.len() + last.len()) as u64,
            Outcome::Rows(node) => node.len() as u64,
        }
    }

    pub(crate) fn into_count(self) -> Result<u64> {
        match self {
            Outcome::Count(count) => Ok(count),
            Outcome::Rows(node) | Outcome::Page { node, .. } => Ok(node.len() as u64),
            outcome @ Outcome::Taken(..) => Ok(outcome.rows()),
        }
    }
}

/// Carries an operation out. What only some operations do is in boxes: this future has room for the largest of them, and
/// every call moves it.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
pub(crate) fn execute(session: Session<'_>, operation: Operation) -> impl Future<Output = Result<Outcome>> + Send {
    async move {
        if let Some(error) = operation.refused() {
            return Err(error);
        }
        match operation {
            Operation::Read(select) if select.take_rows.is_some() => read::read_many(session, &select).boxed().await,
            Operation::Read(select) => {
                let node = read::read(session, &select, &[]).await?;
                Ok(if select.page.is_some() {
                    read::outcome(node, &sql::read_plan(&select))
                } else {
                    Outcome::Rows(node)
                })
            }
            Operation::Count { table, condition } => {
                let statement = sql::shaped_count_statement(session.shapes(), table, &condition);
                count_of(&Node::new(table, session.query(statement, table).await?))
            }
            Operation::Exists { table, condition } => {
                let statement = sql::shaped_exists_statement(session.shapes(), table, &condition);
                count_of(&Node::new(table, session.query(statement, table).await?))
            }
            Operation::Create(row) if !row.is_nested() => insert::insert_row(session, row).await.map(Outcome::Rows),
            Operation::Update { table, condition, sets, nested } if nested.is_empty() && !is_idle(table, &sets) => {
                let statement = sql::shaped_update_statement(session.shapes(), table, &condition, &sets, true);
                run_write(session, table, statement, true).await
            }
            Operation::UpdateMany { table, condition, sets, limit: None, returning } if !is_idle(table, &sets) => {
                let statement = sql::shaped_update_statement(session.shapes(), table, &condition, &sets, returning);
                run_write(session, table, statement, returning).await
            }
            Operation::Delete { table, condition } => {
                let statement = sql::shaped_delete_statement(session.shapes(), table, &condition, true);
                run_write(session, table, statement, true).await
            }
            Operation::DeleteMany { table, condition, limit: None } => {
                let statement = sql::shaped_delete_statement(session.shapes(), table, &condition, false);
                run_write(session, table, statement, false).await
            }
            // What is rare or takes long must not make the future of every call larger.
            other => execute_larger(session, other).boxed().await,
        }
    }
}

/// What several statements, many rows, or SQL of the program's own take.
async fn execute_larger(session: Session<'_>, operation: Operation) -> Result<Outcome> {
    match operation {
        Operation::Aggregate(aggregation) => {
            let table = aggregation.select.table;
            let rows = session.query(sql::aggregate_statement(&aggregation), table).await?;
            Ok(Outcome::Rows(aggregation.node(rows)))
        }
        Operation::Create(row) => insert::insert(session, row).await.map(Outcome::Rows),
        Operation::CreateMany { table, rows, options } => {
            let inserted = match rows {
                NewRows::Alike(rows) => bulk::insert_alike(session, rows, options).await?,
                NewRows::Any(rows) => insert::insert_many(session, rows, options).await?,
            };
            Ok(match options.returning {
                true => Outcome::Rows(Node::new(table, inserted.rows)),
                false => Outcome::Count(inserted.count),
            })
        }
        Operation::Update { table, condition, sets, nested } if !nested.is_empty() => {
            nested::update(session, table, condition, sets, nested).await.map(Outcome::Rows)
        }
        Operation::Update { table, condition, .. } => change_nothing(session, table, condition, None, true).await,
        Operation::UpdateMany { table, condition, sets, limit, returning } if is_idle(table, &sets) => {
            change_nothing(session, table, condition, limit, returning).await
        }
        Operation::UpdateMany { table, condition, sets, limit, returning } => {
            let statement = sql::update_many_statement(table, &condition, &sets, limit, returning);
            run_write(session, table, statement, returning).await
        }
        Operation::Upsert { row, key, sets } => insert::upsert(session, row, key, sets).await.map(Outcome::Rows),
        Operation::DeleteMany { table, condition, limit } => {
            run_write(session, table, sql::delete_many_statement(table, &condition, limit), false).await
        }
        Operation::Returning(returning) => returning::write(session, *returning).await,
        Operation::Sql(call) => run_write(session, call.table(), call.statement(), call.gives_rows()).await,
        Operation::Refused(reason) => Err(Error::Refused(reason)),
        Operation::Read(_) | Operation::Count { .. } | Operation::Exists { .. } | Operation::Delete { .. } => {
            Box::pin(execute(session, operation)).await
        }
    }
}

/// Gives or counts the rows that meet a condition, for an update that sets nothing.
async fn change_nothing(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    limit: Option<u64>,
    returning: bool,
) -> Result<Outcome> {
    if !returning {
        let statement = sql::shaped_count_statement(session.shapes(), table, &condition);
        let count = count_of(&Node::new(table, session.query(statement, table).await?))?.into_count()?;
        return Ok(Outcome::Count(limit.map_or(count, |limit| limit.min(count))));
    }
    let mut select = Select::new(table);
    select.filter(condition);
    if limit.is_some() {
        select.take = limit;
        select.order = select.total_order();
    }
    read::read(session, &select, &[]).await.map(Outcome::Rows)
}

/// Runs a statement: gives its rows, or counts them.
async fn run_write(
    session: Session<'_>,
    table: &'static Table,
    statement: Statement,
    returning: bool,
) -> Result<Outcome> {
    Ok(match returning {
        true => Outcome::Rows(Node::new(table, session.query(statement, table).await?)),
        false => Outcome::Count(session.execute(statement, table).await?),
    })
}

/// A running call: the work, and how its outcome is read.
#[must_use = "nothing happens until it is awaited"]
pub struct Call<T>(Work<T>);

enum Work<T> {
    /// The outcome is read when it is there. Whether it is committed by then, so that the write stands if that fails.
    ReadLast(BoxFuture<'static, Result<Outcome>>, fn(Outcome) -> Result<T>, bool),
    /// The outcome is read before COMMIT.
    ReadFirst(BoxFuture<'static, Result<Done<T>>>),
}

/// What was read, and how many rows were read or written for it.
pub(crate) struct Done<T> {
    pub(crate) values: T,
    pub(crate) rows: u64,
}

impl<T> Done<T> {
    /// Reads an outcome.
    pub(crate) fn read(outcome: Outcome, finish: fn(Outcome) -> Result<T>) -> Result<Self> {
        let rows = outcome.rows();
        finish(outcome).map(|values| Self { values, rows })
    }
}

impl<T> Call<T> {
    pub(crate) fn reading_last(
        work: BoxFuture<'static, Result<Outcome>>,
        finish: fn(Outcome) -> Result<T>,
        committed: bool,
    ) -> Self {
        Self(Work::ReadLast(work, finish, committed))
    }

    pub(crate) fn reading_first(work: BoxFuture<'static, Result<Done<T>>>) -> Self {
        Self(Work::ReadFirst(work))
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Work::ReadLast(work, finish, committed) => work.as_mut().poll(cx).map(|outcome| match finish(outcome?) {
                Err(error) if *committed => Err(error.after_commit()),
                read => read,
            }),
            Work::ReadFirst(work) => work.as_mut().poll(cx).map(|done| done.map(|done| done.values)),
        }
    }
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}
