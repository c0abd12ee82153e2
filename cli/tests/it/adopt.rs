//! `migrate adopt`.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

const SCHEMA: &str =
    "model User {\n  id Int @id @default(autoincrement())\n  name String\n\n  @@index([name])\n  @@map(\"users\")\n}\n";
const INIT: &str = "-- CreateTable\nCREATE TABLE \"users\" (\"id\" SERIAL NOT NULL, \"name\" TEXT NOT NULL,\n    CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"));\n";
const INDEX: &str = "CREATE INDEX CONCURRENTLY \"users_name_idx\" ON \"users\"(\"name\");\n";

/// A project and a database as Prisma Migrate leaves them.
fn under_prisma(prefix: &str) -> (Project, TestDatabase) {
    let (project, database) = (Project::new(), database(prefix));
    project.write("prisma/schema.prisma", SCHEMA);
    project.write("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n");
    project.write("prisma/migrations/20240101000000_init/migration.sql", INIT);
    project.write("prisma/migrations/20240201000000_index/migration.sql", INDEX);
    query(
        &database,
        "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
         finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
         started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0)",
    );
    query(&database, INIT);
    query(&database, INDEX);
    record(&database, "20240101000000_init", INIT, "now()");
    record(&database, "20240201000000_index", INDEX, "now()");
    query(&database, "INSERT INTO users (name) VALUES ('Ada')");
    (project, database)
}

fn record(database: &TestDatabase, name: &str, sql: &str, finished: &str) {
    let sum = format!("encode(sha256(convert_to($x${sql}$x$, 'UTF8')), 'hex')");
    query(
        database,
        &format!(
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name)
             VALUES (gen_random_uuid(), {sum}, {finished}, '{name}')"
        ),
    );
}

fn adopt(project: &Project, database: &TestDatabase, more: &[&str]) -> Output {
    project.run(&[&["migrate", "adopt", "--url", database.url()], more].concat())
}

#[test]
fn a_database_under_prisma_goes_on_here() {
    let (project, database) = under_prisma("adopt");
    // An attempt that was rolled back is history only.
    record(&database, "20240201000000_index", "other", "NULL");
    query(&database, "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL");
    adopt(&project, &database, &[]).exits(0).says("2 migrations adopted into migrations, 0 pending").hides("warning");
    assert_eq!(project.list("migrations"), ["20240101000000_init", "20240201000000_index"]);
    assert_eq!(project.read("migrations/20240101000000_init/migration.sql"), INIT);
    assert_eq!(project.list("migrations/20240201000000_index"), ["migration.sql", "schema.dsl"]);
    project.status(&database).exits(0);
    project.deploy(&database).exits(0).says("up to date: 2 migrations applied");
    assert_eq!(query(&database, "SELECT name FROM users"), ["Ada"]);
    adopt(&project, &database, &[]).exits(1).says("already has migrations").says("migrate baseline");

    // The next migration, and the whole in an empty database.
    project.write("schema.dsl", SCHEMA.replace("name String", "name String\n  age Int?"));
    project.run(&["migrate", "dev", "--name", "age", "--url", database.url()]).exits(0).says("+ column users.age");
    project.run(&["migrate", "verify"]).exits(0).says("3 migrations: no difference");
}

#[test]
fn pending_migrations_stay_pending_and_edits_are_named() {
    let (project, database) = under_prisma("adopt_pending");
    query(&database, "DROP INDEX users_name_idx; DELETE FROM _prisma_migrations WHERE migration_name LIKE '%index'");
    project.write("prisma/migrations/20240101000000_init/migration.sql", format!("{INIT}-- edited\n"));
    adopt(&project, &database, &[]).exits(0).says("1 migration adopted").says("1 pending").says("_init was edited");
    project.deploy(&database).exits(0).says("applied 20240201000000_index");
    project.status(&database).exits(0);
}

#[test]
fn what_needs_a_person_is_reported_and_nothing_written() {
    let (project, database) = under_prisma("adopt_failed");
    query(
        &database,
        "UPDATE _prisma_migrations SET finished_at = NULL, logs = E'x\\nERROR: deadlock' WHERE migration_name LIKE '%index'",
    );
    adopt(&project, &database, &[]).exits(3).says("20240201000000_index failed").says("ERROR: deadlock");
    query(&database, "UPDATE _prisma_migrations SET finished_at = now()");
    std::fs::rename(project.path("prisma/migrations/20240101000000_init"), project.path("away")).expect("moved");
    adopt(&project, &database, &[]).exits(3).says("20240101000000_init is applied but has no folder");
    std::fs::rename(project.path("away"), project.path("prisma/migrations/20240101000000_init")).expect("moved");
    project.write("prisma/migrations/20240115000000_late/migration.sql", "SELECT 1");
    adopt(&project, &database, &[])
        .exits(3)
        .says("20240115000000_late is not applied, but the later 20240201000000_index is");
    std::fs::remove_dir_all(project.path("prisma/migrations/20240115000000_late")).expect("removed");

    query(&database, "DROP INDEX users_name_idx");
    adopt(&project, &database, &[]).exits(2).says("+ index users_name_idx");
    assert!(project.list("migrations").is_empty());
    assert_eq!(query(&database, "SELECT to_regclass('_relata_migrations') IS NULL"), ["t"]);
    adopt(&project, &database, &["--force"]).exits(0);
    project.status(&database).exits(3).says("drift    + index users_name_idx");
}

#[test]
fn without_prisma_there_is_nothing_to_adopt() {
    let (project, database) = (Project::new(), database("adopt_none"));
    project.write("schema.dsl", SCHEMA);
    adopt(&project, &database, &[]).exits(1).says("prisma/migrations");
    project.write("prisma/migrations/1_a/migration.sql", "BEGIN; SELECT 1; COMMIT;");
    adopt(&project, &database, &[]).exits(1).says("no table _prisma_migrations");
}
