//! A client of `tests/json/schema.dsl`, whose columns of JSON have the shapes of `type` blocks.
//!
//! `cargo codegen generate --schema tests/json/schema.dsl --out tests/json/generated` generates its files.

#![allow(unreachable_pub, reason = "a client has no types that are less visible than itself")]

use std::path::Path;

use relata::chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use relata::rt::serde;
use relata::rust_decimal::Decimal;
use relata::serde_json::{self, json};
use relata::uuid::Uuid;
use relata::{Assignment, Error, Filter, Order};

use crate::support::{Database, connect, devdb};
use crate::wide::create_sql;

#[path = "../json/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod db;

mod nulls;

use db::{Address, Author, Comment, Everything, Geo, Grid, Mood, User, post, profile, queries, user};

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde", transparent)]
pub struct Email(pub String);

struct Fixture {
    _database: Database,
    db: db::Client,
    sql: relata::tokio_postgres::Client,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json/schema.dsl");
        let sources = relata_codegen::build::read_schema(&path).expect("is read");
        let schema = relata_codegen::compile(&sources).schema.expect("is valid");
        let database = devdb().create_database(name).expect("a database is made");
        let sql = connect(database.url()).await;
        sql.batch_execute(&create_sql(&schema)).await.expect("is right");
        let db = db::Client::connect(database.url()).await.expect("connects");
        Self { db, sql, _database: database }
    }

    /// The names of the users that match, in their order.
    async fn names(&self, filter: Filter<User>) -> Vec<String> {
        let users = self.db.user().find_many().filter(filter).order_by(user::name.asc());
        users.await.expect("is read").into_iter().map(|user| user.name).collect()
    }

    async fn sorted(&self, order: Order<User>) -> Vec<String> {
        let users = self.db.user().find_many().order_by(order).order_by(user::name.asc());
        users.await.expect("is read").into_iter().map(|user| user.name).collect()
    }

    /// The text of a column of the only user.
    async fn stored(&self, column: &str) -> Option<serde_json::Value> {
        let row = self.sql.query_one(&format!("SELECT ({column})::text FROM \"User\""), &[]).await.expect("is read");
        row.get::<_, Option<String>>(0).map(|text| serde_json::from_str(&text).expect("is JSON"))
    }

    /// Changes the only user.
    async fn change(&self, changes: impl IntoIterator<Item = Assignment<User>>) -> User {
        let mut update = self.db.user().update(user::name.eq("ada"));
        for change in changes {
            update = update.set(change);
        }
        update.await.expect("is updated")
    }
}

fn address(street: &str) -> Address {
    Address { street: street.to_owned(), zip: None, country: "DE".to_owned(), geo: None, tags: Vec::new() }
}

fn at(zip: &str, lat: f64, lng: f64) -> Address {
    let geo = Geo { lat, lng, grid: None };
    Address {
        zip: Some(zip.to_owned()),
        geo: Some(geo),
        tags: vec![zip.to_owned(), "x".to_owned()],
        ..address("Main St")
    }
}

fn new(name: &str, address: Address) -> user::Create {
    user::Create { name: name.to_owned(), address }
}

fn moment() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).single().expect("is one") + std::time::Duration::from_nanos(123_456_789)
}

fn everything() -> Everything {
    Everything {
        text: "o'Hara \"x\" \\ \u{1F600} %_".to_owned(),
        flag: false,
        int: i32::MIN,
        big: i64::MAX,
        float: 0.1 + 0.2,
        decimal: "79228162514264337593543950335".parse().expect("is one"),
        moment: moment(),
        day: NaiveDate::from_ymd_opt(2024, 2, 29).expect("is one"),
        hour: NaiveTime::from_hms_micro_opt(23, 59, 59, 1),
        id: Uuid::from_u128(0xdead_beef),
        bytes: vec![0, 255],
        any: Some(json!({ "deep": [1, null, { "x": "y" }] })),
        mood: Mood::Calm,
        r#type: Some("keyword".to_owned()),
        email: Email("a@b".to_owned()),
        ints: vec![1, -2],
        floats: vec![f64::MAX, f64::MIN_POSITIVE, -0.5],
        blobs: vec![vec![1], Vec::new()],
        moments: vec![moment()],
        moods: vec![Mood::Lively, Mood::Calm],
        decimals: vec![Decimal::new(-15, 1)],
        maybe: Some(vec![7]),
        number: Some(1e300),
    }
}

#[tokio::test]
async fn values_are_written_and_read() {
    let it = &Fixture::new("json_values").await;
    let comment = |text: &str| Comment { text: text.to_owned(), author: None, quoted: None, answers: Vec::new() };
    let author = Author { name: "Bob".to_owned(), favorite: Some(Box::new(comment("deep"))) };
    let tree = Comment {
        author: Some(Box::new(author)),
        quoted: Some(Box::new(comment("quoted"))),
        answers: vec![comment("one"), comment("two")],
        ..comment("root")
    };
    let ada = it.db.user().create(new("ada", at("04109", 51.5, -0.25)));
    let ada = ada.set(user::others.to([address("One"), address("Two")])).set(user::all.to(everything()));
    let ada = ada.set(user::old.to(Geo { lat: 1.0, lng: 2.0, grid: Some(Grid { zone: 33 }) }));
    let ada = ada.set(user::comment.to(tree.clone())).await.expect("is created");
    assert_eq!((&ada.address, &ada.second), (&at("04109", 51.5, -0.25), &None));
    assert_eq!(ada.others, [address("One"), address("Two")]);
    assert_eq!((ada.all.as_ref(), ada.comment.as_ref()), (Some(&everything()), Some(&tree)));
    assert_eq!(ada.home.geo, Some(Geo { lat: 1.0, lng: 2.5, grid: None }));
    assert_eq!((ada.home.street.as_str(), ada.home.country.as_str(), ada.home.tags.len()), ("Main St", "DE", 0));
    assert_eq!(it.db.user().find_unique(user::name.eq("ada")).await.expect("is read").as_ref(), Some(&ada));

    // What is missing is left out, and keys are those of the schema.
    assert_eq!(it.stored("\"others\"->0").await, Some(json!({ "street": "One", "country": "DE", "tags": [] })));
    let all = it.stored("\"all\"").await.expect("is there");
    assert_eq!(all["the \"text\" of it's"], json!(everything().text));
    assert_eq!((&all["decimal"], &all["bytes"]), (&json!("79228162514264337593543950335"), &json!("AP8=")));
    assert_eq!((&all["mood"], &all["day"], &all["big"]), (&json!("CALM"), &json!("2024-02-29"), &json!(i64::MAX)));
    assert_eq!(all["moment"], json!("2026-01-31T12:00:00.123456789Z"));

    // Missing keys, JSON's null and unknown keys.
    it.sql
        .batch_execute(
            "UPDATE \"User\" SET second = '{\"street\": \"x\", \"zip\": null, \"geo\": null, \"tags\": null, \"new\": 1}'",
        )
        .await
        .expect("is updated");
    let ada = it.db.user().find_unique(user::name.eq("ada")).or_err().await.expect("is read");
    assert_eq!(ada.second, Some(address("x")));
}

#[tokio::test]
async fn whole_values_and_paths_are_filters() {
    let it = &Fixture::new("json_filters").await;
    let ada = new("ada", at("04109", 51.5, 0.0)).set(user::second.to(address("Low St")));
    it.db.user().create(ada).await.expect("is created");
    it.db.user().create(new("bob", at("10115", 52.5, 9.0))).await.expect("is created");
    it.db.user().create(new("eve", address("O'Hara_St%"))).await.expect("is created");
    // JSON's null is no value either.
    it.sql
        .batch_execute("UPDATE \"User\" SET address = address || '{\"zip\": null}' WHERE name = 'eve'")
        .await
        .expect("is");
    let names = |filter| it.names(filter);
    let (zip, lat) = (user::address.zip, user::address.geo.lat);

    assert_eq!(names(user::address.eq(at("04109", 51.5, 0.0))).await, ["ada"]);
    assert_eq!(names(user::second.is_not_null()).await, ["ada"]);
    assert_eq!(names(zip.eq("04109")).await, ["ada"]);
    assert_eq!(names(zip.ne("04109")).await, ["bob"]);
    assert_eq!(names(!zip.eq("04109")).await, ["bob"]);
    assert_eq!(names(zip.in_(["04109", "10115", "'"])).await, ["ada", "bob"]);
    assert_eq!(names(zip.not_in(["04109"])).await, ["bob"]);
    assert_eq!(names(zip.is_null()).await, ["eve"]);
    assert_eq!(names(zip.is_not_null()).await, ["ada", "bob"]);
    assert_eq!(names(zip.gt("05") & zip.lte("10115")).await, ["bob"]);
    assert_eq!(names(zip.eq_opt(None::<&str>)).await.len(), 3);
    assert_eq!(names(zip.starts_with("04") | zip.contains("11")).await, ["ada", "bob"]);
    assert_eq!(names(user::address.street.eq("O'Hara_St%")).await, ["eve"]);
    assert_eq!(names(user::address.street.ends_with("_St%")).await, ["eve"]);
    assert_eq!(names(user::address.street.eq_insensitive("o'hara_st%")).await, ["eve"]);
    assert_eq!(names(user::address.street.contains_insensitive("MAIN")).await, ["ada", "bob"]);
    assert_eq!(names(user::second.street.eq("Low St")).await, ["ada"]);

    assert_eq!(names(lat.eq(51.5)).await, ["ada"]);
    assert_eq!(names(lat.lt(1000.0)).await, ["ada", "bob"]);
    assert_eq!(names(lat.gte(52)).await, ["bob"]);
    assert_eq!(names(lat.between(51.0, 52.0)).await, ["ada"]);
    assert_eq!(names(lat.in_([52.5, 1.0])).await, ["bob"]);
    assert_eq!(names(user::address.geo.is_null()).await, ["eve"]);
    assert_eq!(names(user::address.geo.eq(Geo { lat: 52.5, lng: 9.0, grid: None })).await, ["bob"]);
    assert_eq!(names(user::address.geo.grid.zone.eq(1)).await, [""; 0]);

    assert_eq!(names(user::address.tags.has("x")).await, ["ada", "bob"]);
    assert_eq!(names(user::address.tags.has_every(["x", "10115"])).await, ["bob"]);
    assert_eq!(names(user::address.tags.has_some(["04109", "10115"])).await, ["ada", "bob"]);
    assert_eq!(names(user::address.tags.has_some([""; 0])).await, [""; 0]);
    assert_eq!(names(user::address.tags.is_empty()).await, ["eve"]);
    assert_eq!(names(user::address.tags.eq(["04109", "x"])).await, ["ada"]);

    assert_eq!(it.sorted(zip.desc().nulls_last()).await, ["bob", "ada", "eve"]);
    assert_eq!(it.sorted(zip.asc()).await, ["ada", "bob", "eve"]);
    assert_eq!(it.sorted(lat.desc()).await, ["eve", "bob", "ada"]);
    let select = it.db.user().find_many().filter(zip.eq("04109")).select((user::name, user::address, user::others));
    assert_eq!(select.await.expect("is read"), [("ada".to_owned(), at("04109", 51.5, 0.0), Vec::new())]);
    let parts = (user::name, user::address.zip, user::address.geo, user::address.geo.lat, user::address.tags);
    let rows = it.db.user().find_many().order_by(user::name.desc()).select(parts).await.expect("is read");
    assert_eq!(rows[0], ("eve".to_owned(), None, None, None, Vec::new()));
    let geo = Geo { lat: 51.5, lng: 0.0, grid: None };
    let tags = vec!["04109".to_owned(), "x".to_owned()];
    assert_eq!(rows[2], ("ada".to_owned(), Some("04109".to_owned()), Some(geo), Some(51.5), tags));
    assert_eq!(names(user::address.path(["geo", "lat"]).eq(51.5)).await, ["ada"]);
    assert_eq!(names(user::address.eq_field(user::home)).await, [""; 0]);
}

#[tokio::test]
async fn pages_follow_values_in_json() {
    let it = &Fixture::new("json_pages").await;
    for (name, zip, lat) in [("a", "3", 1.5), ("b", "1", -7.0), ("c", "2", 1e9), ("d", "2", 0.0)] {
        it.db.user().create(new(name, at(zip, lat, 0.0))).await.expect("is created");
    }
    it.db.user().create(new("e", address("x"))).await.expect("is created");
    let pages = async |order: Order<User>| {
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let page =
                it.db.user().find_many().order_by(order.clone()).take(2).page_after(token).await.expect("is read");
            names.extend(page.rows.into_iter().map(|user| user.name));
            token = page.next;
            if token.is_none() {
                return names;
            }
        }
    };
    assert_eq!(pages(user::address.zip.asc()).await, ["b", "c", "d", "a", "e"]);
    assert_eq!(pages(user::address.geo.lat.desc().nulls_last()).await, ["c", "a", "d", "b", "e"]);
    let error = it.db.user().find_many().order_by(user::hidden.lat.asc()).take(1).page_after(None).await;
    assert!(matches!(error, Err(Error::Misuse(_))), "{error:?}");
}

#[tokio::test]
async fn every_kind_of_value_is_compared() {
    let it = &Fixture::new("json_kinds").await;
    it.db.user().create(new("ada", address("x")).set(user::all.to(everything()))).await.expect("is created");
    it.db.user().create(new("bob", address("x"))).await.expect("is created");
    let all = user::all;
    let value = everything();
    let finds = async |filter: Filter<User>| it.names(filter).await == ["ada"];
    assert!(finds(all.eq(value.clone())).await);
    assert!(finds(all.text.eq(&value.text) & all.text.contains("%_")).await);
    assert!(finds(all.flag.eq(false) & all.flag.lt(true)).await);
    assert!(finds(all.int.eq(i32::MIN) & all.int.lt(0)).await);
    assert!(finds(all.big.eq(i64::MAX) & all.big.gt(i64::MAX - 1) & !all.big.gt(i64::MAX)).await);
    assert!(finds(all.float.eq(0.1 + 0.2) & all.float.gt(0.3) & all.float.ne(0.3)).await);
    assert!(
        finds(all.decimal.eq(value.decimal) & all.decimal.gt(Decimal::from(9)) & all.decimal.in_([value.decimal]))
            .await
    );
    assert!(finds(all.moment.eq(moment()) & all.moment.lt(moment() + std::time::Duration::from_secs(1))).await);
    assert!(finds(all.moment.in_([moment()])).await);
    assert!(finds(all.day.eq(value.day) & all.day.gt(NaiveDate::from_ymd_opt(9, 1, 1).expect("is one"))).await);
    assert!(finds(all.hour.eq(value.hour.expect("is there")) & all.hour.gt(NaiveTime::MIN)).await);
    assert!(finds(all.id.eq(value.id) & all.id.in_([value.id])).await);
    assert!(finds(all.bytes.eq([0, 255].as_slice()) & all.maybe.eq(vec![7])).await);
    assert!(finds(all.any.eq(json!({ "deep": [1, null, { "x": "y" }] }))).await);
    assert!(finds(all.mood.eq(Mood::Calm) & all.mood.in_([Mood::Calm]) & all.mood.ne(Mood::Lively)).await);
    assert!(finds(all.r#type.eq("keyword") & all.email.eq(Email("a@b".into())) & all.email.contains("@")).await);
    assert!(
        finds(all.ints.has(-2) & all.floats.has(f64::MAX) & all.blobs.has(vec![1]) & all.moods.has(Mood::Calm)).await
    );
    assert!(finds(all.moments.has(moment()) & all.decimals.has(Decimal::new(-15, 1))).await);
    assert!(finds(all.number.eq(1e300) & all.number.is_not_null()).await);
    let ada = it.db.user().find_many().filter(user::name.eq("ada"));
    let kinds = (all.decimal, all.moment, all.bytes, all.mood, all.email, all.big, all.any, all.flag);
    let lists = (all.ints, all.floats, all.blobs, all.moods, all.decimals);
    let row = ada.select((user::name, kinds.0, kinds.1, kinds.2, kinds.3, kinds.4, kinds.5, kinds.6, kinds.7)).await;
    let (_, decimal, instant, bytes, mood, email, big, any, flag) = row.expect("is read").remove(0);
    assert_eq!((decimal, instant, bytes), (Some(value.decimal), Some(value.moment), Some(value.bytes.clone())));
    assert_eq!((mood, email, big), (Some(Mood::Calm), Some(value.email.clone()), Some(i64::MAX)));
    assert_eq!((any, flag), (value.any.clone(), Some(false)));
    let row = it.db.user().find_many().filter(user::name.eq("ada")).select(lists).await.expect("is read").remove(0);
    assert_eq!(row, (value.ints, value.floats, value.blobs, value.moods, value.decimals));

    // The order of numbers that are strings in JSON is that of numbers, and JSON's own numbers are read as well.
    it.sql
        .batch_execute("UPDATE \"User\" SET \"all\" = \"all\" || '{\"decimal\": 10.50, \"moment\": \"2026-01-31T13:00:00+01:00\"}'")
        .await
        .expect("is updated");
    assert!(finds(all.decimal.gt(Decimal::from(9)) & all.decimal.eq(Decimal::new(105, 1))).await);
    assert!(finds(all.moment.lt(moment())).await);
    let refused = it.db.user().find_many().filter(all.float.eq(f64::NAN)).await.expect_err("has no form in JSON");
    assert!(matches!(&refused, Error::InvalidValue(reason) if reason.contains("not finite")), "{refused}");
    let infinite = Everything { float: f64::INFINITY, ..everything() };
    for change in [all.to(infinite), all.float.to(f64::NAN), all.floats.to([1.0, f64::NAN])] {
        let refused = it.db.user().update(user::name.eq("ada")).set(change).await;
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn parts_of_values_are_set() {
    let it = &Fixture::new("json_sets").await;
    it.db.user().create(new("ada", at("04109", 1.0, 2.0))).await.expect("is created");
    let zip = |text: &str| user::address.zip.to(text.to_owned());

    // Several changes of one column compose, and the rest stays.
    let ada = it.change([zip("1"), user::address.geo.lat.to(9), user::address.tags.to(["y"]), zip("2")]).await;
    let expected = Address { tags: vec!["y".to_owned()], ..at("2", 9.0, 2.0) };
    assert_eq!(ada.address, expected);
    let ada = it.change([user::address.geo.set_null(), user::address.zip.set_null()]).await;
    assert_eq!(ada.address, Address { geo: None, zip: None, ..expected });
    let keys = json!({ "street": "Main St", "country": "DE", "tags": ["y"] });
    assert_eq!(it.stored("address").await, Some(keys.clone()));

    // Removing inside what is missing changes nothing; objects on the way are created.
    it.change([user::address.geo.grid.set_null(), user::second.zip.set_null(), user::second.geo.set_null()]).await;
    assert_eq!((it.stored("address").await, it.stored("second").await), (Some(keys), None));
    let changes = [user::address.geo.grid.zone.to(33), user::address.geo.lng.to(5.5), user::address.geo.lat.to(4.5)];
    let geo = Geo { lat: 4.5, lng: 5.5, grid: Some(Grid { zone: 33 }) };
    assert_eq!(it.change(changes).await.address.geo.as_ref(), Some(&geo));
    let ada = it.change([user::second.street.to("New"), user::second.geo.to(geo.clone())]).await;
    assert_eq!(ada.second, Some(Address { geo: Some(geo.clone()), ..address("New") }));
    // A part of a value that is set in the same call.
    let ada =
        it.change([user::second.to(address("A")), user::second.geo.to(geo.clone()), user::second.geo.lat.to(0)]).await;
    assert_eq!(ada.second.and_then(|second| second.geo), Some(Geo { lat: 0.0, ..geo.clone() }));
    let ada = it.change([user::second.set_null(), user::second.street.to("B")]).await;
    assert_eq!(ada.second, Some(address("B")));
    let ada = it.change([user::second.street.to("C"), user::second.to(address("D"))]).await;
    assert_eq!(ada.second, Some(address("D")));
    it.sql.batch_execute("UPDATE \"User\" SET second = '[1]', old_geo = 'null'").await.expect("is updated");
    let ada = it.change([user::second.street.to("E"), user::old.lat.to(1), user::old.lng.to(2)]).await;
    assert_eq!((ada.second, ada.old), (Some(address("E")), Some(Geo { lat: 1.0, lng: 2.0, grid: None })));
    let ada = it.change([user::old.grid.zone.to(7), user::all.to(everything()), user::all.text.to("it's")]).await;
    assert_eq!(ada.old.and_then(|old| old.grid), Some(Grid { zone: 7 }));
    let ada =
        it.change([user::all.decimal.to(Decimal::ONE), user::all.bytes.to(vec![9]), user::all.mood.to(Mood::Lively)]);
    let all = ada.await.all.expect("is there");
    assert_eq!((all.decimal, all.bytes, all.mood, all.text.as_str()), (Decimal::ONE, vec![9], Mood::Lively, "it's"));

    // Other writes.
    let many = it.db.user().update_many().filter(user::address.zip.is_null()).set(zip("77"));
    assert_eq!(many.await.expect("is updated"), 1);
    let row = new("ada", address("F"));
    let ada = it.db.user().upsert(user::name.eq("ada"), row).set(zip("99")).await.expect("is updated");
    assert_eq!(ada.address.zip.as_deref(), Some("99"));
    let eve = new("eve", address("F")).set(zip("88")).set(user::home.to(address("G"))).set(user::home.zip.set_null());
    let eve = it.db.user().create(eve).await.expect("is created");
    assert_eq!(eve.address.zip.as_deref(), Some("88"));
    let calculated = it.db.user().create(new("joe", address("x"))).set(user::home.zip.to("1".to_owned())).await;
    assert!(matches!(calculated, Err(Error::Misuse(_))), "{calculated:?}");
    let bob = it.db.user().create(new("bob", address("F"))).set(zip("88")).set(user::address.geo.lat.to(1)).await;
    assert!(matches!(bob, Err(Error::Committed(_))), "a longitude is missing: {bob:?}");
    let error = it.db.user().update(user::name.eq("ada")).set(user::all.float.to(f64::NAN)).await;
    assert!(error.expect_err("has no form").to_string().contains("JSON"));
}

#[tokio::test]
async fn relations_and_bulk_writes_have_values_in_json() {
    let it = &Fixture::new("json_relations").await;
    let geo = Geo { lat: 1.0, lng: 2.0, grid: None };
    let profile = profile::Create { user: relata::Parent, geo: geo.clone(), mood: Mood::Calm };
    let post = |street: &str| post::Create { user: relata::Parent, place: address(street) };
    let ada = new("ada", address("x"))
        .with(user::profile.create(profile))
        .with(user::posts.create_many([post("A"), post("B")]));
    let ada = it.db.user().create(ada).include(user::profile).include(user::posts).await.expect("is created");
    assert_eq!(ada.profile.as_ref().map(|profile| &profile.geo), Some(&geo));
    assert_eq!(it.names(user::profile.is(profile::geo.lat.eq(1))).await, ["ada"]);
    assert_eq!(it.names(user::profile.is(profile::geo.lat.gt(1))).await, [""; 0]);
    assert_eq!(it.names(user::posts.some(post::place.street.eq("B"))).await, ["ada"]);
    let sorted = it
        .db
        .post()
        .find_many()
        .order_by(post::user.order(user::address.street.asc()))
        .order_by(post::place.street.desc());
    let streets: Vec<String> = sorted.await.expect("is read").into_iter().map(|post| post.place.street).collect();
    assert_eq!(streets, ["B", "A"]);
    let change = user::posts
        .update_many(post::place.street.eq("A"), [post::place.street.to("C"), post::place.zip.to("1".to_owned())]);
    it.db.user().update(user::id.eq(ada.id)).with(change).await.expect("is updated");
    assert_eq!(it.db.post().count().filter(post::place.zip.eq("1") & post::place.street.eq("C")).await.expect("is"), 1);
    let users = || ["b", "c"].map(|name| new(name, at(name, 0.0, 0.0)).set(user::others.to([address(name)])));
    assert_eq!(it.db.user().create_many(users()).await.expect("are created"), 2);
    it.db.user().delete_many().filter(user::address.zip.in_(["b", "c"])).await.expect("are deleted");
    assert_eq!(it.db.user().copy_in(users()).await.expect("are copied"), 2);
    assert_eq!(it.names(user::others.has(address("c"))).await, ["c"]);
    assert_eq!(it.names(user::others.has_some([address("b"), address("c")])).await, ["b", "c"]);
    assert_eq!(it.names(user::others.eq([address("b")])).await, ["b"]);
    assert_eq!(it.names(user::others.is_empty()).await, ["ada"]);
    let groups = it.db.user().group_by(user::second).aggregate(relata::count()).await.expect("is read");
    assert_eq!(groups, [(None, 3)]);

    let streets = it.db.user().find_many().order_by(user::name.asc()).select(user::posts.select(post::place.street));
    let mut streets = streets.await.expect("is read").remove(0);
    streets.sort();
    assert_eq!(streets, [Some("B".to_owned()), Some("C".to_owned())]);

    let rows = it.db.query(queries::addresses()).await.expect("is read");
    assert_eq!(
        (&rows[1].address, rows[1].others[0].street.as_str(), &rows[1].second),
        (&at("b", 0.0, 0.0), "b", &None)
    );
    let found = it.db.query(queries::users_at(at("c", 0.0, 0.0))).await.expect("is read");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn names_of_rust_are_names_of_types() {
    use db::{F, M, Queries, Self_, odd};

    let it = &Fixture::new("json_names").await;
    let queries = Queries { m: 7, r#loop: false };
    let vec = db::vec::Vec { m: Some(M { f: Some(F { queries: Some(queries) }) }) };
    let inner = db::box_::Box { some: None, result: None };
    let inner = db::box_::Box { some: Some(Box::new(inner)), result: Some(db::result::Result { ok: 2 }) };
    let value = Self_ { option: Some(db::option::Option { string: "x".to_owned() }), vec: vec![vec], r#box: inner };
    let odd = odd::Create { id: 1, place: value.clone(), many: vec![value.clone()] };
    assert_eq!(it.db.odd().create(odd).await.expect("is created").many, std::slice::from_ref(&value));
    let filter = odd::place.option.string.eq("x") & odd::place.r#box.result.ok.eq(2) & odd::many.has(value);
    assert_eq!(it.db.odd().count().filter(filter).await.expect("is read"), 1);
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = db::User)]
struct Card {
    name: String,
    address: Address,
    others: Vec<Address>,
    second: Option<Address>,
}

#[tokio::test]
async fn custom_structs_have_values_in_json() {
    let it = &Fixture::new("json_structs").await;
    it.db.user().create(new("ada", address("x"))).await.expect("is created");
    let cards = it.db.user().find_many().select_as::<Card>().await.expect("is read");
    assert_eq!(cards, [Card { name: "ada".to_owned(), address: address("x"), others: Vec::new(), second: None }]);
    let (home,): (Address,) =
        it.db.query_raw("SELECT home FROM \"User\"", Vec::new()).await.expect("is read").remove(0);
    assert_eq!(home.street, "Main St");
}

#[tokio::test]
async fn what_does_not_fit_is_told_without_the_value() {
    let it = &Fixture::new("json_misfits").await;
    it.db.user().create(new("ada", address("x"))).await.expect("is created");
    for (value, told) in [
        ("{\"street\": 4711}", "address: at `street`: invalid type: integer, expected a string"),
        ("{}", "address: missing field `street`"),
        ("[]", "address: invalid length 0, expected struct Address with 5 elements"),
        ("\"secret\"", "address: invalid type: string, expected struct Address"),
        (
            "{\"street\": \"x\", \"geo\": {\"lat\": \"secret\", \"lng\": 1}}",
            "address: at `geo.lat`: invalid type: string, expected f64",
        ),
        (
            "{\"street\": \"x\", \"tags\": [\"a\", true]}",
            "address: at `tags[1]`: invalid type: boolean, expected a string",
        ),
    ] {
        it.sql.execute("UPDATE \"User\" SET address = $1::text::jsonb", &[&value]).await.expect("is updated");
        let reason = match it.db.user().find_many().await {
            Err(Error::Decode { model: "User", column, reason }) => format!("{column}: {reason}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(reason, told);
    }
    it.sql.batch_execute("UPDATE \"User\" SET address = home, others = '[{\"street\": 1}]'").await.expect("is updated");
    let error = it.db.user().find_many().await.expect_err("does not fit").to_string();
    assert!(error.contains("others") && error.contains("at `[0].street`: invalid type: integer"), "{error}");
    it.sql.batch_execute("UPDATE \"User\" SET others = '[]', profile = 1").await.expect_err("has no such column");
}

#[tokio::test]
async fn an_index_on_the_expression_is_used() {
    let it = &Fixture::new("json_index").await;
    it.sql
        .batch_execute(
            "INSERT INTO \"User\" (name, address, \"updatedAt\")
             SELECT 'u' || n, jsonb_build_object('street', 's', 'zip', n::text, 'geo', jsonb_build_object('lat', n, 'lng', 0)), now()
             FROM generate_series(1, 5000) AS n;
             CREATE INDEX ON \"User\" ((nullif((address -> 'geo') -> 'lat', 'null')));
             CREATE INDEX ON \"User\" USING gin ((address -> 'tags'));
             ANALYZE \"User\"",
        )
        .await
        .expect("is right");
    for (filter, value, index) in [
        (user::address.zip.eq("4711"), "'4711'", "User_address_zip_idx"),
        (user::address.geo.lat.eq(4711), "'4711'", "User_nullif_idx"),
        (user::address.tags.has("x"), "'[\"x\"]'", "User_expr_idx"),
    ] {
        it.names(filter).await;
        // The statement as the client sent it.
        let last = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND query LIKE 'SELECT%' ORDER BY query_start DESC LIMIT 1";
        let statement: String = it.sql.query_one(last, &[]).await.expect("is read").get(0);
        let explain = format!("PREPARE it AS {statement}; EXPLAIN EXECUTE it ({value}); DEALLOCATE it");
        let plan = format!("{:?}", it.sql.simple_query(&explain).await.expect("is explained"));
        assert!(plan.contains(index), "{statement}: {plan}");
    }
}

/// Random texts and numbers, through both ways of writing and every way of reading.
#[tokio::test]
async fn random_values_come_back() {
    let it = &Fixture::new("json_random").await;
    it.db.user().create(new("ada", address("x"))).await.expect("is created");
    let mut seed: u64 = 2026;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 11
    };
    let odd = ["'", "\"", "\\", "{", "}", "null", "%", "_", "\u{1F9EA}", "\u{2028}", "$1", "\n", "ß", "->", "''", " "];
    for _ in 0..60 {
        let text: String = (0..next() % 9).map(|_| odd[usize::try_from(next()).unwrap_or(0) % odd.len()]).collect();
        let float = f64::from_bits(next() << 11 | next());
        let float = if float.is_finite() && float != 0.0 { float } else { 0.25 };
        let big = i64::from_ne_bytes((next() << 11 | next()).to_ne_bytes());
        let value = Everything { text: text.clone(), float, big, number: Some(float), ..everything() };
        let ada = it.change([user::all.to(value.clone())]).await;
        assert_eq!(ada.all.as_ref(), Some(&value));
        it.change([user::all.to(everything())]).await;
        let all = user::all;
        let parts = [all.text.to(&text), all.float.to(float), all.big.to(big), all.number.to(float)];
        assert_eq!(it.change(parts).await.all.as_ref(), Some(&value));
        let equal = all.text.eq(&text) & all.float.eq(float) & all.big.eq(big) & all.eq(value.clone());
        assert_eq!(it.names(equal).await, ["ada"], "{value:?}");
        assert_eq!(it.names(all.text.contains(&text) & all.text.in_([&text])).await, ["ada"]);
        assert_eq!(it.names(all.float.lt(float) | all.big.gt(big) | all.text.ne(&text)).await, [""; 0]);
    }
}

/// The examples of docs/schema.md and docs/client.md.
async fn examples(db: &db::Client) -> relata::Result<()> {
    let near = db.user().find_many().filter(user::address.zip.starts_with("04") & user::address.geo.lat.gt(51.0));
    let users = near.order_by(user::address.street.asc()).await?;
    let zip = user::address.zip.to("04109".to_owned());
    db.user().update(user::name.eq("ada")).set(zip).set(user::address.geo.lat.to(51.5)).await?;
    assert_eq!(users.len(), 1);

    let filter = user::address.zip.eq("04109")
        & user::address.geo.lat.between(51.0, 52.0)
        & user::address.tags.has("home")
        & !user::second.street.contains_insensitive("main");
    let by_zip = user::address.zip.desc().nulls_last();
    db.user().find_many().filter(filter).order_by(by_zip).await?;

    db.user()
        .update(user::name.eq("ada"))
        .set(user::address.zip.to("04109".to_owned()))
        .set(user::address.geo.lat.to(51.5))
        .set(user::second.geo.set_null())
        .await?;
    Ok(())
}

#[tokio::test]
async fn the_examples_of_the_book_run() {
    let it = &Fixture::new("json_book").await;
    it.db.user().create(new("ada", at("04109", 51.5, 0.0))).await.expect("is created");
    examples(&it.db).await.expect("they run");
}
