//! Raw SQL, savepoints, and row locks.

use chrono::Utc;
use plain_planner::{Error, Role, institution, user};
use relata::uuid::Uuid;
use relata::{List, params};
use relata_devdb::Feature;

use crate::support::{Fixture, devdb};

#[tokio::test]
async fn raw_rows_are_read_into_tuples_of_checked_types() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let user = fixture.user(tenant, "a@x.edu").await;
    let rows = db
        .query_raw::<(Uuid, String, Role, i64, Option<i32>)>(
            "SELECT u.id, u.email, u.role, count(*) OVER (), NULL::int FROM users u WHERE u.institution_id = $1 AND u.email = ANY($2)",
            params![tenant, List(vec!["a@x.edu".to_owned()])],
        )
        .await
        .expect("is read");
    assert_eq!(rows, [(user.id, "a@x.edu".to_owned(), Role::Student, 1, None)]);
    let numbers = db
        .query_raw::<(f64, relata::rust_decimal::Decimal, chrono::DateTime<Utc>)>(
            "SELECT $1::float8, $2::numeric, $3::timestamptz",
            params![1, 2, user.created_at],
        )
        .await
        .expect("integers become what is asked for");
    assert_eq!(numbers, [(1.0, 2.into(), user.created_at)]);
    let written =
        db.execute_raw("UPDATE users SET email = $1 WHERE role = $2", params!["b@x.edu", Role::Student]).await;
    assert_eq!(written.expect("is written"), 1);

    let wrong = db.query_raw::<(i32,)>("SELECT email FROM users", params![]).await.expect_err("is text");
    assert!(wrong.to_string().contains("column email is text"), "{wrong}");
    let wrong = db.query_raw::<(i32, i32)>("SELECT 1", params![]).await.expect_err("is one column");
    assert!(wrong.to_string().contains("1 columns"), "{wrong}");
    let wrong = db.query_raw::<(i64,)>("SELECT count(*) FROM users WHERE email = $1", params![7]).await;
    let wrong = wrong.expect_err("a number is no text");
    assert!(wrong.to_string().contains("an integer was given for a parameter of type text"), "{wrong}");
    let wrong = db.query_raw::<(i64,)>("SELECT nonsense", params![]).await.expect_err("is no SQL");
    assert_eq!(wrong.sqlstate(), Some("42703"));
}

#[tokio::test]
async fn a_savepoint_is_rolled_back_alone() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::OneServer]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let row = |slug: &str| institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
    let tx = db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    let failed: Result<(), Error> = tx
        .savepoint(|inner| async move {
            inner.institution().create(row("b")).await?;
            inner.institution().create(row("a")).await?;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(Error::UniqueViolation(_))), "{failed:?}");
    let nested: Result<u64, Error> = tx
        .savepoint(|outer| async move {
            outer.institution().create(row("c")).await?;
            let undone: Result<(), Error> = outer
                .savepoint(|inner| async move {
                    inner.institution().create(row("d")).await?;
                    Err(Error::custom("not this one"))
                })
                .await;
            assert!(undone.is_err());
            outer.institution().count().await
        })
        .await;
    assert_eq!(nested.expect("holds"), 2);
    let dropped = tx.savepoint(|inner| async move {
        inner.institution().create(row("e")).await?;
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    });
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), dropped).await.is_err());
    tx.commit().await.expect("commits");
    let slugs = db.institution().find_many().order_by(institution::slug.asc()).select(institution::slug).await;
    assert_eq!(slugs.expect("is read"), ["a", "c"]);
}

#[tokio::test]
async fn rows_are_locked_only_inside_a_transaction() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    for email in ["a@x.edu", "b@x.edu"] {
        fixture.user(tenant, email).await;
    }
    let refused = db.user().find_many().for_update().await;
    assert!(matches!(refused, Err(Error::LockOutsideTransaction)), "{refused:?}");
    let tx = db.begin().await.expect("begins");
    for (call, query) in [
        ("distinct", tx.user().find_many().distinct(user::role).for_update()),
        ("take_last", tx.user().find_many().take_last(1).for_share().skip_locked()),
    ] {
        let refused = query.await;
        assert!(matches!(refused, Err(Error::Misuse(ref why)) if why.contains(call)), "{refused:?}");
    }
    let refused = tx.user().find_many().take(1).for_update().page_before(None).await;
    assert!(matches!(refused, Err(Error::Misuse(ref why)) if why.contains("page_before")), "{refused:?}");
    let page = tx.user().find_many().take(1).for_update().page_after(None).await.expect("nothing was sent before");
    assert_eq!(page.rows.len(), 1);
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn locked_rows_are_skipped_or_not_waited_for() {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    for email in ["a@x.edu", "b@x.edu"] {
        fixture.user(tenant, email).await;
    }
    let first = db.begin().await.expect("begins");
    let key = || user::institution_id_email.eq(tenant, "a@x.edu");
    let locked = first.user().find_unique(key()).include(user::institution).for_update().or_err().await;
    assert_eq!(locked.expect("is locked").institution.id, tenant);
    let second = db.begin().await.expect("begins");
    let free = second.user().find_many().for_no_key_update().skip_locked().select(user::email).await;
    assert_eq!(free.expect("is read"), ["b@x.edu"]);
    let busy = second.user().find_unique(key()).for_share().no_wait().await;
    assert_eq!(busy.expect_err("is locked by another").sqlstate(), Some("55P03"));
}

#[tokio::test]
async fn a_null_says_how_to_read_it() {
    let fixture = Fixture::new().await;
    let null = fixture.db.query_raw::<(String, i32)>("SELECT 'a', NULL::int", params![]).await.expect_err("is null");
    assert!(null.to_string().contains("it is null: read it as `Option<i32>`"), "{null}");
    let read = fixture.db.query_raw::<(String, Option<i32>)>("SELECT 'a', NULL::int", params![]).await;
    assert_eq!(read.expect("is read"), [("a".to_owned(), None)]);
}
