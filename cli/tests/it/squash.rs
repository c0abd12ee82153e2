//! `migrate squash`.

use crate::support::{Project, database, query};

fn project() -> Project {
    let project = Project::new();
    let schema = |more: &str| format!("model T {{\n  id Int @id\n{more}}}\n");
    for (name, sql, more) in [
        ("1_one", "CREATE TABLE \"T\" (id int NOT NULL, CONSTRAINT \"T_pkey\" PRIMARY KEY (id));", ""),
        ("2_two", "ALTER TABLE \"T\" ADD COLUMN a int;", "  a Int?\n"),
        ("3_three", "ALTER TABLE \"T\" ADD COLUMN b int;", "  a Int?\n  b Int?\n"),
    ] {
        project.migration(name, sql).write(&format!("migrations/{name}/schema.dsl"), schema(more));
    }
    project.write("schema.dsl", schema("  a Int?\n  b Int?\n"));
    project
}

#[test]
fn a_database_with_all_of_them_has_the_squashed_one_and_a_new_one_runs_it() {
    let (project, old, new) = (project(), database("squash_old"), database("squash_new"));
    project.deploy(&old).exits(0);
    query(&old, "INSERT INTO \"T\" VALUES (1, 2, 3)");
    project.run(&["migrate", "squash"]).exits(0).says("3 migrations are now");
    assert_eq!(project.list("migrations"), ["3_three"]);
    project.status(&old).exits(0);
    project.deploy(&old).exits(0).says("up to date: 1 migration applied");
    project.deploy(&new).exits(0).says("applied 1 migration");
    for database in [&old, &new] {
        let compare = ["migrate-diff", "--from-url", database.url(), "--to-schema", "schema.dsl", "--exit-code"];
        project.run(&compare).exits(0);
        project.status(database).exits(0);
    }
    project.run(&["migrate", "verify"]).exits(0);

    // And on from there, squashed again, and back.
    project.migration("4_four", "ALTER TABLE \"T\" ADD COLUMN c int;");
    for path in ["migrations/4_four/schema.dsl", "schema.dsl"] {
        project.write(path, "model T {\n  id Int @id\n  a Int?\n  b Int?\n  c Int?\n}\n");
    }
    project.run(&["migrate", "dev", "--create-only"]).exits(0);
    project.deploy(&old).exits(0).says("applied 1 migration");
    project.run(&["migrate", "squash"]).exits(0).says("2 migrations are now");
    project.status(&old).exits(0);
    project.status(&new).exits(3).says("but the database has only some of them");
    project.deploy(&new).exits(1).says("4_four is missing");
    let down = ["migrate", "down", "--to", "0", "--allow-data-loss", "--url", old.url()];
    project.run(&down).exits(0).says("none is applied");
    project.status(&old).exits(2).says("pending  4_four");
    project.deploy(&old).exits(0).says("applied 1 migration");
    project.status(&old).exits(0);
}

#[test]
fn what_a_snapshot_does_not_say_is_not_lost_in_silence() {
    let project = project();
    project.migration("2_two", "ALTER TABLE \"T\" ADD COLUMN a int;\nCREATE VIEW v AS SELECT 1;");
    project.run(&["migrate", "squash"]).exits(3).says("2_two has `CREATE VIEW v AS`");
    assert_eq!(project.list("migrations").len(), 3);
    project.run(&["migrate", "squash", "nonsense"]).exits(1).says("there is no migration nonsense");
    project.run(&["migrate", "squash", "1_one"]).exits(1).says("at least two migrations are needed");
    project.run(&["migrate", "squash", "2_two", "--force"]).exits(0);
    assert_eq!(project.list("migrations"), ["2_two", "3_three"]);
}
