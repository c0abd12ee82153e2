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
            .says("127.0.0.1:1/shop")
            .says("is the server running")
            .says("the URL is that of --url")
            .hides("hunter2");
    }
}

/// The end of a password that is not escaped passes for a host, a scheme or an option.
#[test]
fn a_url_whose_password_is_not_escaped() {
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    for url in [
        "postgresql://me:s3cret@hunter2@127.0.0.1:1/shop",
        "postgresql://me:s3cret/hunter2@127.0.0.1:port/shop",
        "mysql://me:s3cret=hunter2@127.0.0.1/shop",
        "postgresql:/me:hunter2@127.0.0.1/shop",
        "postgresql://me@127.0.0.1/shop?password=s3cret&hunter2&x=y",
        "host=127.0.0.1 password=s3cret hunter2=x",
    ] {
        project
            .run(&["migrate", "status", "--url", url])
            .exits(1)
            .says("--url: the connection string is wrong")
            .says("%40")
            .hides("hunter2")
            .hides("s3cret");
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
        output.exits(1).says("check user and password");
    }
}

#[test]
fn a_database_or_schema_that_does_not_exist() {
    let database = database("nowhere");
    let project = Project::new();
    project.migration("1_one", "SELECT 1");
    let (server, query_of_url) = database.url().split_at(database.url().rfind(database.name()).expect("is in the URL"));
    let url = format!("{server}no_such_database{}", &query_of_url[database.name().len()..]);
    project.run(&["migrate", "deploy", "--url", &url]).exits(1).says("no_such_database").says("create it first");
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}schema=no_such_schema", database.url());
    project.run(&["migrate", "deploy", "--url", &url]).exits(1).says("no_such_schema").says("CREATE SCHEMA");
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
    project.run(&["migrate", "deploy"]).exits(1).says("no database is configured").says("DATABASE_URL");
    project
        .run(&["migrate", "deploy", "--url", "hunter2"])
        .exits(1)
        .says("--url: the connection string is wrong")
        .hides("hunter2");
    project
        .run(&["migrate", "deploy", "--url", "postgres://u:hunter2@host:port/db"])
        .exits(1)
        .says("in a password, write % as %25")
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
    project.deploy(&database).exits(1).says("migrations is a file, not a migrations folder");
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
fn schemas_that_cannot_be_read() {
    let project = Project::new();
    project.run(&["check"]).exits(1).says("neither schema.dsl nor schema.prisma").says("codegen init");
    project.run(&["check", "nowhere.dsl"]).exits(1).says("cannot read nowhere.dsl").says("codegen init");
    project.write("empty/readme.md", "");
    project.run(&["check", "empty"]).exits(1).says("contains no .dsl or .prisma file");
    project.write("schema.dsl", b"model A {\n  id Int @id // \xff\n}\n");
    project.run(&["check"]).exits(1).says("byte 26 is not UTF-8");
    project.write("schema.dsl", "\n  \n");
    project.run(&["check"]).exits(1).says("the schema declares nothing");
    project.run(&["generate"]).exits(1);
    project.run(&["migrate", "dev", "--name", "x", "--create-only"]).exits(1);
    project.run(&["migrate-diff", "--from-empty", "--to-schema", "schema.dsl", "--out", "x.sql"]).exits(1);
    assert_eq!(project.list("."), ["empty", "schema.dsl"]);
}

#[test]
fn every_mistake_of_a_schema_is_reported_with_its_place() {
    let project = Project::new();
    project.write("schema.dsl", "model A {\n  id Itn @id\n  b Strin\n}\n");
    project
        .run(&["check"])
        .exits(1)
        .says("schema.dsl:2:6")
        .says("schema.dsl:3:5")
        .says("did you mean `Int`?")
        .says("2 errors; `codegen explain CODE` explains a code");
    let json = project.run(&["check", "--json"]).exits(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    let code = json["diagnostics"][0]["code"].as_str().expect("a code");
    project.run(&["explain", code]).exits(0).says(code).says("Instead:");
    project.run(&["explain", "R9999"]).exits(1).says("there is no code R9999");
}

#[test]
fn places_that_cannot_be_written() {
    let project = Project::new();
    project.run(&["init"]).exits(0);
    project.run(&["init"]).exits(1).says("schema.dsl exists already");
    project.write("file", "kept");
    project.write("folder/kept", "kept");
    let diff = ["migrate-diff", "--from-empty", "--to-schema", "schema.dsl", "--out"];
    let diff_to = |out| project.run(&[diff.as_slice(), &[out]].concat());
    diff_to("folder").exits(1).says("folder is a folder, not a file");
    diff_to("file/x.sql").exits(1).says("cannot write file/x.sql");
    project.run(&["generate", "--out", "file"]).exits(1).says("file");
    let dev = ["migrate", "dev", "--create-only", "--name", "x", "--migrations"];
    project.run(&[dev.as_slice(), &["file"]].concat()).exits(1).says("file is a file, not a migrations folder");
    assert_eq!(project.read("file"), "kept");
    assert_eq!(project.list("."), ["file", "folder", "schema.dsl"]);
    assert_eq!(project.list("folder"), ["kept"]);
}

#[test]
fn a_wrong_command_line() {
    let project = Project::new();
    project.run(&[]).exits(64);
    project.run(&["frobnicate"]).exits(64);
    project.run(&["migrate", "deploy", "--lock-wait", "soon"]).exits(64);
    project.run(&["migrate-diff", "--from-empty"]).exits(64).says("--to-schema");
    project.run(&["migrate-diff", "--from-empty", "--from-schema", "x", "--to-empty"]).exits(64);
    project
        .run(&["migrate-diff", "--from-empty", "--to-empty", "--rename", "nothing"])
        .exits(64)
        .says("expected OLD:NEW");
    project.run(&["migrate", "dev", "--name", "../.."]).exits(64).says("contains no letter or digit");
    project.run(&["--help"]).exits(0).says("Exit codes");
    project.run(&["--version"]).exits(0);
}
