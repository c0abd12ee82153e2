//! Errors and their messages: typed, helpful, and without a value or a password.

use relata_devdb::Feature;
use std::time::Duration;

use plain_planner::{Client, Error, institution, student};
use relata::{ConstraintViolation, Lookup, params};

use crate::support::{Fixture, devdb};

#[tokio::test]
async fn violated_constraints_are_named_without_values() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("secret-slug").await;
    let row = institution::Create { name: "x".to_owned(), slug: "secret-slug".to_owned() };
    let error = fixture.db.institution().create(row).await.expect_err("is taken");
    let text = format!("{error} {error:?}");
    assert!(text.contains("institutions_slug_key") && text.contains("slug") && text.contains("23505"), "{text}");
    assert!(!text.contains("secret-slug"), "{text}");

    fixture.sql("ALTER TABLE students ADD CONSTRAINT students_class_year_check CHECK (class_year > 2000)").await;
    let user = fixture.user(tenant.id, "a@x.edu").await;
    let row = student::Create { user: user.id, institution: tenant.id, class_year: 1999 };
    match fixture.db.student().create(row).await {
        Err(Error::CheckViolation(violation)) => assert_eq!(violation.constraint, "students_class_year_check"),
        other => panic!("{other:?}"),
    }

    fixture.sql("ALTER TABLE institutions ADD COLUMN must text NOT NULL DEFAULT ''").await;
    fixture.sql("ALTER TABLE institutions ALTER must DROP DEFAULT").await;
    let row = institution::Create { name: "x".to_owned(), slug: "other".to_owned() };
    match fixture.db.institution().create(row).await {
        Err(Error::NotNullViolation(violation)) => {
            assert_eq!((violation.model, violation.columns), ("Institution", vec!["must".to_owned()]));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_referenced_row_cannot_be_deleted() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await;
    let exam_type = fixture.exam_type(tenant.id, "STEP1").await;
    let student = fixture.student(tenant.id, "a@x.edu", 2027).await;
    let row = plain_planner::student_exam::Create { student: student.id, exam_type: exam_type.id };
    fixture.db.student_exam().create(row).await.expect("is created");
    let refused = fixture.db.exam_type().delete(plain_planner::exam_type::id.eq(exam_type.id)).await;
    match refused {
        Err(Error::ForeignKeyViolation(violation)) => {
            assert_eq!(violation.constraint, "student_exams_exam_type_id_fkey");
            assert_eq!(violation.columns, ["exam_type_id"]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unreachable_server_is_explained() {
    let error =
        Client::connect("postgresql://me:hunter2@127.0.0.1:1/exams?sslmode=disable").await.expect_err("is refused");
    let text = format!("{error} {error:?}");
    assert!(text.contains("127.0.0.1:1/exams") && text.contains("is the server running"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let error = Client::connect("postgresql://me:hunter2@no.such.host.invalid/exams").await.expect_err("is unknown");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_missing_database_is_explained() {
    let missing = devdb().url("no_such_database_anywhere");
    let error = Client::connect(&missing).await.expect_err("is missing");
    let text = error.to_string();
    assert!(matches!(error, Error::Connect { .. }) && text.contains("create it"), "{text}");
}

#[tokio::test]
async fn an_exhausted_pool_is_explained() {
    let fixture = Fixture::new().await;
    let db = Client::builder(fixture.database.url())
        .expect("is a URL")
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect()
        .await
        .expect("connects");
    let _held = db.begin().await.expect("begins");
    match db.institution().count().await {
        Err(error @ Error::PoolTimeout { max_size: 1, in_use: 1, .. }) => {
            assert!(error.to_string().contains("max_connections"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_statement_stops_at_its_limit() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Settings]) {
        return;
    }
    if devdb().skips_without(&[Feature::Timeouts]) {
        return;
    }
    let fixture = Fixture::new().await;
    fixture.institution("north").await;
    let db = Client::builder(fixture.database.url())
        .expect("is a URL")
        .statement_timeout(Duration::from_millis(100))
        .connect()
        .await
        .expect("connects");
    fixture
        .sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NEW; END'")
        .await;
    fixture.sql("CREATE TRIGGER slow BEFORE UPDATE ON institutions FOR EACH ROW EXECUTE FUNCTION slow()").await;
    let error = db.institution().update(institution::slug.eq("north")).set(institution::name.to("x")).await;
    let error = error.expect_err("takes too long");
    assert_eq!(error.sqlstate(), Some("57014"), "{error}");
}

/// Returns the status of the variant in the table of `docs/client.md`. `which` tells the rows of a variant apart.
fn status_in_the_book(variant: &str, which: &str) -> u16 {
    let table =
        include_str!("../../docs/client.md").split("| variant | when | HTTP status |").nth(1).expect("is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let of_variant = |row: &&str| {
        let names = row.split('|').nth(1).expect("has a cell");
        names.contains(&format!("`{variant}`")) && names.contains(which)
    };
    let row = rows.clone().find(of_variant).unwrap_or_else(|| panic!("{variant} {which} has no row"));
    row.split('|').nth(3).expect("has a status").trim().parse().expect("is a number")
}

#[tokio::test]
async fn the_status_of_an_error_is_that_of_the_book() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let missing = |operation| Error::NotFound { model: "Student", operation, relation: None };
    let violation = || ConstraintViolation {
        model: "Student",
        table: String::new(),
        constraint: String::new(),
        columns: Vec::new(),
        sqlstate: String::new(),
    };
    let samples = [
        (Error::UniqueViolation(violation()), ""),
        (Error::ForeignKeyViolation(violation()), ""),
        (Error::NotNullViolation(violation()), ""),
        (Error::CheckViolation(violation()), ""),
        (Error::ExclusionViolation(violation()), ""),
        (missing(Lookup::Find), "Find"),
        (missing(Lookup::Update), "Update"),
        (missing(Lookup::Delete), "Delete"),
        (missing(Lookup::Connect), "Connect"),
        (missing(Lookup::Disconnect), "Disconnect"),
        (missing(Lookup::Create), "Create"),
        (Error::InvalidPageToken, ""),
        (Error::ForeignPageToken, ""),
        (Error::InvalidValue("".into()), ""),
        (Error::TooComplex("".into()), ""),
        (Error::Serialization { sqlstate: "40001".into() }, ""),
        (Error::Timeout { what: "", limit: Duration::ZERO }, ""),
        (Error::PoolTimeout { limit: Duration::ZERO, max_size: 1, in_use: 1, waiting: 1 }, ""),
        (Error::Connect { target: String::new(), reason: String::new() }, ""),
        (Error::ConnectionLost(String::new()), ""),
        (Error::CommitUnknown, ""),
        (Error::Committed(Box::new(Error::InvalidPageToken)), ""),
        (Error::TransactionFailed, ""),
        (Error::ChangedWhileReading { model: "Student", relation: "user" }, ""),
        (Error::Decode { model: "Student", column: String::new(), reason: String::new() }, ""),
        (Error::RowMismatch("".into()), ""),
        (Error::LockOutsideTransaction, ""),
        (Error::TransactionFinished, ""),
        (Error::Misuse("".into()), ""),
        (Error::RowSecurity(String::new()), ""),
        (Error::Config(String::new()), ""),
        (Error::Internal(""), ""),
        (db.query_raw::<(i32,)>("SELECT 1 / 0", params![]).await.expect_err("is refused"), ""),
    ];
    for (error, which) in samples {
        assert_eq!(error.http_status(), status_in_the_book(error.kind(), which), "{error:?}");
    }
    assert_eq!(Error::custom("full").http_status(), 500);
}

#[tokio::test]
async fn a_value_that_a_column_cannot_hold_is_the_visitors_mistake() {
    let fixture = Fixture::new().await;
    fixture.sql("ALTER TABLE institutions ALTER slug TYPE varchar(3)").await;
    for (slug, sqlstate) in [("north", "22001"), ("a\0b", "22021")] {
        let row = institution::Create { name: "x".to_owned(), slug: slug.to_owned() };
        let error = fixture.db.institution().create(row).await.expect_err("does not fit");
        assert_eq!((error.sqlstate(), error.http_status()), (Some(sqlstate), 400), "{error}");
        assert_eq!(error.http_status(), status_in_the_book("Database", sqlstate));
    }
    let sum = "SELECT 2147483647 + $1::int4";
    let error = fixture.db.query_raw::<(i32,)>(sum, params![1]).await.expect_err("is too large");
    assert_eq!((error.sqlstate(), error.http_status()), (Some("22003"), status_in_the_book("Database", "22003")));
}
