//! Which source is used, and what is reported if it does not work.

use crate::support::{Home, ask, exists};
use relata_devdb::{DevDb, Error, Source};

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
