//! Re-exports for generated code: every path in it begins with this module.

pub use crate::any_of_models;
pub use crate::audit::Audited;
pub use crate::audit_of_models;
pub use crate::builder::{AcrossTenants, All, Confined, Delegate, OnlyConfined, SqlCommand, SqlQuery};
pub use crate::calls_of_models;
pub use crate::client::calls;
pub use crate::client::{
    AnySql, Client, Models, NoTenant, OfAll, OfNone, OfSecuredTenant, OfTenant, Root, Sees, Tenants, Transaction,
};
pub use crate::create_row;
pub use crate::dsl::kind::{Generated, IsUnique, JsonList, List, NotUnique, Optional, Required};
pub use crate::dsl::{
    ANY, At, CreateWith, Field, Filled, GroupKeys, HasParents, JsonField, Key, Link, Nested, NewRow, Next, Parent,
    PlaceOf, PlacedIn, RelationField, RowOf, Scope, SelectedFor, Slots, Slotted, add_row, add_selected, read_row,
    read_selected,
};
pub use crate::enum_as_text;
pub use crate::error::Result;
pub use crate::execute::Executor;
pub use crate::factory::{Factory, MakesRows};
pub use crate::json_paths;
pub use crate::json_value;
pub use crate::keyed;
pub use crate::meta::{
    ClientDefault, Column, Constraint, Count, DeletionMark, JoinTable, Relation, Sample, Table, TableScope, Tenancy,
};
pub use crate::omits;
pub use crate::query::{Insert, JsonKind, LinkTarget, Sql, TenantId};
pub use crate::raw_sql_of_models;
pub use crate::rows::{
    Cursor, FromRow, Materialized, Model, NotIncluded, Reader, SingleColumn, Slot, SoftDelete, Writable,
};
pub use crate::set_and_with;
pub use crate::value::{
    Holds, IntoNullable, IntoValue, Ordered, Param, Scalar, UnknownLabel, assert_holds, is_json, is_json_null,
    json_format as format, list, nullable, nullable_list, value,
};
#[cfg(feature = "serde")]
pub use crate::value::{
    Json as TypedJson, decode_json, decode_json as decode_type, json_param, json_param as type_param,
};
pub use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
pub use rust_decimal::Decimal;
pub use serde_json::Value as Json;
// Models may be named Option, String or Vec, and full paths would break lines.
pub use std::{boxed::Box, marker::PhantomData, option::Option, string::String, vec::Vec};
pub use uuid::Uuid;

#[cfg(not(feature = "bit"))]
pub use crate::value::types::missing::bit_vec;
#[cfg(not(feature = "geo"))]
pub use crate::value::types::missing::geo_types;
#[cfg(not(feature = "pgvector"))]
pub use crate::value::types::missing::pgvector;
#[cfg(not(feature = "types"))]
pub use crate::value::types::missing::{Hstore, Interval, Ltree, Multirange, Range};
#[cfg(not(feature = "net"))]
pub use crate::value::types::missing::{cidr, macaddr};
pub use crate::value::{AsText, TsVector};
#[cfg(feature = "types")]
pub use crate::value::{Hstore, Interval, Ltree, Multirange, Range};
#[cfg(feature = "bigdecimal")]
pub use bigdecimal;
#[cfg(feature = "bit")]
pub use bit_vec;
#[cfg(feature = "geo")]
pub use geo_types;
#[cfg(feature = "jiff")]
pub use jiff;
#[cfg(feature = "pgvector")]
pub use pgvector;
#[cfg(feature = "serde")]
pub use serde;
#[cfg(feature = "time")]
pub use time;
#[cfg(feature = "net")]
pub use {cidr, macaddr};

/// Values whose `Serialize` differs from their JSON format: bytes, and the times of `time`.
#[cfg(feature = "serde")]
pub use crate::value::text;

/// The enabled features, of those that a schema may need. Generated code asserts them where rustc would not name the
/// missing one.
pub mod features {
    /// For `serde = true` and `type` blocks.
    pub const SERDE: bool = cfg!(feature = "serde");
    /// For columns of `bit` and `varbit`.
    pub const BIT: bool = cfg!(feature = "bit");
    /// For columns of PostGIS, and of `point`, `box` and `lseg`.
    pub const GEO: bool = cfg!(feature = "geo");
    /// For columns of network addresses.
    pub const NET: bool = cfg!(feature = "net");
    /// For columns of pgvector.
    pub const PGVECTOR: bool = cfg!(feature = "pgvector");
    /// For columns of intervals, ranges, `hstore` and `ltree`.
    pub const TYPES: bool = cfg!(feature = "types");
    /// For `cuid()`.
    pub const CUID: bool = cfg!(feature = "cuid");
    /// For `nanoid()`.
    pub const NANOID: bool = cfg!(feature = "nanoid");
    /// For `ulid()`.
    pub const ULID: bool = cfg!(feature = "ulid");
}

/// The error of a scalar's decoder.
pub type DecodeError = std::boxed::Box<dyn std::error::Error + Sync + Send>;

/// Returns the error for a label that is not a value of an enum.
pub fn unknown_label(name: &str) -> DecodeError {
    format!("the database has a label of {name} that the schema does not know").into()
}

/// Returns the error for a text that is not the label of a variant.
pub fn unknown_value(name: &str) -> DecodeError {
    format!("the database has a value that {name} has no variant for").into()
}

/// For derived code, in place of the functions for JSON: says which feature is missing.
#[cfg(not(feature = "serde"))]
mod without_serde {
    use crate::rt::{DecodeError, Param};

    /// A type that is stored as JSON.
    #[diagnostic::on_unimplemented(
        message = "`#[relata(json)]` needs the feature `serde` of `relata`",
        label = "`{Self}` is stored as JSON",
        note = "add it to the features of `relata` in Cargo.toml: features = [\"serde\"]"
    )]
    pub trait NeedsSerde: Sized {}

    /// Never called.
    ///
    /// # Errors
    /// Always.
    pub fn decode_json<T: NeedsSerde>(_: &[u8]) -> Result<T, DecodeError> {
        Err("the feature `serde` is missing".into())
    }

    /// Never called.
    pub fn json_param<T>(_: &T) -> Param {
        Param::Null
    }

    /// Never called.
    ///
    /// # Errors
    /// Always.
    pub fn decode_type<T>(_: &[u8]) -> Result<T, DecodeError> {
        Err("the feature `serde` is missing".into())
    }

    /// Never called.
    pub fn type_param<T>(_: &T) -> Param {
        Param::Null
    }
}

#[cfg(not(feature = "serde"))]
pub use without_serde::{decode_json, decode_type, json_param, type_param};

/// In place of serde's derives, so that the only error of a client is the one of [`features`].
#[cfg(all(feature = "derive", not(feature = "serde")))]
pub mod serde {
    pub use relata_derive::{NoSerde as Deserialize, NoSerde as Serialize};
}
