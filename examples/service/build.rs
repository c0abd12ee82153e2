//! Generates the client, which `src/lib.rs` includes, and embeds the migrations, which `src/main.rs` applies.

fn main() {
    relata_codegen::build::Build::new("schema.dsl").migrations("migrations").run();
}
