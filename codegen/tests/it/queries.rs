//! Files of SQL and what the compiler makes of them: types, or diagnostics.
//!
//! What is accepted here is shown to PostgreSQL by the tests of the command, which confirms every type.

use std::fmt::Write;
use std::path::Path;

use relata_codegen::compile;
use relata_codegen::diagnostics::{CODES, Diagnostic, Severity, SourceFile, Sources, render_plain};
use relata_codegen::ir::{ColumnType, Schema};
use relata_codegen::queries::{Checked, Confinement, Query, ValueType, check, check_with};

use crate::properties;

const SCHEMA: &str = include_str!("../fixtures/queries/schema.dsl");

/// Functions, views and sequences that queries name.
const OBJECTS: &str = include_str!("../fixtures/queries/objects.sql");

fn schema() -> Schema {
    let sources = Sources::single("schema.dsl", SCHEMA);
    let compiled = compile(&sources);
    let said: String = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect();
    compiled.schema.unwrap_or_else(|| panic!("{said}"))
}

/// Returns the schema in the folder of a fixture.
fn schema_of_folder(path: &Path) -> Schema {
    let text = std::fs::read_to_string(path.with_file_name("schema.dsl")).expect("a fixture is UTF-8");
    let sources = Sources::single("schema.dsl", text);
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
    for part in &query.parts {
        let (model, columns) = (schema.walk_model(part.model), &part.columns);
        let optional = if part.optional { ", or nothing" } else { "" };
        writeln!(text, "columns {columns:?} are {}: a {}{optional}", part.name, model.name()).expect("is written");
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
        let is_note = |found: &Diagnostic| found.severity == Severity::Note;
        assert!(checked.diagnostics.iter().all(is_note), "{}", rendered(&sources, &checked));
        insta::assert_snapshot!(format!("{}{}", described(&schema, query), rendered(&sources, &checked)));
    });
}

/// The types of PostgreSQL and of extensions, with their operators and functions: each folder has its own schema.
#[test]
fn types_beyond_the_scalars_follow_too() {
    insta::glob!("../fixtures", "queries/typed/*/*.sql", |path| {
        let schema = schema_of_folder(path);
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let sources = Sources::single(path.file_name().unwrap_or_default().to_string_lossy(), text);
        let checked = check(&schema, &sources);
        let [query] = checked.queries.as_slice() else { panic!("{}", rendered(&sources, &checked)) };
        assert!(checked.diagnostics.is_empty(), "{}", rendered(&sources, &checked));
        insta::assert_snapshot!(described(&schema, query));
    });
}

/// The functions, views and sequences of a project have the types of their signatures.
#[test]
fn objects_of_the_project_are_known() {
    let (schema, objects) = (schema(), Sources::single("sql/objects.sql", OBJECTS).files);
    insta::glob!("../fixtures", "queries/objects/*.sql", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let sources = Sources::single(path.file_name().unwrap_or_default().to_string_lossy(), text);
        let without = check(&schema, &sources);
        assert!(without.queries.is_empty(), "{} needs no objects", path.display());
        let checked = check_with(&schema, &sources, &objects);
        let [query] = checked.queries.as_slice() else { panic!("{}", rendered(&sources, &checked)) };
        assert!(checked.diagnostics.is_empty(), "{}", rendered(&sources, &checked));
        assert_eq!(query.confinement, Confinement::None);
        insta::assert_snapshot!(described(&schema, query));
    });
}

/// Nothing in a file of objects is a mistake here: what is not a known signature is left out.
#[test]
fn unknown_objects_are_left_out() {
    let schema = schema();
    let files = Sources::single("queries/ids.sql", "SELECT id FROM people");
    for text in [
        "CREATE",
        "CREATE FUNCTION f(",
        "CREATE VIEW v",
        "CREATE VIEW v AS SELECT",
        "'",
        "CREATE VIEW v AS SELECT nothing FROM nowhere",
        ";;",
        "CREATE FUNCTION f(a) RETURNS",
    ] {
        let checked = check_with(&schema, &files, &Sources::single("sql/objects.sql", text).files);
        assert!(checked.diagnostics.is_empty() && checked.queries.len() == 1, "{text}");
    }
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

/// An example of an explanation, about the schema of the exam planning: the first line of each file names it.
pub(crate) fn check_example(example: &str) -> (Sources, Checked) {
    let mut files: Vec<SourceFile> = Vec::new();
    for line in example.split_inclusive('\n') {
        match line.trim_end().strip_prefix("-- ").filter(|path| path.starts_with("queries/")) {
            Some(path) => files.push(SourceFile { path: path.to_owned(), text: line.to_owned() }),
            None => files.last_mut().expect("the first line names a file").text += line,
        }
    }
    let sources = Sources { files, ..Sources::default() };
    let schema = compile(&Sources::single("schema.dsl", include_str!("../../../tests/plain/schema.dsl")))
        .schema
        .expect("is valid");
    let checked = check(&schema, &sources);
    (sources, checked)
}

/// The files of a folder are seen together, and their order has no effect.
#[test]
fn two_files_are_not_one_function() {
    let file = |path: &str| SourceFile { path: path.to_owned(), text: "SELECT 1 AS one".to_owned() };
    let files = vec![file("queries/getOne.sql"), file("queries/get_one.sql"), file("queries/b.sql")];
    let reversed = files.iter().rev().cloned().collect();
    for files in [files, reversed] {
        let sources = Sources { files, ..Sources::default() };
        let checked = check(&schema(), &sources);
        let names: Vec<_> = checked.queries.iter().map(|it| (it.name.as_str(), it.row_name.as_str())).collect();
        assert_eq!(names, [("b", "B"), ("get_one", "GetOne"), ("get_one_", "GetOne_")]);
        let codes: Vec<_> = checked.diagnostics.iter().map(|known| known.code).collect();
        assert_eq!(codes, ["R1018"], "{}", rendered(&sources, &checked));
    }
}

/// A text is checked, in a thread with a small stack.
fn survives(schema: &Schema, text: &str) -> Checked {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let thread = thread.spawn_scoped(scope, || properties::check_query(schema, text)).expect("a thread starts");
        thread.join().unwrap_or_else(|_| panic!("a panic at {:.200}", text))
    })
}

/// Whatever part of a query is missing, the compiler says so instead of failing itself.
#[test]
fn any_part_of_a_query_can_be_missing() {
    let schema = schema();
    insta::glob!("../fixtures", "queries/*/*.sql", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let cuts: Vec<usize> = (0..text.len()).step_by(11).filter(|at| text.is_char_boundary(*at)).collect();
        for (from, to) in cuts.iter().zip(cuts.iter().skip(2)) {
            survives(&schema, &text[..*from]);
            survives(&schema, &text[*from..]);
            survives(&schema, &format!("{}{}", &text[..*from], &text[*to..]));
        }
    });
}

/// Neither depth nor length overflows the stack, or takes more than its share of memory.
#[test]
fn hostile_queries_are_refused_in_time() {
    let schema = schema();
    let deep = |open: &str, inner: &str, close: &str, times: usize| {
        format!("SELECT {}{inner}{} AS x FROM people", open.repeat(times), close.repeat(times))
    };
    for times in [10, 24, 40, 5_000] {
        for (open, inner, close) in [
            ("(", "id", ")"),
            ("(SELECT ", "id", ")"),
            ("coalesce(", "score", ", 1)"),
            ("CASE WHEN true THEN ", "id", " END"),
            ("NOT ", "active", ""),
            ("- ", "id", ""),
            ("ARRAY[", "id", "]"),
            ("(1 + ", "id", ")"),
            ("((SELECT 1) + ", "id", ")"),
            ("EXISTS (SELECT 1 FROM people WHERE ", "active", ")"),
            ("(SELECT max(x) FROM (SELECT ", "id AS x", " AS x) AS q)"),
            ("(WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n FROM r) SELECT ", "1", ")"),
            ("id IN (SELECT id FROM people WHERE ", "active", ")"),
        ] {
            survives(&schema, &deep(open, inner, close, times));
        }
        survives(&schema, &format!("SELECT id{} AS x FROM people", "::text".repeat(times)));
        survives(&schema, &format!("SELECT id{} AS x FROM people", " IS NULL".repeat(times)));
        survives(&schema, &format!("SELECT tags{} AS x FROM people", "[1]".repeat(times)));
        survives(&schema, &format!("{}SELECT 1 AS x{}", "(".repeat(times), ")".repeat(times)));
        survives(&schema, &"SELECT (".repeat(times));
        survives(&schema, &"/*".repeat(times));
    }
    let long = |one: &str| one.repeat(4_000);
    assert_eq!(survives(&schema, &format!("SELECT 1{} AS x", long(" + 1"))).queries.len(), 1);
    assert_eq!(survives(&schema, &format!("SELECT 'a'{} AS x", long(" || 'b'"))).queries.len(), 1);
    assert_eq!(survives(&schema, &format!("SELECT true{} AS x", long(" AND true OR false"))).queries.len(), 1);
    assert_eq!(survives(&schema, &format!("SELECT 1 AS x{}", long(" UNION ALL SELECT 1"))).queries.len(), 1);
    survives(&schema, &format!("SELECT {} 1 AS x", long("nothing, ")));
    survives(&schema, &format!("SELECT 1 AS x FROM people {}", long("JOIN people ON true ")));
    survives(&schema, &format!("SELECT ARRAY[{}1] AS x", long("$1, ")));
    survives(&schema, &format!("SELECT {} AS x", "a".repeat(1 << 20)));
    survives(&schema, &format!("SELECT {}1 AS x", "1, ".repeat(100_000)));
    for odd in [
        "$0",
        "$99999",
        "$1$",
        "'",
        "\"\"",
        "\u{0}",
        "E'\\",
        ":",
        "::",
        "a:b",
        "SELECT ä€ AS x",
        "SELECT 1 AS \"ä\"",
        "@",
        "--",
        "$$",
    ] {
        survives(&schema, odd);
        survives(&schema, &format!("SELECT {odd}"));
        survives(&schema, &format!("-- @param {{{odd}}} {odd}\nSELECT 1 AS x"));
        survives(&schema, &format!("-- @column {{{odd}}} {odd}\nSELECT 1 AS x"));
    }
}

/// A file is confined to a tenant only if every table in it is known to be the tenant's, or shared.
#[test]
fn what_is_not_known_to_be_a_tenants_is_not_confined() {
    let schema = "
        model School {\n  id Int @id\n  rooms Room[]\n  secrets Secret[] @ignore\n  @@tenant\n}
        model Room {\n  id Int @id @default(autoincrement())\n  schoolId Int\n  school School @relation(fields: [schoolId], \
        references: [id])\n  @@index([schoolId])\n  @@tenant(school)\n}
        model Secret {\n  id Int @id\n  schoolId Int\n  school School @relation(fields: [schoolId], references: [id])\n  \
        @@index([schoolId])\n  @@ignore\n}
        model Country {\n  id Int @id\n}\n";
    let schema = compile(&Sources::single("schema.dsl", schema)).schema.expect("is accepted");
    let confined = |sql: &str| {
        let checked = check(&schema, &Sources::single("queries/q.sql", sql));
        let [query] = checked.queries.as_slice() else { panic!("{sql}: {:?}", checked.diagnostics) };
        query.confinement.clone()
    };
    let room = "(SELECT * FROM \"Room\" AS t0 WHERE t0.\"schoolId\" = $1)";
    let expected = Confinement::Confined(format!("SELECT r.id FROM {room} r"));
    assert_eq!(confined("SELECT r.id FROM \"Room\" r"), expected);
    assert_eq!(confined("SELECT id FROM \"Country\""), Confinement::Shared);
    for sql in [
        "SELECT id FROM \"Secret\"",
        "SELECT r.id FROM \"Room\" r, \"Secret\" s WHERE s.id = r.id",
        "SELECT id FROM ONLY \"Room\"",
        "DELETE FROM \"Secret\"",
        "WITH gone AS (DELETE FROM \"Secret\" RETURNING id) SELECT id FROM gone",
        "INSERT INTO \"Country\" SELECT s.id FROM \"Secret\" s",
        "SELECT public.\"Room\".id FROM public.\"Room\"",
        "SELECT r.id FROM \"Room\" r WHERE r.ctid IS NULL",
        "WITH \"School\" AS (SELECT 1 AS id) SELECT r.id FROM \"Room\" r",
        "-- @column {Int} n\nSELECT own_function(r.id) AS n FROM \"Room\" r",
        "SELECT count(*) AS n FROM pg_class",
        // They tell how much all tenants have, or change what all tenants use.
        "SELECT pg_relation_size('\"Room\"') AS n",
        "SELECT pg_total_relation_size('\"Room\"') AS n",
        "SELECT pg_database_size(current_database()) AS n",
        "SELECT currval('\"Room_id_seq\"') AS n",
        "SELECT r.id, setval('\"Room_id_seq\"', 1) AS n FROM \"Room\" r",
        "SELECT n FROM nextval('\"Room_id_seq\"') AS n",
    ] {
        assert_eq!(confined(sql), Confinement::None, "{sql}");
    }
}

/// A subquery has no primary key, so GROUP BY of a confined file names the columns that the key determines.
#[test]
fn columns_that_a_key_determines_are_named_in_group_by() {
    let schema = "
        model School {\n  id Int @id\n  rooms Room[]\n  @@tenant\n}
        model Room {\n  id Int @id @default(autoincrement())\n  schoolId Int\n  name String\n  plan Json @db.Json\n  \
        at Point?\n  during TstzRange?\n  school School @relation(fields: [schoolId], references: [id])\n  @@index([schoolId])\n  @@tenant(school)\n}\n";
    let schema = compile(&Sources::single("schema.dsl", schema)).schema.expect("is accepted");
    let confined = |sql: &str| {
        let checked = check(&schema, &Sources::single("queries/q.sql", sql));
        let [query] = checked.queries.as_slice() else { panic!("{sql}: {:?}", checked.diagnostics) };
        query.confinement.clone()
    };
    let room = "(SELECT * FROM \"Room\" AS t0 WHERE t0.\"schoolId\" = $1)";
    for (sql, expected) in [
        // The key determines the name.
        ("SELECT r.name FROM {} r GROUP BY r.id", "SELECT r.name FROM {} r GROUP BY r.id, \"r\".\"name\""),
        ("SELECT id, name FROM {} r GROUP BY 1", "SELECT id, name FROM {} r GROUP BY 1, \"r\".\"name\""),
        (
            "SELECT r.name FROM {} r GROUP BY r.id, ROLLUP (r.name)",
            "SELECT r.name FROM {} r GROUP BY r.id, \"r\".\"name\", ROLLUP (r.name)",
        ),
        ("SELECT r.during FROM {} r GROUP BY r.id", "SELECT r.during FROM {} r GROUP BY r.id, \"r\".\"during\""),
        // Nothing is determined.
        ("SELECT r.name, count(*) FROM {} r GROUP BY r.name", "SELECT r.name, count(*) FROM {} r GROUP BY r.name"),
        ("SELECT count(r.plan) FROM {} r GROUP BY r.name", "SELECT count(r.plan) FROM {} r GROUP BY r.name"),
    ] {
        let expected = Confinement::Confined(expected.replace("{}", room));
        assert_eq!(confined(&sql.replace("{}", "\"Room\"")), expected, "{sql}");
    }
    // GROUP BY accepts neither a value of json, nor a point, nor a row.
    for sql in [
        "SELECT r.plan FROM {} r GROUP BY r.id",
        "SELECT r.at FROM {} r GROUP BY r.id",
        "SELECT to_jsonb(r) FROM {} r GROUP BY r.id",
    ] {
        assert_eq!(confined(&sql.replace("{}", "\"Room\"")), Confinement::None, "{sql}");
    }
}

/// What the client of one tenant sends.
#[test]
fn files_that_write_are_confined_too() {
    let compiled = compile(&Sources::single("tenants.dsl", include_str!("../fixtures/queries/tenants.dsl")));
    let schema = compiled.schema.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    insta::glob!("../fixtures", "queries/tenants/*.sql", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is UTF-8");
        let sources = Sources::single(path.file_name().unwrap_or_default().to_string_lossy(), text);
        let checked = check(&schema, &sources);
        let [query] = checked.queries.as_slice() else { panic!("{}", rendered(&sources, &checked)) };
        let sent = match &query.confinement {
            Confinement::None => "is not confined\n".to_owned(),
            Confinement::Shared => "is of all tenants\n".to_owned(),
            Confinement::Confined(sql) if query.only_for_tenants => format!("only for a tenant:\n{sql}\n"),
            Confinement::Confined(sql) => format!("for a tenant:\n{sql}\n"),
        };
        insta::assert_snapshot!(format!("{sent}{}", rendered(&sources, &checked)));
    });
}
