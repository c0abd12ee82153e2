//! Conditions on fields, lists, JSON and relations, and their combinations.

use plain_planner::{Student, exam_type, student, student_exam, user};
use relata::serde_json::{Value, json};
use relata::{Filter, SearchQuery};
use relata_devdb::Feature;

use super::Given;
use crate::support::devdb;
use crate::wide::Fixture as Wide;
use crate::wide::client::{Sample, sample};

/// Returns the class years of the students that a filter finds.
async fn years(db: &Given, filter: impl Into<Filter<Student>>) -> Vec<i32> {
    let query = db.student().find_many().filter(filter).order_by(student::class_year.asc());
    query.select(student::class_year).await.expect("is read")
}

async fn samples() -> Wide {
    let wide = Wide::new().await;
    for (text, json, texts) in [
        ("a cat", json!({ "pet": { "name": "Tom", "age": 3 }, "tags": ["x", "y"] }), &["a", "b"][..]),
        ("50% off", json!({ "pet": { "name": "rex%", "age": 12 }, "tags": [] }), &["b"]),
        ("A DOG", Value::Null, &[]),
    ] {
        let row =
            sample::Create { text: text.to_owned() }.set(sample::json.to(json)).set(sample::texts.to(texts.to_vec()));
        wide.db.sample().create(row).await.expect("is created");
    }
    wide
}

/// Returns the first letters of the texts of the samples that a filter finds.
async fn found(wide: &Wide, filter: Filter<Sample>) -> String {
    let query = wide.db.sample().find_many().filter(filter).order_by(sample::id.asc()).select(sample::text);
    query.await.expect("is read").iter().map(|text| &text[..1]).collect()
}

#[tokio::test]
async fn equals() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.eq(2026)).await, [2026]);
}

#[tokio::test]
async fn equals_null() {
    let db = Given::new().await;
    let open = db.student_exam().count().filter(student_exam::score.is_null()).await.expect("counts");
    let known = db.student_exam().count().filter(student_exam::score.is_not_null()).await.expect("counts");
    assert_eq!((open, known), (1, 2));
}

#[tokio::test]
async fn not() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.ne(2026)).await, [2027]);
    assert_eq!(years(&db, !student::class_year.gt(2026)).await, [2026]);
}

#[tokio::test]
async fn in_list() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.in_([2026, 2030])).await, [2026]);
}

#[tokio::test]
async fn not_in_list() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.not_in(vec![2026, 2030])).await, [2027]);
}

#[tokio::test]
async fn lt_lte_gt_gte() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.lt(2027) & student::class_year.lte(2026)).await, [2026]);
    assert_eq!(years(&db, student::class_year.gt(2026) & student::class_year.gte(2027)).await, [2027]);
    assert_eq!(years(&db, student::class_year.between(2026, 2027)).await, [2026, 2027]);
}

#[tokio::test]
async fn contains() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::text.contains("%")).await, "5", "a wildcard means itself");
    assert_eq!(found(&wide, sample::text.contains("cat")).await, "a");
}

#[tokio::test]
async fn starts_with() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::text.starts_with("a")).await, "a");
}

#[tokio::test]
async fn ends_with() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::text.ends_with("off")).await, "5");
}

#[tokio::test]
async fn mode_insensitive() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::text.starts_with_insensitive("a")).await, "aA");
    assert_eq!(found(&wide, sample::text.eq_insensitive("a dog")).await, "A");
    assert_eq!(
        found(&wide, sample::text.contains_insensitive("CAT") | sample::text.ends_with_insensitive("G")).await,
        "aA"
    );
    assert_eq!(found(&wide, sample::text.ne_insensitive("A CAT")).await, "5A");
}

#[tokio::test]
async fn search() {
    if devdb().skips_without(&[Feature::TextSearchLanguages]) {
        return;
    }
    let wide = samples().await;
    let english = |words: &str| SearchQuery::terms(words).language("english");
    assert_eq!(found(&wide, sample::text.search(english("cats | dogs"))).await, "aA");
    assert_eq!(found(&wide, sample::text.search(SearchQuery::web("-cat").language("english"))).await, "5A");
}

#[tokio::test]
async fn field_references() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::updated_at.gte_field(student::created_at)).await, [2026, 2027]);
    assert_eq!(years(&db, student::user_id.eq_field(student::institution_id)).await, [] as [i32; 0]);
}

#[tokio::test]
async fn and() {
    let db = Given::new().await;
    assert_eq!(
        years(&db, student::class_year.gt(2000) & student::user.is(user::email.starts_with("bob"))).await,
        [2027]
    );
    assert_eq!(years(&db, Filter::all([student::class_year.gt(2000), student::class_year.lt(2027)])).await, [2026]);
}

#[tokio::test]
async fn or() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::class_year.eq(2026) | student::class_year.eq(2027)).await, [2026, 2027]);
    assert_eq!(years(&db, Filter::any([2027, 2028].map(|year| student::class_year.eq(year)))).await, [2027]);
    assert_eq!(years(&db, Filter::any([])).await, [] as [i32; 0]);
}

#[tokio::test]
async fn not_of_conditions() {
    let db = Given::new().await;
    assert_eq!(years(&db, !(student::class_year.eq(2026) | student::class_year.eq(2028))).await, [2027]);
}

#[tokio::test]
async fn undefined_means_every_row() {
    let db = Given::new().await;
    let year = None::<i32>;
    assert_eq!(years(&db, student::class_year.eq_opt(year)).await, [2026, 2027]);
    assert_eq!(years(&db, year.map(|year| student::class_year.eq(year))).await, [2026, 2027]);
}

#[tokio::test]
async fn list_equals() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::texts.eq(["a", "b"])).await, "a");
}

#[tokio::test]
async fn list_has() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::texts.has("b")).await, "a5");
}

#[tokio::test]
async fn list_has_every() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::texts.has_every(["b", "a"])).await, "a");
}

#[tokio::test]
async fn list_has_some() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::texts.has_some(["a", "z"])).await, "a");
}

#[tokio::test]
async fn list_is_empty() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::texts.is_empty()).await, "A");
    assert_eq!(found(&wide, !sample::texts.is_empty()).await, "a5");
}

#[tokio::test]
async fn json_equals() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::json.path(["tags"]).eq(json!(["x", "y"]))).await, "a");
    assert_eq!(found(&wide, sample::json.path(["pet", "age"]).ne(3)).await, "5");
}

#[tokio::test]
async fn json_path() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::json.path(["tags", "1"]).eq("y")).await, "a");
    assert_eq!(found(&wide, sample::json.path(["pet", "name"]).exists()).await, "a5");
}

#[tokio::test]
async fn json_string_filters() {
    let wide = samples().await;
    let name = || sample::json.path(["pet", "name"]);
    assert_eq!(found(&wide, name().string_contains("%") | name().string_starts_with("To")).await, "a5");
    assert_eq!(found(&wide, name().string_ends_with("om")).await, "a");
    assert_eq!(found(&wide, name().string_starts_with_insensitive("R")).await, "5");
}

#[tokio::test]
async fn json_array_filters() {
    let wide = samples().await;
    let tags = || sample::json.path(["tags"]);
    assert_eq!(found(&wide, tags().array_contains(["y", "x"])).await, "a");
    assert_eq!(found(&wide, tags().array_starts_with("x") & tags().array_ends_with("y")).await, "a");
}

#[tokio::test]
async fn json_comparisons() {
    let wide = samples().await;
    let age = || sample::json.path(["pet", "age"]);
    assert_eq!(found(&wide, age().gt(3) & age().lte(12)).await, "5");
    assert_eq!(found(&wide, age().gte(3) & age().lt(12)).await, "a");
}

#[tokio::test]
async fn json_nulls() {
    let wide = samples().await;
    assert_eq!(found(&wide, sample::json.eq(Value::Null)).await, "A", "JsonNull");
    assert_eq!(found(&wide, sample::plain.is_null()).await, "a5A", "DbNull");
    assert_eq!(found(&wide, sample::plain.is_null() | sample::plain.eq(Value::Null)).await, "a5A", "AnyNull");
}

#[tokio::test]
async fn some() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::exams.some(student_exam::score.gt(90.0))).await, [2026]);
}

#[tokio::test]
async fn every() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::exams.every(student_exam::score.gt(0.0))).await, [2027], "a null meets nothing");
}

#[tokio::test]
async fn none() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::exams.none(student_exam::score.gt(90.0))).await, [2027]);
}

#[tokio::test]
async fn is() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::user.is(user::email.eq("ada@x.edu"))).await, [2026]);
    let deep = student::exams.some(student_exam::exam_type.is(exam_type::code.eq("STEP1")));
    assert_eq!(years(&db, deep).await, [2026, 2027]);
}

#[tokio::test]
async fn is_not() {
    let db = Given::new().await;
    assert_eq!(years(&db, student::user.is_not(user::email.eq("ada@x.edu"))).await, [2027]);
}

#[tokio::test]
async fn is_null_relation() {
    let db = Given::new().await;
    db.fixture.user(db.tenant, "staff@x.edu").await;
    let without = db.user().find_many().filter(user::student.is_none()).select(user::email).await.expect("is read");
    assert_eq!(without, ["staff@x.edu"]);
    assert_eq!(db.user().count().filter(user::student.is_some()).await.expect("counts"), 2);
}
