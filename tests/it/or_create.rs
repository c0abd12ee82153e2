//! `or_create` in the field of a required relation: the row is referenced if it exists, and created otherwise.

use chrono::Utc;
use plain_planner::{Role, exam_type, institution, session, student, student_exam, user};
use relata::uuid::Uuid;
use relata::{Error, OrCreate};

use crate::support::Fixture;

fn new_user(tenant: Uuid, email: &str) -> user::Create {
    user::Create { institution: tenant, email: email.to_owned(), password_hash: "new".to_owned(), role: Role::Student }
}

fn either(tenant: Uuid, email: &str) -> OrCreate<user::Create> {
    user::institution_id_email.eq(tenant, email).or_create(new_user(tenant, email))
}

#[tokio::test]
async fn a_row_that_exists_is_referenced_and_another_one_is_created() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let known = fixture.user(tenant, "a@x.edu").await;
    for (email, users) in [("a@x.edu", 1), ("b@x.edu", 2)] {
        let row = student::Create { user: either(tenant, email), institution: tenant, class_year: 2027 };
        let student = db.student().create(row).include(student::user).await.expect("is created");
        assert_eq!(student.user.email, email);
        assert_eq!(db.user().count().await.expect("counts"), users);
    }
    let unchanged = db.user().find_unique(user::id.eq(known.id)).await.expect("reads").expect("is there");
    assert_eq!(unchanged, known, "a row that exists is not changed");
}

#[tokio::test]
async fn many_rows_share_what_one_of_them_creates() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    fixture.user(tenant, "a@x.edu").await;
    let rows = ["a@x.edu", "b@x.edu", "b@x.edu", "c@x.edu"]
        .map(|email| session::Create { user: either(tenant, email), expires_at: Utc::now() });
    let sessions = db.session().create_many_and_return(rows).include(session::user).await.expect("are created");
    let emails: Vec<&str> = sessions.iter().map(|session| session.user.email.as_str()).collect();
    assert_eq!(emails, ["a@x.edu", "b@x.edu", "b@x.edu", "c@x.edu"]);
    assert_eq!(db.user().count().await.expect("counts"), 3);
}

#[tokio::test]
async fn it_can_be_nested() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let known = fixture.student(tenant, "a@x.edu", 2027).await;
    let code = || "STEP1".to_owned();
    let exam = |id: Uuid, email: &str| {
        let student = student::Create { user: either(tenant, email), institution: tenant, class_year: 2028 };
        let exam_type = exam_type::Create { institution: tenant, code: code(), name: code(), default_weight: 1.0 };
        student_exam::Create {
            student: student::id.eq(id).or_create(student),
            exam_type: exam_type::institution_id_code.eq(tenant, code()).or_create(exam_type),
        }
    };
    let exams = [exam(known.id, "a@x.edu"), exam(Uuid::from_u128(7), "b@x.edu")];
    let exams = db.student_exam().create_many_and_return(exams).include(student_exam::student).await;
    let exams = exams.expect("are created");
    assert_eq!(exams.iter().map(|exam| exam.student.class_year).collect::<Vec<_>>(), [2027, 2028]);
    assert_eq!(exams[1].student_id, Uuid::from_u128(7));
    assert_eq!((db.exam_type().count().await.ok(), db.user().count().await.ok()), (Some(1), Some(2)));
    // In rows that a nested write creates.
    let school = institution::Create { name: "West".to_owned(), slug: "west".to_owned() };
    let row = student::Create {
        user: plain_planner::Parent,
        institution: institution::slug.eq("west").or_create(school),
        class_year: 2029,
    };
    let made = db.user().create(new_user(tenant, "c@x.edu")).with(user::student.create(row)).include(user::student);
    let made = made.await.expect("is created").student.expect("has a student");
    let west = db.institution().find_unique(institution::slug.eq("west")).await.expect("reads").expect("is there");
    assert_eq!(made.institution_id, west.id);
}

#[tokio::test]
async fn an_upsert_takes_it() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let id = Uuid::from_u128(9);
    for (email, year) in [("a@x.edu", 2027), ("b@x.edu", 2028)] {
        let row = student::Create { user: either(tenant, email), institution: tenant, class_year: 2027 };
        let upsert = db.student().upsert(student::id.eq(id), row).set(student::class_year.to(2028));
        let student = upsert.include(student::user).await.expect("is written");
        assert_eq!((student.class_year, student.user.email.as_str()), (year, "a@x.edu"));
    }
}

/// What a row that exists would have referenced is not created.
#[tokio::test]
async fn nothing_is_created_for_a_row_that_exists() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let known = fixture.student(tenant, "a@x.edu", 2027).await;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    let row = |email| student::Create { user: new_user(tenant, email), institution: tenant, class_year: 2028 };
    let student = student::id.eq(known.id).or_create(row("b@x.edu"));
    let exam = db.student_exam().create(student_exam::Create { student, exam_type }).await.expect("is created");
    assert_eq!(exam.student_id, known.id);
    let change = db.student().upsert(student::id.eq(known.id), row("c@x.edu")).set(student::class_year.to(2029));
    let change = change.include(student::user).await.expect("is updated");
    assert_eq!((change.class_year, change.user.email.as_str()), (2029, "a@x.edu"));
    assert_eq!(db.user().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn a_failure_leaves_nothing() {
    let fixture = Fixture::new().await;
    let (db, tenant) = (&fixture.db, fixture.institution("north").await.id);
    let row = student::Create { user: either(tenant, "a@x.edu"), institution: Uuid::nil(), class_year: 2027 };
    let failed = db.student().create(row).await;
    assert!(matches!(failed, Err(Error::ForeignKeyViolation(_))), "{failed:?}");
    let other = user::institution_id_email.eq(tenant, "a@x.edu").or_create(new_user(tenant, "b@x.edu"));
    let failed = db.student().create(student::Create { user: other, institution: tenant, class_year: 2027 }).await;
    assert!(matches!(failed, Err(Error::Misuse(_))), "the new row has another key: {failed:?}");
    assert_eq!(db.user().count().await.expect("counts"), 0);
}
