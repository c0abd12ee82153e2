//! The types of PostgreSQL, the casts between them, and their types in the client.

mod named;

pub(super) use named::Span;
use named::{is_cast, named};

use crate::ir::{ClientType, ColumnType, EnumId, NativeType, ScalarType, Schema};

/// A type of PostgreSQL other than an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Base {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Regclass,
    Regconfig,
    Float4,
    Float8,
    Numeric,
    Money,
    Text,
    Varchar,
    Bpchar,
    Citext,
    Name,
    Inet,
    Xml,
    Bit,
    Varbit,
    Uuid,
    Bytea,
    Timestamp,
    Timestamptz,
    Time,
    Timetz,
    Date,
    Interval,
    Json,
    Jsonb,
    Tsvector,
    Tsquery,
    Jsonpath,
    Tid,
    Xid,
    Cid,
    /// The result of a function that returns nothing.
    Void,
    Enum(EnumId),
    /// A type that is known by its name in PostgreSQL, such as `tstzrange` or `vector`.
    Named(&'static str),
}

/// What is known about an expression's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ty {
    Base(Base),
    List(Base),
    /// A literal or null that takes the type of its context.
    Literal,
    /// A parameter that has no type yet.
    Param(u16),
    /// A type that is unknown here.
    Opaque,
}

/// PostgreSQL's categories of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Bool,
    Number,
    Text,
    Time,
    Span,
    /// The types of extensions, except texts.
    Extension,
    Other(Base),
}

/// Every type with its names: first the one in PostgreSQL's catalog, then the others in SQL.
const NAMES: &[(Base, &[&str])] = &[
    (Base::Bool, &["bool", "boolean"]),
    (Base::Int2, &["int2", "smallint", "smallserial"]),
    (Base::Int4, &["int4", "int", "integer", "serial"]),
    (Base::Int8, &["int8", "bigint", "bigserial"]),
    (Base::Oid, &["oid"]),
    (Base::Regclass, &["regclass"]),
    (Base::Regconfig, &["regconfig"]),
    (Base::Float4, &["float4", "real"]),
    (Base::Float8, &["float8", "float", "double precision"]),
    (Base::Numeric, &["numeric", "decimal", "dec"]),
    (Base::Money, &["money"]),
    (Base::Text, &["text"]),
    (Base::Varchar, &["varchar", "character varying"]),
    (Base::Bpchar, &["bpchar", "char", "character"]),
    (Base::Citext, &["citext"]),
    (Base::Name, &["name"]),
    (Base::Inet, &["inet"]),
    (Base::Xml, &["xml"]),
    (Base::Bit, &["bit"]),
    (Base::Varbit, &["varbit", "bit varying"]),
    (Base::Uuid, &["uuid"]),
    (Base::Bytea, &["bytea"]),
    (Base::Timestamp, &["timestamp"]),
    (Base::Timestamptz, &["timestamptz"]),
    (Base::Time, &["time"]),
    (Base::Timetz, &["timetz"]),
    (Base::Date, &["date"]),
    (Base::Interval, &["interval"]),
    (Base::Json, &["json"]),
    (Base::Jsonb, &["jsonb"]),
    (Base::Tsvector, &["tsvector"]),
    (Base::Tsquery, &["tsquery"]),
    (Base::Jsonpath, &["jsonpath"]),
    (Base::Tid, &["tid"]),
    (Base::Xid, &["xid"]),
    (Base::Cid, &["cid"]),
    (Base::Void, &["void"]),
];

impl Base {
    /// Returns the type with an unquoted name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::of_basic_name(name).or_else(|| named(name))
    }

    /// Returns the type with an unquoted name, unless only a list knows it.
    pub(super) fn of_basic_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(base, _)| *base)
    }

    /// Returns the name in PostgreSQL's catalog.
    pub(super) fn name(self, schema: &Schema) -> String {
        match self {
            Base::Enum(id) => schema.walk_enum(id).enumeration().db_name.clone(),
            Base::Named(name) => name.to_owned(),
            base => NAMES
                .iter()
                .find(|(known, _)| *known == base)
                .map_or_else(String::new, |(_, names)| names[0].to_owned()),
        }
    }

    pub(super) fn category(self) -> Category {
        match self {
            Base::Bool => Category::Bool,
            Base::Int2
            | Base::Int4
            | Base::Int8
            | Base::Oid
            | Base::Regclass
            | Base::Regconfig
            | Base::Float4
            | Base::Float8
            | Base::Numeric
            | Base::Money => Category::Number,
            Base::Text | Base::Varchar | Base::Bpchar | Base::Citext | Base::Name => Category::Text,
            Base::Timestamp | Base::Timestamptz | Base::Date | Base::Time | Base::Timetz => Category::Time,
            Base::Interval => Category::Span,
            Base::Bit | Base::Varbit => Category::Other(Base::Varbit),
            Base::Named("cidr") => Category::Other(Base::Inet),
            base if base.extension().is_some() => Category::Extension,
            other => Category::Other(other),
        }
    }

    pub(super) fn is_text(self) -> bool {
        self.category() == Category::Text
    }

    pub(super) fn is_named(self) -> bool {
        matches!(self, Base::Named(_))
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Base::Int2 | Base::Int4 | Base::Int8)
    }

    /// Returns whether it is the preferred type of its category.
    pub(super) fn is_preferred(self) -> bool {
        matches!(
            self,
            Base::Bool
                | Base::Text
                | Base::Float8
                | Base::Oid
                | Base::Timestamptz
                | Base::Interval
                | Base::Varbit
                | Base::Inet
        )
    }

    /// Returns the rank among numbers: each is implicitly cast to the later ones.
    pub(super) fn rank(self) -> Option<u8> {
        Some(match self {
            Base::Int2 => 0,
            Base::Int4 => 1,
            Base::Int8 => 2,
            Base::Numeric => 3,
            Base::Float4 => 4,
            Base::Float8 => 5,
            _ => return None,
        })
    }

    /// Returns whether PostgreSQL casts it implicitly to another type.
    pub(super) fn becomes(self, other: Self) -> bool {
        if self == other {
            return true;
        }
        if let (Some(from), Some(to)) = (self.rank(), other.rank()) {
            return from < to;
        }
        if self.is_named() || other.is_named() {
            return is_cast(Ty::Base(self), Ty::Base(other), false);
        }
        matches!(
            (self, other),
            (Base::Int2 | Base::Int4 | Base::Int8, Base::Oid | Base::Regclass | Base::Regconfig)
                | (Base::Oid, Base::Regclass | Base::Regconfig)
                | (Base::Regclass | Base::Regconfig, Base::Oid)
                | (Base::Text | Base::Varchar, Base::Regclass)
                | (Base::Date, Base::Timestamp | Base::Timestamptz)
                | (Base::Timestamp, Base::Timestamptz)
                | (Base::Time, Base::Timetz | Base::Interval)
                | (Base::Bit, Base::Varbit)
                | (Base::Varbit, Base::Bit)
                | (Base::Text | Base::Varchar, Base::Text | Base::Varchar | Base::Bpchar | Base::Name)
                | (Base::Bpchar, Base::Text | Base::Varchar | Base::Name)
                | (Base::Name, Base::Text)
                | (Base::Citext, Base::Text | Base::Varchar)
        )
    }

    /// Returns whether a value can be stored in a column of another type without a cast.
    pub(super) fn is_assigned_to(self, other: Self) -> bool {
        if self.becomes(other) || other.is_text() {
            return true;
        }
        if self.rank().is_some() && other.rank().is_some() {
            return true;
        }
        if self.is_named() || other.is_named() {
            return is_cast(Ty::Base(self), Ty::Base(other), true);
        }
        matches!(
            (self, other),
            (Base::Timestamp | Base::Timestamptz, Base::Date | Base::Time | Base::Timetz | Base::Timestamp)
                | (Base::Timetz | Base::Interval, Base::Time)
                | (Base::Json, Base::Jsonb)
                | (Base::Jsonb, Base::Json)
                | (Base::Numeric | Base::Int4 | Base::Int8, Base::Money)
                | (Base::Money, Base::Numeric)
        )
    }

    /// Returns the type in the client; `None` if there is none.
    pub(super) fn column_type(self) -> Option<ColumnType> {
        let (scalar, native) = match self {
            Base::Bool => (ScalarType::Boolean, NativeType::Boolean),
            Base::Int2 => (ScalarType::Int, NativeType::SmallInt),
            Base::Int4 => (ScalarType::Int, NativeType::Integer),
            Base::Int8 => (ScalarType::BigInt, NativeType::BigInt),
            Base::Float4 => (ScalarType::Float, NativeType::Real),
            Base::Float8 => (ScalarType::Float, NativeType::DoublePrecision),
            Base::Numeric => (ScalarType::Decimal, NativeType::Decimal(None)),
            Base::Text | Base::Name => (ScalarType::String, NativeType::Text),
            Base::Varchar => (ScalarType::String, NativeType::VarChar(None)),
            Base::Bpchar => (ScalarType::String, NativeType::Char(None)),
            Base::Citext => (ScalarType::String, NativeType::Citext),
            Base::Uuid => (ScalarType::String, NativeType::Uuid),
            Base::Bytea => (ScalarType::Bytes, NativeType::ByteA),
            Base::Timestamp => (ScalarType::DateTime, NativeType::Timestamp(None)),
            Base::Timestamptz => (ScalarType::DateTime, NativeType::Timestamptz(None)),
            Base::Time => (ScalarType::DateTime, NativeType::Time(None)),
            Base::Timetz => (ScalarType::DateTime, NativeType::Timetz(None)),
            Base::Date => (ScalarType::DateTime, NativeType::Date),
            Base::Json => (ScalarType::Json, NativeType::Json),
            Base::Jsonb => (ScalarType::Json, NativeType::JsonB),
            Base::Enum(id) => return Some(ColumnType::Enum(id)),
            Base::Inet | Base::Interval | Base::Tsvector => {
                return NAMES
                    .iter()
                    .find(|(base, _)| *base == self)
                    .map(|(_, names)| ColumnType::Unsupported(names[0].to_owned()));
            }
            Base::Bit | Base::Varbit => return Some(ColumnType::Unsupported("bit varying".to_owned())),
            Base::Named(name) => {
                let has_type = ClientType::of(name) != ClientType::Text;
                return has_type.then(|| ColumnType::Unsupported(name.to_owned()));
            }
            Base::Oid
            | Base::Regclass
            | Base::Regconfig
            | Base::Money
            | Base::Xml
            | Base::Tsquery
            | Base::Jsonpath
            | Base::Tid
            | Base::Xid
            | Base::Cid
            | Base::Void => return None,
        };
        Some(ColumnType::Scalar(scalar, native))
    }

    /// Returns whether the client has its values only as PostgreSQL prints them.
    pub(super) fn is_as_text(self) -> bool {
        match self {
            Base::Named(name) => ClientType::of(name) == ClientType::Text,
            Base::Tsquery | Base::Jsonpath | Base::Xid | Base::Cid | Base::Tid | Base::Regclass | Base::Regconfig => {
                true
            }
            _ => false,
        }
    }

    /// Returns the type of a column of the schema; `None` if the schema does not know it.
    pub(super) fn of_column(ty: &ColumnType) -> Option<Self> {
        Some(match ty {
            ColumnType::Enum(id) => Base::Enum(*id),
            ColumnType::Scalar(_, native) => Self::of_native(*native),
            ColumnType::Unsupported(text) => Self::of_text(text)?,
        })
    }

    pub(super) fn of_native(native: NativeType) -> Self {
        match native {
            NativeType::SmallInt => Base::Int2,
            NativeType::Integer => Base::Int4,
            NativeType::BigInt => Base::Int8,
            NativeType::Oid => Base::Oid,
            NativeType::Decimal(_) => Base::Numeric,
            NativeType::Money => Base::Money,
            NativeType::Real => Base::Float4,
            NativeType::DoublePrecision => Base::Float8,
            NativeType::VarChar(_) => Base::Varchar,
            NativeType::Char(_) => Base::Bpchar,
            NativeType::Text => Base::Text,
            NativeType::Citext => Base::Citext,
            NativeType::Inet => Base::Inet,
            NativeType::Uuid => Base::Uuid,
            NativeType::Xml => Base::Xml,
            NativeType::Bit(_) => Base::Bit,
            NativeType::VarBit(_) => Base::Varbit,
            NativeType::ByteA => Base::Bytea,
            NativeType::Timestamp(_) => Base::Timestamp,
            NativeType::Timestamptz(_) => Base::Timestamptz,
            NativeType::Time(_) => Base::Time,
            NativeType::Timetz(_) => Base::Timetz,
            NativeType::Date => Base::Date,
            NativeType::Boolean => Base::Bool,
            NativeType::Json => Base::Json,
            NativeType::JsonB => Base::Jsonb,
        }
    }
}

impl Ty {
    pub(super) fn base(self) -> Option<Base> {
        if let Ty::Base(base) = self { Some(base) } else { None }
    }

    /// Returns whether it still takes the type of its context.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Ty::Literal | Ty::Param(_))
    }

    /// Returns whether PostgreSQL casts it implicitly to another type.
    pub(super) fn becomes(self, other: Self) -> bool {
        match (self, other) {
            (Ty::Base(from), Ty::Base(to)) => from.becomes(to),
            (Ty::List(from), Ty::List(to)) => from.becomes(to),
            _ => is_cast(self, other, false),
        }
    }

    /// Returns whether a value can be stored in a column of another type without a cast.
    pub(super) fn is_assigned_to(self, other: Self) -> bool {
        match (self, other) {
            (Ty::Base(from), Ty::Base(to)) => from.is_assigned_to(to),
            (Ty::List(from), Ty::List(to)) => from.is_assigned_to(to),
            _ => is_cast(self, other, true),
        }
    }

    /// Returns the name for messages.
    pub(super) fn describe(self, schema: &Schema) -> String {
        match self {
            Ty::Base(base) => base.name(schema),
            Ty::List(base) => format!("{}[]", base.name(schema)),
            Ty::Literal => "a literal".to_owned(),
            Ty::Param(number) => format!("${number}"),
            Ty::Opaque => "an unknown type".to_owned(),
        }
    }
}

/// Returns the common type of several, as in a CASE or a UNION; open ones adapt. Otherwise returns two types that do
/// not fit.
pub(super) fn common(types: impl IntoIterator<Item = Ty>) -> Result<Ty, (Ty, Ty)> {
    let mut chosen = Ty::Literal;
    for ty in types {
        chosen = match (chosen, ty) {
            (Ty::Opaque, _) | (_, Ty::Opaque) => Ty::Opaque,
            (Ty::Literal, ty) => ty,
            (Ty::Param(_), ty) if !ty.is_open() => ty,
            (known, ty) if ty.is_open() || known == ty => known,
            (Ty::Base(a), Ty::Base(b)) if a.category() == b.category() => match wider(a, b) {
                Some(base) => Ty::Base(base),
                None => return Err((chosen, ty)),
            },
            (Ty::List(a), Ty::List(b)) => match wider(a, b) {
                Some(base) => Ty::List(base),
                None => return Err((chosen, ty)),
            },
            (known, ty) => return Err((known, ty)),
        };
    }
    Ok(chosen)
}

/// Returns the type that the other one is cast to. If both are, returns the first.
fn wider(a: Base, b: Base) -> Option<Base> {
    if !a.is_preferred() && a.becomes(b) && !b.becomes(a) {
        return Some(b);
    }
    if b.becomes(a) {
        return Some(a);
    }
    a.becomes(b).then_some(b)
}
