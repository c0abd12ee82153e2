//! The server of the tests, and a pooler in front of it, if the environment variable `RELATA_TEST_POOLER` names one.
//!
//! `scripts/poolers` starts a pooler and sets the variable: `pgbouncer://127.0.0.1:6432?pgbouncer=true`. Then the URL of
//! each database leads through the pooler, and with it each client of a test. What prepares a database or looks at it
//! from outside connects to the server itself.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use relata_devdb::{DevDb, Error, TestDatabase};

/// What a pooler may keep a client from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A connection to the pooler is one session of the server, which keeps its state.
    Own,
    /// Settings of the connection string reach the server when a session starts.
    Settings,
    /// A session has the client's time zone from its start. Later versions of PgBouncer know this setting.
    Zone,
    /// The client sends several messages before it has the answer to the first, so that they take one round trip.
    Pipeline,
    /// Errors that follow the rows of a statement, such as those of deferred constraints, are reported.
    Deferred,
    /// The client's connection ends with that to the server.
    Connection,
    /// A name of a table may have a double quote. To spread reads, Pgpool-II looks for the table by a name that it does
    /// not quote.
    Quotes,
    /// All statements of a connection go to one server.
    OneServer,
    /// COPY reaches the server.
    Copy,
    /// Statements are prepared once for a connection, on the server and under the client's names.
    Named,
}

impl Need {
    fn description(self) -> &'static str {
        match self {
            Self::Own => "keep a session for a client between transactions",
            Self::Settings => "pass on settings of the connection string",
            Self::Zone => "pass on the time zone of a session",
            Self::Pipeline => "follow a client that sends ahead, so pipeline=false makes it wait",
            Self::Deferred => "end a statement outside a transaction that a deferred constraint refuses",
            Self::Connection => "end a client's connection with that to the server",
            Self::Quotes => "find a table whose name has a double quote, so this test goes past it",
            Self::OneServer => "send all statements of a connection to one server",
            Self::Copy => "pass on COPY",
            Self::Named => "leave prepared statements as they are",
        }
    }
}

/// The pooler.
#[derive(Debug)]
struct Pooler {
    /// `pgbouncer`, `pgpool` or `pgpool-balanced`.
    name: String,
    /// Host and port.
    address: String,
    /// Parameters of the connection string.
    parameters: String,
}

impl Pooler {
    fn from_environment() -> Option<Self> {
        let text = std::env::var("RELATA_TEST_POOLER").ok().filter(|text| !text.is_empty())?;
        let (name, rest) = text.split_once("://").expect("RELATA_TEST_POOLER is NAME://HOST:PORT?PARAMETERS");
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        Some(Self { name: name.to_owned(), address: address.to_owned(), parameters: parameters.to_owned() })
    }

    fn needs_texts(&self) -> bool {
        self.parameters.contains("pgbouncer=true")
    }

    fn has(&self, need: Need) -> bool {
        let by_transaction = self.name == "pgbouncer";
        match need {
            Need::Own => !by_transaction,
            Need::Connection | Need::Deferred => !self.name.starts_with("pgpool"),
            Need::Pipeline => !self.parameters.contains("pipeline=false"),
            Need::Copy => !self.parameters.contains("copy=false"),
            Need::OneServer | Need::Quotes => self.name != "pgpool-balanced",
            Need::Zone => !self.needs_texts(),
            Need::Settings | Need::Named => !by_transaction && !self.needs_texts(),
        }
    }
}

/// The server, and what is in front of it.
pub(crate) struct Server {
    devdb: DevDb,
    pooler: Option<Pooler>,
}

impl Deref for Server {
    type Target = DevDb;

    fn deref(&self) -> &DevDb {
        &self.devdb
    }
}

/// A database of one test, dropped with this value.
pub(crate) struct Database {
    database: TestDatabase,
    url: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.database.fmt(f)
    }
}

impl Database {
    /// The URL for clients.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// The same database with a URL that leads to the server itself, if a pooler cannot do this.
    pub(crate) fn past_pooler_without(mut self, needed: &[Need]) -> Self {
        if devdb().skips_behind_pooler(needed) {
            self.url = direct(&self.url);
        }
        self
    }
}

pub(crate) fn devdb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server {
            devdb: DevDb::start().expect("a PostgreSQL is found or started"),
            pooler: Pooler::from_environment(),
        };
        eprintln!("{}", server.describe());
        if let Some(pooler) = &server.pooler {
            eprintln!("clients go through {} at {}", pooler.name, pooler.address);
        }
        server
    })
}

/// The URL of the server itself for a URL that leads through the pooler.
pub(crate) fn direct(url: &str) -> String {
    let server = devdb();
    let Some(pooler) = &server.pooler else { return url.to_owned() };
    let url = url.replacen(&format!("@{}/", pooler.address), &format!("@{}/", server.address()), 1);
    match url.split_once('?') {
        Some((before, parameters)) => {
            let kept: Vec<&str> =
                parameters.split('&').filter(|one| !pooler.parameters.split('&').any(|added| added == *one)).collect();
            if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) }
        }
        None => url,
    }
}

/// Connects to the server itself.
pub(crate) async fn connect(url: &str) -> relata::tokio_postgres::Client {
    let options: relata::ConnectOptions = direct(url).parse().expect("is a URL");
    options.connect_direct().await.expect("connects")
}

impl Server {
    pub(crate) fn create_database(&self, prefix: &str) -> Result<Database, Error> {
        Ok(self.with_url(self.devdb.create_database(prefix)?))
    }

    pub(crate) fn database_from_template<E>(
        &self,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E> + Send,
    ) -> Result<Database, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Ok(self.with_url(self.devdb.database_from_template(key, prepare)?))
    }

    fn with_url(&self, database: TestDatabase) -> Database {
        let url = self.pooled(database.url());
        Database { database, url }
    }

    /// The URL of a database for clients.
    pub(crate) fn url(&self, database: &str) -> String {
        self.pooled(&self.devdb.url(database))
    }

    fn pooled(&self, url: &str) -> String {
        let Some(pooler) = &self.pooler else { return url.to_owned() };
        let url = url.replacen(&format!("@{}/", self.address()), &format!("@{}/", pooler.address), 1);
        let glue = if url.contains('?') { '&' } else { '?' };
        if pooler.parameters.is_empty() { url } else { format!("{url}{glue}{}", pooler.parameters) }
    }

    /// Host and port of the server.
    fn address(&self) -> String {
        let url = self.devdb.url("postgres");
        let (_, rest) = url.split_once('@').expect("names a user");
        rest.split(['/', '?']).next().unwrap_or_default().to_owned()
    }

    /// Whether clients send each statement with its text, because a pooler would not find it by its name.
    pub(crate) fn sends_texts(&self) -> bool {
        self.pooler.as_ref().is_some_and(Pooler::needs_texts)
    }

    /// Whether `copy_in` copies: `copy=false` makes it insert.
    pub(crate) fn copies(&self) -> bool {
        self.pooler.as_ref().is_none_or(|pooler| pooler.has(Need::Copy))
    }

    /// Reports that the calling test is skipped if a pooler keeps its client from what it needs, and returns whether it
    /// does.
    pub(crate) fn skips_behind_pooler(&self, needed: &[Need]) -> bool {
        let Some(pooler) = &self.pooler else { return false };
        let missing: Vec<&str> = needed.iter().filter(|one| !pooler.has(**one)).map(|one| one.description()).collect();
        if !missing.is_empty() {
            relata_devdb::skip(&format!("{} does not {}", pooler.name, missing.join(", ")));
        }
        !missing.is_empty()
    }
}
