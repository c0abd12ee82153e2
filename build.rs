//! Regenerates `generated/` whenever `schema.dsl` or a file in `queries/` changes.

fn main() {
    relata_codegen::build::Build::new("schema.dsl").committed("generated").migrations("migrations").run();
}
