//! The examples of orders, pages and distinct rows.

use exam_planner::{Student, StudentExam, student, student_exam, user};
use relata::{Page, PageToken, Result};

use super::Book;

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
