//! `select_as`: reads a model's values into a custom struct.

use std::marker::PhantomData;

use super::selection::Selection;
use crate::error::Result;
use crate::query::Select;
use crate::rows::{Model, Reader};

/// A struct whose fields are values of a model. Implement it with `#[derive(relata::Selectable)]`.
///
/// `#[relata(from = Student)]` names the model. A field reads the model's field of the same name. With `#[relata(select
/// = ..)]`, it reads any value that `select` takes, and with `#[relata(nested)]` the relation of the same name, as a
/// struct that also derives `Selectable`. The compiler checks that each value exists and has the field's type.
///
/// ```text
/// #[derive(relata::Selectable)]
/// #[relata(from = Student)]
/// struct Card {
///     class_year: i32,
///     #[relata(select = student::user.select(user::email))]
///     email: String,
///     #[relata(select = student::exams.filter(student_exam::score.is_not_null()).count())]
///     graded: i64,
///     #[relata(nested)]
///     institution: School,
/// }
///
/// let cards: Vec<Card> = db.student().find_many().select_as::<Card>().await?;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a struct that values can be selected into",
    label = "expected a struct with `#[derive(relata::Selectable)]`",
    note = "for raw SQL, derive `relata::FromRawRow` instead"
)]
pub trait Selectable: Sized + Send + 'static {
    /// The model.
    type Model: Model;

    /// Adds the values that it needs to the query.
    fn add_to(select: &mut Select);

    /// Reads it, at the position after everything that was read before.
    ///
    /// # Errors
    /// If a value does not fit its type.
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
}

/// A struct as a selection, where `select_as` is not available: `select((student::id, As::<Card>::new()))`.
pub struct As<T>(PhantomData<fn() -> T>);

impl<T> std::fmt::Debug for As<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "As({})", std::any::type_name::<T>())
    }
}

impl<T: Selectable> As<T> {
    /// Creates the selection.
    #[allow(clippy::new_without_default, reason = "there is nothing to be the default of")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M: Model, T: Selectable<Model = M>> Selection<M> for As<T> {
    type Out = T;

    fn add_to(self, select: &mut Select) {
        T::add_to(select);
    }

    fn read(reader: &mut Reader<'_>) -> Result<T> {
        T::read(reader)
    }
}

/// For the derive: adds the selection of a field.
pub fn add_selected<M: Model, S: Selection<M>>(selection: S, select: &mut Select) {
    selection.add_to(select);
}

/// For the derive: reads the selection of a field. The function is only passed for its type.
///
/// # Errors
/// If the value does not fit its type.
pub fn read_selected<M: Model, S: Selection<M>, T>(_: fn() -> S, reader: &mut Reader<'_>) -> Result<T>
where
    S::Out: SelectedFor<T>,
{
    S::read(reader).map(SelectedFor::into_field)
}

/// For the derive: a selected value for a field of type `T`, which must be a `T`.
#[diagnostic::on_unimplemented(
    message = "the field is `{T}`, but the value selected for it is `{Self}`",
    label = "this field must be `{Self}`"
)]
pub trait SelectedFor<T> {
    /// The value of the field.
    fn into_field(self) -> T;
}

impl<T> SelectedFor<T> for T {
    fn into_field(self) -> T {
        self
    }
}
