//! The checks in the background: one task for the primary and one for each replica, each with a connection of its own, so
//! that a busy pool does not look like a server that is gone. They end with the client.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio_postgres::SimpleQueryMessage;

use super::Replicas;
use super::position::{Position, Seen};
use crate::connection::open::Opener;
use crate::connection::row_security::RowSecurityCheck;
use crate::error::{Error, Result, from_connection};

/// The longest pause after checks that failed.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Checks all servers once, and then again and again.
pub(super) async fn start(replicas: &Arc<Replicas>) -> Result<()> {
    let mut primary = Checker::new(replicas, None)?;
    let each = (0..replicas.list.len()).map(|at| Checker::new(replicas, Some(at)));
    let mut each = each.collect::<Result<Vec<_>>>()?;
    primary.check().await;
    join_all(each.iter_mut().map(Checker::check)).await;
    let tasks = std::iter::once(primary).chain(each).map(|checker| tokio::spawn(checker.run()).abort_handle());
    replicas.keep_tasks(tasks.collect());
    Ok(())
}

/// Checks one server.
struct Checker {
    replicas: Weak<Replicas>,
    /// Which replica; `None` for the primary.
    at: Option<usize>,
    opener: Opener,
    /// For replicas. The primary has been checked when the client connected.
    row_security: Option<Arc<RowSecurityCheck>>,
    link: Option<Link>,
    wake: Arc<tokio::sync::Notify>,
    interval: Duration,
    /// How many checks have failed, one after another.
    failures: u32,
}

/// The connection of a checker.
struct Link {
    client: tokio_postgres::Client,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checker {
    fn new(replicas: &Arc<Replicas>, at: Option<usize>) -> Result<Self> {
        let shared = at.map_or(&replicas.primary, |at| &replicas.list[at].shared);
        Ok(Self {
            replicas: Arc::downgrade(replicas),
            at,
            opener: Opener::new(&shared.options)?,
            row_security: shared.row_security.clone().filter(|_| at.is_some()),
            link: None,
            wake: at.map(|at| Arc::clone(&replicas.list[at].wake)).unwrap_or_default(),
            interval: replicas.settings.interval,
            failures: 0,
        })
    }

    async fn run(mut self) {
        loop {
            let pause = match self.failures {
                0 => self.interval,
                failures => self.interval.saturating_mul(1 << failures.min(10)).min(MAX_PAUSE.max(self.interval)),
            };
            let lost = async {
                match &mut self.link {
                    Some(link) => drop((&mut link.task).await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wake.notified() => {}
                () = lost => self.link = None,
            }
            if self.replicas.strong_count() == 0 {
                return;
            }
            self.check().await;
        }
    }

    /// Asks the server, and notes what it says.
    async fn check(&mut self) {
        let sql = if self.at.is_some() { Seen::ASK } else { Position::ASK };
        let began = Instant::now();
        let answer = self.ask(sql).await;
        let Some(replicas) = self.replicas.upgrade() else { return };
        self.failures = if answer.is_ok() { 0 } else { self.failures.saturating_add(1) };
        match (self.at, answer) {
            (Some(at), Ok(answer)) => match Seen::read(&answer) {
                Some(seen) => replicas.note_replica(at, seen),
                None => replicas.note_failure(at, &Error::Internal("a standby that does not say where it is")),
            },
            (Some(at), Err(error)) => replicas.note_failure(at, &error),
            (None, Ok(answer)) => {
                let is_primary = Position::read(&answer).is_some_and(|position| replicas.note_primary(began, position));
                if !is_primary {
                    self.link = None;
                }
            }
            (None, Err(error)) => {
                tracing::debug!(reason = %error, "the primary could not be asked for its position");
                // A standby does not say it: the server is no primary any more.
                if error.sqlstate() == Some("55000") {
                    replicas.primary.close_idle();
                }
            }
        }
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>> {
        let link = match self.link.take().filter(|link| !link.client.is_closed()) {
            Some(link) => link,
            None => {
                let (client, task) = self.opener.open().await?;
                let link = Link { client, task };
                // Otherwise each read would find out anew.
                if let Some(check) = &self.row_security {
                    check.check(&link.client).await?;
                }
                link
            }
        };
        let limit = (self.interval * 2).max(Duration::from_secs(1));
        let asked = tokio::time::timeout(limit, link.client.simple_query(sql)).await;
        let answer = asked.map_err(|_| Error::Timeout { what: "asking the server where it is", limit })?;
        let answer = answer.map_err(|error| from_connection(&error))?;
        self.link = Some(link);
        Ok(answer)
    }
}
