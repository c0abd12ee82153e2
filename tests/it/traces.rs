//! Traces, the slow-query log, and counters: what they report, and that they contain no value.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plain_planner::{Client, Parent, Role, institution, session, student, student_exam, user};
use relata::chrono::Utc;
use relata::params;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::Fixture;

/// Records everything that is traced.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a String takes everything");
    }
}

impl Recorder {
    fn line(&self, head: &str, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.0.lock().expect("nobody panicked");
        text.push_str(head);
        record(&mut Line(&mut text));
        text.push('\n');
    }

    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked"))
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(&format!("span {}", span.metadata().name()), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.line("record", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        self.line(&format!("event {} {}", metadata.level(), metadata.target()), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn spans_have_the_names_of_opentelemetry() {
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    fixture.db.student().find_many().include(student::exams).await.expect("is read");
    let text = recorder.take();
    let span = text.lines().find(|line| line.starts_with("span relata.query")).expect("there is a span");
    for part in [
        "otel.name=\"find_many students\"",
        "otel.kind=\"client\"",
        "db.system.name=\"postgresql\"",
        &format!("db.namespace=\"{}\"", fixture.database.name()),
        "db.collection.name=\"students\"",
        "db.operation.name=\"find_many\"",
        "db.query.summary=\"find_many students\"",
        "server.address=",
        "server.port=",
    ] {
        assert!(span.contains(part), "{part} is not in {span}");
    }
    assert!(text.contains("record db.response.returned_rows=0"), "{text}");

    let row = || institution::Create { name: "n".to_owned(), slug: "taken".to_owned() };
    fixture.db.institution().create(row()).await.expect("is created");
    recorder.take();
    fixture.db.institution().create(row()).await.expect_err("is taken");
    let text = recorder.take();
    assert!(text.contains("error.type=\"UniqueViolation\""), "{text}");
    assert!(text.contains("db.response.status_code=\"23505\""), "{text}");
    let _ = fixture.db.batch((fixture.db.user().count(), fixture.db.student().count())).await.expect("counts");
    assert!(recorder.take().contains("db.operation.batch.size=2"));
}

#[tokio::test]
async fn spans_of_streams_say_what_came_of_them() {
    let fixture = Fixture::new().await;
    for slug in ["a", "b", "c"] {
        fixture.institution(slug).await;
    }
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    let mut rows = fixture.db.institution().find_many().stream().rows_at_once(2);
    while rows.next().await.is_some() {}
    let text = recorder.take();
    assert_eq!(text.matches("span relata.query otel.name=\"find_many institutions\"").count(), 1, "{text}");
    assert!(text.contains("record db.response.returned_rows=3"), "{text}");

    let mut locked = fixture.db.institution().find_many().for_update().stream();
    locked.next().await.expect("is an error").expect_err("is outside a transaction");
    let text = recorder.take();
    assert!(text.contains("error.type=\"LockOutsideTransaction\""), "{text}");
}

/// Each value here contains a marker, and no trace contains it, even of failures.
#[tokio::test]
async fn no_value_is_traced() {
    let fixture = Fixture::new().await;
    let db: Client = Client::builder(fixture.database.url())
        .expect("is a URL")
        .max_connections(2)
        .slow_threshold(Duration::ZERO)
        .connect()
        .await
        .expect("connects");
    drop(fixture.db);
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    let secret = |number: u32| format!("hunter2-{number}");
    let row = |number| institution::Create { name: secret(number), slug: secret(number) };
    let tenant = db.institution().create(row(1)).await.expect("is created").id;
    db.institution().create(row(1)).await.expect_err("is taken");
    let user = user::Create { institution: tenant, email: secret(2), password_hash: secret(3), role: Role::Student };
    let sessions = [session::Create { user: Parent, expires_at: Utc::now() }];
    let user = db.user().create(user).with(user::sessions.create_many(sessions)).await.expect("is created");
    db.student().create(student::Create { user: user.id, institution: tenant, class_year: 987_654 }).await.expect("is");
    let students = db.student().find_many().filter(student::user.is(user::email.contains("hunter2-2")));
    let students = students.filter(student::class_year.in_([987_654])).skip(0).take(987_654);
    students.include(student::exams.take(987_654).filter(student_exam::score.gt(987_654.0))).await.expect("is read");
    db.user().update(user::id.eq(user.id)).set(user::email.to(secret(4))).await.expect("is updated");
    db.query_raw::<(String,)>("SELECT $1::text", params![secret(5)]).await.expect("is read");
    db.query_raw::<(i32,)>("SELECT $1::text::int", params![secret(6)]).await.expect_err("is no number");
    db.query_raw::<(i32,)>("SELECT $1::int", params![secret(6)]).await.expect_err("is no number");
    let failed = db.transaction(|tx| async move { tx.institution().create(row(1)).await }).await;
    failed.expect_err("is taken");
    let _ = db.batch((db.user().count().filter(user::email.eq(secret(7))), db.user().count())).await.expect("counts");
    let text = recorder.take();
    assert!(!text.contains("hunter2") && !text.contains("987654"), "{text}");
    assert!(!text.contains(&user.id.to_string()) && !text.contains(&tenant.to_string()), "{text}");
    let password = db_password(fixture.database.url());
    assert!(password.is_empty() || !text.contains(&password), "the password is traced");

    let slow: Vec<&str> = text.lines().filter(|line| line.starts_with("event WARN relata::slow")).collect();
    assert!(slow.len() > 10, "every statement is slower than nothing: {text}");
    for part in
        ["db.query.summary=\"create institutions\"", "db.query.text=\"INSERT INTO", "duration_ms=", "slow statement"]
    {
        assert!(slow[0].contains(part), "{part} is not in {}", slow[0]);
    }
    assert!(slow[1].contains("error.type=\"UniqueViolation\""), "{}", slow[1]);
    assert!(text.contains("event TRACE relata::statement"), "{text}");
}

fn db_password(url: &str) -> String {
    let user = url.split("://").nth(1).and_then(|rest| rest.split('@').next()).unwrap_or_default();
    user.split_once(':').map_or_else(String::new, |(_, password)| password.to_owned())
}

#[tokio::test]
async fn a_fast_statement_is_not_called_slow() {
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    fixture.db.user().count().await.expect("counts");
    assert!(!recorder.take().contains("relata::slow"), "no threshold is set");
}

#[tokio::test]
async fn statements_are_counted() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    fixture.student(tenant, "a@x.edu", 2027).await;
    let (all, counted) = (&fixture.db, fixture.db.counted());
    let before = all.statistics();
    counted.student().find_many().include(student::user).include(student::exams).await.expect("is read");
    let statistics = counted.statistics();
    assert_eq!((statistics.statements, statistics.rows, statistics.failures), (3, 2, 0));
    counted
        .institution()
        .create(institution::Create { name: String::new(), slug: "north".into() })
        .await
        .expect_err("is");
    counted.execute_raw("UPDATE users SET email = email", params![]).await.expect("is updated");
    let tx = counted.begin().await.expect("begins");
    tx.student().count().await.expect("counts");
    tx.commit().await.expect("commits");
    let statistics = counted.statistics();
    assert_eq!((statistics.statements, statistics.rows, statistics.failures), (6, 4, 1));
    all.user().count().await.expect("counts");
    assert_eq!(counted.statistics().statements, 6, "what others do is not counted");
    assert_eq!(all.statistics().statements - before.statements, 7);
    assert!(statistics.connections >= 1 && statistics.connections <= statistics.max_connections);
    assert_eq!((statistics.in_use, statistics.waiting), (0, 0));
}
