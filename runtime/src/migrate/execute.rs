//! Runs SQL that is not a migration: in segments, under the lock, and without a row in the history.

use super::Locked;
use super::error::{Aftermath, Error, Place, StatementError};
use super::script::{Segment, SegmentMode, Statement};
use super::source::Migration;

/// What failed, and why.
type Failed<'m> = (Place<'m>, tokio_postgres::Error);

impl Locked<'_> {
    /// Returns the number of statements.
    pub(super) async fn execute(&mut self, script: &Migration) -> Result<usize, Error> {
        let mut done = 0;
        for segment in &script.script().segments {
            self.session.prepare(self.client).await?;
            let ended = match segment.mode {
                SegmentMode::Transactional if self.history.portable => self.one_by_one(segment, &mut done).await,
                SegmentMode::Transactional => self.at_once(segment).await,
                SegmentMode::Outside => self.one_by_one(segment, &mut done).await,
            };
            if let Err((place, source)) = ended {
                let aftermath = Aftermath::DoneUpTo(u32::try_from(done).unwrap_or(u32::MAX));
                return Err(Error::Statement(Box::new(StatementError::new(script, place, aftermath, source))));
            }
            if segment.mode == SegmentMode::Transactional && !self.history.portable {
                done += segment.statements.len();
            }
        }
        Ok(done)
    }

    async fn at_once<'m>(&mut self, segment: &'m Segment) -> Result<(), Failed<'m>> {
        let transaction = self.client.transaction().await.map_err(|error| (Place::Begin, error))?;
        for statement in &segment.statements {
            transaction.execute_typed(&statement.sql, &[]).await.map_err(at(statement))?;
        }
        transaction.commit().await.map_err(|error| (Place::Commit, error))
    }

    async fn one_by_one<'m>(&mut self, segment: &'m Segment, done: &mut usize) -> Result<(), Failed<'m>> {
        for statement in &segment.statements {
            self.session.wait_for_locks(self.client).await.map_err(at(statement))?;
            self.client.execute_typed(&statement.sql, &[]).await.map_err(at(statement))?;
            *done += 1;
        }
        Ok(())
    }
}

fn at<'m>(statement: &'m Statement) -> impl FnOnce(tokio_postgres::Error) -> Failed<'m> {
    move |error| (Place::Statement(statement), error)
}
