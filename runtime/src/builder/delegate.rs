//! The entry point to a model's queries: what `db.student()` returns.

use std::marker::PhantomData;

use futures_util::Stream;

use super::aggregate::Aggregate;
use super::copy::CopyIn;
use super::count::{Count, Exists};
use super::find::{FindFirst, FindMany, FindUnique};
use super::group::GroupBy;
use super::refresh::Refresh;
use super::write::{
    AddFilterOrAllRows, AddOnWithAKey, Create, CreateMany, CreateManyAndReturn, Delete, DeleteMany, Update, UpdateEach,
    UpdateMany, Upsert, UpsertMany,
};
use crate::dsl::{Aggregates, CreateRow, Grouping, IntoAssignments, Unique, UniqueKey};
use crate::error::Result;
use crate::execute::Executor;
use crate::query::Removal;
use crate::rows::{Materialized, Model, SoftDelete, Writable};

/// The queries of one model.
#[derive(Debug)]
pub struct Delegate<M> {
    executor: Executor,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Delegate<M> {
    /// For generated code: the queries of a model that run on `executor`.
    pub fn new(executor: &Executor) -> Self {
        Self { executor: executor.clone(), model: PhantomData }
    }

    /// Returns the key. Without a tenant, refuses a key that is unique only within a tenant, because it may match rows
    /// of several tenants.
    fn unique(&self, key: impl UniqueKey<M>) -> Unique<M> {
        let mut key = key.into_unique();
        if self.executor.tenant().is_none() {
            M::table().refuse_short_key(&mut key.values);
        }
        key
    }

    /// Finds the row with this key, if there is one.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let user = db.user().find_unique(user::institution_id_email.eq(tenant, "a@x.edu")).await?;
    /// println!("{:?}", user.map(|user| user.role));
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_unique(self, key: impl UniqueKey<M>) -> FindUnique<M> {
        let key = self.unique(key);
        FindUnique::unique(self.executor, key)
    }

    /// Finds the first row that matches the filters, in the order that `order_by` sets.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let latest = db.student().find_first().order_by(student::created_at.desc()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_first(self) -> FindFirst<M> {
        FindFirst::first(self.executor)
    }

    /// Finds all rows that match the filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let class = db.student().find_many().filter(student::class_year.eq(2027)).await?;
    /// println!("{} students", class.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_many(self) -> FindMany<M> {
        FindMany::many(self.executor)
    }

    /// Counts the rows that match the filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let seniors: u64 = db.student().count().filter(student::class_year.lte(2027)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn count(self) -> Count<M> {
        Count::new(self.executor)
    }

    /// Checks whether a row matches the filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let taken: bool = db.institution().exists().filter(institution::slug.eq("north")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exists(self) -> Exists<M> {
        Exists::new(self.executor)
    }

    /// Calculates values over the rows that match the filters: `relata::count()`, and `count`, `sum`, `avg`, `min` and
    /// `max` of fields. Takes one value, or a tuple.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let (average, exams): (Option<f64>, i64) =
    ///     db.student_exam().aggregate((student_exam::score.avg(), relata::count())).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn aggregate<A: Aggregates<M>>(self, values: A) -> Aggregate<M, A> {
        Aggregate::new(self.executor, values)
    }

    /// Groups rows by these columns.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let per_year: Vec<(i32, i64)> = db.student().group_by(student::class_year).aggregate(relata::count()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_by<K: Grouping<M>>(self, columns: K) -> GroupBy<M, K> {
        GroupBy::new(self.executor, columns)
    }

    /// Creates a row. Set optional columns, and columns with a default, with `set`.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let student = db
    ///     .student()
    ///     .create(student::Create { user: id, institution: tenant, class_year: 2027 })
    ///     .set(student::has_accommodations.to(true))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, row: impl CreateRow<Model = M>) -> Create<M>
    where
        M: Writable,
    {
        Create::new(self.executor, row)
    }

    /// Creates many rows, all or none, in one statement with one parameter per column.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let row = |slug: &str| institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() };
    /// let created: u64 = db.institution().create_many([row("north"), row("south")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_many<C: CreateRow<Model = M>>(self, rows: impl IntoIterator<Item = C>) -> CreateMany<M>
    where
        M: Writable,
    {
        CreateMany::new(self.executor, rows)
    }

    /// Inserts many rows with COPY, all or none. Rows are taken from the iterator while they are sent, so memory does
    /// not grow with their number. Relations must be given as keys: nested rows and lookups are refused.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let rows = (0..100_000).map(|number| institution::Create { name: "A school".to_owned(), slug: format!("s{number}") });
    /// let copied: u64 = db.institution().copy_in(rows).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn copy_in<C: CreateRow<Model = M>, I>(self, rows: I) -> CopyIn<M>
    where
        M: Writable,
        I: IntoIterator<Item = C>,
        I::IntoIter: Send + 'static,
    {
        CopyIn::of_rows(self.executor, rows)
    }

    /// Like [`copy_in`](Self::copy_in), with a stream. An error in the stream ends the copy, and nothing is written.
    pub fn copy_in_stream<C: CreateRow<Model = M>>(
        self,
        rows: impl Stream<Item = Result<C>> + Send + 'static,
    ) -> CopyIn<M>
    where
        M: Writable,
    {
        CopyIn::of_stream(self.executor, rows)
    }

    /// Creates many rows, all or none, and returns them in the order in which they were given.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let row = |slug: &str| institution::Create { name: slug.to_uppercase(), slug: slug.to_owned() };
    /// let created = db.institution().create_many_and_return([row("north"), row("south")]).skip_duplicates().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_many_and_return<C: CreateRow<Model = M>>(
        self,
        rows: impl IntoIterator<Item = C>,
    ) -> CreateManyAndReturn<M>
    where
        M: Writable,
    {
        CreateManyAndReturn::new(self.executor, rows)
    }

    /// Updates the row with this key. Returns `Error::NotFound` if there is none.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let user = db.user().update(user::id.eq(id)).set(user::role.to(Role::Faculty)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(self, key: impl UniqueKey<M>) -> Update<M>
    where
        M: Writable,
    {
        let key = self.unique(key);
        Update::new(self.executor, key)
    }

    /// Updates all rows that match the filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let changed: u64 = db
    ///     .student()
    ///     .update_many()
    ///     .filter(student::institution_id.eq(tenant))
    ///     .set(student::class_year.increment(1))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_many(self) -> UpdateMany<M, AddFilterOrAllRows>
    where
        M: Writable,
    {
        UpdateMany::new(self.executor)
    }

    /// Updates rows by their keys, each with its own changes, all or none: one statement for those that set the same columns.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, a: relata::uuid::Uuid, b: relata::uuid::Uuid) -> relata::Result<()> {
    /// let changes = [
    ///     (student::id.eq(a), vec![student::class_year.to(2028)]),
    ///     (student::id.eq(b), vec![student::class_year.increment(1), student::has_accommodations.to(true)]),
    /// ];
    /// let done = db.student().update_each(changes).await?;
    /// println!("{} updated, {} not found", done.updated, done.missing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_each<K: UniqueKey<M>, C: IntoAssignments<M>>(
        self,
        changes: impl IntoIterator<Item = (K, C)>,
    ) -> UpdateEach<M>
    where
        M: Writable,
    {
        let changes = changes.into_iter().map(|(key, changes)| (self.unique(key), changes));
        UpdateEach::new(self.executor.clone(), changes)
    }

    /// Creates rows, or updates the rows that already have their keys, all or none: `INSERT .. ON CONFLICT`, with one parameter
    /// per column. Name the key with `on`.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, rows: Vec<exam_type::Create>) -> relata::Result<()> {
    /// let written: u64 = db.exam_type().upsert_many(rows).on(exam_type::institution_id_code).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if two rows have the same key, or a row does not give it.
    pub fn upsert_many<C: CreateRow<Model = M>>(self, rows: impl IntoIterator<Item = C>) -> UpsertMany<M, AddOnWithAKey>
    where
        M: Writable,
    {
        UpsertMany::new(self.executor, rows)
    }

    /// Creates the row, or updates the row that already has its key.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
    /// let north = db.institution().upsert(institution::slug.eq("north"), row).set(institution::name.to("North")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert(self, key: impl UniqueKey<M>, row: impl CreateRow<Model = M>) -> Upsert<M>
    where
        M: Writable,
    {
        let key = self.unique(key);
        Upsert::new(self.executor, key, row)
    }

    /// Deletes the row with this key. Returns `Error::NotFound` if there is none.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let gone: Session = db.session().delete(session::id.eq(id)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(self, key: impl UniqueKey<M>) -> Delete<M>
    where
        M: Writable,
    {
        let key = self.unique(key);
        Delete::new(self.executor, key, Removal::AsDeclared)
    }

    /// Stores the rows of a materialized view again, from its query.
    ///
    /// ```
    /// # async fn example<M: relata::rt::Materialized>(totals: relata::Delegate<M>) -> relata::Result<()> {
    /// // such as `db.exam_total()`
    /// totals.refresh().concurrently().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database) if the role does not own the view.
    /// [`Error::Misuse`](crate::Error::Misuse) on the handle of a tenant, if the rows of the view belong to tenants.
    pub fn refresh(self) -> Refresh<M>
    where
        M: Materialized,
    {
        Refresh::new(self.executor)
    }

    /// Deletes all rows that match the filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let now = relata::chrono::Utc::now();
    /// let deleted: u64 = db.session().delete_many().filter(session::expires_at.lt(now)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_many(self) -> DeleteMany<M, AddFilterOrAllRows>
    where
        M: Writable,
    {
        DeleteMany::new(self.executor, Removal::AsDeclared)
    }

    /// Restores the deleted row with this key (`@softDelete`): an update that begins with the field of the deletion, and
    /// takes everything else that [`update`](Self::update) takes. Returns `Error::NotFound` if no deleted row has the key.
    ///
    /// Rows that were deleted with it stay deleted.
    ///
    /// # Errors
    /// [`Error::UniqueViolation`](crate::Error::UniqueViolation) if a row has taken a unique value of the deleted one in
    /// the meantime. [`Error::Misuse`](crate::Error::Misuse) if the key is unique only among rows that are not deleted.
    ///
    /// ```
    /// # async fn example<M: relata::rt::SoftDelete>(
    /// #     notes: relata::Delegate<M>, key: relata::Unique<M>,
    /// # ) -> relata::Result<()> {
    /// // such as `db.note().restore(note::id.eq(7))`
    /// let note: M = notes.restore(key).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn restore(self, key: impl UniqueKey<M>) -> Update<M>
    where
        M: SoftDelete,
    {
        let key = self.unique(key);
        Update::restoring(self.executor, key)
    }

    /// Restores all deleted rows that match the filters (`@softDelete`).
    ///
    /// ```
    /// # async fn example<M: relata::rt::SoftDelete>(notes: relata::Delegate<M>) -> relata::Result<()> {
    /// // such as `db.note().restore_many().filter(note::author_id.eq(3))`
    /// let restored: u64 = notes.restore_many().all_rows().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`restore`](Self::restore). If a row cannot be restored, none is.
    pub fn restore_many(self) -> UpdateMany<M, AddFilterOrAllRows>
    where
        M: SoftDelete,
    {
        UpdateMany::restoring(self.executor)
    }

    /// Removes the row with this key from the database, although its model has `@softDelete`. Returns `Error::NotFound`
    /// if there is none. Like every call, it finds a deleted row only after `with_deleted` or `only_deleted`.
    ///
    /// ```
    /// # async fn example<M: relata::rt::SoftDelete>(
    /// #     notes: relata::Delegate<M>, key: relata::Unique<M>,
    /// # ) -> relata::Result<()> {
    /// // such as `db.note().hard_delete(note::id.eq(7))`
    /// let gone: M = notes.hard_delete(key).with_deleted().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hard_delete(self, key: impl UniqueKey<M>) -> Delete<M>
    where
        M: SoftDelete,
    {
        let key = self.unique(key);
        Delete::new(self.executor, key, Removal::Hard)
    }

    /// Removes all rows that match the filters from the database, although their model has `@softDelete`.
    ///
    /// ```
    /// # async fn example<M: relata::rt::SoftDelete>(notes: relata::Delegate<M>) -> relata::Result<()> {
    /// // such as `db.note().hard_delete_many().only_deleted().filter(note::deleted_at.lt(last_year))`
    /// let removed: u64 = notes.hard_delete_many().only_deleted().all_rows().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hard_delete_many(self) -> DeleteMany<M, AddFilterOrAllRows>
    where
        M: SoftDelete,
    {
        DeleteMany::new(self.executor, Removal::Hard)
    }
}
