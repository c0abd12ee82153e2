//! No text makes the compiler panic: arbitrary ones, and schemas with arbitrary edits.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use relata_codegen::compile;
use relata_codegen::diagnostics::{Sources, render_plain};
use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::lower;

/// Pieces that mean something where they stand.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\\",
    "//",
    "/*",
    "@",
    "@@",
    "\n",
    "\r",
    "\u{0}",
    "\u{feff}",
    "ö",
    "model A {\n",
    "@id",
    "@default(",
    "@relation(fields: [",
    "[]",
    "?",
    "raw(\"",
    "99999999999999999999",
    "-1",
    "view",
    "enum",
];

/// All steps from a text to files and a state of the database.
fn compile_all(text: &str) {
    let sources = Sources::single("schema.dsl", text);
    let compiled = compile(&sources);
    for diagnostic in &compiled.diagnostics {
        assert!(!render_plain(diagnostic, &sources).is_empty());
    }
    if let Some(schema) = compiled.schema {
        lower(&schema);
        for file in emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true }) {
            assert!(syn::parse_file(&file.text).is_ok(), "{} is no Rust:\n{}", file.path, file.text);
        }
    }
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths = Vec::new();
    for kind in ["emit", "ir", "syntax", "validation"] {
        let entries = std::fs::read_dir(folder.join(kind)).expect("the folder is there");
        paths.extend(entries.map(|entry| entry.expect("is read").path()));
    }
    paths.sort();
    let schemas = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "dsl"));
    schemas.map(|path| std::fs::read_to_string(path).expect("a fixture is UTF-8")).collect()
}

/// The nearest place before `index` where a character begins.
fn boundary(text: &str, index: Index) -> usize {
    let at = index.index(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_refused_or_compiled(text in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
        compile_all(&text);
    }

    #[test]
    fn arbitrary_pieces_are_refused_or_compiled(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80)) {
        compile_all(&pieces.concat());
    }

    #[test]
    fn edited_schemas_are_refused_or_compiled(
        fixture in prop::sample::select(fixtures()),
        edits in prop::collection::vec((any::<Index>(), 0usize..40, prop::sample::select(PIECES)), 1..5),
    ) {
        let mut text = fixture;
        for (index, removed, piece) in edits {
            let start = boundary(&text, index);
            let end = text[start..].char_indices().nth(removed).map_or(text.len(), |(at, _)| start + at);
            text.replace_range(start..end, piece);
        }
        compile_all(&text);
    }
}
