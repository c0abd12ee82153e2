//! `migrate rebase`.

use crate::support::{Project, database, query};

const BASE: &str = "model User {\n  id Int @id\n  name String\n  @@map(\"users\")\n}\n";

fn with(fields: &str) -> String {
    BASE.replace("  @@map", &format!("{fields}  @@map"))
}

/// A migration of ours, `20260101..`, and one of another branch that is later and applied.
fn two_heads(ours: &str, ours_rename: &[&str]) -> (Project, relata_devdb::TestDatabase) {
    let (project, database) = (Project::new(), database("rebase"));
    let dev = |schema: &str, name: &str, more: &[&str]| {
        project.write("schema.dsl", schema);
        project.run(&[&["migrate", "dev", "--create-only", "--name", name], more].concat()).exits(0);
        let last = project.list("migrations").pop().expect("written");
        let number = ["base", "ours", "theirs"].iter().position(|it| *it == name).expect("known") + 1;
        let to = format!("2026010{number}000000_{name}");
        std::fs::rename(project.path(&format!("migrations/{last}")), project.path(&format!("migrations/{to}")))
            .expect("moved");
    };
    dev(BASE, "base", &[]);
    dev(ours, "ours", ours_rename);
    std::fs::rename(project.path("migrations/20260102000000_ours"), project.path("ours")).expect("moved");
    dev(&with("  age Int?\n"), "theirs", &[]);
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0).says("applied 2 migrations");
    query(&database, "INSERT INTO users VALUES (1, 'Ada')");
    std::fs::rename(project.path("ours"), project.path("migrations/20260102000000_ours")).expect("moved");
    (project, database)
}

#[test]
fn a_migration_goes_behind_those_of_another_branch() {
    let (project, database) = two_heads(&with("  size Int?\n"), &[]);
    project.write("schema.dsl", with("  size Int?\n  age Int?\n"));
    let rebase = ["migrate", "rebase", "20260102000000_ours", "--url", database.url()];
    project.status(&database).exits(3).says("20260102000000_ours is not applied but older");
    project
        .run(&["migrate", "rebase", "20260103000000_theirs", "--url", database.url()])
        .exits(1)
        .says("is applied in");
    project.run(&["migrate", "rebase", "nonsense", "--url", database.url()]).exits(1).says("no migration nonsense");
    project.run(&rebase).exits(0).says("+ column users.size").says("_ours");
    let names = project.list("migrations");
    assert_eq!(names.len(), 3);
    assert!(names[2].ends_with("_ours") && names[2].as_str() > "20260103", "{names:?}");
    assert!(!project.read(&format!("migrations/{}/migration.sql", names[2])).contains("age"));
    project.deploy(&database).exits(0).says("applied 1 migration");
    project.status(&database).exits(0);
    project.run(&["migrate", "verify"]).exits(0).says("3 migrations: no difference");
}

#[test]
fn a_rename_is_kept_and_hand_written_statements_are_asked_about() {
    let ours = BASE.replace("name String", "title String");
    let (project, database) = two_heads(&ours, &["--rename", "users.name:title"]);
    project.write("schema.dsl", ours.replace("  @@map", "  age Int?\n  @@map"));
    let file = "migrations/20260102000000_ours/migration.sql";
    project.write(file, project.read(file) + "CREATE VIEW v AS SELECT 1;\n");
    let rebase = ["migrate", "rebase", "20260102000000_ours", "--url", database.url()];
    project.run(&rebase).exits(3).says("CREATE VIEW v AS SELECT 1").says("--force");
    assert_eq!(project.list("migrations").len(), 3);
    project.run(&[&rebase[..], &["--force"]].concat()).exits(0);
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT title FROM users"), ["Ada"]);
    project.status(&database).exits(0);
}

#[test]
fn a_migration_that_the_others_have_already_is_removed() {
    let (project, database) = two_heads(&with("  age Int?\n"), &[]);
    let rebase = ["migrate", "rebase", "20260102000000_ours", "--url", database.url()];
    project.run(&rebase).exits(3).says("ADD COLUMN");
    project.run(&["migrate", "rebase", "20260102000000_ours", "--no-database", "--force"]).exits(0).says("removed");
    assert_eq!(project.list("migrations").len(), 2);
    project.status(&database).exits(0);
}
