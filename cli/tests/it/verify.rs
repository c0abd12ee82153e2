//! `migrate verify`.

use crate::support::{Output, Project};

const ONE: &str = "model User {\n  id Int @id @default(autoincrement())\n  name String\n  @@map(\"users\")\n}\n";
const TWO: &str = "model User {\n  id Int @id @default(autoincrement())\n  name String @map(\"full_name\")\n  \
                   role Role @default(A)\n  @@index([role])\n  @@map(\"users\")\n}\n\nenum Role {\n  A\n  B\n}\n";

fn project() -> Project {
    let project = Project::new();
    for (name, schema) in [("one", ONE), ("two", TWO)] {
        project.write("schema.dsl", schema);
        project.run(&["migrate", "dev", "--create-only", "--name", name]).exits(0);
    }
    project
}

fn verify(project: &Project, more: &[&str]) -> Output {
    project.run(&[&["migrate", "verify"], more].concat())
}

#[test]
fn migrations_agree_with_their_snapshots_both_ways() {
    let project = project();
    verify(&project, &["--strict"]).exits(0).says("2 migrations: no difference").hides("note");
    let json = verify(&project, &["--json"]).exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!((json["migrations"].as_u64(), json["differences"].as_array().map(Vec::len)), (Some(2), Some(0)));
}

/// A database that somebody works with is none to make others beside, unless it is named.
#[test]
fn the_server_of_the_environment_is_left_alone() {
    let (project, database) = (project(), crate::support::database("verify_url"));
    let args = ["migrate", "verify", "--strict"];
    for url in ["postgres://me:hunter2@127.0.0.1:1/x", database.url()] {
        let output = project.run_with(&args, "DATABASE_URL", url);
        // Where only that server is there, verify says what to pass, and does nothing.
        let output = if output.code == 0 { output.says("no difference") } else { output.exits(1).says("--dev-url") };
        output.hides("hunter2");
    }
    verify(&project, &["--strict", "--dev-url", database.url()]).exits(0).says("2 migrations: no difference");
}

#[test]
fn what_differs_is_named() {
    let project = project();
    let names = project.list("migrations");
    let file = format!("migrations/{}/migration.sql", names[1]);
    let sql = project.read(&file);
    project.write(&file, sql.replace("DEFAULT 'A'", "DEFAULT 'B'") + "CREATE TABLE extra (id int);\n");
    verify(&project, &[])
        .exits(2)
        .says("column users.role")
        .says("note     ")
        .says("extra")
        .says("2 migrations: 2 differences");
    verify(&project, &["--strict", "--no-down"]).exits(2).says("2 migrations: 2 differences");

    project.write(&file, sql).write("schema.dsl", TWO.replace("  B\n", "  B\n  C\n"));
    verify(&project, &[]).exits(2).says("schema.dsl is ahead of the migrations");
}

#[test]
fn what_a_reverse_migration_leaves_behind_is_named() {
    let project = project();
    let names = project.list("migrations");
    project.write("schema.dsl", TWO).write(&format!("migrations/{}/down.sql", names[1]), "SELECT 1");
    verify(&project, &[]).exits(2).says("(down): not as before").says("users.full_name");
    project.write(&format!("migrations/{}/migration.sql", names[0]), "SELECT 1/0");
    verify(&project, &[]).exits(1).says("division by zero");
}

#[test]
fn migrations_without_snapshots_are_run_and_noted() {
    let project = Project::new();
    project.migration("1_a", "CREATE TABLE a (id int)");
    verify(&project, &[]).exits(0).says("1_a (up): has no schema.dsl").says("1_a (down): ");
    verify(&project, &["--dev-url", "postgres://me:hunter2@127.0.0.1:1/x"]).exits(1).hides("hunter2");
}

/// The migrations of the repository lead to its schema, and back.
#[test]
fn the_migrations_of_the_exam_planner_lead_to_its_schema() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let project = Project::new();
    let mut count = 0;
    for folder in std::fs::read_dir(root.join("migrations")).expect("is read") {
        let folder = folder.expect("is read");
        count += 1;
        for file in ["migration.sql", "schema.dsl"] {
            let text = std::fs::read_to_string(folder.path().join(file)).expect("is read");
            project.write(&format!("migrations/{}/{file}", folder.file_name().to_string_lossy()), text);
        }
    }
    project.write("schema.dsl", std::fs::read_to_string(root.join("schema.dsl")).expect("is read"));
    verify(&project, &["--strict"]).exits(0).says(&format!("{count} migrations: no difference"));
    project
        .run(&["migrate-diff", "--from-migrations", "migrations", "--to-schema", "schema.dsl", "--exit-code"])
        .exits(0);
}
