//! `migrate deploy --schemas`: a schema for each tenant.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

const FIRST: &str = "CREATE TABLE note (id int PRIMARY KEY, text text NOT NULL);";

fn deploy(project: &Project, database: &TestDatabase, more: &[&str]) -> Output {
    project.run(&[&["migrate", "deploy", "--url", database.url()], more].concat())
}

fn tables(database: &TestDatabase, name: &str) -> Vec<String> {
    query(
        database,
        &format!(
            "SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = '{name}' ORDER BY 1"
        ),
    )
}

#[test]
fn each_schema_has_its_tables_and_its_history() {
    let (project, database) = (Project::new(), database("schemas"));
    project.migration("20260101000000_first", FIRST);
    let schemas = ["--schemas", "north,\"So\"uth,West"];
    // The quotes belong to a name.
    let names = ["\"So\"uth", "West", "north"];
    deploy(&project, &database, &schemas)
        .exits(1)
        .says("there is no schema north; nothing was changed")
        .says("--create-schemas");
    let created =
        deploy(&project, &database, &[&schemas[..], &["--create-schemas", "--parallel", "2"]].concat()).exits(0);
    created.says("north: applied 1 migration").says("West: applied 1 migration").says("3 of 3 schemas changed");
    assert_eq!(tables(&database, "note"), names);
    assert_eq!(tables(&database, "_relata_migrations"), names);

    project.migration("20260102000000_second", "ALTER TABLE note ADD COLUMN author text;");
    deploy(&project, &database, &["--schemas", "n*h"]).exits(0).says("1 of 1 schema changed");
    deploy(&project, &database, &["--schemas", "*o*h,West"]).exits(0).says("2 of 3 schemas changed, up to date: 1");
    deploy(&project, &database, &["--schemas", "tenant_*"]).exits(1).says("no schema matches tenant_*");
    assert_eq!(query(&database, "SELECT count(*) FROM pg_attribute WHERE attname = 'author'"), ["3"]);
    assert_eq!(tables(&database, "note"), names);
}

#[test]
fn a_failure_stops_what_has_not_begun_and_the_next_deploy_goes_on() {
    let (project, database) = (Project::new(), database("schemas_failure"));
    project.migration("20260101000000_first", FIRST);
    let all = ["--schemas", "a,b,c,d", "--create-schemas", "--parallel", "1"];
    deploy(&project, &database, &all).exits(0);
    query(&database, "INSERT INTO b.note VALUES (1, 'x'), (2, 'x')");
    project.migration("20260102000000_unique", "CREATE UNIQUE INDEX note_text ON note (text);");
    let failed = deploy(&project, &database, &all).exits(1).says("a: applied 1 migration").says("b: error: ");
    failed.says("SQLSTATE 23505").says("failed in b; not begun: c, d").says("schemas that are done are skipped");
    assert_eq!(tables(&database, "note_text"), ["a"]);
    query(&database, "DELETE FROM b.note WHERE id = 2");
    let done = deploy(&project, &database, &all).exits(0).says("a: up to date").says("3 of 4 schemas changed");
    done.says("up to date: 1");
    assert_eq!(tables(&database, "note_text"), ["a", "b", "c", "d"]);
}

/// Extensions are in one schema, behind that of each tenant.
#[test]
fn shared_schemas_are_on_the_search_path() {
    let (project, database) = (Project::new(), database("schemas_shared"));
    query(&database, "CREATE SCHEMA shared; CREATE DOMAIN shared.email AS text CHECK (VALUE LIKE '%@%')");
    project.migration("20260101000000_first", "CREATE TABLE person (email email NOT NULL);");
    let all = ["--schemas", "a,b", "--create-schemas"];
    deploy(&project, &database, &all).exits(1).says("type \"email\" does not exist");
    deploy(&project, &database, &[&all[..], &["--shared-schemas", "other"]].concat())
        .exits(1)
        .says("there is no schema other");
    deploy(&project, &database, &[&all[..], &["--shared-schemas", "shared"]].concat()).exits(0).says("2 of 2");
    assert_eq!(tables(&database, "person"), ["a", "b"]);
    assert!(tables(&database, "_relata_migrations").iter().all(|schema| schema != "shared"));
}
