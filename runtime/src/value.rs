//! Values: parameters for PostgreSQL, scalars from PostgreSQL, and their codecs.
//!
//! Both directions use the binary protocol.

mod arithmetic;
#[cfg(feature = "bigdecimal")]
mod bigdecimal;
mod datetime;
mod into;
#[cfg(feature = "jiff")]
mod jiff;
mod json;
mod number;
#[cfg(feature = "bigdecimal")]
mod numeric;
mod param;
mod scalar;
#[cfg(feature = "serde")]
pub mod text;
#[cfg(feature = "time")]
mod time;

pub use arithmetic::{Average, Number, Ordered, Sum};
pub(crate) use arithmetic::{Averaged, Summed};
pub use into::{IntoNullable, IntoParam, IntoValue, List, list, nullable, nullable_list, value};
pub use param::Param;
pub(crate) use param::{RawList, Refused, integer};
pub use scalar::Scalar;
pub(crate) use scalar::{Decode, Decoded, accepts_list, decode_list, decode_list_with_nulls, only_value};

type BoxError = Box<dyn std::error::Error + Sync + Send>;
