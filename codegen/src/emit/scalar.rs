//! The types of columns: in Rust, in PostgreSQL, and on the wire.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::EmitCx;
use crate::ir::{
    Arity, ClientOptions, ClientType, ColumnText, ColumnType, ColumnWalker, DateTimeLibrary, DecimalLibrary,
    NativeType, ScalarType, Shape, TypeId,
};

/// The type of one value of the column, without `Option` or `Vec`.
pub(super) fn value_type(cx: &EmitCx<'_>, column: ColumnWalker<'_>) -> TokenStream {
    if let Some(shape) = column.column().json {
        return json_path(cx, shape.ty);
    }
    own_type(column).unwrap_or_else(|| type_of(cx, &column.column().ty))
}

/// The struct of a `type` block.
pub(super) fn json_path(cx: &EmitCx<'_>, id: TypeId) -> TokenStream {
    let known = cx.json_type(id);
    let (module, ident) = (&known.module, &known.ident);
    quote!(super::#module::#ident)
}

/// Returns whether the values of the column are lists in JSON.
pub(super) fn is_json_list(column: ColumnWalker<'_>) -> bool {
    column.column().json.is_some_and(|shape| shape.list)
}

/// The type that `@rust` names, also for what a foreign key references.
pub(super) fn own_type(column: ColumnWalker<'_>) -> Option<TokenStream> {
    // `lower` has parsed it.
    column.column().rust.as_deref().and_then(|path| path.parse().ok())
}

/// Like [`value_type`], for a type without a column.
pub(super) fn type_of(cx: &EmitCx<'_>, ty: &ColumnType) -> TokenStream {
    match ty {
        ColumnType::Enum(id) => {
            let known = cx.enumeration(*id);
            let (module, ident) = (&known.module, &known.ident);
            quote!(super::#module::#ident)
        }
        ColumnType::Scalar(scalar, native) => scalar_type(cx.client, *scalar, *native),
        ColumnType::Unsupported(text) => client_type(cx.client, ClientType::of(text)),
    }
}

/// The type of a column that has no scalar.
fn client_type(client: ClientOptions, ty: ClientType) -> TokenStream {
    let native = |native: NativeType| scalar_type(client, native.scalar(), native);
    match ty {
        ClientType::Native(known) => native(known),
        ClientType::Interval => quote!(rt::Interval),
        ClientType::Range(bound) => {
            let bound = native(bound);
            quote!(rt::Range<#bound>)
        }
        ClientType::Multirange(bound) => {
            let bound = native(bound);
            quote!(rt::Multirange<#bound>)
        }
        ClientType::Inet => quote!(rt::cidr::IpInet),
        ClientType::Cidr => quote!(rt::cidr::IpCidr),
        ClientType::MacAddr => quote!(rt::macaddr::MacAddr6),
        ClientType::MacAddr8 => quote!(rt::macaddr::MacAddr8),
        ClientType::Bits => quote!(rt::bit_vec::BitVec),
        ClientType::Hstore => quote!(rt::Hstore),
        ClientType::Ltree => quote!(rt::Ltree),
        ClientType::TsVector => quote!(rt::TsVector),
        ClientType::Vector => quote!(rt::pgvector::Vector),
        ClientType::HalfVector => quote!(rt::pgvector::HalfVector),
        ClientType::SparseVector => quote!(rt::pgvector::SparseVector),
        ClientType::Place(place) => match place.shape {
            None => quote!(rt::geo_types::Geometry<f64>),
            Some(Shape::Point) => quote!(rt::geo_types::Point<f64>),
            Some(Shape::LineString) => quote!(rt::geo_types::LineString<f64>),
            Some(Shape::Polygon) => quote!(rt::geo_types::Polygon<f64>),
            Some(Shape::MultiPoint) => quote!(rt::geo_types::MultiPoint<f64>),
            Some(Shape::MultiLineString) => quote!(rt::geo_types::MultiLineString<f64>),
            Some(Shape::MultiPolygon) => quote!(rt::geo_types::MultiPolygon<f64>),
            Some(Shape::GeometryCollection) => quote!(rt::geo_types::GeometryCollection<f64>),
        },
        ClientType::Point => quote!(rt::geo_types::Coord<f64>),
        ClientType::Box => quote!(rt::geo_types::Rect<f64>),
        ClientType::Segment => quote!(rt::geo_types::Line<f64>),
        ClientType::Text => quote!(rt::AsText),
    }
}

/// What the values of a type are on the wire.
fn holds(scalar: ScalarType, native: NativeType) -> TokenStream {
    match (scalar, native) {
        (_, NativeType::Uuid) => quote!(Uuid),
        (ScalarType::String, _) => quote!(Text),
        (ScalarType::Boolean, _) => quote!(Bool),
        (ScalarType::Int | ScalarType::BigInt, _) => quote!(Int),
        (ScalarType::Float, _) => quote!(Float),
        (ScalarType::Decimal, _) => quote!(Decimal),
        (ScalarType::DateTime, NativeType::Date) => quote!(Date),
        (ScalarType::DateTime, NativeType::Time(_) | NativeType::Timetz(_)) => quote!(Time),
        (ScalarType::DateTime, _) => quote!(Timestamp),
        (ScalarType::Json, _) => quote!(Json),
        (ScalarType::Bytes, _) => quote!(Bytes),
    }
}

/// Emits the check that a type of the program holds what its column does: otherwise, it would read its bytes as something
/// else.
pub(super) fn assert_holds(column: ColumnWalker<'_>) -> Option<TokenStream> {
    let own = own_type(column)?;
    let ColumnType::Scalar(scalar, native) = column.column().ty else { return None };
    let holds = holds(scalar, native);
    let message = format!(
        "`{}.{}` is a `{scalar:?}{}` in the schema, and its `@rust` type holds something else",
        column.model().name(),
        column.name(),
        if native == NativeType::Uuid { " @db.Uuid" } else { "" }
    );
    Some(quote!(const _: () = rt::assert_holds::<#own>(rt::Holds::#holds, #message);))
}

/// The derives that the schema adds.
pub(super) fn derives(paths: &[String]) -> Option<TokenStream> {
    // `lower` has parsed them.
    let paths: Vec<TokenStream> = paths.iter().filter_map(|path| path.parse().ok()).collect();
    (!paths.is_empty()).then(|| quote!(#[derive(#(#paths),*)]))
}

/// The type of the column's field in the model struct.
pub(super) fn field_type(cx: &EmitCx<'_>, column: ColumnWalker<'_>) -> TokenStream {
    let value = value_type(cx, column);
    match column.arity() {
        Arity::Required if is_json_list(column) => quote!(rt::Vec<#value>),
        Arity::Required => value,
        Arity::Optional => quote!(rt::Option<#value>),
        Arity::List => quote!(rt::Vec<#value>),
    }
}

fn scalar_type(client: ClientOptions, scalar: ScalarType, native: NativeType) -> TokenStream {
    match (scalar, native) {
        (_, NativeType::Uuid) => quote!(rt::Uuid),
        (ScalarType::String, _) => quote!(rt::String),
        (ScalarType::Boolean, _) => quote!(bool),
        (ScalarType::Int, _) => quote!(i32),
        (ScalarType::BigInt, _) => quote!(i64),
        (ScalarType::Float, _) => quote!(f64),
        (ScalarType::Decimal, _) => match client.decimal {
            DecimalLibrary::RustDecimal => quote!(rt::Decimal),
            DecimalLibrary::BigDecimal => quote!(rt::bigdecimal::BigDecimal),
        },
        (ScalarType::DateTime, native) => date_time_type(client.date_time, native),
        (ScalarType::Json, _) => quote!(rt::Json),
        (ScalarType::Bytes, _) => quote!(rt::Vec<u8>),
    }
}

fn date_time_type(library: DateTimeLibrary, native: NativeType) -> TokenStream {
    match (library, native) {
        (DateTimeLibrary::Chrono, NativeType::Date) => quote!(rt::NaiveDate),
        (DateTimeLibrary::Jiff, NativeType::Date) => quote!(rt::jiff::civil::Date),
        (DateTimeLibrary::Time, NativeType::Date) => quote!(rt::time::Date),
        (DateTimeLibrary::Chrono, NativeType::Time(_) | NativeType::Timetz(_)) => quote!(rt::NaiveTime),
        (DateTimeLibrary::Jiff, NativeType::Time(_) | NativeType::Timetz(_)) => quote!(rt::jiff::civil::Time),
        (DateTimeLibrary::Time, NativeType::Time(_) | NativeType::Timetz(_)) => quote!(rt::time::Time),
        (DateTimeLibrary::Chrono, _) => quote!(rt::DateTime<rt::Utc>),
        (DateTimeLibrary::Jiff, _) => quote!(rt::jiff::Timestamp),
        (DateTimeLibrary::Time, _) => quote!(rt::time::OffsetDateTime),
    }
}

/// Returns whether serde writes the column in another format than its type's own: as text.
pub(super) fn is_text_in_json(cx: &EmitCx<'_>, column: ColumnWalker<'_>) -> bool {
    column.column().rust.is_none() && column.column().json.is_none() && is_text(cx, &column.column().ty)
}

/// Like [`is_text_in_json`], for a type without a column.
pub(super) fn is_text(cx: &EmitCx<'_>, ty: &ColumnType) -> bool {
    match ty {
        ColumnType::Scalar(ScalarType::Bytes, _) => true,
        ColumnType::Scalar(ScalarType::DateTime, _) => cx.client.date_time == DateTimeLibrary::Time,
        ColumnType::Unsupported(text) => match ClientType::of(text) {
            ClientType::HalfVector | ClientType::SparseVector => true,
            ClientType::Range(bound) | ClientType::Multirange(bound) => {
                bound.scalar() == ScalarType::DateTime && cx.client.date_time == DateTimeLibrary::Time
            }
            _ => false,
        },
        _ => false,
    }
}

/// Returns the column's type as SQL, and its type on the wire if that is different.
///
/// The type has no length or precision: a cast to `varchar(3)` would silently cut a value that the column refuses.
pub(super) fn sql_types(cx: &EmitCx<'_>, column: ColumnWalker<'_>) -> (String, Option<String>) {
    let (sql, wire) = match &column.column().ty {
        ColumnType::Enum(id) => {
            let known = cx.enumeration(*id).walker.enumeration();
            (qualified(known.namespace.as_deref(), &known.db_name), Some("text"))
        }
        ColumnType::Scalar(_, native) => {
            let (sql, wire) = native_types(*native);
            (sql.to_owned(), wire)
        }
        ColumnType::Unsupported(text) if column.column().rust.is_some() => (ColumnText::type_of(text).to_owned(), None),
        ColumnType::Unsupported(text) => unsupported_types(text, column.arity()),
    };
    match column.arity() {
        Arity::List => (format!("{sql}[]"), wire.map(|wire| format!("{wire}[]"))),
        Arity::Required | Arity::Optional => (sql, wire.map(str::to_owned)),
    }
}

/// Types of extensions travel as a type of PostgreSQL, because their OIDs differ from database to database. Others that
/// have no binary format in the client travel as text.
fn unsupported_types(text: &str, arity: Arity) -> (String, Option<&'static str>) {
    let written = ColumnText::type_of(text);
    let without_arguments = || written.split('(').next().unwrap_or_default().trim().to_owned();
    match ClientType::of(text) {
        ClientType::Native(native) => {
            let (sql, wire) = native_types(native);
            (sql.to_owned(), wire)
        }
        // A cast to `bit` would be one to `bit(1)`.
        ClientType::Bits => ("varbit".to_owned(), None),
        ClientType::Interval => ("interval".to_owned(), None),
        ClientType::Vector | ClientType::HalfVector if arity != Arity::List => (without_arguments(), Some("real[]")),
        ClientType::Vector | ClientType::HalfVector | ClientType::SparseVector => (without_arguments(), Some("text")),
        // The type has the spatial reference system, which values lack.
        ClientType::Place(place) => {
            let name = without_arguments();
            let sql = place.srid.map_or_else(|| name.clone(), |srid| format!("{name}(Geometry,{srid})"));
            (sql, Some("bytea"))
        }
        ClientType::Hstore | ClientType::Ltree | ClientType::TsVector => (without_arguments(), Some("text")),
        ClientType::Text => (written.to_owned(), Some("text")),
        ClientType::Range(_)
        | ClientType::Multirange(_)
        | ClientType::Inet
        | ClientType::Cidr
        | ClientType::MacAddr
        | ClientType::MacAddr8
        | ClientType::Point
        | ClientType::Box
        | ClientType::Segment => (without_arguments(), None),
    }
}

/// Types whose OID or binary format the client does not know are sent as text or as a similar type.
fn native_types(native: NativeType) -> (&'static str, Option<&'static str>) {
    match native {
        NativeType::SmallInt => ("smallint", None),
        NativeType::Integer => ("integer", None),
        NativeType::BigInt => ("bigint", None),
        NativeType::Oid => ("oid", Some("bigint")),
        NativeType::Decimal(_) => ("numeric", None),
        NativeType::Money => ("money", Some("numeric")),
        NativeType::Real => ("real", None),
        NativeType::DoublePrecision => ("double precision", None),
        NativeType::VarChar(_) => ("varchar", None),
        NativeType::Char(_) => ("bpchar", None),
        NativeType::Text => ("text", None),
        NativeType::Citext => ("citext", Some("text")),
        NativeType::Inet => ("inet", Some("text")),
        NativeType::Uuid => ("uuid", None),
        NativeType::Xml => ("xml", Some("text")),
        NativeType::Bit(_) | NativeType::VarBit(_) => ("varbit", Some("text")),
        NativeType::ByteA => ("bytea", None),
        NativeType::Timestamp(_) => ("timestamp", None),
        NativeType::Timestamptz(_) => ("timestamptz", None),
        NativeType::Time(_) => ("time", None),
        NativeType::Timetz(_) => ("timetz", None),
        NativeType::Date => ("date", None),
        NativeType::Boolean => ("boolean", None),
        NativeType::Json => ("json", None),
        NativeType::JsonB => ("jsonb", None),
    }
}

/// Returns the quoted name, with its schema if it has one.
pub(super) fn qualified(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{}.{}", relata_pgsql::ident(namespace), relata_pgsql::ident(name)),
        None => relata_pgsql::ident(name),
    }
}
