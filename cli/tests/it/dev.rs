//! `migrate dev`.

use crate::support::{Project, database, query};

fn project() -> Project {
    let project = Project::new();
    project.write("schema.dsl", include_str!("../../../schema.dsl"));
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
