//! Schemas and the Rust that is made of them.

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::emit::{EmitOptions, GeneratedFile, emit};

fn emit_text(name: &str, text: &str) -> Vec<GeneratedFile> {
    let compiled = compile(&Sources::single(name, text));
    let schema = compiled.schema.unwrap_or_else(|| panic!("{name}: {:?}", compiled.diagnostics));
    emit(&schema, &EmitOptions { source: name.to_owned(), crate_root: true })
}

/// Every file of `emit` gives the files of its snapshot, and the same bytes when asked again.
#[test]
fn schemas_become_rust() {
    insta::glob!("../fixtures", "emit/*.dsl", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let files = emit_text("schema.dsl", &text);
        assert_eq!(files, emit_text("schema.dsl", &text));
        for file in &files {
            assert!(syn::parse_file(&file.text).is_ok(), "{} is no Rust", file.path);
        }
        let texts: Vec<_> = files.iter().map(|file| format!("==> {} <==\n{}", file.path, file.text)).collect();
        insta::assert_snapshot!(texts.join("\n"));
    });
}
