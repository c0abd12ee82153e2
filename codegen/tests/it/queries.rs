//! Files of SQL and what the compiler makes of them: types, or diagnostics.
//!
//! What is accepted here is shown to PostgreSQL by the tests of the command, which confirms every type.

use std::fmt::Write;
use std::path::Path;

use relata_codegen::compile;
use relata_codegen::diagnostics::{CODES, SourceFile, Sources, render_plain};
use relata_codegen::ir::{ColumnType, Schema};
use relata_codegen::queries::{Checked, Query, ValueType, check};

const SCHEMA: &str = include_str!("../fixtures/queries/schema.dsl");

fn schema() -> Schema {
    let sources = Sources::single("schema.dsl", SCHEMA);
    let compiled = compile(&sources);
    let said: String = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect();
    compiled.schema.unwrap_or_else(|| panic!("{said}"))
}

fn check_fixture(path: &Path) -> (Sources, Checked) {
    let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
    let sources = Sources::single(path.file_name().unwrap_or_default().to_string_lossy(), text);
    let checked = check(&schema(), &sources);
    (sources, checked)
}

fn rendered(sources: &Sources, checked: &Checked) -> String {
    let texts: Vec<_> = checked.diagnostics.iter().map(|diagnostic| render_plain(diagnostic, sources)).collect();
    texts.join("\n")
}

fn value(schema: &Schema, value: &ValueType) -> String {
    let ty = match &value.ty {
        ColumnType::Scalar(scalar, native) => format!("{scalar:?} {native:?}"),
        ColumnType::Enum(id) => schema.walk_enum(*id).name().to_owned(),
        ColumnType::Unsupported(sql) => sql.clone(),
    };
    let list = match (value.list, value.holes) {
        (false, _) => "",
        (true, false) => " list",
        (true, true) => " list with nulls",
    };
    format!("{ty}{list}{}", if value.nullable { " or null" } else { "" })
}

fn described(schema: &Schema, query: &Query) -> String {
    let mut text = format!("{} -> {}\n", query.name, query.row_name);
    query.docs.iter().for_each(|docs| writeln!(text, "docs: {docs}").expect("is written"));
    for param in &query.params {
        let said = if param.derived { "" } else { ", as annotated" };
        writeln!(text, "takes {}: {}{said}", param.name, value(schema, &param.value)).expect("is written");
    }
    for column in query.columns.iter().flatten() {
        let marks = [(!column.derived, ", as annotated"), (column.sensitive, ", sensitive")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        writeln!(text, "gives {}: {}{marks}", column.name, value(schema, &column.value)).expect("is written");
    }
    if let Some(model) = query.model {
        writeln!(text, "rows of {}", schema.walk_model(model).name()).expect("is written");
    }
    if let Some(model) = query.writes {
        writeln!(text, "writes {}", schema.walk_model(model).name()).expect("is written");
    }
    if query.columns.is_none() {
        text.push_str("gives the number of rows\n");
    }
    text
}

/// Every file of `ok` is accepted, and has the types of its snapshot.
#[test]
fn types_follow_from_the_schema() {
    let schema = schema();
    insta::glob!("../fixtures", "queries/ok/*.sql", |path| {
        let (sources, checked) = check_fixture(path);
        let [query] = checked.queries.as_slice() else { panic!("{}", rendered(&sources, &checked)) };
        assert!(checked.diagnostics.is_empty(), "{}", rendered(&sources, &checked));
        insta::assert_snapshot!(described(&schema, query));
    });
}

/// Every file of `err` is refused or warned about, in the words of its snapshot.
#[test]
fn mistakes_in_queries_are_explained() {
    insta::glob!("../fixtures", "queries/err/*.sql", |path| {
        let (sources, checked) = check_fixture(path);
        assert!(!checked.diagnostics.is_empty(), "{} is accepted", path.display());
        insta::assert_snapshot!(rendered(&sources, &checked));
    });
}

/// The first example of every code about queries emits it and nothing else, the second has nothing wrong. Those of codes
/// that take a database are shown to one by the tests of the command.
#[test]
fn every_code_of_queries_is_explained_by_examples() {
    for code in CODES.iter().filter(|code| code.is_about_queries()) {
        let examples: Vec<_> = code.examples().collect();
        let [wrong, right] = examples.as_slice() else { panic!("{} has {} examples", code.code, examples.len()) };
        let (sources, checked) = check_example(wrong);
        let codes: Vec<_> = checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        let expected = if code.is_of_databases() { vec![] } else { vec![code.code] };
        assert_eq!(codes, expected, "{}", rendered(&sources, &checked));
        let (sources, checked) = check_example(right);
        assert!(checked.diagnostics.is_empty(), "{}: {}", code.code, rendered(&sources, &checked));
    }
}

/// An example of an explanation, about the schema of the exam planning: its first line names the file.
pub(crate) fn check_example(example: &str) -> (Sources, Checked) {
    let path = example.lines().next().unwrap_or_default().trim_start_matches("-- ");
    let sources = Sources::single(path, example);
    let schema = compile(&Sources::single("schema.dsl", include_str!("../../../schema.dsl"))).schema.expect("is valid");
    let checked = check(&schema, &sources);
    (sources, checked)
}

/// The files of a folder are seen together.
#[test]
fn two_files_are_not_one_function() {
    let file = |path: &str| SourceFile { path: path.to_owned(), text: "SELECT 1 AS one".to_owned() };
    let sources =
        Sources { files: vec![file("queries/getOne.sql"), file("queries/get_one.sql"), file("queries/b.sql")] };
    let checked = check(&schema(), &sources);
    assert_eq!(checked.queries.iter().map(|query| query.name.as_str()).collect::<Vec<_>>(), ["b", "get_one"]);
    let codes: Vec<_> = checked.diagnostics.iter().map(|known| known.code).collect();
    assert_eq!(codes, ["R1001", "R1001"], "{}", rendered(&sources, &checked));
}
