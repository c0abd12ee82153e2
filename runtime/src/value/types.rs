//! Types of PostgreSQL and its extensions beyond the scalars of the schema language.

#[cfg(feature = "bit")]
mod bits;
#[cfg(feature = "geo")]
mod ewkb;
#[cfg(feature = "geo")]
mod geo;
#[cfg(feature = "types")]
mod hstore;
#[cfg(feature = "types")]
mod interval;
#[cfg(feature = "types")]
mod ltree;
#[cfg(not(all(feature = "bit", feature = "geo", feature = "net", feature = "pgvector", feature = "types")))]
pub(crate) mod missing;
#[cfg(feature = "net")]
mod net;
#[cfg(feature = "pgvector")]
mod pgvector;
#[cfg(feature = "types")]
mod range;
mod text_like;

#[cfg(feature = "geo")]
pub use geo::Spatial;
#[cfg(feature = "types")]
pub use hstore::Hstore;
#[cfg(feature = "types")]
pub use interval::{Interval, NotAnInterval};
#[cfg(feature = "types")]
pub use ltree::Ltree;
#[cfg(feature = "net")]
pub use net::NetAddress;
#[cfg(feature = "pgvector")]
pub use pgvector::AnyVector;
#[cfg(feature = "types")]
pub use range::{Multirange, Range, RangeOf};
pub use text_like::{AsText, TsVector};

/// Implements serde's traits by `Display` and `FromStr`.
#[cfg(all(feature = "serde", feature = "types"))]
macro_rules! as_text {
    ($type:ty, $expected:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                let unexpected = serde::de::Unexpected::Other("another text");
                text.parse().map_err(|_| serde::de::Error::invalid_value(unexpected, &$expected))
            }
        }
    };
}

#[cfg(all(feature = "serde", feature = "types"))]
use as_text;
