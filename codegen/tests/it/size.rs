//! How much code a model becomes. Every user compiles every line on every build, except for comments.

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::emit::{EmitOptions, emit};

use crate::synthetic;

/// Lines of a model of 12 columns and 2 relations: the budget.
const WITH_TWO_RELATIONS: usize = 150;

/// Lines of the same model when two relations of other models lead back to it: as many as there are.
const WITH_BACK_RELATIONS: usize = 162;

fn lines(schema: &str, path: &str) -> usize {
    let compiled = compile(&Sources::single("schema.dsl", schema));
    let schema = compiled.schema.expect("the synthetic schema is right");
    let files = emit(&schema, &EmitOptions { source: "schema.dsl".to_owned(), crate_root: true });
    let model = files.iter().find(|file| file.path == path).expect("the model has a file");
    model.text.lines().filter(|line| !line.trim_start().starts_with("//")).count()
}

#[test]
fn a_model_of_twelve_columns_and_two_relations_is_within_the_budget() {
    let lines = lines(&synthetic::leaf(), "leaf.rs");
    assert!(lines <= WITH_TWO_RELATIONS, "{lines} lines, {WITH_TWO_RELATIONS} are allowed");
}

#[test]
fn one_that_others_point_at_too_grows_no_further() {
    let lines = lines(&synthetic::schema(50), "model7.rs");
    assert!(lines <= WITH_BACK_RELATIONS, "{lines} lines, {WITH_BACK_RELATIONS} are allowed");
}

/// A model to which this number of other models refers.
fn hub(relations: usize) -> String {
    let fields: String = (0..relations).map(|at| format!("  leaf{at} Leaf{at}[]\n")).collect();
    let leaf = |at| {
        format!(
            "model Leaf{at} {{\n  id Int @id\n  hubId Int\n  hub Hub @relation(fields: [hubId], references: [id])\n}}\n"
        )
    };
    let leaves: String = (0..relations).map(leaf).collect();
    format!("datasource db {{\n  provider = \"postgresql\"\n}}\n\nmodel Hub {{\n  id Int @id\n{fields}}}\n\n{leaves}")
}

#[test]
fn a_model_grows_in_proportion_to_its_relations() {
    let (fifty, hundred) = (lines(&hub(50), "hub.rs"), lines(&hub(100), "hub.rs"));
    assert!(hundred <= 2 * fifty, "{fifty} lines with 50 relations, {hundred} with 100");
}
