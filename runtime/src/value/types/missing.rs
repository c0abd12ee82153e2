//! A stand-in for the types whose feature is off. A client that names them gets one error, which says what
//! to enable, rather than one for each place.

use std::marker::PhantomData;

use tokio_postgres::types::Type;

use super::super::param::Param;
use super::super::scalar::Scalar;
use crate::value::BoxError;

/// A type without values. `T` is the parameter of the type that it stands for.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
pub struct Missing<T = ()>(Never, PhantomData<fn() -> T>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Never {}

#[diagnostic::do_not_recommend]
impl<T: 'static> Scalar for Missing<T> {
    type Base = Self;

    fn decode(_: &[u8]) -> Result<Self, BoxError> {
        Err("a feature of `relata` is off".into())
    }

    fn into_param(self) -> Param {
        match self.0 {}
    }

    fn accepts(_: &Type) -> bool {
        false
    }
}

#[cfg(feature = "serde")]
mod in_json {
    use super::Missing;
    use crate::value::text::AsText;

    impl<T> serde::Serialize for Missing<T> {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            match self.0 {}
        }
    }

    impl<'de, T> serde::Deserialize<'de> for Missing<T> {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("a feature of `relata` is off"))
        }
    }

    impl<T> AsText for Missing<T> {
        fn to_text(&self) -> Result<String, std::fmt::Error> {
            match self.0 {}
        }

        fn from_text(_: &str) -> Option<Self> {
            None
        }
    }
}

/// Types of the runtime itself.
#[cfg(not(feature = "types"))]
#[allow(missing_docs, reason = "nothing has their values")]
mod own {
    use super::Missing;

    pub type Interval = Missing;
    pub type Range<T> = Missing<T>;
    pub type Multirange<T> = Missing<T>;
    pub type Hstore = Missing;
    pub type Ltree = Missing;
}

#[cfg(not(feature = "types"))]
#[doc(hidden)]
pub use own::{Hstore, Interval, Ltree, Multirange, Range};

/// Modules with the names of the crates.
macro_rules! stand_ins {
    ($($feature:literal $crate_name:ident: $($name:ident $(<$parameter:ident>)?),+;)+) => {
        $(
            #[cfg(not(feature = $feature))]
            #[doc(hidden)]
            #[allow(missing_docs, reason = "nothing has their values")]
            pub mod $crate_name {
                use super::Missing;

                $(pub type $name $(<$parameter>)? = Missing $(<$parameter>)?;)+
            }
        )+
    };
}

stand_ins! {
    "net" cidr: IpInet, IpCidr;
    "net" macaddr: MacAddr6, MacAddr8;
    "bit" bit_vec: BitVec;
    "pgvector" pgvector: Vector, HalfVector, SparseVector;
    "geo" geo_types: Geometry<T>, Point<T>, LineString<T>, Polygon<T>, MultiPoint<T>, MultiLineString<T>,
        MultiPolygon<T>, GeometryCollection<T>, Coord<T>, Rect<T>, Line<T>;
}
