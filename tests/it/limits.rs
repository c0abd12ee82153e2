//! Limits and retries of transactions, of the pool, and of connecting.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plain_planner::{Client, Error, Isolation, institution};
use relata::{Result, params};
use relata_devdb::Feature;

use crate::support::{Fixture, Need, database, devdb};

fn row(slug: &str) -> institution::Create {
    institution::Create { name: slug.to_owned(), slug: slug.to_owned() }
}

/// The settings that a transaction reports.
async fn setting(tx: &plain_planner::Transaction, name: &str) -> String {
    let sql = "SELECT current_setting($1)";
    tx.query_raw::<(String,)>(sql, params![name]).await.expect("is read").remove(0).0
}

#[tokio::test]
async fn a_transaction_begins_with_the_requested_settings() {
    let fixture = Fixture::new().await;
    let tx = fixture
        .db
        .begin()
        .isolation(Isolation::Serializable)
        .read_only()
        .deferrable()
        .statement_timeout(Duration::from_secs(7))
        .lock_timeout(Duration::from_millis(1500))
        .idle_timeout(Duration::from_secs(60))
        .await
        .expect("begins");
    for (name, value) in [
        ("transaction_isolation", "serializable"),
        ("transaction_read_only", "on"),
        ("transaction_deferrable", "on"),
        ("statement_timeout", "7s"),
        ("lock_timeout", "1500ms"),
        ("idle_in_transaction_session_timeout", "1min"),
    ] {
        assert_eq!(setting(&tx, name).await, value, "{name}");
    }
    let refused = tx.institution().create(row("a")).await;
    assert_eq!(refused.expect_err("is read only").sqlstate(), Some("25006"));
    tx.rollback().await.expect("rolls back");
    let tx = fixture.db.begin().await.expect("begins");
    assert_eq!(setting(&tx, "statement_timeout").await, "0", "limits end with their transaction");
    assert_eq!(setting(&tx, "transaction_isolation").await, "read committed");
}

#[tokio::test]
async fn a_statement_has_its_own_limit() {
    let fixture = Fixture::new().await;
    if devdb().skips_without(&[Feature::Timeouts]) {
        return;
    }
    let slept: Result<Vec<(i32,)>> = fixture
        .db
        .transaction(|tx| async move { tx.query_raw("SELECT 1 FROM pg_sleep(600)", params![]).await })
        .statement_timeout(Duration::from_millis(50))
        .await;
    let late = slept.expect_err("takes too long");
    assert!(late.sqlstate() == Some("57014") && late.is_timeout(), "{late}");
}

/// Two transactions lock two rows in opposite orders: PostgreSQL ends one of them, which is retried.
#[tokio::test]
async fn a_deadlock_is_retried() {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    for slug in ["a", "b"] {
        db.institution().create(row(slug)).await.expect("is created");
    }
    let (runs, both_locked) = (AtomicU32::new(0), tokio::sync::Barrier::new(2));
    let locks = |first: &'static str, second: &'static str| {
        let (runs, both_locked) = (&runs, &both_locked);
        let own_runs = AtomicU32::new(0);
        db.retrying(3).transaction(move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            let again = own_runs.fetch_add(1, Ordering::SeqCst) > 0;
            async move {
                let rename = |slug| tx.institution().update(institution::slug.eq(slug)).set(institution::name.to("x"));
                rename(first).await?;
                if !again {
                    both_locked.wait().await;
                }
                rename(second).await
            }
        })
    };
    let (one, other) = both(locks("a", "b").into_future(), locks("b", "a").into_future()).await;
    one.expect("holds");
    other.expect("holds");
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of the two ran twice");
}

async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    tokio::join!(a, b)
}

/// A trigger that acts when the transaction commits, the last point at which a row can be refused.
async fn at_commit(fixture: &Fixture, body: &str) {
    for sql in [
        "CREATE SEQUENCE attempts",
        &format!("CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"),
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON institutions DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION at_commit()",
    ] {
        fixture.sql(sql).await;
    }
}

/// Creates a row in a transaction that may be retried. Returns how often it ran.
async fn create_with_retries(fixture: &Fixture) -> (u32, Result<()>) {
    let runs = AtomicU32::new(0);
    let done = fixture
        .db
        .retrying(5)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move { tx.institution().create(row("a")).await.map(drop) }
        })
        .await;
    (runs.load(Ordering::SeqCst), done)
}

/// The server reported that it rolled back, and why: running everything again is safe.
#[tokio::test]
async fn a_conflict_at_commit_is_retried() {
    if devdb().skips_behind_pooler(&[Need::Deferred]) {
        return;
    }
    let fixture = Fixture::new().await;
    let body = "IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END IF;";
    at_commit(&fixture, body).await;
    let (runs, done) = create_with_retries(&fixture).await;
    done.expect("holds at last");
    assert_eq!(runs, 3);
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn another_failure_of_commit_is_not_retried() {
    let fixture = Fixture::new().await;
    at_commit(&fixture, "RAISE EXCEPTION 'never' USING ERRCODE = '23514';").await;
    let (runs, done) = create_with_retries(&fixture).await;
    assert_eq!((runs, done.expect_err("is refused").sqlstate()), (1, Some("23514")));
}

/// The connection ends in the middle of COMMIT: the outcome is unknown, so nothing is done twice.
#[tokio::test]
async fn a_commit_without_a_response_is_not_retried() {
    let fixture = Fixture::new().await;
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    at_commit(&fixture, "PERFORM pg_terminate_backend(pg_backend_pid());").await;
    let (runs, done) = create_with_retries(&fixture).await;
    assert!(matches!(done, Err(Error::CommitUnknown)), "{done:?}");
    assert_eq!(runs, 1);
}

/// The protocol counts the parameters of a statement in 16 bits. One more is refused before anything is sent, and the
/// connection stays usable. An array is one parameter.
#[tokio::test]
async fn more_parameters_than_postgresql_accepts_are_refused() {
    let fixture = Fixture::new().await;
    let db = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1).connect().await;
    let db: Client = db.expect("connects");
    let pid =
        || async { db.query_raw::<(i32,)>("SELECT pg_backend_pid()", params![]).await.expect("is read").remove(0).0 };
    let before = pid().await;
    let many = |count: usize| relata::Filter::any((0..count).map(|slug| institution::slug.eq(slug.to_string()).into()));
    let values: Vec<_> = (0..65_536).map(|value: i32| relata::IntoParam::into_param(value)).collect();
    let tx = db.begin().await.expect("begins");
    let inside = tx.institution().count().filter(many(65_536)).await.map(drop);
    tx.institution().create(row("goes-on")).await.expect("nothing was sent");
    tx.commit().await.expect("commits");
    for refused in [
        db.institution().count().filter(many(65_536)).await.map(drop),
        db.institution().find_many().filter(many(65_536)).await.map(drop),
        db.institution().find_many().filter(many(65_536)).stream().next().await.expect("says why").map(drop),
        db.institution().delete_many().filter(many(65_536)).await.map(drop),
        db.batch((db.institution().count(), db.institution().count().filter(many(65_536)))).await.map(drop),
        db.query_raw::<(i32,)>("SELECT $1::int4", values.clone()).await.map(drop),
        db.execute_raw("SELECT $1::int4", values).await.map(drop),
        inside,
    ] {
        let refused = refused.expect_err("is refused");
        assert!(matches!(refused, Error::TooComplex(_)), "{refused}");
        let text = refused.to_string();
        assert!(text.contains("65536 parameters") && text.contains("`in_`"), "{text}");
    }
    assert_eq!(db.institution().count().filter(many(1_000)).await.expect("counts"), 0);
    let slugs: Vec<String> = (0..70_000).map(|slug| slug.to_string()).collect();
    assert_eq!(db.institution().count().filter(institution::slug.in_(slugs)).await.expect("counts"), 0);
    assert_eq!(pid().await, before, "the connection was kept");
}

#[tokio::test]
async fn a_full_pool_says_how_full_it_is() {
    let fixture = Fixture::new().await;
    let db: Client = Client::builder(fixture.database.url())
        .expect("is a URL")
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect()
        .await
        .expect("connects");
    let tx = db.begin().await.expect("begins");
    let (first, second) = tokio::join!(db.institution().count().into_future(), db.institution().exists().into_future());
    let (first, second) = (first.expect_err("waits in vain"), second.expect_err("waits in vain"));
    for error in [first, second] {
        let text = error.to_string();
        assert!(text.contains("all 1 of 1 are in use") && text.contains("tasks wait"), "{text}");
        let Error::PoolTimeout { max_size, in_use, waiting, .. } = error else { panic!("{text}") };
        assert!((max_size, in_use) == (1, 1) && waiting <= 1, "{text}");
    }
    tx.rollback().await.expect("rolls back");
    db.institution().count().await.expect("is free again");
}

/// A server that accepts the connection and sends nothing.
#[tokio::test]
async fn connecting_has_a_limit() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("postgresql://me:hunter2@{}/db", silent.local_addr().expect("is bound"));
    let limit = Duration::from_millis(100);
    let error = Client::builder(&url).expect("is a URL").connect_timeout(limit).connect().await;
    let error = error.expect_err("gets no answer");
    assert!(matches!(error, Error::Timeout { limit: known, .. } if known == limit), "{error:?}");
    assert!(error.to_string().contains("connecting to PostgreSQL took longer than 100ms"), "{error}");
    assert!(error.is_timeout() && !error.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_lazy_client_connects_with_its_first_call() {
    let database = database();
    let db = Client::builder(database.url()).expect("is a URL").connect_lazily().expect("needs no server");
    assert_eq!(db.statistics().connections, 0);
    assert_eq!(db.institution().count().await.expect("connects"), 0);
    assert_eq!(db.statistics().connections, 1);

    let unreachable = "postgres://nobody@127.0.0.1:1/nothing";
    let down = Client::builder(unreachable).expect("is a URL").connect_lazily().expect("needs no server");
    let refused = down.institution().count().await;
    assert!(matches!(refused, Err(Error::Connect { .. })), "{refused:?}");
    let with_replica = Client::builder(unreachable).expect("is a URL").replica(unreachable).connect_lazily();
    assert!(matches!(with_replica, Err(Error::Config(_))), "{with_replica:?}");
}
