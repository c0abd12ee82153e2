//! The kinds of fields and relations, as types: how many values a row has, whether a value identifies a row, and whether
//! a program can write it.
//!
//! The kind decides which methods a constant has: only an optional field can be null, only a list can be searched for
//! an element, only a unique field is a key, and a generated field cannot be set.

use tokio_postgres::types::Type;

use crate::error::Result;
use crate::rows::{FromRow, Reader, Slot, Tree};
use crate::value::{BoxError, Decode, Scalar, decode_list};

/// How many values a row has for a field or a relation: [`Required`], [`Optional`], [`List`] or [`JsonList`].
pub trait Arity: Sealed + Send + 'static {
    /// The values of a column: `T`, `Option<T>` or `Vec<T>`.
    type Values<T: Scalar>: Send + 'static;
    /// The rows of a relation: `T`, `Option<T>` or `Vec<T>`.
    type Rows<T: FromRow>: Slot;

    /// Whether the database may store null.
    #[doc(hidden)]
    const NULLABLE: bool;

    /// Reads the next value of a row.
    #[doc(hidden)]
    fn read<T: Scalar>(reader: &mut Reader<'_>) -> Result<Self::Values<T>>;

    /// Reads a value of this type, or null.
    #[doc(hidden)]
    fn of_value<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<Self::Values<T>, BoxError>;
}

/// A kind with at most one value or row: [`Required`] or [`Optional`].
#[diagnostic::on_unimplemented(
    message = "a list has no such method",
    label = "this is a list",
    note = "fields that are lists have `has`, `has_every`, `has_some`, `is_empty` and `eq`; \
            relations that are lists have `some`, `every`, `none` and, to the same model, `descendants`"
)]
pub trait Single: Arity {
    /// The kind of a value that is computed from one of this kind and one of another: null if one of them is.
    type With<Other: Single>: Single;
}

/// A kind of relation that may lead to no row: [`Optional`] or [`List`].
#[diagnostic::on_unimplemented(
    message = "a required relation leads to its row even if that row is deleted, or outside a scope",
    label = "this relation is required",
    note = "leave `with_deleted`, `only_deleted` and `unscoped` out; to filter by the row, use `is`"
)]
pub trait MayLackRows: Arity {}

/// Whether a value of a field identifies a row: [`NotUnique`] or [`IsUnique`].
pub trait Uniqueness: Sealed + Send + 'static {}

/// Where the values of a field come from: [`Written`] or [`Generated`].
pub trait Source: Sealed + Send + 'static {}

/// A field that is never null, or a relation that leads to exactly one row.
#[derive(Debug)]
pub enum Required {}

/// A field that may be null, or a relation that leads to one row or to none.
#[derive(Debug)]
pub enum Optional {}

/// A field that holds a list, or a relation that leads to any number of rows.
#[derive(Debug)]
pub enum List {}

/// A field whose value is a list in JSON: one value of PostgreSQL that is never null.
#[derive(Debug)]
pub enum JsonList {}

/// A field whose values are not unique.
#[derive(Debug)]
pub enum NotUnique {}

/// A field whose values are unique: a value identifies a row.
#[derive(Debug)]
pub enum IsUnique {}

/// A field that a program can write.
#[derive(Debug)]
pub enum Written {}

/// A field whose values PostgreSQL generates from other columns (`@generated`). A program can read it, filter and sort by
/// it, but not set it.
#[derive(Debug)]
pub enum Generated {}

/// An operand that is a value of the program.
#[derive(Debug)]
pub enum OfValue {}

/// An operand that is a column of the same row.
#[derive(Debug)]
pub enum OfColumn {}

/// An operand that is an [`Expression`](super::Expression).
#[derive(Debug)]
pub enum OfExpression {}

/// An operand that is a span of time.
#[derive(Debug)]
pub enum OfTime {}

/// An operand that is a time of the server: [`now`](super::now) or [`today`](super::today).
#[derive(Debug)]
pub enum OfServer {}

/// A relation of a model to itself that is followed step by step to all rows below a row: to its children, to theirs, and
/// so on.
#[derive(Debug)]
pub enum Descendants {}

/// A relation of a model to itself that is followed step by step to all rows above a row: to its parent, to the parent of
/// that, and so on.
#[derive(Debug)]
pub enum Ancestors {}

/// How a relation of a model to itself is followed step by step: [`Descendants`] or [`Ancestors`].
pub trait Direction: Sealed + Send + 'static {
    /// The rows that are reached: trees of `T`, or a list.
    type Rows<T: FromRow>: Slot;

    /// Whether the rows are trees.
    #[doc(hidden)]
    const IS_TREE: bool;
}

impl Direction for Descendants {
    type Rows<T: FromRow> = Vec<Tree<T>>;
    const IS_TREE: bool = true;
}

impl Direction for Ancestors {
    type Rows<T: FromRow> = Vec<T>;
    const IS_TREE: bool = false;
}

impl Arity for Required {
    fn of_value<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<T, BoxError> {
        T::decode_nullable(ty, raw)
    }

    type Values<T: Scalar> = T;
    type Rows<T: FromRow> = T;
    const NULLABLE: bool = false;

    fn read<T: Scalar>(reader: &mut Reader<'_>) -> Result<T> {
        reader.value()
    }
}

impl Arity for Optional {
    fn of_value<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<Option<T>, BoxError> {
        Option::decode_nullable(ty, raw)
    }

    type Values<T: Scalar> = Option<T>;
    type Rows<T: FromRow> = Option<T>;
    const NULLABLE: bool = true;

    fn read<T: Scalar>(reader: &mut Reader<'_>) -> Result<Option<T>> {
        reader.value()
    }
}

impl Arity for List {
    fn of_value<T: Scalar>(ty: &Type, raw: Option<&[u8]>) -> Result<Vec<T>, BoxError> {
        decode_list(ty, raw)
    }

    type Values<T: Scalar> = Vec<T>;
    type Rows<T: FromRow> = Vec<T>;
    const NULLABLE: bool = true;

    fn read<T: Scalar>(reader: &mut Reader<'_>) -> Result<Vec<T>> {
        reader.list()
    }
}

impl Arity for JsonList {
    fn of_value<T: Scalar>(_: &Type, raw: Option<&[u8]>) -> Result<Vec<T>, BoxError> {
        raw.map_or(Ok(Vec::new()), T::decode_json_list)
    }

    type Values<T: Scalar> = Vec<T>;
    type Rows<T: FromRow> = Vec<T>;
    const NULLABLE: bool = false;

    fn read<T: Scalar>(reader: &mut Reader<'_>) -> Result<Vec<T>> {
        reader.json_list()
    }
}

impl Single for Required {
    type With<Other: Single> = Other;
}

impl Single for Optional {
    type With<Other: Single> = Optional;
}

impl MayLackRows for Optional {}
impl MayLackRows for List {}
impl Uniqueness for NotUnique {}
impl Uniqueness for IsUnique {}
impl Source for Written {}
impl Source for Generated {}

use sealed::Sealed;

mod sealed {
    /// No other kinds exist.
    pub trait Sealed {}

    impl Sealed for super::Required {}
    impl Sealed for super::Optional {}
    impl Sealed for super::List {}
    impl Sealed for super::JsonList {}
    impl Sealed for super::NotUnique {}
    impl Sealed for super::IsUnique {}
    impl Sealed for super::Written {}
    impl Sealed for super::Generated {}
    impl Sealed for super::Descendants {}
    impl Sealed for super::Ancestors {}
}
