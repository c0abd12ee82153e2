//! The closed sets of the schema language: scalars, native types, defaults, actions.

/// How many values a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    Required,
    /// None or one, `?`.
    Optional,
    /// Any number, `[]`.
    List,
}

/// The scalar types of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the language's keywords")]
pub enum ScalarType {
    String,
    Boolean,
    Int,
    BigInt,
    Float,
    Decimal,
    DateTime,
    Json,
    Bytes,
}

/// Libraries whose types `DateTime` can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the libraries")]
pub enum DateTimeLibrary {
    #[default]
    Chrono,
    Jiff,
    Time,
}

/// Libraries whose types `Decimal` can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the libraries")]
pub enum DecimalLibrary {
    #[default]
    RustDecimal,
    BigDecimal,
}

/// The PostgreSQL types that `@db.` can name, with their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Prisma's, and PostgreSQL's")]
pub enum NativeType {
    SmallInt,
    Integer,
    BigInt,
    Oid,
    /// Precision and scale.
    Decimal(Option<(u32, u32)>),
    Money,
    Real,
    DoublePrecision,
    VarChar(Option<u32>),
    Char(Option<u32>),
    Text,
    Citext,
    Inet,
    Uuid,
    Xml,
    Bit(Option<u32>),
    VarBit(Option<u32>),
    ByteA,
    Timestamp(Option<u32>),
    Timestamptz(Option<u32>),
    Time(Option<u32>),
    Timetz(Option<u32>),
    Date,
    Boolean,
    Json,
    JsonB,
}

impl ScalarType {
    /// The PostgreSQL type of a field without `@db.`, as Prisma chooses it.
    pub fn default_native_type(self) -> NativeType {
        match self {
            ScalarType::String => NativeType::Text,
            ScalarType::Boolean => NativeType::Boolean,
            ScalarType::Int => NativeType::Integer,
            ScalarType::BigInt => NativeType::BigInt,
            ScalarType::Float => NativeType::DoublePrecision,
            ScalarType::Decimal => NativeType::Decimal(Some((65, 30))),
            ScalarType::DateTime => NativeType::Timestamp(Some(3)),
            ScalarType::Json => NativeType::JsonB,
            ScalarType::Bytes => NativeType::ByteA,
        }
    }
}

impl NativeType {
    /// The scalar whose fields can have it.
    pub fn scalar(self) -> ScalarType {
        match self {
            NativeType::SmallInt | NativeType::Integer | NativeType::Oid => ScalarType::Int,
            NativeType::BigInt => ScalarType::BigInt,
            NativeType::Decimal(_) | NativeType::Money => ScalarType::Decimal,
            NativeType::Real | NativeType::DoublePrecision => ScalarType::Float,
            NativeType::VarChar(_)
            | NativeType::Char(_)
            | NativeType::Text
            | NativeType::Citext
            | NativeType::Inet
            | NativeType::Uuid
            | NativeType::Xml
            | NativeType::Bit(_)
            | NativeType::VarBit(_) => ScalarType::String,
            NativeType::ByteA => ScalarType::Bytes,
            NativeType::Timestamp(_)
            | NativeType::Timestamptz(_)
            | NativeType::Time(_)
            | NativeType::Timetz(_)
            | NativeType::Date => ScalarType::DateTime,
            NativeType::Boolean => ScalarType::Boolean,
            NativeType::Json | NativeType::JsonB => ScalarType::Json,
        }
    }
}

/// `@default(...)`.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// A literal of the field's type.
    Literal(Literal),
    /// A value of the field's enum: its index in `Enum::values`.
    EnumValue(usize),
    /// A list of literals or enum values.
    List(Vec<DefaultValue>),
    /// `now()`.
    Now,
    /// `autoincrement()`: a serial column.
    Autoincrement,
    /// `uuid()`, made by the client; the version is 4 or 7.
    Uuid(u8),
    /// `cuid()`, made by the client; the version is 1 or 2.
    Cuid(u8),
    /// `ulid()`, made by the client.
    Ulid,
    /// `nanoid(n)`, made by the client.
    Nanoid(Option<u32>),
    /// `dbgenerated("sql")`; without SQL the default is the database's own business.
    DbGenerated(Option<String>),
}

/// A literal as it is written, checked against the type.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A string, unescaped: also of Json, DateTime, Bytes (base64) fields.
    String(String),
    /// A number's text: Int, BigInt, Float, Decimal.
    Number(String),
    /// A boolean.
    Boolean(bool),
}

/// What a foreign key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum ReferentialAction {
    Cascade,
    Restrict,
    NoAction,
    SetNull,
    SetDefault,
}

/// `sort:` of an index field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum SortOrder {
    Asc,
    Desc,
}

/// `type:` of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are PostgreSQL's")]
pub enum IndexMethod {
    #[default]
    BTree,
    Hash,
    Gin,
    Gist,
    SpGist,
    Brin,
}

impl IndexMethod {
    /// Whether an index of this method takes a column of the type, or a list of it, without an operator class.
    /// Further types need one by name, also where an extension has made it the default.
    pub fn takes(self, native: NativeType, is_list: bool) -> bool {
        use NativeType as N;
        match self {
            IndexMethod::BTree | IndexMethod::Hash => true,
            IndexMethod::Gin => is_list || native == N::JsonB,
            IndexMethod::Gist => false,
            IndexMethod::SpGist => matches!(native, N::Text | N::VarChar(_) | N::Char(_) | N::Inet),
            IndexMethod::Brin => !matches!(native, N::Money | N::Citext | N::Xml | N::Boolean | N::Json | N::JsonB),
        }
    }
}
