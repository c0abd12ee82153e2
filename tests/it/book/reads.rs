//! The examples of filters, sort keys, pagination and aggregates.

use plain_planner::{Institution, Student, StudentExam, institution, student, student_exam, user};
use relata::serde_json::json;
use relata::uuid::Uuid;
use relata::{Page, PageToken, Result, SearchQuery, count};
use relata_devdb::Feature;

use super::Book;
use crate::support::devdb;
use crate::wide;
use crate::wide::client::sample;

#[tokio::test]
async fn ordering() -> Result<()> {
    let Book { fixture, student: Student { id, .. }, .. } = Book::open().await;
    let db = &fixture.db;
    let busiest_first: Vec<Student> = db
        .student()
        .find_many()
        .order_by(student::exams.count().desc())
        .order_by(student::user.order(user::email.asc()))
        .await?;
    assert_eq!(busiest_first.iter().map(|student| student.id).collect::<Vec<_>>(), [id]);
    Ok(())
}

#[tokio::test]
async fn paging() -> Result<()> {
    let Book { fixture, tenant, student, .. } = Book::open().await;
    let db = &fixture.db;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    for score in [70.0, 80.0, 90.0] {
        let row = student_exam::Create { student: student.id, exam_type };
        db.student_exam().create(row).set(student_exam::score.to(score)).await?;
    }
    let text = None::<String>;
    let query = db.student_exam().find_many().order_by(student_exam::score.desc()).take(2);

    let token: Option<PageToken> = text.map(|text| text.parse()).transpose()?;
    let page: Page<StudentExam> = query.clone().page_after(token).await?;
    let next: Option<String> = page.next.map(|token| token.to_string());
    assert_eq!(page.rows.len(), 2);
    let before: Page<StudentExam> = query.clone().page_before(page.previous).await?;
    assert_eq!(
        before.rows.iter().map(|exam| exam.score).collect::<Vec<_>>(),
        [Some(80.0), Some(70.0)],
        "the last page"
    );

    let known = page.rows[0].id;
    let behind: Vec<StudentExam> = query.clone().cursor(student_exam::id.eq(known)).skip(1).await?;
    let lowest: Vec<StudentExam> = query.take_last(2).await?;
    assert_eq!((behind.len(), lowest[1].score, next.is_some()), (2, Some(70.0), true));

    let best_of_each: Vec<StudentExam> = db
        .student_exam()
        .find_many()
        .distinct((student_exam::student_id, student_exam::exam_type_id))
        .order_by(student_exam::score.desc().nulls_last())
        .await?;
    assert_eq!(best_of_each.iter().map(|exam| exam.score).collect::<Vec<_>>(), [Some(90.0)]);
    Ok(())
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Student)]
struct Card {
    class_year: i32,
    #[relata(select = student::user.select(user::email))]
    email: String,
    #[relata(select = student::exams.filter(student_exam::score.is_not_null()).count())]
    graded: i64,
    #[relata(nested)]
    institution: School,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = Institution)]
struct School {
    slug: String,
}

#[tokio::test]
async fn selecting_into_structs() -> Result<()> {
    let Book { fixture, .. } = Book::open().await;
    let db = &fixture.db;
    let cards: Vec<Card> = db.student().find_many().select_as::<Card>().await?;
    let expected = Card {
        class_year: 2027,
        email: "a@x.edu".to_owned(),
        graded: 0,
        institution: School { slug: "north".to_owned() },
    };
    assert_eq!(cards, [expected]);
    Ok(())
}

#[tokio::test]
async fn streaming() -> Result<()> {
    let Book { fixture, .. } = Book::open().await;
    let db = &fixture.db;
    let mut students = db.student().find_many().order_by(student::class_year.asc()).stream();
    while let Some(student) = students.next().await {
        println!("{}", student?.class_year);
    }
    Ok(())
}

#[tokio::test]
async fn calculating() -> Result<()> {
    let Book { fixture, tenant, student, .. } = Book::open().await;
    let db = &fixture.db;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    for score in [70.0, 80.0, 90.0] {
        let row = student_exam::Create { student: student.id, exam_type };
        db.student_exam().create(row).set(student_exam::score.to(score)).await?;
    }
    let (average, best, exams): (Option<f64>, Option<f64>, i64) = db
        .student_exam()
        .aggregate((student_exam::score.avg(), student_exam::score.max(), count()))
        .filter(student_exam::student.is(student::institution_id.eq(tenant)))
        .await?;
    assert_eq!((average, best, exams), (Some(80.0), Some(90.0), 3));

    let hardest: Vec<(Uuid, (i64, Option<f64>))> = db
        .student_exam()
        .group_by(student_exam::exam_type_id)
        .aggregate((count(), student_exam::score.avg()))
        .having(count().gte(3) & student_exam::score.avg().lt(85.0))
        .order_by(student_exam::score.avg().asc())
        .take(10)
        .await?;
    assert_eq!(hardest, [(exam_type, (3, Some(80.0)))]);
    Ok(())
}

#[tokio::test]
async fn filtering() -> Result<()> {
    let Book { fixture, .. } = Book::open().await;
    let db = &fixture.db;
    let (year, part) = (Some(2027), None::<&str>);
    let students = db
        .student()
        .find_many()
        .filter(student::class_year.eq_opt(year))
        .filter(part.map(|part| student::user.is(user::email.starts_with_insensitive(part))))
        .await?;
    assert_eq!(students.len(), 1);

    let wide = wide::Fixture::new().await;
    let row = sample::Create { text: "Cats and dogs".to_owned() };
    wide.db.sample().create(row).set(sample::json.to(json!({ "address": { "city": "Bern" }, "tags": ["a"] }))).await?;
    let filter = sample::json.path(["address", "city"]).string_starts_with("B")
        & sample::json.path(["tags"]).array_contains(["a"]);
    assert_eq!(wide.db.sample().count().filter(filter).await?, 1);
    Ok(())
}

#[tokio::test]
async fn searching() -> Result<()> {
    if devdb().skips_without(&[Feature::TextSearchLanguages]) {
        return Ok(());
    }
    let wide = wide::Fixture::new().await;
    wide.db.sample().create(sample::Create { text: "Cats and dogs".to_owned() }).await?;
    let typed = "cat -mouse";
    let query = SearchQuery::web(typed).language("english");
    let filter = sample::text.search(query.clone());
    let order = sample::text.relevance(query).desc();
    assert_eq!(wide.db.sample().find_many().filter(filter).order_by(order).await?.len(), 1);
    Ok(())
}
