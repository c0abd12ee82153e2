//! Reads: calls, sort keys, pagination, aggregates.

use plain_planner::{Error, Student, exam_type, student, student_exam, user};
use relata::{Page, SearchQuery, count};
use relata_devdb::Feature;

use super::Given;
use crate::support::devdb;
use crate::wide::Fixture as Wide;
use crate::wide::client::{note, person, sample};

#[tokio::test]
async fn find_unique() {
    let db = Given::new().await;
    let found = db.student().find_unique(student::id.eq(db.ada.id)).await.expect("is read");
    assert_eq!(found.as_ref(), Some(&db.ada));
}

#[tokio::test]
async fn find_unique_by_compound_key() {
    let db = Given::new().await;
    let found = db.user().find_unique(user::institution_id_email.eq(db.tenant, "ada@x.edu")).or_err().await;
    assert_eq!(found.expect("is there").id, db.ada.user_id);
}

#[tokio::test]
async fn find_unique_with_more_conditions() {
    let db = Given::new().await;
    let query = || db.student().find_unique(student::id.eq(db.ada.id));
    assert!(query().filter(student::class_year.eq(2027)).await.expect("is read").is_none());
    assert!(query().filter(student::class_year.eq(2026)).await.expect("is read").is_some());
}

#[tokio::test]
async fn find_unique_or_throw() {
    let db = Given::new().await;
    let missing = db.student().find_unique(student::id.eq(relata::uuid::Uuid::nil())).or_err().await;
    assert!(matches!(missing, Err(Error::NotFound { model: "Student", .. })), "{missing:?}");
}

#[tokio::test]
async fn find_first() {
    let db = Given::new().await;
    let youngest = db.student().find_first().order_by(student::class_year.desc()).await.expect("is read");
    assert_eq!(youngest, Some(db.bob.clone()));
}

#[tokio::test]
async fn find_first_or_throw() {
    let db = Given::new().await;
    let none = db.student().find_first().filter(student::class_year.gt(3000)).or_err().await;
    assert!(matches!(none, Err(Error::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn find_many() {
    let db = Given::new().await;
    let all: Vec<Student> = db.student().find_many().order_by(student::class_year.asc()).await.expect("is read");
    assert_eq!(all, [db.ada.clone(), db.bob.clone()]);
}

#[tokio::test]
async fn count_rows() {
    let db = Given::new().await;
    assert_eq!(db.student().count().filter(student::class_year.gte(2027)).await.expect("counts"), 1);
    assert!(db.student().exists().filter(student::class_year.eq(2026)).await.expect("looks"));
}

#[tokio::test]
async fn count_with_select() {
    let db = Given::new().await;
    let counted = db.student_exam().aggregate((count(), student_exam::score.count())).await;
    assert_eq!(counted.expect("counts"), (3, 2));
}

#[tokio::test]
async fn count_of_a_page() {
    let db = Given::new().await;
    let counted = db.student_exam().aggregate(count()).order_by(student_exam::id.asc()).skip(1).take(5).await;
    assert_eq!(counted.expect("counts"), 2);
}

#[tokio::test]
async fn aggregate() {
    let db = Given::new().await;
    let score = student_exam::score;
    let values = (score.count(), score.sum(), score.avg(), score.min(), score.max());
    let calculated = db.student_exam().aggregate(values).await.expect("calculates");
    assert_eq!(calculated, (2, 163.5, Some(81.75), Some(71.0), Some(92.5)));
}

#[tokio::test]
async fn aggregate_of_some_rows() {
    let db = Given::new().await;
    let best = db.student_exam().aggregate(student_exam::score.max()).order_by(student_exam::score.asc()).take(1);
    assert_eq!(best.await.expect("calculates"), Some(71.0));
    let of_ada = db.student_exam().aggregate(count()).filter(student_exam::student_id.eq(db.ada.id));
    assert_eq!(of_ada.await.expect("counts"), 2);
}

#[tokio::test]
async fn group_by() {
    let db = Given::new().await;
    let groups = db.student_exam().group_by(student_exam::student_id).aggregate((count(), student_exam::score.sum()));
    let mut groups = groups.await.expect("groups");
    groups.sort_by_key(|(_, (rows, _))| *rows);
    assert_eq!(groups, [(db.bob.id, (1, 71.0)), (db.ada.id, (2, 92.5))]);
}

#[tokio::test]
async fn group_by_having() {
    let db = Given::new().await;
    let groups = db.student_exam().group_by(student_exam::student_id).aggregate(count());
    let several = groups.having(count().gt(1) & student_exam::score.avg().gt(50.0)).await.expect("groups");
    assert_eq!(several, [(db.ada.id, 2)]);
}

#[tokio::test]
async fn group_by_in_order() {
    let db = Given::new().await;
    let groups = db.student_exam().group_by(student_exam::student_id).aggregate(count());
    let most = groups.order_by(count().desc()).skip(0).take(1).await.expect("groups");
    assert_eq!(most, [(db.ada.id, 2)]);
}

#[tokio::test]
async fn distinct() {
    let db = Given::new().await;
    let exams = db.student_exam().find_many().distinct(student_exam::student_id).await.expect("is read");
    assert_eq!(exams.len(), 2);
}

#[tokio::test]
async fn order_by_field() {
    let db = Given::new().await;
    let orders = [student::class_year.desc(), student::id.asc()];
    let query = orders.into_iter().fold(db.student().find_many(), |query, order| query.order_by(order));
    assert_eq!(query.select(student::class_year).await.expect("is read"), [2027, 2026]);
}

#[tokio::test]
async fn order_by_nulls() {
    let db = Given::new().await;
    let scores = db.student_exam().find_many().order_by(student_exam::score.desc().nulls_last());
    assert_eq!(scores.select(student_exam::score).await.expect("is read"), [Some(92.5), Some(71.0), None]);
}

#[tokio::test]
async fn order_by_relation() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::user.order(user::email.desc()));
    assert_eq!(query.await.expect("is read")[0], db.bob);
}

#[tokio::test]
async fn order_by_relation_count() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::exams.count().desc());
    assert_eq!(query.await.expect("is read")[0], db.ada);
}

#[tokio::test]
async fn order_by_relevance() {
    if devdb().skips_without(&[Feature::TextSearchLanguages]) {
        return;
    }
    let wide = Wide::new().await;
    for text in ["a cat", "a cat and another cat", "a dog"] {
        wide.db.sample().create(sample::Create { text: text.to_owned() }).await.expect("is created");
    }
    let cats = SearchQuery::web("cat").language("english");
    let query = wide.db.sample().find_many().filter(sample::text.search(cats.clone()));
    let texts = query.order_by(sample::text.relevance(cats).desc()).select(sample::text).await.expect("is read");
    assert_eq!(texts, ["a cat and another cat", "a cat"]);
}

#[tokio::test]
async fn take_and_skip() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::class_year.asc()).skip(1).take(5);
    assert_eq!(query.await.expect("is read"), vec![db.bob.clone()]);
}

#[tokio::test]
async fn take_negative() {
    let db = Given::new().await;
    let last = db.student().find_many().order_by(student::class_year.asc()).take_last(1).await.expect("is read");
    assert_eq!(last, vec![db.bob.clone()]);
}

#[tokio::test]
async fn cursor() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::class_year.asc()).cursor(student::id.eq(db.ada.id));
    assert_eq!(query.clone().await.expect("is read").len(), 2);
    assert_eq!(query.skip(1).await.expect("is read"), vec![db.bob.clone()]);
}

#[tokio::test]
async fn cursor_by_compound_key() {
    let wide = Wide::new().await;
    let author = wide.db.person().create(person::Create { name: "a".to_owned() }).await.expect("is created").id;
    for number in 1..=3 {
        let row = note::Create { tenant: 1, number, author: author.clone() };
        wide.db.note().create(row).await.expect("is created");
    }
    let query = wide.db.note().find_many().cursor(note::tenant_number.eq(1, 2)).select(note::number);
    assert_eq!(query.await.expect("is read"), [2, 3]);
}

#[tokio::test]
async fn cursor_pages_of_a_service() {
    let db = Given::new().await;
    let query = db.student().find_many().order_by(student::class_year.asc()).take(1);
    let first: Page<Student> = query.clone().page_after(None).await.expect("is read");
    let second: Page<Student> = query.page_after(first.next).await.expect("is read");
    assert_eq!((first.rows, second.rows, second.next), (vec![db.ada.clone()], vec![db.bob.clone()], None));
}

#[tokio::test]
async fn fluent_relations() {
    let db = Given::new().await;
    let exams = db.student_exam().find_many().filter(student_exam::student.is(student::id.eq(db.ada.id)));
    assert_eq!(exams.await.expect("is read").len(), 2);
    let types = db.exam_type().find_many().filter(exam_type::exams.some(student_exam::student_id.eq(db.ada.id)));
    assert_eq!(types.await.expect("is read"), vec![db.exam_type.clone()]);
}
