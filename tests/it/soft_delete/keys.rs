//! Unique keys: those that hold for live rows only, and those that deleted rows keep.

use relata::Error;

use super::client::{team, user};
use super::{World, ids};

fn row(id: i32, email: &str) -> user::Create {
    user::Create { id, email: email.to_owned(), handle: format!("@{id}") }
}

#[tokio::test]
async fn a_deleted_row_does_not_keep_its_partial_key() {
    let World { db, .. } = &World::new().await;
    assert_eq!(db.user().find_unique(user::email.eq("bob")).await.expect("is read"), None);
    let bob = db.user().create(row(10, "bob")).await.expect("is created");
    assert_eq!(ids!(db.user().find_unique(user::email.eq("bob")).await.expect("is read")), [bob.id]);
    let again = db.user().create(row(11, "bob")).await;
    assert!(matches!(&again, Err(Error::UniqueViolation(it)) if it.constraint == user::EMAIL_KEY), "{again:?}");
    db.user().delete(user::email.eq("bob")).await.expect("is deleted");
    db.user().create(row(12, "bob")).await.expect("is created");
    let handle = user::Create { handle: "@bob".to_owned(), ..row(13, "bert") };
    let kept = db.user().create(handle).await;
    assert!(matches!(&kept, Err(Error::UniqueViolation(it)) if it.constraint == user::HANDLE_KEY), "{kept:?}");
}

#[tokio::test]
async fn an_upsert_takes_a_partial_key() {
    let world = World::new().await;
    let db = &world.db;
    let upsert = |id, email: &'static str| {
        db.user().upsert(user::email.eq(email), row(id, email)).set(user::first.to("updated"))
    };
    let bob = upsert(10, "bob").await.expect("is created");
    assert_eq!((bob.id, bob.first.as_str()), (10, ""));
    let bob = upsert(11, "bob").include(user::posts).await.expect("is updated");
    assert_eq!((bob.id, bob.first.as_str()), (10, "updated"));
    assert_eq!(world.numbers("SELECT id FROM \"User\" WHERE email = 'bob' ORDER BY id").await, [2, 10]);
    let batch = db.batch((upsert(12, "zoe"), upsert(13, "zoe"))).await.expect("is sent");
    assert_eq!((batch.0.id, batch.1.id), (12, 12));
    let key = || user::first_last_team_id.eq("q", "r", 1);
    let by_key = |id| {
        let row = row(id, "q").set(user::first.to("q")).set(user::last.to("r")).set(user::team_id.to(1));
        db.user().upsert(key(), row).set(user::email.to("r"))
    };
    assert_eq!(by_key(20).await.expect("is created").email, "q");
    assert_eq!(by_key(21).await.expect("is updated").email, "r");
    db.user().delete(key()).await.expect("is deleted");
    assert_eq!(by_key(22).await.expect("is created").id, 22);
    assert_eq!(ids!(db.user().find_unique(key()).await.expect("is read")), [22]);
}

/// A key of all rows is taken by a deleted one. The upsert neither changes it nor shows it.
#[tokio::test]
async fn an_upsert_at_the_key_of_a_deleted_row_is_refused() {
    let world = World::new().await;
    let db = &world.db;
    let by_id = || db.user().upsert(user::id.eq(2), row(2, "new")).set(user::first.to("changed"));
    assert!(matches!(by_id().await, Err(Error::NotFound { model: "User", .. })));
    assert!(matches!(by_id().include(user::posts).await, Err(Error::NotFound { model: "User", .. })));
    assert!(matches!(by_id().select(user::id).await, Err(Error::NotFound { model: "User", .. })));
    let batched = db.batch((by_id(), db.user().count())).await;
    assert!(matches!(batched, Err(Error::NotFound { model: "User", .. })), "{batched:?}");
    assert_eq!(world.numbers("SELECT id FROM \"User\" WHERE first = 'changed'").await, [0; 0]);
    db.user().restore(user::id.eq(2)).await.expect("is restored");
    assert_eq!(by_id().await.expect("is updated").first, "changed");
}

/// A partial key identifies no deleted row: there may be several.
#[tokio::test]
async fn a_partial_key_is_refused_for_deleted_rows() {
    let World { db, .. } = &World::new().await;
    let is_refused = |result: relata::Result<()>| match result {
        Err(Error::Misuse(reason)) => assert!(reason.contains("unique among rows that are not deleted"), "{reason}"),
        other => panic!("is not refused: {other:?}"),
    };
    let key = || user::email.eq("ann");
    is_refused(db.user().find_unique(key()).with_deleted().await.map(drop));
    is_refused(db.user().find_unique(key()).only_deleted().await.map(drop));
    is_refused(db.user().update(key()).with_deleted().set(user::first.to("x")).await.map(drop));
    is_refused(db.user().delete(key()).with_deleted().await.map(drop));
    is_refused(db.user().hard_delete(key()).only_deleted().await.map(drop));
    is_refused(db.user().restore(key()).await.map(drop));
    is_refused(db.user().find_many().cursor(key()).with_deleted().await.map(drop));
    is_refused(db.user().find_many().with_deleted().cursor(key()).await.map(drop));
    is_refused(db.user().find_unique(user::first_last_team_id.eq("a", "n", 1)).with_deleted().await.map(drop));
    // A key of all rows, or a filter, is right.
    assert!(db.user().find_unique(user::handle.eq("@eve")).with_deleted().await.expect("is read").is_some());
    let many = db.user().find_many().with_deleted().filter(key()).order_by(user::id.asc()).await.expect("are read");
    assert_eq!(ids!(many), [1, 5]);
    assert_eq!(ids!(db.user().find_many().cursor(key()).order_by(user::id.asc()).await.expect("are read")), [1, 3, 4]);
    assert_eq!(ids!(db.team().find_unique(team::name.eq("red")).await.expect("is read")), [1]);
    db.user().hard_delete_many().filter(key()).await.map(drop).expect_err("posts and notes reference it");
}

/// PostgreSQL uses the partial index for a call by its key.
#[tokio::test]
async fn the_partial_index_serves_the_key() {
    let world = World::new().await;
    let index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'User_email_key'";
    let rows = crate::support::plain_sql(world.database.url(), index).await;
    assert!(rows[0].get::<_, String>(0).ends_with("(email) WHERE (deleted_at IS NULL)"));
    let connection = crate::support::connect(world.database.url()).await;
    connection.batch_execute("SET enable_seqscan = off").await.expect("is set");
    let sql = r#"EXPLAIN SELECT 1 FROM "User" AS t0 WHERE t0."deleted_at" IS NULL AND t0."email" = 'ann'"#;
    let plan = connection.query(sql, &[]).await.expect("is explained");
    assert!(plan.iter().any(|row| row.get::<_, String>(0).contains("User_email_key")), "{plan:?}");
}
