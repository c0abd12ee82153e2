//! Distances of vectors.

use crate::dsl::expression::{Expression, like_column};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{AnyVector, IntoValue, Param, Scalar};

/// The base of columns that hold vectors, with a distance from a vector of the type `V`.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no distance from a vector",
    label = "only columns of vectors have such a distance, from a vector of their type",
    note = "a `geometry` or `geography` column has `distance`, and `point` has `distance_from`"
)]
pub trait MeasuredWith<V> {
    #[doc(hidden)]
    fn param(vector: V) -> Param;
}

#[diagnostic::do_not_recommend]
impl<B: AnyVector, V: IntoValue<B>> MeasuredWith<V> for B {
    fn param(vector: V) -> Param {
        vector.into_value().into_param()
    }
}

macro_rules! distances {
    ($($(#[$doc:meta])* $method:ident: $operator:literal;)+) => {
        impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
            $(
                $(#[$doc])*
                pub fn $method<V>(self, vector: V) -> Expression<M, f64, A>
                where
                    T::Base: MeasuredWith<V>,
                {
                    Expression::new(self.column, Form::Infix($operator), vec![like_column(T::Base::param(vector))])
                }
            )+
        }
    };
}

distances! {
    /// Returns the Euclidean distance from the vector. Sorting by it uses an index with `vector_l2_ops`.
    l2_distance: "<->";
    /// Returns the cosine distance from the vector: 0 for the same direction, 2 for the opposite one. Sorting by it uses an
    /// index with `vector_cosine_ops`.
    cosine_distance: "<=>";
    /// Returns the inner product with the vector, times -1, so that the largest product comes first in ascending order.
    /// Sorting by it uses an index with `vector_ip_ops`.
    negative_inner_product: "<#>";
    /// Returns the sum of the differences of the parts. Sorting by it uses an index with `vector_l1_ops`.
    l1_distance: "<+>";
}
