//! Queries of `queries/*.sql`: values that generated functions make, sent by `query` of a client or a transaction.
//!
//! The statement and the columns that it was compiled for are a static of the generated code. What the database says of
//! the columns is compared with it when the statement is prepared, and rows are then read without looking at types.

use std::fmt;
use std::marker::PhantomData;

use tokio_postgres::types::{Kind, Type};

use crate::batch::{Parts, Query};
use crate::connection::Handle;
use crate::error::{Error, Result};
use crate::find::{All, ExactlyOne, OneOrNone};
use crate::model::FromRow;
use crate::operation::{Operation, Outcome};
use crate::sql::Statement;
use crate::stream::{self, RowStream};
use crate::table::{Column, Table};
use crate::value::{IntoNullable, IntoValue, Param, Scalar};

/// A file of `queries/`, as generated code says it.
#[derive(Debug)]
pub struct Sql {
    text: &'static str,
    /// Called like the query, with the columns of its rows; none if it gives no rows.
    table: Table,
}

impl Sql {
    /// For generated code.
    pub const fn new(name: &'static str, text: &'static str, columns: &'static [Column]) -> Self {
        Self { text, table: Table::new(name, name, columns, &[], &[], &[]) }
    }

    /// Sets the table that the statement writes, to explain violations.
    pub const fn writes(mut self, table: &'static Table) -> Self {
        self.table.writes = Some(table);
        self
    }
}

/// A query of `queries/` with its parameters, as data.
#[derive(Debug)]
pub(crate) struct SqlCall {
    sql: &'static Sql,
    params: Vec<Param>,
    /// One row is asked for, so that others are an error: in a batch, before it is committed.
    pub(crate) alone: bool,
}

impl SqlCall {
    pub(crate) fn table(&self) -> &'static Table {
        &self.sql.table
    }

    pub(crate) fn statement(&self) -> Statement {
        Statement::own(self.sql.text.to_owned(), self.params.clone())
    }

    pub(crate) fn writes(&self) -> bool {
        self.sql.table.writes.is_some() || !self.gives_rows()
    }

    pub(crate) fn gives_rows(&self) -> bool {
        !self.sql.table.columns.is_empty()
    }
}

/// A query that gives rows: all of them, or with `one` and `optional` a single one.
///
/// `db.query(queries::standings(tenant)).await?` sends it; it can also be part of a batch.
#[must_use = "nothing happens until it is given to `query` or `batch`"]
pub struct SqlQuery<T, A = All> {
    call: SqlCall,
    types: PhantomData<fn() -> (T, A)>,
}

impl<T, A> fmt::Debug for SqlQuery<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlQuery({}, {} parameters)", self.call.table().name, self.call.params.len())
    }
}

impl<T: FromRow> SqlQuery<T> {
    /// For generated code.
    pub fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { call: SqlCall { sql, params, alone: false }, types: PhantomData }
    }

    /// The only row: none is [`Error::NotFound`], and several are [`Error::Refused`].
    pub fn one(self) -> SqlQuery<T, ExactlyOne> {
        SqlQuery { call: SqlCall { alone: true, ..self.call }, types: PhantomData }
    }

    /// The only row, or none; several are [`Error::Refused`].
    pub fn optional(self) -> SqlQuery<T, OneOrNone> {
        SqlQuery { call: SqlCall { alone: true, ..self.call }, types: PhantomData }
    }
}

/// A statement that gives no rows, but the number of those that it wrote.
#[must_use = "nothing happens until it is given to `query` or `batch`"]
pub struct SqlCommand {
    call: SqlCall,
}

impl fmt::Debug for SqlCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlCommand({}, {} parameters)", self.call.table().name, self.call.params.len())
    }
}

impl SqlCommand {
    /// For generated code.
    pub fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { call: SqlCall { sql, params, alone: false } }
    }
}

/// What `query` takes: what a function of the generated module `queries` gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query of `queries/*.sql`",
    label = "expected what a function of the module `queries` gives",
    note = "calls on models are awaited themselves; SQL in a string goes through `query_raw`"
)]
pub trait IntoSqlCall: Query {}

impl<T: FromRow> IntoSqlCall for SqlQuery<T> {}
impl<T: FromRow> IntoSqlCall for SqlQuery<T, ExactlyOne> {}
impl<T: FromRow> IntoSqlCall for SqlQuery<T, OneOrNone> {}
impl IntoSqlCall for SqlCommand {}

impl<T: FromRow> Query for SqlQuery<T> {
    type Output = Vec<T>;

    fn into_parts(self) -> Parts<Vec<T>> {
        let finish = |outcome: Outcome| outcome.into_rows()?.cursors().map(T::from_row).collect();
        Parts { operation: Operation::Sql(self.call), finish }
    }
}

impl<T: FromRow> Query for SqlQuery<T, OneOrNone> {
    type Output = Option<T>;

    fn into_parts(self) -> Parts<Option<T>> {
        Parts { operation: Operation::Sql(self.call), finish: only }
    }
}

impl<T: FromRow> Query for SqlQuery<T, ExactlyOne> {
    type Output = T;

    fn into_parts(self) -> Parts<T> {
        let finish = |outcome: Outcome| {
            let table = outcome.table();
            only(outcome)?.ok_or(Error::NotFound { model: table.map_or("row", |table| table.name), operation: "found" })
        };
        Parts { operation: Operation::Sql(self.call), finish }
    }
}

impl Query for SqlCommand {
    type Output = u64;

    fn into_parts(self) -> Parts<u64> {
        Parts { operation: Operation::Sql(self.call), finish: Outcome::into_count }
    }
}

/// The only row, if there is one.
fn only<T: FromRow>(outcome: Outcome) -> Result<Option<T>> {
    let node = outcome.into_rows()?;
    match node.len() {
        0 => Ok(None),
        1 => T::from_row(node.cursor(0)).map(Some),
        rows => {
            Err(Error::Refused(format!("{} gives {rows} rows where one is asked for: add LIMIT 1", node.table.name)))
        }
    }
}

impl Handle {
    pub(crate) fn query_stream<T: FromRow>(&self, query: SqlQuery<T>) -> RowStream<T> {
        stream::of_sql(self.clone(), query.call)
    }
}

/// For generated code: an argument as a parameter.
pub fn value<T: Scalar>(value: impl IntoValue<T>) -> Param {
    value.into_value().into_param()
}

/// For generated code: an argument that may be null.
pub fn nullable<T: Scalar>(value: impl IntoNullable<T>) -> Param {
    value.into_nullable().map_or(Param::Null, Scalar::into_param)
}

/// For generated code: a list.
pub fn list<T: Scalar>(values: impl IntoIterator<Item = impl IntoValue<T>>) -> Param {
    Param::Array(values.into_iter().map(|one| one.into_value().into_param()).collect())
}

/// For generated code: a list that may be null.
pub fn nullable_list<T: Scalar>(values: Option<impl IntoIterator<Item = impl IntoValue<T>>>) -> Param {
    values.map_or(Param::Null, list)
}

/// Whether a column holds a list of such values.
pub(crate) fn accepts_list<T: Scalar>(ty: &Type) -> bool {
    matches!(ty.kind(), Kind::Array(element) if T::accepts(element))
}

impl Table {
    /// Compares the columns that the database gives with those that a query was compiled for. Those of models are what
    /// the client itself asks for.
    pub(crate) fn check(&self, columns: &[tokio_postgres::Column]) -> Result<()> {
        if self.columns.first().is_none_or(|column| column.accepts.is_none()) {
            return Ok(());
        }
        let (name, wanted) = (self.name, self.columns.len());
        let advice = "`codegen check --database --url URL` compares all queries with a database";
        if columns.len() != wanted {
            let message = format!("{name} gives {} columns, and was compiled for {wanted}: {advice}", columns.len());
            return Err(Error::Refused(message));
        }
        for (known, real) in self.columns.iter().zip(columns) {
            if known.accepts.is_some_and(|accepts| !accepts(real.type_())) {
                let (column, ty) = (known.name, real.type_());
                let message = format!("column {column} of {name} is {ty}, for which it was not compiled: {advice}");
                return Err(Error::Refused(message));
            }
        }
        Ok(())
    }
}
