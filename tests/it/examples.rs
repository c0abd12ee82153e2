//! The programs in `examples/` run and print the expected output.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use relata::testing::MigratedDatabases;

/// Returns the output of an example without the first line, which names the server.
fn printed_by(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", name, "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let printed = String::from_utf8(output.stdout).expect("is text");
    assert!(output.status.success(), "{name}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    printed.trim_end().split_once('\n').expect("has lines").1.to_owned()
}

fn assert_holds(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(printed.contains(line), "{line:?} is not in:\n{printed}");
    }
}

#[test]
fn the_quickstart_prints_what_the_readme_shows() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```text\ndatabase ").nth(1).and_then(|rest| rest.split("\n```").next());
    let shown = shown.expect("the README shows the output").split_once('\n').expect("has lines").1;
    assert_eq!(shown.trim_end(), printed_by("quickstart", &[]));
}

#[test]
fn the_web_service_answers_each_tenant() {
    let printed = printed_by("web", &["--check"]);
    assert_holds(&printed, &["\"student7@north.edu\" class of 2027, exams: 1", "and then", "\"student1@south.edu\""]);
    assert_holds(
        &printed,
        &["200 {\"email\":\"student7@north.edu\"", "404 {\"error\":\"no Student", "409 {\"error\":"],
    );
    assert_holds(&printed, &["201 {\"email\":\"new@north.edu\"}", "400 {\"error\":\"this is not a page token\"}"]);
}

#[test]
fn the_bulk_import_imports_all_lines_or_none() {
    let printed = printed_by("bulk_import", &["4500"]);
    assert_holds(&printed, &["4500 of 4500 lines are new", "0 of 4500 lines are new", "nothing is imported"]);
    assert_holds(&printed, &["class of 2026     1125 students", "class of 2029     1125 students"]);
}

#[test]
fn raw_sql_is_read_into_a_struct() {
    let printed = printed_by("raw_sql", &[]);
    assert_holds(&printed, &["1. Ada@north.edu  average Some(90.25) of [88.0, 92.5]", "[(2027, 2), (2028, 1)]"]);
    assert_holds(&printed, &["the best is [\"Ada@north.edu\"], and 1 of 3 students are of 2028"]);
    assert_holds(&printed, &["2 addresses changed, 0 still", "0 users have it as address", "class_year is int4"]);
}

#[test]
fn transactions_conflict_and_are_retried() {
    let printed = printed_by("transactions", &[]);
    assert_holds(&printed, &["3 of 3 booked by 5 visitors", "6 sessions ended by 3 workers, 0 left"]);
    assert_holds(&printed, &["users_institution_id_email_key refused the row", "1 of 3 users are faculty"]);
}

#[test]
fn the_seed_can_run_again() {
    let database = relata_devdb::DevDb::start().expect("starts").migrated("migrations").expect("is migrated");
    let first = printed_by("seed", &[database.url(), "5"]);
    assert_holds(
        &first,
        &["North Medical School: 2 exam types, 6 users; 5 students are new", "South Medical School: 2"],
    );
    let second = printed_by("seed", &[database.url(), "5"]);
    assert_eq!(second, first.replace("5 students are new", "0 students are new"));
    let third = printed_by("seed", &[database.url(), "8"]);
    assert_holds(&third, &["South Medical School: 2 exam types, 9 users; 3 students are new"]);
}

/// Returns the output of an example that needs an extension, unless the server lacks it.
fn printed_with(extension: &str, name: &str, printed: String) -> Option<String> {
    if printed.contains("does not have the extension") {
        relata_devdb::skip(&format!("this PostgreSQL does not have {extension}, which the example {name} needs"));
        return None;
    }
    Some(printed)
}

#[test]
fn the_nearest_articles_are_found() {
    let Some(printed) = printed_with("pgvector", "embeddings", printed_by("embeddings", &[])) else { return };
    let nearest = "0.0017  How the heart beats\n  0.0694  Blood pressure\n  0.7336  Why we sleep";
    assert_holds(&printed, &[nearest, "within 0.1    3 articles", "their mean    [0.45, 0.375, 0.2875]"]);
}

#[test]
fn places_are_found_by_their_distance() {
    let Some(printed) = printed_with("PostGIS", "places", printed_by("places", &[])) else { return };
    assert_holds(&printed, &["483 m  Riquet\n    884 m  Kandler\n    989 m  Telegraph"]);
    assert_holds(&printed, &["in Zentrum    Kandler, Riquet", "around        Zentrum"]);
}

/// Each example has a test above, and is mentioned in the README.
#[test]
fn every_example_is_run_and_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("is read").path());
    let is_example =
        |path: &Path| path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
    let examples = files.filter(|path| is_example(path));
    let examples: BTreeSet<String> =
        examples.map(|path| path.file_stem().expect("has a name").to_string_lossy().into_owned()).collect();
    let (readme, tests) = (include_str!("../../README.md"), include_str!("examples.rs"));
    for example in examples {
        assert!(readme.contains(&format!("`{example}`")), "the README does not name the example {example}");
        assert!(tests.contains(&format!("printed_by(\"{example}\"")), "no test runs the example {example}");
    }
}
