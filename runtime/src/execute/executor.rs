//! The destination of queries: a connection of the pool, or that of a transaction.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio_postgres::Row;

use super::batch::{self, BatchCall, BatchParts};
use super::call::{Call, Done};
use super::copy::copy_rows;
use super::raw;
use super::route;
use super::run::execute;
use super::single;
use super::stream::{self, RowStream};
use super::target::Target;
use crate::connection::{Answer, OpenTransaction, Pool, Scope, Session, WHOLE};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::query::{Insert, Operation, Outcome, Parts, Query, Select, SqlCall, Tenant, TenantId};
use crate::rows::{FromRawRow, RawRow, ReadRow, SqlRow};
use crate::sql::{Statement, effect};
use crate::telemetry::{self, Envelope, Intent, IntentKind};
use crate::value::Param;

/// The destination of queries: a pool, or one connection inside a transaction.
#[derive(Debug, Clone)]
pub struct Executor(pub(crate) Target);

impl Executor {
    /// The tenant that queries are confined to.
    pub(crate) fn tenant(&self) -> Option<&Arc<Tenant>> {
        self.0.tenant()
    }

    /// For generated code: returns the id of the tenant that queries are confined to. The models of a tenant have one.
    pub fn tenant_id<I: TenantId>(&self) -> I {
        self.tenant().and_then(|tenant| I::of(&tenant.key)).unwrap_or_default()
    }

    /// Starts a query. If it needs its own transaction, its outcome is read before COMMIT, so that a write whose
    /// outcome cannot be read has no effect.
    pub(crate) fn call<Q: Query>(&self, query: Q) -> Call<Q::Output> {
        let Parts { mut operation, finish } = query.into_parts();
        self.confine(&mut operation);
        match &self.0 {
            Target::Pool(pool) if single::needs_transaction(&operation) => {
                let envelope = self.envelope(&operation);
                let work = in_transaction(Arc::clone(pool), operation, finish);
                Call::reading_first(envelope.around(work, |done| done.rows))
            }
            target => {
                let commits = matches!(target, Target::Pool(_)) && operation.writes();
                Call::reading_last(self.run(operation), finish, commits)
            }
        }
    }

    /// Confines an operation to the tenant that queries are confined to.
    pub(super) fn confine(&self, operation: &mut Operation) {
        match self.0.tenant() {
            Some(tenant) => operation.confine(tenant),
            None => operation.refuse_short_keys(),
        }
    }

    /// Sends queries together.
    pub(crate) fn batch<T: Send + 'static>(&self, batch: BatchParts<T>, runs_sql: bool) -> BatchCall<T> {
        batch::run(self.0.clone(), batch, runs_sql)
    }

    /// Carries out an operation, on a connection of the pool or in the transaction.
    fn run(&self, operation: Operation) -> BoxFuture<'static, Result<Outcome>> {
        let envelope = self.envelope(&operation);
        match self.0.clone() {
            Target::Pool(pool) if pool.routing.is_some() => {
                let note = envelope.server_note();
                envelope.around(route::run(pool, operation, note), Outcome::rows)
            }
            Target::Pool(pool) => envelope.around(run_alone(pool, operation), Outcome::rows),
            Target::Transaction(scope) => envelope.around(run_in(scope, operation), Outcome::rows),
        }
    }

    pub(super) fn envelope(&self, operation: &Operation) -> Envelope {
        let pool = self.0.pool();
        let server = &pool.shared.server;
        let span = telemetry::query_span(server, pool.routing.is_none(), operation.name(), operation.table());
        let intents = || telemetry::intents(operation, self.0.is_transaction());
        Envelope::new(span, server, pool.hooks.as_ref(), intents)
    }

    pub(crate) async fn query_raw<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> Result<Vec<T>> {
        let rows: Vec<Row> = self.raw(sql, params, "query_raw", IntentKind::QueryRaw).await?;
        let read: Result<Vec<T>> = rows.iter().map(|row| T::from_raw(&RawRow::new(row))).collect();
        match self.0 {
            Target::Pool(_) if read.is_err() && effect::may_write(sql) => read.map_err(Error::after_commit),
            _ => read,
        }
    }

    pub(crate) fn query_raw_stream<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> RowStream<T> {
        stream::of_raw(self.0.clone(), Statement::own(sql.to_owned(), params))
    }

    pub(crate) fn execute_raw(&self, sql: &str, params: Vec<Param>) -> BoxFuture<'static, Result<u64>> {
        self.raw(sql, params, "execute_raw", IntentKind::ExecuteRaw)
    }

    pub(super) fn raw<T: Answer + 'static>(
        &self,
        sql: &str,
        params: Vec<Param>,
        operation: &'static str,
        kind: IntentKind,
    ) -> BoxFuture<'static, Result<T>> {
        let pool = self.0.pool();
        let server = &pool.shared.server;
        let span = telemetry::query_span(server, pool.routing.is_none(), operation, None);
        let intents = || telemetry::raw_intent(kind, self.0.is_transaction());
        let envelope = Envelope::new(span, server, pool.hooks.as_ref(), intents);
        let (target, statement) = (self.0.clone(), Statement::own(sql.to_owned(), params));
        let note = pool.routing.as_ref().map(|_| envelope.server_note());
        envelope.around(async move { raw::ask(target, &statement, operation, note.as_ref()).await }, T::rows)
    }

    /// Returns the rows of a query as a stream. Each is read at its cursor.
    pub(crate) fn select_stream<R: ReadRow>(&self, select: Box<Select>) -> RowStream<R::Out> {
        stream::of_select::<R>(self.0.clone(), select)
    }

    /// Returns the rows of a query of `queries/` as a stream.
    pub(crate) fn query_stream<T: SqlRow>(&self, mut call: SqlCall) -> RowStream<T::Output> {
        if let Some(tenant) = self.0.tenant()
            && !call.confine(tenant)
        {
            call.refuse();
        }
        stream::of_sql::<T>(self.0.clone(), call)
    }

    /// Copies rows into a table, all or none, and counts them.
    pub(crate) fn copy_in(
        self,
        table: &'static Table,
        rows: BoxStream<'static, Result<Insert>>,
    ) -> BoxFuture<'static, Result<u64>> {
        let pool = self.0.pool();
        let server = &pool.shared.server;
        let span = telemetry::query_span(server, true, COPY_IN, Some(table));
        let intents = || vec![Intent::of(table, IntentKind::CreateMany, self.0.is_transaction())];
        let envelope = Envelope::new(span, server, pool.hooks.as_ref(), intents);
        envelope.around(copy(self.0, table, rows), |copied| *copied)
    }
}

/// Carries out an operation outside of transactions.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
pub(super) fn run_alone(pool: Arc<Pool>, mut operation: Operation) -> impl Future<Output = Result<Outcome>> + Send {
    async move {
        if operation.locks_rows() {
            return Err(Error::LockOutsideTransaction);
        }
        let connection = pool.acquire().await?;
        execute(Session::new(&connection, operation.name()), &mut operation).await
    }
}

/// Carries out an operation in an open transaction.
async fn run_in(scope: Scope, mut operation: Operation) -> Result<Outcome> {
    let running = scope.enter().await?;
    let outcome = execute(scope.session(operation.name())?, &mut operation).await;
    running.end(&outcome);
    outcome
}

/// Carries out an operation of several statements in a transaction.
async fn in_transaction<T>(
    pool: Arc<Pool>,
    mut operation: Operation,
    finish: fn(Outcome) -> Result<T>,
) -> Result<Done<T>> {
    if let Some(error) = operation.refused() {
        return Err(error);
    }
    pool.check_write()?;
    let transaction = OpenTransaction::begin(&pool, "BEGIN").await?;
    let outcome = execute(Session::in_transaction(&transaction, WHOLE, operation.name())?, &mut operation).await?;
    let done = Done::read(outcome, finish)?;
    transaction.commit().await?;
    Ok(done)
}

/// The name in traces.
const COPY_IN: &str = "copy_in";

/// Copies rows, all or none.
async fn copy(target: Target, table: &'static Table, rows: BoxStream<'static, Result<Insert>>) -> Result<u64> {
    match target {
        Target::Pool(pool) => {
            pool.check_write()?;
            let transaction = OpenTransaction::begin(&pool, "BEGIN").await?;
            let copied = copy_rows(Session::in_transaction(&transaction, WHOLE, COPY_IN)?, table, rows).await?;
            transaction.commit().await?;
            Ok(copied)
        }
        Target::Transaction(scope) => {
            // If it is dropped before its end, it fails on the server without an answer.
            let running = scope.enter().await?;
            let copied = copy_rows(scope.session(COPY_IN)?, table, rows).await;
            running.end(&copied);
            copied
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<F>(_: impl FnOnce(Arc<Pool>, Operation) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn every_call_moves_a_small_future() {
        let size = size_of_future(run_alone);
        assert!(size <= 1024, "{size} bytes: box what only some operations await");
    }
}
