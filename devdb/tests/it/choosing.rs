//! Which source is used, and what is reported if it does not work.

use crate::support::{Home, ask, exists};
use relata_devdb::{DevDb, Error, Source};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

const SECRET: &str = "hunter2";

#[test]
fn database_url_is_used_and_its_database_stays_unchanged() {
    let Some(home) = Home::new() else { return };
    let cluster = home.start();
    cluster.ensure_database("theirs").expect("a database");
    let url = cluster.url("theirs");
    let db = DevDb::builder().only(Source::Url).database_url(&url).start().expect("the server of the URL");
    let database = db.create_database("mine").expect("a database");
    assert!(exists(&cluster, database.name()));
    let copy = db.database_from_template("t", |_| Ok::<(), std::io::Error>(())).expect("a copy");
    assert_eq!(ask(copy.url(), "SELECT current_database()"), copy.name());
    let (mine, copied) = (database.name().to_owned(), copy.name().to_owned());
    drop((database, copy));
    assert!(!exists(&cluster, &mine) && !exists(&cluster, &copied));
    assert_eq!(ask(&url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
    assert!(db.describe().contains("DATABASE_URL") && db.describe().contains(":***@"), "{}", db.describe());
}

#[test]
fn a_database_url_that_does_not_work_is_explained_without_its_password() {
    let Some(home) = Home::new() else { return };
    let cluster = home.start();
    let port = cluster.url("postgres").rsplit(':').next().unwrap_or_default().to_owned();
    let refused = format!("postgres://postgres:{SECRET}@127.0.0.1:1/postgres");
    for (url, expected) in [
        (format!("postgres://postgres:{SECRET}@127.0.0.1:{port}"), "password authentication failed"),
        (refused.clone(), "refused"),
        (format!("{refused}?sslmode=require"), "refused"),
        (format!("postgres//postgres:{SECRET}@127.0.0.1"), "not a PostgreSQL connection URL"),
        (format!("postgres://postgres:{SECRET}@127.0.0.1:port/x"), "not a PostgreSQL connection URL"),
        (format!("host=127.0.0.1 port=1 user=postgres password={SECRET}"), "refused"),
    ] {
        let error = DevDb::builder().only(Source::Url).database_url(&url).start().expect_err("it does not work");
        let message = format!("{error} {error:?}");
        assert!(message.contains("DATABASE_URL"), "{message}");
        assert!(message.contains(expected), "{message} lacks {expected}");
        assert!(!message.contains(SECRET), "{message}");
    }
}

#[test]
fn a_server_that_requires_tls_is_explained() {
    let Some(home) = Home::new() else { return };
    let url = home.start().url("postgres?sslmode=require").replace("%3F", "?").replace("%3D", "=");
    let error = DevDb::builder().only(Source::Url).database_url(url).start().expect_err("no TLS");
    assert!(error.to_string().contains("devdb does not speak TLS"), "{error}");
}

#[test]
fn a_user_without_the_right_to_create_databases_is_told() {
    let Some(home) = Home::new() else { return };
    let cluster = home.start();
    ask(&cluster.url("postgres"), &format!("CREATE ROLE guest LOGIN PASSWORD '{SECRET}'"));
    let url = cluster.url("postgres");
    let host = url.rsplit('@').next().unwrap_or_default();
    let url = format!("postgres://guest:{SECRET}@{host}");
    let db = DevDb::builder().only(Source::Url).database_url(url).start().expect("the user may connect");
    let message = db.create_database("x").expect_err("the user may not create").to_string();
    assert!(message.contains("permission denied to create database"), "{message}");
    assert!(!format!("{message}{db:?}").contains(SECRET));
}

#[test]
fn nothing_found_says_what_to_do() {
    let Some(home) = Home::new() else { return };
    let error = home.builder().look_in([home.folder.clone()]).start().expect_err("there is nothing");
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    for expected in ["DATABASE_URL", "PG_BIN", "install PostgreSQL", "neither on PATH"] {
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_folder_that_is_too_long_for_a_socket_is_refused() {
    let Some(home) = Home::new() else { return };
    let error = home.builder().directory(home.folder.join("x".repeat(100))).start().expect_err("too long");
    assert!(error.to_string().starts_with("RELATA_DEVDB_DIR:"), "{error}");
}

/// The server's user is another one than root, whose folders are often closed.
#[test]
fn a_folder_that_the_servers_user_may_not_enter_is_refused() {
    let Some(home) = Home::new() else { return };
    if !is_root() {
        relata_devdb::skip("only root starts the server as another user");
        return;
    }
    let closed = home.folder.join("closed");
    let folder = closed.join("cluster");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).expect("its permissions");
    // No other source is tried: the folder was asked for.
    let output = home.devdb(&["url"]).env("RELATA_DEVDB_DIR", &folder).env_remove("RELATA_DEVDB").output();
    let output = output.expect("devdb runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    let expected = format!("{} is closed to other users", closed.display());
    for expected in ["RELATA_DEVDB_DIR:", &expected, &format!("chmod o+x {}", closed.display())] {
        assert!(message.contains(expected), "{message} lacks {expected}");
    }
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o711)).expect("its permissions");
    home.builder().directory(&folder).start().expect("the user may enter now");
    home.builder().directory(&folder).stop().expect("it stops");
}

/// PostgreSQL is there and does not work: what takes its place is said.
#[test]
fn an_installation_that_does_not_work_is_told() {
    let Some(home) = Home::new() else { return };
    let programs = home.folder.join("bin");
    std::fs::create_dir_all(&programs).expect("a folder");
    for name in ["postgres", "initdb", "pg_ctl"] {
        std::fs::write(programs.join(name), "#!/bin/sh\nexit 1\n").expect("a program");
        std::fs::set_permissions(programs.join(name), PermissionsExt::from_mode(0o755)).expect("its permissions");
    }
    // Nothing else is on PATH, so that the embedded one is not found either.
    let mut devdb = home.devdb(&["url"]);
    devdb.env("PATH", &programs).env("CARGO", programs.join("cargo")).env("CARGO_TARGET_DIR", &home.folder);
    let output = devdb.env_remove("RELATA_DEVDB").output();
    let output = output.expect("devdb runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("the PostgreSQL on this machine cannot be used: "), "{message}");
    assert!(message.contains("the embedded one takes its place"), "{message}");
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
