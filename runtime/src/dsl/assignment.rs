//! New values of columns: the argument of `set`.

use std::marker::PhantomData;

use crate::query::SetTo;

/// The new value of a column: the argument of `set`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// use relata::Assignment;
///
/// let changes: Vec<Assignment<Student>> =
///     vec![student::class_year.increment(1), student::has_accommodations.to_default()];
/// let mut update = db.student().update(student::id.eq(id));
/// for change in changes {
///     update = update.set(change);
/// }
/// update.await?;
/// # Ok(())
/// # }
/// ```
pub struct Assignment<M> {
    pub(crate) column: u16,
    pub(crate) to: SetTo,
    model: PhantomData<fn() -> M>,
}

impl<M> Assignment<M> {
    pub(super) fn new(column: u16, to: SetTo) -> Self {
        Self { column, to, model: PhantomData }
    }
}

impl<M> Clone for Assignment<M> {
    fn clone(&self) -> Self {
        Self::new(self.column, self.to.clone())
    }
}

impl<M> std::fmt::Debug for Assignment<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignment(column {})", self.column)
    }
}
