//! Factories: rows for tests and seeds, with values that suit the types and keys of a model.
//!
//! Generated code only describes the columns. This folder chooses the values, and creates the rows that others require.

mod make;
mod value;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, Utc};

use crate::client::{Client, Models, Savepoint, Transaction, calls};
use crate::dsl::{IntoAssignments, as_sets};
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::query::{Sets, push_set};
use crate::rows::{Model, Node, Writable};
use make::Maker;
use value::Source;

/// Models on which factories create rows. Implemented by generated code, with `factories = true` in the schema.
#[diagnostic::on_unimplemented(
    message = "factories cannot create rows through `{Self}`",
    note = "write `factories = true` into the block `generator` of the schema"
)]
pub trait MakesRows: Models {
    /// The destination of queries.
    fn executor(&self) -> &Executor;
}

/// What factories create rows on: a client, a transaction, a savepoint, the handle of a tenant, or the models of any of
/// these.
#[diagnostic::on_unimplemented(
    message = "factories cannot create rows through `{Self}`",
    label = "expected a client, a transaction, or models",
    note = "write `factories = true` into the block `generator` of the schema"
)]
pub trait HasModels: Sync {
    /// The models.
    type Models: MakesRows;

    /// Returns the models.
    fn models(&self) -> &Self::Models;
}

impl<M: MakesRows> HasModels for M {
    type Models = M;

    fn models(&self) -> &M {
        self
    }
}

macro_rules! has_models {
    ($($name:ident),+) => {
        $(
            impl<M: MakesRows> HasModels for $name<M> {
                type Models = M;

                fn models(&self) -> &M {
                    self
                }
            }
        )+
    };
}

has_models!(Client, Transaction, Savepoint);

/// Creates rows of one model for tests and seeds: `user::Factory::new(7).create(&db)`.
///
/// It finds a value for each required column: unique values are unique, texts and numbers are as long as the column
/// allows, enums get one of their labels, and times are near now. Optional columns are null, and columns with a default
/// get it. A required relation gets a row that the factory creates first. All rows of one call share such a row, unless
/// a key demands one for each.
///
/// The same seed gives the same values, except for defaults and for times: these depend on the day, unless
/// [`at`](Factory::at) sets it. So two calls for one model need two seeds.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// // A user, and the institution that it requires.
/// let user = user::Factory::new(1).with(user::email.to("ada@north.edu")).create(db).await?;
///
/// // 100 students of that institution, each with its own user.
/// let students = student::Factory::new(2).with(student::institution_id.to(user.institution_id));
/// assert_eq!(students.create_many(db, 100).await?.len(), 100);
/// # Ok(())
/// # }
/// ```
///
/// A factory knows nothing of checks: set their columns with [`with`](Factory::with).
#[must_use = "nothing is created until `create` or `create_many` is called"]
pub struct Factory<M> {
    seed: u64,
    at: Option<DateTime<Utc>>,
    sets: Sets,
    each: Vec<Each>,
    model: PhantomData<fn() -> M>,
}

/// Returns the values of the row with this number.
type Each = Arc<dyn Fn(usize) -> Sets + Send + Sync>;

impl<M> Clone for Factory<M> {
    fn clone(&self) -> Self {
        let (sets, each) = (self.sets.clone(), self.each.clone());
        Self { seed: self.seed, at: self.at, sets, each, model: PhantomData }
    }
}

/// Shows no values.
impl<M> fmt::Debug for Factory<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl<M: Model + Writable> Factory<M> {
    /// Creates a factory. The values that it chooses depend on the seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, at: None, sets: Vec::new(), each: Vec::new(), model: PhantomData }
    }

    /// Sets columns of every row. A relation whose columns are set gets no new row.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let admin = user::Factory::new(1).with([user::institution_id.to(tenant), user::role.to(Role::Admin)]);
    /// admin.create(db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(mut self, values: impl IntoAssignments<M>) -> Self {
        as_sets(values).for_each(|(column, to)| push_set(&mut self.sets, column, to));
        self
    }

    /// Sets columns of each row, of which the first one has the number 0.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let codes = exam_type::Factory::new(1).with_each(|number| exam_type::code.to(format!("STEP{}", number + 1)));
    /// let exam_types = codes.create_many(db, 3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_each<A, F>(mut self, values: F) -> Self
    where
        A: IntoAssignments<M>,
        F: Fn(usize) -> A + Send + Sync + 'static,
    {
        self.each.push(Arc::new(move |number| as_sets(values(number)).collect()));
        self
    }

    /// Sets the time that the times of the rows are near to. By default, it is the beginning of the day, in UTC.
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.at = Some(time);
        self
    }

    /// Creates a row, and the rows that it requires, in one transaction.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the factory knows no value for a column, or if rows require each other; and the errors of
    /// [`create`](crate::Delegate::create).
    pub async fn create<D: HasModels + ?Sized>(&self, db: &D) -> Result<M> {
        let mut rows = self.create_many(db, 1).await?;
        rows.pop().ok_or(Error::Internal("a row was created and not returned"))
    }

    /// Creates rows, and the rows that they require, in one transaction. Returns them in the order of their numbers.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub async fn create_many<D: HasModels + ?Sized>(&self, db: &D, rows: usize) -> Result<Vec<M>> {
        let executor = db.models().executor();
        if executor.0.is_transaction() {
            return self.make(executor.clone(), rows).await;
        }
        let work = |models: D::Models| {
            let executor = models.executor().clone();
            async move { self.make(executor, rows).await }
        };
        calls::transaction(executor, work).await
    }

    async fn make(&self, executor: Executor, rows: usize) -> Result<Vec<M>> {
        let today = || Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc();
        let source = Source { seed: value::seed_of(M::table(), self.seed), at: self.at.unwrap_or_else(today) };
        let values = (0..rows).map(|number| self.values(number)).collect();
        let node: Node = Maker::new(executor, source).make(M::table(), values).await?;
        node.cursors().map(M::read).collect()
    }

    /// Returns the values that the program sets in a row.
    fn values(&self, number: usize) -> Sets {
        let mut sets = self.sets.clone();
        self.each.iter().flat_map(|each| each(number)).for_each(|(column, to)| push_set(&mut sets, column, to));
        sets
    }
}
