//! Ranges and multiranges.

use std::ops::{Bound, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use super::{Overlapping, PartOf, WholeOf};
use crate::dsl::Filter;
use crate::dsl::expression::{holds, like_column};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::{Form, Operand, OperandType};
use crate::rows::Model;
use crate::value::{IntoNullable, IntoValue, Multirange, Param, Range, RangeOf, Scalar};

/// An argument for a range of values `T`: a [`Range`], or a range of Rust.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a range of `{T}`")]
pub trait IntoRange<T> {
    /// The range.
    fn into_range(self) -> Range<T>;
}

macro_rules! ranges {
    ($($(#[$only:meta])? $range:ty),+) => {
        $(
            impl<T: Scalar> IntoRange<T> for $range {
                fn into_range(self) -> Range<T> {
                    self.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<T: Scalar> PartOf<Range<T>> for $range {
                fn contains<M: Model>(self, column: u16) -> Filter<M> {
                    compare(column, "@>", Range::from(self))
                }
            }

            #[diagnostic::do_not_recommend]
            impl<T: Scalar> PartOf<Multirange<T>> for $range {
                fn contains<M: Model>(self, column: u16) -> Filter<M> {
                    compare(column, "@>", Multirange(vec![self.into()]))
                }
            }
        )+
    };
}

ranges!(
    Range<T>,
    std::ops::Range<T>,
    RangeInclusive<T>,
    RangeFrom<T>,
    RangeTo<T>,
    RangeToInclusive<T>,
    (Bound<T>, Bound<T>)
);

macro_rules! values {
    ($($range:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<T: Scalar> IntoValue<Range<T>> for $range {
                fn into_value(self) -> Range<T> {
                    self.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl<T: Scalar> IntoNullable<Range<T>> for $range {
                fn into_nullable(self) -> Option<Range<T>> {
                    Some(self.into())
                }
            }
        )+
    };
}

values!(
    RangeFull,
    std::ops::Range<T>,
    RangeInclusive<T>,
    RangeFrom<T>,
    RangeTo<T>,
    RangeToInclusive<T>,
    (Bound<T>, Bound<T>)
);

impl<T: Scalar> IntoRange<T> for RangeFull {
    fn into_range(self) -> Range<T> {
        Range::FULL
    }
}

fn compare<M: Model>(column: u16, operator: &'static str, value: impl Scalar) -> Filter<M> {
    holds(column, Form::Infix(operator), vec![like_column(value.into_param())])
}

/// Compares a column that is a range with a multirange.
fn compare_multirange<M: Model, T: Scalar>(column: u16, operator: &'static str, value: Multirange<T>) -> Filter<M> {
    let operand = Operand::Value { value: value.into_param(), ty: OperandType::Multirange };
    holds(column, Form::Infix(operator), vec![operand])
}

/// A range of one value. PostgreSQL cannot tell the type of a parameter that is a value of some range.
fn only<T: Scalar + Clone>(value: T) -> Range<T> {
    Range::new(Bound::Included(value.clone()), Bound::Included(value))
}

#[diagnostic::do_not_recommend]
impl<T: Scalar + Clone> PartOf<Range<T>> for T {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "@>", only(self))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar + Clone> PartOf<Multirange<T>> for T {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "@>", Multirange(vec![only(self)]))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> PartOf<Multirange<T>> for Multirange<T> {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "@>", self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> PartOf<Range<T>> for Multirange<T> {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        compare_multirange(column, "@>", self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar, V: IntoRange<T>> WholeOf<Range<T>> for V {
    fn contained_in<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "<@", self.into_range())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar, V: IntoRange<T>> WholeOf<Multirange<T>> for V {
    fn contained_in<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "<@", Multirange(vec![self.into_range()]))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar, V: IntoRange<T>> Overlapping<Range<T>> for V {
    fn overlaps<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "&&", self.into_range())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Scalar, V: IntoRange<T>> Overlapping<Multirange<T>> for V {
    fn overlaps<M: Model>(self, column: u16) -> Filter<M> {
        compare(column, "&&", Multirange(vec![self.into_range()]))
    }
}

/// A column that is a range, or a multirange.
pub trait Ranges: RangeOf {
    /// The argument in the type of the column.
    #[doc(hidden)]
    fn param(range: Range<Self::Bound>) -> Param;
}

impl<T: Scalar> Ranges for Range<T> {
    fn param(range: Range<T>) -> Param {
        range.into_param()
    }
}

impl<T: Scalar> Ranges for Multirange<T> {
    fn param(range: Range<T>) -> Param {
        Multirange(vec![range]).into_param()
    }
}

/// The values in a range or multirange of base `B`.
type BoundOf<B> = <B as RangeOf>::Bound;

macro_rules! positions {
    ($($(#[$doc:meta])* $method:ident: $operator:literal;)+) => {
        impl<M: Model, T: Scalar<Base: Ranges>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
            $(
                $(#[$doc])*
                pub fn $method(self, range: impl IntoRange<BoundOf<T::Base>>) -> Filter<M> {
                    let param = <T::Base as Ranges>::param(range.into_range());
                    holds(self.column, Form::Infix($operator), vec![like_column(param)])
                }
            )+
        }
    };
}

positions! {
    /// Matches a range that ends where the other one begins, or begins where it ends, with nothing between them.
    adjacent_to: "-|-";
    /// Matches a range that ends before the other one begins.
    before: "<<";
    /// Matches a range that begins after the other one ends.
    after: ">>";
    /// Matches a range that does not extend to the right of the other one: it ends no later.
    ends_within: "&<";
    /// Matches a range that does not extend to the left of the other one: it begins no earlier.
    begins_within: "&>";
}

impl<M: Model, T: Scalar<Base: Ranges>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Matches a range without values.
    pub fn is_empty(self) -> Filter<M> {
        holds(self.column, Form::Call("isempty"), Vec::new())
    }
}
