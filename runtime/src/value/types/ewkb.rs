//! EWKB, the binary format of PostGIS, for the types of geo-types.
//!
//! Only two dimensions: geo-types has no third, and a value that has one is an error rather than cut.

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

const HAS_Z: u32 = 0x8000_0000;
const HAS_M: u32 = 0x4000_0000;
const HAS_SRID: u32 = 0x2000_0000;

/// The depth of collections inside collections.
const MAX_DEPTH: u8 = 32;

/// Reads a geometry.
///
/// # Errors
/// If the bytes are not one, or it is one that geo-types does not have.
pub(super) fn read(raw: &[u8]) -> Result<Geometry<f64>, &'static str> {
    let mut reader = Reader { rest: raw, little: true };
    let geometry = reader.geometry(MAX_DEPTH)?;
    if reader.rest.is_empty() { Ok(geometry) } else { Err(NOT_A_GEOMETRY) }
}

const NOT_A_GEOMETRY: &str = "it is not a geometry in the format EWKB";
const EMPTY_POINT: &str = "it is an empty point, which geo-types does not have";

struct Reader<'r> {
    rest: &'r [u8],
    little: bool,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(NOT_A_GEOMETRY)?;
        self.rest = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u32, &'static str> {
        let bytes = self.take()?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn float(&mut self) -> Result<f64, &'static str> {
        let bytes = self.take()?;
        Ok(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn coordinate(&mut self) -> Result<Coord<f64>, &'static str> {
        Ok(Coord { x: self.float()?, y: self.float()? })
    }

    /// Reads a count, and that many parts. Nothing is reserved for a count that the bytes cannot hold.
    fn many<T>(&mut self, mut part: impl FnMut(&mut Self) -> Result<T, &'static str>) -> Result<Vec<T>, &'static str> {
        let count = self.number()?;
        let mut parts = Vec::new();
        for _ in 0..count {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn line(&mut self) -> Result<LineString<f64>, &'static str> {
        self.many(Self::coordinate).map(LineString)
    }

    fn polygon(&mut self) -> Result<Polygon<f64>, &'static str> {
        let mut rings = self.many(Self::line)?.into_iter();
        Ok(Polygon::new(rings.next().unwrap_or_else(|| LineString(Vec::new())), rings.collect()))
    }

    /// The parts of a collection are whole geometries.
    fn parts<T: TryFrom<Geometry<f64>>>(&mut self, depth: u8) -> Result<Vec<T>, &'static str> {
        self.many(|reader| T::try_from(reader.geometry(depth)?).map_err(|_| NOT_A_GEOMETRY))
    }

    fn geometry(&mut self, depth: u8) -> Result<Geometry<f64>, &'static str> {
        let depth = depth.checked_sub(1).ok_or("its collections are nested too deeply")?;
        self.little = match self.take()? {
            [0] => false,
            [1] => true,
            _ => return Err(NOT_A_GEOMETRY),
        };
        let kind = self.number()?;
        if kind & HAS_SRID != 0 {
            self.number()?;
        }
        if kind & (HAS_Z | HAS_M) != 0 {
            return Err("it has a third dimension, which geo-types does not have");
        }
        Ok(match kind & !HAS_SRID {
            1 => {
                let place = self.coordinate()?;
                if place.x.is_nan() && place.y.is_nan() {
                    return Err(EMPTY_POINT);
                }
                Geometry::Point(Point(place))
            }
            2 => Geometry::LineString(self.line()?),
            3 => Geometry::Polygon(self.polygon()?),
            4 => Geometry::MultiPoint(MultiPoint(self.parts(depth)?)),
            5 => Geometry::MultiLineString(MultiLineString(self.parts(depth)?)),
            6 => Geometry::MultiPolygon(MultiPolygon(self.parts(depth)?)),
            7 => Geometry::GeometryCollection(GeometryCollection(self.parts(depth)?)),
            _ => return Err("it is of a kind that geo-types does not have"),
        })
    }
}

/// Writes a geometry, without a SRID.
pub(super) fn write(geometry: &Geometry<f64>, out: &mut Vec<u8>) {
    match geometry {
        Geometry::Point(point) => {
            head(1, out);
            coordinate(point.0, out);
        }
        Geometry::Line(line) => {
            head(2, out);
            coordinates(&[line.start, line.end], out);
        }
        Geometry::LineString(line) => {
            head(2, out);
            coordinates(&line.0, out);
        }
        Geometry::Polygon(polygon) => write_polygon(polygon, out),
        Geometry::Rect(rect) => write_polygon(&rect.to_polygon(), out),
        Geometry::Triangle(triangle) => write_polygon(&triangle.to_polygon(), out),
        Geometry::MultiPoint(points) => many(4, &points.0, |point| Geometry::Point(*point), out),
        Geometry::MultiLineString(lines) => many(5, &lines.0, |line| Geometry::LineString(line.clone()), out),
        Geometry::MultiPolygon(polygons) => many(6, &polygons.0, |one| Geometry::Polygon(one.clone()), out),
        Geometry::GeometryCollection(all) => many(7, &all.0, Clone::clone, out),
    }
}

fn head(kind: u32, out: &mut Vec<u8>) {
    out.push(1);
    out.extend_from_slice(&kind.to_le_bytes());
}

fn count(number: usize, out: &mut Vec<u8>) {
    // A value of PostgreSQL has at most 1 GB.
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn coordinate(place: Coord<f64>, out: &mut Vec<u8>) {
    out.extend_from_slice(&place.x.to_le_bytes());
    out.extend_from_slice(&place.y.to_le_bytes());
}

fn coordinates(places: &[Coord<f64>], out: &mut Vec<u8>) {
    count(places.len(), out);
    places.iter().for_each(|place| coordinate(*place, out));
}

fn write_polygon(polygon: &Polygon<f64>, out: &mut Vec<u8>) {
    head(3, out);
    let rings = [polygon.exterior()].into_iter().chain(polygon.interiors()).filter(|ring| !ring.0.is_empty());
    count(rings.clone().count(), out);
    rings.for_each(|ring| coordinates(&ring.0, out));
}

fn many<T>(kind: u32, parts: &[T], geometry: impl Fn(&T) -> Geometry<f64>, out: &mut Vec<u8>) {
    head(kind, out);
    count(parts.len(), out);
    parts.iter().for_each(|part| write(&geometry(part), out));
}

#[cfg(test)]
mod tests {
    use geo_types::{line_string, point, polygon};

    use super::*;

    fn every_kind() -> Vec<Geometry<f64>> {
        let collection = |parts| Geometry::GeometryCollection(GeometryCollection(parts));
        let line = line_string![(x: 0.0, y: 0.0), (x: 1.5, y: -2.0), (x: 3.0, y: 1e300)];
        let hole = line_string![(x: 1.0, y: 1.0), (x: 2.0, y: 1.0), (x: 2.0, y: 2.0), (x: 1.0, y: 1.0)];
        let outer = polygon![(x: 0.0, y: 0.0), (x: 9.0, y: 0.0), (x: 9.0, y: 9.0), (x: 0.0, y: 0.0)];
        let area = Polygon::new(outer.exterior().clone(), vec![hole]);
        let points = MultiPoint(vec![point!(x: 1.0, y: 2.0), point!(x: -0.0, y: 0.5)]);
        vec![
            point!(x: 12.37, y: 51.34).into(),
            line.clone().into(),
            LineString::<f64>(Vec::new()).into(),
            area.clone().into(),
            points.clone().into(),
            MultiLineString(vec![line.clone(), line]).into(),
            MultiPolygon(vec![area.clone(), area]).into(),
            collection(vec![points.into(), collection(Vec::new())]),
        ]
    }

    #[test]
    fn every_kind_survives() {
        for geometry in every_kind() {
            let mut raw = Vec::new();
            write(&geometry, &mut raw);
            assert_eq!(read(&raw), Ok(geometry));
            for length in 0..raw.len() {
                assert!(read(&raw[..length]).is_err());
            }
        }
    }

    #[test]
    fn what_geo_types_does_not_have_is_an_error() {
        let point = |kind: u32, numbers: &[f64]| {
            let mut raw = Vec::new();
            head(kind, &mut raw);
            numbers.iter().for_each(|number| raw.extend_from_slice(&number.to_le_bytes()));
            raw
        };
        assert_eq!(read(&point(1, &[f64::NAN, f64::NAN])), Err(EMPTY_POINT));
        assert!(read(&point(1 | HAS_Z, &[1.0, 2.0, 3.0])).is_err_and(|reason| reason.contains("third")));
        assert!(read(&point(8, &[])).is_err_and(|reason| reason.contains("kind")));
        let mut deep = Vec::new();
        for _ in 0..200 {
            head(7, &mut deep);
            count(1, &mut deep);
        }
        assert!(read(&deep).is_err_and(|reason| reason.contains("deep")));
    }
}
