//! `create`, `update`, `upsert`, `delete` and their `_many` forms.

pub use delete::{Delete, DeleteMany};
pub use each::{UpdateEach, UpdateEachAndReturn, UpdatedEach};
pub use returning::Written;
pub use upsert_many::{AddOnWithAKey, KeyChosen, UpsertMany, UpsertManyAndReturn, Upserted};

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::explain::explained;
use super::scope::scoped;
use crate::builder::OfModels;
use crate::dsl::{CreateRow, Filter, IntoAssignments, Nested, NestedChange, Unique, as_sets};
use crate::error::{Error, Lookup, Result};
use crate::execute::{Call, Executor};
use crate::query::{
    self, BulkOptions, Condition, Insert, NestedWrite, NewRows, Operation, Outcome, Parts, Query, Returned, Select,
    Sets, Tenant,
};
use crate::rows::{Cursor, FromRow, Model, SoftDelete};
use crate::value::Param;

macro_rules! call {
    ($name:ident<$($parameter:ident $(: $bound:path)?),+> gives $output:ty) => {
        impl<$($parameter $(: $bound)?),+> IntoFuture for $name<$($parameter),+>
        where
            Self: Query<Output = $output>,
        {
            type Output = Result<$output>;
            type IntoFuture = Call<$output>;

            fn into_future(self) -> Self::IntoFuture {
                self.executor.clone().call(self)
            }
        }

        impl<$($parameter $(: $bound)?),+> std::fmt::Debug for $name<$($parameter),+> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

mod delete;
mod each;
mod returning;
mod upsert_many;

/// A row to create. `.await` inserts it and returns it as the database stored it.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
/// let user = db
///     .user()
///     .create(user::Create {
///         institution: tenant,
///         email: "a@x.edu".to_owned(),
///         password_hash: String::new(),
///         role: Role::Student,
///     })
///     .with(user::student.create(student::Create { user: Parent, institution: tenant, class_year: 2027 }))
///     .include(user::institution)
///     .await?;
/// println!("{} of {}", user.email, user.institution.name);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Create<M, S = M> {
    executor: Executor,
    row: Insert,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> (M, S)>,
}

impl<M: Model> Create<M> {
    pub(crate) fn new(executor: Executor, row: impl CreateRow<Model = M>) -> Self {
        Self { executor, row: row.into_insert(), then: None, types: PhantomData }
    }
}

impl<M: Model, S> Create<M, S> {
    fn operation(self) -> Operation {
        Operation::Create(self.row)
    }

    /// Sets an optional column, or a column with a default.
    pub fn set(mut self, assignments: impl IntoAssignments<M>) -> Self {
        as_sets(assignments).for_each(|(column, to)| self.row.assign(column, to));
        self
    }

    /// Also creates or connects related rows, in the same transaction.
    pub fn with(mut self, nested: Nested<M>) -> Self {
        self.row.write_after(nested.write);
        self
    }
}

call!(Create<M: Model, S: FromRow> gives S);
explained!([M: Model, S: FromRow] Create<M, S>, executor);

/// Rows to create. `.await` inserts all or none, and returns their number.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
/// let rows = ["STEP1", "STEP2"].map(|code| exam_type::Create {
///     institution: tenant,
///     code: code.to_owned(),
///     name: format!("USMLE {code}"),
///     default_weight: 1.0,
/// });
/// let created: u64 = db.exam_type().create_many(rows).skip_duplicates().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct CreateMany<M> {
    executor: Executor,
    rows: NewRows,
    skip_duplicates: bool,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> CreateMany<M> {
    pub(crate) fn new<C: CreateRow<Model = M>>(executor: Executor, rows: impl IntoIterator<Item = C>) -> Self {
        let rows = NewRows::collect(rows.into_iter().map(C::into_insert));
        Self { executor, rows, skip_duplicates: false, model: PhantomData }
    }

    /// Leaves out rows whose key, or another unique value, is already taken.
    pub fn skip_duplicates(mut self) -> Self {
        self.skip_duplicates = true;
        self
    }

    fn operation(self, returned: Returned) -> Operation {
        let options = BulkOptions { skip_duplicates: self.skip_duplicates, returned };
        Operation::CreateMany { table: M::table(), rows: self.rows, options }
    }
}

impl<M: Model> Query for CreateMany<M> {
    type Output = u64;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<u64> {
        Parts { operation: self.operation(Returned::Count), finish: Outcome::into_count }
    }
}

call!(CreateMany<M: Model> gives u64);
explained!([M: Model] CreateMany<M>, executor);

/// Rows to create. `.await` inserts all or none, and returns them in the order in which they were given.
#[must_use = "nothing happens until it is awaited"]
pub struct CreateManyAndReturn<M, S = M> {
    executor: Executor,
    create: CreateMany<M>,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> S>,
}

impl<M: Model> CreateManyAndReturn<M> {
    pub(crate) fn new<C: CreateRow<Model = M>>(executor: Executor, rows: impl IntoIterator<Item = C>) -> Self {
        Self { executor: executor.clone(), create: CreateMany::new(executor, rows), then: None, types: PhantomData }
    }
}

impl<M: Model, S> CreateManyAndReturn<M, S> {
    fn operation(self) -> Operation {
        self.create.operation(Returned::Rows)
    }

    /// Leaves out rows whose key, or another unique value, is already taken. Only the others are returned.
    pub fn skip_duplicates(mut self) -> Self {
        self.create.skip_duplicates = true;
        self
    }

    /// Leaves out rows whose key, or another unique value, is already taken, and returns `None` in their places. So the
    /// result has a row or `None` for each row that was given, in their order.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let slugs = ["north", "south"];
    /// let rows = slugs.map(|slug| institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() });
    /// let created: Vec<Option<Institution>> = db.institution().create_many_and_return(rows).or_none().await?;
    /// for (slug, created) in slugs.iter().zip(created) {
    ///     match created {
    ///         Some(institution) => println!("{slug} is new: {}", institution.id),
    ///         None => println!("{slug} is taken"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn or_none(self) -> CreateManyOrNone<M, S> {
        let CreateManyAndReturn { executor, create, then, .. } = self.skip_duplicates();
        CreateManyOrNone { executor, create, then, types: PhantomData }
    }
}

call!(CreateManyAndReturn<M: Model, S: FromRow> gives Vec<S>);
explained!([M: Model, S: FromRow] CreateManyAndReturn<M, S>, executor);

/// Rows to create. `.await` inserts those whose unique values are free, and returns a row or `None` for each, in the order
/// in which they were given.
#[must_use = "nothing happens until it is awaited"]
pub struct CreateManyOrNone<M, S = M> {
    executor: Executor,
    create: CreateMany<M>,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> S>,
}

impl<M: Model, S> CreateManyOrNone<M, S> {
    fn operation(self) -> Operation {
        self.create.operation(Returned::Marked)
    }
}

call!(CreateManyOrNone<M: Model, S: FromRow> gives Vec<Option<S>>);

/// An update of the row with a unique key. `.await` runs it and returns the row as it is afterwards.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// let user = db
///     .user()
///     .update(user::id.eq(id))
///     .filter(user::role.ne(Role::Admin))
///     .set(user::role.to(Role::Faculty))
///     .with(user::sessions.delete_many(session::expires_at.lt(relata::chrono::Utc::now())))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Update<M, S = M> {
    executor: Executor,
    condition: Condition,
    sets: Sets,
    nested: Vec<NestedWrite>,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> (M, S)>,
}

impl<M: Model> Update<M> {
    pub(crate) fn new(executor: Executor, key: Unique<M>) -> Self {
        let (sets, nested) = (Vec::new(), Vec::new());
        Self { executor, condition: key.into_row_condition(), sets, nested, then: None, types: PhantomData }
    }
}

impl<M: SoftDelete> Update<M> {
    /// Updates a deleted row, and makes it a row again.
    pub(crate) fn restoring(executor: Executor, key: Unique<M>) -> Self {
        let update = Self::new(executor, key);
        Self { condition: update.condition.only_deleted(), sets: M::table().restores(), ..update }
    }
}

impl<M: Model, S> Update<M, S> {
    fn operation(self) -> Operation {
        let Update { condition, sets, nested, .. } = self;
        Operation::Update { table: M::table(), condition, sets, nested }
    }

    /// Sets a column.
    pub fn set(mut self, assignments: impl IntoAssignments<M>) -> Self {
        push_sets(&mut self.sets, assignments);
        self
    }

    /// Also creates, connects, updates or deletes related rows, in the same transaction.
    pub fn with(mut self, change: impl Into<NestedChange<M>>) -> Self {
        self.nested.push(change.into().write);
        self
    }

    /// Requires the row to match this filter too; otherwise the result is [`Error::NotFound`](crate::Error::NotFound).
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
        self.condition = self.condition.and(filter.into().condition);
        self
    }
}

scoped!(Update<M, S> in condition, "updates");
call!(Update<M: Model, S: FromRow> gives S);
explained!([M: Model, S: FromRow] Update<M, S>, executor);

/// A row to create, or to update if its key is already taken. One statement: `INSERT .. ON CONFLICT`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
/// let north = db.institution().upsert(institution::slug.eq("north"), row).set(institution::name.to("North")).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Upsert<M, S = M> {
    executor: Executor,
    row: Insert,
    key: Vec<(u16, Param)>,
    sets: Sets,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> (M, S)>,
}

impl<M: Model> Upsert<M> {
    pub(crate) fn new(executor: Executor, key: Unique<M>, row: impl CreateRow<Model = M>) -> Self {
        let (row, key, sets) = (row.into_insert(), key.values, Vec::new());
        Self { executor, row, key, sets, then: None, types: PhantomData }
    }
}

impl<M: Model, S> Upsert<M, S> {
    fn operation(self) -> Operation {
        Operation::Upsert { row: self.row, key: self.key, sets: self.sets }
    }

    /// Sets a column of the row if it already exists.
    pub fn set(mut self, assignments: impl IntoAssignments<M>) -> Self {
        push_sets(&mut self.sets, assignments);
        self
    }
}

call!(Upsert<M: Model, S: FromRow> gives S);
explained!([M: Model, S: FromRow] Upsert<M, S>, executor);

/// A bulk write for which no rows were chosen yet. It cannot be awaited: add `.filter(..)`, or `.all_rows()` to write
/// every row. rustc shows this name in its message.
#[derive(Debug)]
pub enum AddFilterOrAllRows {}

/// A bulk write for which rows were chosen.
#[derive(Debug)]
pub enum RowsChosen {}

/// An update of all rows that match the filters. `.await` runs it and returns their number.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let changed = db
///     .student_exam()
///     .update_many()
///     .filter(student_exam::score.is_null())
///     .set(student_exam::weight.multiply(2.0))
///     .limit(1000)
///     .and_return()
///     .await?;
/// println!("{} exams", changed.len());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct UpdateMany<M, C> {
    executor: Executor,
    condition: Condition,
    sets: Sets,
    limit: Option<u64>,
    all_rows: bool,
    types: PhantomData<fn() -> (M, C)>,
}

impl<M: Model> UpdateMany<M, AddFilterOrAllRows> {
    pub(crate) fn new(executor: Executor) -> Self {
        Self { executor, condition: Condition::ALL, sets: Vec::new(), limit: None, all_rows: false, types: PhantomData }
    }
}

impl<M: SoftDelete> UpdateMany<M, AddFilterOrAllRows> {
    /// Updates deleted rows, and makes them rows again.
    pub(crate) fn restoring(executor: Executor) -> Self {
        Self { condition: Condition::ALL.only_deleted(), sets: M::table().restores(), ..Self::new(executor) }
    }
}

impl<M: Model, C> UpdateMany<M, C> {
    fn chosen(self) -> UpdateMany<M, RowsChosen> {
        let UpdateMany { executor, condition, sets, limit, all_rows, .. } = self;
        UpdateMany { executor, condition, sets, limit, all_rows, types: PhantomData }
    }

    /// Sets a column.
    pub fn set(mut self, assignments: impl IntoAssignments<M>) -> Self {
        push_sets(&mut self.sets, assignments);
        self
    }

    /// Keeps only rows that match the filter, in addition to earlier filters.
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> UpdateMany<M, RowsChosen> {
        self.condition = self.condition.and(filter.into().condition);
        self.chosen()
    }

    /// Writes at most `rows` rows: the first ones in the order of their key. If another transaction is changing one of
    /// them, the call waits, and leaves the row out if it no longer matches the filters.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Chooses every row of the table.
    pub fn all_rows(mut self) -> UpdateMany<M, RowsChosen> {
        self.all_rows = true;
        self.chosen()
    }
}

impl<M: Model> UpdateMany<M, RowsChosen> {
    /// Returns the updated rows instead of their number.
    pub fn and_return(self) -> UpdateManyAndReturn<M> {
        UpdateManyAndReturn { executor: self.executor.clone(), update: self, then: None, types: PhantomData }
    }

    fn operation(self, returning: bool) -> Operation {
        if self.condition.is_all() && !self.all_rows {
            return Operation::Refused(empty_filter("update_many"));
        }
        let UpdateMany { condition, sets, limit, .. } = self;
        Operation::UpdateMany { table: M::table(), condition, sets, limit, returning }
    }
}

impl<M: Model> Query for UpdateMany<M, RowsChosen> {
    type Output = u64;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<u64> {
        Parts { operation: self.operation(false), finish: Outcome::into_count }
    }
}

scoped!(UpdateMany<M, C> in condition, "updates");
call!(UpdateMany<M, C> gives u64);
explained!([M: Model] UpdateMany<M, RowsChosen>, executor);

/// An update of all rows that match the filters. `.await` runs it and returns the rows as they are afterwards.
#[must_use = "nothing happens until it is awaited"]
pub struct UpdateManyAndReturn<M, S = M> {
    executor: Executor,
    update: UpdateMany<M, RowsChosen>,
    then: Option<Box<Select>>,
    types: PhantomData<fn() -> S>,
}

impl<M: Model, S> UpdateManyAndReturn<M, S> {
    fn operation(self) -> Operation {
        self.update.operation(true)
    }
}

call!(UpdateManyAndReturn<M: Model, S: FromRow> gives Vec<S>);
explained!([M: Model, S: FromRow] UpdateManyAndReturn<M, S>, executor);

fn empty_filter(call: &str) -> String {
    format!("{call} has a filter that matches every row: call .all_rows() to write every row")
}

fn push_sets<M>(sets: &mut Sets, assignments: impl IntoAssignments<M>) {
    as_sets(assignments).for_each(|(column, to)| query::push_set(sets, column, to));
}

fn only_row<T>(outcome: Outcome, operation: Lookup, read: impl Fn(Cursor<'_>) -> Result<T>) -> Result<T> {
    let node = outcome.into_rows()?;
    match node.cursors().next() {
        Some(at) => read(at),
        None => Err(Error::not_found(node.table.name, operation)),
    }
}
