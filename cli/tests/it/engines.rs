//! `--engine`: what a run does on a server that lacks advisory locks and transactional DDL. PostgreSQL stands in for it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use relata_devdb::TestDatabase;

use crate::support::{Output, Project, database, output, query};

fn deploy(project: &Project, database: &TestDatabase, more: &[&str]) -> Output {
    project.run(&[&["migrate", "deploy", "--url", database.url(), "--engine", "cockroachdb"], more].concat())
}

#[test]
fn a_run_for_another_engine_is_recorded_and_compared() {
    let (project, database) = (Project::new(), database("engines"));
    project.migration("20260101000000_first", "CREATE TABLE note (id int PRIMARY KEY);\nINSERT INTO note VALUES (1);");
    deploy(&project, &database, &[]).exits(0).says("applied 1 migration");
    deploy(&project, &database, &[]).exits(0).says("is up to date");
    let status = ["migrate", "status", "--url", database.url(), "--engine", "cockroachdb"];
    project.run(&status).exits(0).says("applied  20260101000000_first").says("engine   CockroachDB");
    // The history is that of another engine.
    project.run(&["migrate", "deploy", "--url", database.url()]).exits(1).says("with the same engine as before");
    // The tables of the run are not part of the schema.
    project.run(&["db", "pull", "--url", database.url()]).exits(0);
    assert!(!project.read("schema.dsl").contains("relata"), "{}", project.read("schema.dsl"));
    let shown = ["migrate", "baseline", "--url", database.url(), "--engine", "cockroachdb", "--force"];
    project.run(&shown).exits(1).says("already has a history");
    project
        .run(&["migrate", "reset", "--url", database.url(), "--engine", "cockroachdb", "--force"])
        .exits(1)
        .says("drop the database and create it again");
}

#[test]
fn what_an_engine_does_not_have_is_named_before_anything_runs() {
    let (project, database) = (Project::new(), database("engines_missing"));
    project.migration("20260101000000_first", "CREATE TABLE a (id int PRIMARY KEY);");
    project.migration("20260102000000_second", "CREATE TABLE b (\n  a int REFERENCES a (id)\n);");
    let refused = project.run(&["migrate", "deploy", "--url", database.url(), "--engine", "aurora-dsql"]).exits(1);
    refused.says("Aurora DSQL does not have").says("20260102000000_second/migration.sql:1: REFERENCES");
    assert_eq!(query(&database, "SELECT count(*) FROM pg_class WHERE relname = 'a'"), ["0"]);
    project
        .run(&["migrate", "deploy", "--url", database.url(), "--engine", "oracle"])
        .exits(64)
        .says("write one of postgresql, cockroachdb, yugabytedb, aurora-dsql, spanner");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn wait_for(database: &TestDatabase, sql: &str, value: &str) {
    let started = Instant::now();
    while query(database, sql) != [value] {
        assert!(started.elapsed() < Duration::from_secs(60), "{sql} is not {value}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const SLOW: &str =
    "CREATE TABLE note (id int);\nINSERT INTO note SELECT 1 FROM pg_sleep(2);\nINSERT INTO note VALUES (2);";
const DONE: &str = "SELECT steps_done FROM _relata_migrations";

/// A process that is stopped past its lease finds out that another one has taken over.
#[cfg(unix)]
#[test]
fn a_process_that_is_paused_past_its_lease_stops() {
    let (project, database) = (Project::new(), database("engines_paused"));
    project.migration("20260101000000_first", SLOW);
    query(&database, "CREATE SCHEMA IF NOT EXISTS public");
    let paused =
        project.spawn(&["migrate", "deploy", "--url", database.url(), "--engine", "cockroachdb", "--lease", "1"]);
    wait_for(&database, "SELECT count(*) FROM pg_class WHERE relname = '_relata_migrations'", "1");
    wait_for(&database, &format!("SELECT count(*) FROM ({DONE}) AS t WHERE steps_done = 1"), "1");
    signal(&paused, "-STOP");
    deploy(&project, &database, &["--lock-wait", "60"])
        .exits(0)
        .says("waiting for another")
        .says("applied 1 migration");
    signal(&paused, "-CONT");
    output(paused).exits(1).says("lost the migration lock");
    assert_eq!(query(&database, "SELECT string_agg(state || steps_done, ',') FROM _relata_migrations"), ["applied3"]);
}

/// A process that is killed leaves its lease, which ends, and its migration, which is completed.
#[cfg(unix)]
#[test]
fn a_process_that_is_killed_is_followed_by_the_next() {
    let (project, database) = (Project::new(), database("engines_killed"));
    project.migration("20260101000000_first", SLOW);
    let killed =
        project.spawn(&["migrate", "deploy", "--url", database.url(), "--engine", "cockroachdb", "--lease", "1"]);
    wait_for(&database, "SELECT count(*) FROM pg_class WHERE relname = '_relata_migrations'", "1");
    wait_for(&database, &format!("SELECT count(*) FROM ({DONE}) AS t WHERE steps_done = 1"), "1");
    signal(&killed, "-KILL");
    let next = deploy(&project, &database, &["--lock-wait", "60"]).exits(0).says("resuming after 1 statement");
    next.says("applied 1 migration");
    assert!(output(killed).code != 0);
    wait_for(&database, DONE, "3");
    assert!(query(&database, "SELECT count(*) FROM note WHERE id = 2") == ["1"]);
}

/// Whichever command holds the lock when its process is killed, the next one has it as soon as the lease ends.
#[cfg(unix)]
#[test]
fn every_command_that_takes_the_lock_has_a_lease() {
    let (project, database) = (Project::new(), database("engines_leases"));
    project.migration("20260101000000_first", "CREATE TABLE note (id int);");
    project.write("migrations/20260101000000_first/down.sql", "SELECT pg_sleep(2);\nDROP TABLE note;");
    deploy(&project, &database, &[]).exits(0);
    let target = ["--url", database.url(), "--engine", "cockroachdb"];
    let lease = ["--lease", "1", "--lock-wait", "20"];
    let down = [&["migrate", "down", "--allow-data-loss"], &target[..], &lease].concat();
    let killed = project.spawn(&down);
    wait_for(&database, "SELECT count(*) FROM _relata_migrations WHERE kind = 'down' AND state = 'running'", "1");
    signal(&killed, "-KILL");
    assert!(output(killed).code != 0);
    // `down` reads the history before it waits for the lock, and does not undo what seems to be running.
    let started = Instant::now();
    while project.run(&down).code != 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "the lease does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(query(&database, "SELECT count(*) FROM pg_class WHERE relname = 'note'"), ["0"]);

    // The others say who has the lock, and wait for as long as they are told.
    let held = "UPDATE _relata_migrations_lock SET holder = 'another:7', ends_at = now() + interval '1 hour'";
    query(&database, held);
    let short = ["--lease", "1", "--lock-wait", "0"];
    let resolve = ["migrate", "resolve", "20260101000000_first", "--applied"];
    let baseline = ["migrate", "baseline", "--force"];
    for command in [&resolve[..], &baseline, &["migrate", "deploy"]] {
        project.run(&[command, &target, &short].concat()).exits(1).says("another:7");
    }
    query(&database, "UPDATE _relata_migrations_lock SET ends_at = now()");
    project.run(&[&resolve[..], &target, &lease].concat()).exits(0);
}
