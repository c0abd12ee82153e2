//! The operators of types beyond the scalars of the schema language.

#[cfg(feature = "bit")]
mod bits;
#[cfg(feature = "geo")]
mod geo;
mod hstore;
mod ltree;
#[cfg(feature = "net")]
mod net;
#[cfg(feature = "pgvector")]
mod pgvector;
mod range;

pub use range::{IntoRange, Ranges};

use super::Field;
use crate::dsl::Filter;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::rows::Model;
use crate::value::Scalar;

/// Types whose values contain values of type `V`: a text a part of it, a range a value or another range, a network an
/// address, an `hstore` pairs, a place another one.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no `contains` with a `{V}`",
    label = "not a value that such a column can contain"
)]
pub trait Contains<V>: Scalar {
    #[doc(hidden)]
    fn contains<M: Model>(column: u16, value: V) -> Filter<M>;
}

/// Types whose values are contained in values of type `V`.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no `contained_in` with a `{V}`",
    label = "not a value that can contain those of such a column"
)]
pub trait ContainedIn<V>: Scalar {
    #[doc(hidden)]
    fn contained_in<M: Model>(column: u16, value: V) -> Filter<M>;
}

/// Types whose values overlap values of type `V`.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no `overlaps` with a `{V}`",
    label = "not a value that can overlap those of such a column"
)]
pub trait Overlaps<V>: Scalar {
    #[doc(hidden)]
    fn overlaps<M: Model>(column: u16, value: V) -> Filter<M>;
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Matches if the column contains the value.
    ///
    /// - A text contains another one. `%` and `_` have no special meaning.
    /// - A range or multirange contains a value, or another range.
    /// - A network contains an address or another network, or equals it.
    /// - An `hstore` contains all of the pairs.
    /// - A place covers another one.
    pub fn contains<V>(self, value: V) -> Filter<M>
    where
        T::Base: Contains<V>,
    {
        <T::Base as Contains<V>>::contains(self.column, value)
    }

    /// Matches if the column is contained in the value: a range in another one, an address in a network, the pairs of an
    /// `hstore` in others, a place in another one.
    pub fn contained_in<V>(self, value: V) -> Filter<M>
    where
        T::Base: ContainedIn<V>,
    {
        <T::Base as ContainedIn<V>>::contained_in(self.column, value)
    }

    /// Matches if the column and the value have something in common: two ranges, two networks.
    pub fn overlaps<V>(self, value: V) -> Filter<M>
    where
        T::Base: Overlaps<V>,
    {
        <T::Base as Overlaps<V>>::overlaps(self.column, value)
    }
}
