//! Several queries at once: one transaction, and one round trip where each is a single statement.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt, join, join_all};

use crate::connection::{OpenTransaction, Pool, Session};
use crate::error::{Error, Result, from_connection};
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
    work: BoxFuture<'static, Result<T>>,
}

impl<T> std::fmt::Debug for BatchCall<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BatchCall")
    }
}

impl<T> Future for BatchCall<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.work.as_mut().poll(cx)
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
    let parts = queries.into_batch();
    let work = async move {
        let outcomes = run_all(&pool, parts.operations).await?;
        (parts.finish)(outcomes.into_iter())
    };
    BatchCall { work: work.boxed() }
}

async fn run_all(pool: &Pool, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    if let Some(error) = operations.iter().find_map(Operation::refused) {
        return Err(error);
    }
    let statements: Option<Vec<_>> = operations.iter().map(Operation::single_statement).collect();
    match statements {
        Some(statements) => pipelined(pool, operations, statements).await,
        None => one_by_one(pool, operations).await,
    }
}

/// BEGIN, every statement and COMMIT go out together. After a failure PostgreSQL refuses the rest,
/// and turns the COMMIT into a ROLLBACK.
async fn pipelined(
    pool: &Pool,
    operations: Vec<Operation>,
    statements: Vec<(Statement, &'static Table)>,
) -> Result<Vec<Outcome>> {
    let connection = pool.acquire().await?;
    let session = Session::new(&connection);
    let mut prepared = Vec::with_capacity(statements.len());
    for (statement, table) in &statements {
        prepared.push(session.prepare(&statement.sql, table).await?);
    }
    let transaction = OpenTransaction::adopt(connection);
    let connection = transaction.connection()?;
    let session = Session::in_transaction(connection);
    let work = join_all(operations.iter().zip(statements.iter().zip(&prepared)).map(
        |(operation, ((statement, table), prepared))| async move {
            if operation.counts_written_rows() {
                session.execute_prepared(prepared, statement, table).await.map(Outcome::Count)
            } else {
                let node = Node::new(table, session.query_prepared(prepared, statement, table).await?);
                operation.outcome_of(node)
            }
        },
    ));
    let begin = connection.batch_execute("BEGIN");
    let commit = connection.simple_query("COMMIT");
    let (begun, (outcomes, committed)) = join(begin, join(work, commit)).await;
    begun.map_err(|error| from_connection(&error))?;
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_>>().inspect_err(|_| {
        if committed.is_ok() {
            transaction.mark_finished();
        }
    })?;
    match committed {
        Ok(_) => {
            transaction.mark_finished();
            Ok(outcomes)
        }
        Err(error) if error.as_db_error().is_none() => Err(Error::CommitUnknown),
        Err(error) => Err(from_connection(&error)),
    }
}

/// Queries that take several statements each run after one another, in one transaction.
async fn one_by_one(pool: &Pool, operations: Vec<Operation>) -> Result<Vec<Outcome>> {
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let mut outcomes = Vec::with_capacity(operations.len());
    for operation in operations {
        outcomes.push(execute(Session::in_transaction(transaction.connection()?), operation).await?);
    }
    transaction.commit().await?;
    Ok(outcomes)
}
