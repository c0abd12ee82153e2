//! Names in the client: two different names of the schema may become the same in Rust.

use std::collections::BTreeMap;

use super::Cx;
use super::draft::ModelDraft;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::names::{camel_ident, module_name, snake_ident};
use crate::syntax::Name;

/// Checks modules, types, fields and variants.
pub(super) fn validate_rust_names(cx: &mut Cx<'_, '_>) {
    let ast = cx.ast;
    let mut found = Vec::new();
    let models: Vec<_> = cx.models.iter().map(|model| model.ast.name).collect();
    let enums: Vec<_> = cx.enums.iter().map(|draft| draft.ast.name).collect();
    let types: Vec<_> = cx.types.iter().map(|draft| draft.ast.name).collect();
    found.extend(clashes(&[models.clone(), types.clone()].concat(), module_name, "module"));
    found.extend(clashes(&[models, enums, types].concat(), camel_ident, "type"));
    for draft in &cx.types {
        let fields: Vec<_> = draft.fields.iter().map(|field| field.ast.name).collect();
        found.extend(clashes(&fields, snake_ident, "field"));
    }
    for model in &cx.models {
        let fields: Vec<_> = model.ast.fields.iter().map(|field| field.name).collect();
        found.extend(clashes(&fields, snake_ident, "field"));
        found.extend(keys_and_fields_differ(cx, model));
    }
    for block in &ast.enums {
        let values: Vec<_> = block.values.iter().map(|value| value.name).collect();
        found.extend(clashes(&values, camel_ident, "variant"));
    }
    // A model and its module clash for the same reason, so only one of them is reported.
    found.dedup_by(|a, b| a.span == b.span);
    cx.diagnostics.extend(found);
}

/// In the client, a key of several fields has a name like a field: its own name, or that of its fields.
fn keys_and_fields_differ(cx: &Cx<'_, '_>, model: &ModelDraft<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let keys: Vec<_> = model.keys.iter().filter(|key| key.is_unique() && key.fields.len() > 1).collect();
    if keys.is_empty() {
        return found;
    }
    let mut idents: BTreeMap<String, Vec<Name<'_>>> = BTreeMap::new();
    for field in &model.ast.fields {
        idents.entry(snake_ident(field.name.text)).or_default().push(field.name);
    }
    for key in keys {
        let fields: Vec<_> = key.columns().unwrap_or_default();
        let names: Vec<_> = fields.iter().map(|id| cx.field(*id).ast.name.text).collect();
        let name = key.name.map_or_else(|| names.join("_"), |name| name.text.to_owned());
        let ident = snake_ident(&name);
        let taken = idents.get(&ident).into_iter().flatten().find(|field| field.text != name);
        let Some(taken) = taken else { continue };
        let message = format!("the key `{name}` and the field `{}` are the same name in Rust", taken.text);
        found.push(
            Diagnostic::new(codes::RUST_NAME_CLASH, key.name.map_or(key.span, |name| name.span), message)
                .label(format!("the key would be named `{ident}`"))
                .second(taken.span, "and so would this field")
                .help("give the key another name with `name: \"..\"`"),
        );
    }
    found
}

fn clashes(names: &[Name<'_>], convert: fn(&str) -> String, what: &str) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, Name<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for name in names {
        let ident = convert(name.text);
        if syn::parse_str::<syn::Ident>(&ident).is_err() {
            found.push(
                Diagnostic::new(codes::NOT_A_RUST_NAME, name.span, format!("`{}` cannot be a name in Rust", name.text))
                    .label(format!("the {what} would be named `{ident}`"))
                    .help("use letters, digits and `_`; `@map` and `@@map` keep the name in the database"),
            );
            continue;
        }
        match seen.get(&ident) {
            // Equal names are reported by another rule.
            Some(first) if first.text != name.text => found.push(
                Diagnostic::new(
                    codes::RUST_NAME_CLASH,
                    name.span,
                    format!("`{}` and `{}` are the same name in Rust", first.text, name.text),
                )
                .label(format!("the {what} would be named `{ident}`"))
                .second(first.span, "and so would this one")
                .help("rename one of them; `@map` and `@@map` keep the name in the database"),
            ),
            Some(_) => {}
            None => drop(seen.insert(ident, *name)),
        }
    }
    found
}
