//! Schemas and the Rust that is made of them.

use relata_codegen::compile;
use relata_codegen::diagnostics::Sources;
use relata_codegen::emit::{EmitOptions, GeneratedFile, emit, emit_with_threads};

use crate::synthetic;

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

#[test]
fn the_files_are_the_same_however_many_threads_write_them() {
    let schema = compile(&Sources::single("schema.dsl", synthetic::schema(200))).schema.expect("it is right");
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let files = emit_with_threads(&schema, &[], &options, 1);
    assert!(files.len() > 200, "{} files", files.len());
    for threads in [2, 3, 64] {
        assert!(emit_with_threads(&schema, &[], &options, threads) == files, "{threads} threads");
    }
}
