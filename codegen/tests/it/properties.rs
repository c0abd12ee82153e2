//! What holds for every text there is, right or wrong. The property tests and the fuzz targets call the same.
#![allow(dead_code, reason = "each fuzz target calls one of them")]

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::diagnostics::{Sources, render_plain};
use relata_codegen::emit::{EmitOptions, emit, emit_with_queries};
use relata_codegen::ir::Schema;
use relata_codegen::queries::{self, Checked};
use relata_codegen::sql::{
    Change, DiffError, DiffOptions, Intent, Pair, Side, State, diff, lint_step, lower, plan, plan_online, render,
    summary,
};
use relata_codegen::{compile, format};

/// A line that parts the two schemas of a migration.
pub(crate) const NEXT: &str = "\n//// next\n";

/// A text is compiled, or refused with places that are in it.
pub(crate) fn check(text: &str) -> Option<Schema> {
    let sources = Sources::single("schema.dsl", text);
    let compiled = compile(&sources);
    assert!(compiled.schema.is_some() || compiled.diagnostics.iter().any(|found| found.is_error()));
    for diagnostic in &compiled.diagnostics {
        let spans = std::iter::once(diagnostic.span).chain(diagnostic.secondary.iter().map(|label| label.span));
        for span in spans {
            assert!(text.get(span.range()).is_some(), "{span:?} of {} is no part of the text", diagnostic.message);
        }
        assert!(!render_plain(diagnostic, &sources).is_empty());
    }
    compiled.schema
}

/// A text is formatted once and for all, loses nothing, and a schema means what it meant.
pub(crate) fn format_keeps(text: &str) {
    let formatted = format(text);
    assert_eq!(format(&formatted), formatted, "changes again:\n{text}");
    let (before, after) = (letters(text), letters(&formatted));
    for (letter, count) in before {
        let left = after.get(&letter).copied().unwrap_or(0);
        assert!(left >= count, "{letter:?} is lost in\n{text}\nwhich becomes\n{formatted}");
    }
    let is_comment = |line: &&str| line.starts_with("//");
    for comment in text.split(['\n', '\r']).map(str::trim).filter(is_comment) {
        assert!(formatted.contains(comment), "{comment:?} is lost in\n{text}\nwhich becomes\n{formatted}");
    }
    if let Some(schema) = check(text) {
        assert_eq!(Some(schema), check(&formatted), "means something else:\n{text}\nas\n{formatted}");
    }
}

/// How often each letter and digit is there; layout is all that a formatter may change.
pub(crate) fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut letters = BTreeMap::new();
    for letter in text.chars().filter(|letter| letter.is_alphanumeric()) {
        *letters.entry(letter).or_default() += 1;
    }
    letters
}

/// A schema that is accepted becomes Rust files in which no name is given twice.
pub(crate) fn generate(text: &str) {
    let Some(schema) = check(text) else { return };
    let files = emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true });
    let mut paths = BTreeSet::new();
    for file in files {
        let parsed = syn::parse_file(&file.text);
        assert!(parsed.is_ok(), "{} is no Rust:\n{}", file.path, file.text);
        assert!(paths.insert(file.path.to_lowercase()), "two files are {}", file.path);
        let mut names = BTreeSet::new();
        let names_of_items = parsed.iter().flat_map(|parsed| &parsed.items).filter_map(declared);
        // Assertions have no name.
        for name in names_of_items.filter(|(_, name)| name != "_") {
            assert!(
                names.insert(name.clone()),
                "{}: two items are the {} {}:\n{}",
                file.path,
                name.0,
                name.1,
                file.text
            );
        }
    }
}

/// The namespace and the name of an item.
fn declared(item: &syn::Item) -> Option<(&'static str, String)> {
    Some(match item {
        syn::Item::Const(item) => ("value", item.ident.to_string()),
        syn::Item::Static(item) => ("value", item.ident.to_string()),
        syn::Item::Fn(item) => ("value", item.sig.ident.to_string()),
        syn::Item::Enum(item) => ("type", item.ident.to_string()),
        syn::Item::Struct(item) => ("type", item.ident.to_string()),
        syn::Item::Type(item) => ("type", item.ident.to_string()),
        syn::Item::Mod(item) => ("type", item.ident.to_string()),
        _ => return None,
    })
}

/// A file of SQL is compiled, or refused with places that are in it.
pub(crate) fn check_query(schema: &Schema, text: &str) -> Checked {
    let checked = queries::check(schema, &Sources::single("queries/part.sql", text));
    assert!(!checked.queries.is_empty() || checked.diagnostics.iter().any(|found| found.is_error()));
    for diagnostic in &checked.diagnostics {
        assert!(text.get(diagnostic.span.range()).is_some(), "{diagnostic:?} in {text:.200}");
        assert!(!diagnostic.message.is_empty());
    }
    for query in &checked.queries {
        assert!((0..query.sql.len()).step_by(7).all(|at| query.place(at) as usize <= text.len()), "{text:.200}");
    }
    checked
}

/// A file of SQL that is accepted becomes Rust.
pub(crate) fn query(schema: &Schema, text: &str) {
    let checked = check_query(schema, text);
    if checked.queries.is_empty() {
        return;
    }
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let files = emit_with_queries(schema, &checked.queries, &options);
    let file = files.iter().find(|file| file.path == "queries.rs").expect("queries have a file");
    assert!(syn::parse_file(&file.text).is_ok(), "no Rust:\n{}", file.text);
}

/// Two schemas that are accepted have a way from one to the other, and none from one to itself.
pub(crate) fn migrate(text: &str) {
    let (previous, next) = text.split_once(NEXT).unwrap_or((text, ""));
    // A schema that declares nothing is refused; as an end of a migration it is the empty database.
    let schemas: Vec<Schema> = [previous, next].into_iter().filter_map(check).collect();
    let mut ends = vec![(State::default(), Intent::default())];
    ends.extend(schemas.iter().map(|schema| (lower(schema), Intent::of(schema))));
    for previous in &ends {
        for next in &ends {
            let changes = changes(Pair { previous: side(previous), next: side(next) });
            assert!(!std::ptr::eq(previous, next) || changes.is_empty(), "differs from itself: {changes:?}");
            summary(&changes);
            for plan in [plan(changes.clone()), plan_online(changes)] {
                assert!(plan.is_empty() || !render(&plan).is_empty());
                plan.steps.iter().for_each(|step| drop(lint_step(step)));
            }
        }
    }
}

fn side((state, intent): &(State, Intent)) -> Side<'_> {
    Side { state, intent: Some(intent) }
}

/// The changes, with every question about a rename answered by no.
fn changes(pair: Pair<Side<'_>>) -> Vec<Change> {
    match diff(pair, &DiffOptions::default()) {
        Ok(changes) => changes,
        Err(DiffError::ProbableRenames(renames)) => {
            assert!(renames.iter().all(|rename| !rename.flag().is_empty() && rename.attribute.is_some()));
            let options = DiffOptions { accept_drops: true, ..DiffOptions::default() };
            diff(pair, &options).expect("nothing is asked any more")
        }
        Err(error) => panic!("{error}"),
    }
}
