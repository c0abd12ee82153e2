//! Places: `geometry` and `geography` of PostGIS, and PostgreSQL's own `point`, `box` and `lseg`.

use bytes::{BufMut, BytesMut};
use geo_types::{
    Coord, Geometry, GeometryCollection, Line, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
    Rect,
};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::into::{IntoNullable, IntoValue};
use super::super::param::Param;
use super::super::postgres::Encoded;
use super::super::scalar::Scalar;
use super::ewkb;
use crate::value::BoxError;

/// The types of `geometry` and `geography` columns.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a type of a `geometry` or `geography` column")]
pub trait Spatial: Scalar {}

/// Returns a geometry as a parameter, in the format EWKB.
pub(crate) fn geometry_param(geometry: &Geometry<f64>) -> Param {
    let mut raw = Vec::new();
    ewkb::write(geometry, &mut raw);
    Param::Encoded(Encoded::new(Ewkb(raw)))
}

#[derive(Debug, PartialEq)]
struct Ewkb(Vec<u8>);

impl ToSql for Ewkb {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::BYTEA || accepts_places(ty)
    }

    to_sql_checked!();
}

fn accepts_places(ty: &Type) -> bool {
    matches!(ty.name(), "geometry" | "geography")
}

impl Spatial for Geometry<f64> {}

#[diagnostic::do_not_recommend]
impl Scalar for Geometry<f64> {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        Ok(ewkb::read(raw)?)
    }

    fn into_param(self) -> Param {
        geometry_param(&self)
    }

    fn accepts(ty: &Type) -> bool {
        accepts_places(ty)
    }
}

macro_rules! places {
    ($($type:ident),+) => {
        $(
            impl Spatial for $type<f64> {}

            #[diagnostic::do_not_recommend]
            impl Scalar for $type<f64> {
                type Base = Self;

                fn decode(raw: &[u8]) -> Result<Self, BoxError> {
                    let other = concat!("it is a geometry of another kind than ", stringify!($type));
                    // The conversion of geo-types would wrap any geometry in a collection.
                    match ewkb::read(raw)? {
                        Geometry::$type(geometry) => Ok(geometry),
                        _ => Err(other.into()),
                    }
                }

                fn into_param(self) -> Param {
                    geometry_param(&Geometry::$type(self))
                }

                fn accepts(ty: &Type) -> bool {
                    accepts_places(ty)
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoValue<Geometry<f64>> for $type<f64> {
                fn into_value(self) -> Geometry<f64> {
                    Geometry::$type(self)
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoNullable<Geometry<f64>> for $type<f64> {
                fn into_nullable(self) -> Option<Geometry<f64>> {
                    Some(Geometry::$type(self))
                }
            }
        )+
    };
}

places!(Point, LineString, Polygon, MultiPoint, MultiLineString, MultiPolygon, GeometryCollection);

#[derive(Debug, PartialEq)]
struct Numbers(Vec<f64>);

impl ToSql for Numbers {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.iter().for_each(|number| out.put_f64(*number));
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::POINT | Type::BOX | Type::LSEG)
    }

    to_sql_checked!();
}

fn numbers<const N: usize>(raw: &[u8]) -> Result<[f64; N], BoxError> {
    let found: Vec<f64> = raw.chunks_exact(8).filter_map(|raw| raw.try_into().ok()).map(f64::from_be_bytes).collect();
    found.try_into().map_err(|_| "its length is wrong".into())
}

macro_rules! geometric {
    ($($type:ty: $known:ident, |$numbers:pat_param| $decode:expr, |$value:ident| $encode:expr;)+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Scalar for $type {
                type Base = Self;

                fn decode(raw: &[u8]) -> Result<Self, BoxError> {
                    let $numbers = numbers(raw)?;
                    Ok($decode)
                }

                fn into_param(self) -> Param {
                    let $value = self;
                    Param::Encoded(Encoded::new(Numbers($encode.to_vec())))
                }

                fn accepts(ty: &Type) -> bool {
                    *ty == Type::$known
                }
            }
        )+
    };
}

geometric! {
    Coord<f64>: POINT, |[x, y]| Coord { x, y }, |value| [value.x, value.y];
    Rect<f64>: BOX, |[x1, y1, x2, y2]| Rect::new((x1, y1), (x2, y2)),
    |value| [value.max().x, value.max().y, value.min().x, value.min().y];
    Line<f64>: LSEG, |[x1, y1, x2, y2]| Line::new((x1, y1), (x2, y2)),
    |value| [value.start.x, value.start.y, value.end.x, value.end.y];
}
