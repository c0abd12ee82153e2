//! The schemas in the book are accepted, and its diagnostics are what the compiler says.

use relata_codegen::compile;
use relata_codegen::diagnostics::{Sources, render_plain};

const SCHEMA_PAGE: &str = include_str!("../../../docs/schema.md");

fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_schemas_of_the_book_are_accepted() {
    let blocks = blocks(SCHEMA_PAGE, "prisma");
    assert!(blocks.len() > 1);
    for block in blocks {
        let sources = Sources::single("schema.dsl", block);
        let compiled = compile(&sources);
        let text: String = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect();
        assert!(compiled.diagnostics.is_empty(), "{text}");
    }
}

#[test]
fn the_diagnostic_of_the_book_is_real() {
    let sources = Sources::single("schema.dsl", "model Article {\n  title Strin\n  id Int @id\n}\n");
    let compiled = compile(&sources);
    let rendered = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect::<String>();
    assert_eq!(blocks(SCHEMA_PAGE, "text"), [rendered]);
}
