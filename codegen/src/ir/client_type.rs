//! The types in the client of columns whose type the schema language has no scalar for.

use super::{ColumnText, NativeType};

/// The type in the client of an `Unsupported("..")` column without `@rust`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    /// That of a scalar with this native type.
    Native(NativeType),
    /// `interval`.
    Interval,
    /// A range of values of this native type.
    Range(NativeType),
    /// A multirange of values of this native type.
    Multirange(NativeType),
    /// `inet`.
    Inet,
    /// `cidr`.
    Cidr,
    /// `macaddr`.
    MacAddr,
    /// `macaddr8`.
    MacAddr8,
    /// `bit` and `varbit`.
    Bits,
    /// `hstore`.
    Hstore,
    /// `ltree`.
    Ltree,
    /// `tsvector`.
    TsVector,
    /// `vector` of pgvector.
    Vector,
    /// `halfvec` of pgvector.
    HalfVector,
    /// `sparsevec` of pgvector.
    SparseVector,
    /// `geometry` or `geography` of PostGIS.
    Place(Place),
    /// `point`.
    Point,
    /// `box`.
    Box,
    /// `lseg`.
    Segment,
    /// Any other type: its text.
    Text,
}

/// A type of PostGIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// `geography` rather than `geometry`.
    pub is_geography: bool,
    /// The only kind of its values, if there is one.
    pub shape: Option<Shape>,
    /// The spatial reference system, if the type has one.
    pub srid: Option<u32>,
}

/// The kinds of geometries that the client has types for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of PostGIS")]
pub enum Shape {
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    GeometryCollection,
}

/// Types by their names in PostgreSQL.
const NAMES: &[(&str, ClientType)] = &[
    ("bigint", ClientType::Native(NativeType::BigInt)),
    ("bool", ClientType::Native(NativeType::Boolean)),
    ("boolean", ClientType::Native(NativeType::Boolean)),
    ("bytea", ClientType::Native(NativeType::ByteA)),
    ("character varying", ClientType::Native(NativeType::VarChar(None))),
    ("citext", ClientType::Native(NativeType::Citext)),
    ("date", ClientType::Native(NativeType::Date)),
    ("decimal", ClientType::Native(NativeType::Decimal(None))),
    ("double precision", ClientType::Native(NativeType::DoublePrecision)),
    ("float4", ClientType::Native(NativeType::Real)),
    ("float8", ClientType::Native(NativeType::DoublePrecision)),
    ("int", ClientType::Native(NativeType::Integer)),
    ("int2", ClientType::Native(NativeType::SmallInt)),
    ("int4", ClientType::Native(NativeType::Integer)),
    ("int8", ClientType::Native(NativeType::BigInt)),
    ("integer", ClientType::Native(NativeType::Integer)),
    ("json", ClientType::Native(NativeType::Json)),
    ("jsonb", ClientType::Native(NativeType::JsonB)),
    ("money", ClientType::Native(NativeType::Money)),
    ("numeric", ClientType::Native(NativeType::Decimal(None))),
    ("oid", ClientType::Native(NativeType::Oid)),
    ("real", ClientType::Native(NativeType::Real)),
    ("smallint", ClientType::Native(NativeType::SmallInt)),
    ("text", ClientType::Native(NativeType::Text)),
    ("timestamp", ClientType::Native(NativeType::Timestamp(None))),
    ("timestamptz", ClientType::Native(NativeType::Timestamptz(None))),
    ("uuid", ClientType::Native(NativeType::Uuid)),
    ("varchar", ClientType::Native(NativeType::VarChar(None))),
    ("xml", ClientType::Native(NativeType::Xml)),
    ("interval", ClientType::Interval),
    ("int4range", ClientType::Range(NativeType::Integer)),
    ("int8range", ClientType::Range(NativeType::BigInt)),
    ("numrange", ClientType::Range(NativeType::Decimal(None))),
    ("daterange", ClientType::Range(NativeType::Date)),
    ("tsrange", ClientType::Range(NativeType::Timestamp(None))),
    ("tstzrange", ClientType::Range(NativeType::Timestamptz(None))),
    ("int4multirange", ClientType::Multirange(NativeType::Integer)),
    ("int8multirange", ClientType::Multirange(NativeType::BigInt)),
    ("nummultirange", ClientType::Multirange(NativeType::Decimal(None))),
    ("datemultirange", ClientType::Multirange(NativeType::Date)),
    ("tsmultirange", ClientType::Multirange(NativeType::Timestamp(None))),
    ("tstzmultirange", ClientType::Multirange(NativeType::Timestamptz(None))),
    ("inet", ClientType::Inet),
    ("cidr", ClientType::Cidr),
    ("macaddr", ClientType::MacAddr),
    ("macaddr8", ClientType::MacAddr8),
    ("bit", ClientType::Bits),
    ("bit varying", ClientType::Bits),
    ("varbit", ClientType::Bits),
    ("hstore", ClientType::Hstore),
    ("ltree", ClientType::Ltree),
    ("tsvector", ClientType::TsVector),
    ("vector", ClientType::Vector),
    ("halfvec", ClientType::HalfVector),
    ("sparsevec", ClientType::SparseVector),
    ("point", ClientType::Point),
    ("box", ClientType::Box),
    ("lseg", ClientType::Segment),
];

/// The names that the schema language has for types: in a schema, and in PostgreSQL.
const TYPE_NAMES: &[(&str, &str)] = &[
    ("Interval", "interval"),
    ("Int4Range", "int4range"),
    ("Int8Range", "int8range"),
    ("NumRange", "numrange"),
    ("DateRange", "daterange"),
    ("TsRange", "tsrange"),
    ("TstzRange", "tstzrange"),
    ("Int4Multirange", "int4multirange"),
    ("Int8Multirange", "int8multirange"),
    ("NumMultirange", "nummultirange"),
    ("DateMultirange", "datemultirange"),
    ("TsMultirange", "tsmultirange"),
    ("TstzMultirange", "tstzmultirange"),
    ("Inet", "inet"),
    ("Cidr", "cidr"),
    ("MacAddr", "macaddr"),
    ("MacAddr8", "macaddr8"),
    ("Bit", "bit"),
    ("VarBit", "bit varying"),
    ("Hstore", "hstore"),
    ("Ltree", "ltree"),
    ("TsVector", "tsvector"),
    ("Vector", "vector"),
    ("HalfVec", "halfvec"),
    ("SparseVec", "sparsevec"),
    ("Geometry", "geometry"),
    ("Geography", "geography"),
    ("Point", "point"),
    ("Box", "box"),
    ("Lseg", "lseg"),
];

/// The names that the schema language has for types beyond its scalars.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    TYPE_NAMES.iter().map(|(name, _)| *name)
}

/// Returns the type of PostgreSQL that a name of the schema language stands for, with its arguments.
///
/// ```
/// use relata_codegen::ir::sql_of_type_name;
///
/// assert_eq!(sql_of_type_name("Vector", Some("3")).as_deref(), Some("vector(3)"));
/// assert_eq!(sql_of_type_name("TstzRange", None).as_deref(), Some("tstzrange"));
/// assert_eq!(sql_of_type_name("User", None), None);
/// ```
pub fn sql_of_type_name(name: &str, arguments: Option<&str>) -> Option<String> {
    let (_, sql) = TYPE_NAMES.iter().find(|(known, _)| *known == name)?;
    let arguments: Vec<&str> = arguments.unwrap_or_default().split(',').map(str::trim).collect();
    let arguments = arguments.join(",");
    Some(if arguments.is_empty() { (*sql).to_owned() } else { format!("{sql}({arguments})") })
}

/// Returns how the schema language writes a type of PostgreSQL, if it has a name for it.
pub fn name_of_sql_type(sql: &str) -> Option<String> {
    let (plain, arguments) = match sql.split_once('(') {
        Some((plain, rest)) => (plain, Some(rest.strip_suffix(')').filter(|inner| !inner.contains(['(', ')']))?)),
        None => (sql, None),
    };
    let (name, _) = TYPE_NAMES.iter().find(|(_, known)| *known == plain)?;
    let arguments =
        arguments.map(|arguments| format!("({})", arguments.split(',').map(str::trim).collect::<Vec<_>>().join(", ")));
    // Only these take arguments in a schema.
    let is_sized =
        ["Vector", "HalfVec", "SparseVec", "Geometry", "Geography", "Bit", "VarBit", "Interval"].contains(name);
    (is_sized || arguments.is_none()).then(|| format!("{name}{}", arguments.unwrap_or_default()))
}

/// Types that an extension may have in any schema.
const OF_EXTENSIONS: [&str; 8] =
    ["citext", "hstore", "ltree", "vector", "halfvec", "sparsevec", "geometry", "geography"];

impl ClientType {
    /// Returns the type for the text of an `Unsupported("..")`.
    ///
    /// ```
    /// use relata_codegen::ir::ClientType;
    ///
    /// assert_eq!(ClientType::of("extensions.vector(1536)"), ClientType::Vector);
    /// assert_eq!(ClientType::of("circle"), ClientType::Text);
    /// ```
    pub fn of(text: &str) -> Self {
        let ty = ColumnText::type_of(text);
        let (name, arguments) = match ty.split_once('(') {
            Some((name, rest)) => match rest.trim_end().strip_suffix(')') {
                Some(arguments) => (name, arguments),
                // Words behind the arguments, or an array.
                None => {
                    return if ty.starts_with("interval") && !ty.contains('[') { Self::Interval } else { Self::Text };
                }
            },
            None => (ty, ""),
        };
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let last = name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned();
        let is_plain = name == last || name == format!("pg_catalog.{last}");
        if !is_plain && !OF_EXTENSIONS.contains(&last.as_str()) {
            return Self::Text;
        }
        match last.as_str() {
            "geometry" | "geography" => place(last == "geography", arguments).map_or(Self::Text, Self::Place),
            _ if last.starts_with("interval ") && !last.contains('[') => Self::Interval,
            last => NAMES.iter().find(|(known, _)| *known == last).map_or(Self::Text, |(_, ty)| *ty),
        }
    }

    /// Returns the feature of `relata` that has the type, if it needs one.
    pub fn feature(self) -> Option<&'static str> {
        match self {
            ClientType::Inet | ClientType::Cidr | ClientType::MacAddr | ClientType::MacAddr8 => Some("net"),
            ClientType::Bits => Some("bit"),
            ClientType::Vector | ClientType::HalfVector | ClientType::SparseVector => Some("pgvector"),
            ClientType::Place(_) | ClientType::Point | ClientType::Box | ClientType::Segment => Some("geo"),
            ClientType::Interval
            | ClientType::Range(_)
            | ClientType::Multirange(_)
            | ClientType::Hstore
            | ClientType::Ltree => Some("types"),
            ClientType::Native(_) | ClientType::TsVector | ClientType::Text => None,
        }
    }
}

/// Reads `Point, 4326`. A shape with a third dimension has no type in the client.
fn place(is_geography: bool, arguments: &str) -> Option<Place> {
    let mut parts = arguments.split(',').map(str::trim).filter(|part| !part.is_empty());
    let shape = match parts.next().map(str::to_ascii_lowercase).as_deref() {
        None | Some("geometry") => None,
        Some("point") => Some(Shape::Point),
        Some("linestring") => Some(Shape::LineString),
        Some("polygon") => Some(Shape::Polygon),
        Some("multipoint") => Some(Shape::MultiPoint),
        Some("multilinestring") => Some(Shape::MultiLineString),
        Some("multipolygon") => Some(Shape::MultiPolygon),
        Some("geometrycollection") => Some(Shape::GeometryCollection),
        Some(_) => return None,
    };
    let srid = parts.next().and_then(|srid| srid.parse().ok()).filter(|srid| *srid != 0);
    Some(Place { is_geography, shape, srid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_their_names() {
        let place = |is_geography, shape, srid| ClientType::Place(Place { is_geography, shape, srid });
        for (text, ty) in [
            ("INTERVAL", ClientType::Interval),
            ("interval day to second(3)", ClientType::Interval),
            ("interval(3)", ClientType::Interval),
            ("interval year", ClientType::Interval),
            ("interval[]", ClientType::Text),
            ("interval(3)[]", ClientType::Text),
            ("pg_catalog.tstzrange", ClientType::Range(NativeType::Timestamptz(None))),
            ("bit  varying(3)", ClientType::Bits),
            ("public.vector(3)", ClientType::Vector),
            ("\"extensions\".vector", ClientType::Vector),
            ("mine.interval", ClientType::Text),
            ("tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED", ClientType::TsVector),
            ("geometry", place(false, None, None)),
            ("geometry(Point,4326)", place(false, Some(Shape::Point), Some(4326))),
            ("geography( MultiPolygon , 4326 )", place(true, Some(Shape::MultiPolygon), Some(4326))),
            ("geometry(Geometry, 0)", place(false, None, None)),
            ("geometry(PointZ, 4326)", ClientType::Text),
            ("mood", ClientType::Text),
            ("", ClientType::Text),
            ("(", ClientType::Text),
        ] {
            assert_eq!(ClientType::of(text), ty, "{text}");
        }
    }
}
