//! New values of columns: the argument of `set`.

use std::marker::PhantomData;

use crate::query::SetTo;

/// The new value of a column, or none: an argument of `set`.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client, id: relata::uuid::Uuid) -> relata::Result<()> {
/// use relata::Assignment;
///
/// let changes: Vec<Assignment<Student>> =
///     vec![student::class_year.increment(1), student::has_accommodations.to_default()];
/// db.student().update(student::id.eq(id)).set(changes).await?;
/// # Ok(())
/// # }
/// ```
pub struct Assignment<M> {
    column: u16,
    /// Without a value, the column stays as it is.
    to: Option<SetTo>,
    model: PhantomData<fn() -> M>,
}

impl<M> Assignment<M> {
    pub(super) fn new(column: u16, to: SetTo) -> Self {
        Self { column, to: Some(to), model: PhantomData }
    }

    /// Leaves the column as it is.
    pub(super) fn nothing(column: u16) -> Self {
        Self { column, to: None, model: PhantomData }
    }

    /// Returns the column and its new value, unless it stays as it is.
    pub(crate) fn into_set(self) -> Option<(u16, SetTo)> {
        Some((self.column, self.to?))
    }
}

/// What `set` takes: an [`Assignment`], an `Option` of one, a list or an iterator of them, or a struct with
/// `#[derive(relata::Patch)]`. An update for which nothing is set writes nothing, not even `@updatedAt` columns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not set columns of `{M}`",
    label = "expected new values such as `user::name.to(..)`, an `Option` or a list of them",
    note = "a struct of optional changes needs `#[derive(relata::Patch)]`"
)]
pub trait IntoAssignments<M> {
    /// Returns the assignments.
    fn into_assignments(self) -> impl Iterator<Item = Assignment<M>>;
}

impl<M> IntoAssignments<M> for Assignment<M> {
    fn into_assignments(self) -> impl Iterator<Item = Assignment<M>> {
        std::iter::once(self)
    }
}

#[diagnostic::do_not_recommend]
impl<M, I: IntoIterator<Item = Assignment<M>>> IntoAssignments<M> for I {
    fn into_assignments(self) -> impl Iterator<Item = Assignment<M>> {
        self.into_iter()
    }
}

/// Returns the columns to set, and their new values.
pub(crate) fn as_sets<M>(assignments: impl IntoAssignments<M>) -> impl Iterator<Item = (u16, SetTo)> {
    assignments.into_assignments().filter_map(Assignment::into_set)
}

impl<M> Clone for Assignment<M> {
    fn clone(&self) -> Self {
        Self { column: self.column, to: self.to.clone(), model: PhantomData }
    }
}

impl<M> std::fmt::Debug for Assignment<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignment(column {})", self.column)
    }
}
