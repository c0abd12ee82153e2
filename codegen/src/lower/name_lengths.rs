//! Lengths of the names of tables, columns, types, labels and schemas. PostgreSQL truncates or refuses names of more
//! than 63 bytes.

use super::Cx;
use super::constraint_names::MAX_NAME_BYTES;
use crate::diagnostics::{self as codes, Diagnostic, Span};

const LABEL: &str = "a label of an enum";

/// Reports every name that is too long. Names of constraints are checked where they are read.
pub(super) fn validate_name_lengths(cx: &mut Cx<'_, '_>) {
    let mut found = Vec::new();
    let mut check = |name: &str, span: Span, what: &str, help: &str| found.extend(too_long(name, span, what, help));
    for schema in &cx.config.namespaces {
        check(schema.text, schema.span, "a schema", "shorten the name of the schema");
    }
    for id in cx.model_ids() {
        let model = cx.model(id);
        let span = model.map.map_or(model.ast.name.span, |map| map.span);
        check(model.db_name(), span, "a table", "write a shorter name as `@@map(\"..\")`");
        for field in model.field_ids().map(|id| cx.field(id)).filter(|field| field.is_column()) {
            let span = field.map.map_or(field.ast.name.span, |map| map.span);
            check(field.db_name(), span, "a column", "write a shorter name as `@map(\"..\")`");
        }
    }
    for id in cx.enum_ids() {
        let draft = &cx.enums[id.index()];
        let span = draft.map.map_or(draft.ast.name.span, |map| map.span);
        check(draft.db_name(), span, "an enum", "write a shorter name as `@@map(\"..\")`");
        for value in &draft.values {
            let span = value.map.map_or(value.ast.name.span, |map| map.span);
            check(value.db_name(), span, LABEL, "write a shorter label as `@map(\"..\")`");
        }
    }
    for relation in cx.relations.iter().filter(|relation| relation.foreign_key.is_none()) {
        let span = relation.name.map_or(cx.field(relation.referencing).ast.name.span, |name| name.span);
        let help = "give the relation a shorter name on both sides: `@relation(\"..\")`";
        check(&relation.join_table(cx), span, "the table of a many-to-many relation", help);
    }
    cx.diagnostics.extend(found);
}

fn too_long(name: &str, span: Span, what: &str, help: &str) -> Option<Diagnostic> {
    if name.len() <= MAX_NAME_BYTES {
        return None;
    }
    let mut end = MAX_NAME_BYTES;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let message = format!("the name of {what} can have at most 63 bytes, but this one has {}", name.len());
    // PostgreSQL never accepted a label that is too long.
    let known =
        if what == LABEL { String::new() } else { format!("; an existing database calls it `{}`", &name[..end]) };
    Some(Diagnostic::new(codes::NAME_TOO_LONG, span, message).label("too long").help(format!("{help}{known}")))
}
