//! Prisma's error codes, and Relata's errors for them.

use std::time::Duration;

use plain_planner::{Client, Error, Isolation, Role, session, student, student_exam, user};
use relata::chrono::Utc;
use relata::uuid::Uuid;
use relata::{Lookup, params};
use relata_devdb::Feature;

use super::Given;
use crate::support::devdb;
use crate::wide::Fixture as Wide;
use crate::wide::client::sample;

/// Returns the URL of a database with one part replaced.
async fn connected(url: &str) -> Error {
    match Client::builder(url).map(|builder| builder.connect_timeout(Duration::from_secs(5))) {
        Ok(builder) => builder.connect().await.expect_err("cannot be connected to"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn p1000_p1010_access_denied() {
    let db = Given::new().await;
    let (_, rest) = db.fixture.database.url().split_once('@').expect("has a host");
    let error = connected(&format!("postgresql://nobody_at_all:wrong@{rest}")).await;
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "no password is shown: {error}");
}

#[tokio::test]
async fn p1001_p1002_unreachable() {
    let error = connected("postgresql://user:secret@127.0.0.1:1/db").await;
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn p1003_no_such_database() {
    let db = Given::new().await;
    let url = db.fixture.database.url();
    let (before, behind) = url.rsplit_once('/').expect("has a database");
    let query = behind.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let error = connected(&format!("{before}/there_is_none{query}")).await;
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(error.to_string().contains("there_is_none"), "{error}");
}

#[tokio::test]
async fn p1008_operation_timed_out() {
    if devdb().skips_without(&[Feature::Timeouts]) {
        return;
    }
    let db = Given::new().await;
    let tx = db.begin().statement_timeout(Duration::from_millis(20)).await.expect("begins");
    let error = tx.query_raw::<(String,)>("SELECT pg_sleep(5)::text", params![]).await.expect_err("takes too long");
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn p1012_p1013_wrong_settings() {
    for url in ["mysql://a@b/c", "postgresql://a@b:x/c", "not a url"] {
        let error = Client::builder(url).map(|_| ()).expect_err("is wrong");
        assert!(matches!(error, Error::Config(_)), "{error}");
    }
}

#[tokio::test]
async fn p2000_p2006_p2007_value_does_not_fit() {
    let wide = Wide::new().await;
    let row = sample::Create { text: "a".to_owned() }.set(sample::short.to("too long for it"));
    let error = wide.db.sample().create(row).await.expect_err("is too long");
    assert_eq!(error.sqlstate(), Some("22001"));
    assert!(!error.to_string().contains("too long for it"), "no value is shown: {error}");
}

#[tokio::test]
async fn p2002_unique() {
    let db = Given::new().await;
    let row = user::Create {
        institution: db.tenant,
        email: "ada@x.edu".into(),
        password_hash: "".into(),
        role: Role::Student,
    };
    match db.user().create(row).await {
        Err(Error::UniqueViolation(violation)) => {
            assert_eq!(violation.constraint, user::INSTITUTION_ID_EMAIL_KEY);
            assert_eq!(violation.columns, ["institution_id", "email"]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p2003_p2014_foreign_key() {
    let db = Given::new().await;
    let row = session::Create { user: Uuid::nil(), expires_at: Utc::now() };
    let error = db.session().create(row).await.expect_err("points at nothing");
    assert!(matches!(&error, Error::ForeignKeyViolation(violation) if violation.columns == ["user_id"]), "{error}");
    let error = db.exam_type().delete_many().all_rows().await.expect_err("is pointed at");
    assert!(matches!(error, Error::ForeignKeyViolation(_)), "{error}");
}

#[tokio::test]
async fn p2004_check() {
    let db = Given::new().await;
    let sql = "ALTER TABLE students ADD CONSTRAINT in_time CHECK (class_year > 2000)";
    db.execute_raw(sql, params![]).await.expect("is added");
    let error = db.student().update(student::id.eq(db.ada.id)).set(student::class_year.to(7)).await;
    assert!(matches!(&error, Err(Error::CheckViolation(violation)) if violation.constraint == "in_time"), "{error:?}");
}

#[tokio::test]
async fn p2010_raw_query_failed() {
    let db = Given::new().await;
    let error = db.execute_raw("SELEKT 1", params![]).await.expect_err("is no SQL");
    assert_eq!(error.sqlstate(), Some("42601"));
}

#[tokio::test]
async fn p2011_null() {
    let db = Given::new().await;
    db.execute_raw("ALTER TABLE student_exams ALTER weight SET NOT NULL", params![]).await.expect_err("has nulls");
    db.execute_raw("UPDATE student_exams SET weight = 1", params![]).await.expect("is updated");
    db.execute_raw("ALTER TABLE student_exams ALTER weight SET NOT NULL", params![]).await.expect("is altered");
    let error = db.student_exam().update_many().all_rows().set(student_exam::weight.set_null()).await;
    assert!(matches!(&error, Err(Error::NotNullViolation(violation)) if violation.columns == ["weight"]), "{error:?}");
}

#[tokio::test]
async fn p2016_p2017_p2018_p2025_not_found() {
    let db = Given::new().await;
    let missing = || student::id.eq(Uuid::nil());
    let updated = db.student().update(missing()).set(student::class_year.to(1)).await.expect_err("is not there");
    assert!(matches!(updated, Error::NotFound { model: "Student", operation: Lookup::Update, .. }), "{updated}");
    let deleted = db.student().delete(missing()).await.expect_err("is not there");
    assert!(matches!(deleted, Error::NotFound { operation: Lookup::Delete, .. }), "{deleted}");
    let row = session::Create { user: user::id.eq(Uuid::nil()), expires_at: Utc::now() };
    let connected = db.session().create(row).await.expect_err("is not there");
    assert!(matches!(connected, Error::NotFound { .. }), "{connected}");
    let other = db.user().update(user::id.eq(db.bob.user_id)).with(user::sessions.delete(session::id.eq(Uuid::nil())));
    assert!(matches!(other.await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn p2020_out_of_range() {
    let wide = Wide::new().await;
    let row = sample::Create { text: "a".to_owned() }.set(sample::small.to(70_000));
    let error = wide.db.sample().create(row).await.expect_err("is too large");
    assert!(error.to_string().contains("does not fit"), "{error}");
}

#[tokio::test]
async fn p2021_p2022_no_such_table_or_column() {
    let db = Given::new().await;
    db.execute_raw("ALTER TABLE students DROP COLUMN has_accommodations", params![]).await.expect("is dropped");
    assert_eq!(db.student().find_many().await.expect_err("is gone").sqlstate(), Some("42703"));
    db.execute_raw("DROP TABLE sessions", params![]).await.expect("is dropped");
    assert_eq!(db.session().count().await.expect_err("is gone").sqlstate(), Some("42P01"));
}

#[tokio::test]
async fn p2024_pool_timed_out() {
    let db = Given::new().await;
    let builder = Client::builder(db.fixture.database.url()).expect("is a URL").max_connections(1);
    let client: Client = builder.acquire_timeout(Duration::from_millis(30)).connect().await.expect("connects");
    let _held = client.begin().await.expect("begins");
    match client.student().count().await {
        Err(Error::PoolTimeout { max_size: 1, in_use: 1, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p2028_transaction_api() {
    let db = Given::new().await;
    let slow = db.transaction(|tx| async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        tx.student().count().await
    });
    let error = slow.timeout(Duration::from_millis(30)).await.expect_err("takes too long");
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn p2034_conflict() {
    let db = Given::new().await;
    if devdb().skips_without(&[Feature::ConcurrentTransactions]) {
        return;
    }
    let begin = || db.begin().isolation(Isolation::Serializable);
    let (one, other) = (begin().await.expect("begins"), begin().await.expect("begins"));
    let change =
        |tx: &plain_planner::Transaction| tx.student().update_many().all_rows().set(student::class_year.increment(1));
    change(&one).await.expect("is updated");
    other.student().count().await.expect("counts");
    one.commit().await.expect("commits");
    let error = change(&other).await.expect_err("collides");
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn p1017_connection_closed() {
    let db = Given::new().await;
    if devdb().skips_without(&[Feature::SessionProcesses]) {
        return;
    }
    let tx = db.begin().await.expect("begins");
    let ended = tx.query_raw::<(bool,)>("SELECT pg_terminate_backend(pg_backend_pid())", params![]).await;
    assert!(ended.is_err(), "{ended:?}");
    assert!(tx.student().count().await.is_err(), "the transaction is lost");
    drop(tx);
    assert_eq!(db.student().count().await.expect("has a new connection"), 2);
}
