//! The examples of the chapters on writes, transactions and raw SQL.

use chrono::{DateTime, TimeDelta, Utc};
use plain_planner::{
    Client, ExamType, Parent, Role, StudentExam, User, exam_type, session, student, student_exam, user,
};
use relata::uuid::Uuid;
use relata::{List, Result, Upserted, params};

use crate::support::Fixture;
use crate::wide::client::{self as wide, Document, document};

async fn rows_that_come_back(db: &Client, tenant: Uuid) -> Result<()> {
    let rows = ["STEP1", "STEP2"].map(|code| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: code.to_owned(),
        default_weight: 1.0,
    });
    let made: Vec<ExamType> = db.exam_type().create_many_and_return(rows).skip_duplicates().await?;
    assert_eq!(made.iter().map(|row| row.code.as_str()).collect::<Vec<_>>(), ["STEP1", "STEP2"]);
    Ok(())
}

async fn rows_that_may_exist(db: &Client, tenant: Uuid, first: Uuid, second: Uuid) -> Result<()> {
    let codes = ["STEP1", "STEP4"];
    let rows = codes.map(|code| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: code.to_owned(),
        default_weight: 1.0,
    });
    let created: Vec<Option<ExamType>> = db.exam_type().create_many_and_return(rows).or_none().await?;
    for (code, created) in codes.iter().zip(&created) {
        println!("{code} {}", if created.is_some() { "is new" } else { "is taken" });
    }
    assert_eq!(created.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);

    let row = |code: &str| exam_type::Create {
        institution: tenant,
        code: code.to_owned(),
        name: format!("USMLE {code}"),
        default_weight: 1.0,
    };
    let rows = ["STEP1", "STEP5"].map(row);
    let written: u64 = db.exam_type().upsert_many(rows).on(exam_type::institution_id_code).await?;
    assert_eq!(written, 2);
    let rows = ["STEP5", "STEP6"].map(row);
    for exam in db.exam_type().upsert_many(rows).on(exam_type::institution_id_code).and_return().await? {
        match exam {
            Upserted::Inserted(new) => println!("{} is new", new.code),
            Upserted::Updated(known) => println!("{} was known", known.code),
            Upserted::Skipped => {} // only with do_nothing, or if a trigger drops the row
        }
    }

    let changes = [
        (student_exam::id.eq(first), vec![student_exam::score.to(91.5)]),
        (student_exam::id.eq(second), vec![student_exam::score.to(78.0), student_exam::weight.increment(0.5)]),
    ];
    let done = db.student_exam().update_each(changes.clone()).await?;
    println!("{} updated, {} not found", done.updated, done.missing);
    let rows: Vec<Option<StudentExam>> = db.student_exam().update_each(changes).and_return().await?;
    assert_eq!((done.updated, done.missing, rows[1].is_some()), (1, 1, false));
    assert_eq!(rows[0].as_ref().and_then(|row| row.score), Some(91.5));
    Ok(())
}

async fn what_belongs_to_a_row(db: &Client, id: Uuid, tomorrow: DateTime<Utc>) -> Result<()> {
    let user = db
        .user()
        .update(user::id.eq(id))
        .with(user::sessions.create(session::Create { user: Parent, expires_at: tomorrow }))
        .with(user::sessions.update_many(session::expires_at.lt(tomorrow), [session::expires_at.to(tomorrow)]))
        .with(user::student.update([student::class_year.increment(1)]))
        .await?;
    assert_eq!(user.id, id);
    assert_eq!(db.session().count().filter(session::user_id.eq(id)).await?, 1);
    Ok(())
}

async fn a_row_that_may_exist(db: &Client, tenant: Uuid, email: &str, tomorrow: DateTime<Utc>) -> Result<()> {
    let new = user::Create {
        institution: tenant,
        email: email.to_owned(),
        password_hash: String::new(),
        role: Role::Student,
    };
    let user = user::institution_id_email.eq(tenant, email).or_create(new);
    let session = db.session().create(session::Create { user, expires_at: tomorrow }).await?;
    assert!(db.session().delete(session::id.eq(session.id)).await.is_ok());
    Ok(())
}

async fn savepoints_and_locks(db: &Client, tenant: Uuid, tomorrow: DateTime<Utc>) -> Result<()> {
    let row = user::Create {
        institution: tenant,
        email: "a@x.edu".to_owned(),
        password_hash: String::new(),
        role: Role::Admin,
    };
    let tx = db.begin().await?;
    let taken: Result<User> = tx.savepoint(|inner| async move { inner.user().create(row).await }).await;
    assert!(taken.is_err());
    let next = tx
        .session()
        .find_first()
        .filter(session::expires_at.lt(tomorrow))
        .order_by(session::expires_at.asc())
        .for_update()
        .skip_locked()
        .await?;
    assert!(next.is_none());
    tx.commit().await
}

async fn sql_of_ones_own(db: &Client, tenant: Uuid, ids: Vec<Uuid>) -> Result<()> {
    let years = db
        .query_raw::<(i32, i64)>(
            "SELECT class_year, count(*) FROM students WHERE institution_id = $1 GROUP BY 1 ORDER BY 1",
            params![tenant],
        )
        .await?;
    let renamed =
        db.execute_raw("UPDATE users SET email = lower(email) WHERE id = ANY($1)", params![List(ids)]).await?;
    assert_eq!((years, renamed), (vec![(2028, 1)], 1));
    Ok(())
}

async fn what_a_write_gives_back(db: &Client, tenant: Uuid, id: Uuid, tomorrow: DateTime<Utc>) -> Result<()> {
    let (email, password_hash) = ("new@x.edu".to_owned(), String::new());
    let user = db
        .user()
        .create(user::Create { institution: tenant, email, password_hash, role: Role::Student })
        .with(user::sessions.create(session::Create { user: Parent, expires_at: tomorrow }))
        .include(user::institution)
        .include(user::sessions)
        .await?;
    println!("{} of {}: {} sessions", user.email, user.institution.name, user.sessions.len());

    let (year, email): (i32, String) = db
        .student()
        .update(student::id.eq(id))
        .set(student::class_year.increment(1))
        .select((student::class_year, student::user.select(user::email)))
        .await?;
    assert_eq!((user.sessions.len(), year, email.as_str()), (1, 2029, "a@x.edu"));
    Ok(())
}

async fn rows_by_copy(db: &Client, id: Uuid, tomorrow: DateTime<Utc>) -> Result<()> {
    let sessions =
        (0..1000).map(move |second| session::Create { user: id, expires_at: tomorrow + TimeDelta::seconds(second) });
    let copied: u64 = db.session().copy_in(sessions).await?;
    assert_eq!(copied, 1000);
    let mut numbers = db.query_raw_stream::<(i64,)>("SELECT generate_series(1, $1)", params![3_i64]);
    while let Some(row) = numbers.next().await {
        println!("{}", row?.0);
    }
    Ok(())
}

#[derive(relata::FromRawRow)]
struct Year {
    class_year: i32,
    #[relata(column = "count")]
    students: i64,
    emails: Vec<String>,
}

async fn rows_as_structs(db: &Client) -> Result<()> {
    let sql = "SELECT s.class_year, count(*), array_agg(u.email) AS emails FROM students s JOIN users u ON u.id = s.user_id GROUP BY 1";
    let years: Vec<Year> = db.query_raw(sql, params![]).await?;
    let years: Vec<_> = years.iter().map(|year| (year.class_year, year.students, year.emails.len())).collect();
    assert_eq!(years, [(2029, 1, 1)]);
    Ok(())
}

async fn versions(db: &wide::Client) -> Result<()> {
    let read = db.document().create(document::Create { text: "old".to_owned() }).await?;
    let saved: Result<Document> = db
        .document()
        .update(document::id.eq(read.id))
        .filter(document::version.eq(read.version))
        .set(document::text.to("new"))
        .set(document::version.increment(1))
        .await; // Error::NotFound: someone else was first
    assert_eq!(saved?.version, 2);
    Ok(())
}

#[tokio::test]
async fn writes() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let student = fixture.student(tenant, "a@x.edu", 2027).await;
    // Whole seconds: the column keeps milliseconds, and would round.
    let tomorrow = DateTime::from_timestamp(Utc::now().timestamp() + 86_400, 0).expect("is a time");
    rows_that_come_back(&fixture.db, tenant).await.expect("runs");
    let exam =
        student_exam::Create { student: student.id, exam_type: exam_type::institution_id_code.eq(tenant, "STEP1") };
    let exam = fixture.db.student_exam().create(exam).await.expect("is created").id;
    rows_that_may_exist(&fixture.db, tenant, exam, Uuid::from_u128(1)).await.expect("runs");
    fixture.db.student_exam().delete(student_exam::id.eq(exam)).await.expect("is deleted");
    what_belongs_to_a_row(&fixture.db, student.user_id, tomorrow).await.expect("runs");
    a_row_that_may_exist(&fixture.db, tenant, "maybe@x.edu", tomorrow).await.expect("runs");
    savepoints_and_locks(&fixture.db, tenant, tomorrow).await.expect("runs");
    sql_of_ones_own(&fixture.db, tenant, vec![student.user_id]).await.expect("runs");
    rows_by_copy(&fixture.db, student.user_id, tomorrow).await.expect("runs");
    what_a_write_gives_back(&fixture.db, tenant, student.id, tomorrow).await.expect("runs");
    rows_as_structs(&fixture.db).await.expect("runs");
    versions(&crate::wide::Fixture::new().await.db).await.expect("runs");
}
