//! The `devdb` command: output for scripts on stdout, and exit codes.

use crate::support::{Home, ask, stderr, stdout};

#[test]
fn start_status_url_and_stop() {
    let Some(home) = Home::new() else { return };
    let devdb = |arguments: &[&str]| home.devdb(arguments).output().expect("devdb runs");
    assert_eq!(devdb(&["status"]).status.code(), Some(1));
    let started = devdb(&["start"]);
    assert!(started.status.success() && stderr(&started).starts_with("devdb: PostgreSQL "), "{}", stderr(&started));
    let url = devdb(&["url", "a b"]);
    assert_eq!(ask(&stdout(&url), "SELECT current_database()"), "a b");
    assert!(!stderr(&url).contains("@127"), "{}", stderr(&url));
    let socket = stdout(&devdb(&["psql-url"]));
    assert!(socket.starts_with("postgres:///dev?host=%2F") && !socket.contains("password"), "{socket}");
    assert_eq!(devdb(&["status"]).status.code(), Some(0));
    assert_eq!(stderr(&devdb(&["stop"])), "devdb: stopped");
    assert_eq!(devdb(&["status"]).status.code(), Some(1));
}

#[test]
fn run_gives_a_command_a_database_and_returns_its_exit_code() {
    let Some(home) = Home::new() else { return };
    let output = home.devdb(&["run", "sh", "-c", "echo $DATABASE_URL; exit 7"]).output().expect("devdb runs");
    assert_eq!(output.status.code(), Some(7));
    let url = stdout(&output);
    let name = url.rsplit('/').next().unwrap_or_default();
    assert!(name.starts_with("relata_test_run_"), "{url}");
    assert!(!crate::support::exists(&home.start(), name));
}

#[test]
fn wrong_usage_and_wrong_settings() {
    let Some(home) = Home::new() else { return };
    assert_eq!(home.devdb(&["strat"]).output().expect("devdb runs").status.code(), Some(64));
    for (name, value, expected) in [
        ("PG_BIN", "/nonexistent", "PG_BIN: /nonexistent does not hold postgres"),
        ("RELATA_DEVDB", "sqlite", "RELATA_DEVDB: there is no source \"sqlite\""),
        ("RELATA_DEVDB_IDLE", "soon", "RELATA_DEVDB_IDLE: \"soon\" is not a number of seconds"),
    ] {
        let output = home.devdb(&["start"]).env(name, value).output().expect("devdb runs");
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with(&format!("devdb: {expected}")), "{}", stderr(&output));
    }
}
