//! What is retried, what is not, and what a lost response to COMMIT means for everything that commits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plain_planner::{Client, Error, Parent, Role, Transaction, institution, session, user};
use relata::chrono::Utc;
use relata::{Result, params};

use crate::support::Fixture;
use crate::support::faults::LosesCommits;

/// A deadlock, as a statement reports it.
const DEADLOCK: &str = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$";

fn row(slug: &str) -> institution::Create {
    institution::Create { name: slug.to_owned(), slug: slug.to_owned() }
}

/// A client behind a proxy that loses responses.
async fn behind_proxy(fixture: &Fixture) -> (Client, LosesCommits) {
    let (url, proxy) = LosesCommits::before(fixture.database.url()).await;
    let db = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    (db, proxy)
}

async fn collide_in_savepoint(tx: &Transaction) -> Result<()> {
    tx.savepoint(|inner| async move { inner.execute_raw(DEADLOCK, params![]).await.map(drop) }).await
}

#[derive(Debug)]
enum Mine {
    Wraps(#[allow(dead_code, reason = "keeps the error")] Box<Error>),
    Own,
}

impl From<Error> for Mine {
    fn from(error: Error) -> Self {
        Mine::Wraps(Box::new(error))
    }
}

/// A conflict that a savepoint has undone is over: the transaction ends later with a different error.
#[tokio::test]
async fn a_tolerated_conflict_causes_no_retry() {
    let fixture = Fixture::new().await;
    let runs = AtomicU32::new(0);
    let refused: Result<()> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move {
                collide_in_savepoint(&tx).await.expect_err("collides");
                Err(Error::custom("business"))
            }
        })
        .await;
    assert!(matches!(refused, Err(Error::Custom(_))), "{refused:?}");
    assert_eq!(runs.swap(0, Ordering::SeqCst), 1);
    let own: Result<(), Mine> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move {
                collide_in_savepoint(&tx).await.expect_err("collides");
                tx.institution().count().await?;
                Err(Mine::Own)
            }
        })
        .await;
    assert!(matches!(own, Err(Mine::Own)), "{own:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// A conflict that the closure passes on causes a retry: as the client's error, inside an error of the program, and if
/// the server has ended the transaction because of it.
#[tokio::test]
async fn a_conflict_that_is_passed_on_is_retried() {
    let fixture = Fixture::new().await;
    let runs = AtomicU32::new(0);
    let passed: Result<()> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            let again = runs.fetch_add(1, Ordering::SeqCst) > 0;
            async move { if again { Ok(()) } else { collide_in_savepoint(&tx).await } }
        })
        .await;
    passed.expect("is run again");
    assert_eq!(runs.swap(0, Ordering::SeqCst), 2);
    let wrapped: Result<(), Mine> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            let again = runs.fetch_add(1, Ordering::SeqCst) > 0;
            async move { if again { Ok(()) } else { collide_in_savepoint(&tx).await.map_err(Mine::from) } }
        })
        .await;
    wrapped.expect("is run again");
    assert_eq!(runs.swap(0, Ordering::SeqCst), 2);
    let replaced: Result<(), Mine> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            let again = runs.fetch_add(1, Ordering::SeqCst) > 0;
            async move {
                if again {
                    return Ok(());
                }
                tx.execute_raw(DEADLOCK, params![]).await.map(drop).map_err(|_| Mine::Own)
            }
        })
        .await;
    replaced.expect("the server had ended it");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

/// The closure itself commits and then fails: what was committed is not run again.
#[tokio::test]
async fn committed_work_is_not_retried() {
    let fixture = Fixture::new().await;
    let runs = AtomicU32::new(0);
    let kept = std::sync::Mutex::new(Vec::new());
    let failed: Result<()> = fixture
        .db
        .retrying(3)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            let kept = &kept;
            async move {
                let collided = collide_in_savepoint(&tx).await.expect_err("collides");
                kept.lock().expect("nobody panicked").push(collided);
                tx.institution().create(row("once")).await?;
                tx.commit().await?;
                Err(Error::custom("too late"))
            }
        })
        .await;
    assert!(matches!(failed, Err(Error::Custom(_))), "{failed:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn a_commit_without_a_response_is_unknown_after_a_tolerated_conflict() {
    let fixture = Fixture::new().await;
    let (db, proxy) = behind_proxy(&fixture).await;
    proxy.arm();
    let runs = AtomicU32::new(0);
    let lost: Result<()> = db
        .retrying(3)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move {
                collide_in_savepoint(&tx).await.expect_err("collides");
                tx.institution().create(row("once")).await.map(drop)
            }
        })
        .await;
    assert!(matches!(lost, Err(Error::CommitUnknown)), "{lost:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 1, "it holds, and once");
}

/// Everything that commits returns the same error as a transaction if the response is lost.
#[tokio::test]
async fn every_commit_without_a_response_is_unknown() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let (db, proxy) = behind_proxy(&fixture).await;
    let user = |email: &str| user::Create {
        institution: tenant,
        email: email.to_owned(),
        password_hash: String::new(),
        role: Role::Student,
    };
    let nested = |email: &str| {
        let sessions = (0..2).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
        db.user().create(user(email)).with(user::sessions.create_many(sessions))
    };
    let missing_may_fail = || db.institution().update(institution::id.eq(tenant)).set(institution::name.to("x"));
    proxy.arm();
    let batch = db.batch((db.institution().create(row("batch")), db.institution().count())).await.map(drop);
    let holds = |slug: &'static str| fixture.db.institution().exists().filter(institution::slug.eq(slug));
    assert!(matches!(batch, Err(Error::CommitUnknown)), "{batch:?}");
    assert!(holds("batch").await.expect("is read"));
    proxy.arm();
    let waits = db.batch((db.institution().create(row("waits")), missing_may_fail())).await.map(drop);
    assert!(matches!(waits, Err(Error::CommitUnknown)), "{waits:?}");
    assert!(holds("waits").await.expect("is read"));
    proxy.arm();
    let several = db.batch((nested("several@x.edu"), db.user().count())).await.map(drop);
    assert!(matches!(several, Err(Error::CommitUnknown)), "{several:?}");
    proxy.arm();
    let created = nested("nested@x.edu").await.map(drop);
    assert!(matches!(created, Err(Error::CommitUnknown)), "{created:?}");
    assert_eq!(fixture.db.session().count().await.expect("counts"), 4);
    proxy.arm();
    let many = db.institution().create_many((0..10_001).map(|number| row(&format!("many-{number}")))).await;
    assert!(matches!(many, Err(Error::CommitUnknown)), "{many:?}");
    proxy.arm();
    let copied = db.institution().copy_in((0..2).map(|number| row(&format!("copied-{number}")))).await;
    assert!(matches!(copied, Err(Error::CommitUnknown)), "{copied:?}");
    proxy.arm();
    let tx = db.begin().await.expect("begins");
    tx.institution().create(row("begun")).await.expect("is created");
    assert!(matches!(tx.commit().await, Err(Error::CommitUnknown)));
    assert!(!proxy.is_armed());
}

/// A batch that only reads has nothing to commit, and a batch that the server refused has committed nothing.
#[tokio::test]
async fn a_batch_reports_what_is_known() {
    let fixture = Fixture::new().await;
    let (db, proxy) = behind_proxy(&fixture).await;
    proxy.arm();
    let read = db.batch((db.institution().count(), db.user().count())).await;
    assert!(matches!(read, Err(Error::ConnectionLost(_))), "{read:?}");
    let refused = db.batch((db.institution().create(row("a")), db.institution().create(row("a")))).await.map(drop);
    assert!(matches!(refused, Err(Error::UniqueViolation(_))), "{refused:?}");
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 0);
}

/// A statement that cannot be sent is detected before COMMIT is sent: nothing of its batch is committed.
#[tokio::test]
async fn a_batch_with_a_statement_that_cannot_be_sent_leaves_nothing() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let too_many = relata::Filter::any((0..65_536).map(|number| institution::slug.eq(number.to_string()).into()));
    let refused =
        db.batch((db.institution().create(row("a")), db.institution().count().filter(too_many))).await.map(drop);
    assert!(matches!(refused, Err(Error::TooComplex(_))), "{refused:?}");
    assert_eq!(db.institution().count().await.expect("counts"), 0);
}

/// A statement fails after its future was dropped: the COMMIT that PostgreSQL turns into a ROLLBACK is an error.
#[tokio::test]
async fn a_dropped_statement_that_fails_is_not_committed_silently() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    tx.institution().create(row("a")).await.expect("is created");
    let late = tx.execute_raw("SELECT 1 / (length(pg_sleep(0.3)::text) * 0)", params![]);
    assert!(tokio::time::timeout(Duration::from_millis(100), late).await.is_err());
    let lost = tx.commit().await;
    assert!(matches!(lost, Err(Error::TransactionFailed)), "{lost:?}");
    assert_eq!(fixture.db.institution().count().await.expect("counts"), 0);
}
