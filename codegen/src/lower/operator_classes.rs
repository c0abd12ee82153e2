//! The operator classes that have names in the language, and the types that each index method supports.

use crate::ir::IndexMethod;

/// An operator class with a name in the language.
#[derive(Debug)]
pub(super) struct KnownClass {
    /// The name in the language.
    pub(super) name: &'static str,
    /// The name in PostgreSQL.
    pub(super) db_name: &'static str,
    /// The index methods that support it.
    pub(super) methods: &'static [IndexMethod],
    /// The native types that it supports; empty for lists of any type.
    pub(super) native_types: &'static [&'static str],
}

const GIN: &[IndexMethod] = &[IndexMethod::Gin];
const SPGIST: &[IndexMethod] = &[IndexMethod::SpGist];
const GIST_SPGIST: &[IndexMethod] = &[IndexMethod::Gist, IndexMethod::SpGist];
const BRIN: &[IndexMethod] = &[IndexMethod::Brin];

const fn class(
    name: &'static str,
    db_name: &'static str,
    methods: &'static [IndexMethod],
    native_types: &'static [&'static str],
) -> KnownClass {
    KnownClass { name, db_name, methods, native_types }
}

/// All of them.
#[rustfmt::skip]
pub(super) static KNOWN_CLASSES: &[KnownClass] = &[
    class("InetOps", "inet_ops", GIST_SPGIST, &["Inet"]),
    class("JsonbOps", "jsonb_ops", GIN, &["JsonB"]),
    class("JsonbPathOps", "jsonb_path_ops", GIN, &["JsonB"]),
    class("ArrayOps", "array_ops", GIN, &[]),
    class("TextOps", "text_ops", SPGIST, &["Text", "VarChar", "Char"]),
    class("BitMinMaxOps", "bit_minmax_ops", BRIN, &["Bit"]),
    class("VarBitMinMaxOps", "varbit_minmax_ops", BRIN, &["VarBit"]),
    class("BpcharBloomOps", "bpchar_bloom_ops", BRIN, &["Char"]),
    class("BpcharMinMaxOps", "bpchar_minmax_ops", BRIN, &["Char"]),
    class("ByteaBloomOps", "bytea_bloom_ops", BRIN, &["ByteA"]),
    class("ByteaMinMaxOps", "bytea_minmax_ops", BRIN, &["ByteA"]),
    class("DateBloomOps", "date_bloom_ops", BRIN, &["Date"]),
    class("DateMinMaxOps", "date_minmax_ops", BRIN, &["Date"]),
    class("DateMinMaxMultiOps", "date_minmax_multi_ops", BRIN, &["Date"]),
    class("Float4BloomOps", "float4_bloom_ops", BRIN, &["Real"]),
    class("Float4MinMaxOps", "float4_minmax_ops", BRIN, &["Real"]),
    class("Float4MinMaxMultiOps", "float4_minmax_multi_ops", BRIN, &["Real"]),
    class("Float8BloomOps", "float8_bloom_ops", BRIN, &["DoublePrecision"]),
    class("Float8MinMaxOps", "float8_minmax_ops", BRIN, &["DoublePrecision"]),
    class("Float8MinMaxMultiOps", "float8_minmax_multi_ops", BRIN, &["DoublePrecision"]),
    class("InetBloomOps", "inet_bloom_ops", BRIN, &["Inet"]),
    class("InetMinMaxOps", "inet_minmax_ops", BRIN, &["Inet"]),
    class("InetMinMaxMultiOps", "inet_minmax_multi_ops", BRIN, &["Inet"]),
    class("InetInclusionOps", "inet_inclusion_ops", BRIN, &["Inet"]),
    class("Int2BloomOps", "int2_bloom_ops", BRIN, &["SmallInt"]),
    class("Int2MinMaxOps", "int2_minmax_ops", BRIN, &["SmallInt"]),
    class("Int2MinMaxMultiOps", "int2_minmax_multi_ops", BRIN, &["SmallInt"]),
    class("Int4BloomOps", "int4_bloom_ops", BRIN, &["Integer"]),
    class("Int4MinMaxOps", "int4_minmax_ops", BRIN, &["Integer"]),
    class("Int4MinMaxMultiOps", "int4_minmax_multi_ops", BRIN, &["Integer"]),
    class("Int8BloomOps", "int8_bloom_ops", BRIN, &["BigInt"]),
    class("Int8MinMaxOps", "int8_minmax_ops", BRIN, &["BigInt"]),
    class("Int8MinMaxMultiOps", "int8_minmax_multi_ops", BRIN, &["BigInt"]),
    class("NumericBloomOps", "numeric_bloom_ops", BRIN, &["Decimal"]),
    class("NumericMinMaxOps", "numeric_minmax_ops", BRIN, &["Decimal"]),
    class("NumericMinMaxMultiOps", "numeric_minmax_multi_ops", BRIN, &["Decimal"]),
    class("OidBloomOps", "oid_bloom_ops", BRIN, &["Oid"]),
    class("OidMinMaxOps", "oid_minmax_ops", BRIN, &["Oid"]),
    class("OidMinMaxMultiOps", "oid_minmax_multi_ops", BRIN, &["Oid"]),
    class("TextBloomOps", "text_bloom_ops", BRIN, &["Text", "VarChar"]),
    class("TextMinMaxOps", "text_minmax_ops", BRIN, &["Text", "VarChar"]),
    class("TimestampBloomOps", "timestamp_bloom_ops", BRIN, &["Timestamp"]),
    class("TimestampMinMaxOps", "timestamp_minmax_ops", BRIN, &["Timestamp"]),
    class("TimestampMinMaxMultiOps", "timestamp_minmax_multi_ops", BRIN, &["Timestamp"]),
    class("TimestampTzBloomOps", "timestamptz_bloom_ops", BRIN, &["Timestamptz"]),
    class("TimestampTzMinMaxOps", "timestamptz_minmax_ops", BRIN, &["Timestamptz"]),
    class("TimestampTzMinMaxMultiOps", "timestamptz_minmax_multi_ops", BRIN, &["Timestamptz"]),
    class("TimeBloomOps", "time_bloom_ops", BRIN, &["Time"]),
    class("TimeMinMaxOps", "time_minmax_ops", BRIN, &["Time"]),
    class("TimeMinMaxMultiOps", "time_minmax_multi_ops", BRIN, &["Time"]),
    class("TimeTzBloomOps", "timetz_bloom_ops", BRIN, &["Timetz"]),
    class("TimeTzMinMaxOps", "timetz_minmax_ops", BRIN, &["Timetz"]),
    class("TimeTzMinMaxMultiOps", "timetz_minmax_multi_ops", BRIN, &["Timetz"]),
    class("UuidBloomOps", "uuid_bloom_ops", BRIN, &["Uuid"]),
    class("UuidMinMaxOps", "uuid_minmax_ops", BRIN, &["Uuid"]),
    class("UuidMinMaxMultiOps", "uuid_minmax_multi_ops", BRIN, &["Uuid"]),
];

/// Returns the language's name of a method.
pub(super) fn method_name(method: IndexMethod) -> &'static str {
    METHODS.iter().find(|(_, known)| *known == method).map_or("BTree", |(name, _)| name)
}

/// The index methods with their names in the language.
pub(super) const METHODS: [(&str, IndexMethod); 8] = [
    ("BTree", IndexMethod::BTree),
    ("Hash", IndexMethod::Hash),
    ("Gin", IndexMethod::Gin),
    ("Gist", IndexMethod::Gist),
    ("SpGist", IndexMethod::SpGist),
    ("Brin", IndexMethod::Brin),
    ("Hnsw", IndexMethod::Hnsw),
    ("IvfFlat", IndexMethod::IvfFlat),
];
