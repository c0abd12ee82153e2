//! Runs that end in the middle: killed processes and statements that fail outside a transaction.

use relata_devdb::Feature;

use crate::support::{Project, Session, database, eventually, output, query, server};

const ROW: &str =
    "SELECT state || ' ' || steps_done || ' of ' || steps_total FROM _relata_migrations ORDER BY id DESC LIMIT 1";
const VALID: &str = "SELECT c.relname || ' ' || i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                     WHERE i.indrelid = 't'::regclass ORDER BY 1";

const SEGMENTS: &str = "\
CREATE TABLE extra (id int);
-- relata:segment outside
CREATE INDEX CONCURRENTLY t_a ON t (a);
CREATE UNIQUE INDEX CONCURRENTLY t_b ON t (b);
CREATE INDEX CONCURRENTLY t_c ON t (c);
-- relata:segment transactional
ALTER TABLE extra ADD COLUMN note text;
";

fn project_with_table(database: &relata_devdb::TestDatabase) -> Project {
    let project = Project::new();
    project.migration(
        "1_table",
        "CREATE TABLE t (a int, b int, c int);\nINSERT INTO t SELECT i, i, i FROM generate_series(1, 9) i",
    );
    project.deploy(database).exits(0);
    project
}

#[test]
fn a_failure_outside_a_transaction_is_resumed_where_it_was() {
    let database = database("resume");
    let project = project_with_table(&database);
    query(&database, "UPDATE t SET b = 1");
    project.migration("2_indexes", SEGMENTS);
    project
        .deploy(&database)
        .exits(1)
        .says("2_indexes/migration.sql:4: could not create unique index")
        .says("SQLSTATE 23505")
        .says("stopped after 2 of its statements");
    assert_eq!(query(&database, ROW), ["failed 2 of 5"]);
    assert_eq!(query(&database, VALID), ["t_a true", "t_b false"]);
    project.status(&database).exits(3).says("stopped after 2 of its statements");

    // What has run may not change, what has not may.
    project.migration("2_indexes", &SEGMENTS.replace("extra (id int)", "extra (id bigint)"));
    project.deploy(&database).exits(1).says("the first 2 statements of 2_indexes have run and were edited since");
    project.migration("2_indexes", SEGMENTS);
    query(&database, "UPDATE t SET b = a");
    project.deploy(&database).exits(0).says("going on, 2 statements were done");
    assert_eq!(query(&database, ROW), ["applied 5 of 5"]);
    assert_eq!(query(&database, VALID), ["t_a true", "t_b true", "t_c true"]);
}

#[test]
fn a_deployer_that_is_killed_outside_a_transaction_is_resumed() {
    if server().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let database = database("killed_outside");
    // Without client_connection_check_interval, the server waits for the index before it looks for its client.
    if query(&database, "SELECT count(*) FROM pg_settings WHERE name = 'client_connection_check_interval'") == ["0"] {
        return relata_devdb::skip("needs PostgreSQL 14");
    }
    let project = project_with_table(&database);
    project.migration("2_indexes", SEGMENTS);
    let writer = Session::open(database.url());
    writer.sql("BEGIN; UPDATE t SET a = a");
    let mut deployer = project.spawn(&["migrate", "deploy", "--url", database.url()]);
    eventually("the index is being built", || query(&database, VALID) == ["t_a false"]);
    deployer.kill().expect("killed");
    deployer.wait().expect("ended");
    let building = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'relata migrate' AND datname = current_database()";
    eventually("the server notices", || query(&database, building) == ["0"]);
    project.status(&database).exits(3).says("2_indexes was interrupted after 1 of its statements");
    writer.sql("COMMIT");

    project.deploy(&database).exits(0).says("going on, 1 statement was done");
    assert_eq!(query(&database, ROW), ["applied 5 of 5"]);
    assert_eq!(query(&database, VALID), ["t_a true", "t_b true", "t_c true"]);
}

#[test]
fn a_statement_that_took_effect_before_the_kill_is_not_repeated() {
    let database = database("killed_after");
    let project = project_with_table(&database);
    project.migration("2_indexes", SEGMENTS);
    project.deploy(&database).exits(0);
    // As a kill between the index and its count leaves it.
    query(
        &database,
        "UPDATE _relata_migrations SET state = 'running', steps_done = 1, step_hashes = step_hashes[1:1], backend_pid = 0
         WHERE name = '2_indexes'; DROP INDEX t_b, t_c; ALTER TABLE extra DROP COLUMN note",
    );
    project.deploy(&database).exits(0);
    assert_eq!(query(&database, ROW), ["applied 5 of 5"]);
    assert_eq!(query(&database, VALID), ["t_a true", "t_b true", "t_c true"]);
}

#[test]
fn a_deployer_that_is_killed_in_a_transaction_leaves_nothing() {
    if server().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let database = database("killed_inside");
    let project = project_with_table(&database);
    project.migration("2_slow", "CREATE TABLE slow (id int);\nSELECT pg_sleep(20);");
    let mut deployer = project.spawn(&["migrate", "deploy", "--url", database.url()]);
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()";
    eventually("the migration runs", || query(&database, sleeping) == ["1"]);
    deployer.kill().expect("killed");
    deployer.wait().expect("ended");
    assert_eq!(query(&database, "SELECT to_regclass('slow') IS NULL"), ["t"]);
    assert_eq!(query(&database, ROW), ["applied 2 of 2"]);

    project.migration("2_slow", "CREATE TABLE slow (id int);");
    // Waits until the server has noticed.
    output(project.spawn(&["migrate", "deploy", "--url", database.url()])).exits(0).says("applied 1 migration");
}

#[test]
fn an_invalid_index_that_would_be_kept_is_refused() {
    let database = database("invalid_kept");
    let project = project_with_table(&database);
    query(&database, "UPDATE t SET b = 1");
    project.migration(
        "2_index",
        "-- relata:segment outside\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_b ON t (b);",
    );
    project.deploy(&database).exits(1).says("SQLSTATE 23505");
    // Somebody else's attempt left it, so this run does not drop it.
    query(&database, "UPDATE _relata_migrations SET state = 'rolled_back' WHERE state = 'failed'");
    project.deploy(&database).exits(1).says("the index public.t_b exists but is invalid");
}
