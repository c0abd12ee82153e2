//! `upsert_many`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::push_sets;
use crate::builder::OfModels;
use crate::dsl::{CreateRow, IntoAssignments, UniqueColumns, WrittenColumns};
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Existing, NewRows, Operation, Outcome, Parts, Query, Select, Sets, Tenant, UpsertRows};
use crate::rows::{FromRow, Model};

/// An `upsert_many` without a key. It cannot be awaited: add `.on(..)` with a unique field or key. rustc shows this name in
/// its message.
#[derive(Debug)]
pub enum AddOnWithAKey {}

/// An `upsert_many` with a key.
#[derive(Debug)]
pub enum KeyChosen {}

/// Rows to create, or to update if their keys are already taken. `.await` writes all or none, and returns their number.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let rows = ["north", "south"].map(|slug| institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() });
/// let written: u64 = db.institution().upsert_many(rows).on(institution::slug).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct UpsertMany<M, K> {
    executor: Executor,
    rows: NewRows,
    key: Vec<u16>,
    /// The columns that existing rows take, if they were chosen.
    columns: Option<Vec<u16>>,
    sets: Sets,
    does_nothing: bool,
    types: PhantomData<fn() -> (M, K)>,
}

impl<M: Model> UpsertMany<M, AddOnWithAKey> {
    pub(crate) fn new<C: CreateRow<Model = M>>(executor: Executor, rows: impl IntoIterator<Item = C>) -> Self {
        let rows = NewRows::collect(rows.into_iter().map(C::into_insert));
        let (key, sets) = (Vec::new(), Vec::new());
        Self { executor, rows, key, columns: None, sets, does_nothing: false, types: PhantomData }
    }

    /// Chooses the key by which existing rows are found: a unique field, or the constant of an `@@id` or `@@unique`. Each row
    /// has to give it. If a row has another unique value that is taken, the call fails with
    /// [`Error::UniqueViolation`](crate::Error::UniqueViolation).
    pub fn on(self, key: impl UniqueColumns<M>) -> UpsertMany<M, KeyChosen> {
        let UpsertMany { executor, rows, columns, sets, does_nothing, .. } = self;
        UpsertMany { executor, rows, key: key.columns(), columns, sets, does_nothing, types: PhantomData }
    }
}

const CHANGES_AND_DOES_NOTHING: &str =
    "upsert_many has do_nothing, and update or set: leave one out, because rows that exist change or stay";

impl<M: Model> UpsertMany<M, KeyChosen> {
    /// Chooses what existing rows take from the new ones: a field, or a tuple of fields. A row that gives no value for a field
    /// leaves it as it is.
    ///
    /// Without `update` and `set`, existing rows take all values that the new row gives, except for those of the key and the
    /// primary key. Defaults, whether PostgreSQL or the client generates them, are for new rows. Existing rows that change get
    /// the time in `@updatedAt` columns.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, rows: Vec<exam_type::Create>) -> relata::Result<()> {
    /// let key = exam_type::institution_id_code;
    /// let fields = (exam_type::name, exam_type::default_weight);
    /// let written: u64 = db.exam_type().upsert_many(rows).on(key).update(fields).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(mut self, columns: impl WrittenColumns<M>) -> Self {
        columns.add_numbers(self.columns.get_or_insert_default());
        self
    }

    /// Sets columns of existing rows to other values than those of the new rows, such as `increment(1)`.
    pub fn set(mut self, assignments: impl IntoAssignments<M>) -> Self {
        push_sets(&mut self.sets, assignments);
        self
    }

    /// Leaves existing rows as they are. They are neither counted nor returned.
    pub fn do_nothing(mut self) -> Self {
        self.does_nothing = true;
        self
    }

    /// Returns what became of each row instead of their number, in the order in which they were given.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, rows: Vec<institution::Create>) -> relata::Result<()> {
    /// use relata::Upserted;
    ///
    /// for institution in db.institution().upsert_many(rows).on(institution::slug).and_return().await? {
    ///     match institution {
    ///         Upserted::Inserted(new) => println!("{} is new", new.slug),
    ///         Upserted::Updated(known) => println!("{} is known since {}", known.slug, known.created_at),
    ///         Upserted::Skipped => {} // only with do_nothing
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn and_return(self) -> UpsertManyAndReturn<M> {
        UpsertManyAndReturn { executor: self.executor.clone(), upsert: self, then: None, types: PhantomData }
    }

    fn operation(self, returning: bool) -> Operation {
        let UpsertMany { rows, key, columns, sets, does_nothing, .. } = self;
        let existing = match does_nothing {
            true if columns.is_some() || !sets.is_empty() => {
                return Operation::Refused(CHANGES_AND_DOES_NOTHING.to_owned());
            }
            true => Existing::Stay,
            false => Existing::Change { columns, sets },
        };
        Operation::UpsertMany(Box::new(UpsertRows { table: M::table(), rows, key, existing, returning }))
    }
}

impl<M: Model> Query for UpsertMany<M, KeyChosen> {
    type Output = u64;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<u64> {
        Parts { operation: self.operation(false), finish: Outcome::into_count }
    }
}

call!(UpsertMany<M, K> gives u64);

/// What became of a row of [`upsert_many`](crate::Delegate::upsert_many).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upserted<T> {
    /// It was inserted.
    Inserted(T),
    /// A row with its key existed, and was updated.
    Updated(T),
    /// Nothing was written: a row with its key existed, and the call has `do_nothing`, or a trigger of the database kept it
    /// from being written.
    Skipped,
}

impl<T> Upserted<T> {
    /// Returns the row as it is afterwards, if it was written.
    pub fn into_row(self) -> Option<T> {
        match self {
            Upserted::Inserted(row) | Upserted::Updated(row) => Some(row),
            Upserted::Skipped => None,
        }
    }

    /// Returns whether the row is new.
    pub fn is_inserted(&self) -> bool {
        matches!(self, Upserted::Inserted(_))
    }
}

/// Rows to create, or to update if their keys are already taken. `.await` writes all or none, and returns what became of
/// each, in the order in which they were given.
#[must_use = "nothing happens until it is awaited"]
pub struct UpsertManyAndReturn<M, S = M> {
    pub(super) executor: Executor,
    pub(super) upsert: UpsertMany<M, KeyChosen>,
    pub(super) then: Option<Box<Select>>,
    pub(super) types: PhantomData<fn() -> S>,
}

impl<M: Model, S> UpsertManyAndReturn<M, S> {
    pub(super) fn operation(self) -> Operation {
        self.upsert.operation(true)
    }
}

call!(UpsertManyAndReturn<M: Model, S: FromRow> gives Vec<Upserted<S>>);
