//! `find_unique`, `find_first` and `find_many`, and the methods that refine them.

use std::any::Any;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::cardinality::{All, Cardinality, ExactlyOne, OneOrNone};
use super::explain::explained;
use super::page::{FindPage, page_of};
use super::scope::scoped;
use crate::builder::OfModels;
use crate::dsl::{
    As, CanInclude, Columns, Filter, Included, IntoInclude, Omits, Order, RelationOf, Selectable, Selection, Unique,
    UniqueKey, include_of,
};
use crate::error::Result;
use crate::execute::{Call, Executor, RowStream};
use crate::query::{Lock, Operation, Outcome, PageStart, PageToken, Parts, Query, Select, Tenant};
use crate::rows::{Cursor, FromRow, Model, Node, ReadRow, Reader, RowDecoder};

type Types<M, S, A> = PhantomData<fn() -> (M, S, A)>;

/// A read of model `M` that returns rows of type `S`. `.await` runs it.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
/// let students = db
///     .student()
///     .find_many()
///     .filter(student::institution_id.eq(tenant))
///     .order_by(student::class_year.desc())
///     .take(20)
///     .include(student::user)
///     .await?;
/// for student in &students {
///     println!("{}", student.user.email);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Find<M, S, A> {
    executor: Executor,
    select: Box<Select>,
    types: Types<M, S, A>,
}

/// A read by a unique key.
pub type FindUnique<M, S = M> = Find<M, S, OneOrNone>;

/// A read of the first row that matches the filters.
pub type FindFirst<M, S = M> = Find<M, S, OneOrNone>;

/// A read of all rows that match the filters.
pub type FindMany<M, S = M> = Find<M, S, All>;

impl<M, S, A> Clone for Find<M, S, A> {
    fn clone(&self) -> Self {
        Self { executor: self.executor.clone(), select: self.select.clone(), types: PhantomData }
    }
}

impl<M, S, A> std::fmt::Debug for Find<M, S, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.select.fmt(f)
    }
}

impl<M: Model> FindMany<M> {
    pub(crate) fn many(executor: Executor) -> Self {
        Self { executor, select: Box::new(Select::new(M::table())), types: PhantomData }
    }
}

impl<M: Model> FindUnique<M> {
    pub(crate) fn unique(executor: Executor, key: Unique<M>) -> Self {
        let mut select = Box::new(Select::new(M::table()));
        select.condition = key.into_row_condition();
        select.single = true;
        Self { executor, select, types: PhantomData }
    }

    pub(crate) fn first(executor: Executor) -> Self {
        let mut select = Box::new(Select::new(M::table()));
        select.single = true;
        select.take = Some(1);
        Self { executor, select, types: PhantomData }
    }
}

impl<M: Model, S> Find<M, S, OneOrNone> {
    /// Returns the row itself instead of an `Option`, and [`Error::NotFound`](crate::Error::NotFound) if there is none.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let user: User = db.user().find_unique(user::id.eq(id)).or_err().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn or_err(mut self) -> Find<M, S, ExactlyOne> {
        self.select.required = true;
        Find { executor: self.executor, select: self.select, types: PhantomData }
    }
}

impl<M: Model, S> Find<M, S, All> {
    /// Returns at most `rows` rows.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let students = db.student().find_many().skip(20).take(10).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn take(mut self, rows: u64) -> Self {
        self.select.take(rows);
        self
    }

    /// Returns at most the last `rows` rows, in the query's order. `skip` then leaves out rows at the end. The primary
    /// key is appended to the sort keys, so that the order is total.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let best = db.student_exam().find_many().order_by(student_exam::score.asc()).take_last(3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_last(mut self, rows: u64) -> Self {
        self.select.take_last(rows);
        self
    }

    /// Returns the page after `token`, with as many rows as `take` says and the token of the next page.
    ///
    /// `None` returns the first page. A token contains the sort values of the last row, so that pages neither skip nor
    /// repeat rows when other rows are added or removed. The primary key is appended to the sort keys, so that the
    /// order is total.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let first = db.student().find_many().take(50).page_after(None).await?;
    /// let second = db.student().find_many().take(50).page_after(first.next).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_after(self, token: impl Into<Option<PageToken>>) -> FindPage<M, S>
    where
        S: FromRow,
    {
        let start = token.into().map_or(PageStart::First, PageStart::After);
        FindPage::new(self.executor, self.select, start, |outcome| page_of(outcome, S::from_row))
    }

    /// Returns the page before `token`, in the query's order; counterpart of [`page_after`](Self::page_after). `None`
    /// returns the last page.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let last = db.student().find_many().take(50).page_before(None).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_before(self, token: impl Into<Option<PageToken>>) -> FindPage<M, S>
    where
        S: FromRow,
    {
        let start = token.into().map_or(PageStart::Last, PageStart::Before);
        FindPage::new(self.executor, self.select, start, |outcome| page_of(outcome, S::from_row))
    }
}

impl<M: Model, S: FromRow> Find<M, S, All> {
    /// Returns the rows as a stream, without holding all of them. Rows and their included relations are read 1,000 at a
    /// time (see `rows_at_once`), from one snapshot of the database.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let mut students = db.student().find_many().stream();
    /// while let Some(student) = students.next().await {
    ///     println!("{}", student?.class_year);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> RowStream<S> {
        self.executor.select_stream::<RowsOf<S>>(self.select)
    }
}

/// A read of whole rows.
struct RowsOf<S>(PhantomData<S>);

impl<S: FromRow> ReadRow for RowsOf<S> {
    type Out = S;

    fn read(at: Cursor<'_>) -> Result<S> {
        S::from_row(at)
    }
}

impl<M: Model, S, A> Find<M, S, A> {
    /// Keeps only rows that match the filter, in addition to earlier filters.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let year = Some(2027);
    /// let students = db
    ///     .student()
    ///     .find_many()
    ///     .filter(student::has_accommodations.eq(true) | student::exams.some(student_exam::score.is_null()))
    ///     .filter(year.map(|year| student::class_year.eq(year)))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
        self.select.filter(filter.into().condition);
        self
    }

    /// Appends a sort key; earlier keys take precedence.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let students = db
    ///     .student()
    ///     .find_many()
    ///     .order_by(student::class_year.desc())
    ///     .order_by(student::user.order(user::email.asc()))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn order_by(mut self, order: Order<M>) -> Self {
        self.select.order.push(order.term);
        self
    }

    /// Appends several sort keys, such as those that a visitor chose with [`Order::parse_list`].
    pub fn order_by_all(mut self, orders: impl IntoIterator<Item = Order<M>>) -> Self {
        self.select.order.extend(orders.into_iter().map(|order| order.term));
        self
    }

    /// Skips the first `rows` rows.
    pub fn skip(mut self, rows: u64) -> Self {
        self.select.skip = Some(rows);
        self
    }

    /// Keeps only the first of the rows that have the same values in these columns, in the order that `order_by` sets.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let latest_of_each = db
    ///     .student_exam()
    ///     .find_many()
    ///     .distinct(student_exam::student_id)
    ///     .order_by(student_exam::created_at.desc())
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn distinct(mut self, columns: impl Columns<M>) -> Self {
        self.select.distinct = columns.numbers();
        self
    }

    /// Starts at the row with this key, including it; `skip(1)` leaves it out. With `take_last`, the result ends at it.
    /// If no row has the key, the result is empty.
    ///
    /// The primary key is appended to the sort keys, so that the order is total.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let after = db.student().find_many().cursor(student::id.eq(id)).skip(1).take(20).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cursor(mut self, key: impl UniqueKey<M>) -> Self {
        self.select.cursor = Some(key.into_unique().values);
        self
    }

    /// Locks the rows against changes and locks by others until the transaction ends. Refused outside a transaction.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let tx = db.begin().await?;
    /// let next = tx.session().find_first().order_by(session::expires_at.asc()).for_update().skip_locked().await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_update(self) -> Self {
        self.lock(Lock::UPDATE)
    }

    /// Like [`for_update`](Self::for_update), but lets others insert rows that reference these.
    pub fn for_no_key_update(self) -> Self {
        self.lock(Lock::NO_KEY_UPDATE)
    }

    /// Locks the rows against changes by others until the transaction ends. Refused outside a transaction.
    pub fn for_share(self) -> Self {
        self.lock(Lock::SHARE)
    }

    /// Leaves out rows that others have locked. Needs a locking read.
    pub fn skip_locked(mut self) -> Self {
        self.select.lock = Some(Lock { wait: " SKIP LOCKED", ..self.select.lock.unwrap_or(Lock::UPDATE) });
        self
    }

    /// Fails at once (SQLSTATE 55P03) if others have locked one of the rows. Needs a locking read.
    pub fn no_wait(mut self) -> Self {
        self.select.lock = Some(Lock { wait: " NOWAIT", ..self.select.lock.unwrap_or(Lock::UPDATE) });
        self
    }

    fn lock(mut self, lock: Lock) -> Self {
        let wait = self.select.lock.map_or("", |lock| lock.wait);
        self.select.lock = Some(Lock { wait, ..lock });
        self
    }

    /// Eagerly loads a relation into the result's field of the same name.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let student = db
    ///     .student()
    ///     .find_unique(student::id.eq(id))
    ///     .include(student::user)
    ///     .include(student::exams.filter(student_exam::score.is_not_null()).include(student_exam::exam_type))
    ///     .or_err()
    ///     .await?;
    /// for exam in &student.exams {
    ///     println!("{}: {:?}", exam.exam_type.name, exam.score);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn include<I>(mut self, include: I) -> Find<M, Included<S, I::Relation, I::Row>, A>
    where
        I: IntoInclude,
        I::Relation: RelationOf<Parent = M>,
        S: CanInclude<I::Relation, I::Row>,
    {
        self.select.include(include_of(include));
        Find { executor: self.executor, select: self.select, types: PhantomData }
    }
}

scoped!(Find<M, S, A> in select.condition, "reads");

impl<M: Model, A: Cardinality> Find<M, M, A> {
    /// Returns only these values: a field, a count, values of a relation, or a tuple of them.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let rows: Vec<(String, i32, i64)> = db
    ///     .student()
    ///     .find_many()
    ///     .select((student::user.select(user::email), student::class_year, student::exams.count()))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<T: Selection<M>>(mut self, selection: T) -> SelectFrom<M, T, A> {
        selection.add_to(&mut self.select);
        SelectFrom { find: self, selection: PhantomData }
    }

    /// Reads the rows into a custom struct that derives [`Selectable`].
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// #[derive(relata::Selectable)]
    /// #[relata(from = Student)]
    /// struct Card {
    ///     class_year: i32,
    ///     #[relata(select = student::user.select(user::email))]
    ///     email: String,
    /// }
    ///
    /// let cards: Vec<Card> = db.student().find_many().select_as::<Card>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn select_as<T: Selectable<Model = M>>(self) -> SelectFrom<M, As<T>, A> {
        self.select(As::new())
    }

    /// Reads the rows with their omitted columns (`@omit`): `user::Full`, which dereferences to the model.
    pub fn with_omitted(self) -> SelectFrom<M, As<M::Full>, A>
    where
        M: Omits,
    {
        self.select_as()
    }
}

impl<M: Model, S: FromRow, A: Cardinality> Query for Find<M, S, A> {
    type Output = A::Of<S>;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<A::Of<S>> {
        parts::<RowsOf<S>, A>(self.select)
    }
}

/// Returns a read whose rows are decoded by `R`: most of them while others arrive, the last ones at the end.
fn parts<R: ReadRow, A: Cardinality>(mut select: Box<Select>) -> Parts<A::Of<R::Out>> {
    if A::DECODES_EARLY {
        select.decoder = Some(|| Box::new(DecodedRows::<R>(Vec::new())));
    }
    Parts { operation: Operation::Read(select), finish: finish::<R, A> }
}

pub(super) fn finish<R: ReadRow, A: Cardinality>(outcome: Outcome) -> Result<A::Of<R::Out>> {
    let (decoded, node) = match outcome {
        Outcome::Decoded(decoded, node) => {
            (decoded.into_any().downcast::<DecodedRows<R>>().map_or_else(|_| Vec::new(), |all| all.0), node)
        }
        outcome => (Vec::new(), outcome.into_rows()?),
    };
    A::collect(decoded, node.cursors().map(R::read), node.table.name)
}

/// Rows that were decoded while others arrived.
struct DecodedRows<R: ReadRow>(Vec<R::Out>);

impl<R: ReadRow> RowDecoder for DecodedRows<R> {
    fn take(&mut self, part: &Node) -> Result<()> {
        for at in part.cursors() {
            self.0.push(R::read(at)?);
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

explained!([M: Model, S: FromRow, A: Cardinality] Find<M, S, A>, executor);

impl<M: Model, S: FromRow, A: Cardinality> IntoFuture for Find<M, S, A> {
    type Output = Result<A::Of<S>>;
    type IntoFuture = Call<A::Of<S>>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}

/// A read of selected values. `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct SelectFrom<M, T, A> {
    find: Find<M, M, A>,
    selection: PhantomData<fn() -> T>,
}

impl<M, T, A> std::fmt::Debug for SelectFrom<M, T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.find.fmt(f)
    }
}

/// A read of selected values.
struct ValuesOf<M, T>(PhantomData<(M, T)>);

impl<M: Model, T: Selection<M>> ReadRow for ValuesOf<M, T> {
    type Out = T::Out;

    fn read(at: Cursor<'_>) -> Result<T::Out> {
        T::read(&mut Reader::new(at))
    }
}

impl<M: Model, T: Selection<M>> SelectFrom<M, T, OneOrNone> {
    /// Returns the values themselves instead of an `Option`.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
    /// let email: String = db.user().find_unique(user::id.eq(id)).select(user::email).or_err().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The call returns [`Error::NotFound`](crate::Error::NotFound) if there is no row.
    pub fn or_err(self) -> SelectFrom<M, T, ExactlyOne> {
        SelectFrom { find: self.find.or_err(), selection: PhantomData }
    }
}

impl<M: Model, T: Selection<M>> SelectFrom<M, T, All> {
    /// Returns the values as a stream; see [`stream`](FindMany::stream) on whole rows.
    pub fn stream(self) -> RowStream<T::Out> {
        self.find.executor.select_stream::<ValuesOf<M, T>>(self.find.select)
    }

    /// Returns the values as a page; see [`page_after`](FindMany::page_after) on whole rows.
    pub fn page_after(self, token: impl Into<Option<PageToken>>) -> FindPage<M, T::Out> {
        self.page(token.into().map_or(PageStart::First, PageStart::After))
    }

    /// Returns the values before a token as a page; see [`page_before`](FindMany::page_before) on whole rows.
    pub fn page_before(self, token: impl Into<Option<PageToken>>) -> FindPage<M, T::Out> {
        self.page(token.into().map_or(PageStart::Last, PageStart::Before))
    }

    fn page(self, start: PageStart) -> FindPage<M, T::Out> {
        FindPage::new(self.find.executor, self.find.select, start, |outcome| {
            page_of(outcome, |at| T::read(&mut Reader::new(at)))
        })
    }
}

impl<M: Model, T: Selection<M>, A: Cardinality> Query for SelectFrom<M, T, A> {
    type Output = A::Of<T::Out>;
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.find.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<Self::Output> {
        parts::<ValuesOf<M, T>, A>(self.find.select)
    }
}

explained!([M: Model, T: Selection<M>, A: Cardinality] SelectFrom<M, T, A>, find.executor);

impl<M: Model, T: Selection<M>, A: Cardinality> IntoFuture for SelectFrom<M, T, A> {
    type Output = Result<A::Of<T::Out>>;
    type IntoFuture = Call<A::Of<T::Out>>;

    fn into_future(self) -> Self::IntoFuture {
        self.find.executor.clone().call(self)
    }
}
