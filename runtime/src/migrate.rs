//! Migrations: their history in a database, and the runner that brings the database up to date.
//!
//! A program can embed its migrations and run them at start; `codegen migrate` runs the same code. The connection must
//! be a separate, direct one: the lock and the settings belong to a session, and a pooler would lose them.
//!
//! ```no_run
//! use relata::migrate::{self, Migrations, Options};
//!
//! # async fn start(mut client: tokio_postgres::Client) -> Result<(), migrate::Error> {
//! let migrations = Migrations::from_static(&[
//!     ("20260101000000_init", "CREATE TABLE notes (id int PRIMARY KEY)"),
//! ])?;
//! let report = migrate::deploy(&mut client, &migrations, &Options::default()).await?;
//! println!("applied {}", report.applied.len());
//! # Ok(())
//! # }
//! ```
//!
//! The following is guaranteed, even after `kill -9`:
//! - A migration of one transactional segment is applied together with its history row, or not at all.
//! - A migration of several segments has a row that counts its statements; the next deploy resumes there.
//! - Two deploys never run at the same time. The second one waits, and then finds nothing to do.

mod compare;
mod engine;
mod error;
mod execute;
mod history;
mod lease;
mod lock;
mod partitions;
mod reconcile;
mod reset;
mod resolve;
mod run;
mod script;
mod session;
mod source;
mod stepwise;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;

pub use compare::Problem;
use compare::{Comparison, compare};
pub use engine::{Engine, EngineProfile};
pub use error::{Aftermath, Error, StatementError};
pub use history::HISTORY_TABLE;
use history::{History, Kind};
use lease::Lease;
pub use lease::{LOCK_TABLE, LeaseHolder};
pub use lock::Holder;
pub use partitions::{Ahead, Every, NewPartition, PartitionError, create_partitions, missing_partitions};
pub use resolve::Resolution;
use run::Runner;
pub use script::{Script, ScriptError, Segment, SegmentMode, Statement};
use session::Session;
pub use source::{Migration, Migrations, Replaced};

/// Called with each [`Event`].
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// How to run migrations.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long to wait for another run to end. Five minutes by default.
    pub lock_wait: Duration,
    /// `lock_timeout` of each statement: how long it may block others that wait behind it. Three seconds by default.
    pub lock_timeout: Duration,
    /// How often a segment is retried after a lock timeout or a deadlock. Five times by default.
    pub retries: u32,
    /// Whether to run migrations that are older than the last applied one, instead of refusing them.
    pub allow_out_of_order: bool,
    /// The engine, if the runner should not ask the server what it is.
    pub engine: Option<Engine>,
    /// A second connection to the same database, for engines without advisory locks: the lock is then a row, which this
    /// connection renews while the other one runs a statement. PostgreSQL does not need it.
    pub renews: Option<Arc<Client>>,
    /// How long that lock lasts if it is not renewed. A run that was killed blocks others for so long. 30 seconds by
    /// default.
    pub lease: Duration,
    /// Schemas that [`reset`] empties, besides the connection's current one.
    pub schemas: Vec<String>,
    /// Called with each event, to show progress.
    pub on_event: Option<Listener>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(300),
            lock_timeout: Duration::from_secs(3),
            retries: 5,
            allow_out_of_order: false,
            engine: None,
            renews: None,
            lease: Duration::from_secs(30),
            schemas: Vec::new(),
            on_event: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("lock_wait", &self.lock_wait)
            .field("lock_timeout", &self.lock_timeout)
            .field("retries", &self.retries)
            .field("allow_out_of_order", &self.allow_out_of_order)
            .field("engine", &self.engine)
            .field("lease", &self.lease)
            .field("schemas", &self.schemas)
            .finish_non_exhaustive()
    }
}

impl Options {
    fn announce(&self, event: &Event) {
        tracing::debug!(?event, "migrate");
        if let Some(listener) = &self.on_event {
            listener(event);
        }
    }
}

/// Something that happened during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Another run holds the lock.
    WaitingForLock {
        /// The other run.
        holder: Holder,
    },
    /// Another run has the lease of the lock.
    WaitingForLease {
        /// The other run.
        holder: LeaseHolder,
    },
    /// A statement of an interrupted run had taken effect, although it was not counted.
    Found {
        /// Its migration.
        name: String,
        /// Its line in the file.
        line: u32,
    },
    /// A migration begins.
    Applying {
        /// Its name.
        name: String,
        /// The number of statements.
        statements: usize,
    },
    /// A migration resumes where an earlier attempt stopped.
    Resuming {
        /// Its name.
        name: String,
        /// The number of statements that were done.
        done: u32,
    },
    /// A segment of a migration is committed.
    Progress {
        /// Its name.
        name: String,
        /// Statements done.
        done: usize,
        /// Statements in all.
        total: usize,
    },
    /// A segment is retried after a pause.
    Retrying {
        /// Its migration.
        name: String,
        /// The error of the server.
        reason: String,
        /// The number of the retry, from 1.
        attempt: u32,
    },
    /// A migration is applied.
    Applied {
        /// Its name.
        name: String,
    },
    /// A migration is undone.
    Undone {
        /// Its name.
        name: String,
    },
}

/// The result of [`deploy`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The migrations it applied, in order.
    pub applied: Vec<String>,
    /// The number of migrations that were already applied.
    pub already_applied: usize,
}

/// The result of [`reset`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResetReport {
    /// The schemas it emptied.
    pub schemas: Vec<String>,
    /// The number of dropped tables, views, sequences, types and functions.
    pub dropped: usize,
    /// The migrations it applied afterwards.
    pub applied: Vec<String>,
}

/// The migrations of a database, compared with the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Applied migrations.
    pub applied: Vec<AppliedMigration>,
    /// Migrations that a deploy would run.
    pub pending: Vec<String>,
    /// Contradictions.
    pub problems: Vec<Problem>,
}

/// An applied migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its name.
    pub name: String,
    /// When it was applied, in UTC, as text.
    pub finished_at: Option<String>,
    /// The program that ran it.
    pub runner: String,
}

/// Runs the migrations that the database has not seen, in order.
///
/// First waits for another run to end, then reads the history. If the future is dropped, the run ends where it is, and
/// the lock is held until the connection is closed.
///
/// ```
/// # use plain_planner::*;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use relata::migrate::{self, Migrations};
///
/// let migrations = Migrations::from_dir("migrations")?;
/// let mut connection = "postgres://planner@localhost/exams".parse::<relata::ConnectOptions>()?.connect_direct().await?;
/// let report = migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await?;
/// println!("applied {:?}", report.applied);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the history contradicts the files (then nothing is run), a statement fails, the lock is not available, or the
/// connection fails. See [`Error`].
pub async fn deploy(client: &mut Client, migrations: &Migrations, options: &Options) -> Result<Report, Error> {
    let run = async |cx: &mut Locked<'_>| cx.deploy(migrations).await;
    locked(client, options, run).await
}

/// Compares the database with the files. Changes nothing and takes no lock.
///
/// # Errors
///
/// If the connection fails.
pub async fn status(client: &Client, migrations: &Migrations) -> Result<Status, Error> {
    let engine = Engine::detect(client).await?;
    let history = match History::locate(client, engine).await {
        // The history says for which engine it was chosen.
        Err(Error::HistoryOfAnother { portable }) => History::locate(client, Engine::with_history(portable)).await?,
        found => found?,
    };
    let Comparison { applied, pending, problems } = compare(migrations, history.read(client).await?, false);
    let applied = applied.into_iter().map(|attempt| AppliedMigration {
        name: attempt.name,
        finished_at: attempt.finished_at,
        runner: attempt.runner,
    });
    Ok(Status {
        applied: applied.collect(),
        pending: pending.into_iter().map(|(migration, _)| migration.name().to_owned()).collect(),
        problems,
    })
}

/// Empties the current schema and [`Options::schemas`], then runs all migrations.
///
/// Drops the tables, views, materialized views, foreign tables, sequences, types and functions in these schemas, with
/// all data and the history. Keeps the schemas themselves and their privileges, extensions and their objects, roles,
/// and everything in other schemas.
///
/// # Errors
///
/// If something in another schema depends on what would be dropped (then nothing is dropped), and the same as
/// [`deploy`].
pub async fn reset(client: &mut Client, migrations: &Migrations, options: &Options) -> Result<ResetReport, Error> {
    let run = async |cx: &mut Locked<'_>| {
        if cx.history.portable {
            let problem = "reset needs PostgreSQL's catalogs; drop the database and create it again, then deploy";
            return Err(Error::NotForEngine { engine: cx.engine, problem });
        }
        let mut schemas = vec![cx.history.schema.clone()];
        schemas.extend(options.schemas.iter().filter(|schema| **schema != cx.history.schema).cloned());
        let dropped = reset::empty(cx.client, &schemas).await?;
        let report = cx.deploy(migrations).await?;
        Ok(ResetReport { schemas, dropped, applied: report.applied })
    };
    locked(client, options, run).await
}

/// Records a manual resolution of a migration. [`Resolution::Retry`] also runs the rest of it.
///
/// # Errors
///
/// If that contradicts the history ([`Error::Unresolvable`]), and the same as [`deploy`].
pub async fn resolve(
    client: &mut Client,
    migrations: &Migrations,
    name: &str,
    resolution: Resolution,
    options: &Options,
) -> Result<(), Error> {
    let run = async |cx: &mut Locked<'_>| cx.resolve(migrations, name, resolution).await;
    locked(client, options, run).await
}

/// Records that the database already has all migrations up to `last`, and returns their names. Runs nothing.
///
/// # Errors
///
/// If the database has a history ([`Error::HasHistory`]), and the same as [`deploy`].
pub async fn baseline(
    client: &mut Client,
    migrations: &Migrations,
    last: &str,
    options: &Options,
) -> Result<Vec<String>, Error> {
    let run = async |cx: &mut Locked<'_>| cx.baseline(migrations, last).await;
    locked(client, options, run).await
}

/// Undoes the last applied migrations, latest first, and returns their names in that order. `undo` has, for each name,
/// the statements that undo it. Each runs like a migration: in one transaction with its row, or with counted
/// statements.
///
/// # Errors
///
/// If `undo` does not contain the last migrations of the history ([`Error::NotTheLast`]), and the same as [`deploy`].
pub async fn down(
    client: &mut Client,
    migrations: &Migrations,
    undo: &Migrations,
    options: &Options,
) -> Result<Vec<String>, Error> {
    let run = async |cx: &mut Locked<'_>| cx.down(migrations, undo).await;
    locked(client, options, run).await
}

/// Runs SQL that is not a migration, and returns the number of its statements. `name` is its name in errors.
///
/// Markers divide it into segments, as in a `migration.sql`; without one, all of it is one transaction. Waits for a
/// migration run to end, and leaves no row in the history.
///
/// # Errors
///
/// If the text is not well-formed (then nothing is run), a statement fails, or the lock is not available.
pub async fn execute(client: &mut Client, name: &str, sql: &str, options: &Options) -> Result<usize, Error> {
    let script = Migration::new(name, name.into(), sql)?;
    let run = async |cx: &mut Locked<'_>| cx.execute(&script).await;
    locked(client, options, run).await
}

/// Returns the schema that [`reset`] would empty.
///
/// # Errors
///
/// If no schema of the search path exists, or the connection fails.
pub async fn current_schema(client: &Client) -> Result<String, Error> {
    let row = client.query_one("SELECT current_schema()::text, current_setting('search_path')::text", &[]).await;
    let row = row.map_err(|source| Error::Database { doing: "asking for the current schema", source })?;
    row.get::<_, Option<String>>(0).ok_or_else(|| Error::NoSchema { search_path: row.get(1) })
}

/// A connection that holds the migration lock.
struct Locked<'a> {
    client: &'a mut Client,
    engine: Engine,
    lease: Option<Lease>,
    history: History,
    session: Session,
    options: &'a Options,
}

/// Runs `work` under the lock and with the runner's settings, and restores both.
async fn locked<'a, T>(
    client: &'a mut Client,
    options: &'a Options,
    work: impl AsyncFnOnce(&mut Locked<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let engine = match options.engine {
        Some(engine) => engine,
        None => Engine::detect(client).await?,
    };
    let history = History::locate(client, engine).await?;
    let session = Session::open(client, engine, options).await?;
    let mut cx = Locked { client, engine, lease: None, history, session, options };
    let result = async {
        cx.session.prepare(cx.client).await?;
        match engine.profile().advisory_locks {
            true => cx.under_lock(work).await,
            false => cx.under_lease(work).await,
        }
    }
    .await;
    cx.session.close(cx.client).await;
    result
}

impl<'a> Locked<'a> {
    async fn under_lock<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        lock::acquire(self.client, &self.history.table, self.options).await?;
        let result = work(self).await;
        lock::release(self.client, &self.history.table).await;
        result
    }

    async fn under_lease<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let renews = self.options.renews.clone().ok_or(Error::NoRenewal { engine: self.engine })?;
        let schema = relata_pgsql::ident(&self.history.schema);
        let lease = lease::acquire(self.client, renews, &schema, &runner_name(), self.options).await?;
        self.history.condition = Some(lease.condition());
        self.lease = Some(lease);
        let result = work(self).await;
        let Some(lease) = self.lease.take() else { return result };
        // Whatever else went wrong, that the lease is lost explains it.
        let result = match result {
            Err(error) if !matches!(error, Error::LeaseLost { .. }) => match lease.check(self.client).await {
                Err(lost @ Error::LeaseLost { .. }) => Err(lost),
                _ => Err(error),
            },
            other => other,
        };
        lease.release(self.client).await;
        result
    }
}

impl Locked<'_> {
    async fn deploy(&mut self, migrations: &Migrations) -> Result<Report, Error> {
        self.history.create(self.client).await?;
        let attempts = self.history.read(self.client).await?;
        let Comparison { applied, pending, mut problems } =
            compare(migrations, attempts, self.options.allow_out_of_order);
        problems.retain(Problem::blocks_deploy);
        if !problems.is_empty() {
            return Err(Error::History { problems });
        }
        self.refuse_what_is_missing(pending.iter().map(|(migration, _)| *migration))?;
        let mut report = Report { applied: Vec::new(), already_applied: applied.len() };
        for (migration, earlier) in pending {
            let name = migration.name().to_owned();
            let statements = migration.script().statements().count();
            self.options.announce(&Event::Applying { name: name.clone(), statements });
            self.runner(Kind::Apply).run(migration, earlier).await?;
            self.options.announce(&Event::Applied { name: name.clone() });
            report.applied.push(name);
        }
        Ok(report)
    }

    /// Fails if the engine lacks a statement of one of the migrations.
    fn refuse_what_is_missing<'m>(&self, migrations: impl Iterator<Item = &'m Migration>) -> Result<(), Error> {
        let statements: Vec<String> = migrations.flat_map(|migration| self.engine.refuses(migration)).collect();
        if statements.is_empty() {
            return Ok(());
        }
        Err(Error::NotInEngine { engine: self.engine, statements })
    }

    fn runner(&mut self, kind: Kind) -> Runner<'_> {
        Runner {
            client: self.client,
            history: &self.history,
            session: &self.session,
            options: self.options,
            kind,
            name: runner_name(),
            lease: self.lease.as_ref(),
        }
    }
}

/// Returns the program and its process id, so that a person can find out who ran a migration.
fn runner_name() -> String {
    let program = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    format!("{}:{}", program.unwrap_or_else(|| "unknown".to_owned()), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_futures_can_be_spawned() {
        fn spawnable<T: Send>(_: impl Fn(&'static mut Client, &'static Migrations, &'static Options) -> T) {}
        spawnable(deploy);
        spawnable(reset);
        spawnable(|client, migrations, options| resolve(client, migrations, "x", Resolution::Retry, options));
        spawnable(|client, migrations, options| baseline(client, migrations, "x", options));
        spawnable(|client, _, options| execute(client, "x", "", options));
        spawnable(|client, migrations, options| down(client, migrations, migrations, options));
    }
}
