//! Schemas and what the compiler makes of them: diagnostics as plain text, or the IR.

use std::path::Path;

use relata_codegen::diagnostics::{Sources, render_plain};
use relata_codegen::{Compiled, compile};

fn compile_fixture(path: &Path) -> (Sources, Compiled) {
    let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
    let sources = Sources::single(path.file_name().unwrap_or_default().to_string_lossy(), text);
    let compiled = compile(&sources);
    (sources, compiled)
}

fn rendered(sources: &Sources, compiled: &Compiled) -> String {
    let texts: Vec<_> = compiled.diagnostics.iter().map(|diagnostic| render_plain(diagnostic, sources)).collect();
    texts.join("\n")
}

/// Every file of `syntax` and `validation` is refused or warned about, in the words of its snapshot.
#[test]
fn mistakes_are_explained() {
    insta::glob!("../fixtures", "{syntax,validation}/*.dsl", |path| {
        let (sources, compiled) = compile_fixture(path);
        assert!(!compiled.diagnostics.is_empty(), "{} is accepted", path.display());
        insta::assert_snapshot!(rendered(&sources, &compiled));
    });
}

/// Every file of `ir` is accepted, and means what its snapshot says.
#[test]
fn schemas_become_ir() {
    insta::glob!("../fixtures", "ir/*.dsl", |path| {
        let (sources, compiled) = compile_fixture(path);
        assert!(compiled.schema.is_some(), "{}", rendered(&sources, &compiled));
        insta::assert_debug_snapshot!(compiled.schema);
    });
}
