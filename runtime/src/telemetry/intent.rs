//! What a query is about to do, for hooks: models, columns and kinds of operations, without values.

use crate::meta::Table;
use crate::query::{Action, Existing, Insert, NestedWrite, NewRows, Operation, Select, Sets, UpsertRows};

/// What a query is about to do to the rows of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// The model's name in the schema; `None` for raw SQL.
    pub model: Option<&'static str>,
    /// The table's name in PostgreSQL; `None` for raw SQL.
    pub table: Option<&'static str>,
    /// The kind of operation.
    pub kind: IntentKind,
    /// Whether it is part of a query on another model: an `include`, or a nested write.
    pub nested: bool,
    /// Columns that are given values, by their names in PostgreSQL.
    pub columns: Vec<&'static str>,
    /// Whether it runs in a transaction of the program.
    pub in_transaction: bool,
}

/// The kinds of operations on the rows of a model.
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
    UpsertMany,
    UpdateEach,
    Delete,
    DeleteMany,
    Refresh,
    QueryRaw,
    ExecuteRaw,
    Notify,
    AdvisoryLock,
}

impl Intent {
    /// Creates an intent for one table, without columns, which are not known in advance.
    pub(crate) fn of(table: &'static Table, kind: IntentKind, in_transaction: bool) -> Self {
        let (model, table) = (Some(table.name), Some(table.bare_name()));
        Self { model, table, kind, nested: false, columns: Vec::new(), in_transaction }
    }
}

impl IntentKind {
    /// Returns whether rows are written. For `query_raw` this is unknown, and the answer is yes.
    pub fn writes(self) -> bool {
        use IntentKind::{AdvisoryLock, Aggregate, Count, Exists, FindMany, FindOne, GroupBy, Notify};
        !matches!(self, FindOne | FindMany | Count | Exists | Aggregate | GroupBy | Notify | AdvisoryLock)
    }
}

/// Returns what is known about raw SQL.
pub(crate) fn raw_intent(kind: IntentKind, in_transaction: bool) -> Vec<Intent> {
    vec![Intent { model: None, table: None, kind, nested: false, columns: Vec::new(), in_transaction }]
}

/// Returns everything that an operation is about to do, its own part first.
pub(crate) fn intents(operation: &Operation, in_transaction: bool) -> Vec<Intent> {
    let mut found = IntentCollector { intents: Vec::new(), in_transaction };
    found.operation(operation);
    found.intents
}

struct IntentCollector {
    intents: Vec<Intent>,
    in_transaction: bool,
}

fn columns_of(table: &'static Table, sets: &Sets) -> Vec<&'static str> {
    sets.iter().filter_map(|(column, _)| Some(table.columns.get(usize::from(*column))?.name)).collect()
}

fn inserted_columns(row: &Insert) -> Vec<&'static str> {
    row.cells.iter().filter_map(|(column, _)| Some(row.table.columns.get(usize::from(*column))?.name)).collect()
}

fn distinct(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut columns: Vec<&'static str> = Vec::new();
    for name in names {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    columns
}

impl IntentCollector {
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
                NewRows::Uniform(rows) => self.push(table, IntentKind::CreateMany, rows.given_columns().collect()),
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
            Operation::UpsertMany(call) => self.upsert_many(call),
            Operation::UpdateEach { table, changes, .. } => {
                let columns = changes.iter().flat_map(|(_, sets)| columns_of(table, sets));
                self.push(table, IntentKind::UpdateEach, distinct(columns));
            }
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
            Operation::Refresh { table, .. } => self.push(table, IntentKind::Refresh, Vec::new()),
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

    /// Adds the nested writes of a row.
    fn around(&mut self, row: &Insert) {
        for other in &row.before {
            match other.key {
                Some(_) => self.upsert(&other.row, &Vec::new()),
                None => self.insert(&other.row, IntentKind::Create),
            }
        }
        row.after.iter().for_each(|write| self.nested(write));
    }

    fn insert_many(&mut self, table: &'static Table, rows: &[Insert]) {
        self.push(table, IntentKind::CreateMany, distinct(rows.iter().flat_map(inserted_columns)));
        rows.iter().for_each(|row| self.around(row));
    }

    fn upsert(&mut self, row: &Insert, sets: &Sets) {
        let columns = inserted_columns(row).into_iter().chain(columns_of(row.table, sets));
        self.push(row.table, IntentKind::Upsert, distinct(columns));
        self.around(row);
    }

    fn upsert_many(&mut self, call: &UpsertRows) {
        let mut columns: Vec<&'static str> = match &call.rows {
            NewRows::Uniform(rows) => rows.given_columns().collect(),
            NewRows::Any(rows) => rows.iter().flat_map(inserted_columns).collect(),
        };
        if let Existing::Change { sets, .. } = &call.existing {
            columns.extend(columns_of(call.table, sets));
        }
        self.push(call.table, IntentKind::UpsertMany, distinct(columns.into_iter()));
        if let NewRows::Any(rows) = &call.rows {
            rows.iter().for_each(|row| self.around(row));
        }
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
