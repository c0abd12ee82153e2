//! Distances of vectors.

use crate::dsl::expression::{Expression, like_column};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{AnyVector, IntoValue, Scalar};

macro_rules! distances {
    ($($(#[$doc:meta])* $method:ident: $operator:literal;)+) => {
        impl<M: Model, T: Scalar<Base: AnyVector>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
            $(
                $(#[$doc])*
                pub fn $method(self, vector: impl IntoValue<T::Base>) -> Expression<M, f64, A> {
                    let operand = like_column(vector.into_value().into_param());
                    Expression::new(self.column, Form::Infix($operator), vec![operand])
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
