//! Carries out several queries in one transaction, and in one round trip if each is a single statement.

mod inside;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};

use futures_util::TryFutureExt;
use futures_util::future::{BoxFuture, join, join_all};

use super::call::Done;
use super::route;
use super::run::execute;
use super::single;
use super::target::Target;
use crate::connection::{OpenTransaction, Pool, PooledConnection, Prepared, Session, WHOLE, commit_error};
use crate::error::{Error, Result, from_connection};
use crate::meta::Table;
use crate::query::{Operation, Outcome, Tenant};
use crate::rows::Node;
use crate::sql::{Context, Statement};
use crate::telemetry::{self, Envelope};

/// Reads the outcomes of a batch, in the order of its queries.
pub(crate) type Finish<T> = Box<dyn FnOnce(std::vec::IntoIter<Outcome>) -> Result<T> + Send>;

/// Queries as data.
pub struct BatchParts<T> {
    pub(crate) operations: Vec<Operation>,
    /// The tenants of the handles that the queries began with.
    pub(crate) tenants: Vec<Option<Option<Arc<Tenant>>>>,
    pub(crate) finish: Finish<T>,
}

impl<T> std::fmt::Debug for BatchParts<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchParts({} queries)", self.operations.len())
    }
}

/// A running batch.
pub struct BatchCall<T> {
    work: BoxFuture<'static, Result<Done<T>>>,
}

impl<T> std::fmt::Debug for BatchCall<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BatchCall")
    }
}

impl<T> Future for BatchCall<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.work.as_mut().poll(cx).map(|done| done.map(|done| done.values))
    }
}

pub(crate) fn run<T: Send + 'static>(target: Target, batch: BatchParts<T>, runs_sql: bool) -> BatchCall<T> {
    let BatchParts { mut operations, tenants, finish } = batch;
    let is_sql = |operation: &Operation| matches!(operation, Operation::Sql(_));
    // Then nothing is sent, because either all queries of a batch take effect, or none.
    if !are_of(&tenants, target.tenant()) {
        operations.insert(0, Operation::Refused(ONE_TENANT.to_owned()));
    } else if !runs_sql && operations.iter().any(is_sql) {
        operations.insert(0, Operation::Refused(NO_SQL.to_owned()));
    }
    for operation in &mut operations {
        match target.tenant() {
            Some(tenant) => operation.confine(tenant),
            None => operation.refuse_short_keys(),
        }
    }
    let pool = target.pool();
    let server = &pool.shared.server;
    let span = telemetry::batch_span(server, pool.routing.is_none(), operations.len());
    let in_transaction = target.is_transaction();
    let intents = || operations.iter().flat_map(|operation| telemetry::intents(operation, in_transaction)).collect();
    let envelope = Envelope::new(span, server, pool.hooks.as_ref(), intents);
    let mut finish = Some(finish);
    let rows = |done: &Done<T>| done.rows;
    let work = match target {
        Target::Pool(pool) if pool.routing.is_some() => {
            let note = envelope.server_note();
            envelope.around(async move { route::run_batch(&pool, operations, &mut finish, &note).await }, rows)
        }
        Target::Pool(pool) => envelope.around(async move { run_all(&pool, operations, &mut finish).await }, rows),
        Target::Transaction(scope) => {
            envelope.around(async move { inside::run(&scope, operations, &mut finish).await }, rows)
        }
    };
    BatchCall { work }
}

const NO_SQL: &str = "a query file reads the rows of all tenants or of one: send the batch through `db.across_tenants()` or \
    `db.tenant(id)`";
const ONE_TENANT: &str = "a batch holds queries of the handle that runs it: begin all of them at that handle";

/// Returns whether all queries began with handles of this tenant, or with clients of all tenants.
fn are_of(tenants: &[Option<Option<Arc<Tenant>>>], tenant: Option<&Arc<Tenant>>) -> bool {
    tenants.iter().flatten().all(|own| own.as_ref() == tenant)
}

pub(super) async fn run_all<T: Send>(
    pool: &Arc<Pool>,
    operations: Vec<Operation>,
    finish: &mut Option<Finish<T>>,
) -> Result<Done<T>> {
    if let Some(error) = operations.iter().find_map(Operation::refused) {
        return Err(error);
    }
    let context = Context::of_tenant(pool.tenant.as_deref());
    let statements = operations.iter().map(|operation| single::single_statement(context, operation));
    let statements: Option<Vec<_>> = statements.collect();
    match statements {
        Some(statements) => again_while_stale(pool, &operations, &statements, finish).await,
        None => one_by_one(pool, operations, finish).await,
    }
}

/// A batch with a stale statement has no effect, so all of it can be prepared again, and a second time from other
/// texts: see `StatementTexts`.
async fn again_while_stale<T: Send>(
    pool: &Arc<Pool>,
    operations: &[Operation],
    statements: &[(Statement, &'static Table)],
    finish: &mut Option<Finish<T>>,
) -> Result<Done<T>> {
    // Behind a pooler, statements have no names, so there are no stale texts.
    let attempts = if pool.shared.unnamed.is_some() { 1 } else { 2 };
    let mut attempt = 0;
    loop {
        let generation = pool.shared.texts.generation();
        let mut stale = false;
        let connection = pool.acquire().await?;
        if attempt > 0 {
            statements.iter().for_each(|(statement, _)| Session::new(&connection, "batch").forget(statement));
        }
        match pipelined(connection, operations, statements, finish, &mut stale).await {
            Err(_) if stale && attempt < attempts => {
                if attempt > 0 {
                    pool.shared.texts.begin_generation(generation);
                }
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Reads the outcomes of all queries.
fn read_all<T>(outcomes: Vec<Outcome>, finish: &mut Option<Finish<T>>) -> Result<Done<T>> {
    let rows = outcomes.iter().map(Outcome::rows).sum();
    let finish = finish.take().ok_or(Error::Internal("a batch was read twice"))?;
    Ok(Done { values: finish(outcomes.into_iter())?, rows })
}

/// Returns whether only the answers show whether the batch succeeded, because a required row may be missing.
fn depends_on_rows(operations: &[Operation]) -> bool {
    operations.iter().any(Operation::must_find) && !operations.iter().all(Operation::only_reads)
}

/// Sends BEGIN, every statement and COMMIT together. After a failure, PostgreSQL refuses the rest, and turns the COMMIT
/// into a ROLLBACK. If a missing row is a failure too, which only the client notices, COMMIT waits for the answers.
/// Sets `stale` if a migration was the reason.
async fn pipelined<T: Send>(
    connection: PooledConnection,
    operations: &[Operation],
    statements: &[(Statement, &'static Table)],
    finish: &mut Option<Finish<T>>,
    stale: &mut bool,
) -> Result<Done<T>> {
    let session = Session::new(&connection, "batch");
    let mut prepared = Vec::with_capacity(statements.len());
    for (statement, table) in statements {
        let known = session.prepare(statement, Some(table)).await;
        prepared.push(known.inspect_err(|error| *stale = session.is_stale(error))?);
    }
    if connection.is_closed() {
        return Err(Error::ConnectionLost("it is closed".to_owned()));
    }
    let transaction = OpenTransaction::adopt(connection, Cow::Borrowed("BEGIN"));
    let connection = transaction.connection()?;
    let (outcomes, committed) = send_together(&transaction, operations, statements, &prepared).await?;
    let mut outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let is_over = match &committed {
                Some(committed) => committed.is_ok(),
                None => connection.batch_execute("ROLLBACK").await.is_ok(),
            };
            if is_over {
                transaction.mark_finished();
                *stale = Session::new(connection, "batch").is_stale(&error);
                return Err(error);
            }
            return Err(if committed.is_some() { without_answer(operations, error) } else { error });
        }
    };
    match committed {
        Some(committed) => {
            committed.map_err(|error| without_answer(operations, commit_error(&error)))?;
            transaction.mark_finished();
            let read = read_missing(connection, operations, &mut outcomes).await;
            let read = read.and_then(|()| read_all(outcomes, finish));
            if operations.iter().any(Operation::writes) { read.map_err(Error::after_commit) } else { read }
        }
        None => {
            read_missing(connection, operations, &mut outcomes).await?;
            match read_all(outcomes, finish) {
                Ok(done) => commit(&transaction, operations.iter().any(Operation::writes)).await.map(|()| done),
                Err(error) => {
                    // If it cannot be rolled back, the connection is not reused, and the server rolls back.
                    drop(transaction.rollback().await);
                    Err(error)
                }
            }
        }
    }
}

/// The outcomes of the statements, and that of the COMMIT if it was sent with them.
type PipelineOutcome = (Result<Vec<Outcome>>, Option<Result<(), tokio_postgres::Error>>);

/// Sends BEGIN, the statements, and COMMIT unless it has to wait.
async fn send_together(
    transaction: &OpenTransaction,
    operations: &[Operation],
    statements: &[(Statement, &'static Table)],
    prepared: &[Prepared],
) -> Result<PipelineOutcome> {
    let connection = transaction.connection()?;
    // Set by a statement that could not be sent, which is known before the last message is sent.
    let failed = AtomicBool::new(false);
    let work = join_all(operations.iter().zip(statements.iter().zip(prepared)).map(
        |(operation, ((statement, table), prepared))| {
            async move {
                let session = Session::in_transaction(transaction, WHOLE, operation.name())?;
                answer_of(session, operation, statement, table, prepared).await
            }
            .inspect_err(|_| failed.store(true, Ordering::Relaxed))
        },
    ));
    let begin = connection.batch_execute("BEGIN");
    let (begun, outcomes, committed) = if depends_on_rows(operations) {
        let (begun, outcomes) = join(begin, work).await;
        (begun, outcomes, None)
    } else {
        let last = async {
            let sql = if failed.load(Ordering::Relaxed) { "ROLLBACK" } else { "COMMIT" };
            connection.simple_query(sql).await.map(drop)
        };
        let (begun, (outcomes, committed)) = join(begin, join(work, last)).await;
        (begun, outcomes, Some(committed))
    };
    let outcomes = begun.map_err(|error| from_connection(&error)).and_then(|()| outcomes.into_iter().collect());
    Ok((outcomes, committed))
}

/// Translates a failure after COMMIT was sent. If there was no answer, the batch may have been committed. If the server
/// answered one of the statements with an error, it was not.
fn without_answer(operations: &[Operation], error: Error) -> Error {
    match error {
        Error::ConnectionLost(_) if operations.iter().any(Operation::writes) => Error::CommitUnknown,
        Error::CommitUnknown if !operations.iter().any(Operation::writes) => {
            Error::ConnectionLost("it broke before the answer came".to_owned())
        }
        error => error,
    }
}

/// Returns the outcome of one statement of a batch.
async fn answer_of(
    session: Session<'_>,
    operation: &Operation,
    statement: &Statement,
    table: &'static Table,
    prepared: &Prepared,
) -> Result<Outcome> {
    let outcome = if operation.counts_written_rows() {
        session
            .ask_prepared(prepared, statement, Some(table))
            .await
            .map(|count| single::outcome_of_count(operation, count))
    } else {
        let rows = session.ask_prepared(prepared, statement, Some(table)).await;
        rows.and_then(|rows| single::outcome_of(operation, Node::new(table, rows)))
    };
    outcome.map_err(|error| single::explain(operation, error)).inspect_err(|error| {
        if session.is_stale(error) {
            session.forget(statement);
        }
    })
}

/// Reads rows that other transactions created while the statements ran.
async fn read_missing(connection: &PooledConnection, operations: &[Operation], outcomes: &mut [Outcome]) -> Result<()> {
    for (operation, outcome) in operations.iter().zip(outcomes) {
        if let Some(mut again) = single::missing(operation, outcome) {
            *outcome = execute(Session::new(connection, operation.name()), &mut again).await?;
        }
    }
    Ok(())
}

/// Carries out queries with several statements one after another, in one transaction.
async fn one_by_one<T: Send>(
    pool: &Arc<Pool>,
    operations: Vec<Operation>,
    finish: &mut Option<Finish<T>>,
) -> Result<Done<T>> {
    let writes = operations.iter().any(Operation::writes);
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let mut outcomes = Vec::with_capacity(operations.len());
    for mut operation in operations {
        let session = Session::in_transaction(&transaction, WHOLE, operation.name())?;
        outcomes.push(execute(session, &mut operation).await?);
    }
    let done = read_all(outcomes, finish)?;
    commit(&transaction, writes).await?;
    Ok(done)
}

/// Commits. What was only read is right, even if the answer is lost.
async fn commit(transaction: &OpenTransaction, writes: bool) -> Result<()> {
    match transaction.commit().await {
        Err(Error::CommitUnknown) if !writes => Ok(()),
        committed => committed,
    }
}
