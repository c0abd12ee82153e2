//! `migrate resolve` and `baseline`.

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, query};

fn resolve(project: &Project, database: &TestDatabase, name: &str, how: &str) -> Output {
    project.run(&["migrate", "resolve", name, how, "--url", database.url()])
}

fn states(database: &TestDatabase) -> Vec<String> {
    query(database, "SELECT concat_ws(' ', name, kind, state) FROM _relata_migrations ORDER BY id")
}

#[test]
fn what_was_done_by_hand_is_taken_as_applied() {
    let (project, database) = (Project::new(), database("by_hand"));
    project.migration("1_a", "CREATE TABLE a (id int)");
    query(&database, "CREATE TABLE a (id int)");
    project.deploy(&database).exits(1).says("already exists");
    resolve(&project, &database, "1_a", "--applied").exits(0).says("1_a is recorded as applied");
    project.status(&database).exits(0);
    assert_eq!(states(&database), ["1_a apply rolled_back", "1_a resolve applied"]);
    resolve(&project, &database, "1_a", "--applied").exits(1).says("is already applied");
    resolve(&project, &database, "1_a", "--rolled-back").exits(1).says("migrate down");
    resolve(&project, &database, "1_a", "--retry").exits(1).says("is already applied");
    resolve(&project, &database, "2_b", "--applied").exits(1).says("2_b has no folder");
    resolve(&project, &database, "2_b", "--rolled-back").exits(1).says("not in the history");
    project.run(&["migrate", "resolve", "1_a"]).exits(64);
    project.run(&["migrate", "resolve", "1_a", "--applied", "--retry"]).exits(64);
}

#[test]
fn edited_deleted_and_renamed_migrations_have_a_way_out() {
    let (project, database) = (Project::new(), database("moved"));
    project.migration("1_a", "CREATE TABLE a (id int)").migration("2_b", "CREATE TABLE b (id int)");
    project.deploy(&database).exits(0);
    project.migration("1_a", "CREATE TABLE a (id int, n int)");
    query(&database, "ALTER TABLE a ADD COLUMN n int");
    project.deploy(&database).exits(1).says("1_a was edited");
    resolve(&project, &database, "1_a", "--applied").exits(0);
    project.status(&database).exits(0);

    std::fs::rename(project.path("migrations/2_b"), project.path("migrations/2_c")).expect("renamed");
    project.status(&database).exits(3).says("2_b is applied but its folder is missing").says("pending  2_c");
    resolve(&project, &database, "2_b", "--rolled-back").exits(0);
    resolve(&project, &database, "2_c", "--applied").exits(0);
    project.status(&database).exits(0).says("2 migrations applied");
}

#[test]
fn a_stopped_migration_begins_again_or_goes_on() {
    let (project, database) = (Project::new(), database("stopped"));
    let outside = "-- relata:segment outside\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\nSELECT 1/0;\n";
    project.migration("1_a", outside);
    project.deploy(&database).exits(1).says("stopped after 2 of its statements");

    query(&database, "DROP TABLE a, b");
    resolve(&project, &database, "1_a", "--rolled-back").exits(0).says("is recorded as not applied");
    project.status(&database).exits(2).says("pending  1_a");
    project.deploy(&database).exits(1).says("stopped after 2 of its statements");
    assert_eq!(query(&database, "SELECT to_regclass('b') IS NOT NULL"), ["t"]);

    // What was done is edited as well as what failed.
    project.migration(
        "1_a",
        "-- relata:segment outside\nCREATE TABLE a (id bigint);\nCREATE TABLE b (id int);\nSELECT 1;\n",
    );
    project.deploy(&database).exits(1).says("were edited since");
    project.migration("1_a", "-- relata:segment outside\nCREATE TABLE a (id bigint);\n");
    resolve(&project, &database, "1_a", "--retry").exits(1).says("has fewer statements than have already run");
    project.migration(
        "1_a",
        "-- relata:segment outside\nCREATE TABLE a (id bigint);\nCREATE TABLE b (id int);\nSELECT 1;\n",
    );
    resolve(&project, &database, "1_a", "--retry").exits(0).says("applied 1_a");
    project.status(&database).exits(0);
    assert_eq!(states(&database), ["1_a apply rolled_back", "1_a apply applied"]);
}

/// What `status`, `deploy` and `dev` say to do is done, both ways.
#[test]
fn a_migration_that_stopped_and_lost_its_folder_has_a_way_out() {
    let (project, database) = (Project::new(), database("lost"));
    let dev = |more: &[&str]| project.run(&[&["migrate", "dev", "--url", database.url()], more].concat());
    let schema = "model Note {\n  id Int @id\n  title String?\n}\n";
    project.write("schema.dsl", schema);
    dev(&["--name", "init"]).exits(0);
    query(&database, "INSERT INTO \"Note\" VALUES (1, NULL)");
    project.write("schema.dsl", schema.replace("String?", "String"));
    dev(&["--name", "require", "--online"]).exits(1).says("SQLSTATE 23514");
    let name = project.list("migrations").pop().expect("a migration");
    let (folder, elsewhere) = (project.path(&format!("migrations/{name}")), project.path("elsewhere"));
    std::fs::rename(&folder, &elsewhere).expect("it is moved");

    let told = format!("{name} stopped after 1 of its statements, and its folder is missing");
    let remedy = format!("`migrate resolve {name} --rolled-back`");
    project.status(&database).exits(3).says(&told).says(&remedy).hides("is applied");
    project.deploy(&database).exits(1).says("is in migrations.lock, but has no folder").says("`codegen migrate dev`");
    dev(&["--name", "again"]).exits(1).says(&told).says(&remedy);
    std::fs::remove_file(project.path("migrations.lock")).expect("it is removed");
    project.deploy(&database).exits(1).says(&told).says(&remedy);

    std::fs::rename(&elsewhere, &folder).expect("it is back");
    query(&database, "UPDATE \"Note\" SET title = 'a'");
    let before = query(&database, "SELECT conname::text FROM pg_constraint WHERE conname LIKE '%required'");
    assert_eq!(before, ["Note_title__required"]);
    std::fs::rename(&folder, &elsewhere).expect("it is moved again");
    let other = crate::support::database("lost_other");
    std::fs::remove_file(project.path("migrations.lock")).unwrap_or_default();
    project.deploy(&other).exits(0);
    let left = ["migrate-diff", "--from-url", database.url(), "--to-url", other.url(), "--accept-drops"];
    let left = project.run(&left).exits(0).says("Note_title__required").stdout;
    query(&database, &left);
    resolve(&project, &database, &name, "--rolled-back").exits(0);
    project.status(&database).exits(0);
    dev(&["--name", "again"]).exits(0).says("applied");
    project.status(&database).exits(0);
}

#[test]
fn a_stopped_migration_goes_on_once_its_folder_is_back() {
    let (project, database) = (Project::new(), database("back"));
    let sql = "-- relata:segment outside\nCREATE TABLE a (id int);\nSELECT 1/(SELECT count(*) FROM b);\n";
    project.migration("1_a", "CREATE TABLE b (id int)").migration("2_b", sql);
    project.deploy(&database).exits(1).says("stopped after 1 of its statements");
    let (folder, elsewhere) = (project.path("migrations/2_b"), project.path("elsewhere"));
    std::fs::rename(&folder, &elsewhere).expect("it is moved");
    project.status(&database).exits(3).says("2_b stopped after 1 of its statements, and its folder is missing");
    resolve(&project, &database, "2_b", "--retry").exits(1).says("restore it first");
    std::fs::rename(&elsewhere, &folder).expect("it is back");
    query(&database, "INSERT INTO b VALUES (1)");
    project.deploy(&database).exits(0);
    project.status(&database).exits(0);
}

#[test]
fn a_database_with_the_schema_gets_its_history() {
    let (project, database) = (Project::new(), database("baseline"));
    project.write("schema.dsl", "model User {\n  id Int @id\n  name String\n  @@map(\"users\")\n}\n");
    project.run(&["migrate", "dev", "--create-only", "--name", "init"]).exits(0);
    let baseline = |args: &[&str]| project.run(&[&["migrate", "baseline", "--url", database.url()], args].concat());
    baseline(&[]).exits(2).says("+ table users");
    assert_eq!(query(&database, "SELECT to_regclass('_relata_migrations') IS NULL"), ["t"]);
    query(&database, "CREATE TABLE users (id int NOT NULL, CONSTRAINT users_pkey PRIMARY KEY (id))");
    baseline(&[]).exits(2).says("+ column users.name");
    query(&database, "ALTER TABLE users ADD COLUMN name text NOT NULL; CREATE TABLE others (id int)");
    baseline(&["nonsense"]).exits(1).says("there is no migration nonsense");
    baseline(&[]).exits(0).says("1 migration recorded as applied");
    project.status(&database).exits(0);
    project.deploy(&database).exits(0).says("up to date");
    baseline(&[]).exits(1).says("already has a history");
    assert_eq!(query(&database, "SELECT kind || state FROM _relata_migrations"), ["baselineapplied"]);
}

#[test]
fn a_baseline_may_end_before_the_last_migration_and_be_forced() {
    let (project, database) = (Project::new(), database("baseline_some"));
    project.migration("1_a", "CREATE TABLE a (id int)").migration("2_b", "CREATE TABLE b (id int)");
    query(&database, "CREATE TABLE a (id int)");
    let args = ["migrate", "baseline", "1_a", "--url", database.url()];
    project.run(&args).exits(1).says("has no schema.dsl");
    project.run(&[&args[..], &["--force"]].concat()).exits(0).says("up to 1_a");
    project.deploy(&database).exits(0).says("applied 2_b");
}
