//! A connection as operations use it: prepares statements, sends them, and prepares those again that a migration made
//! stale.

mod explain;

pub(crate) use explain::{Explaining, RawPlan};

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join;
use futures_util::{FutureExt, TryStreamExt};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Column, CopyInSink, Row};

use super::failure::{Failure, check_columns, refuse_own, refuse_too_many};
use super::parameter_types::ParameterTypes;
use super::pooled::PooledConnection;
use super::settings::{Change, Settings};
use super::transaction::{OpenTransaction, WHOLE};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::query::Tenant;
use crate::sql::{Context, SessionEffect, Statement, Statements, effect};
use crate::telemetry::StatementTimer;
use crate::value::Param;

/// One connection, for the statements of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Session<'c> {
    connection: &'c PooledConnection,
    /// The transaction that the statements belong to, and the savepoint of it.
    transaction: Option<&'c OpenTransaction>,
    scope: u32,
    /// The name of the operation in traces.
    pub(crate) operation: &'static str,
    /// The tenant that the statements are confined to.
    pub(crate) tenant: Option<&'c Tenant>,
    /// The settings of PostgreSQL for the statements.
    settings: Option<&'c Arc<Settings>>,
}

/// A statement that can be sent.
#[derive(Clone)]
pub(crate) enum Prepared {
    /// The server knows it by name.
    Named(tokio_postgres::Statement),
    /// It is sent with its text each time. These are the types of its parameters.
    Unnamed(Arc<[Type]>),
}

/// The result of a statement: rows, or the number of rows that it wrote.
pub(crate) trait Answer: Sized + Send {
    fn named(
        connection: &PooledConnection,
        prepared: &tokio_postgres::Statement,
        params: &[Param],
    ) -> impl Future<Output = Result<Self, tokio_postgres::Error>> + Send;

    fn unnamed(
        connection: &PooledConnection,
        sql: &str,
        params: &[Param],
        types: &[Type],
    ) -> impl Future<Output = Result<Self, tokio_postgres::Error>> + Send;

    /// Returns how many rows were read or written.
    fn rows(&self) -> u64;

    /// Returns the columns, if there are rows.
    fn columns(&self) -> Option<&[Column]> {
        None
    }
}

impl Answer for Vec<Row> {
    async fn named(
        connection: &PooledConnection,
        prepared: &tokio_postgres::Statement,
        params: &[Param],
    ) -> Result<Self, tokio_postgres::Error> {
        Box::pin(connection.query_raw(prepared, params)).await?.try_collect().await
    }

    async fn unnamed(
        connection: &PooledConnection,
        sql: &str,
        params: &[Param],
        types: &[Type],
    ) -> Result<Self, tokio_postgres::Error> {
        Box::pin(connection.query_typed(sql, &typed_parameters(params, types))).await
    }

    fn rows(&self) -> u64 {
        self.len() as u64
    }

    fn columns(&self) -> Option<&[Column]> {
        self.first().map(Row::columns)
    }
}

impl Answer for u64 {
    async fn named(
        connection: &PooledConnection,
        prepared: &tokio_postgres::Statement,
        params: &[Param],
    ) -> Result<Self, tokio_postgres::Error> {
        Box::pin(connection.execute_raw(prepared, params)).await
    }

    async fn unnamed(
        connection: &PooledConnection,
        sql: &str,
        params: &[Param],
        types: &[Type],
    ) -> Result<Self, tokio_postgres::Error> {
        Box::pin(connection.execute_typed(sql, &typed_parameters(params, types))).await
    }

    fn rows(&self) -> u64 {
        *self
    }
}

/// How many rows are held before they are read.
const PART: usize = 256;

/// Returns the last rows or the error of `take`, and the number of all rows. Rows after one that cannot be read are
/// dropped, so that the connection is clean.
async fn in_parts(
    connection: &PooledConnection,
    prepared: &tokio_postgres::Statement,
    params: &[Param],
    take: &mut (dyn FnMut(Vec<Row>) -> Result<Vec<Row>> + Send),
) -> Result<(Result<Vec<Row>>, u64), Failure> {
    let mut arriving = pin!(Box::pin(connection.query_raw(prepared, params)).await.map_err(Failure::Driver)?);
    let (mut part, mut rows) = (Ok(Vec::new()), 0);
    while let Some(row) = arriving.try_next().await.map_err(Failure::Driver)? {
        rows += 1;
        if let Ok(held) = &mut part
            && held.len() == PART
        {
            let full = std::mem::take(held);
            part = take(full).map(|mut emptied| {
                emptied.clear();
                emptied
            });
        }
        if let Ok(held) = &mut part {
            held.push(row);
        }
    }
    Ok((part, rows))
}

impl<'c> Session<'c> {
    /// Creates a session in which every statement is independent.
    pub(crate) fn new(connection: &'c PooledConnection, operation: &'static str) -> Self {
        let (tenant, settings) = (connection.pool.tenant.as_deref(), connection.pool.settings.as_ref());
        Self { connection, transaction: None, scope: WHOLE, operation, tenant, settings }
    }

    /// Returns a session for statements that are confined to a tenant.
    pub(crate) fn of_tenant(self, tenant: Option<&'c Tenant>, settings: Option<&'c Arc<Settings>>) -> Self {
        Self { tenant, settings, ..self }
    }

    /// Returns a session for statements of a transaction, or of one of its savepoints. A failed statement ends it.
    pub(crate) fn in_transaction(
        transaction: &'c OpenTransaction,
        scope: u32,
        operation: &'static str,
    ) -> Result<Self> {
        let connection = transaction.connection()?;
        let (tenant, settings) = (connection.pool.tenant.as_deref(), connection.pool.settings.as_ref());
        Ok(Self { connection, transaction: Some(transaction), scope, operation, tenant, settings })
    }

    /// Prepares a statement, if this connection has not done so before.
    pub(crate) async fn prepare(self, statement: &Statement, table: Option<&'static Table>) -> Result<Prepared> {
        if let Some(known) = statement.known() {
            return Ok(Prepared::Named(known.clone()));
        }
        refuse_too_many(statement)?;
        self.connection.request_started();
        let prepared = match &self.connection.pool.shared.unnamed {
            None => self.prepare_named(statement).await,
            Some(known) => self.types_of(known, statement).boxed().await.map(Prepared::Unnamed),
        };
        self.connection.request_finished();
        let prepared = prepared.map_err(|failure| failure.explain(table))?;
        if let (Prepared::Named(known), Some(table)) = (&prepared, table)
            && !known.columns().is_empty()
        {
            check_columns(table, known.columns())?;
        }
        Ok(prepared)
    }

    async fn prepare_named(self, statement: &Statement) -> Result<Prepared, Failure> {
        let statements = &self.connection.statements;
        let own_text = self.text_of(statement);
        let known = match statements.of_text(&own_text, statement) {
            Some(known) => known,
            None => {
                refuse_own(statement)?;
                let text = self.connection.pool.shared.texts.distinct(&own_text);
                let preparing = async { self.connection.prepare(&text).await.map_err(Failure::Driver) };
                let prepared = self.in_its_schemas(preparing).await?;
                let trace = if statement.is_own() { effect::trace(statement.sql()) } else { SessionEffect::None };
                statements.remember(&own_text, statement, prepared, trace)
            }
        };
        self.connection.leaves(known.trace);
        Ok(Prepared::Named(known.prepared.clone()))
    }

    async fn types_of(self, known: &ParameterTypes, statement: &Statement) -> Result<Arc<[Type]>, Failure> {
        refuse_own(statement)?;
        let text = self.text_of(statement);
        self.in_its_schemas(known.types_of(self.connection, &text, statement)).await
    }

    /// Returns the text that identifies a statement, which contains the schemas that are set for it.
    fn text_of<'s>(self, statement: &'s Statement) -> Cow<'s, str> {
        match self.settings.and_then(|settings| settings.mark()) {
            Some(mark) => Cow::Owned(format!("{}{mark}", statement.sql())),
            None => Cow::Borrowed(statement.sql()),
        }
    }

    /// Prepares a statement in the schemas that are set for it, if there are any.
    async fn in_its_schemas<T>(self, work: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, Failure> {
        match self.settings {
            Some(settings) if settings.mark().is_some() || settings.refused().is_some() => {
                Box::pin(self.under_settings(work)).await
            }
            _ => work.await,
        }
    }

    /// Returns the statements that the connection knows by shape; `None` if statements have no names. A shape says nothing
    /// of schemas.
    fn shapes(self) -> Option<&'c Statements> {
        let is_named = self.connection.pool.shared.unnamed.is_none();
        let in_schemas = self.settings.is_some_and(|settings| settings.mark().is_some());
        (is_named && !in_schemas).then_some(&self.connection.statements)
    }

    /// Returns the context for statements that may have a shape.
    pub(crate) fn shaped(self) -> Context<'c> {
        Context { shapes: self.shapes(), tenant: self.tenant }
    }

    /// Returns the context for statements without a shape.
    pub(crate) fn unshaped(self) -> Context<'c> {
        Context::of_tenant(self.tenant)
    }

    /// Returns the rows of a statement.
    #[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
    pub(crate) fn query(
        &self,
        statement: Statement,
        table: &'static Table,
    ) -> impl Future<Output = Result<Vec<Row>>> + Send {
        async move { self.ask(&statement, Some(table)).await }
    }

    /// Returns the rows of a statement that may return many. If the connection knows the statement, `take` gets every
    /// [`PART`] of them while the others arrive, and returns the list. The last ones are the result.
    pub(crate) async fn query_in_parts(
        self,
        statement: Statement,
        table: &'static Table,
        take: &mut (dyn FnMut(Vec<Row>) -> Result<Vec<Row>> + Send),
    ) -> Result<Vec<Row>> {
        let Some(known) = statement.known().filter(|_| !self.explains()) else {
            return self.query(statement, table).await;
        };
        self.note_statement()?;
        let watch = self.watch();
        self.connection.request_started();
        let answering = in_parts(self.connection, known, &statement.params, take);
        let answer = match self.has_settings() {
            true => self.under_settings(answering).boxed().await,
            false => answering.boxed().await,
        };
        self.connection.request_finished();
        let answer = answer.map_err(|failure| failure.explain(Some(table)));
        self.note_answer(watch, &statement, Some(table), answer.as_ref().map(|(_, rows)| *rows));
        match answer {
            // The server reported this before it sent a row.
            Err(error) if self.is_stale(&error) => self.ask_again(&statement, Some(table), error).boxed().await,
            Err(error) => Err(error),
            Ok((last, _)) => last,
        }
    }

    /// Returns the number of rows that a statement wrote.
    #[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
    pub(crate) fn execute(
        &self,
        statement: Statement,
        table: &'static Table,
    ) -> impl Future<Output = Result<u64>> + Send {
        async move { self.ask(&statement, Some(table)).await }
    }

    /// Sends a statement and reads the answer. A statement that a migration made stale had no effect, so it is prepared
    /// again once: outside a transaction, and inside one if it is its first statement.
    ///
    /// Only what is rare is in a box, so that a call of a known statement allocates little, and the future of every call
    /// stays small.
    #[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
    pub(crate) fn ask<T: Answer>(
        &self,
        statement: &Statement,
        table: Option<&'static Table>,
    ) -> impl Future<Output = Result<T>> + Send {
        async move {
            let Some(known) = statement.known().filter(|_| !self.has_settings() && !self.explains()) else {
                return self.ask_slowly(statement, table).boxed().await;
            };
            self.note_statement()?;
            let watch = self.watch();
            self.connection.request_started();
            let answer = T::named(self.connection, known, &statement.params).await;
            self.connection.request_finished();
            let answer = answer.map_err(|error| Failure::Driver(error).explain(table));
            self.note_answer(watch, statement, table, answer.as_ref().map(Answer::rows));
            let again = match answer {
                Err(error) if self.is_stale(&error) => self.ask_again(statement, table, error).boxed(),
                answer => return answer,
            };
            again.await
        }
    }

    /// Sends a statement that may have to be prepared, or that has settings.
    async fn ask_slowly<T: Answer>(self, statement: &Statement, table: Option<&'static Table>) -> Result<T> {
        if self.explains() {
            return self.ask_explained(statement, table).boxed().await;
        }
        self.note_statement()?;
        let outcome = match self.prepare(statement, table).await {
            Ok(prepared) => self.ask_prepared(&prepared, statement, table).await,
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if self.is_stale(&error) => self.ask_again(statement, table, error).boxed().await,
            outcome => outcome,
        }
    }

    /// Prepares and sends a stale statement again. Returns `error` if that is not possible.
    ///
    /// A pooler that knows statements by their texts may return the same stale one. Then another text is prepared.
    async fn ask_again<T: Answer>(
        self,
        statement: &Statement,
        table: Option<&'static Table>,
        mut error: Error,
    ) -> Result<T> {
        let texts = &self.connection.pool.shared.texts;
        for again in [false, true] {
            let generation = texts.generation();
            self.forget(statement);
            if let Some(transaction) = self.transaction
                && !transaction.begin_again().await?
            {
                return Err(error);
            }
            let outcome = match self.prepare(statement, table).await {
                Ok(prepared) => self.ask_prepared(&prepared, statement, table).await,
                Err(error) => Err(error),
            };
            match outcome {
                Err(stale) if stale.is_stale_plan() && self.shapes().is_some() && !again => {
                    texts.begin_generation(generation);
                    error = stale;
                }
                outcome => return outcome,
            }
        }
        Err(error)
    }

    pub(crate) async fn ask_prepared<T: Answer>(
        self,
        prepared: &Prepared,
        statement: &Statement,
        table: Option<&'static Table>,
    ) -> Result<T> {
        let watch = self.watch();
        self.connection.request_started();
        let answer: Result<T, Failure> = if self.has_settings() {
            self.under_settings(self.send(prepared, statement)).boxed().await
        } else {
            self.send(prepared, statement).await
        };
        self.connection.request_finished();
        let answer = answer.map_err(|failure| failure.explain(table));
        // A statement without a name has no columns before there are rows.
        let answer = answer.and_then(|answer| match (prepared, table, answer.columns()) {
            (Prepared::Unnamed(_), Some(table), Some(columns)) => check_columns(table, columns).map(|()| answer),
            _ => Ok(answer),
        });
        self.note_answer(watch, statement, table, answer.as_ref().map(Answer::rows));
        answer
    }

    async fn send<T: Answer>(self, prepared: &Prepared, statement: &Statement) -> Result<T, Failure> {
        match prepared {
            Prepared::Named(prepared) => {
                T::named(self.connection, prepared, &statement.params).await.map_err(Failure::Driver)
            }
            Prepared::Unnamed(types) if types.len() != statement.params.len() => {
                Err(Failure::Refused(wrong_count(statement, types)))
            }
            Prepared::Unnamed(types) => T::unnamed(self.connection, &self.text_of(statement), &statement.params, types)
                .await
                .map_err(Failure::Driver),
        }
    }

    /// Returns whether the statement has settings, or its transaction has set some.
    fn has_settings(self) -> bool {
        self.settings.is_some() || self.transaction.is_some_and(|transaction| transaction.settings().is_in_use())
    }

    /// Sends a statement together with its settings. `work` sends the statement when it is first polled.
    async fn under_settings<T>(self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        if let Some(reason) = self.settings.and_then(|settings| settings.refused()) {
            return Err(Failure::Refused(reason.to_owned()));
        }
        let Some(transaction) = self.transaction else { return self.in_own_transaction(work).await };
        let change = transaction.settings().change_to(self.settings);
        let Some(change) = change else { return work.await };
        let (set, answer) = join(change.send(self.connection), work).await;
        // If the settings cannot be set, the transaction has failed, and the statement with it.
        set.map_err(Failure::Driver).and(answer)
    }

    /// Sends the statement between BEGIN and COMMIT. If it fails, PostgreSQL turns the COMMIT into a ROLLBACK.
    async fn in_own_transaction<T>(self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let Some(settings) = self.settings else { return work.await };
        let change = Change::first(settings);
        let before = join(self.connection.batch_execute("BEGIN"), change.send(self.connection));
        let after = join(work, self.connection.batch_execute("COMMIT"));
        let ((begun, set), (answer, committed)) = join(before, after).await;
        begun.and(set).map_err(Failure::Driver)?;
        let answer = answer?;
        committed.map_err(Failure::Driver)?;
        Ok(answer)
    }

    /// Starts to measure a statement that is about to be sent.
    pub(crate) fn watch(self) -> StatementTimer {
        StatementTimer::start(self.connection.pool.shared.slow)
    }

    /// Counts a statement that has been answered, and logs it if it was slow.
    pub(crate) fn note_answer(
        self,
        watch: StatementTimer,
        statement: &Statement,
        table: Option<&'static Table>,
        rows: Result<u64, &Error>,
    ) {
        if let Err(error) = rows {
            self.note_failure(error);
        }
        self.connection.pool.counters.count(rows.ok());
        watch.end(self.operation, statement.sql(), table, rows);
    }

    /// Notices a server that has become a standby.
    #[cold]
    fn note_failure(self, error: &Error) {
        let is_asked_for = || self.transaction.is_some_and(OpenTransaction::only_reads);
        if error.is_read_only() && !is_asked_for() {
            self.connection.note_read_only();
        }
    }

    /// Declares a cursor for the rows of a statement.
    pub(crate) async fn declare(self, name: &str, of: &Statement, table: Option<&'static Table>) -> Result<()> {
        let sql = format!("DECLARE {name} NO SCROLL CURSOR FOR {}", of.sql());
        let declare = Statement::new(sql, of.params.clone());
        if of.is_own() {
            self.connection.leaves(effect::trace(of.sql()));
        }
        if self.connection.pool.shared.unnamed.is_none() {
            return self.ask::<u64>(&declare, table).await.map(drop);
        }
        // The server reports the types of parameters only for statements that can be prepared, which DECLARE is not.
        let prepared = self.prepare(of, table).await?;
        self.note_statement()?;
        self.ask_prepared::<u64>(&prepared, &declare, table).await.map(drop)
    }

    /// Fetches rows from a cursor. Unnamed, because another cursor with the same name may have other columns.
    pub(crate) async fn fetch(self, name: &str, rows: u32, table: Option<&'static Table>) -> Result<Vec<Row>> {
        self.ask_unnamed(format!("FETCH FORWARD {rows} FROM {name}"), table).await
    }

    /// Closes a cursor.
    pub(crate) async fn close(self, name: &str, table: Option<&'static Table>) -> Result<()> {
        self.ask_unnamed::<u64>(format!("CLOSE {name}"), table).await.map(drop)
    }

    async fn ask_unnamed<T: Answer>(self, sql: String, table: Option<&'static Table>) -> Result<T> {
        self.note_statement()?;
        let statement = Statement::new(sql, Vec::new());
        self.ask_prepared(&Prepared::Unnamed(Arc::new([])), &statement, table).await
    }

    /// Returns the types of a statement's parameters.
    pub(crate) async fn parameter_types(self, statement: &Statement, table: &'static Table) -> Result<Vec<Type>> {
        Ok(match self.prepare(statement, Some(table)).await? {
            Prepared::Named(prepared) => prepared.params().to_vec(),
            Prepared::Unnamed(types) => types.to_vec(),
        })
    }

    /// Returns whether COPY reaches the server.
    pub(crate) fn copies(self) -> bool {
        self.connection.pool.shared.options.copies()
    }

    /// Begins a COPY into a table.
    pub(crate) async fn copy_in(self, sql: &str, table: &'static Table) -> Result<CopyInSink<Bytes>> {
        let prepared = self.named(&Statement::new(sql.to_owned(), Vec::new()), table).await?;
        self.note_statement()?;
        let begun = async { self.connection.copy_in(&prepared).await.map_err(Failure::Driver) };
        let begun = self.under_settings(begun).await.map_err(|failure| failure.explain(Some(table)));
        begun.inspect_err(|error| self.note_failure(error))
    }

    /// Returns a statement with a name, if only for one use. Behind a pooler, only inside a transaction.
    async fn named(self, statement: &Statement, table: &'static Table) -> Result<tokio_postgres::Statement> {
        if self.connection.pool.shared.unnamed.is_none()
            && let Prepared::Named(prepared) = self.prepare(statement, Some(table)).await?
        {
            return Ok(prepared);
        }
        self.connection.request_started();
        let preparing = async { self.connection.prepare(statement.sql()).await.map_err(Failure::Driver) };
        let prepared = self.in_its_schemas(preparing).await;
        self.connection.request_finished();
        prepared.map_err(|failure| failure.explain(Some(table)))
    }

    fn note_statement(self) -> Result<()> {
        match self.transaction {
            Some(transaction) => transaction.note_statement(self.scope),
            None => Ok(()),
        }
    }

    /// Returns whether a migration changed something that the statement uses after it was prepared.
    pub(crate) fn is_stale(self, error: &Error) -> bool {
        error.is_stale_plan() || (self.connection.pool.shared.unnamed.is_some() && error.is_wrong_statement())
    }

    /// Makes the statement be prepared again the next time.
    pub(crate) fn forget(self, statement: &Statement) {
        let text = self.text_of(statement);
        match &self.connection.pool.shared.unnamed {
            Some(known) => known.forget(&text),
            None => self.connection.statements.forget(&text, statement),
        }
    }
}

fn wrong_count(statement: &Statement, types: &[Type]) -> String {
    format!("the statement takes {} parameters, and {} were given", types.len(), statement.params.len())
}

fn typed_parameters<'p>(params: &'p [Param], types: &[Type]) -> Vec<(&'p (dyn ToSql + Sync), Type)> {
    params.iter().zip(types).map(|(param, ty)| (param as &(dyn ToSql + Sync), ty.clone())).collect()
}
