//! Advisory locks: of a transaction, and of a session while work runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plain_planner::{Client, Error, Models};
use relata::{LockKey, Result};
use relata_devdb::Feature;

use crate::support::{Fixture, devdb, direct};

/// A client of the server itself, with one connection: the locks of sessions have their own.
async fn client(fixture: &Fixture) -> Client {
    Client::builder(&direct(fixture.database.url()))
        .expect("is a URL")
        .max_connections(1)
        .connect()
        .await
        .expect("connects")
}

/// Whether another session could take a lock, whose key is SQL.
async fn is_free(fixture: &Fixture, key: &str) -> bool {
    fixture.sql(&format!("SELECT pg_try_advisory_xact_lock({key})")).await[0].get(0)
}

async fn becomes_free(fixture: &Fixture, key: &str) -> bool {
    for _ in 0..200 {
        if is_free(fixture, key).await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    false
}

#[tokio::test]
async fn a_lock_of_a_transaction_ends_with_it() -> Result<()> {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return Ok(());
    }
    async fn takes(models: &Models) -> Result<bool> {
        models.try_advisory_lock(("invoices", 2026)).await
    }
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.db.begin().await?, fixture.db.begin().await?);
    first.advisory_lock(("invoices", 2026)).await?;
    assert!(takes(&first).await?, "a session can take its lock again");
    assert!(!takes(&second).await?);
    assert!(second.try_advisory_lock(("invoices", 2027)).await?);
    let waiting = tokio::spawn(async move {
        second.advisory_lock(("invoices", 2026)).await?;
        second.commit().await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    first.commit().await?;
    waiting.await.expect("runs")?;
    let undone: Result<()> = fixture
        .db
        .transaction(async |tx| {
            assert!(takes(&tx).await?);
            Err(Error::custom("roll back"))
        })
        .await;
    undone.expect_err("is rolled back");
    assert!(fixture.db.transaction(async |tx| takes(&tx).await).await?);
    Ok(())
}

#[tokio::test]
async fn a_wait_has_the_limit_of_its_transaction() -> Result<()> {
    if devdb().skips_without(&[Feature::ConcurrentTransactions, Feature::Timeouts]) {
        return Ok(());
    }
    let fixture = Fixture::new().await;
    let first = fixture.db.begin().await?;
    first.advisory_lock(7).await?;
    let second = fixture.db.begin().lock_timeout(Duration::from_millis(100)).await?;
    let late = second.advisory_lock(7).await.expect_err("is late");
    assert!(late.is_timeout() && late.sqlstate() == Some("55P03"), "{late:?}");
    Ok(())
}

/// The documentation gives these expressions to programs that take the same locks.
#[tokio::test]
async fn keys_are_what_the_documentation_says() -> Result<()> {
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return Ok(());
    }
    let fixture = Fixture::new().await;
    let hash = |bytes: &str| format!("('x' || encode(substr(sha256({bytes}), 1, 8), 'hex'))::bit(64)::bigint");
    for (key, sql) in [
        (LockKey::from("invoices"), hash("'invoices'")),
        (LockKey::from(("invoices", 42)), hash("'invoices'::bytea || '\\x00' || '42'")),
        (LockKey::from(String::from("Größe")), hash("convert_to('Größe', 'UTF8')")),
        (LockKey::from(-3), "-3".to_owned()),
        (LockKey::from((1, -2)), "1, -2".to_owned()),
    ] {
        let tx = fixture.db.begin().await?;
        assert!(is_free(&fixture, &sql).await, "{sql}");
        tx.advisory_lock(key).await?;
        assert!(!is_free(&fixture, &sql).await, "{sql}");
        tx.rollback().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_would_lock_nothing_is_refused() {
    let fixture = Fixture::new().await;
    let db = fixture.db.counted();
    let models: &Models = &db;
    assert!(matches!(models.advisory_lock("a").await, Err(Error::LockOutsideTransaction)));
    assert!(matches!(models.try_advisory_lock("a").await, Err(Error::LockOutsideTransaction)));
    let tx = db.begin().await.expect("begins");
    let refused = tx.advisory_lock((0x5245_4c41, 1)).await.expect_err("is that of migrations");
    assert!(matches!(refused, Error::Misuse(_)), "{refused:?}");
    let work = async || Ok::<_, Error>(());
    assert!(matches!(db.advisory_lock((0x5245_4c41, 1)).run(work).await, Err(Error::Misuse(_))));
    assert!(matches!(db.replica().advisory_lock("a").run(work).await, Err(Error::Misuse(_))));
    assert_eq!(db.statistics().statements, 0);
}

/// Even with one connection in the pool, the work can use the client.
#[tokio::test]
async fn one_at_a_time_works() -> Result<()> {
    let fixture = Fixture::new().await;
    fixture.institution("north").await;
    let (one, other) = (client(&fixture).await, client(&fixture).await);
    let inside = one
        .advisory_lock("report")
        .run(async || {
            assert!(
                !is_free(&fixture, "('x' || encode(substr(sha256('report'), 1, 8), 'hex'))::bit(64)::bigint").await
            );
            let second = other.advisory_lock("report").try_run(async || other.user().count().await).await?;
            assert_eq!(second, None, "the lock is taken");
            let late = other.advisory_lock("report").wait_at_most(Duration::from_millis(150));
            let late = late.run(async || other.user().count().await).await.expect_err("is late");
            assert!(late.is_timeout() && late.to_string().contains("advisory lock"), "{late}");
            one.institution().count().await
        })
        .await?;
    assert_eq!(inside, 1);
    let again = other.advisory_lock("report").try_run(async || other.institution().count().await).await?;
    assert_eq!(again, Some(1), "the lock is released when `run` returns");
    Ok(())
}

#[tokio::test]
async fn who_waits_is_next() -> Result<()> {
    let fixture = Fixture::new().await;
    let (one, other) = (client(&fixture).await, client(&fixture).await);
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&done);
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let first = tokio::spawn(async move {
        one.advisory_lock(7)
            .run(async || {
                taken.send(()).expect("is waited for");
                tokio::time::sleep(Duration::from_millis(300)).await;
                done.store(true, Ordering::SeqCst);
                Ok::<_, Error>(())
            })
            .await
    });
    is_taken.await.expect("is taken");
    let was_done = other.advisory_lock(7).run(async || Ok::<_, Error>(seen.load(Ordering::SeqCst))).await?;
    assert!(was_done);
    first.await.expect("runs")
}

#[tokio::test]
async fn errors_and_dropped_futures_release_it() {
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let failed = db.advisory_lock(8).run(async || Err::<(), _>(Error::custom("failed"))).await;
    assert_eq!(failed.expect_err("failed").to_string(), "failed");
    assert!(is_free(&fixture, "8").await, "released before `run` returns");
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let work = db.advisory_lock(8).run(async || {
        taken.send(()).expect("is waited for");
        std::future::pending::<Result<()>>().await
    });
    tokio::select! {
        _ = work => panic!("it never ends"),
        taken = is_taken => taken.expect("is taken"),
    }
    assert!(becomes_free(&fixture, "8").await);
}

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_lost_connection_stops_the_work() {
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = OnDrop(Arc::clone(&stopped));
    let work = db.advisory_lock(9).run(async move || {
        let _flag = flag;
        fixture
            .sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 9 \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .await;
        std::future::pending::<Result<()>>().await
    });
    let lost = tokio::time::timeout(Duration::from_secs(20), work).await.expect("ends").expect_err("is lost");
    assert!(matches!(lost, Error::ConnectionLost(_)) && lost.to_string().contains("advisory lock"), "{lost}");
    assert!(stopped.load(Ordering::SeqCst));
}

/// The work ends just as the lock is lost, before the client has noticed it.
#[tokio::test]
async fn work_is_done_only_if_the_lock_was_held_to_its_end() {
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let fixture = Fixture::new().await;
    let db = client(&fixture).await;
    let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 10";
    let done = db.advisory_lock(10).run(async || {
        // Without a pause, in which the end of the connection would be seen.
        let url = direct(fixture.database.url());
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
            runtime.block_on(async { crate::support::plain_sql(&url, sql).await.len() })
        });
        assert_eq!(ended.join().expect("runs"), 1);
        Ok::<_, Error>(())
    });
    let lost = done.await.expect_err("is lost");
    assert!(matches!(lost, Error::ConnectionLost(_)), "{lost}");
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_has_only_locks_of_transactions() -> Result<()> {
    let fixture = Fixture::new().await;
    let url = direct(fixture.database.url());
    let db: Client = Client::builder(&url)?.through_pooler().connect().await?;
    let refused = db.advisory_lock("a").run(async || Ok::<_, Error>(())).await.expect_err("is refused");
    assert!(matches!(refused, Error::Connect { .. }) && refused.to_string().contains("tx.advisory_lock"), "{refused}");
    let Some(bouncer) = crate::pooler::PgBouncer::before(&url).await else { return Ok(()) };
    let db = bouncer.client().await;
    let (first, second) = (db.begin().await?, db.begin().await?);
    first.advisory_lock("a").await?;
    assert!(!second.try_advisory_lock("a").await?);
    first.commit().await?;
    assert!(second.try_advisory_lock("a").await?);
    Ok(())
}
