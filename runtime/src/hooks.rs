//! Functions of the program's own around queries: what they may see, and when they are called.
//!
//! They see what a query is about, and no value. Where none is set, a query looks at one `Option`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use crate::create::Insert;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::nested::{Action, NestedWrite, Sets};
use crate::operation::{NewRows, Operation};
use crate::select::Select;
use crate::table::Table;

type BeforeFn = Arc<dyn Fn(&Intent) -> Result<()> + Send + Sync>;
type AfterFn = Arc<dyn Fn(&Intent, &Report<'_>) + Send + Sync>;

/// Functions that are called before and after queries.
///
/// ```
/// use relata::{Error, Hooks, IntentKind};
///
/// let hooks = Hooks::new().before(|intent| match intent.kind {
///     IntentKind::Delete | IntentKind::DeleteMany => Err(Error::Refused("nothing is deleted here".into())),
///     _ => Ok(()),
/// });
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    before: Vec<(Option<&'static Table>, BeforeFn)>,
    after: Vec<(Option<&'static Table>, AfterFn)>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({} before, {} after)", self.before.len(), self.after.len())
    }
}

/// What a query is about to do to the rows of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// The model's name in the schema; none of SQL of one's own.
    pub model: Option<&'static str>,
    /// The table's name in PostgreSQL; none of SQL of one's own.
    pub table: Option<&'static str>,
    /// What is done.
    pub kind: IntentKind,
    /// It is part of a query on another model: an `include`, or a nested write.
    pub nested: bool,
    /// Columns that are given values, by their names in PostgreSQL.
    pub columns: Vec<&'static str>,
    /// Whether it runs in a transaction of the program.
    pub in_transaction: bool,
}

/// What can be done to the rows of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the calls")]
pub enum IntentKind {
    FindOne,
    FindMany,
    Count,
    Exists,
    Aggregate,
    GroupBy,
    Create,
    CreateMany,
    Connect,
    Disconnect,
    Update,
    UpdateMany,
    Upsert,
    Delete,
    DeleteMany,
    QueryRaw,
    ExecuteRaw,
}

impl Intent {
    /// What is done to the rows of one table, whose columns are not known before.
    pub(crate) fn of(table: &'static Table, kind: IntentKind, in_transaction: bool) -> Self {
        let (model, table) = (Some(table.name), Some(table.bare_name()));
        Self { model, table, kind, nested: false, columns: Vec::new(), in_transaction }
    }
}

impl IntentKind {
    /// Whether rows are written. Of `query_raw` that is not known, and this says yes.
    pub fn writes(self) -> bool {
        use IntentKind::{Aggregate, Count, Exists, FindMany, FindOne, GroupBy};
        !matches!(self, FindOne | FindMany | Count | Exists | Aggregate | GroupBy)
    }
}

/// What came of a query.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Report<'a> {
    /// How long all of the query took, the wait for a connection included.
    pub took: Duration,
    /// The number of rows that it read or wrote, or why it failed. Of nested parts, that of the whole.
    pub outcome: std::result::Result<u64, &'a Error>,
}

impl Hooks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls a function before each query and each nested part of one. If it gives an error, nothing is sent and the
    /// query fails with it.
    pub fn before(mut self, hook: impl Fn(&Intent) -> Result<()> + Send + Sync + 'static) -> Self {
        self.before.push((None, Arc::new(hook)));
        self
    }

    /// The same, for one model: `before_model::<User>(..)`.
    pub fn before_model<M: Model>(mut self, hook: impl Fn(&Intent) -> Result<()> + Send + Sync + 'static) -> Self {
        self.before.push((Some(M::table()), Arc::new(hook)));
        self
    }

    /// Calls a function after each query, and with each nested part of it. It is not called for a query whose future was
    /// dropped, nor for one that was refused before.
    pub fn after(mut self, hook: impl Fn(&Intent, &Report<'_>) + Send + Sync + 'static) -> Self {
        self.after.push((None, Arc::new(hook)));
        self
    }

    /// The same, for one model.
    pub fn after_model<M: Model>(mut self, hook: impl Fn(&Intent, &Report<'_>) + Send + Sync + 'static) -> Self {
        self.after.push((Some(M::table()), Arc::new(hook)));
        self
    }

    /// These, and then others.
    pub(crate) fn and(mut self, others: Hooks) -> Self {
        self.before.extend(others.before);
        self.after.extend(others.after);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Asks whether all of it may be done.
    pub(crate) fn check(&self, intents: &[Intent]) -> Result<()> {
        for intent in intents {
            for (_, hook) in self.before.iter().filter(|(table, _)| concerns(*table, intent)) {
                hook(intent)?;
            }
        }
        Ok(())
    }

    pub(crate) fn report(&self, intents: &[Intent], report: &Report<'_>) {
        for intent in intents {
            for (_, hook) in self.after.iter().filter(|(table, _)| concerns(*table, intent)) {
                hook(intent, report);
            }
        }
    }
}

fn concerns(table: Option<&'static Table>, intent: &Intent) -> bool {
    table.is_none_or(|table| intent.model == Some(table.name))
}

/// Does the work between its hooks.
pub(crate) async fn around<T>(
    hooks: Arc<Hooks>,
    intents: Vec<Intent>,
    work: BoxFuture<'static, Result<T>>,
    rows: fn(&T) -> u64,
) -> Result<T> {
    hooks.check(&intents)?;
    let began = Instant::now();
    let outcome = work.await;
    let report = Report { took: began.elapsed(), outcome: outcome.as_ref().map(rows) };
    hooks.report(&intents, &report);
    outcome
}

/// What SQL of one's own is about, as far as it is known.
pub(crate) fn raw_intent(kind: IntentKind, in_transaction: bool) -> Vec<Intent> {
    vec![Intent { model: None, table: None, kind, nested: false, columns: Vec::new(), in_transaction }]
}

/// All that an operation is about to do, its own part first.
pub(crate) fn intents(operation: &Operation, in_transaction: bool) -> Vec<Intent> {
    let mut found = Found { intents: Vec::new(), in_transaction };
    found.operation(operation);
    found.intents
}

struct Found {
    intents: Vec<Intent>,
    in_transaction: bool,
}

fn columns_of(table: &'static Table, sets: &Sets) -> Vec<&'static str> {
    sets.iter().filter_map(|(column, _)| Some(table.columns.get(usize::from(*column))?.name)).collect()
}

fn inserted_columns(row: &Insert) -> Vec<&'static str> {
    row.cells.iter().filter_map(|(column, _)| Some(row.table.columns.get(usize::from(*column))?.name)).collect()
}

impl Found {
    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Read(select) => {
                let kind = if select.single { IntentKind::FindOne } else { IntentKind::FindMany };
                self.read(select, kind);
            }
            Operation::Count { table, .. } => self.push(table, IntentKind::Count, Vec::new()),
            Operation::Exists { table, .. } => self.push(table, IntentKind::Exists, Vec::new()),
            Operation::Aggregate(aggregation) => {
                let grouped = !aggregation.group_by.is_empty();
                let kind = if grouped { IntentKind::GroupBy } else { IntentKind::Aggregate };
                self.push(aggregation.select.table, kind, Vec::new());
            }
            Operation::Create(row) => self.insert(row, IntentKind::Create),
            Operation::CreateMany { table, rows, .. } => match rows {
                NewRows::Alike(rows) => self.push(table, IntentKind::CreateMany, rows.given_columns().collect()),
                NewRows::Any(rows) => self.insert_many(table, rows),
            },
            Operation::Update { table, sets, nested, .. } => {
                self.push(table, IntentKind::Update, columns_of(table, sets));
                nested.iter().for_each(|write| self.nested(write));
            }
            Operation::UpdateMany { table, sets, .. } => {
                self.push(table, IntentKind::UpdateMany, columns_of(table, sets));
            }
            Operation::Upsert { row, sets, .. } => self.upsert(row, sets),
            Operation::Delete { table, .. } => self.push(table, IntentKind::Delete, Vec::new()),
            Operation::DeleteMany { table, .. } => self.push(table, IntentKind::DeleteMany, Vec::new()),
            Operation::Returning(returning) => {
                self.operation(&returning.write);
                returning.then.includes.iter().for_each(|include| self.read(&include.select, IntentKind::FindMany));
            }
            Operation::Sql(call) => {
                let kind = if call.gives_rows() { IntentKind::QueryRaw } else { IntentKind::ExecuteRaw };
                self.intents.extend(raw_intent(kind, self.in_transaction));
            }
            Operation::Refused(_) => {}
        }
    }

    fn push(&mut self, table: &'static Table, kind: IntentKind, columns: Vec<&'static str>) {
        self.intents.push(Intent {
            model: Some(table.name),
            table: Some(table.bare_name()),
            kind,
            nested: !self.intents.is_empty(),
            columns,
            in_transaction: self.in_transaction,
        });
    }

    fn read(&mut self, select: &Select, kind: IntentKind) {
        self.push(select.table, kind, Vec::new());
        for include in &select.includes {
            self.read(&include.select, IntentKind::FindMany);
        }
    }

    fn insert(&mut self, row: &Insert, kind: IntentKind) {
        self.push(row.table, kind, inserted_columns(row));
        self.around(row);
    }

    /// What a row takes along.
    fn around(&mut self, row: &Insert) {
        row.before.iter().for_each(|(_, parent)| self.insert(parent, IntentKind::Create));
        row.after.iter().for_each(|write| self.nested(write));
    }

    fn insert_many(&mut self, table: &'static Table, rows: &[Insert]) {
        let mut columns: Vec<&'static str> = Vec::new();
        for column in rows.iter().flat_map(inserted_columns) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        self.push(table, IntentKind::CreateMany, columns);
        rows.iter().for_each(|row| self.around(row));
    }

    fn upsert(&mut self, row: &Insert, sets: &Sets) {
        let mut columns = inserted_columns(row);
        for column in columns_of(row.table, sets) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        self.push(row.table, IntentKind::Upsert, columns);
        self.around(row);
    }

    fn nested(&mut self, write: &NestedWrite) {
        let child = write.relation.child;
        match &write.action {
            Action::Create(rows) if rows.len() == 1 => self.insert(&rows[0], IntentKind::Create),
            Action::Create(rows) => self.insert_many(child, rows),
            Action::Connect(_) | Action::Set(_) => self.push(child, IntentKind::Connect, Vec::new()),
            Action::ConnectOrCreate(_, row) => self.upsert(row, &Vec::new()),
            Action::Disconnect(_) => self.push(child, IntentKind::Disconnect, Vec::new()),
            Action::Update { sets, nested, .. } => {
                self.push(child, IntentKind::Update, columns_of(child, sets));
                nested.iter().for_each(|write| self.nested(write));
            }
            Action::UpdateMany { sets, .. } => self.push(child, IntentKind::UpdateMany, columns_of(child, sets)),
            Action::Upsert { row, sets, .. } => self.upsert(row, sets),
            Action::Delete(_) => self.push(child, IntentKind::Delete, Vec::new()),
            Action::DeleteMany(_) => self.push(child, IntentKind::DeleteMany, Vec::new()),
        }
    }
}
