//! Clients of `tests/tenants/schema.dsl`: handles of tenants, and everything by which one could leak. `secured.dsl` is the
//! same schema with row security.
//!
//! `cargo codegen generate --schema tests/tenants/schema.dsl --out tests/tenants/generated` generates the files of one, and
//! `cargo codegen generate --schema tests/tenants/secured.dsl --out tests/tenants/secured` those of the other.

mod people;
mod plain;
pub(crate) mod secured;

use std::path::{Path, PathBuf};

use relata_codegen::emit::{EmitOptions, emit_with_queries};

const PLAIN: &str = "schema.dsl";
const SECURED: &str = "secured.dsl";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tenants")
}

fn schema(file: &str) -> relata_codegen::ir::Schema {
    let sources = relata_codegen::build::read_schema(&folder().join(file)).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_clients_of_tenants_are_up_to_date() {
    for (file, generated) in [(PLAIN, "generated"), (SECURED, "secured")] {
        let options = EmitOptions { source: file.to_owned(), crate_root: true };
        let queries = relata_codegen::build::read_queries(&folder().join("queries")).expect("are read");
        let queries = relata_codegen::queries::check(&schema(file), &queries).queries;
        let files = emit_with_queries(&schema(file), &queries, &options);
        let stale = relata_codegen::build::stale_files(&folder().join(generated), &files).expect("is read");
        assert!(stale.is_empty(), "run the commands at the head of this file: {stale:?} differ");
    }
}

#[test]
fn the_schemas_differ_in_row_security_alone() {
    let read = |file: &str| std::fs::read_to_string(folder().join(file)).expect("is read");
    assert_eq!(
        read(SECURED)
            .replace("  provider    = \"postgresql\"\n  rowSecurity = true\n", "  provider = \"postgresql\"\n"),
        read(PLAIN)
    );
}
