//! What values of a type are in PostgreSQL, known while the client is compiled.

use super::scalar::Scalar;

/// What values of a type are in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holds {
    /// Not known: columns of any type are allowed, and [`Scalar::accepts`] decides.
    Any,
    /// `boolean`.
    Bool,
    /// `smallint`, `integer`, `bigint`, `oid`.
    Int,
    /// `real`, `double precision`.
    Float,
    /// `numeric`, `money`.
    Decimal,
    /// Texts, and types that the client reads as text.
    Text,
    /// `bytea`.
    Bytes,
    /// `uuid`.
    Uuid,
    /// `timestamp`, `timestamptz`.
    Timestamp,
    /// `date`.
    Date,
    /// `time`, `timetz`.
    Time,
    /// `json`, `jsonb`.
    Json,
    /// A type that travels as its text: [`AsText`](crate::AsText), [`TsVector`](crate::TsVector).
    AsText,
}

/// For generated code: stops the compilation if a type does not hold what its column does.
pub const fn assert_holds<T: Scalar>(column: Holds, message: &'static str) {
    let is_it = matches!(T::HOLDS, Holds::Any) || T::HOLDS as u8 == column as u8;
    assert!(is_it, "{}", message);
}
