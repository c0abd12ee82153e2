//! Raw SQL: the next call finds nothing of what it leaves on its connection.

use std::time::Duration;

use plain_planner::{Client, Error, institution};
use relata::{Result, params};

use crate::support::Fixture;
use crate::support::wiretap::{Traffic, Wiretap};

async fn client(fixture: &Fixture) -> Client {
    let builder = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1);
    builder.acquire_timeout(Duration::from_secs(20)).connect().await.expect("connects")
}

/// Each of these would leave the connection in a state that the client does not know.
#[tokio::test]
async fn transactions_by_sql_are_refused() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let tx = db.begin().await.expect("begins");
    for sql in ["BEGIN", "/* x */ start transaction", "COMMIT", "rollback", "END", "ABORT", "SAVEPOINT a", "RELEASE a"]
    {
        let inside = tx.execute_raw(sql, params![]).await.map(drop);
        for refused in [inside, tx.query_raw::<(i32,)>(sql, params![]).await.map(drop)] {
            let refused = refused.expect_err("is refused");
            assert!(matches!(refused, Error::Misuse(_)) && refused.to_string().contains("`transaction`"), "{refused}");
        }
    }
    tx.institution().create(institution::Create { name: "a".to_owned(), slug: "a".to_owned() }).await.expect("goes on");
    tx.commit().await.expect("commits");
    for client in [&db, &pooled(&fixture).await] {
        for sql in ["BEGIN", "PREPARE TRANSACTION 'a'", "COPY users FROM STDIN", "COPY users TO STDOUT"] {
            let refused = client.execute_raw(sql, params![]).await.expect_err("is refused");
            assert!(matches!(refused, Error::Misuse(_)), "{sql}: {refused}");
        }
        assert_eq!(client.institution().count().await.expect("counts"), 1);
    }
}

async fn pooled(fixture: &Fixture) -> Client {
    let builder = Client::builder(fixture.database.url()).expect("is a URL").through_pooler().max_connections(1);
    builder.connect().await.expect("connects")
}

/// The state of a session: each part equals that of a new connection.
async fn state(db: &Client) -> Vec<(String, String)> {
    let sql = "SELECT 'path', current_setting('search_path') UNION ALL SELECT 'zone', current_setting('TimeZone') \
        UNION ALL SELECT 'role', current_user::text UNION ALL SELECT 'own', coalesce(current_setting('my.own', true), '') \
        UNION ALL SELECT 'limit', current_setting('statement_timeout') \
        UNION ALL SELECT 'locks', count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
        UNION ALL SELECT 'listens', (SELECT count(*) FROM pg_listening_channels())::text \
        UNION ALL SELECT 'cursors', count(*)::text FROM pg_cursors WHERE is_holdable \
        UNION ALL SELECT 'table', coalesce(to_regclass('left_behind')::text, '') \
        UNION ALL SELECT 'prepared', count(*)::text FROM pg_prepared_statements WHERE from_sql ORDER BY 1";
    db.query_raw(sql, params![]).await.expect("is read")
}

const LEAVES_SOMETHING: [&str; 11] = [
    "SET search_path = pg_catalog",
    "SET TimeZone = 'Asia/Tokyo'",
    "SELECT set_config('my.own', 'x', false)",
    "SELECT pg_advisory_lock(7)",
    "SELECT sets_a_limit()",
    "DO $$ BEGIN PERFORM set_config('my.own', 'y', false); END $$",
    "LISTEN something",
    "CREATE TEMP TABLE left_behind (id int)",
    "SET ROLE pg_monitor",
    "PREPARE left_behind AS SELECT 1",
    "WITH held AS (SELECT pg_try_advisory_lock(8)) SELECT * FROM held",
];

/// A pooler's session has other settings at its start, which RESET ALL gives back.
#[tokio::test]
async fn the_clients_own_settings_hold_after_a_reset() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Zone, crate::support::Need::OneServer]) {
        return;
    }
    let fixture = Fixture::new().await;
    let database = fixture.database.name();
    fixture.sql(&format!("ALTER DATABASE \"{database}\" SET TimeZone = 'Asia/Tokyo'")).await;
    let db = client(&fixture).await;
    db.execute_raw("SET TimeZone = 'America/New_York'", params![]).await.expect("is set");
    let zone = db.query_raw::<(String,)>("SELECT current_setting('TimeZone')", params![]).await.expect("is read");
    assert_eq!(zone, [("UTC".to_owned(),)]);
}

#[tokio::test]
async fn what_sql_leaves_on_its_session_is_removed() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Own]) {
        return;
    }
    let fixture = Fixture::new().await;
    let sql = "CREATE FUNCTION sets_a_limit() RETURNS text LANGUAGE sql AS \
               $$ SELECT set_config('statement_timeout', '77s', false) $$";
    fixture.sql(sql).await;
    let db = client(&fixture).await;
    let fresh = state(&db).await;
    for sql in LEAVES_SOMETHING {
        for _ in 0..2 {
            db.execute_raw(sql, params![]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(state(&db).await, fresh, "{sql}");
        }
        let tx = db.begin().await.expect("begins");
        tx.execute_raw(sql, params![]).await.expect("runs");
        tx.commit().await.expect("commits");
        assert_eq!(state(&db).await, fresh, "{sql}, committed");
        let tx = db.begin().await.expect("begins");
        tx.execute_raw(sql, params![]).await.expect("runs");
        drop(tx);
        assert_eq!(state(&db).await, fresh, "{sql}, dropped");
    }
    // A cursor that outlives its transaction.
    db.execute_raw("DECLARE held CURSOR WITH HOLD FOR SELECT 1", params![]).await.expect("is declared");
    assert_eq!(state(&db).await, fresh);
    assert_eq!(db.institution().count().await.expect("counts"), 0);
    assert_eq!(db.statistics().connections, 1);
}

/// Ordinary SQL leaves nothing behind, and does not pay for what other SQL may leave.
#[tokio::test]
async fn ordinary_sql_is_one_statement_in_one_round_trip() -> Result<()> {
    let fixture = Fixture::new().await;
    let (url, tap) = Wiretap::before(fixture.database.url()).await;
    let db: Client = Client::builder(&url)?.max_connections(1).connect().await?;
    for sql in [
        "SELECT count(*) FROM institutions WHERE lower(slug) IN ('a', 'b')",
        "WITH a AS (SELECT max(length(name))::int8 AS n FROM institutions) SELECT coalesce(n, 0) FROM a",
        "SELECT id FROM (VALUES (1::int8), (2)) AS t (id)",
    ] {
        db.query_raw::<(i64,)>(sql, params![]).await?;
        tap.take();
        db.query_raw::<(i64,)>(sql, params![]).await?;
        db.query_raw::<(i64,)>(sql, params![]).await?;
        assert_eq!(tap.take(), Traffic { statements: 2, round_trips: 2 }, "{sql}");
    }
    Ok(())
}
