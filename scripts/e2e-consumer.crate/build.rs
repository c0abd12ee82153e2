fn main() {
    relata_codegen::build::Build::new("schema.dsl").run();
}
