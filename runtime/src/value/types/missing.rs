//! Stand-ins for the types of other crates whose feature is off. A client that names them gets one error, which says what
//! to enable, rather than one for each place.

/// Modules of the crates, with types that have no values.
macro_rules! stand_ins {
    ($($feature:literal $crate_name:ident: $($name:ident $(<$parameter:ident>)?),+;)+) => {
        $(
            #[cfg(not(feature = $feature))]
            #[doc(hidden)]
            #[allow(missing_docs, reason = "nothing has their values")]
            pub mod $crate_name {
                use std::marker::PhantomData;

                use tokio_postgres::types::Type;

                use crate::value::types::missing::Never;
                use crate::value::{BoxError, Param, Scalar};

                $(
                    #[derive(Debug, Clone, PartialEq)]
                    pub struct $name $(<$parameter = f64>)? (Never, PhantomData<fn() -> ($($parameter,)?)>);

                    #[diagnostic::do_not_recommend]
                    impl $(<$parameter: Send + 'static>)? Scalar for $name $(<$parameter>)? {
                        type Base = Self;

                        fn decode(_: &[u8]) -> Result<Self, BoxError> {
                            Err(concat!("the feature `", $feature, "` of `relata` is off").into())
                        }

                        fn into_param(self) -> Param {
                            match self.0 {}
                        }

                        fn accepts(_: &Type) -> bool {
                            false
                        }
                    }

                    #[cfg(feature = "serde")]
                    impl $(<$parameter>)? serde::Serialize for $name $(<$parameter>)? {
                        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                            match self.0 {}
                        }
                    }

                    #[cfg(feature = "serde")]
                    impl<'de $(, $parameter)?> serde::Deserialize<'de> for $name $(<$parameter>)? {
                        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                            Err(serde::de::Error::custom("a feature of `relata` is off"))
                        }
                    }

                    #[cfg(feature = "serde")]
                    impl $(<$parameter>)? crate::value::text::AsText for $name $(<$parameter>)? {
                        fn to_text(&self) -> Result<String, std::fmt::Error> {
                            match self.0 {}
                        }

                        fn from_text(_: &str) -> Option<Self> {
                            None
                        }
                    }
                )+
            }
        )+
    };
}

/// Has no values.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(all(feature = "bit", feature = "geo", feature = "net", feature = "pgvector"), allow(dead_code))]
pub(crate) enum Never {}

stand_ins! {
    "net" cidr: IpInet, IpCidr;
    "net" macaddr: MacAddr6, MacAddr8;
    "bit" bit_vec: BitVec;
    "pgvector" pgvector: Vector, HalfVector, SparseVector;
    "geo" geo_types: Geometry<T>, Point<T>, LineString<T>, Polygon<T>, MultiPoint<T>, MultiLineString<T>,
        MultiPolygon<T>, GeometryCollection<T>, Coord<T>, Rect<T>, Line<T>;
}
