//! Columns as arguments: `distinct` compares them, `group_by` groups by them or by expressions, and `upsert_many` updates
//! them.

use super::field::Field;
use super::kind::Written;
use crate::error::Result;
use crate::query::Operand;
use crate::rows::{Model, Reader};

/// A field, or a tuple of fields.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a field of `{M}`, nor a tuple of its fields")]
pub trait Columns<M: Model>: Send + 'static {
    /// The type of their values.
    type Values: Send + 'static;

    /// For the runtime: their numbers.
    #[doc(hidden)]
    fn numbers(&self) -> Vec<u16>;

    /// For the runtime: reads a value of each.
    ///
    /// # Errors
    /// If a value does not fit its type.
    #[doc(hidden)]
    fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values>;
}

/// What rows can be grouped by: a field, an [`Expression`](super::Expression), or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that rows of `{M}` can be grouped by",
    label = "expected a field, an expression, or a tuple of these"
)]
pub trait Grouping<M: Model>: Send + 'static {
    /// The type of the values of a group.
    type Values: Send + 'static;

    #[doc(hidden)]
    fn add_to(&self, keys: &mut GroupKeys);

    /// For the runtime: reads a value of each.
    ///
    /// # Errors
    /// If a value does not fit its type.
    #[doc(hidden)]
    fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values>;
}

/// What rows are grouped by, for the runtime.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct GroupKeys(pub(crate) Vec<Operand>);

/// A field that a program can write, or a tuple of up to 16 of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field of `{M}` that can be set, nor a tuple of them",
    label = "expected fields such as `user::name`, or `(user::name, user::role)`",
    note = "a value of its own is set by `.set(user::name.to(..))`; a `@generated` field cannot be set"
)]
pub trait WrittenColumns<M> {
    /// For the runtime: adds their numbers.
    #[doc(hidden)]
    fn add_numbers(&self, numbers: &mut Vec<u16>);
}

impl<M, T, A, U> WrittenColumns<M> for Field<M, T, A, U, Written> {
    fn add_numbers(&self, numbers: &mut Vec<u16>) {
        numbers.push(self.column);
    }
}

macro_rules! written_columns {
    ($($type:ident $place:tt),+) => {
        impl<M_, $($type: WrittenColumns<M_>),+> WrittenColumns<M_> for ($($type,)+) {
            fn add_numbers(&self, numbers: &mut Vec<u16>) {
                $(self.$place.add_numbers(numbers);)+
            }
        }
    };
}

written_columns!(A 0);
written_columns!(A 0, B 1);
written_columns!(A 0, B 1, C 2);
written_columns!(A 0, B 1, C 2, D 3);
written_columns!(A 0, B 1, C 2, D 3, E 4);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, N 12);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, N 12, O 13);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, N 12, O 13, P 14);
written_columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, N 12, O 13, P 14, Q 15);

macro_rules! columns {
    ($($type:ident $place:tt),+) => {
        impl<M_: Model, $($type: Grouping<M_>),+> Grouping<M_> for ($($type,)+) {
            type Values = ($($type::Values,)+);

            fn add_to(&self, keys: &mut GroupKeys) {
                $(self.$place.add_to(keys);)+
            }

            fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values> {
                Ok(($($type::read_values(reader)?,)+))
            }
        }

        impl<M_: Model, $($type: Columns<M_>),+> Columns<M_> for ($($type,)+) {
            type Values = ($($type::Values,)+);

            fn numbers(&self) -> Vec<u16> {
                let mut numbers = Vec::new();
                $(numbers.extend(self.$place.numbers());)+
                numbers
            }

            fn read_values(reader: &mut Reader<'_>) -> Result<Self::Values> {
                Ok(($($type::read_values(reader)?,)+))
            }
        }
    };
}

columns!(A 0);
columns!(A 0, B 1);
columns!(A 0, B 1, C 2);
columns!(A 0, B 1, C 2, D 3);
columns!(A 0, B 1, C 2, D 3, E 4);
columns!(A 0, B 1, C 2, D 3, E 4, F 5);
columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
columns!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
