//! The queries in `tests/plain/queries`, as functions: they return what the same SQL returns, wherever they are sent.

use chrono::NaiveDate;
use plain_planner::queries::{self, Standings};
use plain_planner::{Client, Error, exam_type, student, student_exam};
use relata::tokio_postgres::NoTls;
use relata::uuid::Uuid;
use relata::{Hooks, IntentKind, List, params};

use crate::support::Fixture;

/// An institution with three students, two of whom have scores.
async fn filled(fixture: &Fixture) -> Uuid {
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let exam_type = exam_type::Create {
        institution: tenant,
        code: "STEP1".into(),
        name: "USMLE Step 1".into(),
        default_weight: 1.0,
    };
    let exam_type = db.exam_type().create(exam_type).await.expect("is created").id;
    for (email, class_year, scores) in
        [("Ada@x.edu", 2027, &[92.5, 88.0][..]), ("bob@x.edu", 2027, &[71.0]), ("cy@x.edu", 2028, &[])]
    {
        let user = fixture.user(tenant, email).await.id;
        let student = student::Create { user, institution: tenant, class_year };
        let student = db.student().create(student).await.expect("is created").id;
        for score in scores {
            let row = student_exam::Create { student, exam_type };
            db.student_exam().create(row).set(student_exam::score.to(*score)).await.expect("is created");
        }
    }
    tenant
}

/// The calls of docs/queries.md are in this file.
#[test]
fn the_calls_of_the_book_are_made_here() {
    let (page, here) = (include_str!("../../docs/queries.md"), include_str!("queries.rs"));
    let calls = page.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of calls");
    for call in calls.lines() {
        let (_, call) = call.split_once(" = ").expect("a call");
        let call = call.trim_end_matches(".await?;");
        assert!(here.contains(call), "{call}");
    }
}

#[tokio::test]
async fn a_batch_with_a_count() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let batch = db.batch((queries::standings(tenant), db.student().count())).await;
    assert_eq!(batch.map(|(standings, count)| (standings.len(), count)).expect("is read"), (3, 3));
    // A row that has to be there and is not undoes the batch.
    let undone = db.batch((queries::lower_emails(tenant), queries::standings(Uuid::nil()).one())).await;
    assert!(matches!(undone, Err(Error::NotFound { .. })), "{undone:?}");
    let lowered = db.query(queries::lower_emails(tenant)).await;
    assert_eq!(lowered.expect("is written"), 1);
}

type Row = (String, i32, i64, Option<f64>, i64, List<f64>);

/// Runs the file itself as raw SQL.
async fn standings_by_hand(db: &Client, tenant: Uuid) -> Vec<Standings> {
    let sql = include_str!("../plain/queries/standings.sql");
    let rows: Vec<Row> = db.query_raw(sql, params![tenant]).await.expect("is read");
    let read = |(email, class_year, graded, average, place, scores): Row| Standings {
        email,
        class_year,
        graded,
        average,
        place,
        scores: scores.0,
    };
    rows.into_iter().map(read).collect()
}

#[tokio::test]
async fn a_query_returns_what_its_sql_returns() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let standings = db.query(queries::standings(tenant)).await.expect("is read");
    assert_eq!(standings, standings_by_hand(db, tenant).await);
    let places: Vec<_> = standings.iter().map(|row| (row.email.as_str(), row.place, row.average)).collect();
    assert_eq!(places, [("Ada@x.edu", 1, Some(90.25)), ("bob@x.edu", 2, Some(71.0)), ("cy@x.edu", 3, None)]);
    assert_eq!(standings[0].scores, [88.0, 92.5]);
    assert!(standings[2].scores.is_empty());

    let all = db.query(queries::students_of(tenant, None)).await.expect("is read");
    let of_year = db.query(queries::students_of(tenant, 2027)).await.expect("is read");
    let expected = db.student().find_many().order_by(student::class_year.asc()).order_by(student::id.asc()).await;
    assert_eq!(all, expected.expect("is read"));
    assert_eq!(of_year, all[..2]);

    let trend = db.query(queries::score_trend(tenant).one()).await.expect("is read");
    assert_eq!((trend.code.as_str(), trend.graded, trend.fit), ("STEP1", 3, None));
}

#[tokio::test]
async fn a_query_that_writes_returns_rows_or_their_number() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    assert_eq!(db.query(queries::lower_emails(tenant)).await.expect("is written"), 1);
    let day = NaiveDate::from_ymd_opt(2026, 6, 1);
    let planned = db.query(queries::schedule_class(day, "STEP1", tenant, 2028)).await.expect("is written");
    assert_eq!(planned.len(), 1);
    let exam = db.student_exam().find_unique(student_exam::id.eq(planned[0].id)).or_err().await.expect("is read");
    assert_eq!((exam.student_id, exam.scheduled_on), (planned[0].student_id, day));
    let again = db.query(queries::schedule_class(None, "STEP1", tenant, 2028).optional()).await.expect("is written");
    assert_eq!(again, None);
}

/// Each table that is read whole is the struct of its model, and an outer join leaves it out as a whole.
#[tokio::test]
async fn tables_that_are_read_whole_are_structs_of_their_models() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let rows = db.query(queries::exams_of_students(tenant, 80.0)).await.expect("is read");
    let found: Vec<_> = rows.iter().map(|row| (row.s.class_year, row.exam.as_ref().map(|exam| exam.score))).collect();
    assert_eq!(
        found,
        [(2027, Some(Some(88.0))), (2027, Some(Some(92.5))), (2027, Some(Some(71.0))), (2028, None)],
        "in the order of the students"
    );
    assert_eq!(rows.iter().map(|row| row.is_passed).collect::<Vec<_>>(), [Some(true), Some(true), Some(false), None]);
    for row in &rows {
        let student = db.student().find_unique(student::id.eq(row.s.id)).or_err().await.expect("is read");
        assert_eq!(row.s, student);
        let exams = db.student_exam().find_many().filter(student_exam::student_id.eq(student.id)).await;
        let exams = exams.expect("is read");
        assert_eq!(row.exam.is_none(), exams.is_empty());
        assert!(row.exam.iter().all(|exam| exams.contains(exam)));
    }
    let mut stream = db.query_stream(queries::exams_of_students(tenant, 80.0)).rows_at_once(1);
    for row in rows {
        assert_eq!(stream.next().await.map(|row| row.expect("is read")), Some(row));
    }
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_query_of_one_column_returns_plain_values() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let structs = db.query(queries::has_students(1, tenant)).await.expect("is read");
    assert_eq!(structs.iter().map(|row| row.column_1).collect::<Vec<_>>(), [false, true]);
    let values: Vec<bool> = db.query(queries::has_students(1, tenant).scalars()).await.expect("is read");
    assert_eq!(values, [false, true]);
    let none: Option<bool> =
        db.query(queries::has_students(1, Uuid::nil()).optional().scalars()).await.expect("is read");
    assert_eq!(none, None);
    let several = db.query(queries::has_students(1, tenant).scalars().one()).await.expect_err("there are two");
    assert!(several.to_string().contains("returned 2 rows in place of one"), "{several}");
    let mut stream = db.query_stream(queries::has_students(1, tenant).scalars());
    assert!(matches!(stream.next().await, Some(Ok(false))));
    let (values, count) =
        db.batch((queries::has_students(0, tenant).scalars(), db.student().count())).await.expect("is read");
    assert_eq!((values, count), (vec![true, true], 3));
}

#[tokio::test]
async fn columns_without_names_and_of_one_name_are_numbered() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let student = db.student().find_first().filter(student::institution_id.eq(tenant)).or_err().await.expect("is read");
    let row = db.query(queries::both_ids(student.user_id).one()).await.expect("is read");
    assert_eq!((row.id, row.id_2, row.column_3.as_str()), (student.user_id, student.id, "x"));
    // A function that returns nothing gives no column: its rows are counted.
    assert_eq!(db.query(queries::lock_institution(tenant)).await.expect("is read"), 1);
}

#[tokio::test]
async fn one_returns_exactly_one_row() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let none = db.query(queries::standings(Uuid::nil()).one()).await;
    assert!(matches!(none, Err(Error::NotFound { model: "standings", .. })), "{none:?}");
    assert_eq!(db.query(queries::standings(Uuid::nil()).optional()).await.expect("is read"), None);
    let several = db.query(queries::standings(tenant).optional()).await.expect_err("there are three");
    assert!(several.to_string().contains("standings returned 3 rows in place of one"), "{several}");
}

#[tokio::test]
async fn queries_go_into_transactions_savepoints_batches_and_streams() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, filled(&fixture).await);
    let tx = db.begin().await.expect("begins");
    tx.query(queries::lower_emails(tenant)).await.expect("is written");
    let undone: Result<(), Error> = tx
        .savepoint(|inner| async move {
            assert_eq!(inner.query(queries::schedule_class(None, "STEP1", tenant, 2028)).await?.len(), 1);
            Err(Error::custom("not this"))
        })
        .await;
    assert!(undone.is_err());
    let mut stream = tx.query_stream(queries::standings(tenant)).rows_at_once(2);
    let mut emails = Vec::new();
    while let Some(row) = stream.next().await {
        emails.push(row.expect("is read").email);
    }
    assert_eq!(emails, ["ada@x.edu", "bob@x.edu", "cy@x.edu"]);
    tx.rollback().await.expect("is undone");

    let counted = db.counted();
    let (standings, written, first, students) = counted
        .batch((
            queries::standings(tenant),
            queries::lower_emails(tenant),
            queries::score_trend(tenant).one(),
            db.student().count(),
        ))
        .await
        .expect("all of it holds");
    assert_eq!((standings.len(), written, first.graded, students), (3, 1, 3, 3));

    let mut rows = db.query_stream(queries::students_of(tenant, None));
    let mut years = Vec::new();
    while let Some(row) = rows.next().await {
        years.push(row.expect("is read").class_year);
    }
    assert_eq!(years, [2027, 2027, 2028]);
}

#[tokio::test]
async fn hooks_see_queries_as_raw_sql() {
    let fixture = Fixture::new().await;
    let tenant = filled(&fixture).await;
    let reads_only = Hooks::new().before(|intent| match intent.kind {
        IntentKind::ExecuteRaw => Err(Error::custom("reads only")),
        _ => Ok(()),
    });
    let db = fixture.db.with_hooks(reads_only);
    db.query(queries::standings(tenant)).await.expect("is read");
    let refused = db.query(queries::lower_emails(tenant)).await.expect_err("is refused");
    assert!(refused.to_string().contains("reads only"), "{refused}");
    let mut stream = db.query_stream(queries::standings(tenant));
    assert!(stream.next().await.is_some_and(|row| row.is_ok()));
}

/// The client asks for the types of unnamed statements, and checks the columns of the rows.
#[tokio::test]
async fn queries_go_through_a_pooler() {
    let fixture = Fixture::new().await;
    let tenant = filled(&fixture).await;
    let db =
        Client::builder(fixture.database.url()).expect("is a URL").through_pooler().connect().await.expect("connects");
    let standings = db.query(queries::standings(tenant)).await.expect("is read");
    assert_eq!(standings, standings_by_hand(&fixture.db, tenant).await);
    assert_eq!(db.query(queries::lower_emails(tenant)).await.expect("is written"), 1);
    let planned = db.query(queries::schedule_class(None, "STEP1", tenant, 2028)).await.expect("is written");
    assert_eq!(planned[0].scheduled_on, None);
}

/// The error says what the database has now, and no column is read as a different type.
#[tokio::test]
async fn a_database_that_differs_is_refused_when_the_statement_is_prepared() {
    let fixture = Fixture::new().await;
    let tenant = filled(&fixture).await;
    let (admin, connection) = relata::tokio_postgres::connect(&crate::support::direct(fixture.database.url()), NoTls)
        .await
        .expect("connects");
    tokio::spawn(connection);
    let change = "ALTER TABLE students ALTER class_year TYPE text USING class_year::text";
    admin.batch_execute(change).await.expect("is changed");
    let pooled =
        Client::builder(fixture.database.url()).expect("is a URL").through_pooler().connect().await.expect("connects");
    for db in [&fixture.db, &pooled] {
        let refused = db.query(queries::standings(tenant)).await.expect_err("is refused");
        assert!(
            refused.to_string().contains("column class_year of standings is text, which it was not compiled for"),
            "{refused}"
        );
    }
    admin.batch_execute("ALTER TABLE student_exams ADD UNIQUE (exam_type_id, scheduled_on)").await.expect("is changed");
    admin.batch_execute("ALTER TABLE students ALTER class_year TYPE int USING 2027").await.expect("is changed");
    let day = NaiveDate::from_ymd_opt(2026, 6, 1);
    let planned = fixture.db.query(queries::schedule_class(day, "STEP1", tenant, 2027)).await;
    assert_eq!(planned.expect("one is new").len(), 1);
    admin.batch_execute("DELETE FROM student_exams").await.expect("is changed");
    let violation = fixture.db.query(queries::schedule_class(day, "STEP1", tenant, 2027)).await;
    assert!(matches!(&violation, Err(Error::UniqueViolation(known)) if known.model == "StudentExam"), "{violation:?}");
}
