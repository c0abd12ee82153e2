//! `codegen.toml`: where the things of a project are.

use crate::support::{Project, database, query};

const SCHEMA: &str = "model User {\n  id Int @id\n}\n";

#[test]
fn schema_client_and_migrations_are_where_the_file_says() {
    let database = database("settings");
    let project = Project::new();
    project
        .write("codegen.toml", "schema = \"db/schema.prisma\"\nout = \"src/client\"\nmigrations = \"db/migrations\"\n");
    project.write("db/schema.prisma", SCHEMA);
    project.run(&["check"]).exits(0).says("db/schema.prisma is valid");
    project.run(&["generate"]).exits(0);
    assert!(project.list("src/client").contains(&"user.rs".to_owned()));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    assert_eq!(project.list("db/migrations").len(), 1);
    project.run(&["migrate", "status", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM \"User\""), ["0"]);
    // The command line comes first, and what the file says is the default that the help shows.
    project.run(&["check", "elsewhere.dsl"]).exits(1).says("cannot read elsewhere.dsl");
    project.run(&["migrate", "status", "--migrations", "none", "--url", database.url()]).exits(1).says("folder none");
    project.run(&["migrate", "deploy", "--help"]).exits(0).says("[default: db/migrations]");
    assert_eq!(project.list("."), ["codegen.toml", "db", "src"]);
}

#[test]
fn the_file_of_a_folder_above_counts_from_where_it_is() {
    let project = Project::new();
    project.write("codegen.toml", "schema = \"db\"\n");
    project.write("db/user.dsl", SCHEMA);
    project.write("src/lib.rs", "");
    project.run_in("src", &["check"]).exits(0).says("../db is valid");
    // The nearest one counts, and it alone.
    project.write("src/codegen.toml", "out = \"client\"\n");
    project.run_in("src", &["check"]).exits(1).says("neither schema.dsl nor schema.prisma");
}

#[test]
fn migrations_inside_the_folder_of_the_schema_are_not_part_of_it() {
    let project = Project::new();
    project.write("codegen.toml", "schema = \"prisma\"\nmigrations = \"prisma/migrations\"\n");
    project.write("prisma/models/user.prisma", SCHEMA);
    let dev = ["migrate", "dev", "--create-only", "--name", "init"];
    project.run(&dev).exits(0);
    assert_eq!(project.list("prisma/migrations").len(), 1);
    project.run(&["check"]).exits(0).says("prisma is valid: 1 model");
    project.run(&dev).exits(0).says("equals the snapshot of the last migration");
}

#[test]
fn what_the_file_cannot_say_is_refused() {
    let project = Project::new();
    project.write("schema.dsl", SCHEMA);
    project.write("codegen.toml", "schema = \"schema.dsl\"\nshadow = \"x\"\n");
    project
        .run(&["check"])
        .exits(1)
        .says("codegen.toml")
        .says("line 2")
        .says("`schema`, `out`, `migrations` and `queries`, each a path");
    project.run(&["check", "--help"]).exits(0);
    project.write("codegen.toml", b"\xff");
    project.run(&["check"]).exits(1).says("cannot read codegen.toml");
    project.write("codegen.toml", "schema = \"gone.dsl\"\n");
    project.run(&["check"]).exits(1).says("cannot read gone.dsl");
}

#[test]
fn a_schema_where_prisma_has_it_is_named_in_the_help() {
    let project = Project::new();
    project.write("prisma/schema.prisma", SCHEMA);
    project.run(&["check"]).exits(1).says("schema = \"prisma/schema.prisma\"");
    project.run(&["check", "prisma/schema.prisma"]).exits(0);
}
