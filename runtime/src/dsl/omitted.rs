//! Rows with their `@omit` columns.

use super::selectable::Selectable;
use super::selection::push_output;
use crate::error::Result;
use crate::query::{Output, Select};
use crate::rows::{Model, Reader};

/// A model with columns that its rows do not have unless a program asks for them (`@omit`). Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no omitted columns",
    label = "its rows already have all of their columns",
    note = "write `@omit` on a field in the schema to leave its column out of rows"
)]
pub trait Omits: Model {
    /// The row with its omitted columns: `user::Full`.
    type Full: Selectable<Model = Self>;
}

/// For generated code: adds the columns of a row.
pub fn add_row<M: Model>(select: &mut Select) {
    (0..).take(M::table().reads).for_each(|column| push_output(select, Output::Column(column)));
}

/// For generated code: reads the columns of a row.
///
/// # Errors
/// If a value does not fit its type.
pub fn read_row<M: Model>(reader: &mut Reader<'_>) -> Result<M> {
    reader.model()
}

/// For generated code: a row with its omitted columns.
#[macro_export]
#[doc(hidden)]
macro_rules! omits {
    ($model:ident, $full:ident { $($field:ident $($sensitive:ident)?),+ }) => {
        impl ::std::ops::Deref for $full {
            type Target = self::$model;

            fn deref(&self) -> &self::$model {
                &self.row_
            }
        }

        impl ::std::fmt::Debug for $full {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let mut fields = f.debug_struct(stringify!($full));
                fields.field("row_", &self.row_);
                $(fields.field(stringify!($field), $crate::omits!(@shown self $field $($sensitive)?));)+
                fields.finish()
            }
        }

        impl $crate::Omits for self::$model {
            type Full = $full;
        }

        impl $crate::Selectable for $full {
            type Model = self::$model;

            fn add_to(select: &mut $crate::Select) {
                $crate::rt::add_row::<self::$model>(select);
                $($crate::rt::add_selected::<self::$model, _>($field, select);)+
            }

            fn read(reader: &mut $crate::rt::Reader<'_>) -> $crate::rt::Result<Self> {
                ::std::result::Result::Ok(Self {
                    row_: $crate::rt::read_row(reader)?,
                    $($field: $crate::rt::read_selected::<self::$model, _, _>(|| $field, reader)?),+
                })
            }
        }
    };
    (@shown $self:ident $field:ident) => {
        &$self.$field
    };
    (@shown $self:ident $field:ident sensitive) => {
        &"<sensitive>"
    };
}
