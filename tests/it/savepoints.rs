//! Savepoints: they form a stack on the server, so only the innermost open one may send.

use std::time::Duration;

use plain_planner::{Error, Parent, Role, institution, session, user};
use relata::chrono::Utc;
use relata::{Result, params};

use crate::support::Fixture;

fn row(slug: &str) -> institution::Create {
    institution::Create { name: slug.to_owned(), slug: slug.to_owned() }
}

fn says(error: &Error, what: &str) -> bool {
    matches!(error, Error::Misuse(why) if why.contains(what))
}

/// Of two at the same time, one is refused and sends nothing: neither undoes what the other has done.
#[tokio::test]
async fn a_second_savepoint_at_the_same_time_is_refused() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    let first = tx.savepoint(|inner| async move {
        inner.institution().create(row("first")).await?;
        tokio::time::sleep(Duration::from_millis(60)).await;
        Err::<(), Error>(Error::custom("undone"))
    });
    let second = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tx.savepoint(|inner| async move { inner.institution().create(row("second")).await.map(drop) }).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.expect_err("is undone").to_string(), "undone");
    let refused = second.expect_err("is refused");
    assert!(says(&refused, "a savepoint of this transaction is open"), "{refused}");
    tx.savepoint(|inner| async move { inner.institution().create(row("third")).await }).await.expect("is free again");
    tx.commit().await.expect("commits");
    assert_eq!(fixture.db.institution().find_many().select(institution::slug).await.expect("is read"), ["third"]);
}

/// A statement of the transaction would become part of the savepoint: inside its closure, at the same time, and as a
/// stream.
#[tokio::test]
async fn outer_statements_do_not_run_inside_a_savepoint() {
    let fixture = Fixture::new().await;
    for slug in ["a", "b"] {
        fixture.institution(slug).await;
    }
    let tx = fixture.db.begin().await.expect("begins");
    let outer = &tx;
    let mut stream = tx.institution().find_many().stream().rows_at_once(1);
    stream.next().await.expect("has a row").expect("is read");
    let inside: Result<()> = tx
        .savepoint(|inner| async move {
            for refused in [
                outer.institution().create(row("outer")).await.map(drop),
                outer.execute_raw("SELECT 1", params![]).await.map(drop),
                outer.savepoint(|_| async { Ok::<_, Error>(()) }).await,
                outer.institution().copy_in([row("copied")]).await.map(drop),
            ] {
                let refused = refused.expect_err("is refused");
                assert!(says(&refused, "use the savepoint that the closure gets"), "{refused}");
            }
            let row_of_stream = stream.next().await.expect("says why");
            assert!(says(&row_of_stream.expect_err("is refused"), "a savepoint of this transaction is open"));
            inner.savepoint(|most| async move { most.institution().create(row("inner")).await.map(drop) }).await
        })
        .await;
    inside.expect("nothing of it has failed on the server");
    tx.institution().create(row("after")).await.expect("the savepoint has ended");
    tx.commit().await.expect("commits");
    let slugs = fixture.db.institution().find_many().order_by(institution::slug.asc()).select(institution::slug).await;
    assert_eq!(slugs.expect("is read"), ["a", "after", "b", "inner"]);
}

/// A query of several statements is running: parts of it would belong to the savepoint.
#[tokio::test]
async fn a_savepoint_does_not_begin_in_the_middle_of_a_query() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let tx = fixture.db.begin().await.expect("begins");
    let new = user::Create {
        institution: tenant,
        email: "a@x.edu".to_owned(),
        password_hash: String::new(),
        role: Role::Student,
    };
    let sessions = (0..2).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
    let nested = tx.user().create(new).with(user::sessions.create_many(sessions)).into_future();
    let savepoint = tx.savepoint(|_| async { Err::<(), Error>(Error::custom("undone")) });
    let (nested, savepoint) = tokio::join!(nested, savepoint);
    nested.expect("is created");
    let refused = savepoint.expect_err("is refused");
    assert!(says(&refused, "is still running"), "{refused}");
    tx.commit().await.expect("commits");
    assert_eq!(fixture.db.session().count().await.expect("counts"), 2);
}

/// A query is still running when its savepoint, or its transaction, ends: neither commits a part of it.
#[tokio::test]
async fn what_is_still_running_at_the_end_is_rolled_back() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    let slow = "SELECT 1 FROM pg_sleep(0.2)";
    let ended: Result<tokio::task::JoinHandle<Result<()>>> = tx
        .savepoint(|inner| async move {
            inner.institution().create(row("inner")).await?;
            let left = tokio::spawn(async move {
                inner.execute_raw(slow, params![]).await?;
                inner.institution().create(row("late")).await.map(drop)
            });
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(left)
        })
        .await;
    let refused = ended.expect_err("is undone");
    assert!(says(&refused, "await every query inside the closure"), "{refused}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    tx.institution().create(row("after")).await.expect("goes on");
    let running = tx.institution().find_many().stream();
    drop(running);
    tx.commit().await.expect("commits");
    assert_eq!(fixture.db.institution().find_many().select(institution::slug).await.expect("is read"), ["after"]);

    let tx = fixture.db.begin().await.expect("begins");
    let create = tx.institution().create(row("unfinished")).into_future();
    let (created, committed) = tokio::join!(create, tx.commit());
    let refused = committed.expect_err("is rolled back");
    assert!(says(&refused, "await every query before the commit"), "{refused}");
    drop(created);
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 1);
}

/// The handle of a savepoint that has ended sends nothing.
#[tokio::test]
async fn using_a_finished_savepoint_is_an_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    let kept = tx.savepoint(|inner| async move { Ok::<_, Error>(inner) }).await.expect("ends");
    let late = kept.institution().create(row("late")).await.expect_err("is refused");
    assert!(says(&late, "this savepoint has ended"), "{late}");
    let late = kept.savepoint(|_| async { Ok::<_, Error>(()) }).await.expect_err("is refused");
    assert!(says(&late, "this savepoint has ended"), "{late}");
    tx.commit().await.expect("commits");
    let late = kept.institution().count().await.expect_err("is refused");
    assert!(matches!(late, Error::TransactionFinished), "{late}");
}

/// An error that is ignored inside a savepoint ends the savepoint, not the transaction.
#[tokio::test]
async fn an_ignored_error_ends_its_savepoint() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    let ended: Result<()> = tx
        .savepoint(|inner| async move {
            inner.institution().create(row("b")).await?;
            let _ = inner.institution().create(row("a")).await;
            Ok(())
        })
        .await;
    assert!(matches!(ended, Err(Error::TransactionFailed)), "{ended:?}");
    tx.institution().create(row("c")).await.expect("goes on");
    tx.commit().await.expect("commits");
    let slugs = fixture.db.institution().find_many().order_by(institution::slug.asc()).select(institution::slug).await;
    assert_eq!(slugs.expect("is read"), ["a", "c"]);
}
