//! `bit` and `varbit`.

use bit_vec::BitVec;

use crate::dsl::expression::{Expression, like_column};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{IntoValue, Scalar};

impl<M: Model, T: Scalar<Base = BitVec>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns the number of bits that differ, with the extension pgvector. Both need the same length. Sorting by it uses
    /// an index with `bit_hamming_ops`.
    pub fn hamming_distance(self, bits: impl IntoValue<BitVec>) -> Expression<M, f64, A> {
        Expression::new(self.column, Form::Infix("<~>"), vec![like_column(bits.into_value().into_param())])
    }

    /// Returns the Jaccard distance, with the extension pgvector: 0 for the same set of bits, 1 for sets without a common
    /// bit. Both need the same length. Sorting by it uses an index with `bit_jaccard_ops`.
    pub fn jaccard_distance(self, bits: impl IntoValue<BitVec>) -> Expression<M, f64, A> {
        Expression::new(self.column, Form::Infix("<%>"), vec![like_column(bits.into_value().into_param())])
    }

    /// Returns the length in bits.
    pub fn bit_length(self) -> Expression<M, i32, A> {
        Expression::new(self.column, Form::Call("length"), Vec::new())
    }
}
