//! Conversions of arguments into scalars and parameters.

use rust_decimal::Decimal;

use super::param::Param;
use super::scalar::Scalar;

/// A value that can be a parameter of a raw statement.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be a parameter", label = "see `relata::params!`")]
pub trait IntoParam {
    /// The parameter.
    fn into_param(self) -> Param;
}

impl<T: Scalar> IntoParam for T {
    fn into_param(self) -> Param {
        Scalar::into_param(self)
    }
}

impl<T: Scalar> IntoParam for Option<T> {
    fn into_param(self) -> Param {
        self.map_or(Param::Null, Scalar::into_param)
    }
}

impl IntoParam for &str {
    fn into_param(self) -> Param {
        Param::Text(self.to_owned())
    }
}

/// A list of values, for `= ANY($1)`.
#[derive(Debug, Clone)]
pub struct List<T>(pub Vec<T>);

impl<T: Scalar> IntoParam for List<T> {
    fn into_param(self) -> Param {
        Param::Array(self.0.into_iter().map(Scalar::into_param).collect())
    }
}

/// The parameters of a raw statement: `params![tenant, "x", List(vec![1, 2])]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::IntoParam::into_param($value)),*]
    };
}

/// For generated code: an argument as a parameter.
pub fn value<T: Scalar>(value: impl IntoValue<T>) -> Param {
    value.into_value().into_param()
}

/// For generated code: an argument that may be null.
pub fn nullable<T: Scalar>(value: impl IntoNullable<T>) -> Param {
    value.into_nullable().map_or(Param::Null, Scalar::into_param)
}

/// For generated code: a list.
pub fn list<T: Scalar>(values: impl IntoIterator<Item = impl IntoValue<T>>) -> Param {
    Param::Array(values.into_iter().map(|one| one.into_value().into_param()).collect())
}

/// For generated code: a list that may be null.
pub fn nullable_list<T: Scalar>(values: Option<impl IntoIterator<Item = impl IntoValue<T>>>) -> Param {
    values.map_or(Param::Null, list)
}

/// An argument for a `T`: a `T`, or a type that converts to it without loss.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, not `{Self}`",
    label = "expected a value for a column of type `{T}`"
)]
pub trait IntoValue<T> {
    /// The value.
    fn into_value(self) -> T;
}

impl<T: Scalar> IntoValue<T> for T {
    fn into_value(self) -> T {
        self
    }
}

macro_rules! into_value {
    ($($from:ty => $to:ty),+ $(,)?) => {
        $(
            impl IntoValue<$to> for $from {
                fn into_value(self) -> $to {
                    self.into()
                }
            }

            impl IntoNullable<$to> for $from {
                fn into_nullable(self) -> Option<$to> {
                    Some(self.into())
                }
            }
        )+
    };
}

into_value! {
    &str => String,
    &String => String,
    i32 => i64,
    i32 => f64,
    f32 => f64,
    i32 => Decimal,
    i64 => Decimal,
    &[u8] => Vec<u8>,
}

/// An argument of a comparison with a column of type `T`: every value for such a column.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, not `{Self}`",
    label = "expected a value for a column of type `{T}`",
    note = "a filter whose value may be missing is `eq_opt`, `lt_opt` and so on: they take an `Option`"
)]
pub trait Compared<T> {
    /// The value.
    fn into_compared(self) -> T;
}

// Otherwise, rustc would not show the note.
#[diagnostic::do_not_recommend]
impl<T, V: IntoValue<T>> Compared<T> for V {
    fn into_compared(self) -> T {
        self.into_value()
    }
}

/// The new value of a column of type `T`: every value for such a column.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, not `{Self}`",
    label = "expected a value for a column of type `{T}`",
    note = "`to_opt(..)` takes an `Option`, and changes nothing for `None`; an optional column also has \
            `to_nullable(..)`, which writes NULL for `None`, and `set_null()`"
)]
pub trait Assigned<T> {
    /// The value.
    fn into_assigned(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T, V: IntoValue<T>> Assigned<T> for V {
    fn into_assigned(self) -> T {
        self.into_value()
    }
}

/// An argument for an optional column: a value, or an `Option` of exactly its type, so that a bare `None` is
/// unambiguous.
#[diagnostic::on_unimplemented(
    message = "this column holds `Option<{T}>`, and `{Self}` is neither that nor a `{T}`",
    label = "expected a value for an optional column of type `{T}`"
)]
pub trait IntoNullable<T> {
    /// Returns the value, or `None` for null.
    fn into_nullable(self) -> Option<T>;
}

impl<T: Scalar> IntoNullable<T> for T {
    fn into_nullable(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Scalar> IntoNullable<T> for Option<T> {
    fn into_nullable(self) -> Option<T> {
        self
    }
}
