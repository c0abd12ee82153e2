//! `migrate dev`.

use relata_devdb::Feature;

use crate::support::{Project, database, query, server};

fn project() -> Project {
    let project = Project::new();
    project.write("schema.dsl", include_str!("../../../tests/plain/schema.dsl"));
    project
}

#[test]
fn dev_creates_a_timestamped_folder_with_the_snapshot_and_applies_it() {
    let (project, database) = (project(), database("dev"));
    let dev = ["migrate", "dev", "--url", database.url(), "--name"];
    let dev = |name| project.run(&[dev.as_slice(), &[name]].concat());
    dev("add-student-exams").exits(0).says("+ table student_exams").says("applied 1 migration");
    let folders = project.list("migrations");
    let [folder] = folders.as_slice() else { panic!("one migration, not {folders:?}") };
    let (timestamp, name) = folder.split_at(14);
    assert!(timestamp.bytes().all(|byte| byte.is_ascii_digit()), "{folder}");
    assert_eq!(name, "_add_student_exams");
    assert_eq!(project.list(&format!("migrations/{folder}")), ["migration.sql", "schema.dsl"]);
    assert_eq!(project.read(&format!("migrations/{folder}/schema.dsl")), project.read("schema.dsl"));
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = ANY('{institutions,users,sessions,students,exam_types,student_exams}')";
    assert_eq!(query(&database, tables), ["6"]);

    dev("again").exits(0).says("equals the snapshot of the last migration").says("up to date");
    assert_eq!(project.list("migrations").len(), 1);

    let schema = project.read("schema.dsl");
    project.write("schema.dsl", schema.replace("  score       Float?", "  score       Float?\n  room        String?"));
    dev("exams have rooms").exits(0).says("+ column student_exams.room").says("applied 1 migration");
    assert_eq!(project.list("migrations").len(), 2);
    project.status(&database).exits(0);
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
    project.run(&["migrate", "reset", "--force", "--url", database.url()]).exits(0).says("applied 2 migrations");
}

#[test]
fn create_only_writes_and_needs_no_database() {
    let project = project();
    project.run(&["migrate", "dev", "--create-only", "--name", "init"]).exits(0).says("_init/migration.sql");
    project
        .run(&["migrate", "dev", "--create-only", "--name", "more"])
        .exits(0)
        .says("equals the snapshot of the last migration");
    assert_eq!(project.list("migrations").len(), 1);
    let database = database("create_only");
    project.status(&database).exits(2).says("_init");
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0).says("applied 1 migration");
}

#[test]
fn nothing_is_written_when_the_database_cannot_take_it() {
    let (project, database) = (project(), database("dev_refused"));
    let unreachable = "postgres://me:hunter2@127.0.0.1:1/shop";
    project.run(&["migrate", "dev", "--name", "init", "--url", unreachable]).exits(1).hides("hunter2");
    project.run(&["migrate", "dev", "--url", database.url()]).exits(3).says("--name add-student-exams");
    assert!(project.list("migrations").is_empty());

    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    let folder = format!("migrations/{}", project.list("migrations")[0]);
    project.write(&format!("{folder}/migration.sql"), "SELECT 1;");
    let schema = project.read("schema.dsl");
    project.write("schema.dsl", schema.replace("score       Float?", "score       Int?"));
    project
        .run(&["migrate", "dev", "--name", "next", "--url", database.url()])
        .exits(1)
        .says("was edited after it was applied")
        .says("no migration was written");
    assert_eq!(project.list("migrations").len(), 1);
}

#[test]
fn a_migration_that_fails_stays_to_be_corrected() {
    let (project, database) = (project(), database("dev_fails"));
    let dev = ["migrate", "dev", "--url", database.url(), "--name", "x"];
    project.run(&dev).exits(0);
    query(
        &database,
        "INSERT INTO institutions (id, name, slug, updated_at) VALUES (gen_random_uuid(), 'same', 'a', now()), (gen_random_uuid(), 'same', 'b', now())",
    );
    let schema = project.read("schema.dsl");
    project.write("schema.dsl", schema.replace("name      String\n", "name      String     @unique\n"));
    project.run(&dev).exits(1).says("SQLSTATE 23505").says("was rolled back and left nothing");
    assert_eq!(project.list("migrations").len(), 2);
    query(&database, "UPDATE institutions SET name = slug");
    project.run(&dev).exits(0).says("applied 1 migration");
    assert_eq!(project.list("migrations").len(), 2);
}

/// A second migration on top of one that fails would never be reached.
#[test]
fn another_schema_takes_the_place_of_a_migration_that_failed() {
    let (project, database) = (Project::new(), database("dev_corrected"));
    let dev = ["migrate", "dev", "--url", database.url(), "--name", "x"];
    let schema = |name: &str| format!("model T {{\n  id Int @id\n  name String{name}\n}}\n");
    project.write("schema.dsl", schema(""));
    project.run(&dev).exits(0);
    query(&database, "INSERT INTO \"T\" VALUES (1, 'a'), (2, 'a')");
    project.write("schema.dsl", schema(" @unique"));
    let failed = project.run(&dev).exits(1);
    let folder = format!("migrations/{}", project.list("migrations").pop().expect("the second one"));
    failed.says("SQLSTATE 23505").says(&format!("delete the folder {folder} first"));
    let status = project.status(&database).exits(2);
    status.says("failed and was rolled back: could not create unique index").says("correct what failed");
    let json = project.run(&["migrate", "status", "--json", "--url", database.url()]).exits(2).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(json["failed"].as_object().map(serde_json::Map::len), Some(1), "{json}");

    project.write("schema.dsl", schema(" @db.VarChar(9)"));
    project.run(&dev).exits(1).says(&format!("delete the folder {folder}")).says("no migration was written");
    assert_eq!(project.list("migrations").len(), 2);
    std::fs::remove_dir_all(project.path(&folder)).expect("a folder");
    project.run(&dev).exits(0).says("applied 1 migration");
    project.status(&database).exits(0).hides("failed");
    project.run(&["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"]).exits(0);
}

/// One in parts leaves what it has done.
#[test]
fn another_schema_waits_for_a_migration_that_stopped() {
    let (project, database) = (Project::new(), database("dev_stopped"));
    let dev = ["migrate", "dev", "--url", database.url(), "--name", "x"];
    let schema = |name: &str| format!("model T {{\n  id Int @id\n  name String{name}\n}}\n");
    project.write("schema.dsl", schema(""));
    project.run(&dev).exits(0);
    query(&database, "INSERT INTO \"T\" VALUES (1, 'a'), (2, 'a')");
    project.write("schema.dsl", schema(" @unique"));
    project.run(&[&dev[..], &["--online"]].concat()).exits(1).says("SQLSTATE 23505");
    project.write("schema.dsl", schema(" @db.VarChar(9)"));
    let refused = project.run(&dev).exits(1).says("no migration was written");
    let name = project.list("migrations").pop().expect("the second one");
    refused.says(&format!("codegen migrate resolve {name} --rolled-back"));
    query(&database, "DROP INDEX \"T_name_key\"");
    project.run(&["migrate", "resolve", &name, "--rolled-back", "--url", database.url()]).exits(0);
    std::fs::remove_dir_all(project.path(&format!("migrations/{name}"))).expect("a folder");
    project.run(&dev).exits(0).says("applied 1 migration");
    project.status(&database).exits(0);
}

#[test]
fn data_is_lost_only_with_permission() {
    let (project, database) = (Project::new(), database("dev_loses"));
    let dev = ["migrate", "dev", "--url", database.url(), "--name", "x"];
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String?\n  b String?\n}\n");
    project.run(&dev).exits(0);
    query(&database, "INSERT INTO \"T\" VALUES (1, 'a')");
    // Nothing is in this one.
    project.write("schema.dsl", "model T {\n  id Int @id\n  a String?\n}\n");
    project.run(&dev).exits(0).says("loses data: column T.b is dropped (D103)");
    project.write("schema.dsl", "model T {\n  id Int @id\n}\n");
    project.run(&dev).exits(3).says("column T.a is dropped (D103)").says("--accept-data-loss");
    assert_eq!(query(&database, "SELECT a FROM \"T\""), ["a"]);
    assert_eq!(project.list("migrations").len(), 2);
    project.run(&[&dev[..], &["--accept-data-loss"]].concat()).exits(0).says("applied 1 migration");
}

/// Whether it has taken effect is not known: PostgreSQL may have said nothing more.
#[test]
fn a_commit_without_an_answer_is_no_failure() {
    if server().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let (project, database) = (Project::new(), database("dev_commit"));
    project.migration(
        "1_dies",
        "CREATE TABLE t (a int);
         CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
         INSERT INTO t VALUES (1);",
    );
    let failed = project.deploy(&database).exits(1);
    failed
        .says("COMMIT got no answer, so 1_dies may have taken effect or not")
        .says("migrate status")
        .hides("was rolled back");
    project.status(&database).exits(2).says("pending  1_dies");
}

#[test]
fn a_migration_without_snapshot_cannot_be_followed() {
    let project = project();
    project.migration("20260101000000_by_hand", "SELECT 1");
    project
        .run(&["migrate", "dev", "--create-only", "--name", "x"])
        .exits(1)
        .says("20260101000000_by_hand, has no schema.dsl");
}

#[test]
fn a_database_that_was_changed_by_hand_has_drifted() {
    let (project, database) = (project(), database("drift"));
    project.run(&["migrate", "dev", "--name", "init", "--url", database.url()]).exits(0);
    // What the schema does not speak of is somebody's own.
    query(
        &database,
        "CREATE TABLE own (id int); CREATE TYPE own_type AS ENUM ('a'); CREATE INDEX own_index ON users (role);
         CREATE VIEW own_view AS SELECT 1",
    );
    project.status(&database).exits(0);
    query(&database, "ALTER TABLE users DROP COLUMN password_hash; ALTER TABLE users ADD COLUMN by_hand int");
    project
        .status(&database)
        .exits(3)
        .says("drift    + column users.password_hash")
        .says("drift    - column users.by_hand");
    let json = project.run(&["migrate", "status", "--json", "--url", database.url()]).exits(3).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(json["drift"].as_array().map(Vec::len), Some(2));
}
