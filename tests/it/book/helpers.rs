//! The examples of `docs/helpers.md`.

use plain_planner::{
    Institution, Models, Role, Student, User, exam_type, institution, queries, student, student_exam, user,
};
use relata::kind::{Single, Uniqueness};
use relata::uuid::Uuid;
use relata::{Assignment, Delegate, Field, Filter, FindMany, Model, Order, PageToken, Result, WithAll, params};

use super::Book;

async fn register(db: &Models, tenant: Uuid, email: &str) -> Result<User> {
    let row = user::Create {
        institution: tenant,
        email: email.to_owned(),
        password_hash: String::new(),
        role: Role::Student,
    };
    db.user().create(row).await
}

/// The number of students, and their standings.
async fn overview(db: &Models, tenant: Uuid) -> Result<(u64, Vec<queries::Standings>)> {
    db.batch((db.student().count(), queries::standings(tenant))).await
}

/// The number of students of each class year.
async fn class_years(db: &Models) -> Result<Vec<(i32, i64)>> {
    db.query_raw("SELECT class_year, count(*) FROM students GROUP BY 1 ORDER BY 1", params![]).await
}

#[tokio::test]
async fn functions_of_a_program() -> Result<()> {
    let Book { fixture, tenant, .. } = Book::open().await;
    let db = &fixture.db;
    let before = db.user().count().await?;
    register(db, tenant, "b@x.edu").await?;
    let tx = db.begin().await?;
    register(&tx, tenant, "c@x.edu").await?;
    tx.savepoint(|inner| async move { register(&inner, tenant, "d@x.edu").await }).await?;
    tx.commit().await?;
    assert_eq!(db.user().count().await?, before + 3);
    let tx = db.begin().await?;
    for db in [&**db, &*tx] {
        let (students, standings) = overview(db, tenant).await?;
        assert_eq!((students, standings.len(), class_years(db).await?.len()), (1, 1, 1));
    }
    tx.commit().await?;
    Ok(())
}

fn students_of(db: &Models, tenant: Uuid) -> FindMany<Student> {
    db.student().find_many().filter(student::institution_id.eq(tenant))
}

/// Students who still have an exam to take.
fn unfinished() -> Filter<Student> {
    student::exams.some(student_exam::score.is_null())
}

/// Students whom `text` describes: a class year, or a part of the e-mail address.
fn described_by(text: &str) -> Filter<Student> {
    let by_email = student::user.is(user::email.contains_insensitive(text));
    match text.parse::<i32>() {
        Ok(year) => student::class_year.eq(year) | by_email,
        Err(_) => by_email,
    }
}

/// The sort keys that a visitor may choose.
fn sort_key(name: &str) -> Option<Order<Student>> {
    Some(match name {
        "email" => student::user.order(user::email.asc()),
        "year" => student::class_year.asc(),
        "exams" => student::exams.count().asc(),
        _ => return None,
    })
}

#[tokio::test]
async fn queries_as_values() -> Result<()> {
    let Book { fixture, tenant, student: known, .. } = Book::open().await;
    let db = &fixture.db;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    db.student_exam().create(student_exam::Create { student: known.id, exam_type }).await?;
    let students = students_of(db, tenant).order_by(student::class_year.asc()).include(student::user).await?;
    assert_eq!(students[0].user.email, "a@x.edu");

    let (search, sort) = (Some("2027"), "-year,email");
    let students = students_of(db, tenant)
        .filter(unfinished())
        .filter(search.map(described_by))
        .order_by_all(Order::parse_list(sort, sort_key)?)
        .take(20)
        .await?;
    assert_eq!(students.len(), 1);
    assert_eq!(db.student_exam().count().filter(student_exam::student.is(unfinished())).await?, 1);
    assert!(sort_key("password_hash").is_none());
    Ok(())
}

/// What a PATCH request may change.
#[derive(Default, relata::Patch)]
#[relata(from = Student)]
struct StudentPatch {
    class_year: Option<i32>,
    has_accommodations: Option<bool>,
}

/// Changes that several calls make.
fn graduated(year: i32) -> [Assignment<Student>; 2] {
    [student::class_year.to(year), student::has_accommodations.to_default()]
}

#[tokio::test]
async fn assignments_as_values() -> Result<()> {
    let Book { fixture, student: Student { id, .. }, .. } = Book::open().await;
    let db = &fixture.db;
    let patch = StudentPatch { class_year: Some(2030), ..StudentPatch::default() };
    let student = db.student().update(student::id.eq(id)).set(graduated(2026)).set(patch).await?;
    assert_eq!((student.class_year, student.has_accommodations), (2030, false));
    Ok(())
}

/// A student with the user and the exams.
type Report = WithAll<(student::WithUser, student::WithExams)>;

fn average(report: &Report) -> Option<f64> {
    let scores: Vec<f64> = report.exams.iter().filter_map(|exam| exam.score).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

fn class_of(student: &Student) -> String {
    format!("class of {}", student.class_year)
}

#[tokio::test]
async fn rows_with_relations() -> Result<()> {
    let Book { fixture, .. } = Book::open().await;
    let db = &fixture.db;
    let reports: Vec<Report> = db.student().find_many().include(student::user).include(student::exams).await?;
    for report in &reports {
        println!("{}, {}: {:?}", report.user.email, class_of(report), average(report));
    }
    assert_eq!((reports.len(), average(&reports[0])), (1, None));
    Ok(())
}

/// A page of any model, with the token of the next one.
async fn list<M: Model>(query: FindMany<M>, after: Option<&str>) -> Result<(Vec<M>, Option<String>)> {
    let after: Option<PageToken> = after.map(str::parse).transpose()?;
    let page = query.take(50).page_after(after).await?;
    Ok((page.rows, page.next.map(|token| token.to_string())))
}

async fn is_empty<M: Model>(model: Delegate<M>) -> Result<bool> {
    Ok(!model.exists().await?)
}

#[tokio::test]
async fn any_model() -> Result<()> {
    let Book { fixture, tenant, .. } = Book::open().await;
    let db = &fixture.db;
    let (students, next) = list(students_of(db, tenant).order_by(student::created_at.desc()), None).await?;
    let (institutions, _): (Vec<Institution>, _) = list(db.institution().find_many(), None).await?;
    let no_exams = is_empty(db.exam_type()).await?;
    assert_eq!((students.len(), next, institutions.len(), no_exams), (1, None, 1, true));
    assert_eq!(db.exam_type().count().filter(exam_type::institution_id.eq(tenant)).await?, 0);
    Ok(())
}

/// Matches if the field contains all of the words, in any order.
fn mentions<M: Model, A: Single, U: Uniqueness>(field: Field<M, String, A, U>, words: &[&str]) -> Filter<M> {
    Filter::all(words.iter().map(|word| field.contains_insensitive(word)))
}

#[tokio::test]
async fn any_field() -> Result<()> {
    let Book { fixture, tenant, .. } = Book::open().await;
    let db = &fixture.db;
    db.institution().update(institution::id.eq(tenant)).set(institution::name.to("North Medical School")).await?;
    let schools = db.institution().find_many().filter(mentions(institution::name, &["medical", "north"])).await?;
    let users = db.user().find_many().filter(mentions(user::email, &["a", "x.edu"])).await?;
    assert_eq!((schools.len(), users.len()), (1, 1));
    let by_key = db.institution().count().filter(mentions(institution::slug, &["no such slug"])).await?;
    assert_eq!(by_key, 0);
    Ok(())
}

#[tokio::test]
async fn at_the_same_time() -> Result<()> {
    let Book { fixture, tenant, .. } = Book::open().await;
    let db = &fixture.db;
    let students = students_of(db, tenant).take(10);
    let admins = db.user().count().filter(user::role.eq(Role::Admin));
    let (students, admins) = tokio::try_join!(students.into_future(), admins.into_future())?;
    assert_eq!((students.len(), admins), (1, 0));
    Ok(())
}
