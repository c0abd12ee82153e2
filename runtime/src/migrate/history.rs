//! The history table: one row for each attempt to run a migration.
//!
//! Rows are never deleted. A failed transactional migration leaves a `rolled_back` row and nothing else; a migration
//! with statements outside a transaction has a `running` row that counts them, so that it can be resumed.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, GenericClient, Row};

use super::engine::Engine;
use super::error::{Error, StatementError, describe};
use super::lease;
use super::source::Migration;

/// The table, in the connection's current schema.
pub const HISTORY_TABLE: &str = "_relata_migrations";

/// The kind of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The statements of a migration ran.
    Apply,
    /// They were undone.
    Down,
    /// The schema existed before the history.
    Baseline,
    /// The state of the database was recorded by hand.
    Resolve,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Down => "down",
            Self::Baseline => "baseline",
            Self::Resolve => "resolve",
        }
    }
}

/// The state of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Applied,
    Failed,
    RolledBack,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// An active row: running, applied or failed. There is at most one for each name.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) checksum: String,
    pub(super) token_checksum: String,
    pub(super) state: State,
    pub(super) steps_done: u32,
    pub(super) step_hashes: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) runner: String,
    pub(super) finished_at: Option<String>,
    /// Whether the session that ran it still exists.
    pub(super) alive: bool,
}

impl Attempt {
    /// Returns whether it ran the statements of this file. The file may be the same although the tokens differ, because
    /// an earlier version of the runner may have tokenized it differently.
    pub(super) fn ran(&self, migration: &Migration) -> bool {
        self.token_checksum == migration.token_checksum() || self.checksum == migration.checksum()
    }
}

/// The history table of one database.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// Quoted and with its schema.
    pub(super) table: String,
    /// Only the schema, not quoted.
    pub(super) schema: String,
    /// Whether the table is that of an engine other than PostgreSQL.
    pub(super) portable: bool,
    /// What must hold when something is written: that the run has its lease.
    pub(super) condition: Option<String>,
}

const COLUMNS: &str = "
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'applied', 'failed', 'rolled_back')),
    checksum text NOT NULL,
    token_checksum text NOT NULL,
    steps_total int NOT NULL,
    steps_done int NOT NULL DEFAULT 0,
    step_hashes text[] NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    error_code text,
    error text,
    error_statement text,
    error_line int,
    tool_version text NOT NULL,
    runner text NOT NULL,
    backend_pid int NOT NULL,
    backend_start timestamptz";

/// The table for other engines: without identity, lists, defaults and partial indexes. A row is written only by the run
/// that has the lease, so there is no process to look for.
const PORTABLE_COLUMNS: &str = "
    id bigint PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    checksum text NOT NULL,
    token_checksum text NOT NULL,
    steps_total bigint NOT NULL,
    steps_done bigint NOT NULL,
    hashes text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    error_code text,
    error text,
    error_statement text,
    error_line bigint,
    tool_version text NOT NULL,
    runner text NOT NULL";

fn database(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Error {
    move |source| Error::Database { doing, source }
}

impl History {
    /// Finds the schema of the table: the first existing one of the search path.
    pub(super) async fn locate(client: &Client, engine: Engine) -> Result<Self, Error> {
        let sql = "SELECT current_schema()::text, current_setting('search_path')::text";
        let row = client.query_one(sql, &[]).await.map_err(database("asking for the current schema"))?;
        let Some(schema) = row.get::<_, Option<String>>(0) else {
            return Err(Error::NoSchema { search_path: row.get(1) });
        };
        let quoted = match engine.is_portable() {
            true => relata_pgsql::ident(&schema),
            // Part of the key of the lock, so as PostgreSQL quotes it.
            false => client
                .query_one("SELECT quote_ident(current_schema())", &[])
                .await
                .map_err(database("asking for the current schema"))?
                .get(0),
        };
        let table = format!("{quoted}.{HISTORY_TABLE}");
        let found = Self { table, schema, portable: engine.is_portable(), condition: None };
        match found.shape(client).await? {
            Some(portable) if portable != found.portable => Err(Error::HistoryOfAnother { portable }),
            _ => Ok(found),
        }
    }

    /// Returns whether the table is that of an engine other than PostgreSQL; none if there is no table.
    async fn shape(&self, client: &Client) -> Result<Option<bool>, Error> {
        let sql = "SELECT count(*), count(CASE WHEN column_name = 'hashes' THEN 1 END) FROM information_schema.columns \
                   WHERE table_schema::text = $1::text AND table_name::text = $2::text";
        let row = client
            .query_one(sql, &[&self.schema, &HISTORY_TABLE])
            .await
            .map_err(database("looking for the history table"))?;
        let (columns, hashes): (i64, i64) = (row.get(0), row.get(1));
        Ok((columns > 0).then_some(hashes > 0))
    }

    pub(super) async fn create(&self, client: &Client) -> Result<(), Error> {
        if self.exists(client).await? {
            return Ok(());
        }
        if self.portable {
            let sql = format!("CREATE TABLE {} ({PORTABLE_COLUMNS})", self.table);
            return client.batch_execute(&sql).await.map_err(database("creating the history table"));
        }
        // The statements of one message are one transaction, so the table is created completely or not at all.
        let sql = format!(
            "CREATE TABLE {table} ({COLUMNS}); CREATE UNIQUE INDEX {HISTORY_TABLE}_live ON {table} (name) \
             WHERE state IN ('running', 'applied', 'failed')",
            table = self.table
        );
        client.batch_execute(&sql).await.map_err(database("creating the history table"))
    }

    pub(super) async fn exists(&self, client: &Client) -> Result<bool, Error> {
        if self.portable {
            return Ok(self.shape(client).await?.is_some());
        }
        let row = client
            .query_one("SELECT to_regclass($1) IS NOT NULL", &[&self.table])
            .await
            .map_err(database("looking for the history table"))?;
        Ok(row.get(0))
    }

    /// The time of the server.
    fn now(&self) -> &'static str {
        if self.portable { "CURRENT_TIMESTAMP" } else { "clock_timestamp()" }
    }

    /// The condition of a statement that writes, behind others.
    fn and_condition(&self) -> String {
        self.condition.as_ref().map_or_else(String::new, |condition| format!(" AND {condition}"))
    }

    /// Returns the active rows, in the order of their names.
    pub(super) async fn read(&self, client: &Client) -> Result<Vec<Attempt>, Error> {
        if !self.exists(client).await? {
            return Ok(Vec::new());
        }
        if self.portable {
            let sql = format!(
                "SELECT id, name, token_checksum, state, steps_done, hashes, error, runner, finished_at::text, kind, \
                 checksum FROM {} WHERE state IN ('running', 'applied', 'failed') ORDER BY name",
                self.table
            );
            let rows = client.query(&sql, &[]).await.map_err(database("reading the history table"))?;
            // A run that has the lease reads the attempts of earlier runs, which have ended.
            let alive = self.condition.is_none() && lease::is_held(client, &relata_pgsql::ident(&self.schema)).await?;
            let read = rows.iter().map(|row| portable_attempt(row, alive)).collect::<Result<Vec<_>, _>>();
            let mut attempts = read.map_err(database("reading the history table"))?;
            // The engine may have another order of texts.
            attempts.sort_by(|one, other| one.name.cmp(&other.name));
            return Ok(attempts);
        }
        let sql = format!(
            "SELECT m.id, m.name, m.token_checksum, m.state, m.steps_done, m.step_hashes, m.error, m.runner,
                    to_char(m.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\" UTC\"'),
                    EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = m.backend_pid
                            AND a.backend_start = m.backend_start AND a.pid <> pg_backend_pid()), m.kind, m.checksum
             FROM {} m WHERE m.state IN ('running', 'applied', 'failed') ORDER BY m.name COLLATE \"C\"",
            self.table
        );
        let rows = client.query(&sql, &[]).await.map_err(database("reading the history table"))?;
        rows.iter().map(attempt).collect::<Result<_, _>>().map_err(database("reading the history table"))
    }

    /// Writes the row of a new attempt and returns its id.
    pub(super) async fn insert(
        &self,
        client: &impl GenericClient,
        migration: &Migration,
        (kind, state): (Kind, State),
        runner: &str,
    ) -> Result<i64, tokio_postgres::Error> {
        let total = count(migration.script().statements().count());
        let (done, hashes) = match state {
            State::Applied => (total, migration.step_hashes()),
            _ => (0, Vec::new()),
        };
        if self.portable {
            let sql = format!(
                "INSERT INTO {table} (id, name, kind, state, checksum, token_checksum, steps_total, steps_done, hashes,
                                      started_at, tool_version, runner)
                 SELECT COALESCE((SELECT max(id) FROM {table}), 0) + 1, $1::text, $2::text, $3::text, $4::text, $5::text,
                        $6::bigint, $7::bigint, $8::text, CURRENT_TIMESTAMP, $9::text, $10::text
                 WHERE {condition} RETURNING id",
                table = self.table,
                condition = self.condition.as_deref().unwrap_or("true")
            );
            let params: [&(dyn ToSql + Sync); 10] = [
                &migration.name(),
                &kind.as_str(),
                &state.as_str(),
                &migration.checksum(),
                &migration.token_checksum(),
                &i64::from(total),
                &i64::from(done),
                &hashes.join(" "),
                &env!("CARGO_PKG_VERSION"),
                &runner,
            ];
            return client.query_one(&sql, &params).await?.try_get(0);
        }
        let sql = format!(
            "INSERT INTO {} (name, kind, state, checksum, token_checksum, steps_total, steps_done, step_hashes,
                             tool_version, runner, backend_pid, backend_start)
             SELECT $1, $10, $2, $3, $4, $5, $6, $7, $8, $9, pg_backend_pid(),
                    (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
             RETURNING id",
            self.table
        );
        let row = client
            .query_one(
                &sql,
                &[
                    &migration.name(),
                    &state.as_str(),
                    &migration.checksum(),
                    &migration.token_checksum(),
                    &total,
                    &done,
                    &hashes,
                    &env!("CARGO_PKG_VERSION"),
                    &runner,
                    &kind.as_str(),
                ],
            )
            .await?;
        row.try_get(0)
    }

    /// Takes over the row of an interrupted or failed attempt.
    pub(super) async fn resume(
        &self,
        client: &Client,
        id: i64,
        migration: &Migration,
        runner: &str,
    ) -> Result<(), tokio_postgres::Error> {
        let total = count(migration.script().statements().count());
        if self.portable {
            let sql = format!(
                "UPDATE {} SET state = 'running', checksum = $2, token_checksum = $3, steps_total = $4, runner = $5,
                        error_code = NULL, error = NULL, error_statement = NULL, error_line = NULL
                 WHERE id = $1{}",
                self.table,
                self.and_condition()
            );
            let (checksum, tokens) = (migration.checksum(), migration.token_checksum());
            return client.execute(&sql, &[&id, &checksum, &tokens, &i64::from(total), &runner]).await.map(drop);
        }
        let sql = format!(
            "UPDATE {} SET state = 'running', checksum = $2, token_checksum = $3, steps_total = $4, runner = $5,
                    error_code = NULL, error = NULL, error_statement = NULL, error_line = NULL,
                    backend_pid = pg_backend_pid(),
                    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
             WHERE id = $1",
            self.table
        );
        client
            .execute(&sql, &[&id, &migration.checksum(), &migration.token_checksum(), &total, &runner])
            .await
            .map(drop)
    }

    /// Counts statements that are done. Returns the number of changed rows, which is none if the lease is lost.
    pub(super) async fn advance(
        &self,
        client: &impl GenericClient,
        id: i64,
        hashes: &[&str],
    ) -> Result<u64, tokio_postgres::Error> {
        if self.portable {
            let condition = self.and_condition();
            let sql = format!("UPDATE {} SET steps_done = $2, hashes = $3 WHERE id = $1{condition}", self.table);
            return client.execute(&sql, &[&id, &i64::from(count(hashes.len())), &hashes.join(" ")]).await;
        }
        let sql = format!("UPDATE {} SET steps_done = $2, step_hashes = $3 WHERE id = $1", self.table);
        client.execute(&sql, &[&id, &count(hashes.len()), &hashes]).await
    }

    pub(super) async fn finish(
        &self,
        client: &impl GenericClient,
        id: i64,
        state: State,
    ) -> Result<u64, tokio_postgres::Error> {
        let (now, condition) = (self.now(), self.and_condition());
        let sql = format!("UPDATE {} SET state = $2, finished_at = {now} WHERE id = $1{condition}", self.table);
        client.execute(&sql, &[&id, &state.as_str()]).await
    }

    /// Closes the active row of `name`, if there is one.
    pub(super) async fn close(&self, client: &impl GenericClient, name: &str) -> Result<(), tokio_postgres::Error> {
        let sql = format!(
            "UPDATE {} SET state = 'rolled_back', finished_at = COALESCE(finished_at, {})
             WHERE name = $1 AND state IN ('running', 'applied', 'failed'){}",
            self.table,
            self.now(),
            self.and_condition()
        );
        client.execute(&sql, &[&name]).await.map(drop)
    }

    /// Records why an attempt ended.
    pub(super) async fn fail(
        &self,
        client: &Client,
        id: i64,
        state: State,
        error: &StatementError,
    ) -> Result<(), tokio_postgres::Error> {
        let sql = format!(
            "UPDATE {} SET state = $2, finished_at = {}, error_code = $3, error = $4,
                    error_statement = $5, error_line = $6 WHERE id = $1{}",
            self.table,
            self.now(),
            self.and_condition()
        );
        let code = error.source.code().map(|code| code.code().to_owned());
        let line = i32::try_from(error.line).unwrap_or(i32::MAX);
        let (text, long) = (describe(&error.source), i64::from(line));
        let line: &(dyn ToSql + Sync) = if self.portable { &long } else { &line };
        client.execute(&sql, &[&id, &state.as_str(), &code, &text, &error.statement, line]).await.map(drop)
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// `alive`: another run has the lease.
fn portable_attempt(row: &Row, alive: bool) -> Result<Attempt, tokio_postgres::Error> {
    let hashes: String = row.try_get(5)?;
    Ok(Attempt {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        kind: kind(row.try_get(9)?),
        checksum: row.try_get(10)?,
        token_checksum: row.try_get(2)?,
        state: state(row.try_get(3)?),
        steps_done: u32::try_from(row.try_get::<_, i64>(4)?).unwrap_or(0),
        step_hashes: hashes.split_whitespace().map(str::to_owned).collect(),
        error: row.try_get(6)?,
        runner: row.try_get(7)?,
        finished_at: row.try_get(8)?,
        alive,
    })
}

fn kind(text: &str) -> Kind {
    match text {
        "down" => Kind::Down,
        "baseline" => Kind::Baseline,
        "resolve" => Kind::Resolve,
        _ => Kind::Apply,
    }
}

fn state(text: &str) -> State {
    match text {
        "applied" => State::Applied,
        "failed" => State::Failed,
        _ => State::Running,
    }
}

fn attempt(row: &Row) -> Result<Attempt, tokio_postgres::Error> {
    Ok(Attempt {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        kind: kind(row.try_get(10)?),
        checksum: row.try_get(11)?,
        token_checksum: row.try_get(2)?,
        state: state(row.try_get(3)?),
        steps_done: u32::try_from(row.try_get::<_, i32>(4)?).unwrap_or(0),
        step_hashes: row.try_get(5)?,
        error: row.try_get(6)?,
        runner: row.try_get(7)?,
        finished_at: row.try_get(8)?,
        alive: row.try_get(9)?,
    })
}
