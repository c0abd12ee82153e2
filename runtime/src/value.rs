//! Values: parameters for PostgreSQL, scalars from PostgreSQL, and their codecs.
//!
//! Both directions use the binary protocol.

mod arithmetic;
#[cfg(feature = "bigdecimal")]
mod bigdecimal;
mod datetime;
mod holds;
#[cfg(feature = "serde")]
mod in_request;
mod into;
#[cfg(feature = "jiff")]
mod jiff;
mod json;
pub mod json_format;
mod json_value;
mod label;
mod newtype;
mod number;
#[cfg(feature = "bigdecimal")]
mod numeric;
mod param;
mod postgres;
mod scalar;
#[cfg(feature = "serde")]
pub mod text;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "serde")]
mod typed_json;
pub(crate) mod types;

pub use arithmetic::{Average, Number, Ordered, Sum};
pub(crate) use arithmetic::{Averaged, Summed};
pub use holds::{Holds, assert_holds};
#[cfg(feature = "serde")]
pub use in_request::{double_option, not_null};
pub use into::{Assigned, Compared, IntoNullable, IntoParam, IntoValue, List, list, nullable, nullable_list, value};
pub(crate) use json::array as json_array;
pub use json_value::{is_json, is_json_null};
pub use label::UnknownLabel;
pub use newtype::Newtype;
pub use param::Param;
pub(crate) use param::{RawList, Refused, RefusedKind, integer};
pub use postgres::Postgres;
pub use scalar::Scalar;
pub(crate) use scalar::{Decode, Decoded, accepts_list, decode_list, decode_list_with_nulls, only_value};
#[cfg(feature = "serde")]
pub use typed_json::{Json, decode_json, json_param};

#[cfg(feature = "pgvector")]
pub use types::AnyVector;
#[cfg(feature = "net")]
pub use types::NetAddress;
#[cfg(feature = "geo")]
pub use types::Spatial;
pub use types::{AsText, TsVector};
#[cfg(feature = "types")]
pub use types::{Hstore, Interval, Ltree, Multirange, NotAnInterval, Range, RangeOf};

pub(crate) type BoxError = Box<dyn std::error::Error + Sync + Send>;
