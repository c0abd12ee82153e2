//! The client: a pool of connections, and the models that are generated from the schema.

mod builder;
pub mod calls;
mod listen;
mod lock;
mod models;
mod transaction;

pub use builder::ClientBuilder;
pub use listen::{Listen, Listens};
pub use lock::AdvisoryLock;
pub use models::{
    AnySql, IntoTenantId, Models, NoTenant, OfAll, OfNone, OfSecuredTenant, OfTenant, Root, RunsWith, Sees, Tenants,
};
use models::{settings_across_tenants, settings_of_tenant, tenant_of};
use transaction::Once;
pub use transaction::{Begin, Isolation, Repeated, Retrying, Savepoint, Transaction, TransactionCall};

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use crate::builder::{All, Batch, IntoSqlCall, SqlQuery};
use crate::connection::{Pool, Routing};
use crate::error::{Error, Result};
use crate::execute::{BatchCall, Call, Executor, RowStream, Target};
use crate::rows::{FromRawRow, SqlRow};
use crate::telemetry::{Counters, Hooks, Statistics};
use crate::value::Param;

/// A client of one database. Cloning it is cheap, and all clones share one pool.
///
/// A client dereferences to the models, on which queries begin: `db.student().find_many()`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example() -> relata::Result<()> {
/// let db = Client::connect("postgres://planner@localhost/exams").await?;
/// println!("{} institutions", db.institution().count().await?);
/// # Ok(())
/// # }
/// ```
pub struct Client<M> {
    pool: Arc<Pool>,
    models: Arc<M>,
}

impl<M> Clone for Client<M> {
    fn clone(&self) -> Self {
        Self { pool: Arc::clone(&self.pool), models: Arc::clone(&self.models) }
    }
}

impl<M> std::fmt::Debug for Client<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.pool.shared.options.target())
    }
}

impl<M> Deref for Client<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.models
    }
}

impl<M: Models> Client<M> {
    /// Connects to the database of a connection string, with a pool of the default size.
    ///
    /// Opens one connection at once, so that a wrong host or password is reported here.
    ///
    /// # Errors
    /// [`Error::Config`] for a wrong connection string, [`Error::Connect`] if the server cannot be reached or refuses
    /// the connection. Neither shows the password.
    pub async fn connect(url: &str) -> Result<Self>
    where
        M: Root,
    {
        Self::builder(url)?.connect().await
    }

    /// Returns a builder, which connects a client with other settings than the default ones.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// use std::time::Duration;
    ///
    /// let db = Client::builder("postgres://planner@localhost/exams")?
    ///     .max_connections(5)
    ///     .acquire_timeout(Duration::from_secs(5))
    ///     .statement_timeout(Duration::from_secs(30))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a wrong connection string.
    pub fn builder(url: &str) -> Result<ClientBuilder<M>>
    where
        M: Root,
    {
        Ok(ClientBuilder::new(url.parse()?))
    }
}

impl<M: Tenants> Client<M> {
    /// Returns a handle: a client that is confined to one tenant. Creating a handle is cheap and sends nothing. It does
    /// not check whether the tenant exists.
    ///
    /// All calls of a handle are confined to the tenant: reads and their includes, filters through relations, counts,
    /// writes and nested writes, batches and transactions. They do not find, change or connect rows of other tenants.
    ///
    /// ```text
    /// let north = db.tenant(id);
    /// let students = north.student().find_many().include(student::user).await?;
    /// ```
    pub fn tenant(&self, id: impl IntoTenantId<M::Key>) -> Client<M::Tenant> {
        let tenant = tenant_of::<M>(id);
        self.with(|pool| {
            pool.settings = settings_of_tenant::<M>(pool.settings.as_ref(), &tenant);
            pool.tenant = Some(Arc::new(tenant));
        })
    }

    /// Returns a client that sees the rows of all tenants. Use it for the tasks of an operator, and never for the
    /// request of a tenant.
    ///
    /// ```text
    /// let now = relata::chrono::Utc::now();
    /// let all = db.across_tenants();
    /// let expired = all.session().delete_many().filter(session::expires_at.lt(now)).await?;
    /// ```
    pub fn across_tenants(&self) -> Client<M::AcrossTenants> {
        self.with(|pool| {
            pool.settings = settings_across_tenants::<M>(pool.settings.as_ref());
            pool.tenant = None;
        })
    }
}

impl<M: Models> Client<M> {
    /// Begins a transaction. If it is dropped without `commit`, it is rolled back.
    ///
    /// Call `.isolation(..)`, `.read_only()` and the methods for time limits before `.await`. The future fails if the
    /// pool has no connection.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let tx = db.begin().isolation(relata::Isolation::RepeatableRead).read_only().await?;
    /// let (students, exams) = (tx.student().count().await?, tx.student_exam().count().await?);
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin(&self) -> Begin<M> {
        Begin::new(Arc::clone(&self.pool))
    }

    /// Runs a closure inside a transaction. Commits if the closure returns `Ok`, and rolls back if it returns `Err`.
    ///
    /// `.isolation(..)`, `.timeout(..)` and other options can follow. To run the closure again after a collision with
    /// another transaction, see [`retrying`](Self::retrying).
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let students: u64 = db
    ///     .transaction(async |tx| {
    ///         tx.exam_type().update_many().all_rows().set(exam_type::default_weight.to(1.0)).await?;
    ///         tx.student().count().await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction<'a, F, Fut, T, E>(&self, work: F) -> TransactionCall<'a, M, F>
    where
        F: FnOnce(Transaction<M>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        TransactionCall::new(Arc::clone(&self.pool), work, Once)
    }

    /// Returns a client whose transactions run up to `times` more often if they collide with another one: after a
    /// serialization failure or a deadlock. The closure may then run several times, so it should have no effects outside
    /// the database.
    ///
    /// A conflict that was undone with its savepoint does not count, unless the closure returns its error. A COMMIT is
    /// never repeated: if it got no answer, the result is [`Error::CommitUnknown`].
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// use relata::Isolation;
    ///
    /// let call = db.retrying(3).transaction(async |tx| tx.student().count().await);
    /// let students: u64 = call.isolation(Isolation::Serializable).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retrying(&self, times: u32) -> Retrying<M> {
        Retrying { pool: Arc::clone(&self.pool), times, models: PhantomData }
    }

    /// Runs several queries in one transaction. If each query is one statement, this takes one round trip. Either all
    /// of them take effect, or none.
    pub fn batch<B: Batch + RunsWith<M::Sql>>(&self, queries: B) -> BatchCall<B::Output> {
        calls::batch::<M, B>(&self.executor(), queries)
    }

    fn executor(&self) -> Executor {
        Executor(Target::Pool(Arc::clone(&self.pool)))
    }

    /// Sends a query of `queries/*.sql`, which a function of the module `queries` returns. Returns rows as a list of
    /// structs; with `.one()` or `.optional()` on the query, a single one. A statement without rows returns the number
    /// of rows that it wrote.
    ///
    /// # Errors
    /// Those of the statement, and [`Error::RowMismatch`] if the database returns other columns than it was compiled for.
    pub fn query<Q>(&self, query: Q) -> Call<Q::Output>
    where
        Q: IntoSqlCall,
        Q::Confinement: RunsWith<M::Sql>,
    {
        self.executor().call(query)
    }

    /// Returns the rows of a query of `queries/*.sql` as they arrive, without holding all of them: a SELECT, VALUES, or
    /// WITH that writes nothing. Nothing is sent before the first row is requested. An error comes in place of a row.
    pub fn query_stream<T: SqlRow, C>(&self, query: SqlQuery<T, All, C>) -> RowStream<T::Output>
    where
        C: RunsWith<M::Sql>,
    {
        self.executor().query_stream::<T>(query.into_call())
    }

    /// Runs raw SQL and reads its rows into tuples: `db.query_raw::<(Uuid, i64)>(sql, params![tenant])`.
    ///
    /// Parameters are bound to `$1`, `$2` and so on. They are never inserted into the text.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, tenant: relata::uuid::Uuid) -> relata::Result<()> {
    /// let years: Vec<(i32, i64)> = db
    ///     .query_raw(
    ///         "SELECT class_year, count(*) FROM students WHERE institution_id = $1 GROUP BY 1",
    ///         relata::params![tenant],
    ///     )
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the statement, and [`Error::RowMismatch`] if its columns do not have the types that are read.
    pub async fn query_raw<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> Result<Vec<T>>
    where
        M: AnySql,
    {
        self.executor().query_raw(sql, params).await
    }

    /// Returns the rows of raw SQL as they arrive, without holding all of them: a SELECT, VALUES, or WITH that writes
    /// nothing. Nothing is sent before the first row is requested. An error comes in place of a row.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let mut numbers = db.query_raw_stream::<(i64,)>("SELECT generate_series(1, $1)", relata::params![3_i64]);
    /// while let Some(row) = numbers.next().await {
    ///     println!("{}", row?.0);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_raw_stream<T: FromRawRow>(&self, sql: &str, params: Vec<Param>) -> RowStream<T>
    where
        M: AnySql,
    {
        self.executor().query_raw_stream(sql, params)
    }

    /// Runs raw SQL and returns the number of rows that it wrote.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let renamed = db.execute_raw("UPDATE users SET email = lower(email)", relata::params![]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn execute_raw(&self, sql: &str, params: Vec<Param>) -> Result<u64>
    where
        M: AnySql,
    {
        self.executor().execute_raw(sql, params).await
    }

    /// Returns the number of statements, rows and failures of this client so far, and the state of its pool.
    pub fn statistics(&self) -> Statistics {
        self.pool.statistics()
    }

    /// Returns a client on the same connections whose counters begin at zero: for tests that count statements, or to
    /// measure one part of a program. This client counts the statements of the new one, too.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let counted = db.counted();
    /// counted.student().find_many().include(student::user).await?;
    /// assert_eq!(counted.statistics().statements, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counted(&self) -> Self {
        self.with(|pool| pool.counters = Arc::new(Counters::below(&pool.counters)))
    }

    /// Returns a client on the same connections with additional [`Hooks`], for example to record the user of one
    /// request. They are called after the existing hooks.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let timed = db.with_hooks(relata::Hooks::new().after(|intent, report| {
    ///     println!("{:?} of {:?} took {:?}", intent.kind, intent.model, report.took);
    /// }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_hooks(&self, hooks: Hooks) -> Self {
        self.with(|pool| {
            let before = pool.hooks.as_deref().cloned().unwrap_or_default();
            pool.hooks = Some(before.and(hooks)).filter(|hooks| !hooks.is_empty()).map(Arc::new);
        })
    }

    /// Returns a client on the same connections that sets a custom setting of PostgreSQL for its statements. Triggers
    /// that record who changed a row, and your own policies, read it with `current_setting('app.user', true)`.
    ///
    /// The setting is set in the transaction of each statement and ends with it. It leaves nothing on the connection,
    /// and works through a pooler in transaction mode. It is sent together with the statement, so there is no
    /// additional round trip. `name` must contain a dot, which PostgreSQL requires of custom settings.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, user: relata::uuid::Uuid) -> relata::Result<()> {
    /// let db = db.with_setting("app.user", user);
    /// let rows: Vec<(String,)> = db.query_raw("SELECT current_setting('app.user')", relata::params![]).await?;
    /// assert_eq!(rows[0].0, user.to_string());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Calls return [`Error::Misuse`] if the name contains no dot, or begins with `relata.`.
    pub fn with_setting(&self, name: &str, value: impl std::fmt::Display) -> Self {
        self.with(|pool| {
            let before = pool.settings.as_deref().cloned().unwrap_or_default();
            pool.settings = Some(Arc::new(before.with(name, value.to_string())));
        })
    }

    /// Returns a client on the same connections whose changes are recorded with this actor, such as the user of a request.
    ///
    /// Models with `@@audited` record it, and so can triggers of your own, with `current_setting('relata.actor', true)`.
    /// Like [`with_setting`](Self::with_setting), it is in effect for the statements and transactions of this client, ends
    /// with each transaction, and leaves nothing on the connection.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client, user: relata::uuid::Uuid) -> relata::Result<()> {
    /// let db = db.acting_as(format_args!("user:{user}"));
    /// let rows: Vec<(String,)> = db.query_raw("SELECT current_setting('relata.actor')", relata::params![]).await?;
    /// assert_eq!(rows[0].0, format!("user:{user}"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn acting_as(&self, actor: impl std::fmt::Display) -> Self {
        self.with(|pool| {
            let before = pool.settings.as_deref().cloned().unwrap_or_default();
            pool.settings = Some(Arc::new(before.acting_as(actor.to_string())));
        })
    }

    /// Returns a client of the same connections whose tables are in a schema of the database: one of many schemas with the
    /// same tables, such as one for each tenant. It costs nothing to create, and sends nothing.
    ///
    /// The schema is the search path of each statement, inside its transaction. It ends with the transaction, also behind
    /// a pooler in transaction mode. It is sent together with the statement, so it adds no round trip, but each connection
    /// prepares a statement once per schema.
    ///
    /// Only this schema is searched. If statements use extensions or types of another schema, see
    /// [`in_schemas`](Self::in_schemas). Models with `@@schema` stay in their schema.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let north = db.in_schema("north");
    /// println!("{} students", north.student().count().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Calls return [`Error::Misuse`] if the name is empty or longer than 63 bytes. If there is no such schema, PostgreSQL
    /// reports that the table does not exist (42P01).
    pub fn in_schema(&self, schema: &str) -> Self {
        self.in_schemas([schema])
    }

    /// Like [`in_schema`](Self::in_schema), with several schemas. A table is in the first one that has it.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # fn example(db: &Client) {
    /// let north = db.in_schemas(["north", "extensions"]);
    /// # }
    /// ```
    pub fn in_schemas<'n>(&self, schemas: impl IntoIterator<Item = &'n str>) -> Self {
        self.with(|pool| {
            let before = pool.settings.as_deref().cloned().unwrap_or_default();
            pool.settings = Some(Arc::new(before.in_schemas(schemas)));
        })
    }

    /// A client of the same connections that sends everything to the primary: for a read that must see what anybody has
    /// written. Without replicas, every client does.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let students = db.primary().student().count().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn primary(&self) -> Self {
        self.with(Routing::to_primary)
    }

    /// A client of the same connections that only reads, and only from replicas, as far as they are: it does not wait
    /// for what was written. For reports, and other work that must not reach the primary.
    ///
    /// A write through it is refused with [`Error::Misuse`] before anything is sent, and so are raw SQL that may write
    /// and a transaction without `.read_only()`. If no replica can be used, a read gives [`Error::Connect`]. Of a client
    /// without replicas, the primary serves the reads, so that a program needs no replica in development.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let report = db.replica().begin().isolation(relata::Isolation::RepeatableRead).read_only().await?;
    /// let (students, exams) = (report.student().count().await?, report.student_exam().count().await?);
    /// report.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replica(&self) -> Self {
        self.with(Routing::to_replicas)
    }

    /// A client of the same connections that remembers its own writes, and none of the others: its reads see what was
    /// written through it, and wait for nothing else. For one request, say, of a program with replicas.
    ///
    /// A client and all that are made of it, with `clone`, `tenant`, `with_setting` and so on, share what they remember,
    /// so that a program reads what it has written without doing anything. But then a read may wait for what another
    /// request has written. Without replicas, it has no effect.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// // For each request:
    /// let db = db.with_own_writes();
    /// let row = institution::Create { name: "North".to_owned(), slug: "north".to_owned() };
    /// let created = db.institution().create(row).await?;
    /// // Read at a replica that has it, or at the primary.
    /// let again = db.institution().find_unique(institution::id.eq(created.id)).or_err().await?;
    /// assert_eq!(again, created);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_own_writes(&self) -> Self {
        self.with(Routing::with_own_writes)
    }

    fn with<N: Models>(&self, change: impl FnOnce(&mut Pool)) -> Client<N> {
        let mut pool = Pool::clone(&self.pool);
        change(&mut pool);
        Client::of(Arc::new(pool))
    }

    fn of(pool: Arc<Pool>) -> Self {
        let models = Arc::new(M::new(Executor(Target::Pool(Arc::clone(&pool)))));
        Self { pool, models }
    }

    /// Closes the pool. Running queries finish, and new ones fail. Streams of [`listen`](Self::listen) end.
    pub fn close(&self) {
        self.pool.shared.close();
        if let Some(routing) = &self.pool.routing {
            routing.close();
        }
    }
}
