//! Many rows at once: COPY of every type, batches of `create_many`, and trees of rows level by level.

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use plain_planner::{Client, Parent, Role, exam_type, institution, session, student, student_exam, user};
use relata::rust_decimal::Decimal;
use relata::serde_json::json;
use relata::uuid::Uuid;
use relata_devdb::Feature;

use crate::support::wiretap::{Traffic, Wiretap};
use crate::support::{Fixture, devdb};
use crate::wide;
use crate::wide::client::{Color, Sample, sample};

/// A new sample with a value in every column whose binary form is sent, or null in every nullable one.
fn full(text: &str, null: bool) -> relata::CreateWith<sample::Create> {
    let moment = relata::chrono::DateTime::from_timestamp_micros(1_790_000_000_123_000).expect("is a time");
    let some = !null;
    sample::Create { text: text.to_owned() }
        .set(sample::short.to_nullable(some.then(|| "s".to_owned())))
        .set(sample::fixed.to_nullable(some.then(|| "abcd".to_owned())))
        .set(sample::flag.to(false))
        .set(sample::small.to_nullable(some.then_some(-7)))
        .set(sample::big.to(i64::MIN))
        .set(sample::real.to_nullable(some.then_some(0.25)))
        .set(sample::double.to(-0.1))
        .set(sample::exact.to(Decimal::new(-123_456, 4)))
        .set(sample::moment.to(moment))
        .set(sample::zoned.to_nullable(some.then_some(moment)))
        .set(sample::day.to_nullable(some.then_some(NaiveDate::MIN + TimeDelta::days(96_000_000))))
        .set(sample::time.to_nullable(some.then(|| NaiveTime::MIN + TimeDelta::microseconds(86_399_999_999))))
        .set(sample::timetz.to_nullable(some.then_some(NaiveTime::MIN)))
        .set(sample::json.to(json!({ "k": [1, null, "\u{1F600}"] })))
        .set(sample::plain.to_nullable(some.then(|| json!("x"))))
        .set(sample::bytes.to_nullable(some.then(|| vec![0, 255])))
        .set(sample::uuid.to_nullable(some.then(|| Uuid::from_u128(7))))
        .set(sample::oid.to_nullable(some.then_some(12)))
        .set(sample::color.to(Color::DarkGreen))
        .set(sample::maybe.to_nullable(some.then_some(Color::Blue)))
        .set(sample::texts.to(["a", "b, \"c\""]))
        .set(sample::numbers.to([1, -1]))
        .set(sample::colors.to([Color::Red, Color::DarkGreen]))
        .set(sample::uuids.to(Vec::<Uuid>::new()))
}

fn without_ids(samples: Vec<Sample>) -> Vec<Sample> {
    samples.into_iter().map(|sample| Sample { id: 0, ..sample }).collect()
}

#[tokio::test]
async fn values_of_every_type_are_copied() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    // The binary form of some columns of the last one is not sent: it takes another path, in the same transaction.
    let rows = || {
        let odd = full("odd", false)
            .set(sample::inet.to("10.0.0.0/8"))
            .set(sample::money.to(Decimal::new(150, 2)))
            .set(sample::bits.to("101"));
        let odd = if devdb().has(Feature::Xml) { odd.set(sample::xml.to("<a/>")) } else { odd };
        [full("a", false), full("b", true), sample::Create { text: "c".to_owned() }.set(sample::self_.to(3)), odd]
    };
    assert_eq!(db.sample().copy_in(rows()).await.expect("are copied"), 4);
    let copied = db.sample().find_many().order_by(sample::id.asc()).await.expect("is read");
    db.sample().delete_many().all_rows().await.expect("are deleted");
    assert_eq!(db.sample().create_many(rows()).await.expect("are created"), 4);
    let created = db.sample().find_many().order_by(sample::id.asc()).await.expect("is read");
    let moments = |samples: &[Sample]| samples.iter().map(|sample| sample.text.clone()).collect::<Vec<_>>();
    let order = moments(&copied);
    assert_eq!(order, ["a", "b", "c", "odd"]);
    let mut created = without_ids(created);
    created.sort_by_key(|sample| order.iter().position(|text| *text == sample.text));
    let mut copied = without_ids(copied);
    // The one with a default of the database has the time of its own transaction.
    (created[2].moment, copied[2].moment) = (Utc::now(), Utc::now());
    copied[2].moment = created[2].moment;
    assert_eq!(copied, created);
}

/// For a pooler that does not pass on COPY: the rows are the same, and the statement is another one.
#[tokio::test]
async fn rows_are_inserted_instead_of_copied_where_copy_is_off() {
    let fixture = Fixture::new().await;
    for sql in [
        "CREATE TABLE seen (sql text)",
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN INSERT INTO seen VALUES (current_query()); RETURN NULL; END'",
        "CREATE TRIGGER see AFTER INSERT ON institutions FOR EACH STATEMENT EXECUTE FUNCTION see()",
    ] {
        fixture.sql(sql).await;
    }
    let by_method = Client::builder(fixture.database.url()).expect("is a URL").without_copy().connect().await;
    let glue = if fixture.database.url().contains('?') { '&' } else { '?' };
    let by_url = Client::connect(&format!("{}{glue}copy=false", fixture.database.url())).await;
    for (db, slug) in [(by_method, "a"), (by_url, "b")] {
        let rows = (0..3).map(move |n| institution::Create { name: String::new(), slug: format!("{slug}{n}") });
        assert_eq!(db.expect("connects").institution().copy_in(rows).await.expect("are inserted"), 3);
    }
    let seen = fixture.sql("SELECT count(*), bool_and(sql LIKE 'INSERT INTO%') FROM seen").await;
    assert_eq!((seen[0].get::<_, i64>(0), seen[0].get::<_, bool>(1)), (2, true));
}

#[tokio::test]
async fn copied_rows_get_their_updated_at() {
    let fixture = Fixture::new().await;
    let row = |slug: &str| institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
    let tx = fixture.db.begin().await.expect("begins");
    let one = tx.institution().create(row("a")).await.expect("is created");
    tx.institution().copy_in(["b", "c"].map(row)).await.expect("are copied");
    let tenant = one.id;
    let email = move |number: i32| user::Create {
        institution: tenant,
        email: format!("{number}@x.edu"),
        password_hash: String::new(),
        role: Role::ALL[number as usize % 3],
    };
    tx.user().copy_in((0..3).map(email)).await.expect("are copied");
    tx.commit().await.expect("commits");
    let rows =
        fixture.sql("SELECT count(*), count(DISTINCT updated_at), count(DISTINCT created_at) FROM institutions").await;
    let counts: (i64, i64, i64) = (rows[0].get(0), rows[0].get(1), rows[0].get(2));
    assert_eq!(counts, (3, 1, 1), "all of one transaction have its time");
    let roles = fixture.db.user().find_many().order_by(user::email.asc()).select(user::role).await.expect("is read");
    assert_eq!(roles, Role::ALL);
}

/// A client with one connection, whose traffic is counted.
async fn tapped(fixture: &Fixture) -> (Client, Wiretap) {
    let (url, tap) = Wiretap::before(fixture.database.url()).await;
    let db = Client::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    (db, tap)
}

#[tokio::test]
async fn a_hundred_thousand_rows_go_in_few_statements_of_few_parameters() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Named]) {
        return;
    }
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let user = fixture.user(tenant, "a@x.edu").await.id;
    let (db, tap) = tapped(&fixture).await;
    tap.take();
    let expires_at = Utc::now();
    let rows = |count: usize| (0..count).map(move |_| session::Create { user, expires_at });
    assert_eq!(db.session().create_many(rows(100_000)).await.expect("are created"), 100_000);
    assert_eq!(tap.take().statements, 12, "BEGIN, ten of ten thousand rows, COMMIT");
    let sql =
        "SELECT max(cardinality(parameter_types))::int FROM pg_prepared_statements WHERE statement LIKE 'INSERT%'";
    let parameters = db.query_raw::<(i32,)>(sql, relata::params![]).await.expect("is read");
    assert_eq!(parameters, [(3,)], "one per column");
    tap.take();
    let copied = db.session().copy_in(rows(100_000)).await.expect("are copied");
    let statements = if crate::support::devdb().copies() { 3 } else { 12 };
    assert_eq!((copied, tap.take().statements), (100_000, statements), "BEGIN, COPY or ten of INSERT, COMMIT");
    let failed =
        db.session().create_many(rows(10_001).chain([session::Create { user: Uuid::nil(), expires_at }])).await;
    assert!(matches!(failed, Err(plain_planner::Error::ForeignKeyViolation(_))), "{failed:?}");
    assert_eq!(db.session().count().await.expect("counts"), 200_000, "the last chunk's failure undid the first");
    let ids = db.session().create_many_and_return(rows(10_002)).await.expect("are created");
    assert_eq!(ids.len(), 10_002);
}

#[tokio::test]
async fn a_tree_of_rows_takes_a_statement_per_level_and_relation() {
    let fixture = Fixture::new().await;
    let (db, tap) = tapped(&fixture).await;
    let tree = |slug: &str| {
        let slug = slug.to_owned();
        let db = db.clone();
        async move {
            let tenant = Uuid::new_v4();
            let users = (0..5).map(|number| {
                let exams = (0..3).map(|exam| {
                    let exam_type = exam_type::Create {
                        institution: tenant,
                        code: format!("{number}-{exam}"),
                        name: String::new(),
                        default_weight: 1.0,
                    };
                    student_exam::Create { student: Parent, exam_type }
                });
                let student = student::Create { user: Parent, institution: tenant, class_year: 2027 + number };
                let sessions = (0..number).map(|_| session::Create { user: Parent, expires_at: Utc::now() });
                user::Create {
                    institution: Parent,
                    email: format!("{number}@x.edu"),
                    password_hash: String::new(),
                    role: Role::Student,
                }
                .with(user::student.create(student.with(student::exams.create_many(exams))))
                .with(user::sessions.create_many(sessions))
            });
            let users: Vec<_> = users.collect();
            db.institution()
                .create(institution::Create { name: slug.clone(), slug })
                .set(institution::id.to(tenant))
                .with(institution::users.create_many(users))
                .await
        }
    };
    tree("first").await.expect("prepares and is created");
    tap.take();
    let second = tree("second").await.expect("is created");
    // BEGIN, the institution, its users, their students, all exam types, all exams, all sessions, COMMIT.
    assert_eq!(tap.take(), Traffic { statements: 8, round_trips: 8 });
    let rows = db
        .user()
        .find_many()
        .filter(user::institution_id.eq(second.id))
        .order_by(user::email.asc())
        .include(user::sessions)
        .include(user::student.include(student::exams.include(student_exam::exam_type)))
        .await
        .expect("is read");
    assert_eq!(rows.len(), 5);
    for (number, user) in rows.iter().enumerate() {
        let student = user.student.as_ref().expect("has one");
        assert_eq!((user.sessions.len(), student.class_year), (number, 2027 + number as i32), "{user:?}");
        let mut codes: Vec<_> = student.exams.iter().map(|exam| exam.exam_type.code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 1, 2].map(|exam| format!("{number}-{exam}")));
    }
    let failed = tree("second").await;
    assert!(matches!(failed, Err(plain_planner::Error::UniqueViolation(_))), "{failed:?}");
    assert_eq!(fixture.sql("SELECT count(*) FROM users").await[0].get::<_, i64>(0), 10);
}
