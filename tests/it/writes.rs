//! Writes of single rows: defaults, lists, versions, the time of a transaction, and concurrent writes.

use relata::Lookup;
use std::time::Duration;

use plain_planner::{exam_type, institution};
use relata::serde_json::{Value, json};

use crate::support::Fixture;
use crate::wide;
use crate::wide::client::{Color, document, made, sample};

#[tokio::test]
async fn columns_return_to_their_defaults() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = db
        .sample()
        .create(sample::Create { text: "a".to_owned() })
        .set(sample::flag.to(false))
        .set(sample::double.to(9.0))
        .set(sample::color.to(Color::Red))
        .set(sample::small.to(7))
        .set(sample::big.to_default())
        .await
        .expect("is created");
    assert_eq!((row.flag, row.color, row.big), (false, Color::Red, 9_007_199_254_740_993));
    let row = db
        .sample()
        .update(sample::id.eq(row.id))
        .set(sample::flag.to_default())
        .set(sample::double.to_default())
        .set(sample::color.to_default())
        .set(sample::small.to_default())
        .await
        .expect("is changed");
    assert_eq!((row.flag, row.double, row.color, row.small), (true, 0.5, Color::DarkGreen, None));
    let before = db.made().create(made::Create {}).await.expect("is created");
    let after = db.made().update(made::id.eq(before.id.as_str())).set(made::nano7.to_default()).await;
    let after = after.expect("is changed");
    assert!(after.nano7.len() == 7 && after.nano7 != before.nano7 && after.ulid == before.ulid, "{after:?}");
}

#[tokio::test]
async fn lists_grow_at_their_end() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let created = db
        .sample()
        .create(sample::Create { text: "a".to_owned() })
        .set(sample::texts.push("x"))
        .set(sample::colors.push_many([Color::Blue]))
        .await
        .expect("is created");
    assert_eq!((created.texts.len(), &created.colors[..]), (1, &[Color::Blue][..]));
    let id = created.id;
    let row = db
        .sample()
        .update(sample::id.eq(id))
        .set(sample::texts.push("y, \"z\""))
        .set(sample::numbers.push_many([3, 1, 2]))
        .set(sample::colors.push_many([Color::Red, Color::DarkGreen]))
        .set(sample::uuids.push(relata::uuid::Uuid::nil()))
        .await
        .expect("is changed");
    assert_eq!(row.texts, ["x", "y, \"z\""]);
    assert_eq!(row.numbers, [3, 1, 2]);
    assert_eq!(row.colors, [Color::Blue, Color::Red, Color::DarkGreen]);
    assert_eq!(row.uuids.len(), 1);
    fixture.sql("UPDATE \"Sample \"\"quoted\"\"\" SET numbers = NULL").await;
    let row = db.sample().update(sample::id.eq(id)).set(sample::numbers.push(4)).await.expect("is changed");
    assert_eq!(row.numbers, [4], "null counts as the empty list");
    let set = db.sample().update(sample::id.eq(id)).set(sample::numbers.to([8])).await.expect("is changed");
    assert_eq!(set.numbers, [8]);
}

#[tokio::test]
async fn numbers_are_computed_in_the_database() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let row = db.sample().create(sample::Create { text: "a".to_owned() }).set(sample::small.to(6)).await;
    let id = row.expect("is created").id;
    for (to, expected) in [
        (sample::small.increment(4), Some(10)),
        (sample::small.decrement(1), Some(9)),
        (sample::small.multiply(3), Some(27)),
        (sample::small.divide(4), Some(6)),
    ] {
        let row = db.sample().update(sample::id.eq(id)).set(to).await.expect("is changed");
        assert_eq!(row.small, expected);
    }
    let row = db.sample().update(sample::id.eq(id)).set(sample::exact.multiply(3)).await.expect("is changed");
    assert_eq!(row.exact.to_string(), "4.5000");
    let row = db.sample().update(sample::id.eq(id)).set(sample::small.set_null()).await.expect("is changed");
    assert_eq!(row.small, None);
}

#[tokio::test]
async fn json_of_both_types_is_compared() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    for (text, value) in [("a", json!({"k": [1, 2]})), ("b", json!("x")), ("c", Value::Null), ("d", json!(7))] {
        let row = sample::Create { text: text.to_owned() };
        db.sample().create(row).set(sample::json.to(value.clone())).set(sample::plain.to(value)).await.expect("is");
    }
    db.sample()
        .create(sample::Create { text: "e".to_owned() })
        .set(sample::plain.set_null())
        .await
        .expect("is created");
    for (filter, expected) in [
        (sample::plain.in_([json!({"k": [1, 2]}), json!(7)]), "ad"),
        (sample::json.in_([json!({"k": [1, 2]}), json!(7)]), "ad"),
        (sample::plain.not_in([json!("x")]), "acd"),
        (sample::plain.eq(json!({"k": [1, 2]})), "a"),
        (sample::plain.ne(Value::Null), "abd"),
        (sample::plain.in_(Vec::<Value>::new()), ""),
        (sample::plain.not_in(Vec::<Value>::new()), "abcde"),
        (sample::plain.eq_field(sample::json), "abcd"),
    ] {
        let described = format!("{filter:?}");
        let query = db.sample().find_many().filter(filter).order_by(sample::text.asc()).select(sample::text);
        assert_eq!(query.await.expect(&described).concat(), expected, "{described}");
    }
}

#[tokio::test]
async fn concurrent_upserts_create_one_row() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let db = fixture.db.clone();
            tokio::spawn(async move {
                let row = exam_type::Create {
                    institution: tenant,
                    code: "STEP1".to_owned(),
                    name: format!("by {task}"),
                    default_weight: 1.0,
                };
                let key = exam_type::institution_id_code.eq(tenant, "STEP1");
                db.exam_type().upsert(key, row).set(exam_type::default_weight.increment(1.0)).await
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.expect("does not panic").expect("is written").id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let rows = fixture.sql("SELECT default_weight FROM exam_types").await;
    let weights: Vec<f64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(weights, [16.0], "one created the row, fifteen changed it");
}

#[tokio::test]
async fn a_version_detects_concurrent_updates() {
    let fixture = wide::Fixture::new().await;
    let db = &fixture.db;
    let read = db.document().create(document::Create { text: "draft".to_owned() }).await.expect("is created");
    let save = |text: &'static str, version: i32| {
        db.document()
            .update(document::id.eq(read.id))
            .filter(document::version.eq(version))
            .set(document::text.to(text))
            .set(document::version.increment(1))
    };
    assert_eq!(save("mine", read.version).await.expect("is the first").version, 2);
    let late = save("yours", read.version).await;
    assert!(matches!(late, Err(relata::Error::NotFound { operation: Lookup::Update, .. })), "{late:?}");
    let deleted = db.document().delete(document::id.eq(read.id)).filter(document::version.eq(read.version)).await;
    assert!(matches!(deleted, Err(relata::Error::NotFound { operation: Lookup::Delete, .. })), "{deleted:?}");
    let now = db.document().find_unique(document::id.eq(read.id)).or_err().await.expect("is there");
    assert_eq!((now.text.as_str(), now.version), ("mine", 2));
}

#[tokio::test]
async fn a_transaction_has_one_time() {
    let fixture = Fixture::new().await;
    let tx = fixture.db.begin().await.expect("begins");
    let row = |slug: &str| institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
    let first = tx.institution().create(row("a")).await.expect("is created");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = tx.institution().create(row("b")).await.expect("is created");
    tx.institution().create_many([row("c"), row("d")]).await.expect("are created");
    let changed = tx.institution().update(institution::id.eq(first.id)).set(institution::name.to("A")).await;
    let changed = changed.expect("is changed");
    tx.commit().await.expect("commits");
    assert_eq!((first.created_at, first.updated_at), (second.created_at, second.updated_at));
    assert_eq!((first.created_at, first.updated_at), (first.updated_at, changed.updated_at));
    let rows = fixture.sql("SELECT count(DISTINCT created_at) + count(DISTINCT updated_at) FROM institutions").await;
    assert_eq!(rows[0].get::<_, i64>(0), 2);
    let later = fixture.db.institution().create(row("e")).await.expect("is created");
    assert!(later.created_at > first.created_at);
}
