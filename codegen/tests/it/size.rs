//! How much code a model becomes. Every line is compiled by every user on every build.

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::emit::{EmitOptions, emit};

use crate::synthetic;

/// Lines of a model of 12 columns and 2 relations, with the 2 back relations that others give it.
const MOST_LINES: usize = 150;

#[test]
fn a_model_of_twelve_columns_stays_within_its_budget_of_lines() {
    let compiled = compile(&Sources::single("schema.dsl", &synthetic::schema(50)));
    let schema = compiled.schema.expect("is right");
    let files = emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true });
    let models: Vec<_> = files.iter().filter(|file| file.path.starts_with("model")).collect();
    assert_eq!(models.len(), 50);
    for model in models {
        let lines = model.text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines, {MOST_LINES} are the budget", model.path);
    }
}
