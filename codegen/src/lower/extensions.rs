//! Warns about types, functions and operator classes of extensions that `extensions` does not list: a new database does
//! not have them.
//!
//! Knows only extensions that are widely used.

use super::Cx;
use super::draft::{FieldDraft, FieldType, KeyDraft, KeyKind, OperatorClass};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{Arity, DefaultValue, IndexMethod, NativeType};
use crate::syntax::ModelKind;

/// Types, by their extension.
const TYPES: [(&str, &[&str]); 8] = [
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("hstore", &["hstore"]),
    ("isn", &["isbn", "isbn13", "issn", "issn13", "ismn", "ismn13", "ean13", "upc"]),
    ("ltree", &["ltree", "lquery", "ltxtquery"]),
    ("postgis", &["geometry", "geography", "box2d", "box3d"]),
    ("seg", &["seg"]),
    ("vector", &["vector", "halfvec", "sparsevec"]),
];

/// Functions in defaults. `gen_random_uuid` is part of PostgreSQL.
const FUNCTIONS: [(&str, &[&str]); 2] = [
    ("pgcrypto", &["gen_random_bytes", "gen_salt", "crypt", "digest", "hmac"]),
    ("uuid-ossp", &["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_nil"]),
];

/// Operator classes, separated by one space, by extension.
const OPERATOR_CLASSES: [(&str, &str); 12] = [
    (
        "btree_gist",
        "gist_bit_ops gist_bool_ops gist_bpchar_ops gist_bytea_ops gist_cash_ops gist_cidr_ops gist_date_ops gist_enum_ops \
         gist_float4_ops gist_float8_ops gist_inet_ops gist_int2_ops gist_int4_ops gist_int8_ops gist_interval_ops \
         gist_macaddr8_ops gist_macaddr_ops gist_numeric_ops gist_oid_ops gist_text_ops gist_time_ops gist_timestamp_ops \
         gist_timestamptz_ops gist_timetz_ops gist_uuid_ops gist_vbit_ops",
    ),
    ("citext", "citext_ops citext_pattern_ops"),
    ("cube", "cube_ops gist_cube_ops"),
    ("hstore", "btree_hstore_ops gin_hstore_ops gist_hstore_ops hash_hstore_ops"),
    ("intarray", "gin__int_ops gist__int_ops gist__intbig_ops"),
    ("isn", "ean13_ops isbn13_ops isbn_ops ismn13_ops ismn_ops issn13_ops issn_ops upc_ops"),
    ("ltree", "gist__ltree_ops gist_ltree_ops ltree_ops"),
    ("pg_bigm", "gin_bigm_ops"),
    ("pg_trgm", "gin_trgm_ops gist_trgm_ops"),
    (
        "postgis",
        "brin_geometry_inclusion_ops_2d gist_geography_ops gist_geometry_ops_2d gist_geometry_ops_nd \
         spgist_geography_ops_nd spgist_geometry_ops_2d spgist_geometry_ops_nd",
    ),
    ("seg", "gist_seg_ops seg_ops"),
    (
        "vector",
        "bit_hamming_ops bit_jaccard_ops halfvec_cosine_ops halfvec_ip_ops halfvec_l1_ops halfvec_l2_ops \
         sparsevec_cosine_ops sparsevec_ip_ops sparsevec_l1_ops sparsevec_l2_ops vector_cosine_ops vector_ip_ops \
         vector_l1_ops vector_l2_ops",
    ),
];

/// Warns once for each extension, at its first use.
pub(super) fn check_extensions(cx: &mut Cx<'_, '_>) {
    let mut found: Vec<(&'static str, Diagnostic)> = Vec::new();
    let is_view = |id| cx.model(id).ast.kind == ModelKind::View;
    let of_fields = cx.fields.iter().filter(|field| !is_view(field.model)).flat_map(uses);
    let keys = cx.models.iter().filter(|model| model.ast.kind != ModelKind::View).flat_map(|model| &model.keys);
    let of_keys = keys.flat_map(|key| &key.fields).filter_map(|field| extension_class(field.operator_class?));
    let of_exclusions = cx.models.iter().flat_map(|model| &model.keys).flat_map(|key| compared(cx, key));
    for (extension, what, span) in of_fields.chain(of_keys).chain(of_exclusions) {
        let is_listed = cx
            .config
            .extensions
            .iter()
            .any(|listed| listed.map.map_or(listed.name.text, |map| map.text).eq_ignore_ascii_case(extension));
        if !is_listed && found.iter().all(|(known, _)| *known != extension) {
            found.push((extension, unlisted(extension, &what, span)));
        }
    }
    cx.diagnostics.extend(found.into_iter().map(|(_, diagnostic)| diagnostic));
}

/// Returns the fields of an exclusion constraint that only `btree_gist` can compare in an index of type `Gist`.
fn compared<'k>(
    cx: &'k Cx<'_, '_>,
    key: &'k KeyDraft<'_>,
) -> impl Iterator<Item = (&'static str, String, Span)> + use<'k> {
    let is_gist = key.kind == KeyKind::Exclusion && key.method() == IndexMethod::Gist;
    let fields = key.fields.iter().filter(move |field| is_gist && field.operator_class.is_none());
    fields.filter_map(move |part| {
        let field = cx.field(part.column()?);
        let is_single = field.arity() != Arity::List;
        let is_scalar = matches!(field.ty, FieldType::Scalar(_) | FieldType::Enum(_));
        let what = || format!("the operator class for `{}` in an index of type `Gist`", field.ast.name.text);
        (is_single && is_scalar).then(|| ("btree_gist", what(), part.span))
    })
}

fn unlisted(extension: &str, what: &str, span: Span) -> Diagnostic {
    let name = match extension {
        "uuid-ossp" => "uuid_ossp(map: \"uuid-ossp\")",
        plain => plain,
    };
    Diagnostic::new(
        codes::UNLISTED_EXTENSION,
        span,
        format!("{what} comes with the extension `{extension}`, which `extensions` does not list"),
    )
    .label("no new database has it")
    .help(format!("write `extensions = [{name}]` into the datasource: migrations then create it"))
}

/// Returns the extensions that the type and the default of a field need: the extension, the object of it, and its
/// place.
fn uses(field: &FieldDraft<'_>) -> Vec<(&'static str, String, Span)> {
    let mut used = Vec::new();
    let ty = field.ast.ty.span;
    if field.native == Some(NativeType::Citext) {
        used.push(("citext", "the type `citext`".to_owned(), ty));
    }
    if let (FieldType::Unsupported, Some(sql)) = (field.ty, &field.sql_type) {
        let name = sql.text.split(|letter: char| !is_part(letter) && letter != '.').next().unwrap_or_default();
        let first = name.rsplit('.').next().unwrap_or_default();
        let known = TYPES.iter().find(|(_, types)| types.iter().any(|it| it.eq_ignore_ascii_case(first)));
        used.extend(known.map(|(extension, _)| (*extension, format!("the type `{first}`"), ty)));
    }
    if let Some((DefaultValue::DbGenerated(Some(sql)), span)) = &field.default {
        for (extension, functions) in FUNCTIONS {
            let called = functions.iter().find(|function| calls(sql, function));
            used.extend(called.map(|function| (extension, format!("the function `{function}`"), *span)));
        }
    }
    used
}

/// Returns the extension of an operator class, which may have a schema before its name and parameters after it.
/// Operator classes with a name in the language are part of PostgreSQL.
fn extension_class(class: OperatorClass<'_>) -> Option<(&'static str, String, Span)> {
    let OperatorClass::Raw(raw) = class else { return None };
    let name = raw.text.split('(').next().unwrap_or_default().trim();
    let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"');
    let has_it = |classes: &str| classes.split(' ').any(|class| class.eq_ignore_ascii_case(name));
    let (extension, _) = OPERATOR_CLASSES.iter().find(|(_, classes)| has_it(classes))?;
    Some((extension, format!("the operator class `{name}`"), raw.span))
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns whether the text contains the name as a whole word, followed by a parenthesis. A match inside a string does
/// no harm.
fn calls(sql: &str, name: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    lower
        .match_indices(name)
        .any(|(at, _)| !lower[..at].ends_with(is_part) && lower[at + name.len()..].trim_start().starts_with('('))
}
