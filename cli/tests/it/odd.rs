//! Databases with every kind of object that PostgreSQL has, under odd names, chosen by a seed.
//!
//! Each is pulled. The schema must be one that `check` and `generate` take, from which the database does not differ, and
//! with which a fresh database can be made; and whatever it does not say must be named by a warning.

mod columns;
mod indexes;
mod names;
mod objects;
mod sketch;
mod tables;

use relata_devdb::Feature;
use sketch::{Sketch, sketch};

use crate::support::{Project, database, query, server};

/// Databases that a usual run of the tests makes; `scripts/odd-databases` makes more.
const CASES: u64 = 4;

/// Control characters are spaces in what is told.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_a_database_holds_is_pulled_or_told() {
    if server().skips_without(&[Feature::Extensions, Feature::Xml, Feature::Roles]) {
        return;
    }
    let version = query(&database("odd_version"), "SHOW server_version_num");
    let version = version.first().and_then(|version| version.parse().ok()).expect("a version");
    let first = setting("RELATA_ODD_SEED").unwrap_or(0);
    for seed in first..first + setting("RELATA_ODD_CASES").unwrap_or(CASES) {
        eprintln!("seed {seed}");
        try_one(seed, &sketch(seed, version));
    }
}

fn try_one(seed: u64, sketch: &Sketch) {
    let (project, live, fresh) = (Project::new(), database("odd"), database("odd_fresh"));
    query(&live, &sketch.sql);
    let url = ["--url", live.url()];
    let pulled = project.run(&[&["db", "pull", "--with-sql", "extra.sql"], &url[..]].concat());
    assert_eq!(pulled.code, 0, "{}\n{}", sketch.sql, pulled.stderr);
    // The repair after pulling is for objects that introspection does not expect.
    assert!(!pulled.stderr.contains("the compiler rejects"), "{}\n{}", sketch.sql, pulled.stderr);
    let schema = project.read("schema.dsl");
    let told = plain(&pulled.stderr);
    let unquoted =
        |name: &str| plain(name).trim_matches('"').replace("\".\"", ".").replace("\".", ".").replace(".\"", ".");
    for name in &sketch.told {
        let is_told = told.contains(&plain(name)) || told.replace('"', "").contains(&unquoted(name).replace('"', ""));
        assert!(is_told, "nothing is said of {name}\n{}\n{}", sketch.sql, pulled.stderr);
    }
    let context = |what: &str| format!("{what}\n{}\n{schema}", sketch.sql);
    let run = |args: &[&str], what: &str| {
        let output = project.run(args);
        assert_eq!(output.code, 0, "{}\n{}{}", context(what), output.stdout, output.stderr);
        output
    };
    run(&["check"], "check");
    run(&["generate"], "generate");
    if let Ok(folder) = std::env::var("RELATA_ODD_OUT") {
        let out = format!("{folder}/client_{seed}");
        run(&["generate", "--out", &out], "generate");
    }
    run(&["migrate-diff", "--from-url", live.url(), "--to-schema", "schema.dsl", "--exit-code"], "from the database");
    run(&[&["db", "pull"], &url[..]].concat(), "again").says("already");

    // A next step touches nothing else.
    let first = schema.find("\nmodel ").and_then(|at| Some(at + schema[at..].find("{\n")? + 2));
    let next = first.map_or_else(|| schema.clone(), |at| format!("{}  zz_next Int?\n{}", &schema[..at], &schema[at..]));
    if next != schema {
        project.write("next.dsl", next);
        let plan = run(&["migrate-diff", "--from-url", live.url(), "--to-schema", "next.dsl"], "a next step").stdout;
        let statements: Vec<&str> =
            plan.lines().filter(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty()).collect();
        assert!(
            statements.join(" ").matches(';').count() == 1 && plan.contains("zz_next"),
            "{}\n{plan}",
            context("a next step")
        );
    }

    // A database of its own.
    let made = ["--url", fresh.url()];
    run(&[&["db", "execute", "extra.sql"], &made[..]].concat(), &project.read("extra.sql"));
    run(&[&["db", "push"], &made[..]].concat(), "push");
    run(&["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"], "from a fresh one");
    if project.path("extra.after.sql").exists() {
        run(&[&["db", "execute", "extra.after.sql"], &made[..]].concat(), &project.read("extra.after.sql"));
        run(&["migrate-diff", "--from-url", fresh.url(), "--to-schema", "schema.dsl", "--exit-code"], "after the rest");
    }
}
