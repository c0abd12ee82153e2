//! The one door for generated code: every path in it begins here.

pub use crate::builder::{AcrossTenants, All, Confined, Delegate, SqlCommand, SqlQuery};
pub use crate::client::{AnySql, Client, Models, OfAll, OfNone, OfTenant, Root, Tenants, Transaction};
pub use crate::dsl::kind::{IsUnique, List, Optional, Required};
pub use crate::dsl::{
    ANY, Assignment, At, CreateRow, CreateWith, Field, Filled, Key, Link, Nested, NewRow, Parent, Put, RelationField,
    SelectedFor, add_selected, read_selected,
};
pub use crate::error::Result;
pub use crate::execute::Executor;
pub use crate::meta::{ClientDefault, Column, Constraint, Count, JoinTable, Relation, Table, Tenancy};
pub use crate::query::{Insert, LinkTarget, Sql};
pub use crate::rows::{Cursor, FromRow, Model, NotIncluded, Reader, Slot, Writable};
pub use crate::set_and_with;
pub use crate::value::{IntoNullable, IntoValue, Ordered, Param, Scalar, list, nullable, nullable_list, value};
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

/// Which of the features that a schema can need are enabled. Where rustc would not name the one that is missing,
/// generated code asserts it.
pub mod features {
    /// For `cuid()`.
    pub const CUID: bool = cfg!(feature = "cuid");
    /// For `nanoid()`.
    pub const NANOID: bool = cfg!(feature = "nanoid");
    /// For `ulid()`.
    pub const ULID: bool = cfg!(feature = "ulid");
}

/// What a scalar's decoder fails with.
pub type DecodeError = Box<dyn std::error::Error + Sync + Send>;

/// Why a label is no value of an enum.
pub fn unknown_label(name: &str) -> DecodeError {
    format!("the database has a label of {name} that the schema does not know").into()
}
