//! The schemas in the book are accepted, and its diagnostics are what the compiler says.

use std::path::Path;

use relata_codegen::compile;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{DiffOptions, Intent, Pair, Side, State, diff, lower, plan, render};
use relata_devdb::DevDb;

use crate::postgres::Database;
use crate::queries::check_example;
use relata_codegen::diagnostics::{CODES, Code, SourceFile, Sources, render_plain};

const SCHEMA_PAGE: &str = include_str!("../../../docs/schema.md");

fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_schemas_of_the_book_are_accepted() {
    let blocks = [blocks(SCHEMA_PAGE, "prisma"), blocks(include_str!("../../../docs/tenants.md"), "prisma")].concat();
    assert!(blocks.len() > 2);
    for block in blocks {
        let sources = Sources::single("schema.dsl", block);
        let compiled = compile(&sources);
        let text: String = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect();
        assert!(compiled.diagnostics.is_empty(), "{text}");
    }
}

/// The blocks of code of a page with their languages, in order.
fn fenced(page: &str) -> Vec<(&str, &str)> {
    let pieces = page.split("```").skip(1).step_by(2);
    pieces.filter_map(|piece| piece.split_once('\n')).collect()
}

/// `objects` is the text of a file of `sql`.
fn lowered(schema: &str, objects: Option<&str>) -> (Schema, State) {
    let mut sources = Sources::single("schema.dsl", schema);
    sources.objects.extend(objects.map(|text| SourceFile { path: "sql/a.sql".to_owned(), text: text.to_owned() }));
    let schema = compile(&sources).schema.expect("is accepted by another test");
    let state = lower(&schema);
    (schema, state)
}

/// PostgreSQL takes the SQL of the book. A block of it is what the schema before it leads to; one called a migration, what leads there from the schema
/// before that. Comments and the rest of a statement may be left out. A block that begins with the path of a file of `sql` belongs to
/// the schema before it.
#[test]
fn the_sql_of_the_book_is_what_its_schemas_lead_to() {
    let server = DevDb::start().expect("there is a PostgreSQL");
    let blocks = fenced(SCHEMA_PAGE);
    let mut checked = 0;
    for (at, (language, block)) in blocks.iter().enumerate().filter(|(_, (language, _))| language.starts_with("sql")) {
        let (next, next_state) = lowered(blocks[at - 1].1, block.starts_with("-- sql/").then_some(*block));
        let (previous, previous_state) = match language.contains("migration") {
            true => {
                let (schema, state) = lowered(blocks[at - 2].1, None);
                (Some(schema), state)
            }
            false => (None, State::default()),
        };
        let intents = (previous.as_ref().map(Intent::of), Intent::of(&next));
        let pair = Pair {
            previous: Side { state: &previous_state, intent: intents.0.as_ref() },
            next: Side { state: &next_state, intent: Some(&intents.1) },
        };
        let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("the attributes answer")));
        for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with("-- sql/")) {
            assert!(sql.contains(line), "`{line}` is not in\n{sql}");
        }
        let database = Database::create(&server);
        let before = Pair { previous: Side { state: &State::default(), intent: None }, next: pair.previous };
        let before = render(&plan(diff(before, &DiffOptions::default()).expect("nothing is renamed")));
        database
            .migrate(&before)
            .and_then(|()| database.migrate(&sql))
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
        checked += 1;
    }
    assert!(checked >= 4, "{checked} blocks of SQL");
}

/// A page per code: the explanation, and what the compiler says of its first example.
fn code_page(code: &Code) -> String {
    let example = code.examples().next().expect("an explanation has an example");
    let (sources, diagnostics) = match code.is_about_queries() {
        true => {
            let (sources, checked) = check_example(example);
            (sources, checked.diagnostics)
        }
        false => {
            let sources = Sources::single("schema.dsl", example);
            let compiled = compile(&sources);
            (sources, compiled.diagnostics)
        }
    };
    let said: Vec<_> = diagnostics.iter().map(|known| render_plain(known, &sources)).collect();
    let said = match code.is_of_databases() {
        true => "```\n".to_owned(),
        false => format!("```\n\nThe compiler says:\n\n```text\n{}```\n", said.join("\n")),
    };
    let fence = if code.is_about_queries() { "```sql\n" } else { "```dsl\n" };
    let end = code.explanation.find(fence).map_or(0, |start| start + 7 + example.len());
    let (before, after) = code.explanation.split_at(end);
    let after = after.strip_prefix("```\n").unwrap_or(after);
    format!("# {} ({}): {}\n\n{before}{said}{after}", code.code, code.severity.name(), code.title)
}

/// The list of all pages, in groups by the second digit of their codes.
fn code_index() -> String {
    let mut page =
        "# Diagnostics\n\nWhat the compiler says of a schema and of the queries beside it, by code. `codegen explain CODE` prints the same \
        pages.\n"
            .to_owned();
    let mut last = "";
    for code in CODES {
        let group = &code.code[..3];
        if group != last {
            let (_, title) = GROUPS.iter().find(|(digits, _)| *digits == group).expect("a group of codes has a title");
            page += &format!("\n## {title}\n\n| code | | what it is about |\n|---|---|---|\n");
            last = group;
        }
        page += &format!("| [{0}]({0}.md) | {1} | {2} |\n", code.code, code.severity.name(), code.title);
    }
    page
}

const GROUPS: [(&str, &str); 15] = [
    ("R01", "What is written"),
    ("R02", "Names"),
    ("R03", "Types"),
    ("R04", "Attributes and their arguments"),
    ("R05", "Defaults"),
    ("R06", "Keys and indexes"),
    ("R07", "Relations"),
    ("R08", "Datasource and generator"),
    ("R09", "Tenants"),
    ("R10", "Queries"),
    ("R11", "Citus"),
    ("R12", "Views"),
    ("R13", "Functions, triggers and policies"),
    ("R14", "Soft deletes"),
    ("R15", "Recorded changes"),
];

/// `docs/codes` is made here: `just snap` writes it.
#[test]
fn every_code_has_its_page_in_the_book() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/codes");
    let mut pages: Vec<_> = CODES.iter().map(|code| (format!("{}.md", code.code), code_page(code))).collect();
    pages.push(("README.md".to_owned(), code_index()));
    let update = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    for (name, text) in &pages {
        let path = folder.join(name);
        if update {
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text)).expect("the book is written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, *text, "docs/codes/{name} is old: INSTA_UPDATE=always writes it anew");
    }
    let there = std::fs::read_dir(&folder).expect("the folder is there").count();
    assert_eq!(there, pages.len(), "docs/codes has pages that are no code's");
}

#[test]
fn the_diagnostic_of_the_book_is_real() {
    let sources = Sources::single("schema.dsl", "model Article {\n  title Strin\n  id Int @id\n}\n");
    let compiled = compile(&sources);
    let rendered = compiled.diagnostics.iter().map(|known| render_plain(known, &sources)).collect::<String>();
    assert_eq!(blocks(SCHEMA_PAGE, "text"), [rendered]);
}

#[test]
fn the_readme_and_every_manifest_name_one_rust_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect("is read");
    let version_of = |manifest: &str| {
        let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    let version = version_of(&read("Cargo.toml")).expect("the workspace names one");
    assert!(read("README.md").contains(&format!("A Rust toolchain ({version} or later)")));
    assert_eq!(version_of(&read("devdb/embedded/Cargo.toml")).as_ref(), Some(&version));
    for member in ["benches", "cli", "codegen", "derive", "devdb", "runtime"] {
        let manifest = read(&format!("{member}/Cargo.toml"));
        assert!(manifest.contains("rust-version.workspace = true"), "{member} has a version of its own");
    }
}
