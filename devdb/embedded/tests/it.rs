//! The embedded engine through relata-devdb: databases, templates, and that nothing hangs or is left behind.

use relata_devdb::{DevDb, Source};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The engine is unpacked once for all tests.
fn start() -> DevDb {
    let builder = DevDb::builder().only(Source::Embedded).directory(env!("CARGO_TARGET_TMPDIR"));
    builder.start().expect("the engine starts")
}

/// Returns the first column of the first row of the last statement that returns one.
fn ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        let _ = driver.await;
        let value = messages?.into_iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(value.unwrap_or_default())
    })
}

const SCHEMA: &str = "
    CREATE TYPE role AS ENUM ('ADMIN', 'STUDENT');
    CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE, role role NOT NULL);
    CREATE TABLE students (id int PRIMARY KEY, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE);
";

#[test]
fn a_schema_with_enums_and_foreign_keys_works() {
    let db = start();
    assert_eq!((db.source(), db.max_connections_hint()), (Source::Embedded, 100));
    assert!(db.describe().starts_with("embedded PostgreSQL 17"), "{}", db.describe());
    let database = db.create_database("schema").expect("a database");
    ask(database.url(), SCHEMA).expect("the schema is created");
    ask(database.url(), "INSERT INTO users (email, role) VALUES ('a@x.edu', 'STUDENT')").expect("a user");
    ask(database.url(), "INSERT INTO students SELECT 1, id FROM users").expect("a student");
    let role = ask(database.url(), "SELECT role FROM students JOIN users ON users.id = user_id");
    assert_eq!(role.expect("a row"), "STUDENT");
    let error = ask(database.url(), "INSERT INTO students VALUES (2, gen_random_uuid())").expect_err("no such user");
    assert_eq!(error.code().map(|code| code.code()), Some("23503"));
    assert_eq!(ask(database.url(), "SELECT current_database()").expect("a name"), database.name());
}

#[test]
fn databases_are_independent_and_used_at_the_same_time() {
    let db = start();
    std::thread::scope(|scope| {
        for number in 0..3 {
            let db = &db;
            scope.spawn(move || {
                let database = db.create_database("apart").expect("a database");
                ask(database.url(), &format!("CREATE TABLE t AS SELECT {number} AS n")).expect("a table");
                assert_eq!(ask(database.url(), "SELECT n FROM t").expect("a row"), number.to_string());
            });
        }
    });
}

#[test]
fn a_template_is_prepared_once_and_its_copies_are_independent() {
    let db = start();
    let prepared = AtomicUsize::new(0);
    // Templates of an earlier run still exist.
    let key = format!("key-{:?}", std::time::SystemTime::now());
    let copy = || {
        let prepare = |url: &str| {
            prepared.fetch_add(1, Ordering::SeqCst);
            ask(url, &format!("{SCHEMA} INSERT INTO users (email, role) VALUES ('a@x.edu', 'ADMIN')")).map(drop)
        };
        db.database_from_template(&key, prepare).expect("a copy")
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(copy);
        (copy(), other.join().expect("no panic"))
    });
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    ask(first.url(), "DELETE FROM users").expect("the copy can be written");
    assert_eq!(ask(second.url(), "SELECT email FROM users").expect("a row"), "a@x.edu");
    let failed = db.database_from_template("bad", |url| ask(url, "SELECT 1/0").map(drop));
    assert!(failed.expect_err("it fails").to_string().starts_with("the template for \"bad\""));
}

#[test]
fn a_database_of_the_main_server_can_be_asked_for_by_name() {
    let db = start();
    db.ensure_database("dev").expect("a database");
    db.ensure_database("dev").expect("it is there");
    assert_eq!(ask(&db.url("dev"), "SELECT current_database()").expect("a name"), "dev");
}

#[test]
fn dropping_a_database_does_not_wait_for_its_connection() {
    let db = start();
    let database = db.create_database("open").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.expect("a connection");
        let driver = tokio::spawn(connection);
        client.simple_query("CREATE TABLE t (n int)").await.expect("a table");
        let started = Instant::now();
        drop(database);
        assert!(started.elapsed() < Duration::from_secs(30), "dropped by force after {:?}", started.elapsed());
        assert!(client.simple_query("SELECT 1").await.is_err());
        assert!(driver.await.is_ok());
    });
}

#[test]
fn the_program_survives_rude_clients_and_ends_with_its_parent() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relata-devdb-embedded"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let folder = std::env::temp_dir().join(format!("relata-devdb-embedded-{}-0", child.id()));
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
    let url = url.trim();
    let address = url.split(['@', '/']).nth(3).expect("a host and a port");
    let mut rude = std::net::TcpStream::connect(address).expect("a connection");
    rude.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is sent");
    drop(rude);
    assert_eq!(ask(url, "SELECT 1").expect("a row"), "1");
    assert!(folder.is_dir());
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
    assert!(!folder.exists());
}

#[test]
fn wrong_usage_is_reported_on_the_first_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_relata-devdb-embedded")).arg("--port").output().expect("it runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("error: usage:"));
}
