//! Administrative statements: create, copy and drop databases.
//!
//! Uses tokio-postgres and not the `postgres` crate: the workspace depends on it already, and `postgres` would panic
//! when it is called from within a tokio runtime, where most tests run. Each call takes a separate thread with a
//! current-thread runtime (about 0.1 ms), so it works with and without a surrounding runtime.
//!
//! No connection stays open between two calls, because a server may have only one.

use crate::error::{Error, chain};
use std::time::Duration;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage, SimpleQueryRow};

/// How often and how long to wait if the server has no free connection or is still starting.
const BUSY_RETRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(250);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A way to reach a server, and its name for messages.
#[derive(Clone)]
pub(crate) struct Admin {
    config: Config,
    /// A redacted URL or a path.
    server: String,
}

/// Why statements failed.
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The SQLSTATE, if the server answered.
    pub(crate) code: Option<SqlState>,
    /// Nothing listens at the address: the server is gone, not busy.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only a cluster of this crate is searched for again"))]
    pub(crate) unreachable: bool,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Admin {
    pub(crate) fn new(mut config: Config, server: String) -> Self {
        config.connect_timeout(CONNECT_TIMEOUT).application_name("relata-devdb");
        Admin { config, server }
    }

    /// Runs `statements` one after another on one connection, and returns the rows of each.
    pub(crate) fn run(&self, statements: &[&str]) -> Result<Vec<Vec<SimpleQueryRow>>, Failure> {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| self.failure_of("start a runtime for", &error))?;
            runtime.block_on(self.run_async(statements))
        };
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    async fn run_async(&self, statements: &[&str]) -> Result<Vec<Vec<SimpleQueryRow>>, Failure> {
        let mut attempts = 0;
        let (client, connection) = loop {
            match self.config.connect(NoTls).await {
                Ok(pair) => break pair,
                Err(error) if is_busy(&error) && attempts < BUSY_RETRIES => {
                    attempts += 1;
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                Err(error) => return Err(self.connect_failure(&error)),
            }
        };
        let driver = tokio::spawn(connection);
        let mut results = Vec::with_capacity(statements.len());
        for statement in statements {
            let messages = client.simple_query(statement).await.map_err(|error| self.failure("ask", &error))?;
            results.push(messages.into_iter().filter_map(row).collect());
        }
        drop(client);
        // The connection ends with the client. Waiting for it sends the Terminate message, so that the server's slot is
        // free again.
        let _ = driver.await;
        Ok(results)
    }

    fn connect_failure(&self, error: &tokio_postgres::Error) -> Failure {
        let mut failure = self.failure("connect to", error);
        if self.config.get_ssl_mode() == SslMode::Require
            && let Error::Server { message, .. } = &mut failure.error
        {
            message.push_str(" (devdb does not speak TLS: use a local server, or sslmode=prefer where it is allowed)");
        }
        failure
    }

    fn failure(&self, verb: &str, error: &tokio_postgres::Error) -> Failure {
        let mut failure = self.failure_of(verb, error);
        failure.code = error.code().cloned();
        failure
    }

    fn failure_of(&self, verb: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
        let action = format!("cannot {verb} {}", self.server);
        Failure {
            error: Error::Server { action, message: chain(error) },
            code: None,
            unreachable: is_unreachable(error),
        }
    }
}

fn row(message: SimpleQueryMessage) -> Option<SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

fn is_busy(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if [SqlState::TOO_MANY_CONNECTIONS, SqlState::CANNOT_CONNECT_NOW].contains(code))
}

fn is_unreachable(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound);
        }
        next = error.source();
    }
    false
}
