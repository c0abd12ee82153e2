//! Regenerates `generated/` whenever `schema.dsl` changes.

fn main() {
    relata_codegen::build::Build::new("schema.dsl").committed("generated").migrations("migrations").run();
}
