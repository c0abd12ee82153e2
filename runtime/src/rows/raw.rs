//! Rows of raw SQL, read into tuples and structs.
//!
//! The schema does not determine the types of such a statement, so every column of a result is checked against the type
//! that it is read as.

use std::fmt;

use tokio_postgres::types::Type;
use tokio_postgres::{Column, Row};

use super::node::raw_value;
use crate::error::{Error, Result};
use crate::value::{Decode, List, Scalar, accepts_list, decode_list};

/// A column of a raw result: a scalar, an optional one, or a list.
#[diagnostic::on_unimplemented(
    message = "a column of SQL cannot be read as `{Self}`",
    label = "expected a type that a column can hold, an `Option` of one, or `relata::List` of them"
)]
pub trait RawColumn: Sized + Send + 'static {
    /// Returns whether it can be read from a column of this type.
    fn accepts(ty: &Type) -> bool;

    /// Reads it from a column of this type.
    ///
    /// # Errors
    /// If the value does not fit.
    fn read(ty: &Type, raw: Option<&[u8]>) -> Result<Self, Box<dyn std::error::Error + Sync + Send>>;
}

impl<T: Scalar> RawColumn for T {
    fn accepts(ty: &Type) -> bool {
        T::accepts(ty)
    }

    fn read(ty: &Type, raw: Option<&[u8]>) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        match raw {
            Some(_) => T::decode_nullable(ty, raw),
            None => Err(format!("it is null: read it as `Option<{}>`", short_name(std::any::type_name::<T>())).into()),
        }
    }
}

/// Returns the name of a type without the modules that it is in.
fn short_name(full: &str) -> String {
    let is_in_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut short = String::new();
    let mut rest = full;
    while let Some(start) = rest.find(is_in_name) {
        short.push_str(&rest[..start]);
        let word = &rest[start..];
        let end = word.find(|c| !is_in_name(c)).unwrap_or(word.len());
        match word[end..].strip_prefix("::") {
            Some(behind) => rest = behind,
            None => {
                short.push_str(&word[..end]);
                rest = &word[end..];
            }
        }
    }
    short + rest
}

impl<T: Scalar> RawColumn for Option<T> {
    fn accepts(ty: &Type) -> bool {
        T::accepts(ty)
    }

    fn read(ty: &Type, raw: Option<&[u8]>) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Self::decode_nullable(ty, raw)
    }
}

impl<T: Scalar> RawColumn for List<T> {
    fn accepts(ty: &Type) -> bool {
        accepts_list::<T>(ty)
    }

    fn read(ty: &Type, raw: Option<&[u8]>) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        decode_list(ty, raw).map(List)
    }
}

/// A row of a raw result: a tuple of columns, or a struct that derives it.
///
/// Each field is read from the column of its name, or of the name that `#[relata(column = "..")]` gives.
///
/// ```
/// #[derive(relata::FromRawRow)]
/// struct Year {
///     class_year: i32,
///     #[relata(column = "count")]
///     students: i64,
///     emails: Vec<String>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "rows of SQL cannot be read as `{Self}`",
    label = "expected a tuple of up to 12 columns, or a struct with `#[derive(relata::FromRawRow)]`"
)]
pub trait FromRawRow: Sized + Send + 'static {
    /// Reads a row.
    ///
    /// # Errors
    /// If the number or the types of the columns differ, or a value does not fit.
    fn from_raw(row: &RawRow<'_>) -> Result<Self>;
}

/// A row of the statement's result.
pub struct RawRow<'a> {
    row: &'a Row,
}

impl fmt::Debug for RawRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.row.columns().iter().map(Column::name)).finish()
    }
}

impl<'a> RawRow<'a> {
    pub(crate) fn new(row: &'a Row) -> Self {
        Self { row }
    }
}

impl RawRow<'_> {
    /// Returns the number of columns.
    pub fn len(&self) -> usize {
        self.row.len()
    }

    /// Returns whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    /// Reads the column at a position.
    ///
    /// # Errors
    /// If there is no such column, or it does not fit.
    pub fn get<T: RawColumn>(&self, position: usize) -> Result<T> {
        let Some(column) = self.row.columns().get(position) else {
            let reason = format!("the statement has {} columns, and column {position} is read", self.len());
            return Err(Error::RowMismatch(reason.into()));
        };
        if !T::accepts(column.type_()) {
            let (name, ty) = (column.name(), column.type_());
            let wanted = std::any::type_name::<T>();
            let reason = format!("column {name} is {ty}, and is read as {wanted}: cast it in the SQL");
            return Err(Error::RowMismatch(reason.into()));
        }
        T::read(column.type_(), raw_value(self.row, position))
            .map_err(|reason| Error::RowMismatch(format!("column {}: {reason}", column.name()).into()))
    }

    /// Reads the column with a name. Looks at `position` first, and at other names only if it is not there.
    ///
    /// # Errors
    /// If there is no such column, or it does not fit.
    pub fn get_near<T: RawColumn>(&self, position: usize, name: &str) -> Result<T> {
        match self.row.columns().get(position) {
            Some(column) if column.name() == name => self.get(position),
            _ => self.get_named(name),
        }
    }

    /// Reads the column with a name.
    ///
    /// # Errors
    /// If there is no such column, or it does not fit.
    pub fn get_named<T: RawColumn>(&self, name: &str) -> Result<T> {
        match self.row.columns().iter().position(|column| column.name() == name) {
            Some(position) => self.get(position),
            None => Err(Error::RowMismatch(format!("the statement has no column {name}: it has {self:?}").into())),
        }
    }
}

macro_rules! raw_tuple {
    ($count:literal: $($type:ident $index:tt),+) => {
        impl<$($type: RawColumn),+> FromRawRow for ($($type,)+) {
            fn from_raw(row: &RawRow<'_>) -> Result<Self> {
                if row.len() != $count {
                    let reason =
                        format!("the statement has {} columns, and is read into a tuple of {}", row.len(), $count);
                    return Err(Error::RowMismatch(reason.into()));
                }
                Ok(($(row.get::<$type>($index)?,)+))
            }
        }
    };
}

raw_tuple!(1: A 0);
raw_tuple!(2: A 0, B 1);
raw_tuple!(3: A 0, B 1, C 2);
raw_tuple!(4: A 0, B 1, C 2, D 3);
raw_tuple!(5: A 0, B 1, C 2, D 3, E 4);
raw_tuple!(6: A 0, B 1, C 2, D 3, E 4, F 5);
raw_tuple!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
raw_tuple!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
raw_tuple!(9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
raw_tuple!(10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
raw_tuple!(11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
raw_tuple!(12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn types_have_short_names() {
        let date_time = std::any::type_name::<chrono::DateTime<chrono::Utc>>();
        assert_eq!(
            [short_name("i32"), short_name("alloc::string::String"), short_name(date_time)],
            ["i32", "String", "DateTime<Utc>"]
        );
        assert_eq!(short_name("(a::B, &[c::d::E])"), "(B, &[E])");
    }
}
