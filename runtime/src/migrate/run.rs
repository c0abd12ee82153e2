//! Runs one migration: in one transaction with its history row, or segment by segment with a row that counts the
//! statements.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as PgError};

use super::error::{Aftermath, Error, Place, StatementError};
use super::history::{Attempt, History, Kind, State};
use super::lease::Lease;
use super::reconcile::{Effect, drop_invalid, effect, find_index, has_happened, is_concurrent};
use super::resolve::open_row;
use super::script::{Segment, SegmentMode, Statement};
use super::session::Session;
use super::source::Migration;
use super::{Event, Options};

/// The context of a run.
pub(super) struct Runner<'a> {
    pub(super) client: &'a mut Client,
    pub(super) history: &'a History,
    pub(super) session: &'a Session,
    pub(super) options: &'a Options,
    /// Whether statements are applied or undo a migration.
    pub(super) kind: Kind,
    /// The name of the program, for the history.
    pub(super) name: String,
    /// The lease of this run, where the lock is one.
    pub(super) lease: Option<&'a Lease>,
}

/// The place and the cause of a failure.
pub(super) struct Failure<'m> {
    pub(super) place: Place<'m>,
    pub(super) source: PgError,
}

impl<'m> Failure<'m> {
    pub(super) fn at(place: Place<'m>) -> impl FnOnce(PgError) -> Self {
        move |source| Self { place, source }
    }
}

/// The progress of a migration with several segments.
pub(super) struct Progress<'m> {
    pub(super) id: i64,
    pub(super) migration: &'m Migration,
    pub(super) hashes: Vec<&'m str>,
    pub(super) done: usize,
    pub(super) leftover: Leftover,
}

/// What an earlier attempt at the next statement may have left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftover {
    /// There was no attempt.
    Nothing,
    /// The server refused it: it had no effect, but an index that could not be built stays behind, invalid.
    Refused,
    /// The process was killed: it may have taken effect without being counted.
    Uncertain,
}

impl Runner<'_> {
    /// Runs `migration`, starting where `earlier` stopped.
    pub(super) async fn run(&mut self, migration: &Migration, earlier: Option<Attempt>) -> Result<(), Error> {
        self.session.prepare(self.client).await?;
        if self.history.portable {
            return self.run_stepwise(migration, earlier).await;
        }
        if migration.script().is_atomic() && earlier.is_none() {
            return self.run_atomic(migration).await;
        }
        let mut progress = self.begin(migration, earlier).await?;
        let mut first = 0;
        for segment in &migration.script().segments {
            let end = first + segment.statements.len();
            if progress.done < end {
                let skip = progress.done.saturating_sub(first);
                self.run_segment(segment, skip, &mut progress).await?;
            }
            first = end;
        }
        self.history
            .finish(self.client, progress.id, self.end())
            .await
            .map(drop)
            .map_err(|source| Error::Database { doing: "writing the history", source })
    }

    /// Returns the final state of a row. That of an undone migration is not active.
    pub(super) fn end(&self) -> State {
        if self.kind == Kind::Down { State::RolledBack } else { State::Applied }
    }

    async fn run_atomic(&mut self, migration: &Migration) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            let Err(failure) = self.try_atomic(migration).await else { return Ok(()) };
            if is_unique_violation_of_history(&failure) {
                return Err(Error::Running { name: migration.name().to_owned() });
            }
            if self.pause_before_retry(migration, &failure.source, &mut attempt).await.is_break() {
                return Err(self.note_rollback(migration, failure).await);
            }
        }
    }

    async fn try_atomic<'m>(&mut self, migration: &'m Migration) -> Result<(), Failure<'m>> {
        let (row, end) = ((self.kind, State::Applied), self.end());
        let transaction = self.client.transaction().await.map_err(Failure::at(Place::Begin))?;
        let id = open_row(&transaction, self.history, migration, row, &self.name)
            .await
            .map_err(Failure::at(Place::History))?;
        for statement in migration.script().statements() {
            transaction.execute_typed(&statement.sql, &[]).await.map_err(Failure::at(Place::Statement(statement)))?;
        }
        self.session.take_back_role(&transaction).await.map_err(Failure::at(Place::History))?;
        self.history.finish(&transaction, id, end).await.map_err(Failure::at(Place::History))?;
        transaction.commit().await.map_err(Failure::at(Place::Commit))
    }

    /// Leaves a `rolled_back` row. If that fails, the original error is more important.
    async fn note_rollback(&mut self, migration: &Migration, failure: Failure<'_>) -> Error {
        let aftermath = if self.kind == Kind::Down { Aftermath::StillApplied } else { Aftermath::RolledBack };
        let error = StatementError::new(migration, failure.place, aftermath, failure.source);
        let noted = async {
            self.session.prepare(self.client).await.ok()?;
            let id =
                self.history.insert(self.client, migration, (self.kind, State::RolledBack), &self.name).await.ok()?;
            self.history.fail(self.client, id, State::RolledBack, &error).await.ok()
        };
        if noted.await.is_none() {
            tracing::warn!(migration = migration.name(), "the failed attempt could not be written to the history");
        }
        Error::Statement(Box::new(error))
    }

    pub(super) async fn begin<'m>(
        &mut self,
        migration: &'m Migration,
        earlier: Option<Attempt>,
    ) -> Result<Progress<'m>, Error> {
        let hashes = migration.step_hashes();
        let wrote = |source| Error::Database { doing: "writing the history", source };
        let Some(earlier) = earlier else {
            let id = match self.open_running(migration).await {
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                    return Err(Error::Running { name: migration.name().to_owned() });
                }
                other => other.map_err(wrote)?,
            };
            return Ok(Progress { id, migration, hashes, done: 0, leftover: Leftover::Nothing });
        };
        let done = usize::try_from(earlier.steps_done).unwrap_or(0).min(hashes.len());
        self.history.resume(self.client, earlier.id, migration, &self.name).await.map_err(wrote)?;
        self.options.announce(&Event::Resuming { name: migration.name().to_owned(), done: earlier.steps_done });
        let leftover = if earlier.state == State::Running { Leftover::Uncertain } else { Leftover::Refused };
        Ok(Progress { id: earlier.id, migration, hashes, done, leftover })
    }

    async fn open_running(&mut self, migration: &Migration) -> Result<i64, PgError> {
        let transaction = self.client.transaction().await?;
        let id = open_row(&transaction, self.history, migration, (self.kind, State::Running), &self.name).await?;
        transaction.commit().await?;
        Ok(id)
    }

    async fn run_segment(&mut self, segment: &Segment, skip: usize, progress: &mut Progress<'_>) -> Result<(), Error> {
        let statements = &segment.statements[skip..];
        self.session.prepare(self.client).await?;
        match segment.mode {
            SegmentMode::Transactional => self.run_transactional(statements, progress).await?,
            SegmentMode::Outside => {
                for statement in statements {
                    self.run_outside(statement, progress).await?;
                }
            }
        }
        progress.leftover = Leftover::Nothing;
        Ok(())
    }

    async fn run_transactional(&mut self, statements: &[Statement], progress: &mut Progress<'_>) -> Result<(), Error> {
        let done = progress.done + statements.len();
        let mut attempt = 0;
        loop {
            let Err(failure) = self.try_transactional(statements, progress, done).await else { break };
            if self.pause_before_retry(progress.migration, &failure.source, &mut attempt).await.is_break() {
                return Err(self.note_failure(progress, failure).await);
            }
        }
        progress.done = done;
        self.announce_step(progress);
        Ok(())
    }

    async fn try_transactional<'m>(
        &mut self,
        statements: &'m [Statement],
        progress: &Progress<'_>,
        done: usize,
    ) -> Result<(), Failure<'m>> {
        let transaction = self.client.transaction().await.map_err(Failure::at(Place::Begin))?;
        for statement in statements {
            transaction.execute_typed(&statement.sql, &[]).await.map_err(Failure::at(Place::Statement(statement)))?;
        }
        self.session.take_back_role(&transaction).await.map_err(Failure::at(Place::History))?;
        self.history
            .advance(&transaction, progress.id, &progress.hashes[..done])
            .await
            .map_err(Failure::at(Place::History))?;
        transaction.commit().await.map_err(Failure::at(Place::Commit))
    }

    async fn run_outside(&mut self, statement: &Statement, progress: &mut Progress<'_>) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            let Err(failure) = self.try_outside(statement, progress.leftover).await else { break };
            progress.leftover = Leftover::Refused;
            if self.pause_before_retry(progress.migration, &failure.source, &mut attempt).await.is_break() {
                return Err(self.note_failure(progress, failure).await);
            }
        }
        progress.leftover = Leftover::Nothing;
        self.verify(statement, progress).await?;
        let done = progress.done + 1;
        self.history
            .advance(self.client, progress.id, &progress.hashes[..done])
            .await
            .map_err(|source| Error::Database { doing: "writing the history", source })?;
        progress.done = done;
        self.announce_step(progress);
        Ok(())
    }

    async fn try_outside<'m>(&mut self, statement: &'m Statement, leftover: Leftover) -> Result<(), Failure<'m>> {
        let effect = effect(&statement.sql);
        let client = &*self.client;
        let attempt = async {
            if leftover == Leftover::Uncertain && has_happened(client, &effect).await? {
                return Ok(());
            }
            if is_concurrent(&statement.sql) {
                self.session.wait_for_locks(client).await?;
            }
            // Without an earlier attempt, an invalid index may be one that another session is building.
            if leftover != Leftover::Nothing {
                drop_invalid(client, &effect).await?;
            }
            client.execute_typed(&statement.sql, &[]).await?;
            self.session.take_back_role(client).await?;
            self.session.limit_locks(client).await
        };
        attempt.await.map_err(Failure::at(Place::Statement(statement)))
    }

    /// `CREATE INDEX CONCURRENTLY IF NOT EXISTS` accepts an invalid index; the runner does not.
    async fn verify(&mut self, statement: &Statement, progress: &Progress<'_>) -> Result<(), Error> {
        let Effect::CreateIndex { index, table } = effect(&statement.sql) else { return Ok(()) };
        let found = find_index(self.client, &table, &index)
            .await
            .map_err(|source| Error::Database { doing: "checking the new index", source })?;
        match found {
            Some((index, false)) => {
                Err(Error::InvalidIndex { file: progress.migration.file().to_owned(), line: statement.line, index })
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn note_failure(&mut self, progress: &Progress<'_>, failure: Failure<'_>) -> Error {
        let done = u32::try_from(progress.done).unwrap_or(u32::MAX);
        let aftermath =
            if self.kind == Kind::Down { Aftermath::UndoStoppedAfter(done) } else { Aftermath::StoppedAfter(done) };
        let error = StatementError::new(progress.migration, failure.place, aftermath, failure.source);
        if let Err(lost) = self.history.fail(self.client, progress.id, State::Failed, &error).await {
            tracing::warn!(
                migration = progress.migration.name(),
                error = %super::error::describe(&lost),
                "the failure could not be written to the history"
            );
        }
        Error::Statement(Box::new(error))
    }

    /// Waits if the error is temporary; each time twice as long.
    pub(super) async fn pause_before_retry(
        &self,
        migration: &Migration,
        error: &PgError,
        attempt: &mut u32,
    ) -> ControlFlow<()> {
        let passes =
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        if *attempt >= self.options.retries || !error.code().is_some_and(|code| passes.contains(code)) {
            return ControlFlow::Break(());
        }
        let pause = Duration::from_millis(250 << (*attempt).min(5));
        *attempt += 1;
        self.options.announce(&Event::Retrying {
            name: migration.name().to_owned(),
            reason: super::error::describe(error),
            attempt: *attempt,
        });
        tokio::time::sleep(pause).await;
        ControlFlow::Continue(())
    }

    pub(super) fn announce_step(&self, progress: &Progress<'_>) {
        self.options.announce(&Event::Progress {
            name: progress.migration.name().to_owned(),
            done: progress.done,
            total: progress.hashes.len(),
        });
    }
}

fn is_unique_violation_of_history(failure: &Failure<'_>) -> bool {
    matches!(failure.place, Place::History)
        && failure.source.as_db_error().is_some_and(|error| {
            *error.code() == SqlState::UNIQUE_VIOLATION
                && error.constraint().is_some_and(|name| name.starts_with(super::history::HISTORY_TABLE))
        })
}
