//! Types of a program around one that a column can hold.

use tokio_postgres::types::Type;

use super::holds::Holds;
use super::param::Param;
use super::scalar::Scalar;
use crate::value::BoxError;

/// A type around one that a column can hold: the id of a user around a [`Uuid`](uuid::Uuid), an email address around a
/// `String`.
///
/// It is a [`Scalar`], so a field with `@rust("crate::Email")` can have it. `#[derive(relata::Value)]` implements the
/// trait for a struct with one field; write the implementation for a type that you cannot derive it for.
///
/// It has what the type inside has: a minimum and a maximum, sums and averages, conditions on text.
///
/// ```
/// #[derive(Debug, Clone, PartialEq)]
/// pub struct Cents(i64);
///
/// impl relata::Newtype for Cents {
///     type Inner = i64;
///
///     fn from_inner(cents: i64) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
///         if cents < 0 { Err("a price is never negative".into()) } else { Ok(Self(cents)) }
///     }
///
///     fn into_inner(self) -> i64 {
///         self.0
///     }
/// }
/// ```
pub trait Newtype: Sized + Send + 'static {
    /// The type inside.
    type Inner: Scalar;

    /// Creates it from a value of the database.
    ///
    /// # Errors
    /// If the value is not one of this type. A call that reads it fails with [`Error::Decode`](crate::Error::Decode).
    fn from_inner(inner: Self::Inner) -> Result<Self, BoxError>;

    /// Returns the value for the database.
    fn into_inner(self) -> Self::Inner;
}

#[diagnostic::do_not_recommend]
impl<T: Newtype> Scalar for T {
    type Base = <T::Inner as Scalar>::Base;
    const HOLDS: Holds = T::Inner::HOLDS;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        T::from_inner(T::Inner::decode(raw)?)
    }

    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        T::from_inner(T::Inner::decode_as(ty, raw)?)
    }

    fn into_param(self) -> Param {
        self.into_inner().into_param()
    }

    fn accepts(ty: &Type) -> bool {
        T::Inner::accepts(ty)
    }
}
