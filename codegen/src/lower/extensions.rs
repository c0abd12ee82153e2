//! Types and functions of extensions that `extensions` does not list: a new database does not have them.
//!
//! Only those of the extensions that are widely used; what else a type may come from is not known here.

use super::Cx;
use super::draft::{FieldDraft, FieldType};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::{DefaultValue, NativeType};
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

/// Functions that defaults call. `gen_random_uuid` is PostgreSQL's own.
const FUNCTIONS: [(&str, &[&str]); 2] = [
    ("pgcrypto", &["gen_random_bytes", "gen_salt", "crypt", "digest", "hmac"]),
    ("uuid-ossp", &["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_nil"]),
];

/// Warns once for each extension, where it is first used.
pub(super) fn check_extensions(cx: &mut Cx<'_, '_>) {
    let mut found: Vec<(&'static str, Diagnostic)> = Vec::new();
    for field in &cx.fields {
        if cx.model(field.model).ast.kind == ModelKind::View {
            continue;
        }
        for (extension, what, span) in uses(field) {
            let is_listed = cx
                .config
                .extensions
                .iter()
                .any(|listed| listed.map.map_or(listed.name.text, |map| map.text).eq_ignore_ascii_case(extension));
            if !is_listed && found.iter().all(|(known, _)| *known != extension) {
                found.push((extension, unlisted(extension, &what, span)));
            }
        }
    }
    cx.diagnostics.extend(found.into_iter().map(|(_, diagnostic)| diagnostic));
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

/// The extension of the type and of the default of a field, what is used of it, and where.
fn uses(field: &FieldDraft<'_>) -> Vec<(&'static str, String, Span)> {
    let mut used = Vec::new();
    let ty = field.ast.ty.span;
    if field.native == Some(NativeType::Citext) {
        used.push(("citext", "the type `citext`".to_owned(), ty));
    }
    if let (FieldType::Unsupported, Some(text)) = (field.ty, &field.ast.ty.unsupported) {
        let name = text.value.split(|letter: char| !is_part(letter) && letter != '.').next().unwrap_or_default();
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

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether a text has a name as a whole, with a bracket behind it. One in a string does no harm.
fn calls(sql: &str, name: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    lower
        .match_indices(name)
        .any(|(at, _)| !lower[..at].ends_with(is_part) && lower[at + name.len()..].trim_start().starts_with('('))
}
