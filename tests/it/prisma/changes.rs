//! Writes of single rows and of many.

use plain_planner::{Error, exam_type, session, student, student_exam, user};
use relata::chrono::Utc;
use relata::uuid::Uuid;

use super::Given;
use crate::wide::Fixture as Wide;
use crate::wide::client::sample;

fn exam(db: &Given, code: &str) -> exam_type::Create {
    exam_type::Create { institution: db.tenant, code: code.to_owned(), name: code.to_owned(), default_weight: 1.0 }
}

#[tokio::test]
async fn create() {
    let db = Given::new().await;
    let made = db.exam_type().create(exam(&db, "A")).set(exam_type::name.to("An exam")).await.expect("is created");
    assert_eq!((made.code.as_str(), made.name.as_str(), made.institution_id), ("A", "An exam", db.tenant));
}

#[tokio::test]
async fn create_many() {
    let db = Given::new().await;
    let made: u64 = db.exam_type().create_many(["A", "B"].map(|code| exam(&db, code))).await.expect("are created");
    assert_eq!(made, 2);
}

#[tokio::test]
async fn create_many_skip_duplicates() {
    let db = Given::new().await;
    let made = db.exam_type().create_many(["STEP1", "A"].map(|code| exam(&db, code))).skip_duplicates().await;
    assert_eq!(made.expect("are created"), 1);
}

#[tokio::test]
async fn create_many_and_return() {
    let db = Given::new().await;
    let rows = ["STEP1", "B", "A"].map(|code| exam(&db, code));
    let made = db.exam_type().create_many_and_return(rows).skip_duplicates().include(exam_type::institution).await;
    let made: Vec<_> =
        made.expect("are created").into_iter().map(|row| (row.code.clone(), row.institution.id)).collect();
    assert_eq!(made, [("B".to_owned(), db.tenant), ("A".to_owned(), db.tenant)], "in the order of the rows");
}

#[tokio::test]
async fn create_many_or_none() {
    let db = Given::new().await;
    let rows = ["STEP1", "B"].map(|code| exam(&db, code));
    let made = db.exam_type().create_many_and_return(rows).or_none().select(exam_type::code).await;
    assert_eq!(made.expect("are created"), [None, Some("B".to_owned())]);
}

#[tokio::test]
async fn update_each() {
    let db = Given::new().await;
    let changes = [(db.ada.id, 2031), (Uuid::from_u128(1), 2032)];
    let changes = changes.map(|(id, year)| (student::id.eq(id), student::class_year.to(year)));
    let rows = db.student().update_each(changes).and_return().await.expect("are updated");
    assert_eq!(rows.iter().map(|row| row.as_ref().map(|row| row.class_year)).collect::<Vec<_>>(), [Some(2031), None]);
}

#[tokio::test]
async fn upsert_many() {
    let db = Given::new().await;
    let rows = ["STEP1", "B"].map(|code| exam(&db, code));
    let rows = db.exam_type().upsert_many(rows).on(exam_type::institution_id_code).and_return().await;
    let is_new: Vec<bool> = rows.expect("are written").iter().map(relata::Upserted::is_inserted).collect();
    assert_eq!(is_new, [false, true]);
}

#[tokio::test]
async fn update() {
    let db = Given::new().await;
    let changed = db.student().update(student::id.eq(db.ada.id)).set(student::class_year.to(2030)).await;
    assert_eq!(changed.expect("is updated").class_year, 2030);
}

#[tokio::test]
async fn update_with_more_conditions() {
    let db = Given::new().await;
    let query =
        db.student().update(student::id.eq(db.ada.id)).filter(student::class_year.eq(1)).set(student::class_year.to(2));
    assert!(matches!(query.await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn update_many() {
    let db = Given::new().await;
    let filter = student::class_year.lt(2027);
    let changed: u64 =
        db.student().update_many().filter(filter).set(student::class_year.to(2030)).await.expect("is updated");
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn update_many_without_where() {
    let db = Given::new().await;
    let changed = db.student().update_many().all_rows().set(student::class_year.to(2030)).await.expect("are updated");
    assert_eq!(changed, 2);
}

#[tokio::test]
async fn update_many_and_return() {
    let db = Given::new().await;
    let query = db.student().update_many().filter(student::class_year.eq(2026)).set(student::class_year.increment(4));
    let changed = query.and_return().include(student::user).await.expect("is updated");
    assert_eq!((changed[0].class_year, changed[0].user.email.as_str()), (2030, "ada@x.edu"));
}

#[tokio::test]
async fn update_many_limit() {
    let db = Given::new().await;
    let changed = db.student_exam().update_many().all_rows().set(student_exam::weight.to(0.5)).limit(2);
    assert_eq!(changed.await.expect("are updated"), 2);
    let first = db.student_exam().find_many().order_by(student_exam::id.asc()).take(2).select(student_exam::id);
    let first: Vec<Uuid> = first.await.expect("is read");
    let half = db.student_exam().find_many().filter(student_exam::weight.eq(0.5)).order_by(student_exam::id.asc());
    assert_eq!(half.select(student_exam::id).await.expect("is read"), first, "the first by their key");
    let deleted = db.student_exam().delete_many().filter(student_exam::weight.eq(0.5)).limit(1);
    assert_eq!(deleted.await.expect("are deleted"), 1);
    let left = db.student_exam().find_many().filter(student_exam::weight.eq(0.5)).select(student_exam::id);
    assert_eq!(left.await.expect("is read"), first[1..], "the first of them is gone");
}

#[tokio::test]
async fn upsert() {
    let db = Given::new().await;
    let upsert = |name: &str| {
        let key = exam_type::institution_id_code.eq(db.tenant, "NEW");
        db.exam_type().upsert(key, exam(&db, "NEW")).set(exam_type::name.to(name))
    };
    assert_eq!(upsert("first").await.expect("is created").name, "NEW");
    assert_eq!(upsert("second").await.expect("is updated").name, "second");
}

#[tokio::test]
async fn delete() {
    let db = Given::new().await;
    let gone = db.student().delete(student::id.eq(db.bob.id)).await.expect("is deleted");
    assert_eq!(gone, db.bob);
    assert_eq!(db.student().count().await.expect("counts"), 1);
}

#[tokio::test]
async fn delete_many() {
    let db = Given::new().await;
    let gone: u64 = db.student_exam().delete_many().filter(student_exam::score.is_null()).await.expect("are deleted");
    assert_eq!(gone, 1);
}

#[tokio::test]
async fn delete_many_without_where() {
    let db = Given::new().await;
    assert_eq!(db.student_exam().delete_many().all_rows().await.expect("are deleted"), 3);
}

#[tokio::test]
async fn set_a_value() {
    let db = Given::new().await;
    let query = db.student_exam().update_many().all_rows().set(student_exam::score.to(50.0));
    assert_eq!(query.await.expect("are updated"), 3);
}

#[tokio::test]
async fn set_null() {
    let db = Given::new().await;
    db.student_exam().update_many().all_rows().set(student_exam::score.set_null()).await.expect("are updated");
    assert_eq!(db.student_exam().count().filter(student_exam::score.is_null()).await.expect("counts"), 3);
}

#[tokio::test]
async fn undefined_leaves_a_field_as_it_is() {
    let db = Given::new().await;
    let (year, accommodations) = (Some(2030), None::<bool>);
    let sets = [student::class_year.to_opt(year), student::has_accommodations.to_opt(accommodations)];
    let changed = db.student().update(student::id.eq(db.ada.id)).set(sets).await.expect("is updated");
    assert_eq!((changed.class_year, changed.has_accommodations), (2030, db.ada.has_accommodations));
}

#[tokio::test]
async fn number_operations() {
    let db = Given::new().await;
    let year = |set| {
        let query = db.student().update(student::id.eq(db.ada.id)).set(set);
        async move { query.await.expect("is updated").class_year }
    };
    assert_eq!(year(student::class_year.increment(4)).await, 2030);
    assert_eq!(year(student::class_year.decrement(30)).await, 2000);
    assert_eq!(year(student::class_year.divide(2)).await, 1000);
    assert_eq!(year(student::class_year.multiply(3)).await, 3000);
}

#[tokio::test]
async fn list_set_and_push() {
    let wide = Wide::new().await;
    let row = sample::Create { text: "a".to_owned() }.set(sample::numbers.to([1, 2]));
    let id = wide.db.sample().create(row).await.expect("is created").id;
    let numbers = |set| {
        let query = wide.db.sample().update(sample::id.eq(id)).set(set);
        async move { query.await.expect("is updated").numbers }
    };
    assert_eq!(numbers(sample::numbers.push(3)).await, [1, 2, 3]);
    assert_eq!(numbers(sample::numbers.push_many([4, 5])).await, [1, 2, 3, 4, 5]);
    assert_eq!(numbers(sample::numbers.to([9])).await, [9]);
}

#[tokio::test]
async fn json_null_and_db_null() {
    let wide = Wide::new().await;
    let null = relata::serde_json::Value::Null;
    let row = sample::Create { text: "a".to_owned() }.set(sample::plain.to(null.clone()));
    let row = wide.db.sample().create(row).await.expect("is created");
    assert_eq!(row.plain, Some(null), "Json's null is a value");
    let row = wide.db.sample().update(sample::id.eq(row.id)).set(sample::plain.set_null()).await.expect("is updated");
    assert_eq!(row.plain, None, "SQL's null is none");
}

#[tokio::test]
async fn unchecked_create() {
    let db = Given::new().await;
    let by_key = session::Create { user: db.ada.user_id, expires_at: Utc::now() };
    assert_eq!(db.session().create(by_key).await.expect("is created").user_id, db.ada.user_id);
}

#[tokio::test]
async fn create_with_connect() {
    let db = Given::new().await;
    let ada = user::institution_id_email.eq(db.tenant, "ada@x.edu");
    let row = session::Create { user: ada, expires_at: Utc::now() };
    assert_eq!(db.session().create(row).await.expect("is created").user_id, db.ada.user_id);
}
