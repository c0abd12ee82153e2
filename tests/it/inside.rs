//! Filters on the contents of a value, and optional filters.

use plain_planner::{student, user};
use relata::serde_json::{Value, json};
use relata::{Filter, SearchQuery};
use relata_devdb::Feature;

use crate::support::{Fixture, devdb};
use crate::wide::Fixture as Wide;
use crate::wide::client::{Sample, sample};

async fn samples(values: impl IntoIterator<Item = (&'static str, Value)>) -> Wide {
    let wide = Wide::new().await;
    for (text, json) in values {
        let row = sample::Create { text: text.to_owned() };
        let sample = wide.db.sample().create(row).set(sample::json.to(json.clone())).set(sample::plain.to(json));
        sample.set(sample::short.to(&text[..1])).await.expect("is created");
    }
    wide
}

/// Returns the first letters of the texts that are found.
async fn found(wide: &Wide, filter: Filter<Sample>) -> String {
    let described = format!("{filter:?}");
    let rows = wide.db.sample().find_many().filter(filter).order_by(sample::text.asc()).select(sample::short).await;
    rows.expect(&described).into_iter().flatten().collect()
}

#[tokio::test]
async fn json_is_searched_by_path_and_value() {
    let wide = samples([
        ("a", json!({ "city": "Bern", "age": 7, "tags": ["x", "y"], "in": { "list": [1, 2] } })),
        ("b", json!({ "city": "berlin%", "age": 30, "tags": ["y"], "in": null })),
        ("c", json!({ "city": 5, "age": "30", "tags": [], "flag": true })),
        ("d", json!("Bern")),
        ("e", json!([{ "k": 1, "l": 2 }, "z"])),
        ("f", Value::Null),
    ])
    .await;
    macro_rules! both {
        ($(|$at:ident| $filter:expr, $expected:literal;)+) => {
            $(
                let $at = sample::json;
                assert_eq!(found(&wide, $filter).await, $expected, "jsonb: {}", stringify!($filter));
                let $at = sample::plain;
                assert_eq!(found(&wide, $filter).await, $expected, "json: {}", stringify!($filter));
            )+
        };
    }
    both! {
        |at| at.path(["city"]).eq("Bern"), "a";
        |at| at.path(["city"]).ne("Bern"), "bc";
        |at| at.path(["in"]).eq(Value::Null), "b";
        |at| at.path(["in"]).exists(), "ab";
        |at| !at.path(["in"]).exists(), "cdef";
        |at| at.path(["in", "list", "1"]).eq(2), "a";
        |at| at.path(["age"]).gt(7), "b";
        |at| at.path(["age"]).gte(7), "ab";
        |at| at.path(["age"]).lt(30), "a";
        |at| at.path(["age"]).lte("30"), "c";
        |at| at.path(["flag"]).eq(true), "c";
        |at| at.path(["city"]).string_contains("er"), "ab";
        |at| at.path(["city"]).string_contains("%"), "b";
        |at| at.path(["city"]).string_starts_with("B"), "a";
        |at| at.path(["city"]).string_starts_with_insensitive("B"), "ab";
        |at| at.path(["city"]).string_ends_with("n"), "a";
        |at| at.path(["city"]).string_ends_with_insensitive("IN%"), "b";
        |at| at.path(["city"]).string_contains_insensitive("ERN"), "a";
        |at| at.string_contains("ern"), "d";
        |at| at.path(["tags"]).array_contains(["y"]), "ab";
        |at| at.path(["tags"]).array_contains(["x", "y"]), "a";
        |at| at.path(["tags"]).array_starts_with("x"), "a";
        |at| at.path(["tags"]).array_ends_with("y"), "ab";
        |at| at.path(["tags"]).eq(json!([])), "c";
        |at| at.array_contains([json!({ "k": 1 })]), "e";
        |at| at.array_ends_with("z"), "e";
        |at| at.eq(json!("Bern")), "d";
        |at| at.eq(Value::Null) | at.path(["city", "x"]).exists(), "f";
        |at| at.path(["\"'; --"]).eq("'"), "";
    }
    let compared = wide.db.sample().count().filter(!sample::json.path(["city"]).eq("Bern")).await.expect("counts");
    assert_eq!(compared, 2, "what is not there is neither equal nor different, as null is not");
}

async fn texts() -> Wide {
    samples([
        ("a cat and a dog", Value::Null),
        ("bats and cats", Value::Null),
        ("cows, dogs; it's 'quoted'", Value::Null),
    ])
    .await
}

#[tokio::test]
async fn texts_are_searched_for_words_as_they_are() {
    let wide = texts().await;
    let simple = |query: &str| SearchQuery::terms(query).language("simple");
    for (query, expected) in [(simple("dogs"), "c"), (simple("cat | cats"), "ab"), (simple("cats & !dog"), "b")] {
        assert_eq!(found(&wide, sample::text.search(query.clone())).await, expected, "{query:?}");
    }
    let refused = wide.db.sample().count().filter(sample::text.search(simple("cat &"))).await.expect_err("is no query");
    assert!(refused.to_string().contains("text search"), "{refused}");
}

#[tokio::test]
async fn texts_are_searched_for_words() {
    if devdb().skips_without(&[Feature::TextSearchLanguages]) {
        return;
    }
    let wide = texts().await;
    let english = |query: &str| SearchQuery::terms(query).language("english");
    for (query, expected) in [
        (english("cat & dog"), "a"),
        (english("cat | dog"), "abc"),
        (english("cats & !dog"), "b"),
        (SearchQuery::web("cat -dog").language("english"), "b"),
        (SearchQuery::web("\"a dog\" or & ) ' cow").language("english"), "ac"),
    ] {
        assert_eq!(found(&wide, sample::text.search(query.clone())).await, expected, "{query:?}");
    }
    assert_eq!(found(&wide, sample::text.search("quoted")).await, "c");
    let best = wide
        .db
        .sample()
        .find_many()
        .order_by(sample::text.relevance(english("dog | cow")).desc())
        .order_by(sample::text.asc())
        .select(sample::short)
        .await
        .expect("is read");
    assert_eq!(best.into_iter().flatten().collect::<String>(), "cab");
    let page = wide.db.sample().find_many().order_by(sample::text.relevance(english("dog")).desc()).take(2);
    let first = page.clone().page_after(None).await.expect("is read");
    let second = page.page_after(first.next).await.expect("is read");
    assert_eq!((first.rows.len(), second.rows.len()), (2, 1));
}

#[tokio::test]
async fn filters_may_be_omitted() {
    let fixture = Fixture::new().await;
    let tenant = fixture.institution("north").await.id;
    for (email, year) in [("Ada@x.edu", 2026), ("bob@X.edu", 2027), ("c_d@x.org", 2028)] {
        fixture.student(tenant, email, year).await;
    }
    let years = |filter: Filter<plain_planner::Student>| {
        let query = fixture.db.student().find_many().filter(filter).order_by(student::class_year.asc());
        async move { query.select(student::class_year).await.expect("is read") }
    };
    let none = None::<i32>;
    assert_eq!(years(student::class_year.eq_opt(none)).await, [2026, 2027, 2028]);
    assert_eq!(years(student::class_year.eq_opt(Some(2027))).await, [2027]);
    assert_eq!(years(student::class_year.ne_opt(none) & student::class_year.ne_opt(Some(2027))).await, [2026, 2028]);
    assert_eq!(years(student::class_year.lt_opt(Some(2027)) & student::class_year.lte_opt(none)).await, [2026]);
    assert_eq!(years(student::class_year.gt_opt(none) & student::class_year.gte_opt(Some(2027))).await, [2027, 2028]);
    assert_eq!(years(student::class_year.in_opt(Some([2026, 2028]))).await, [2026, 2028]);
    assert_eq!(years(student::class_year.in_opt(None::<[i32; 1]>)).await, [2026, 2027, 2028]);
    assert_eq!(years(none.map(|year| student::class_year.gt(year)).into()).await, [2026, 2027, 2028]);
    let of_user = |filter: Filter<plain_planner::User>| years(student::user.is(filter));
    assert_eq!(of_user(user::email.contains_opt(Some("bob"))).await, [2027]);
    assert_eq!(of_user(user::email.contains_opt(None::<&str>)).await, [2026, 2027, 2028]);
    assert_eq!(of_user(user::email.starts_with_insensitive("ADA")).await, [2026]);
    assert_eq!(of_user(user::email.ends_with_insensitive(".EDU")).await, [2026, 2027]);
    assert_eq!(of_user(user::email.starts_with_insensitive("C_")).await, [2028]);
    assert_eq!(of_user(user::email.starts_with_insensitive("A_")).await, [] as [i32; 0]);
    assert_eq!(of_user(user::email.ne_insensitive("BOB@x.EDU")).await, [2026, 2028]);
    let found = fixture.db.student().find_many().filter(Some(student::class_year.eq(2028))).await.expect("is read");
    assert_eq!(found.len(), 1);
}
