//! The runner as a program calls it that carries its migrations.

use std::sync::{Arc, Mutex};

use relata::migrate::{self, Error, Event, Migrations, Options, Problem};
use tokio_postgres::{Client, NoTls};

use crate::support::database;

const SETTINGS: &str = "SELECT string_agg(current_setting(name), ' ' ORDER BY name)
    FROM unnest('{application_name,lock_timeout,statement_timeout,timezone,search_path}'::text[]) AS name";

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn one(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.expect("runs").get(0)
}

#[tokio::test]
async fn a_program_runs_its_migrations_at_start_and_keeps_its_settings() {
    let database = database("embedded");
    let mut client = connect(database.url()).await;
    client
        .batch_execute("SET lock_timeout = '7s'; SET timezone = 'Asia/Tokyo'; SET application_name = 'program'")
        .await
        .expect("runs");
    let before = one(&client, SETTINGS).await;
    let migrations = Migrations::from_static(&[
        ("2_two", "-- relata:segment outside\nCREATE INDEX CONCURRENTLY t_a ON t (a)"),
        ("1_one", "CREATE TABLE t (a int); SET lock_timeout = 0"),
    ])
    .expect("well-formed");
    let events = Arc::new(Mutex::new(Vec::new()));
    let mut options = Options::default();
    let heard = Arc::clone(&events);
    options.on_event = Some(Arc::new(move |event| heard.lock().expect("not poisoned").push(event.clone())));

    let report = migrate::deploy(&mut client, &migrations, &options).await.expect("applied");
    assert_eq!(report.applied, ["1_one", "2_two"]);
    let applied = Event::Applied { name: "2_two".to_owned() };
    assert_eq!(events.lock().expect("not poisoned").last(), Some(&applied));
    assert_eq!(one(&client, SETTINGS).await, before);
    assert_eq!(
        one(&client, "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            .await,
        "0"
    );

    let again = migrate::deploy(&mut client, &migrations, &options).await.expect("nothing to do");
    assert_eq!((again.applied.len(), again.already_applied), (0, 2));
    let status = migrate::status(&client, &migrations).await.expect("readable");
    assert_eq!((status.applied.len(), status.pending.len(), status.problems.len()), (2, 0, 0));
}

#[tokio::test]
async fn a_failure_leaves_the_connection_usable_and_says_where() {
    let database = database("embedded_failure");
    let mut client = connect(database.url()).await;
    let broken =
        Migrations::from_static(&[("1_one", "CREATE TABLE t (a int);\nSELECT nonsense;")]).expect("well-formed");
    let options = Options::default();
    match migrate::deploy(&mut client, &broken, &options).await {
        Err(Error::Statement(error)) => {
            assert_eq!((error.line, error.statement.as_str()), (2, "SELECT nonsense"));
            assert_eq!(error.source.code().map(|code| code.code()), Some("42703"));
        }
        other => panic!("{other:?}"),
    }
    let whole = Migrations::from_static(&[("1_one", "CREATE TABLE t (a int);")]).expect("well-formed");
    migrate::deploy(&mut client, &whole, &options).await.expect("applied");
    match migrate::deploy(&mut client, &broken, &options).await {
        Err(Error::History { problems }) => assert_eq!(problems, [Problem::Edited { name: "1_one".to_owned() }]),
        other => panic!("{other:?}"),
    }
    let twice = Migrations::from_static(&[("1_one", ""), ("1_one", "")]);
    assert!(matches!(twice, Err(Error::DuplicateName { name }) if name == "1_one"));
}
