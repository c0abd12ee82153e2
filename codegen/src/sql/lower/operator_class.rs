//! The default operator classes, which can be omitted.

use crate::ir::{Arity, ClientType, ColumnType, ColumnWalker, IndexMethod, NativeType};

/// Returns whether this is the default operator class of an index on that column.
pub(super) fn is_default(method: IndexMethod, class: &str, column: ColumnWalker<'_>) -> bool {
    if column.arity() == Arity::List {
        return class == "array_ops" && matches!(method, IndexMethod::BTree | IndexMethod::Hash | IndexMethod::Gin);
    }
    let Some(ty) = class_prefix(&column.column().ty) else { return false };
    match method {
        IndexMethod::BTree | IndexMethod::Hash => class == format!("{ty}_ops"),
        // Operator classes of jsonb and tsvector are part of PostgreSQL; the others belong to btree_gin and btree_gist.
        IndexMethod::Gin => class == format!("{ty}_ops"),
        IndexMethod::Gist if ty == "tsvector" => class == "tsvector_ops",
        IndexMethod::Gist => class == format!("gist_{ty}_ops"),
        IndexMethod::SpGist => matches!((ty, class), ("text", "text_ops") | ("inet", "inet_ops")),
        // pgvector has a default for IVFFlat only.
        IndexMethod::IvfFlat => ty == "vector" && class == "vector_l2_ops",
        IndexMethod::Hnsw => false,
        IndexMethod::Brin if ty == "inet" => class == "inet_inclusion_ops",
        IndexMethod::Brin => class == format!("{ty}_minmax_ops"),
    }
}

/// Returns the name of the type in its operator classes. VarChar uses those of text.
fn class_prefix(ty: &ColumnType) -> Option<&'static str> {
    let native = match ty {
        ColumnType::Scalar(_, native) => native,
        ColumnType::Enum(_) => return Some("enum"),
        ColumnType::Unsupported(text) => {
            return match ClientType::of(text) {
                ClientType::TsVector => Some("tsvector"),
                ClientType::Vector => Some("vector"),
                _ => None,
            };
        }
    };
    Some(match native {
        NativeType::SmallInt => "int2",
        NativeType::Integer => "int4",
        NativeType::BigInt => "int8",
        NativeType::Oid => "oid",
        NativeType::Decimal(_) => "numeric",
        NativeType::Money => "money",
        NativeType::Real => "float4",
        NativeType::DoublePrecision => "float8",
        NativeType::VarChar(_) | NativeType::Text => "text",
        NativeType::Char(_) => "bpchar",
        NativeType::Citext => "citext",
        NativeType::Inet => "inet",
        NativeType::Uuid => "uuid",
        NativeType::Bit(_) => "bit",
        NativeType::VarBit(_) => "varbit",
        NativeType::ByteA => "bytea",
        NativeType::Timestamp(_) => "timestamp",
        NativeType::Timestamptz(_) => "timestamptz",
        NativeType::Time(_) => "time",
        NativeType::Timetz(_) => "timetz",
        NativeType::Date => "date",
        NativeType::Boolean => "bool",
        NativeType::JsonB => "jsonb",
        NativeType::Json | NativeType::Xml => return None,
    })
}
