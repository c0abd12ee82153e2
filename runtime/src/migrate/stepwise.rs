//! Runs a migration where statements that change the schema are not part of a transaction: one statement after another,
//! each counted in the history.
//!
//! Before each statement, the run checks its lease. A statement that changes rows is counted in its own transaction, so
//! it happens once. Any other one may have happened without being counted if the run was killed in between. The next
//! run then sends it again, and takes the server's answer that the object exists, or is gone, for its success.

use tokio_postgres::Error as PgError;
use tokio_postgres::error::SqlState;

use relata_pgsql::{Token, tokens};

use super::Event;
use super::error::{Error, Place};
use super::history::Attempt;
use super::run::{Failure, Leftover, Progress, Runner};
use super::script::Statement;
use super::source::Migration;

impl Runner<'_> {
    /// Runs `migration`, starting where `earlier` stopped.
    pub(super) async fn run_stepwise(&mut self, migration: &Migration, earlier: Option<Attempt>) -> Result<(), Error> {
        self.check_lease().await?;
        let mut progress = self.begin(migration, earlier).await?;
        let done = progress.done;
        for statement in migration.script().statements().skip(done) {
            self.step(statement, &mut progress).await?;
        }
        self.check_lease().await?;
        let written = self.history.finish(self.client, progress.id, self.end()).await;
        self.is_written(written.map_err(|source| Error::Database { doing: "writing the history", source })?).await
    }

    async fn step(&mut self, statement: &Statement, progress: &mut Progress<'_>) -> Result<(), Error> {
        let mut attempt = 0;
        let written = loop {
            self.check_lease().await?;
            let failure = match self.try_step(statement, progress).await {
                Ok(written) => break written,
                Err(failure) => failure,
            };
            if progress.leftover == Leftover::Uncertain && has_happened(&failure.source, &statement.sql) {
                let name = progress.migration.name().to_owned();
                self.options.announce(&Event::Found { name, line: statement.line });
                let counted = self.count(progress).await;
                break counted.map_err(|source| Error::Database { doing: "writing the history", source })?;
            }
            progress.leftover = Leftover::Refused;
            if self.pause_before_retry(progress.migration, &failure.source, &mut attempt).await.is_break() {
                return Err(self.note_failure(progress, failure).await);
            }
        };
        self.is_written(written).await?;
        progress.leftover = Leftover::Nothing;
        progress.done += 1;
        self.announce_step(progress);
        Ok(())
    }

    /// Returns how many rows of the history were changed: none if the lease is lost.
    async fn try_step<'m>(&mut self, statement: &'m Statement, progress: &Progress<'_>) -> Result<u64, Failure<'m>> {
        if !changes_rows(&statement.sql) {
            self.client.execute_typed(&statement.sql, &[]).await.map_err(Failure::at(Place::Statement(statement)))?;
            return self.count(progress).await.map_err(Failure::at(Place::History));
        }
        let hashes = &progress.hashes[..=progress.done];
        let transaction = self.client.transaction().await.map_err(Failure::at(Place::Begin))?;
        transaction.execute_typed(&statement.sql, &[]).await.map_err(Failure::at(Place::Statement(statement)))?;
        let written = self.history.advance(&transaction, progress.id, hashes).await;
        let written = written.map_err(Failure::at(Place::History))?;
        if written > 0 {
            transaction.commit().await.map_err(Failure::at(Place::Commit))?;
        }
        Ok(written)
    }

    /// Counts a statement that has taken effect. Another transaction may be in the way for a moment.
    async fn count(&self, progress: &Progress<'_>) -> Result<u64, PgError> {
        let hashes = &progress.hashes[..=progress.done];
        let mut attempt = 0;
        loop {
            let error = match self.history.advance(&*self.client, progress.id, hashes).await {
                Ok(written) => return Ok(written),
                Err(error) => error,
            };
            if self.pause_before_retry(progress.migration, &error, &mut attempt).await.is_break() {
                return Err(error);
            }
        }
    }

    async fn check_lease(&self) -> Result<(), Error> {
        match self.lease {
            Some(lease) => lease.check(self.client).await,
            None => Ok(()),
        }
    }

    /// Fails if nothing was written, because the lease has gone to another run.
    async fn is_written(&self, rows: u64) -> Result<(), Error> {
        if rows > 0 {
            return Ok(());
        }
        self.check_lease().await?;
        Err(Error::LeaseLost { holder: None })
    }
}

/// Returns whether a statement reads or changes rows, and may be in a transaction with others of its kind.
fn changes_rows(sql: &str) -> bool {
    let first = tokens(sql).find(|token| !token.is_comment());
    let words = ["insert", "update", "delete", "with", "select", "merge", "values"];
    first.is_some_and(|first| words.iter().any(|word| first.is_word(sql, word)))
}

/// Returns whether the server refuses a statement because it has already taken effect.
fn has_happened(error: &PgError, sql: &str) -> bool {
    let Some(code) = error.code() else { return false };
    let created = [
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_COLUMN,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_FUNCTION,
    ];
    let dropped = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_OBJECT,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    let words: Vec<Token> = tokens(sql).filter(|token| !token.is_comment()).collect();
    let first = |word: &str| words.first().is_some_and(|token| token.is_word(sql, word));
    // The action of ALTER TABLE [IF EXISTS] [ONLY] name action.
    let has = |word: &str| words.iter().any(|token| token.is_word(sql, word));
    if first("create") || (first("alter") && has("add")) {
        return created.contains(code);
    }
    let is_gone = first("drop") || (first("alter") && (has("drop") || has("rename")));
    is_gone && dropped.contains(code)
}
