//! Transactions: what is committed persists, what is not leaves nothing, and every connection is returned clean.

use relata_devdb::Feature;
use std::sync::atomic::{AtomicU32, Ordering};

use plain_planner::{Client, Error, Isolation, Role, institution, user};

use crate::support::{Fixture, devdb};

fn row(slug: &str) -> institution::Create {
    institution::Create { name: slug.to_owned(), slug: slug.to_owned() }
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tx = db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    assert_eq!(tx.institution().count().await.expect("counts"), 1);
    drop(tx);
    assert_eq!(db.institution().count().await.expect("counts"), 0);
}

#[tokio::test]
async fn an_error_in_the_closure_rolls_back() {
    let fixture = Fixture::new().await;
    let failed: Result<(), Error> = fixture
        .db
        .transaction(|tx| async move {
            tx.institution().create(row("a")).await?;
            tx.institution().create(row("a")).await?;
            Ok(())
        })
        .await;
    assert!(matches!(failed, Err(Error::UniqueViolation(_))), "{failed:?}");
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 0);
}

#[tokio::test]
async fn a_closure_may_have_its_own_errors_and_borrow() {
    #[derive(Debug)]
    enum Mine {
        Database(#[allow(dead_code, reason = "shown by Debug")] Error),
        Own,
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Self {
            Mine::Database(error)
        }
    }
    let fixture = Fixture::new().await;
    let slug = String::from("borrowed");
    let slug = &slug;
    let failed = fixture
        .db
        .transaction(|tx| async move {
            tx.institution().create(row(slug)).await?;
            Err::<(), Mine>(Mine::Own)
        })
        .await;
    assert!(matches!(failed, Err(Mine::Own)), "{failed:?}");
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 0);
}

/// PostgreSQL would respond to this COMMIT with a ROLLBACK, and no error.
#[tokio::test]
async fn an_ignored_error_is_not_committed_silently() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let lost: Result<(), Error> = db
        .transaction(|tx| async move {
            tx.institution().create(row("a")).await?;
            let _ = tx.institution().create(row("a")).await;
            Ok(())
        })
        .await;
    assert!(matches!(lost, Err(Error::TransactionFailed)), "{lost:?}");
    assert_eq!(db.institution().count().await.expect("counts"), 0);

    let tx = db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    assert!(tx.query_raw::<(i32,)>("SELECT nonsense", relata::params![]).await.is_err());
    assert!(matches!(tx.commit().await, Err(Error::TransactionFailed)));

    let tx = db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    let not_found = tx.institution().delete(institution::slug.eq("nowhere")).await;
    assert!(matches!(not_found, Err(Error::NotFound { .. })), "{not_found:?}");
    tx.commit().await.expect("nothing has failed in the database");
    assert_eq!(db.institution().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn using_a_finished_transaction_is_an_error() {
    let fixture = Fixture::new().await;
    let kept = std::sync::Mutex::new(None);
    fixture
        .db
        .transaction(|tx| {
            let kept = &kept;
            async move {
                tx.institution().create(row("a")).await?;
                *kept.lock().expect("nobody panicked") = Some(tx);
                Ok::<_, Error>(())
            }
        })
        .await
        .expect("commits");
    let tx = kept.into_inner().expect("nobody panicked").expect("was kept");
    let late = tx.institution().count().await;
    assert!(matches!(late, Err(Error::TransactionFinished)), "{late:?}");
    assert!(matches!(tx.commit().await, Err(Error::TransactionFinished)));
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn a_conflict_is_retried() {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    db.institution().create(row("a")).await.expect("is created");
    let runs = AtomicU32::new(0);
    let done = db
        .retrying(5)
        .transaction(|tx| {
            let runs = &runs;
            async move {
                let before = tx.institution().count().await?;
                if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                    // Another transaction reads the same and writes: one of the two must be rolled back.
                    db.transaction(|other| async move {
                        other.institution().count().await?;
                        other.institution().create(row("b")).await
                    })
                    .isolation(Isolation::Serializable)
                    .await?;
                }
                tx.institution().create(row("c")).await?;
                Ok::<_, Error>(before)
            }
        })
        .isolation(Isolation::Serializable)
        .await
        .expect("is retried");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(done, 2, "the second run saw the other transaction");
    assert_eq!(db.institution().count().await.expect("counts"), 3);
}

#[tokio::test]
async fn a_batch_is_atomic() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let failed = db.batch((db.institution().create(row("a")), db.institution().create(row("a")))).await;
    assert!(matches!(failed, Err(Error::UniqueViolation(_))), "{failed:?}");
    assert_eq!(db.institution().count().await.expect("counts"), 0);
    let (a, b, removed) = db
        .batch((
            db.institution().create(row("a")),
            db.institution().create(row("b")),
            db.institution().delete_many().filter(institution::slug.eq("a")),
        ))
        .await
        .expect("holds");
    assert_eq!((a.slug.as_str(), b.slug.as_str(), removed), ("a", "b", 1));
    assert_eq!(db.institution().find_many().select(institution::slug).await.expect("is read"), ["b"]);
}

/// A missing row is detected before anything is committed, in one statement each or in several.
#[tokio::test]
async fn a_batch_with_a_missing_row_leaves_nothing() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let nobody = || institution::slug.eq("nobody");
    let new = || db.institution().create(row("a"));
    let update = db.batch((new(), db.institution().update(nobody()).set(institution::name.to("x")))).await.map(drop);
    let delete = db.batch((new(), db.institution().delete(nobody()).select(institution::id))).await.map(drop);
    let read = db.batch((new(), db.institution().find_unique(nobody()).or_err())).await.map(drop);
    let several = db.institution().update(nobody()).set(institution::name.to("x")).include(institution::users);
    let several = db.batch((new(), several)).await.map(drop);
    for failed in [update, delete, read, several] {
        assert!(matches!(failed, Err(Error::NotFound { model: "Institution", .. })), "{failed:?}");
    }
    assert_eq!(db.institution().count().await.expect("counts"), 0);
    let both =
        db.batch((new(), db.institution().update(institution::slug.eq("a")).set(institution::name.to("x")))).await;
    assert_eq!(both.expect("holds").1.name, "x");
}

/// A migration changes a column's type while a program runs: the statement is prepared again.
#[tokio::test]
async fn queries_survive_a_migration() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let db = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1).connect().await;
    let db: Client = db.expect("connects");
    let read = || async { db.institution().find_unique(institution::id.eq(tenant.id)).or_err().await };
    read().await.expect("is read");
    fixture.sql("ALTER TABLE institutions ALTER name TYPE varchar(200)").await;
    assert_eq!(read().await.expect("is prepared again").name, tenant.name);
    // The first statement of a transaction: the transaction begins again with the same settings.
    fixture.sql("ALTER TABLE institutions ALTER name TYPE text").await;
    let tx = db.begin().isolation(Isolation::Serializable).await.expect("begins");
    let found = tx.institution().find_unique(institution::id.eq(tenant.id)).or_err().await;
    assert_eq!(found.expect("is prepared again").name, tenant.name);
    let isolation = tx.query_raw::<(String,)>("SHOW transaction_isolation", relata::params![]).await;
    assert_eq!(isolation.expect("is read"), [("serializable".to_owned(),)]);
    tx.commit().await.expect("commits");
    // A batch as a whole.
    fixture.sql("ALTER TABLE institutions ALTER name TYPE varchar(200)").await;
    let find = db.institution().find_unique(institution::id.eq(tenant.id)).or_err();
    let (first, _) = db.batch((find, db.user().count())).await.expect("is prepared again");
    assert_eq!(first.name, tenant.name);
}

/// Later in a transaction, earlier work would be lost, and it is not repeated silently.
#[tokio::test]
async fn a_migration_in_the_middle_of_a_transaction_ends_it() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Named]) {
        return;
    }
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let db = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1).connect().await;
    let db: Client = db.expect("connects");
    let read = || async { db.institution().find_unique(institution::id.eq(tenant.id)).or_err().await };
    read().await.expect("is read");
    let tx = db.begin().await.expect("begins");
    tx.student().count().await.expect("counts");
    fixture.sql("ALTER TABLE institutions ALTER name TYPE varchar(200)").await;
    let lost = tx.institution().find_unique(institution::id.eq(tenant.id)).await;
    assert_eq!(lost.expect_err("the transaction is lost").sqlstate(), Some("0A000"));
    tx.rollback().await.expect("rolls back");
    assert_eq!(read().await.expect("is prepared again").name, tenant.name);
}

/// A migration replaces an enum: its type then has another OID, and prepared statements use the old one.
#[tokio::test]
async fn queries_survive_a_replaced_enum() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let user = fixture.user(tenant, "a@x.edu").await;
    let db = Client::builder(fixture.database.url()).expect("is a URL").max_connections(1).connect().await;
    let db: Client = db.expect("connects");
    let typed = || async { db.user().count().filter(user::role.in_([Role::Student])).await };
    let written = || async { db.user().update(user::id.eq(user.id)).set(user::role.to(Role::Student)).await };
    let raw = || async {
        let sql = "SELECT id FROM users WHERE role = $1";
        db.query_raw::<(relata::uuid::Uuid,)>(sql, relata::params![Role::Student]).await
    };
    for replaced in [false, true, true] {
        if replaced {
            for sql in [
                "ALTER TYPE role RENAME TO old_role",
                "CREATE TYPE role AS ENUM ('ADMIN', 'FACULTY', 'STUDENT')",
                "ALTER TABLE users ALTER role DROP DEFAULT",
                "ALTER TABLE users ALTER role TYPE role USING role::text::role",
                "DROP TYPE old_role",
            ] {
                fixture.sql(sql).await;
            }
        }
        assert_eq!(typed().await.expect("is prepared again"), 1);
        assert_eq!(written().await.expect("is prepared again").role, Role::Student);
        assert_eq!(raw().await.expect("is prepared again"), [(user.id,)]);
    }
}

/// The server closes the connections: the next query gets a new one, or a clear error.
#[tokio::test]
async fn lost_connections_are_replaced() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Connection]) {
        return;
    }
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = Client::builder(fixture.database.url())
        .expect("is a URL")
        .max_connections(1)
        .application_name("ended")
        .connect()
        .await
        .expect("connects");
    fixture.institution("north").await;
    fixture.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ended'").await;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match db.institution().count().await {
            Ok(count) => break assert_eq!(count, 1),
            Err(Error::ConnectionLost(_)) if attempts < 3 => {}
            Err(Error::Database(error)) if error.sqlstate == "57P01" && attempts < 3 => {}
            Err(other) => panic!("{other}"),
        }
    }
}
