//! Several queries at once: one transaction, and one round trip where each is a single statement.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt, join, join_all};

use crate::connection::{Lease, OpenTransaction, Pool, Session, commit_error};
use crate::error::{Error, Result, from_connection};
use crate::hooks::{self, Intent};
use crate::observe;
use crate::operation::{Operation, Outcome, execute};
use crate::result::Node;
use crate::sql::Statement;
use crate::table::Table;

/// A query that can be part of a batch: every builder of the client.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a query that can be batched")]
pub trait Query: Sized {
    /// What it gives.
    type Output: Send + 'static;

    /// For the runtime: the query as data.
    #[doc(hidden)]
    fn into_parts(self) -> Parts<Self::Output>;
}

/// A query as data, and the function that reads its outcome.
pub struct Parts<T> {
    pub(crate) operation: Operation,
    pub(crate) finish: fn(Outcome) -> Result<T>,
}

impl<T> std::fmt::Debug for Parts<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// A tuple of queries.
pub trait Batch {
    /// A tuple of what they give.
    type Output: Send + 'static;

    /// For the runtime: the queries as data, and the function that reads their outcomes.
    #[doc(hidden)]
    fn into_batch(self) -> BatchParts<Self::Output>;
}

/// Reads the outcomes of a batch, in the order of its queries.
pub(crate) type Finish<T> = Box<dyn FnOnce(std::vec::IntoIter<Outcome>) -> Result<T> + Send>;

/// Queries as data.
pub struct BatchParts<T> {
    operations: Vec<Operation>,
    finish: Finish<T>,
}

impl<T> std::fmt::Debug for BatchParts<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchParts({} queries)", self.operations.len())
    }
}

/// A running batch.
pub struct BatchCall<T> {
    work: BoxFuture<'static, Result<Vec<Outcome>>>,
    /// None once it is done.
    finish: Option<Finish<T>>,
}

impl<T> std::fmt::Debug for BatchCall<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BatchCall")
    }
}

impl<T> Future for BatchCall<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.work.as_mut().poll(cx).map(|outcomes| {
            let outcomes = outcomes?;
            let finish = this.finish.take().ok_or(Error::TransactionFinished)?;
            finish(outcomes.into_iter())
        })
    }
}

macro_rules! batch {
    ($($type:ident),+) => {
        impl<$($type: Query),+> Batch for ($($type,)+) {
            type Output = ($($type::Output,)+);

            #[allow(non_snake_case, reason = "a value is called like its type")]
            fn into_batch(self) -> BatchParts<Self::Output> {
                let ($($type,)+) = self;
                $(let $type = $type.into_parts();)+
                let ($($type,)+) = ($(($type.operation, $type.finish),)+);
                let operations = vec![$($type.0),+];
                let finishes = ($($type.1,)+);
                let finish = move |mut outcomes: std::vec::IntoIter<Outcome>| {
                    let ($($type,)+) = finishes;
                    Ok(($($type(outcomes.next().ok_or(Error::TransactionFinished)?)?,)+))
                };
                BatchParts { operations, finish: Box::new(finish) }
            }
        }
    };
}

batch!(A);
batch!(A, B);
batch!(A, B, C);
batch!(A, B, C, D);
batch!(A, B, C, D, E);
batch!(A, B, C, D, E, F);
batch!(A, B, C, D, E, F, G);
batch!(A, B, C, D, E, F, G, H);
batch!(A, B, C, D, E, F, G, H, I);
batch!(A, B, C, D, E, F, G, H, I, J);
batch!(A, B, C, D, E, F, G, H, I, J, K);
batch!(A, B, C, D, E, F, G, H, I, J, K, L);

pub(crate) fn run<B: Batch>(pool: Arc<Pool>, queries: B) -> BatchCall<B::Output> {
    let BatchParts { operations, finish } = queries.into_batch();
    let span = observe::batch_span(&pool, operations.len());
    let intents = pool.hooks.clone().map(|hooks| {
        let intents: Vec<Intent> = operations.iter().flat_map(|operation| hooks::intents(operation, false)).collect();
        (hooks, intents)
    });
    let work = async move { run_all(&pool, operations).await }.boxed();
    let rows = |outcomes: &Vec<Outcome>| outcomes.iter().map(Outcome::rows).sum();
    let work = match intents {
        None => work,
        Some((hooks, intents)) => hooks::around(hooks, intents, work, rows).boxed(),
    };
    let work = if span.is_disabled() { work } else { observe::within(span, work, rows).boxed() };
    BatchCall { work, finish: Some(finish) }
}

async fn run_all(pool: &Arc<Pool>, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    if let Some(error) = operations.iter().find_map(Operation::refused) {
        return Err(error);
    }
    let statements: Option<Vec<_>> = operations.iter().map(Operation::single_statement).collect();
    match statements {
        Some(statements) => {
            let mut stale = false;
            match pipelined(pool.acquire().await?, &operations, &statements, &mut stale).await {
                // Nothing of it holds, so that all of it can be prepared again.
                Err(_) if stale => pipelined(pool.acquire().await?, &operations, &statements, &mut stale).await,
                outcome => outcome,
            }
        }
        None => one_by_one(pool, operations).await,
    }
}

/// BEGIN, every statement and COMMIT go out together. After a failure PostgreSQL refuses the rest,
/// and turns the COMMIT into a ROLLBACK. `stale` tells whether a migration was the reason.
async fn pipelined(
    lease: Lease,
    operations: &[Operation],
    statements: &[(Statement, &'static Table)],
    stale: &mut bool,
) -> Result<Vec<Outcome>> {
    let session = Session::new(&lease, "batch");
    let mut prepared = Vec::with_capacity(statements.len());
    for (statement, table) in statements {
        prepared.push(session.prepare(statement, Some(table)).await?);
    }
    let transaction = OpenTransaction::adopt(lease, Cow::Borrowed("BEGIN"));
    let lease = transaction.lease()?;
    let work = join_all(operations.iter().zip(statements.iter().zip(&prepared)).map(
        |(operation, ((statement, table), prepared))| async move {
            let session = Session::new(lease, operation.name());
            let outcome = if operation.counts_written_rows() {
                session.ask_prepared(prepared, statement, Some(table)).await.map(Outcome::Count)
            } else {
                let rows = session.ask_prepared(prepared, statement, Some(table)).await;
                rows.and_then(|rows| operation.outcome_of(Node::new(table, rows)))
            };
            outcome.inspect_err(|error| {
                if session.is_stale(error) {
                    session.forget(statement);
                }
            })
        },
    ));
    let begin = lease.batch_execute("BEGIN");
    let commit = lease.simple_query("COMMIT");
    let (begun, (outcomes, committed)) = join(begin, join(work, commit)).await;
    begun.map_err(|error| from_connection(&error))?;
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_>>().inspect_err(|error| {
        if committed.is_ok() {
            transaction.mark_finished();
            *stale = Session::new(lease, "batch").is_stale(error);
        }
    })?;
    match committed.map_err(|error| commit_error(&error)) {
        Ok(_) => {
            transaction.mark_finished();
            Ok(outcomes)
        }
        Err(error) => Err(error),
    }
}

/// Queries that take several statements each run after one another, in one transaction.
async fn one_by_one(pool: &Arc<Pool>, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let mut outcomes = Vec::with_capacity(operations.len());
    for operation in operations {
        outcomes.push(execute(Session::in_transaction(&transaction, operation.name())?, operation).await?);
    }
    transaction.commit().await?;
    Ok(outcomes)
}
