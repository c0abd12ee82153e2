//! Prepared statements: a connection keeps as many as the limit allows, keeps those in use, and does so at no cost.

use std::collections::HashSet;

use plain_planner::{Client, Role, institution, user};
use relata::chrono::Utc;
use relata::{Filter, params};

use crate::support::Fixture;
use crate::support::wiretap::Wiretap;

/// One of 4,096 conditions, each with its own statement.
fn condition(number: usize) -> Filter<plain_planner::User> {
    let now = Utc::now();
    let parts: [Filter<plain_planner::User>; 12] = [
        user::email.eq("a"),
        user::email.ne("b"),
        user::email.gt("c"),
        user::email.contains("d"),
        user::role.eq(Role::Admin),
        user::role.ne(Role::Student),
        user::created_at.gt(now),
        user::created_at.lt(now),
        user::created_at.eq(now),
        user::updated_at.gt(now),
        user::updated_at.lt(now),
        user::password_hash.eq("e"),
    ];
    let chosen = parts.into_iter().enumerate().filter(|(place, _)| number >> place & 1 == 1);
    Filter::all(chosen.map(|(_, part)| part))
}

const KEPT: usize = 40;

async fn client(fixture: &Fixture) -> Client {
    let builder = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1);
    builder.statement_cache_size(KEPT).connect().await.expect("connects")
}

/// Returns the bytes that the server's process has allocated, if it reports them.
async fn memory(db: &Client) -> Option<i64> {
    let view = "SELECT to_regclass('pg_backend_memory_contexts') IS NOT NULL";
    let told = db.query_raw::<(bool,)>(view, params![]).await.expect("is read") == [(true,)];
    let sum = "SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts";
    if told { Some(db.query_raw::<(i64,)>(sum, params![]).await.expect("is read").remove(0).0) } else { None }
}

#[tokio::test]
async fn the_number_of_prepared_statements_is_limited() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Named, crate::support::Need::OneServer]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    // The driver's own queries for types do not count.
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_catalog.pg_type t%' \
                    AND statement NOT LIKE '%pg_catalog.pg_enum%'";
    let count = || async { db.query_raw::<(i64,)>(prepared, params![]).await.expect("is read").remove(0).0 };
    let mut before = None;
    for number in 0..4_096 {
        db.user().count().filter(condition(number)).await.expect("counts");
        if number == 400 {
            before = memory(&db).await;
        }
        if number % 512 == 0 {
            let sql = format!("SELECT {number} + $1::int4");
            db.query_raw::<(i32,)>(&sql, params![1]).await.expect("is read");
            assert!(count().await <= KEPT as i64, "{} after {number}", count().await);
        }
    }
    // The statement that counts excludes itself.
    assert_eq!(count().await, KEPT as i64 - 1);
    if let (Some(before), Some(after)) = (before, memory(&db).await) {
        assert!(after - before < 2_000_000, "{before} bytes have become {after}");
    }
}

/// Statements in use stay prepared, and unused ones are removed, by shape and by text.
#[tokio::test]
async fn the_statements_in_use_stay() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let names = "SELECT name FROM pg_prepared_statements";
    let prepared = || async {
        let names = db.query_raw::<(String,)>(names, params![]).await.expect("is read");
        names.into_iter().map(|(name,)| name).collect::<HashSet<_>>()
    };
    let used = || async { db.institution().find_many().filter(institution::slug.eq("a")).await.expect("is read") };
    used().await;
    let first = prepared().await;
    for number in 0..KEPT * 3 {
        db.user().count().filter(condition(number)).await.expect("counts");
        used().await;
        prepared().await;
    }
    let last = prepared().await;
    let stayed = first.intersection(&last).count();
    assert_eq!(stayed, first.len(), "{first:?} and {last:?}");
}

/// A statement that replaces another costs the same as one for which there is room.
#[tokio::test]
async fn closing_a_statement_takes_no_round_trip() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Pipeline]) {
        return;
    }
    let fixture = Fixture::new().await;
    let (url, tap) = Wiretap::before(fixture.database.url()).await;
    let builder = Client::builder(&url).expect("is a URL").max_connections(1).statement_cache_size(2);
    let db: Client = builder.connect().await.expect("connects");
    let mut costs = Vec::new();
    for number in [1, 2, 4, 8, 16] {
        tap.take();
        db.user().count().filter(condition(number)).await.expect("counts");
        costs.push(tap.take());
    }
    // The first one also queries types.
    assert!(costs[1..].windows(2).all(|pair| pair[0] == pair[1]), "{costs:?}");
}

/// No statement is kept: every call prepares, and everything works.
#[tokio::test]
async fn a_client_may_keep_no_statement() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Named]) {
        return;
    }
    let fixture = Fixture::new().await;
    let url = fixture.database.url();
    let glue = if url.contains('?') { '&' } else { '?' };
    let builder = Client::builder(&format!("{url}{glue}statement_cache_size=0")).expect("is a URL");
    let db: Client = builder.max_connections(1).connect().await.expect("connects");
    for slug in ["a", "b"] {
        let row = || institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
        db.institution().create(row()).await.expect("is created");
        let (counted, found) =
            db.batch((db.institution().count(), db.institution().find_many())).await.expect("is read");
        assert_eq!(counted, found.len() as u64);
    }
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%institutions%'";
    assert_eq!(db.query_raw::<(i64,)>(prepared, params![]).await.expect("is read"), [(1,)], "this one");
}
