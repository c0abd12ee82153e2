//! Queries of `queries/*.sql`: values that generated functions return, sent by `query` of a client or a transaction.
//!
//! When the statement is prepared, the columns that the database reports are compared with those that the query was
//! compiled for. Rows are then read without looking at types.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::cardinality::{All, ExactlyOne, OneOrNone};
use crate::error::{Error, Lookup, Result};
use crate::query::{Operation, Outcome, Parts, Query, Sql, SqlCall, Tenant};
use crate::rows::{Scalars, SingleColumn, SqlRow};
use crate::value::Param;

/// A query that returns rows: all of them, or, with `one` or `optional`, a single one.
///
/// `db.query(queries::standings(tenant)).await?` sends it; it can also be part of a batch.
#[must_use = "nothing happens until it is given to `query` or `batch`"]
pub struct SqlQuery<T, A = All, C = Unconfined> {
    call: SqlCall,
    types: Types<T, A, C>,
}

type Types<T, A, C> = PhantomData<fn() -> (T, A, C)>;

/// A call of a model, which the client confines when it is sent.
#[derive(Debug)]
pub struct OfModels;

/// A query that, in a schema with tenants, can only be sent through `db.across_tenants()`.
#[derive(Debug)]
pub struct Unconfined;

/// A query that a tenant's handle can send, too. Then it reads and writes the rows of that tenant.
#[derive(Debug)]
pub struct Confined;

/// A query that only a tenant's handle can send, because it creates rows without naming their tenant.
#[derive(Debug)]
pub struct OnlyConfined;

impl<T, A, C> fmt::Debug for SqlQuery<T, A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlQuery({}, {} parameters)", self.call.table().name, self.call.params().len())
    }
}

impl<T: SqlRow, C> SqlQuery<T, All, C> {
    /// For generated code.
    pub fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { call: SqlCall::new(sql, params), types: PhantomData }
    }

    pub(crate) fn into_call(self) -> SqlCall {
        self.call
    }

    /// Expects exactly one row: none is [`Error::NotFound`], and several are [`Error::RowMismatch`].
    pub fn one(self) -> SqlQuery<T, ExactlyOne, C> {
        SqlQuery { call: self.call.alone(), types: PhantomData }
    }

    /// Expects one row or none: several are [`Error::RowMismatch`].
    pub fn optional(self) -> SqlQuery<T, OneOrNone, C> {
        SqlQuery { call: self.call.alone(), types: PhantomData }
    }
}

impl<T: SingleColumn, A, C> SqlQuery<T, A, C> {
    /// Returns the values of the only column in place of structs with one field: `Vec<i64>`, and with `one` an `i64`.
    pub fn scalars(self) -> SqlQuery<Scalars<T>, A, C> {
        SqlQuery { call: self.call, types: PhantomData }
    }
}

/// A statement that returns no rows. Its result is the number of rows that it wrote.
#[must_use = "nothing happens until it is given to `query` or `batch`"]
pub struct SqlCommand<C = Unconfined> {
    call: SqlCall,
    confinement: PhantomData<fn() -> C>,
}

impl<C> fmt::Debug for SqlCommand<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlCommand({}, {} parameters)", self.call.table().name, self.call.params().len())
    }
}

impl<C> SqlCommand<C> {
    /// For generated code.
    pub fn new(sql: &'static Sql, params: Vec<Param>) -> Self {
        Self { call: SqlCall::new(sql, params), confinement: PhantomData }
    }
}

/// The argument of `query`: the result of a function of the generated module `queries`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query of `queries/*.sql`",
    label = "expected the result of a function of the module `queries`",
    note = "await calls on models directly; send SQL in a string with `query_raw`"
)]
pub trait IntoSqlCall: Query {}

impl<T: SqlRow, C> IntoSqlCall for SqlQuery<T, All, C> {}
impl<T: SqlRow, C> IntoSqlCall for SqlQuery<T, ExactlyOne, C> {}
impl<T: SqlRow, C> IntoSqlCall for SqlQuery<T, OneOrNone, C> {}
impl<C> IntoSqlCall for SqlCommand<C> {}

impl<T: SqlRow, C> Query for SqlQuery<T, All, C> {
    type Output = Vec<T::Output>;
    type Confinement = C;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        None
    }

    fn into_parts(self) -> Parts<Vec<T::Output>> {
        let finish = |outcome: Outcome| outcome.into_rows()?.cursors().map(T::read).collect();
        Parts { operation: Operation::Sql(self.call), finish }
    }
}

impl<T: SqlRow, C> Query for SqlQuery<T, OneOrNone, C> {
    type Output = Option<T::Output>;
    type Confinement = C;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        None
    }

    fn into_parts(self) -> Parts<Option<T::Output>> {
        Parts { operation: Operation::Sql(self.call), finish: only::<T> }
    }
}

impl<T: SqlRow, C> Query for SqlQuery<T, ExactlyOne, C> {
    type Output = T::Output;
    type Confinement = C;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        None
    }

    fn into_parts(self) -> Parts<T::Output> {
        let finish = |outcome: Outcome| {
            let table = outcome.table();
            only::<T>(outcome)?.ok_or(Error::not_found(table.map_or("row", |table| table.name), Lookup::Find))
        };
        Parts { operation: Operation::Sql(self.call), finish }
    }
}

impl<C> Query for SqlCommand<C> {
    type Output = u64;
    type Confinement = C;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        None
    }

    fn into_parts(self) -> Parts<u64> {
        Parts { operation: Operation::Sql(self.call), finish: Outcome::into_count }
    }
}

/// Returns the only row, if there is one.
fn only<T: SqlRow>(outcome: Outcome) -> Result<Option<T::Output>> {
    let node = outcome.into_rows()?;
    match node.len() {
        0 => Ok(None),
        1 => T::read(node.cursor(0)).map(Some),
        rows => {
            let reason = format!("{} returned {rows} rows in place of one: add LIMIT 1", node.table.name);
            Err(Error::RowMismatch(reason.into()))
        }
    }
}
