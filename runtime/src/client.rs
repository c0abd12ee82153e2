//! The client: a pool of connections, and the models that are generated from the schema.

mod models;
mod transaction;

pub use models::{AnySql, Models, OfAll, OfNone, OfTenant, Root, Tenants};
pub(crate) use models::{RunsWith, SqlAccess};
use models::{settings_across_tenants, settings_of_tenant, shared_only, tenant_of};
pub use transaction::{Begin, Isolation, Savepoint, Transaction, TransactionCall};

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use deadpool_postgres::{ManagerConfig, RecyclingMethod};

use crate::builder::{All, Batch, IntoSqlCall, SqlQuery};
use crate::connection::{
    ConnectOptions, Manager, ParameterTypes, Pool, RowSecurity, RowSecurityCheck, Shared, StatementTexts,
};
use crate::error::{Error, Result};
use crate::execute::{self, BatchCall, Call, Executor, RowStream, Target};
use crate::rows::{FromRawRow, FromRow};
use crate::telemetry::{Counters, Hooks, Statistics};
use crate::value::{IntoValue, Param};

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
        let options: ConnectOptions = url.parse()?;
        let acquire_timeout = options.pool_timeout.unwrap_or(Duration::from_secs(30));
        let max_connections = options.pool_size.unwrap_or(10);
        let statements = options.statement_cache_size.unwrap_or(STATEMENTS);
        Ok(ClientBuilder {
            options,
            max_connections,
            acquire_timeout,
            models: PhantomData,
            slow: None,
            hooks: Hooks::new(),
            row_security: RowSecurity::default(),
            statements,
        })
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
    pub fn tenant(&self, id: impl IntoValue<M::Key>) -> Client<M::Tenant> {
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
    /// `.isolation(..)`, `.timeout(..)` and `.retry(n)` can follow. With `retry`, the closure may run several times, so
    /// it should have no effects outside the database.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example(db: &Client) -> relata::Result<()> {
    /// let students: u64 = db
    ///     .transaction(|tx| async move {
    ///         tx.exam_type().update_many().all_rows().set(exam_type::default_weight.to(1.0)).await?;
    ///         tx.student().count().await
    ///     })
    ///     .retry(3)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction<'a, F, Fut, T, E>(&self, work: F) -> TransactionCall<'a, M, F>
    where
        F: FnMut(Transaction<M>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        TransactionCall::new(Arc::clone(&self.pool), work)
    }

    /// Runs several queries in one transaction. If each query is one statement, this takes one round trip. Either all
    /// of them take effect, or none.
    pub fn batch<B: Batch>(&self, queries: B) -> BatchCall<B::Output> {
        execute::run_batch(Arc::clone(&self.pool), queries.into_batch(), <M::Sql as SqlAccess>::RUNS_SQL)
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
        Q: IntoSqlCall + RunsWith<M::Sql>,
    {
        self.executor().call(query)
    }

    /// Returns the rows of a query of `queries/*.sql` as they arrive, without holding all of them: a SELECT, VALUES, or
    /// WITH that writes nothing. Nothing is sent before the first row is requested. An error comes in place of a row.
    pub fn query_stream<T: FromRow, C>(&self, query: SqlQuery<T, All, C>) -> RowStream<T>
    where
        SqlQuery<T, All, C>: RunsWith<M::Sql>,
    {
        self.executor().query_stream(query.into_call())
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

    fn with<N: Models>(&self, change: impl FnOnce(&mut Pool)) -> Client<N> {
        let mut pool = Pool::clone(&self.pool);
        change(&mut pool);
        Client::of(Arc::new(pool))
    }

    fn of(pool: Arc<Pool>) -> Self {
        let models = Arc::new(M::new(Executor(Target::Pool(Arc::clone(&pool)))));
        Self { pool, models }
    }

    /// Closes the pool. Running queries finish, and new ones fail.
    pub fn close(&self) {
        self.pool.shared.connections.close();
    }
}

/// The settings of a client with the models `M`.
pub struct ClientBuilder<M> {
    options: ConnectOptions,
    max_connections: usize,
    acquire_timeout: Duration,
    slow: Option<Duration>,
    hooks: Hooks,
    statements: usize,
    row_security: RowSecurity,
    models: PhantomData<fn() -> M>,
}

/// The default number of prepared statements that a connection keeps.
const STATEMENTS: usize = 500;

impl<M> Clone for ClientBuilder<M> {
    fn clone(&self) -> Self {
        Self { options: self.options.clone(), hooks: self.hooks.clone(), models: PhantomData, ..*self }
    }
}

impl<M> std::fmt::Debug for ClientBuilder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientBuilder({}, {} connections)", self.options.target(), self.max_connections)
    }
}

impl<M: Root> ClientBuilder<M> {
    /// Sets the maximum number of connections. The default is 10, or the URL's `connection_limit`.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how long a query waits for a connection. The default is 30 seconds, or the URL's `pool_timeout`.
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire_timeout = limit;
        self
    }

    /// Sets how long it may take to connect, until the server reports that it is ready. The default is 10 seconds, or
    /// the URL's `connect_timeout`.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.options.config.connect_timeout(limit);
        self
    }

    /// Sets how long a statement may run before the server ends it. There is no limit by default.
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.options.statement_timeout(limit);
        self
    }

    /// Sets the name that the server shows for the connections.
    pub fn application_name(mut self, name: &str) -> Self {
        self.options.config.application_name(name);
        self
    }

    /// Adapts the client to a pooler in transaction mode, such as PgBouncer: every statement is sent with its text and
    /// leaves nothing behind on the connection. The same as `pgbouncer=true` in the URL.
    pub fn through_pooler(mut self) -> Self {
        self.options.through_pooler();
        self
    }

    /// Sets how many prepared statements each connection keeps, in the client and on the server. If there are more, the
    /// least recently used one is closed. The default is 500, or the URL's `statement_cache_size`; 0 keeps none.
    ///
    /// Through a pooler, nothing is prepared. Then the product of this number and `max_connections` limits for how many
    /// texts the types of parameters are remembered.
    pub fn statement_cache_size(mut self, statements: usize) -> Self {
        self.statements = statements;
        self
    }

    /// Logs every statement that takes at least this long, at WARN: its summary, its text without values, and its
    /// duration.
    pub fn slow_threshold(mut self, limit: Duration) -> Self {
        self.slow = Some(limit);
        self
    }

    /// Calls functions of the program before and after queries.
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = self.hooks.and(hooks);
        self
    }

    /// Sets what happens if the schema has `rowSecurity`, but PostgreSQL does not apply policies to the role, as for a
    /// superuser. By default, the connection is refused.
    pub fn row_security(mut self, row_security: RowSecurity) -> Self {
        self.row_security = row_security;
        self
    }

    /// Creates the pool and its first connection.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Connect`] and [`Error::RowSecurity`].
    pub async fn connect(self) -> Result<Client<M>> {
        let ClientBuilder { options, max_connections, acquire_timeout, slow, hooks, statements, row_security, .. } =
            self;
        let row_security = RowSecurityCheck::of(row_security, M::SECURED);
        let config = options.session_config()?;
        let tls = options.tls()?;
        let connect_timeout = options.connect_timeout();
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connections = deadpool_postgres::Manager::from_config(config, tls.clone(), manager_config);
        let manager = Manager { connections, statements };
        let timeouts = Timeouts {
            wait: Some(acquire_timeout),
            create: Some(connect_timeout),
            // Recycling only checks a flag, so it needs no timeout.
            recycle: None,
        };
        let connections = deadpool::managed::Pool::builder(manager)
            .max_size(max_connections.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Config(format!("the pool cannot be set up: {error}")))?;
        let types = || ParameterTypes::new(statements.saturating_mul(max_connections.max(1)));
        let unnamed = options.is_through_pooler().then(types);
        let server = options.server();
        let texts = StatementTexts::default();
        let shared = Shared {
            connections,
            options,
            acquire_timeout,
            connect_timeout,
            tls,
            unnamed,
            texts,
            slow,
            server,
            row_security,
        };
        let hooks = (!hooks.is_empty()).then(|| Arc::new(hooks));
        let pool = Arc::new(Pool {
            shared: Arc::new(shared),
            counters: Arc::default(),
            hooks,
            tenant: shared_only::<M>(),
            settings: None,
        });
        drop(pool.acquire().await?);
        Ok(Client::of(pool))
    }
}
