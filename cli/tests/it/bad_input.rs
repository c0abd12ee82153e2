//! Input that cannot work: a clear message, an exit code, nothing half-written, no password.

use crate::support::{Project, database, query};

#[test]
fn a_server_that_is_not_there() {
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    for command in ["deploy", "status", "reset"] {
        project
            .run(&["migrate", command, "--url", "postgres://me:hunter2@127.0.0.1:1/shop"])
            .exits(1)
            .says("cannot connect to shop at 127.0.0.1:1")
            .says("check that the server runs")
            .hides("hunter2");
    }
}

#[test]
fn a_wrong_password() {
    let database = database("password");
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    let (before, after) = database.url().split_once('@').expect("a URL with a user");
    let user = before.split("://").nth(1).and_then(|user| user.split(':').next()).expect("a user");
    let url = format!("postgres://{user}:hunter2@{after}");
    let output = project.run(&["migrate", "deploy", "--url", &url]).hides("hunter2");
    // A server may let everybody in from this machine; one that asks for a password has to be obeyed.
    if output.code != 0 {
        output.exits(1).says("password").says("in --url");
    }
}

#[test]
fn a_database_or_schema_that_does_not_exist() {
    let database = database("nowhere");
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    let url = database.url().replace(database.name(), "no_such_database");
    project.run(&["migrate", "deploy", "--url", &url]).exits(1).says("createdb no_such_database");
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}schema=no_such_schema", database.url());
    project.run(&["migrate", "deploy", "--url", &url]).exits(1).says("CREATE SCHEMA \"no_such_schema\"");
    query(&database, "CREATE SCHEMA no_such_schema");
    project.run(&["migrate", "deploy", "--url", &url]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM no_such_schema._relata_migrations"), ["1"]);
    query(&database, "DROP SCHEMA no_such_schema CASCADE; DROP SCHEMA public CASCADE");
    project.deploy(&database).exits(1).says("none of the schemas in the search path").says("CREATE SCHEMA");
}

#[test]
fn no_database_was_named_or_the_name_makes_no_sense() {
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    project.run(&["migrate", "deploy"]).exits(1).says("no database was named").says("DATABASE_URL");
    project.run(&["migrate", "deploy", "--url", "hunter2"]).exits(1).says("--url is not a URL").hides("hunter2");
    project
        .run(&["migrate", "deploy", "--url", "postgres://u:hunter2@host:port/db"])
        .exits(1)
        .says("write % / @ : in a password as")
        .hides("hunter2");
    project.write(".env", "DATABASE_URL postgres://u:hunter2@host/db\n");
    project.run(&["migrate", "deploy"]).exits(1).says(".env has a line that is not KEY=value").hides("hunter2");
}

#[test]
fn folders_of_migrations_that_are_none() {
    let database = database("folders");
    let project = Project::new();
    project.deploy(&database).exits(1).says("there is no folder migrations").says("codegen migrate dev");
    project.write("migrations", "a file");
    project.deploy(&database).exits(1).says("migrations is a file, not a folder");
    std::fs::remove_file(project.path("migrations")).expect("removed");
    project.write("migrations/1_one/notes.txt", "no sql");
    project.deploy(&database).exits(1).says("1_one has no migration.sql");
    project.write("migrations/1_one/migration.sql", b"SELECT '\xff';");
    project.deploy(&database).exits(1).says("is not UTF-8 (byte 8)");
    project.migration("1_one", "SELECT 1;\nSELECT 'open;\n");
    project.deploy(&database).exits(1).says("line 2: this string is never closed");
    assert_eq!(query(&database, "SELECT to_regclass('_relata_migrations') IS NULL"), ["t"]);
    project.migration("1_one", "-- nothing yet\n");
    project.deploy(&database).exits(0);
}

#[test]
fn a_wrong_command_line() {
    let project = Project::new();
    project.run(&[]).exits(64);
    project.run(&["frobnicate"]).exits(64);
    project.run(&["migrate", "deploy", "--lock-wait", "soon"]).exits(64);
    project.run(&["--help"]).exits(0).says("Exit codes");
    project.run(&["--version"]).exits(0);
}
