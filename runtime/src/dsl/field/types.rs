//! The operators of types beyond the scalars of the schema language.

#[cfg(feature = "bit")]
mod bits;
#[cfg(feature = "geo")]
mod geo;
#[cfg(feature = "types")]
mod hstore;
#[cfg(feature = "types")]
mod ltree;
#[cfg(feature = "net")]
mod net;
#[cfg(feature = "pgvector")]
mod pgvector;
#[cfg(feature = "types")]
mod range;

#[cfg(feature = "types")]
pub use range::{IntoRange, Ranges};

use super::Field;
use crate::dsl::Filter;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::rows::Model;
use crate::value::Scalar;

/// A value that values of a column with the base `B` can contain: a text in a text, a value or a range in a range, an
/// address in a network, pairs in an `hstore`, a place in another one.
#[diagnostic::on_unimplemented(
    message = "a column of `{B}` has no `contains` with a `{Self}`",
    label = "not a value that such a column can contain"
)]
pub trait PartOf<B> {
    #[doc(hidden)]
    fn contains<M: Model>(self, column: u16) -> Filter<M>;
}

/// A value that can contain those of a column with the base `B`.
#[diagnostic::on_unimplemented(
    message = "a column of `{B}` has no `contained_in` with a `{Self}`",
    label = "not a value that can contain those of such a column"
)]
pub trait WholeOf<B> {
    #[doc(hidden)]
    fn contained_in<M: Model>(self, column: u16) -> Filter<M>;
}

/// A value that can overlap those of a column with the base `B`.
#[diagnostic::on_unimplemented(
    message = "a column of `{B}` has no `overlaps` with a `{Self}`",
    label = "not a value that can overlap those of such a column"
)]
pub trait Overlapping<B> {
    #[doc(hidden)]
    fn overlaps<M: Model>(self, column: u16) -> Filter<M>;
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Matches if the column contains the value.
    ///
    /// - A text contains another one. `%` and `_` have no special meaning.
    /// - A range or multirange contains a value, or another range.
    /// - A network contains an address or another network, or equals it.
    /// - An `hstore` contains all of the pairs.
    /// - A place covers another one.
    pub fn contains(self, value: impl PartOf<T::Base>) -> Filter<M> {
        value.contains(self.column)
    }

    /// Matches if the column is contained in the value: a range in another one, an address in a network, the pairs of an
    /// `hstore` in others, a place in another one.
    pub fn contained_in(self, value: impl WholeOf<T::Base>) -> Filter<M> {
        value.contained_in(self.column)
    }

    /// Matches if the column and the value have something in common: two ranges, two networks.
    pub fn overlaps(self, value: impl Overlapping<T::Base>) -> Filter<M> {
        value.overlaps(self.column)
    }
}
