//! Relations as types: their models, and the row types that can hold their rows.

mod constant;
mod nested;
mod recursive;
mod refine;
mod slots;

pub use constant::{Refined, RelationField};
pub use recursive::{IsModel, Recursive, RecursiveField};
pub use slots::{Next, PlaceOf, RowOf, Slots, Slotted, WithAll};

use crate::meta::Relation;
use crate::query::{Include, Select};
use crate::rows::{FromRow, Model, Slot};

/// A relation as a type, with its two models: a [`RelationField`].
pub trait RelationOf: Copy + Send + 'static {
    /// The model that has the field.
    type Parent: Model;
    /// The model that it leads to.
    type Child: Model;
    /// The type of its rows in a row of the parent: `T`, `Option<T>` or `Vec<T>`.
    type Rows<T: FromRow>: Slot;
    /// Its slot in `With`, as a type.
    type Place;
    /// The number of its slot in `With`.
    const SLOT: usize;

    /// Its columns.
    fn relation() -> &'static Relation {
        &Self::Parent::table().relations[Self::SLOT]
    }
}

/// The slot of a relation in `With`, as a type.
#[derive(Debug, Clone, Copy)]
pub enum At<const SLOT: usize> {}

/// A row type whose slot `P` can be filled with `T`.
pub trait Put<P, T> {
    /// The row type with the slot filled.
    type Out;
}

/// The row type `W` with the slot number `SLOT` filled with `T`.
pub type Filled<W, const SLOT: usize, T> = <W as Put<At<SLOT>, T>>::Out;

/// The row type `S` after including relation `R` with rows of type `T`.
pub type Included<S, R, T> = <S as Put<<R as RelationOf>::Place, <R as RelationOf>::Rows<T>>>::Out;

/// The bound on `S` that allows including relation `R` with rows of type `T`.
pub trait CanInclude<R: RelationOf, T: FromRow>: Put<R::Place, R::Rows<T>> {}

impl<S: Put<R::Place, R::Rows<T>>, R: RelationOf, T: FromRow> CanInclude<R, T> for S {}

/// The argument of `include`: a relation, optionally with its own filter, order and includes.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a relation that can be included")]
pub trait IntoInclude {
    /// The relation.
    type Relation: RelationOf;
    /// The type of each of its rows.
    type Row: FromRow;

    /// Returns the read of its rows.
    fn into_select(self) -> Select;
}

pub(crate) fn include_of<I: IntoInclude>(include: I) -> Include {
    let relation = I::Relation::relation();
    Include { slot: I::Relation::SLOT, relation, select: include.into_select() }
}
