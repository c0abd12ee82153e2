//! Manual resolutions of the history, and migrations that are undone.
//!
//! Everything here runs under the lock. Rows are closed, never deleted.

use tokio_postgres::GenericClient;

use super::compare::{Problem, compare};
use super::error::Error;
use super::history::{Attempt, History, Kind, State};
use super::source::{Migration, Migrations};
use super::{Event, Locked, runner_name};

/// A manual resolution of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The database already has all changes of the file. Runs nothing.
    Applied,
    /// The database has none of its changes. The next deploy starts at its first statement.
    RolledBack,
    /// Resume where it stopped. All earlier statements in the file count as done.
    Retry,
}

fn wrote(source: tokio_postgres::Error) -> Error {
    Error::Database { doing: "writing the history", source }
}

impl Locked<'_> {
    pub(super) async fn resolve(
        &mut self,
        migrations: &Migrations,
        name: &str,
        resolution: Resolution,
    ) -> Result<(), Error> {
        self.history.create(self.client).await?;
        let attempt = self.history.read(self.client).await?.into_iter().find(|attempt| attempt.name == name);
        if let Some(attempt) = attempt.as_ref().filter(|attempt| attempt.alive && attempt.state == State::Running) {
            let problem = Problem::Running { name: name.to_owned(), runner: attempt.runner.clone() };
            return Err(Error::History { problems: vec![problem] });
        }
        let refuse = |problem| Error::Unresolvable { name: name.to_owned(), problem };
        let file = migrations.get(name);
        match (resolution, file, attempt) {
            (Resolution::Applied, None, _) | (Resolution::Retry, None, Some(_)) => {
                Err(refuse("has no folder among the migrations; restore it first"))
            }
            (Resolution::Applied, Some(file), attempt) => {
                if attempt.is_some_and(|it| it.state == State::Applied && it.ran(file)) {
                    return Err(refuse("is already applied"));
                }
                self.write_applied(&[file], Kind::Resolve).await
            }
            (Resolution::RolledBack | Resolution::Retry, _, None) => {
                Err(refuse("is not in the history of this database; the next deploy runs it"))
            }
            (Resolution::RolledBack, Some(_), Some(Attempt { state: State::Applied, .. })) => {
                Err(refuse("is applied; undo it with `migrate down`"))
            }
            (Resolution::RolledBack, ..) => self.history.close(self.client, name).await.map_err(wrote),
            (Resolution::Retry, Some(_), Some(Attempt { state: State::Applied, .. })) => {
                Err(refuse("is already applied"))
            }
            (Resolution::Retry, Some(_), Some(Attempt { kind: Kind::Down, .. })) => {
                Err(refuse("was being undone; run `migrate down` again: it resumes where it stopped"))
            }
            (Resolution::Retry, Some(file), Some(attempt)) => self.retry(file, attempt).await,
        }
    }

    async fn retry(&mut self, migration: &Migration, attempt: Attempt) -> Result<(), Error> {
        let hashes = migration.step_hashes();
        let done = usize::try_from(attempt.steps_done).unwrap_or(usize::MAX);
        let Some(done) = hashes.get(..done) else {
            let problem =
                "has fewer statements than have already run; restore those, and change only what comes after them";
            return Err(Error::Unresolvable { name: migration.name().to_owned(), problem });
        };
        self.history.advance(&*self.client, attempt.id, done).await.map_err(wrote)?;
        self.runner(Kind::Apply).run(migration, Some(attempt)).await?;
        self.options.announce(&Event::Applied { name: migration.name().to_owned() });
        Ok(())
    }

    /// Writes `applied` rows, in one transaction, without running anything.
    pub(super) async fn write_applied(&mut self, migrations: &[&Migration], kind: Kind) -> Result<(), Error> {
        let transaction = self.client.transaction().await.map_err(wrote)?;
        for migration in migrations {
            self.history.close(&transaction, migration.name()).await.map_err(wrote)?;
            let row = (kind, State::Applied);
            let id = self.history.insert(&transaction, migration, row, &runner_name()).await.map_err(wrote)?;
            self.history.finish(&transaction, id, State::Applied).await.map_err(wrote)?;
        }
        transaction.commit().await.map_err(wrote)
    }

    pub(super) async fn baseline(&mut self, migrations: &Migrations, last: &str) -> Result<Vec<String>, Error> {
        self.history.create(self.client).await?;
        let attempts = self.history.read(self.client).await?;
        if !attempts.is_empty() {
            return Err(Error::HasHistory { count: attempts.len() });
        }
        let baseline: Vec<_> = migrations.iter().take_while(|migration| migration.name() <= last).collect();
        self.write_applied(&baseline, Kind::Baseline).await?;
        Ok(baseline.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// Undoes the last migrations, latest first, each with its row.
    pub(super) async fn down(&mut self, migrations: &Migrations, undo: &Migrations) -> Result<Vec<String>, Error> {
        self.history.create(self.client).await?;
        let attempts = self.history.read(self.client).await?;
        let count = undo.iter().count();
        let is_replaced = |it: &Attempt| {
            let mut all = migrations.iter().filter(|migration| migration.name() != it.name);
            all.any(|migration| migration.replaces().iter().any(|replaced| replaced.name == it.name))
        };
        let mut last: Vec<Attempt> = attempts.iter().rev().filter(|it| !is_replaced(it)).take(count).cloned().collect();
        if !last.iter().map(|attempt| attempt.name.as_str()).eq(undo.iter().rev().map(Migration::name)) {
            return Err(Error::NotTheLast);
        }
        let mut problems = compare(migrations, attempts, true).problems;
        problems.retain(|it| !matches!(it, Problem::Undoing { name, .. } if undo.get(name).is_some()));
        if !problems.is_empty() {
            return Err(Error::History { problems });
        }
        self.refuse_what_is_missing(undo.iter())?;
        let mut undone = Vec::new();
        for (step, attempt) in undo.iter().rev().zip(last.drain(..)) {
            let earlier = (attempt.kind == Kind::Down).then_some(attempt);
            if let Some(earlier) = earlier.as_ref().filter(|it| !step.begins_with(&it.step_hashes)) {
                let problem = Problem::EditedBehind { name: earlier.name.clone(), done: earlier.steps_done };
                return Err(Error::History { problems: vec![problem] });
            }
            self.runner(Kind::Down).run(step, earlier).await?;
            self.options.announce(&Event::Undone { name: step.name().to_owned() });
            undone.push(step.name().to_owned());
        }
        Ok(undone)
    }
}

/// Writes the row of a new attempt. If the migration is undone, its earlier row is closed.
pub(super) async fn open_row(
    client: &impl GenericClient,
    history: &History,
    migration: &Migration,
    row: (Kind, State),
    runner: &str,
) -> Result<i64, tokio_postgres::Error> {
    if row.0 == Kind::Down {
        history.close(client, migration.name()).await?;
        for replaced in migration.replaces() {
            history.close(client, &replaced.name).await?;
        }
    }
    history.insert(client, migration, row, runner).await
}
