//! `migrations.lock`.

use crate::support::{Project, database};

#[test]
fn only_locked_migrations_are_deployed() {
    let (project, database) = (Project::new(), database("locked"));
    project.write("schema.dsl", "model A {\n  id Int @id\n}\n");
    project.run(&["migrate", "dev", "--create-only", "--name", "a"]).exits(0);
    let lock = project.read("migrations.lock");
    let name = project.list("migrations")[0].clone();
    assert!(lock.contains(&format!("\n{name} ")) && lock.contains("\ntotal "), "{lock}");
    let file = format!("migrations/{name}/migration.sql");
    let sql = project.read(&file);

    project.write(&file, format!("-- comments may change\r\n{sql}"));
    project.status(&database).exits(2).hides("lock ");
    project.write(&file, format!("{sql}CREATE TABLE b (id int);"));
    project.status(&database).exits(3).says("has other statements than migrations.lock records");
    project.deploy(&database).exits(1).says("has other statements than migrations.lock records").says("migrate dev");
    let json = project.run(&["migrate", "status", "--json", "--url", database.url()]).exits(3).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(json["lock"].as_array().map(Vec::len), Some(1));
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0).says("applied 1 migration");
    project.status(&database).exits(0);
    assert_ne!(project.read("migrations.lock"), lock);

    project.migration("99990101000000_other", "SELECT 1");
    project.deploy(&database).exits(1).says("99990101000000_other is not in migrations.lock");
    let locked = project.read("migrations.lock");
    project.write("migrations.lock", locked.replace(&name, "19990101000000_gone"));
    project.status(&database).exits(3).says("19990101000000_gone is in migrations.lock, but has no folder");
    project.write("migrations.lock", format!("<<<<<<< ours\n{locked}=======\n>>>>>>> theirs\n"));
    project.deploy(&database).exits(1).says("has a merge conflict");
    std::fs::remove_file(project.path("migrations.lock")).expect("removed");
    project.deploy(&database).exits(0).says("applied 99990101000000_other");
}

#[test]
fn two_branches_conflict_in_the_lock() {
    let git = |project: &Project, args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(project.path("."))
            .output()
            .expect("git runs");
        output.status.success()
    };
    let project = Project::new();
    let branch = |table: &str| {
        project.write("schema.dsl", format!("model {table} {{\n  id Int @id\n}}\n"));
        project.run(&["migrate", "dev", "--create-only", "--accept-drops", "--name", table]).exits(0);
        // Only the folders and the lock: the schema conflicts by itself.
        assert!(git(&project, &["add", "migrations", "migrations.lock"]));
        assert!(git(&project, &["commit", "-q", "-m", table]));
    };
    assert!(git(&project, &["init", "-q", "-b", "main"]));
    branch("Base");
    assert!(git(&project, &["checkout", "-q", "-b", "other"]));
    branch("One");
    assert!(git(&project, &["checkout", "-q", "main"]));
    branch("Two");
    assert!(!git(&project, &["merge", "-q", "other"]), "the merge went through");
    assert!(project.read("migrations.lock").contains("<<<<<<<"));
}
