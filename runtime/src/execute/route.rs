//! Calls of a client with replicas: reads go where [`Route`] leads them, and everything else to the primary.

use std::borrow::Cow;
use std::sync::Arc;

use super::batch::{Finish, run_all};
use super::call::Done;
use super::executor::run_alone;
use crate::connection::{Answer, OpenTransaction, Pool, Route, Routing, Session};
use crate::error::{Error, Result};
use crate::query::{Operation, Outcome};
use crate::sql::{Statement, effect};
use crate::telemetry::ServerNote;

/// Carries out an operation outside of transactions.
pub(super) async fn run(pool: Arc<Pool>, operation: Operation, note: ServerNote) -> Result<Outcome> {
    let Some(routing) = &pool.routing else { return run_alone(pool, operation).await };
    if let Some(error) = operation.refused() {
        return Err(error);
    }
    if operation.repeated().is_none() {
        routing.check_write()?;
        note.note(&pool.shared.server);
        let _writing = routing.writing();
        return run_alone(Arc::clone(&pool), operation).await;
    }
    let mut route = Route::new(&pool, routing, Some(&note));
    loop {
        let at = route.next().await?;
        let Some(again) = operation.repeated() else { return Err(Error::Internal("a read that writes")) };
        let outcome = run_alone(at, again).await;
        if !route.goes_on(&outcome) {
            return outcome;
        }
    }
}

/// Carries out a batch.
pub(super) async fn run_batch<T: Send>(
    pool: &Arc<Pool>,
    operations: Vec<Operation>,
    finish: &mut Option<Finish<T>>,
    note: &ServerNote,
) -> Result<Done<T>> {
    let Some(routing) = &pool.routing else { return run_all(pool, operations, finish).await };
    if let Some(error) = operations.iter().find_map(Operation::refused) {
        return Err(error);
    }
    let repeated = || operations.iter().map(Operation::repeated).collect::<Option<Vec<_>>>();
    if repeated().is_none() {
        routing.check_write()?;
        note.note(&pool.shared.server);
        let _writing = routing.writing();
        return run_all(pool, operations, finish).await;
    }
    let mut route = Route::new(pool, routing, Some(note));
    loop {
        let at = route.next().await?;
        let Some(again) = repeated() else { return Err(Error::Internal("a read that writes")) };
        let outcome = run_all(&at, again, finish).await;
        // The rows of an outcome that could not be read are gone.
        if finish.is_none() || !route.goes_on(&outcome) {
            return outcome;
        }
    }
}

/// Sends raw SQL. Its functions may write, so it only goes to a replica if the program says so.
pub(super) async fn ask<T: Answer>(
    pool: &Arc<Pool>,
    routing: &Routing,
    statement: &Statement,
    operation: &'static str,
    note: &ServerNote,
) -> Result<T> {
    if !routing.only_reads() || effect::may_write(statement.sql()) {
        routing.check_write()?;
        note.note(&pool.shared.server);
        let _writing = routing.writing();
        let connection = pool.acquire().await?;
        return Session::new(&connection, operation).ask(statement, None).await;
    }
    let mut route = Route::new(pool, routing, Some(note));
    loop {
        let at = route.next().await?;
        let outcome = match at.acquire().await {
            Ok(connection) => Session::new(&connection, operation).ask(statement, None).await,
            Err(error) => Err(error),
        };
        if !route.goes_on(&outcome) {
            return outcome;
        }
    }
}

/// Begins a transaction of the program. At a handle that only reads, it runs on a replica.
pub(crate) async fn begin(pool: &Arc<Pool>, begin: Cow<'static, str>, only_reads: bool) -> Result<OpenTransaction> {
    let Some(routing) = pool.routing.as_ref().filter(|routing| routing.only_reads()) else {
        return OpenTransaction::begin(pool, begin).await;
    };
    if !only_reads {
        routing.check_write()?;
    }
    let mut route = Route::new(pool, routing, None);
    loop {
        let at = route.next().await?;
        let outcome = OpenTransaction::begin(&at, begin.clone()).await;
        if !route.goes_on(&outcome) {
            return outcome;
        }
    }
}
