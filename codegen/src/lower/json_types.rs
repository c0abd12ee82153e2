//! `type` blocks: the shapes of JSON values, and the columns that have them.

mod columns;
mod fields;
mod graph;
mod value;

use std::collections::BTreeMap;

use super::attributes::{report_misplaced, usable};
use super::{Cx, rust_types};
use crate::diagnostics::{self as codes, Diagnostic, Span};
use crate::ir::TypeId;

pub(super) use columns::check_columns;

/// The attributes of models and enums. Of these, a `type` block has the first two.
const ON_TYPES: &[&str] = &[
    "derive",
    "rust",
    "map",
    "schema",
    "id",
    "unique",
    "index",
    "check",
    "exclude",
    "ignore",
    "renamedFrom",
    "tenant",
    "shared",
    "with",
    "unlogged",
    "partitionBy",
    "audited",
    "distributed",
    "reference",
    "local",
    "sql",
    "materialized",
    "scope",
    "fulltext",
];

/// Reads every `type` block.
pub(super) fn read_types(cx: &mut Cx<'_, '_>) {
    for id in cx.type_ids() {
        read_attributes(cx, id);
        for field in 0..cx.types[id.index()].fields.len() {
            fields::read_field(cx, id, field);
        }
        keys_are_different(cx, id);
    }
    graph::check_sizes(cx);
}

fn read_attributes(cx: &mut Cx<'_, '_>, id: TypeId) {
    let attributes = cx.types[id.index()].attributes.clone();
    for (name, attribute) in usable(cx, &attributes, "@@", ON_TYPES) {
        if name == "derive" {
            cx.types[id.index()].derives = rust_types::read_derive(cx, attribute);
            continue;
        }
        if name == "rust" {
            cx.types[id.index()].rust_name = rust_types::read_name_of_block(cx, attribute);
            continue;
        }
        let message = format!("`@@{name}` has no meaning in a `type` block, which has no table");
        let help = match name {
            "map" | "renamedFrom" => "remove it: PostgreSQL does not know the name of the type",
            "schema" => "remove it: the type belongs to no schema of PostgreSQL",
            "index" | "unique" | "id" => {
                "put an index on an expression in the model: `@@index([raw(\"(address ->> 'zip')\")])`"
            }
            "check" => "put the check in the model: `@@check(\"address ->> 'zip' <> ''\")`",
            _ => "remove it, or put it in the model",
        };
        report_misplaced(cx, attribute.span, message, help);
    }
}

/// JSON has one value for each key.
fn keys_are_different(cx: &mut Cx<'_, '_>, id: TypeId) {
    let draft = &cx.types[id.index()];
    let mut seen: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
    let mut found = Vec::new();
    for field in &draft.fields {
        let span = field.map.map_or(field.ast.name.span, |map| map.span);
        let entry = *seen.entry(field.key()).or_insert((span, field.ast.name.text));
        // Two fields with one name are reported by another rule.
        if entry.0 != span && entry.1 != field.ast.name.text {
            let message = format!("two fields of `{}` have the key `{}`", draft.ast.name.text, field.key());
            found.push(
                Diagnostic::new(codes::DUPLICATE_COLUMN, span, message)
                    .label("this is the second")
                    .second(entry.0, "this is the first")
                    .help("give one of them another key with `@map(\"..\")`"),
            );
        }
    }
    cx.diagnostics.extend(found);
}
