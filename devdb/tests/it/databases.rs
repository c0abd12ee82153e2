//! Databases are created, copied, dropped, and cleaned up after processes that died.

use crate::support::{Home, ask, exists, try_ask};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_database_starts_empty_and_is_dropped_with_its_value() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let database = db.create_database("Some Test!").expect("a database");
    assert!(database.name().starts_with("relata_test_some_test__"), "{}", database.name());
    assert_eq!(ask(database.url(), "SELECT current_database()"), database.name());
    assert_eq!(ask(database.url(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    let name = database.name().to_owned();
    drop(database);
    assert!(!exists(&db, &name));
}

#[test]
fn the_server_is_set_up_for_tests() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    for (setting, value) in
        [("fsync", "off"), ("max_connections", "200"), ("log_statement", "none"), ("TimeZone", "UTC")]
    {
        assert_eq!(ask(&db.url("postgres"), &format!("SHOW {setting}")), value, "{setting}");
    }
    assert_eq!(db.max_connections_hint(), 200);
    assert_eq!(ask(&db.url("postgres"), "SELECT upper('ä')"), "Ä");
}

#[test]
fn dropping_closes_open_connections() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let database = db.create_database("open").expect("a database");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Called from within a runtime, as async tests do.
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.expect("a connection");
        let driver = tokio::spawn(connection);
        let name = database.name().to_owned();
        drop(database);
        assert!(!exists_from_async(&db, &name).await);
        assert!(client.simple_query("SELECT 1").await.is_err());
        assert!(driver.await.is_ok());
    });
}

async fn exists_from_async(db: &relata_devdb::DevDb, name: &str) -> bool {
    let (db, name) = (db.clone(), name.to_owned());
    tokio::task::spawn_blocking(move || exists(&db, &name)).await.expect("the question is answered")
}

#[test]
fn a_template_is_prepared_once_and_its_copies_are_independent() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let prepared = AtomicUsize::new(0);
    let copies: Vec<_> = std::thread::scope(|scope| {
        let copy = || {
            db.database_from_template("key", |url| {
                prepared.fetch_add(1, Ordering::SeqCst);
                try_ask(url, "CREATE TABLE t AS SELECT 1 AS n").map(drop)
            })
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(copy)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic").expect("a copy")).collect()
    });
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    ask(copies[0].url(), "INSERT INTO t VALUES (2)");
    assert_eq!(ask(copies[0].url(), "SELECT sum(n) FROM t"), "3");
    assert!(copies[1..].iter().all(|copy| ask(copy.url(), "SELECT sum(n) FROM t") == "1"));
}

#[test]
fn a_failed_preparation_is_reported_and_not_kept() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let error = db.database_from_template("bad", |url| try_ask(url, "CREATE TABLE t (n int); SELECT 1/0").map(drop));
    let message = error.expect_err("the preparation fails").to_string();
    assert!(message.starts_with("the template for \"bad\" could not be prepared"), "{message}");
    let database = db.database_from_template("bad", |url| try_ask(url, "CREATE TABLE u (n int)").map(drop));
    assert_eq!(
        ask(database.expect("a copy").url(), "SELECT to_regclass('t') IS NULL AND to_regclass('u') IS NOT NULL"),
        "t"
    );
    let left = ask(&db.url("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'relata\\_test\\_%'");
    assert_eq!(left, "0");
}

#[test]
fn a_shared_database_is_prepared_once_and_stays() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let prepared = AtomicUsize::new(0);
    let shared = || {
        db.shared_database("key", |url| {
            prepared.fetch_add(1, Ordering::SeqCst);
            try_ask(url, "CREATE TABLE t AS SELECT 1 AS n").map(drop)
        })
        .expect("a database")
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(shared)).collect();
        let names: Vec<_> = threads.into_iter().map(|t| t.join().expect("no panic").name().to_owned()).collect();
        assert!(names.iter().all(|name| *name == names[0] && name.starts_with("relata_shared_")), "{names:?}");
    });
    ask(shared().url(), "INSERT INTO t VALUES (2)");
    assert_eq!(ask(shared().url(), "SELECT sum(n) FROM t"), "3");
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    let copy = db.database_from_template("key", |url| try_ask(url, "CREATE TABLE u (n int)").map(drop));
    assert_eq!(ask(copy.expect("another database").url(), "SELECT to_regclass('t') IS NULL"), "t");
}

#[test]
fn databases_are_kept_on_request() {
    let Some(home) = Home::new() else { return };
    let db = home.builder().keep(true).start().expect("a cluster starts");
    let copy = db.database_from_template("kept", |url| try_ask(url, "CREATE TABLE t (n int)").map(drop));
    let names = [db.create_database("kept").expect("a database"), copy.expect("a copy")].map(|it| it.name().to_owned());
    assert!(names.iter().all(|name| exists(&db, name)));
    // What is prepared for a template is no database of a test.
    assert!(db.database_from_template("bad", |url| try_ask(url, "SELECT 1 / 0").map(drop)).is_err());
    let left = ask(&db.url("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'relata\\_test\\_%'");
    assert_eq!(left, "2");
}

#[test]
fn sessions_begin_as_a_role() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    ask(&db.url("postgres"), "CREATE ROLE \"an App\\\"");
    let database = db.create_database("roles").expect("a database").with_role("an App\\");
    assert_eq!(ask(database.url(), "SELECT current_user"), "an App\\");
}

#[test]
fn starting_drops_old_databases_of_this_crate_and_no_others() {
    let Some(home) = Home::new() else { return };
    let db = home.start();
    let old = ["relata_test_x_5f000000_0123456789ab", "relata_template_0000", "relata_shared_0000"];
    let others = ["relata_production", "relata_test_data", "relata_test_x_5f000000_0123456789abc"];
    for name in old.iter().chain(&others) {
        db.ensure_database(name).expect("a database");
    }
    for name in &old[1..] {
        ask(&db.url("postgres"), &format!("COMMENT ON DATABASE {name} IS 'made by relata-devdb at 1600000000'"));
    }
    let young = db.create_database("young").expect("a database");
    home.start();
    assert!(old.iter().all(|name| !exists(&db, name)));
    assert!(others.iter().all(|name| exists(&db, name)));
    assert!(exists(&db, young.name()));
}
