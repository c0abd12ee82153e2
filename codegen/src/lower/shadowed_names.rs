//! Names of tables and types that PostgreSQL has for itself. Without a schema, it finds its own first: an enum that is
//! called `date` never becomes the type of a column.

use super::Cx;
use crate::diagnostics::{self as codes, Diagnostic, Span};

/// Types of `pg_catalog`, in the order of the alphabet, without those that begin with `pg_`.
const TYPES: [&str; 98] = [
    "aclitem",
    "any",
    "anyarray",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblemultirange",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anyelement",
    "anyenum",
    "anymultirange",
    "anynonarray",
    "anyrange",
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "date",
    "datemultirange",
    "daterange",
    "event_trigger",
    "fdw_handler",
    "float4",
    "float8",
    "gtsvector",
    "index_am_handler",
    "inet",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "internal",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "language_handler",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "table_am_handler",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trigger",
    "tsm_handler",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "unknown",
    "uuid",
    "varbit",
    "varchar",
    "void",
    "xid",
    "xid8",
    "xml",
];

/// Reports enums with the name of a type, and tables with that of a system table.
pub(super) fn validate_shadowed_names(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    for id in cx.enum_ids() {
        let draft = &cx.enums[id.index()];
        if draft.namespace.is_none()
            && (is_system_name(draft.db_name()) || TYPES.binary_search(&draft.db_name()).is_ok())
        {
            let span = draft.map.map_or(draft.ast.name.span, |map| map.span);
            let message =
                format!("`{}` is a type of PostgreSQL, which columns of this enum would have", draft.db_name());
            found.push(shadowed(span, message));
        }
    }
    for id in cx.model_ids() {
        let model = cx.model(id);
        if model.namespace.is_none() && is_system_name(model.db_name()) {
            let span = model.map.map_or(model.ast.name.span, |map| map.span);
            let message =
                format!("`{}` may be a system table of PostgreSQL, which queries would read", model.db_name());
            found.push(shadowed(span, message));
        }
    }
    cx.diagnostics.extend(found);
}

fn is_system_name(name: &str) -> bool {
    name.starts_with("pg_")
}

fn shadowed(span: Span, message: String) -> Diagnostic {
    let help = "write another name as `@@map(\"..\")`, or declare the schema: `schemas = [\"public\"]` and `@@schema(\"public\")`";
    Diagnostic::new(codes::SHADOWED_NAME, span, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn types_are_sorted() {
        assert!(TYPES.is_sorted());
    }
}
