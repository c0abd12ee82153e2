//! Futures that are dropped at every poll: no connection returns with an open transaction or a running statement, and
//! none is lost to the pool.

use std::time::Duration;

use plain_planner::{Client, Error, Parent, Role, exam_type, institution, session, student, student_exam, user};
use relata::chrono::Utc;
use relata::params;
use relata::uuid::Uuid;
use relata_devdb::Feature;

use crate::support::{Fixture, devdb};

const CONNECTIONS: usize = 2;

struct Dropping {
    fixture: Fixture,
    db: Client,
    tenant: Uuid,
    student: Uuid,
}

impl Dropping {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let tenant = fixture.institution("north").await.id;
        let student = fixture.student(tenant, "a@x.edu", 2027).await.id;
        let exam_type = fixture.exam_type(tenant, "A").await.id;
        fixture.db.student_exam().create(student_exam::Create { student, exam_type }).await.expect("is created");
        let db = Client::builder(fixture.database.url())
            .expect("is a URL")
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(20))
            .application_name("dropped")
            .connect()
            .await
            .expect("connects");
        Self { fixture, db, tenant, student }
    }

    /// Polls one future once, another twice, and so on until one completes. Returns the number of drops.
    async fn at_every_poll<F: Future<Output = Result<(), Error>>>(&self, what: &str, make: impl Fn() -> F) -> u32 {
        for polls in 1.. {
            let outcome = poll_times(make(), polls).await;
            self.is_at_rest(what, polls).await;
            if let Some(outcome) = outcome {
                outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                return polls - 1;
            }
            assert!(polls < 2000, "{what} never finished");
        }
        0
    }

    /// Checks that all connections are available and clean, and that the server runs nothing for them.
    async fn is_at_rest(&self, what: &str, polls: u32) {
        for _ in 0..500 {
            if self.db.statistics().in_use == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let statistics = self.db.statistics();
        assert_eq!((statistics.in_use, statistics.waiting), (0, 0), "{what} lost a connection after {polls} polls");
        assert_eq!(statistics.max_connections, CONNECTIONS);
        let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped' AND state <> 'idle'";
        for attempt in 0.. {
            // The server takes a moment to notice that a connection was closed.
            if self.fixture.sql(open).await[0].get::<_, i64>(0) == 0 {
                break;
            }
            assert!(attempt < 100, "{what} left something open after {polls} polls");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // If only one transaction can be open at a time, one connection after another.
        let at_once = if devdb().has(Feature::ConcurrentTransactions) { 2 } else { 1 };
        for _ in 0..CONNECTIONS / at_once {
            let mut all = Vec::new();
            for _ in 0..at_once {
                all.push(self.db.begin().await.expect("is free"));
            }
            let state = "SELECT pg_current_xact_id_if_assigned() IS NULL";
            for tx in all {
                assert_eq!(tx.query_raw::<(bool,)>(state, params![]).await.expect("is clean"), [(true,)], "{what}");
                tx.rollback().await.expect("rolls back");
            }
        }
    }
}

/// Polls a future this many times, each time when it is ready to continue. Returns its result if it completed.
async fn poll_times<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
            std::task::Poll::Pending if polls >= times => std::task::Poll::Ready(None),
            std::task::Poll::Pending => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn reads_may_be_dropped_at_any_await() {
    let dropping = Dropping::new().await;
    let (db, student) = (&dropping.db, dropping.student);
    let drops = dropping
        .at_every_poll("find_unique", || async { db.student().find_unique(student::id.eq(student)).await.map(drop) })
        .await;
    assert!(drops > 0);
    let drops = dropping
        .at_every_poll("siblings", || async {
            let students = db.student().find_many().include(student::user).include(student::institution);
            students.include(student::exams.include(student_exam::exam_type)).await.map(drop)
        })
        .await;
    assert!(drops > 2, "{drops}");
    let raw = || async { db.query_raw::<(i64,)>("SELECT count(*) FROM students", params![]).await.map(drop) };
    assert!(dropping.at_every_poll("query_raw", raw).await > 0);
}

#[tokio::test]
async fn writes_may_be_dropped_at_any_await() {
    let dropping = Dropping::new().await;
    let (db, tenant) = (&dropping.db, dropping.tenant);
    let new = || institution::Create { name: String::new(), slug: Uuid::new_v4().to_string() };
    assert!(dropping.at_every_poll("create", || async { db.institution().create(new()).await.map(drop) }).await > 0);
    let drops = dropping
        .at_every_poll("nested write", || async {
            let row = user::Create {
                institution: tenant,
                email: Uuid::new_v4().to_string(),
                password_hash: String::new(),
                role: Role::Student,
            };
            let sessions = (0..2).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
            db.user().create(row).with(user::sessions.create_many(sessions)).await.map(drop)
        })
        .await;
    assert!(drops > 3, "{drops}");
    let batch = || async { db.batch((db.institution().create(new()), db.user().count())).await.map(drop) };
    assert!(dropping.at_every_poll("batch", batch).await > 0);
    let several = || async {
        let row = exam_type::Create {
            institution: tenant,
            code: Uuid::new_v4().to_string(),
            name: String::new(),
            default_weight: 1.0,
        };
        db.batch((db.exam_type().create(row), db.student().find_many().include(student::exams))).await.map(drop)
    };
    assert!(dropping.at_every_poll("batch of several statements", several).await > 3);
    let users = db.user().count().await.expect("counts");
    let nested = db.user().count().filter(user::sessions.some(relata::Filter::all([]))).await.expect("counts");
    assert_eq!(users - 1, nested, "no user is there without the sessions it was to be created with");
}

/// Streams hold a cursor, and copies are in the middle of COPY; a connection must not be returned in such a state.
#[tokio::test]
async fn streams_and_copies_may_be_dropped_at_any_await() {
    let dropping = Dropping::new().await;
    let (db, tenant) = (&dropping.db, dropping.tenant);
    for email in ["b@x.edu", "c@x.edu"] {
        dropping.fixture.student(tenant, email, 2027).await;
    }
    let stream = || async {
        let mut students = db.student().find_many().include(student::exams).stream().rows_at_once(1);
        while let Some(student) = students.next().await {
            student?;
        }
        Ok(())
    };
    assert!(dropping.at_every_poll("stream", stream).await > 5);
    let copy = || async {
        let row = |_| institution::Create { name: "copied".to_owned(), slug: Uuid::new_v4().to_string() };
        db.institution().copy_in((0..20).map(row)).await.map(drop)
    };
    let drops = dropping.at_every_poll("copy_in", copy).await;
    assert!(drops > 1, "{drops}");
    // The last one completed. Of the others, some may already have sent their COMMIT.
    let copied = db.institution().count().filter(institution::name.eq("copied")).await.expect("counts");
    assert!(copied >= 20 && copied % 20 == 0, "{copied} rows: a copy holds as a whole");
}

#[tokio::test]
async fn transactions_may_be_dropped_at_any_await() {
    let dropping = Dropping::new().await;
    let db = &dropping.db;
    let new = || institution::Create { name: "dropped".to_owned(), slug: Uuid::new_v4().to_string() };
    let closure = || async {
        let done = db.retrying(2).transaction(|tx| async move {
            tx.institution().create(new()).await?;
            tx.execute_raw("UPDATE institutions SET name = name", params![]).await?;
            Err::<(), Error>(Error::custom("undone"))
        });
        assert!(matches!(done.timeout(Duration::from_secs(60)).await, Err(Error::Custom(_))));
        Ok(())
    };
    assert!(dropping.at_every_poll("closure", closure).await > 3);
    let savepoints = || async {
        let tx = db.begin().await?;
        tx.institution().create(new()).await?;
        let undone: Result<(), Error> = tx
            .savepoint(|inner| async move {
                inner.institution().create(new()).await?;
                inner.savepoint(|most| async move { most.institution().create(new()).await.map(drop) }).await?;
                Err(Error::custom("undone"))
            })
            .await;
        assert!(undone.is_err());
        tx.rollback().await
    };
    assert!(dropping.at_every_poll("savepoints", savepoints).await > 5);
    let left = db.institution().count().filter(institution::name.eq("dropped")).await;
    assert_eq!(left.expect("counts"), 0, "nothing of it holds");
}

/// A savepoint is dropped at every poll while its transaction continues. The transaction stays usable, and what the
/// dropped savepoint wrote is there completely or not at all.
#[tokio::test]
async fn a_savepoint_may_be_dropped_and_its_transaction_goes_on() {
    let dropping = Dropping::new().await;
    let db = &dropping.db;
    let mut finished = false;
    for polls in 1..200 {
        let tx = db.begin().await.expect("begins");
        let new = || institution::Create { name: "inner".to_owned(), slug: Uuid::new_v4().to_string() };
        let savepoint = tx.savepoint(|inner| async move {
            inner.institution().create(new()).await?;
            inner.savepoint(|most| async move { most.institution().create(new()).await.map(drop) }).await
        });
        finished = poll_times(savepoint, polls).await.is_some();
        let inner = tx.institution().count().filter(institution::name.eq("inner")).await.expect("goes on");
        assert!(if finished { inner == 2 } else { inner == 0 || inner == 2 }, "{inner} after {polls} polls");
        tx.rollback().await.expect("rolls back");
        if finished {
            break;
        }
    }
    assert!(finished);
}

/// A statement whose future is dropped does not continue on the server.
#[tokio::test]
async fn a_running_statement_is_canceled() {
    if devdb().skips_without(&[Feature::Cancel]) {
        return;
    }
    let dropping = Dropping::new().await;
    let db = &dropping.db;
    let limit = Duration::from_millis(300);
    let alone = db.query_raw::<(i32,)>("SELECT 1 FROM pg_sleep(600)", params![]);
    assert!(tokio::time::timeout(limit, alone).await.is_err());
    let inside =
        db.transaction(|tx| async move { tx.query_raw::<(i32,)>("SELECT 1 FROM pg_sleep(600)", params![]).await });
    let late = inside.timeout(limit).await.expect_err("takes too long");
    assert!(matches!(late, Error::Timeout { what: "the transaction", .. }), "{late}");
    assert!(late.is_timeout());
    let running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped' AND state <> 'idle'";
    for attempt in 0.. {
        if dropping.fixture.sql(running).await[0].get::<_, i64>(0) == 0 {
            break;
        }
        assert!(attempt < 250, "it still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    dropping.is_at_rest("a canceled statement", 0).await;
}
