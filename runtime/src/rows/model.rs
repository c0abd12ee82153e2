//! Models and rows: the traits that generated code implements.

use super::node::Cursor;
use crate::error::Result;
use crate::meta::Table;

/// A model of the schema: a plain struct of its columns. Implemented by generated code.
pub trait Model: Sized + Send + 'static {
    /// The row type with a slot per relation, all of them empty.
    type Bare;

    /// Its table.
    fn table() -> &'static Table;

    /// Reads the columns of the row at the cursor.
    ///
    /// # Errors
    /// If a value does not fit its type.
    fn read(at: Cursor<'_>) -> Result<Self>;
}

/// A model whose rows can be written: a table, not a view. Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a view: its rows can be read, not written",
    label = "this is a view",
    note = "write the tables that the view reads"
)]
pub trait Writable: Model {}

/// A model whose rows are only marked when they are deleted (`@softDelete`). Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `@softDelete`: its deleted rows are gone",
    label = "no row of this model is marked as deleted",
    note = "add a field with `@softDelete` to the model, such as `deletedAt DateTime? @softDelete`"
)]
pub trait SoftDelete: Writable {}

/// A materialized view, whose rows are stored until they are refreshed. Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a materialized view",
    label = "its rows are always current",
    note = "write `@@materialized` in its `view` block if it is one in the database"
)]
pub trait Materialized: Model {}

/// A row that a query returns: a model, or a model with its included relations.
pub trait FromRow: Sized + Send + 'static {
    /// Reads the row at the cursor.
    ///
    /// # Errors
    /// If a value does not fit its type, or an included row no longer exists.
    fn from_row(at: Cursor<'_>) -> Result<Self>;
}

impl<M: Model> FromRow for M {
    fn from_row(at: Cursor<'_>) -> Result<Self> {
        M::read(at)
    }
}

/// A row of one column, whose value can be read without the struct. Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "a row of `{Self}` is not a single value",
    note = "`scalars` is for queries with one column"
)]
pub trait SingleColumn: FromRow {
    /// The type of the column.
    type Value: Send + 'static;

    /// Returns the value of the column.
    fn into_value(self) -> Self::Value;
}

/// What a query file returns for each row: the struct of its rows, or, after `scalars`, the value of their only column.
pub trait SqlRow: 'static {
    /// The value of a row.
    type Output: Send + 'static;

    /// Reads the row at the cursor.
    ///
    /// # Errors
    /// If a value does not fit its type.
    fn read(at: Cursor<'_>) -> Result<Self::Output>;
}

impl<T: FromRow> SqlRow for T {
    type Output = T;

    fn read(at: Cursor<'_>) -> Result<T> {
        T::from_row(at)
    }
}

/// Marks a query that returns the values of its only column.
#[derive(Debug)]
pub struct Scalars<T>(std::marker::PhantomData<fn() -> T>);

impl<T: SingleColumn> SqlRow for Scalars<T> {
    type Output = T::Value;

    fn read(at: Cursor<'_>) -> Result<T::Value> {
        T::from_row(at).map(T::into_value)
    }
}

/// The content of a relation's slot.
pub trait Slot: Sized + Send + 'static {
    /// Reads the slot with this number.
    ///
    /// # Errors
    /// If a value does not fit its type, or an included row no longer exists.
    fn from_slot(at: Cursor<'_>, slot: usize) -> Result<Self>;

    /// Whether nothing was included. JSON then has no key for it.
    #[cfg(feature = "serde")]
    fn is_not_included(&self) -> bool {
        false
    }
}

/// Marks a relation that was not included. It has no fields: add `.include(..)` to the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotIncluded;

impl Slot for NotIncluded {
    fn from_slot(_: Cursor<'_>, _: usize) -> Result<Self> {
        Ok(NotIncluded)
    }

    #[cfg(feature = "serde")]
    fn is_not_included(&self) -> bool {
        true
    }
}

/// Rows leave it out. By itself, it is null.
#[cfg(feature = "serde")]
impl serde::Serialize for NotIncluded {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

/// Any value, and a missing key, are read as "not included".
#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for NotIncluded {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Option::<serde::de::IgnoredAny>::deserialize(deserializer).map(|_| NotIncluded)
    }
}

impl<T: FromRow> Slot for T {
    fn from_slot(at: Cursor<'_>, slot: usize) -> Result<Self> {
        match at.child(slot) {
            Some(child) => T::from_row(child),
            None => Err(at.missing(slot)),
        }
    }
}

impl<T: FromRow> Slot for Option<T> {
    fn from_slot(at: Cursor<'_>, slot: usize) -> Result<Self> {
        at.child(slot).map(T::from_row).transpose()
    }
}

impl<T: FromRow> Slot for Vec<T> {
    fn from_slot(at: Cursor<'_>, slot: usize) -> Result<Self> {
        let children = at.children(slot);
        // `collect` would not know how many there are, and move each row once more.
        let mut all = Vec::with_capacity(children.len());
        for child in children {
            all.push(T::from_row(child)?);
        }
        Ok(all)
    }
}
