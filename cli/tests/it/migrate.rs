//! `migrate deploy`, `status` and `reset`.

use std::io::{BufRead, BufReader};

use relata_devdb::Feature;

use crate::support::{Project, Session, database, output, query, server};

const TABLES: &str = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                      AND relname <> '_relata_migrations' ORDER BY 1";
const STATES: &str = "SELECT name || ' ' || state FROM _relata_migrations ORDER BY id";

fn two_migrations() -> Project {
    let project = Project::new();
    project.migration("20260101000000_one", "CREATE TABLE one (id int PRIMARY KEY);");
    project.migration("20260102000000_two", "ALTER TABLE one ADD COLUMN note text;\nCREATE TABLE two (id int);");
    project
}

#[test]
fn deploy_applies_pending_ones_in_order_and_a_second_deploy_does_nothing() {
    let (project, database) = (two_migrations(), database("deploy"));
    project.deploy(&database).exits(0).says("applied 20260101000000_one").says("applied 2 migrations");
    assert_eq!(query(&database, STATES), ["20260101000000_one applied", "20260102000000_two applied"]);
    project.deploy(&database).exits(0).says("up to date: 2 migrations applied");
    assert_eq!(query(&database, "SELECT count(*) FROM _relata_migrations"), ["2"]);
    project.migration("20260103000000_three", "CREATE TABLE three (id int)");
    project.deploy(&database).exits(0).says("applied 1 migration");
    assert_eq!(query(&database, TABLES), ["one", "three", "two"]);
}

#[test]
fn the_url_may_come_from_the_environment_or_a_file() {
    let (project, database) = (two_migrations(), database("environment"));
    project.run_with(&["migrate", "deploy"], "DATABASE_URL", database.url()).exits(0);
    project.write(".env", format!("# local\nDATABASE_URL=\"{}\"\n", database.url()));
    project.run(&["migrate", "status"]).exits(0).says("up to date");
}

#[test]
fn status_tells_pending_from_applied_by_its_exit_code() {
    let (project, database) = (two_migrations(), database("status"));
    project.status(&database).exits(2).says("pending  20260101000000_one");
    // Asking leaves nothing behind.
    assert_eq!(query(&database, "SELECT to_regclass('_relata_migrations') IS NULL"), ["t"]);
    project.deploy(&database).exits(0);
    project.status(&database).exits(0).says("applied  20260102000000_two");
    let json = project.run(&["migrate", "status", "--json", "--url", database.url()]).exits(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(json["applied"][1]["name"], "20260102000000_two");
    assert_eq!(json["pending"], serde_json::json!([]));
}

#[test]
fn edited_missing_and_older_migrations_are_problems_and_edited_comments_are_not() {
    let (project, database) = (two_migrations(), database("problems"));
    project.deploy(&database).exits(0);
    project.migration("20260101000000_one", "-- a word\r\nCREATE TABLE one (\n id int PRIMARY KEY);");
    project.status(&database).exits(0);
    project.migration("20260101000000_one", "CREATE TABLE one (id bigint PRIMARY KEY);");
    project.status(&database).exits(3).says("20260101000000_one was edited after it was applied");
    project.deploy(&database).exits(1).says("20260101000000_one was edited after it was applied");
    std::fs::rename(project.path("migrations/20260101000000_one"), project.path("migrations/20260101000001_new"))
        .expect("renamed");
    project
        .deploy(&database)
        .exits(1)
        .says("20260101000000_one is applied but its folder is missing")
        .says("20260101000001_new is not applied but older than 20260102000000_two");
    assert_eq!(query(&database, TABLES), ["one", "two"]);
}

#[test]
fn an_older_migration_runs_when_it_is_allowed_to() {
    let (project, database) = (two_migrations(), database("older"));
    project.deploy(&database).exits(0);
    project.migration("20260101000001_between", "CREATE TABLE between_them (id int)");
    project.deploy(&database).exits(1).says("--allow-out-of-order");
    project.run(&["migrate", "deploy", "--allow-out-of-order", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, TABLES), ["between_them", "one", "two"]);
}

#[test]
fn a_migration_that_fails_in_the_middle_leaves_nothing() {
    let (project, database) = (two_migrations(), database("fails"));
    let broken = "CREATE TABLE three (id int);\n\nINSERT INTO three\n  VALUES (1), ('x');\nCREATE TABLE four (id int);";
    project.migration("20260103000000_three", broken);
    project.migration("20260104000000_later", "CREATE TABLE later (id int)");
    project
        .deploy(&database)
        .exits(1)
        .says("migrations/20260103000000_three/migration.sql:4: invalid input syntax for type integer: \"x\"")
        .says("SQLSTATE 22P02")
        .says("in: INSERT INTO three")
        .says("was rolled back and left nothing");
    assert_eq!(query(&database, TABLES), ["one", "two"]);
    let states = query(&database, STATES);
    assert_eq!(states[2..], ["20260103000000_three rolled_back"]);
    assert_eq!(query(&database, "SELECT error_code FROM _relata_migrations WHERE state = 'rolled_back'"), ["22P02"]);
    project.status(&database).exits(2).says("pending  20260103000000_three");

    project.migration("20260103000000_three", "CREATE TABLE three (id int);");
    project.deploy(&database).exits(0).says("applied 2 migrations");
    assert_eq!(query(&database, TABLES), ["later", "one", "three", "two"]);
}

#[test]
fn a_constraint_that_fails_at_commit_rolls_the_migration_back() {
    let (project, database) = (Project::new(), database("commit"));
    project.migration(
        "1_deferred",
        "CREATE TABLE p (id int PRIMARY KEY);\n\
         CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (1);",
    );
    project.deploy(&database).exits(1).says("in: COMMIT").says("SQLSTATE 23503").says("was rolled back");
    assert_eq!(query(&database, TABLES), Vec::<String>::new());
}

#[test]
fn each_migration_starts_with_the_settings_of_the_connection() {
    let (project, database) = (Project::new(), database("settings"));
    project.migration(
        "1_one",
        "SELECT set_config('search_path', '', false); SET timezone = 'Asia/Tokyo'; SET ROLE pg_monitor",
    );
    project.migration(
        "2_two",
        "CREATE TABLE here (zone text DEFAULT current_setting('timezone'));\nINSERT INTO here DEFAULT VALUES;\n\
         -- relata:segment transactional\nSET ROLE pg_monitor;\n-- relata:segment outside\nSET ROLE pg_monitor",
    );
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT zone FROM public.here"), ["UTC"]);
}

#[test]
fn transaction_commands_in_a_migration_are_refused_before_anything_runs() {
    let (project, database) = (Project::new(), database("control"));
    project.migration("1_one", "CREATE TABLE one (id int);\nCOMMIT;\nCREATE TABLE two (id int);");
    project.deploy(&database).exits(1).says("1_one/migration.sql: line 2: `COMMIT`");
    assert_eq!(query(&database, TABLES), Vec::<String>::new());
}

#[test]
fn what_cannot_run_in_a_transaction_says_how_to_write_it() {
    let (project, database) = (Project::new(), database("outside"));
    project.migration("1_one", "CREATE TABLE one (id int);\nCREATE INDEX CONCURRENTLY one_id ON one (id);");
    project.deploy(&database).exits(1).says("SQLSTATE 25001").says("-- relata:segment outside");
    project.migration(
        "1_one",
        "CREATE TABLE one (id int);\n-- relata:segment outside\nCREATE INDEX CONCURRENTLY one_id ON one (id);\n\
         VACUUM one;\n-- relata:segment transactional\nALTER TABLE one ADD COLUMN note text",
    );
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_id'::regclass"), ["t"]);
    let row = "SELECT state || ' ' || steps_done || ' of ' || steps_total FROM _relata_migrations ORDER BY id DESC";
    assert_eq!(query(&database, row)[0], "applied 4 of 4");
}

#[test]
fn a_new_enum_value_can_be_used_after_a_segment_ends() {
    let (project, database) = (Project::new(), database("enum_value"));
    project.migration("1_one", "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood)");
    project.migration("2_two", "ALTER TYPE mood ADD VALUE 'b';\nINSERT INTO t VALUES ('b');");
    project.deploy(&database).exits(1).says("SQLSTATE 55P04").says("-- relata:segment transactional");
    project.migration(
        "2_two",
        "ALTER TYPE mood ADD VALUE 'b';\n-- relata:segment transactional\nINSERT INTO t VALUES ('b');",
    );
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, "SELECT m FROM t"), ["b"]);
}

#[test]
fn two_deployers_at_once_apply_everything_once() {
    let (project, database) = (Project::new(), database("two_deployers"));
    for number in 1..=5 {
        project
            .migration(&format!("{number}_table"), &format!("CREATE TABLE t{number} (id int);\nSELECT pg_sleep(0.1)"));
    }
    let args = ["migrate", "deploy", "--url", database.url()];
    let deployers = [project.spawn(&args), project.spawn(&args), project.spawn(&args)];
    let outputs = deployers.map(|child| output(child).exits(0));
    let applied = outputs.iter().filter(|output| output.stdout.contains("applied 5 migrations")).count();
    let idle = outputs.iter().filter(|output| output.stdout.contains("up to date: 5 migrations")).count();
    assert_eq!((applied, idle), (1, 2), "{outputs:?}");
    assert_eq!(query(&database, "SELECT count(*), min(state) FROM _relata_migrations"), ["5"]);
}

#[test]
fn a_deployer_that_waits_too_long_names_the_holder() {
    if server().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let (project, database) = (two_migrations(), database("waits"));
    let holder = Session::open(database.url());
    holder.sql("SET application_name = 'the other one'");
    let pid = holder.sql("SELECT pg_backend_pid()").remove(0);
    holder.sql("SELECT pg_advisory_lock(1380273217, hashtext('public._relata_migrations'))");
    project
        .run(&["migrate", "deploy", "--lock-wait", "1", "--url", database.url()])
        .exits(1)
        .says("waiting for another migration run")
        .says(&format!("pid {pid}"))
        .says("the other one");
    holder.sql("SELECT pg_advisory_unlock_all()");
    project.deploy(&database).exits(0);
}

#[test]
fn a_locked_table_is_tried_again() {
    if server().skips_without(&[Feature::ConcurrentTransactions, Feature::Timeouts]) {
        return;
    }
    let (project, database) = (two_migrations(), database("locked"));
    project.deploy(&database).exits(0);
    project.migration("20260103000000_three", "ALTER TABLE one ADD COLUMN more text");
    let busy = Session::open(database.url());
    busy.sql("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE");
    let mut deployer = project.spawn(&["migrate", "deploy", "--url", database.url()]);
    let mut lines = BufReader::new(deployer.stderr.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains("retry 1: canceling statement due to lock timeout")));
    busy.sql("COMMIT");
    output(deployer).exits(0).says("applied 1 migration");
}

#[test]
fn reset_drops_everything_of_ours_and_applies_again() {
    let (project, database) = (two_migrations(), database("reset"));
    project.deploy(&database).exits(0);
    query(
        &database,
        "CREATE TYPE hand_made AS ENUM ('a'); CREATE TABLE extra (m hand_made, s serial, i int GENERATED ALWAYS AS IDENTITY);
         CREATE VIEW v AS SELECT * FROM extra; CREATE FUNCTION f(e extra) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE DOMAIN d AS int; CREATE TYPE pair AS (a int, b d); CREATE SEQUENCE free; CREATE TYPE r AS RANGE (subtype = int);
         CREATE SCHEMA other; CREATE TABLE other.kept (id int); INSERT INTO one VALUES (1, 'gone')",
    );
    project.run(&["migrate", "reset", "--url", database.url()]).exits(1).says("--force");
    assert_eq!(query(&database, "SELECT count(*) FROM one"), ["1"]);
    project.run(&["migrate", "reset", "--force", "--url", database.url()]).exits(0).says("applied 2 migrations");
    assert_eq!(query(&database, TABLES), ["one", "two"]);
    assert_eq!(query(&database, "SELECT count(*) FROM one"), ["0"]);
    assert_eq!(query(&database, STATES), ["20260101000000_one applied", "20260102000000_two applied"]);
    let rest =
        "SELECT typname FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype <> 'c' AND typelem = 0";
    assert_eq!(query(&database, rest), Vec::<String>::new());
    assert_eq!(query(&database, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"), ["0"]);
    assert_eq!(query(&database, "SELECT count(*) FROM other.kept"), ["0"]);
}

#[test]
fn reset_runs_the_seed_unless_it_is_skipped() {
    let (project, database) = (two_migrations(), database("reset_seed"));
    let reset =
        |more: &[&str]| project.run(&[&["migrate", "reset", "--force", "--url", database.url()], more].concat());
    // A file that nothing names is for `db seed` only.
    project.write("seed.sql", "CREATE TABLE seeded ()");
    reset(&[]).exits(0).hides("ran 1 statement");
    project.write("codegen.toml", "seed = \"seed.sql\"\n");
    reset(&[]).exits(0).says("applied 2 migrations").says("ran 1 statement");
    assert_eq!(query(&database, "SELECT to_regclass('seeded') IS NOT NULL"), ["t"]);
    for skip in ["--skip-seed", "--no-seed"] {
        reset(&[skip]).exits(0).hides("ran 1 statement");
        assert_eq!(query(&database, "SELECT to_regclass('seeded') IS NULL"), ["t"]);
    }
    project.write("codegen.toml", "seed = \"echo from the seed; exit 5\"\n");
    reset(&[]).exits(5).says("applied 2 migrations").says("from the seed").says("has failed");
}

#[test]
fn reset_leaves_all_alone_when_another_schema_depends_on_ours() {
    let (project, database) = (two_migrations(), database("reset_too_far"));
    project.deploy(&database).exits(0);
    query(&database, "CREATE SCHEMA other; CREATE TABLE other.t (one int REFERENCES one)");
    project
        .run(&["migrate", "reset", "--force", "--url", database.url()])
        .exits(1)
        .says("constraint t_one_fkey on table other.t")
        .says("nothing was changed");
    assert_eq!(query(&database, TABLES), ["one", "two"]);
}

#[test]
fn a_column_under_a_view_is_told_before_and_refused_whole() {
    let (project, database) = (Project::new(), database("under_a_view"));
    let dev = |schema: &str, more: &[&str]| {
        project.write("schema.dsl", schema);
        project.run(&[&["migrate", "dev", "--url", database.url()], more].concat())
    };
    dev("model T {\n  id Int @id\n  a Int\n  b Int\n}\n", &["--name", "one"]).exits(0);
    query(&database, "CREATE VIEW v AS SELECT a, b FROM \"T\"");
    dev("model T {\n  id Int @id\n  a String\n}\n", &["--name", "two", "--create-only"]).exits(0);
    let lint = ["migrate", "lint", "--url", database.url()];
    project.run(&lint).exits(1).says("F208").says("generated column uses it: view v");
    project.deploy(&database).exits(1).says("cannot alter type of a column used by a view").says("drop the view");
    project.status(&database).exits(2);
    let path = format!("migrations/{}/migration.sql", project.list("migrations")[1]);
    let sql = project.read(&path);
    project.write(&path, format!("DROP VIEW v;\n{sql}\nCREATE VIEW v AS SELECT a FROM \"T\";\n"));
    // One that goes before is not in the way.
    project.run(&lint).exits(0).hides("F208");
    project.run(&["migrate", "dev", "--url", database.url()]).exits(0);
    assert_eq!(query(&database, "SELECT count(*) FROM v"), ["0"]);
    project.status(&database).exits(0);
}

#[test]
fn warnings_of_the_server_are_shown() {
    let (project, database) = (Project::new(), database("warnings"));
    let raise = "DO $$ BEGIN RAISE WARNING E'not all\\n of it'; RAISE NOTICE 'only a notice'; END $$;";
    project.migration("20260101000000_one", raise);
    project.deploy(&database).exits(0).says("warning: PostgreSQL says: not all  of it").hides("only a notice");
}
