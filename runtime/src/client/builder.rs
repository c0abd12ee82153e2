//! The settings of a client, and how they become its pools.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use tokio::sync::{OnceCell, watch};

use super::models::{Root, shared_only};
use super::{Client, Pool};
use crate::connection::{
    ConnectOptions, Life, Login, Manager, Opener, ParameterTypes, PasswordSource, ReplicaSettings, Routing,
    RowSecurity, RowSecurityCheck, Shared, StatementTexts,
};
use crate::error::{Error, Result};
use crate::telemetry::{Hooks, ServerRole};

/// Sets something of a connection string.
type SetOption = Arc<dyn Fn(&mut ConnectOptions) + Send + Sync>;

/// The settings of a client with the models `M`.
pub struct ClientBuilder<M> {
    options: ConnectOptions,
    /// The connection strings of replicas, or what is wrong with them.
    replicas: Vec<std::result::Result<ConnectOptions, String>>,
    /// What was set for the connections to all servers.
    for_all: Vec<SetOption>,
    replica_settings: ReplicaSettings,
    max_connections: Option<usize>,
    acquire_timeout: Option<Duration>,
    life: Life,
    slow: Option<Duration>,
    hooks: Hooks,
    statements: Option<usize>,
    row_security: RowSecurity,
    models: PhantomData<fn() -> M>,
}

/// The default number of prepared statements that a connection keeps.
const STATEMENTS: usize = 500;

/// The default maximum number of connections to a server.
const MAX_CONNECTIONS: usize = 10;

/// How long a query waits for a connection by default.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

impl<M> Clone for ClientBuilder<M> {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            replicas: self.replicas.clone(),
            for_all: self.for_all.clone(),
            hooks: self.hooks.clone(),
            models: PhantomData,
            ..*self
        }
    }
}

impl<M> std::fmt::Debug for ClientBuilder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let connections = self.max_connections_to(&self.options);
        write!(
            f,
            "ClientBuilder({}, {connections} connections, {} replicas)",
            self.options.target(),
            self.replicas.len()
        )
    }
}

impl<M> ClientBuilder<M> {
    pub(super) fn new(options: ConnectOptions) -> Self {
        Self {
            options,
            replicas: Vec::new(),
            for_all: Vec::new(),
            replica_settings: ReplicaSettings::default(),
            max_connections: None,
            acquire_timeout: None,
            life: Life::default(),
            slow: None,
            hooks: Hooks::new(),
            statements: None,
            row_security: RowSecurity::default(),
            models: PhantomData,
        }
    }

    fn max_connections_to(&self, options: &ConnectOptions) -> usize {
        let own = self.options.pool_size.filter(|_| self.max_connections.is_none());
        let wanted = self.max_connections.or(options.pool_size).or(own);
        wanted.unwrap_or(MAX_CONNECTIONS).max(1)
    }

    fn for_all(mut self, set: impl Fn(&mut ConnectOptions) + Send + Sync + 'static) -> Self {
        self.for_all.push(Arc::new(set));
        self
    }
}

impl<M: Root> ClientBuilder<M> {
    /// Adds a replica: a standby that follows the primary, whose connection string is that of the builder. Call it once
    /// for each.
    ///
    /// Reads outside transactions then go to the replicas in turn: `find_*`, `count`, `exists`, aggregates, pages,
    /// streams, batches that only read, and query files whose statement only reads. Writes, transactions and raw SQL go
    /// to the primary. A read sees what was written through the same client, or a client made of it: see
    /// [`Client::with_own_writes`].
    ///
    /// Each replica is checked in the background. One that cannot be reached, or is too far behind, is left out until it
    /// is back. If no replica can be used, the primary serves the reads.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@db1,db2/exams?target_session_attrs=read-write")?
    ///     .replica("postgres://planner@db2/exams")
    ///     .replica("postgres://planner@db3/exams")
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `connect` gives [`Error::Config`] if the connection string is wrong. A replica that cannot be reached then is only
    /// left out.
    pub fn replica(mut self, url: &str) -> Self {
        let options = url.parse().map_err(|error: Error| format!("replica {}: {error}", self.replicas.len() + 1));
        self.replicas.push(options);
        self
    }

    /// Sets how far behind the primary a replica may be, in time, to be used. The default is 10 seconds.
    ///
    /// It is measured once a second, by when the primary had what the replica has not replayed yet. A primary that
    /// writes nothing makes no lag.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// use std::time::Duration;
    ///
    /// let db = Client::builder("postgres://planner@db1/exams")?
    ///     .replica("postgres://planner@db2/exams")
    ///     .max_replica_lag(Duration::from_secs(3))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_replica_lag(mut self, limit: Duration) -> Self {
        self.replica_settings.limits.time = limit;
        self
    }

    /// Sets how far behind the primary a replica may be, in bytes of WAL, to be used. There is no limit by default.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let builder = Client::builder("postgres://planner@db1/exams")?.replica("postgres://planner@db2/exams");
    /// let db = builder.max_replica_lag_bytes(64 << 20).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_replica_lag_bytes(mut self, limit: u64) -> Self {
        self.replica_settings.limits.bytes = Some(limit);
        self
    }

    /// Sets how long a read waits until a replica has what was written through the same client. After that, the primary
    /// serves it. The default is 200 milliseconds.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@db1/exams")?
    ///     .replica("postgres://planner@db2/exams")
    ///     .replica_wait(std::time::Duration::from_millis(20))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replica_wait(mut self, limit: Duration) -> Self {
        self.replica_settings.wait = limit;
        self
    }

    /// Sets the pause between two checks of each server. The default is one second. After checks that failed, the pause
    /// doubles up to 10 seconds.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@db1/exams")?
    ///     .replica("postgres://planner@db2/exams")
    ///     .replica_check_interval(std::time::Duration::from_millis(250))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replica_check_interval(mut self, pause: Duration) -> Self {
        self.replica_settings.interval = pause.max(Duration::from_millis(10));
        self
    }

    /// Sets the maximum number of connections, to each server. The default is 10, or the URL's `connection_limit`; for a
    /// replica whose URL has none, that of the primary.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Sets how long a query waits for a connection. The default is 30 seconds, or the URL's `pool_timeout`.
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire_timeout = Some(limit);
        self
    }

    /// Sets how long it may take to connect, until the server reports that it is ready; for each host, if the URL has
    /// several. The default is 10 seconds, or the URL's `connect_timeout`.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.for_all(move |options| {
            options.config.connect_timeout(limit);
        })
    }

    /// Sets how long a connection is used: after that, a new one is opened in its place. There is no limit by default.
    ///
    /// For servers behind a load balancer, whose connections otherwise stay where they are, and for passwords that
    /// expire. A connection is never closed while it is used, but before it would be used again. Each has up to a tenth
    /// less than this, so that they do not end together.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// use std::time::Duration;
    ///
    /// let db = Client::builder("postgres://planner@db.example/exams")?
    ///     .max_connection_lifetime(Duration::from_secs(30 * 60))
    ///     .max_connection_idle_time(Duration::from_secs(5 * 60))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_connection_lifetime(mut self, limit: Duration) -> Self {
        self.life.max = Some(limit);
        self
    }

    /// Sets how long a connection may be unused to be used again, for firewalls that forget idle connections. There is no
    /// limit by default. It is closed when its turn comes, not at the moment when the time is over.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let builder = Client::builder("postgres://planner@db.example/exams")?;
    /// let db = builder.max_connection_idle_time(std::time::Duration::from_secs(5 * 60)).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_connection_idle_time(mut self, limit: Duration) -> Self {
        self.life.max_idle = Some(limit);
        self
    }

    /// Gets the password for each new connection from a function of the program: for tokens that are valid for some
    /// minutes, and for secrets that rotate. Connections that are open stay open.
    ///
    /// The function gets the [`Login`]: host, port, user and database, which tokens of cloud providers are made for. It
    /// counts against `connect_timeout`. Its error becomes the reason of [`Error::Connect`], so it must not contain the
    /// password.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@db.example/exams")?
    ///     .password(|_| async { std::fs::read_to_string("/run/secrets/database-password") })
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn password<F, Fut, E>(self, source: F) -> Self
    where
        F: Fn(Login) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let source = PasswordSource::new(source);
        self.for_all(move |options| options.password = Some(source.clone()))
    }

    /// Sets the certificate that the client shows to the server, and its private key: names of PEM files, as `sslcert` and
    /// `sslkey` in the URL. The key must not have a passphrase. Both are read once, by `connect`.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@db.example/exams?sslmode=verify-full&sslrootcert=ca.pem")?
    ///     .client_certificate("planner.pem", "planner.key")
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_certificate(self, certificate: &str, key: &str) -> Self {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        self.for_all(move |options| {
            options.client_certificate(&certificate, &key);
        })
    }

    /// Sets how long a statement may run before the server ends it. There is no limit by default.
    pub fn statement_timeout(self, limit: Duration) -> Self {
        self.for_all(move |options| {
            options.statement_timeout(limit);
        })
    }

    /// Sets the name that the server shows for the connections.
    pub fn application_name(self, name: &str) -> Self {
        let name = name.to_owned();
        self.for_all(move |options| {
            options.config.application_name(name.as_str());
        })
    }

    /// Adapts the client to a pooler in transaction mode, such as PgBouncer: every statement is sent with its text and
    /// leaves nothing behind on the connection. The same as `pgbouncer=true` in the URL.
    pub fn through_pooler(self) -> Self {
        self.for_all(|options| {
            options.through_pooler();
        })
    }

    /// Makes `copy_in` insert its rows with INSERT instead of COPY. For poolers that do not pass on COPY in the extended
    /// protocol, such as Pgpool-II, behind which a COPY never ends. The same as `copy=false` in the URL.
    pub fn without_copy(self) -> Self {
        self.for_all(|options| {
            options.without_copy();
        })
    }

    /// Makes each message wait for the answer to the one before it. For poolers that do not follow a client that sends ahead,
    /// such as Pgpool-II. A call under a handle with row security, a batch, and `in_schema` then take a round trip for each of
    /// their statements, as do BEGIN and COMMIT. Needs a host: it is not possible for sockets in a folder. The same as
    /// `pipeline=false` in the URL.
    ///
    /// ```
    /// # fn main() -> relata::Result<()> {
    /// let builder = plain_planner::Client::builder("postgres://app@pooler:9999/planner")?.without_copy().without_pipeline();
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_pipeline(self) -> Self {
        self.for_all(|options| {
            options.without_pipeline();
        })
    }

    /// Sets how many prepared statements each connection keeps, in the client and on the server. If there are more, the
    /// least recently used one is closed. The default is 500, or the URL's `statement_cache_size`; 0 keeps none.
    ///
    /// Through a pooler, nothing is prepared. Then the product of this number and `max_connections` limits for how many
    /// texts the types of parameters are remembered.
    pub fn statement_cache_size(mut self, statements: usize) -> Self {
        self.statements = Some(statements);
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

    /// Creates the pool and its first connection, and checks the replicas once.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Connect`] and [`Error::RowSecurity`].
    pub async fn connect(self) -> Result<Client<M>> {
        let settings = self.replica_settings;
        let (mut pool, replicas) = self.pools()?;
        drop(Arc::new(pool.clone()).acquire().await?);
        if !replicas.is_empty() {
            let primary = Arc::clone(&pool.shared);
            pool.routing = Some(Routing::start(primary, replicas, settings).await?);
        }
        Ok(Client::of(Arc::new(pool)))
    }

    /// Creates the pool without a connection: the first call opens one. So a program starts while the server cannot be
    /// reached, and a wrong host or password is the error of that call.
    ///
    /// ```
    /// # use plain_planner::*;
    /// # async fn example() -> relata::Result<()> {
    /// let db = Client::builder("postgres://planner@localhost/exams")?.connect_lazily()?;
    /// println!("{} institutions", db.institution().count().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`], also for a client with replicas, which have to be checked first.
    pub fn connect_lazily(self) -> Result<Client<M>> {
        if !self.replicas.is_empty() {
            return Err(Error::Config(
                "the replicas of a client are checked as it connects: use `connect()`".to_owned(),
            ));
        }
        Ok(Client::of(Arc::new(self.pools()?.0)))
    }

    /// Creates the pools of all servers, with no connection yet: that of the primary, and those of the replicas.
    fn pools(mut self) -> Result<(Pool, Vec<Shared>)> {
        let row_security = RowSecurityCheck::of(self.row_security, M::SECURED).map(Arc::new);
        let replicas = std::mem::take(&mut self.replicas).into_iter();
        let replicas = replicas.collect::<std::result::Result<Vec<_>, _>>().map_err(Error::Config)?;
        let primary = self.pool_of(self.options.clone(), ServerRole::Primary, row_security.as_ref())?;
        let replicas = replicas.into_iter().map(|mut options| {
            options.prefer_replica();
            self.pool_of(options, ServerRole::Replica, row_security.as_ref())
        });
        let replicas = replicas.collect::<Result<Vec<_>>>()?;
        let hooks = (!self.hooks.is_empty()).then(|| Arc::new(self.hooks));
        Ok((Pool::new(Arc::new(primary), hooks, shared_only::<M>()), replicas))
    }

    /// Creates the pool of a server, with no connection yet.
    fn pool_of(
        &self,
        mut options: ConnectOptions,
        role: ServerRole,
        row_security: Option<&Arc<RowSecurityCheck>>,
    ) -> Result<Shared> {
        let max_connections = self.max_connections_to(&options);
        let statements = self.statements.or(options.statement_cache_size).or(self.options.statement_cache_size);
        let statements = statements.unwrap_or(STATEMENTS);
        let acquire_timeout = self.acquire_timeout.or(options.pool_timeout).or(self.options.pool_timeout);
        let acquire_timeout = acquire_timeout.unwrap_or(ACQUIRE_TIMEOUT);
        self.for_all.iter().for_each(|set| set(&mut options));
        let opener = Opener::new(&options)?;
        let timeouts = Timeouts {
            wait: Some(acquire_timeout),
            create: Some(opener.limit()),
            // Recycling only compares, so it needs no timeout.
            recycle: None,
        };
        let connections = deadpool::managed::Pool::builder(Manager { opener, statements, life: self.life })
            .max_size(max_connections)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Config(format!("the pool cannot be set up: {error}")))?;
        let types = || ParameterTypes::new(statements.saturating_mul(max_connections));
        Ok(Shared {
            connections,
            acquire_timeout,
            unnamed: options.is_through_pooler().then(types),
            texts: StatementTexts::default(),
            slow: self.slow,
            server: Arc::new(options.server()),
            role,
            row_security: row_security.cloned(),
            read_only_since: Mutex::default(),
            is_pooled: OnceCell::new(),
            closed: watch::Sender::new(false),
            options,
        })
    }
}
