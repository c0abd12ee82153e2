//! Changes that may be missing: `to_opt`, lists of assignments, `#[derive(Patch)]`, and updates for which nothing is set.

use plain_planner::{StudentExam, institution, student, student_exam, user};
use relata::uuid::Uuid;
use relata::{Assignment, serde_json};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{Sample, sample};

/// A request that changes an exam of a student.
#[derive(serde::Deserialize, relata::Patch)]
#[relata(from = StudentExam)]
struct ExamChanges {
    weight: Option<f64>,
    #[serde(default, deserialize_with = "relata::double_option")]
    score: Option<Option<f64>>,
    #[serde(default, deserialize_with = "relata::not_null")]
    exam_type_id: Option<Uuid>,
}

/// A field that always has a value, one with another name, and a list.
#[derive(relata::Patch)]
#[relata(from = Sample, module = sample)]
struct SampleChanges {
    flag: bool,
    #[relata(set = sample::short)]
    abbreviation: Option<String>,
    texts: Option<Vec<String>>,
}

/// An exam with the weight 3 and the score 81.
async fn exam(fixture: &Fixture) -> Uuid {
    let tenant = fixture.institution("north").await.id;
    let student = fixture.student(tenant, "a@x.edu", 2027).await.id;
    let exam_type = fixture.exam_type(tenant, "STEP1").await.id;
    let row = student_exam::Create { student, exam_type };
    let set = [student_exam::weight.to(3.0), student_exam::score.to(81.0)];
    fixture.db.student_exam().create(row).set(set).await.expect("is created").id
}

#[tokio::test]
async fn a_request_changes_what_it_names() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let exam = exam(&fixture).await;
    let patch = async |json: &str| {
        let changes: ExamChanges = serde_json::from_str(json).expect("is a request");
        let row = db.student_exam().update(student_exam::id.eq(exam)).set(changes).await.expect("is changed");
        (row.weight, row.score)
    };
    assert_eq!(patch("{}").await, (Some(3.0), Some(81.0)));
    assert_eq!(patch(r#"{ "weight": 2.5 }"#).await, (Some(2.5), Some(81.0)));
    assert_eq!(patch(r#"{ "score": null }"#).await, (Some(2.5), None));
    assert_eq!(patch(r#"{ "score": 90, "weight": null }"#).await, (Some(2.5), Some(90.0)));
    // Null is not the same as a missing key, and a required column cannot have it.
    assert!(serde_json::from_str::<ExamChanges>(r#"{ "exam_type_id": null }"#).is_err());
    let south = fixture.institution("south").await.id;
    let other = fixture.exam_type(south, "STEP2").await.id;
    let changes: ExamChanges = serde_json::from_str(&format!(r#"{{ "exam_type_id": "{other}" }}"#)).expect("is read");
    let row = db.student_exam().update(student_exam::id.eq(exam)).set(changes).await.expect("is changed");
    assert_eq!((row.exam_type_id, row.score), (other, Some(90.0)));
}

#[tokio::test]
async fn changes_of_the_book() -> relata::Result<()> {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let id = exam(&fixture).await;
    let request: ExamChanges = serde_json::from_str(r#"{ "weight": 2.5, "score": null }"#).expect("is a request");
    db.student_exam()
        .update(student_exam::id.eq(id))
        .set([
            student_exam::weight.to_opt(request.weight), // Option<f64>
            student_exam::score.to_opt(request.score),   // Option<Option<f64>>
        ])
        .await?;
    let request: ExamChanges = serde_json::from_str(r#"{ "score": 95 }"#).expect("is a request");
    db.student_exam().update(student_exam::id.eq(id)).set(request).await?;
    let row = db.student_exam().find_unique(student_exam::id.eq(id)).or_err().await?;
    assert_eq!((row.weight, row.score), (Some(2.5), Some(95.0)));
    Ok(())
}

#[tokio::test]
async fn structs_of_changes_set_columns_of_any_kind() {
    let fixture = wide::Fixture::new().await;
    let new = sample::Create { text: "a".to_owned() };
    let made = SampleChanges { flag: false, abbreviation: Some("ab".to_owned()), texts: Some(vec!["x".to_owned()]) };
    let row = fixture.db.sample().create(new).set(made).await.expect("is created");
    assert_eq!((row.flag, row.short.as_deref(), row.texts.as_slice()), (false, Some("ab"), &["x".to_owned()][..]));
    let changes = SampleChanges { flag: true, abbreviation: None, texts: None };
    let row = fixture.db.sample().update(sample::id.eq(row.id)).set(changes).await.expect("is changed");
    assert_eq!((row.flag, row.short.as_deref(), row.texts.len()), (true, Some("ab"), 1));
}

#[tokio::test]
async fn set_takes_lists_iterators_and_options() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = db.sample().create(sample::Create { text: "a".to_owned() }).set([]).await.expect("is created");
    let list: Vec<Assignment<Sample>> = vec![sample::small.to(1), sample::short.to("s")];
    let assigned = db
        .sample()
        .update(sample::id.eq(row.id))
        .set(list)
        .set([sample::small, sample::oid].into_iter().skip(2).map(|column| column.to(7)))
        .set([sample::flag.to_opt(Some(false)), sample::text.to_opt(None::<String>)])
        .set(None)
        .set(Some(sample::real.to(0.5)))
        .await
        .expect("is changed");
    assert_eq!((assigned.small, assigned.short.as_deref()), (Some(1), Some("s")));
    assert_eq!((assigned.flag, assigned.text.as_str(), assigned.real), (false, "a", Some(0.5)));
}

/// An update for which nothing is set returns the row, and leaves the time of its last change.
#[tokio::test]
async fn nothing_is_written_where_nothing_is_set() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let before = fixture.institution("north").await;
    let id = before.id;
    let nothing = institution::name.to_opt(None::<&str>);

    let after = db.institution().update(institution::id.eq(id)).set(nothing.clone()).await.expect("is found");
    assert_eq!(after, before);
    let count = db.institution().update_many().all_rows().set(nothing.clone()).await.expect("counts");
    assert_eq!(count, 1);
    let found = institution::slug.eq(before.slug.as_str());
    let row = institution::Create { name: "another".to_owned(), slug: before.slug.clone() };
    let after = db.institution().upsert(found, row).set(nothing).await.expect("is found");
    assert_eq!(after, before);
    let missing = db.institution().update(institution::slug.eq("none")).set([]).await;
    assert!(matches!(missing, Err(relata::Error::NotFound { .. })), "{missing:?}");
}

/// A row whose children change is not changed itself.
#[tokio::test]
async fn a_parent_keeps_its_time_where_only_its_children_change() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tenant = fixture.institution("north").await.id;
    let id = fixture.student(tenant, "a@x.edu", 2027).await.user_id;
    let read = async || {
        let row = db.user().find_unique(user::id.eq(id)).include(user::student).await;
        let row = row.expect("is read").expect("exists");
        (row.updated_at, row.student.map(|student| student.updated_at))
    };
    let before = read().await;
    let change = user::student.update(student::class_year.to(2030));
    db.user().update(user::id.eq(id)).with(change).await.expect("is changed");
    let after = read().await;
    assert_eq!(before.0, after.0);
    assert!(before.1 < after.1);
}
