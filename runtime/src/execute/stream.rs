//! Rows as a stream, read part by part through a cursor of the database, so that neither side holds all of them.
//!
//! A stream of a client has its own transaction and connection until it ends or is dropped. Inside a transaction, other
//! queries may run between its rows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::stream::{self, BoxStream, StreamExt};
use futures_util::{FutureExt, Stream};
use tokio_postgres::Row;

use super::read::attach_to_rows;
use super::target::Target;
use crate::connection::{OpenTransaction, Pool, Route, Scope, Session};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::query::{Operation, Select, SqlCall};
use crate::rows::{FromRawRow, Node, RawRow, ReadRow, SqlRow};
use crate::sql::{Statement, effect, read_plan, read_statement};
use crate::telemetry::{self, Envelope, Intent, IntentKind, ServerNote};

/// Rows as they arrive: a [`Stream`], which [`next`](Self::next) makes usable without any other crate.
///
/// Nothing is sent before the first row is requested. If it is dropped before its end, it ends what it has begun.
#[must_use = "nothing happens until a row is asked for"]
pub struct RowStream<T> {
    begin: Option<Begin>,
    parts: Option<BoxStream<'static, Result<Part>>>,
    at_once: u32,
    part: Part,
    next: usize,
    read: fn(&Part, usize) -> Result<T>,
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowStream({} rows at once)", self.at_once)
    }
}

/// The read, and where it runs.
struct Begin {
    target: Target,
    source: Source,
}

enum Source {
    Select(Box<Select>),
    Raw(Statement),
    Sql(SqlCall),
}

/// Rows that arrived together.
enum Part {
    Model(Node),
    Raw(Vec<Row>),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Model(node) => node.len(),
            Part::Raw(rows) => rows.len(),
        }
    }
}

/// The default number of rows that are requested together.
const AT_ONCE: u32 = 1000;

/// The maximum count of FETCH.
const MAX_ROWS_AT_ONCE: u32 = i32::MAX as u32;

impl<T> RowStream<T> {
    fn new(target: Target, source: Source, read: fn(&Part, usize) -> Result<T>) -> Self {
        let begin = Some(Begin { target, source });
        Self { begin, parts: None, at_once: AT_ONCE, part: Part::Raw(Vec::new()), next: 0, read }
    }

    /// Sets how many rows are requested, and held, together. The default is 1000. The statements of included relations
    /// run once for each such part.
    pub fn rows_at_once(mut self, rows: u32) -> Self {
        self.at_once = rows.clamp(1, MAX_ROWS_AT_ONCE);
        self
    }

    /// Returns the next row; `None` after the last one, and after an error.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while this.next >= this.part.len() {
            if let Some(begin) = this.begin.take() {
                this.parts = Some(parts(begin, this.at_once));
            }
            let Some(parts) = &mut this.parts else { return Poll::Ready(None) };
            match ready!(parts.poll_next_unpin(cx)) {
                Some(Ok(part)) => (this.part, this.next) = (part, 0),
                Some(Err(error)) => {
                    this.parts = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.parts = None;
                    return Poll::Ready(None);
                }
            }
        }
        this.next += 1;
        Poll::Ready(Some((this.read)(&this.part, this.next - 1)))
    }
}

/// Returns a stream of the rows of a query. Each is read at its cursor.
pub(crate) fn of_select<R: ReadRow>(target: Target, select: Box<Select>) -> RowStream<R::Out> {
    RowStream::new(target, Source::Select(select), |part, row| match part {
        Part::Model(node) => R::read(node.cursor(row)),
        Part::Raw(_) => Err(Error::Internal("rows of another kind than the stream reads")),
    })
}

/// Returns a stream of the rows of raw SQL.
pub(crate) fn of_raw<T: FromRawRow>(target: Target, statement: Statement) -> RowStream<T> {
    RowStream::new(target, Source::Raw(statement), |part, row| match part {
        Part::Raw(rows) => T::from_raw(&RawRow::new(&rows[row])),
        Part::Model(_) => Err(Error::Internal("rows of another kind than the stream reads")),
    })
}

/// Returns a stream of the rows of a query of `queries/`.
pub(crate) fn of_sql<T: SqlRow>(target: Target, call: SqlCall) -> RowStream<T::Output> {
    RowStream::new(target, Source::Sql(call), |part, row| match part {
        Part::Model(node) => T::read(node.cursor(row)),
        Part::Raw(_) => Err(Error::Internal("rows of another kind than the stream reads")),
    })
}

/// The progress of a stream.
enum State {
    Begin(Begin, Option<ServerNote>),
    Open(OpenCursor),
    Done,
}

fn parts(begin: Begin, at_once: u32) -> BoxStream<'static, Result<Part>> {
    let (pool, in_transaction) = (begin.target.pool(), begin.target.is_transaction());
    let server = &pool.shared.server;
    let is_chosen = in_transaction || pool.routing.is_none();
    let span = telemetry::query_span(server, is_chosen, begin.source.operation(), begin.source.table());
    let envelope = Envelope::new(span, server, pool.hooks.as_ref(), || begin.source.intents(in_transaction));
    let note = (!is_chosen).then(|| envelope.server_note());
    let parts = stream::try_unfold(State::Begin(begin, note), move |state| next_part(state, at_once));
    envelope.around_stream(parts, |part| part.len() as u64)
}

async fn next_part(state: State, at_once: u32) -> Result<Option<(Part, State)>> {
    let cursor = match state {
        State::Begin(Begin { target: Target::Pool(pool), source }, Some(note)) => {
            return OpenCursor::open_on_route(&pool, Arc::new(source), at_once, &note).boxed().await;
        }
        State::Begin(begin, _) => OpenCursor::open(begin.target, Arc::new(begin.source)).await?,
        State::Open(cursor) => cursor,
        State::Done => return Ok(None),
    };
    cursor.fetch_next(at_once).await
}

/// A cursor in a transaction: the stream's own, or one of the program.
struct OpenCursor {
    scope: Scope,
    own: bool,
    name: String,
    source: Arc<Source>,
}

impl OpenCursor {
    /// Opens it where reads go, and fetches the first rows. Until they are there, it may be opened at another server.
    async fn open_on_route(
        pool: &Arc<Pool>,
        source: Arc<Source>,
        at_once: u32,
        note: &ServerNote,
    ) -> Result<Option<(Part, State)>> {
        let Some(routing) = &pool.routing else { return Err(Error::Internal("a client without replicas")) };
        if source.may_write() || !source.is_routed(routing.only_reads()) {
            routing.check_write()?;
            note.note(&pool.shared.server);
            return Self::open(Target::Pool(Arc::clone(pool)), source).await?.fetch_next(at_once).await;
        }
        let mut route = Route::new(pool, routing, Some(note));
        loop {
            let at = route.next().await?;
            let opened = match Self::open(Target::Pool(at), Arc::clone(&source)).await {
                Ok(cursor) => cursor.fetch_next(at_once).await,
                Err(error) => Err(error),
            };
            if !route.goes_on(&opened) {
                return opened;
            }
        }
    }

    /// Returns the next rows, and closes the cursor if they are the last ones.
    async fn fetch_next(self, at_once: u32) -> Result<Option<(Part, State)>> {
        let part = self.fetch(at_once).await?;
        if part.len() == at_once as usize {
            return Ok(Some((part, State::Open(self))));
        }
        self.close().await?;
        Ok(Some((part, State::Done)))
    }

    async fn open(target: Target, source: Arc<Source>) -> Result<Self> {
        if let Some(refused) = source.refused(target.is_transaction()) {
            return Err(refused);
        }
        let (scope, own) = match target {
            Target::Transaction(scope) => (scope, false),
            Target::Pool(pool) => {
                let transaction = OpenTransaction::begin(&pool, source.begin()).await?;
                (Scope::whole(Arc::new(transaction)), true)
            }
        };
        let running = scope.enter().await?;
        let name = format!("relata_stream_{}", scope.transaction.next_number());
        let session = scope.session(source.operation())?;
        let declared = match &*source {
            Source::Raw(statement) => session.declare(&name, statement, None).await,
            Source::Sql(call) => session.declare(&name, &Statement::of_call(call), Some(call.table())).await,
            Source::Select(select) => {
                session.declare(&name, &read_statement(session.unshaped(), select, None).0, Some(select.table)).await
            }
        };
        running.end(&declared);
        declared?;
        Ok(Self { scope, own, name, source })
    }

    async fn fetch(&self, at_once: u32) -> Result<Part> {
        let running = self.scope.enter().await?;
        let part = self.part(self.scope.session(self.source.operation())?, at_once).await;
        running.end(&part);
        part
    }

    async fn part(&self, session: Session<'_>, at_once: u32) -> Result<Part> {
        let rows = session.fetch(&self.name, at_once, self.source.table()).await?;
        match &*self.source {
            Source::Raw(_) => Ok(Part::Raw(rows)),
            Source::Sql(call) => Ok(Part::Model(Node::new(call.table(), rows))),
            Source::Select(select) => {
                let node = Node::new(select.table, rows);
                attach_to_rows(session, node, &read_plan(select)).await.map(Part::Model)
            }
        }
    }

    async fn close(self) -> Result<()> {
        if self.own {
            return self.scope.transaction.commit().await;
        }
        let running = self.scope.enter().await?;
        let session = self.scope.session(self.source.operation())?;
        let closed = session.close(&self.name, self.source.table()).await;
        running.end(&closed);
        closed
    }
}

impl Source {
    /// Returns the operation's name in traces.
    fn operation(&self) -> &'static str {
        match self {
            Source::Select(_) => "find_many",
            Source::Raw(_) => "query_raw",
            Source::Sql(_) => "query",
        }
    }

    /// Whether it may write, and so is refused at a handle that only reads.
    fn may_write(&self) -> bool {
        matches!(self, Source::Raw(statement) if effect::may_write(statement.sql()))
    }

    /// Whether it goes where reads go. The functions of raw SQL may write, so it does only if the program says so.
    fn is_routed(&self, only_reads: bool) -> bool {
        only_reads || !matches!(self, Source::Raw(_))
    }

    fn table(&self) -> Option<&'static Table> {
        match self {
            Source::Select(select) => Some(select.table),
            Source::Sql(call) => Some(call.table()),
            Source::Raw(_) => None,
        }
    }

    fn refused(&self, in_transaction: bool) -> Option<Error> {
        match self {
            Source::Select(select) if select.lock.is_some() && !in_transaction => Some(Error::LockOutsideTransaction),
            Source::Select(select) => select.refused_lock(),
            Source::Raw(_) | Source::Sql(_) => None,
        }
    }

    fn intents(&self, in_transaction: bool) -> Vec<Intent> {
        match self {
            Source::Select(select) => {
                let read = Operation::Read(Box::new(Select::clone(select)));
                telemetry::intents(&read, in_transaction)
            }
            Source::Raw(_) | Source::Sql(_) => telemetry::raw_intent(IntentKind::QueryRaw, in_transaction),
        }
    }

    /// A read with several statements needs one snapshot.
    fn begin(&self) -> &'static str {
        match self {
            Source::Select(select) if !read_plan(select).is_single_statement() => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ"
            }
            _ => "BEGIN",
        }
    }
}
