//! The one door for generated code: every path in it begins here.

pub use crate::aggregate::Ordered;
pub use crate::client::{Client, Models};
pub use crate::connection::Handle;
pub use crate::create::{ANY, CreateRow, CreateWith, Insert, Link, LinkTarget, NewRow, Parent};
pub use crate::delegate::Delegate;
pub use crate::error::Result;
pub use crate::field::{Assignment, Field, Key, ListField, OptionalField, OptionalUniqueField, UniqueField};
pub use crate::model::{Cursor, FromRow, Model, NotIncluded, Slot, Writable};
pub use crate::nested::Nested;
pub use crate::relation::{At, Filled, Many, Maybe, One, Put};
pub use crate::selectable::{SelectedFor, add_selected, read_selected};
pub use crate::selection::Reader;
pub use crate::set_and_with;
pub use crate::table::{ClientDefault, Column, Constraint, Count, JoinTable, Relation, Table};
pub use crate::transaction::Transaction;
pub use crate::typed::{Sql, SqlCommand, SqlQuery, list, nullable, nullable_list, value};
pub use crate::value::{IntoNullable, IntoValue, Param, Scalar};
pub use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
pub use rust_decimal::Decimal;
pub use serde_json::Value as Json;
// Models may be called Option, String and Vec, and the full paths break lines.
pub use std::{option::Option, string::String, vec::Vec};
pub use uuid::Uuid;

#[cfg(feature = "bigdecimal")]
pub use bigdecimal;
#[cfg(feature = "jiff")]
pub use jiff;
#[cfg(feature = "serde")]
pub use serde;
#[cfg(feature = "time")]
pub use time;

/// Values whose own `Serialize` is not what JSON has for them: bytes, and the times of `time`.
#[cfg(feature = "serde")]
pub use crate::value::text;

/// What a scalar's decoder fails with.
pub type DecodeError = Box<dyn std::error::Error + Sync + Send>;

/// Why a label is no value of an enum.
pub fn unknown_label(name: &str) -> DecodeError {
    format!("the database has a label of {name} that the schema does not know").into()
}
