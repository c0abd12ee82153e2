//! A client of `tests/own/schema.dsl`, whose fields have types of this file: `@rust("..")` and `#[derive(relata::Value)]`.
//!
//! `cargo codegen generate --schema tests/own/schema.dsl --out tests/own/generated` generates its files.

#![allow(unreachable_pub, reason = "a client has no types that are less visible than itself")]

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::path::Path;

use relata::rt::{DecodeError, serde};
use relata::tokio_postgres::types::Type;
use relata::uuid::Uuid;
use relata::{Error, Json, Newtype, Param, Postgres, Scalar, count};

use crate::support::{Database, connect, devdb};
use crate::wide::create_sql;

#[path = "../own/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod db;

use db::{Mood, post, queries, school, user};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct SchoolId(Uuid);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct UserId(pub Uuid);

/// Checked when it is read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
#[relata(try_from)]
pub struct Email(String);

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('@') { Ok(Self(text)) } else { Err("an email address contains `@`".to_owned()) }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

fn email(text: &str) -> Email {
    Email::try_from(text.to_owned()).expect("is one")
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct Nick {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct Tag(pub String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
#[relata(rename_all = "snake_case")]
pub enum Level {
    Low,
    VeryHigh,
    #[relata(rename = "top!")]
    Top,
}

/// A type that travels as its text.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct Circle(pub relata::AsText);

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct Words(pub relata::TsVector);

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
pub struct Cents(pub i32);

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, relata::Value)]
#[serde(crate = "relata::rt::serde")]
#[relata(json)]
pub struct Settings {
    pub theme: String,
    pub address: Option<Address>,
}

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "relata::rt::serde")]
pub struct Address {
    pub street: String,
    pub zip: String,
}

/// A type of PostgreSQL that the language does not know: two numbers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "relata::rt::serde")]
pub struct Place(pub f64, pub f64);

impl Scalar for Place {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, DecodeError> {
        let (x, y) = raw.split_at_checked(8).ok_or("a point has 16 bytes")?;
        Ok(Self(f64::from_be_bytes(x.try_into()?), f64::from_be_bytes(y.try_into()?)))
    }

    fn into_param(self) -> Param {
        Param::Raw([self.0.to_be_bytes(), self.1.to_be_bytes()].concat())
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::POINT
    }
}

fn schema() -> relata_codegen::ir::Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own/schema.dsl");
    let sources = relata_codegen::build::read_schema(&path).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

struct Fixture {
    _database: Database,
    client: db::Client,
    sql: relata::tokio_postgres::Client,
    school: SchoolId,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        let database = devdb().create_database(name).expect("a database is made");
        let sql = connect(database.url()).await;
        sql.batch_execute(&create_sql(&schema())).await.expect("is right");
        let client = db::Client::connect(database.url()).await.expect("connects");
        let school = client.across_tenants().school().create(school::Create { name: "North".into() }).await;
        Self { school: school.expect("is created").id, client, sql, _database: database }
    }
}

fn address(text: &str) -> Postgres<IpAddr> {
    Postgres(text.parse().expect("is an address"))
}

fn new_user(text: &str) -> user::Create {
    let address = Address { street: "Main".to_owned(), zip: "04109".to_owned() };
    user::Create { email: email(text), settings: Settings { theme: "dark".to_owned(), address: Some(address) } }
}

#[tokio::test]
async fn values_of_own_types_are_written_and_read() {
    let Fixture { client, school, .. } = &Fixture::new("own_types").await;
    let db = client.tenant(*school);
    assert_eq!(db.tenant_id(), *school);
    let scores = Json(BTreeMap::from([("round 1".to_owned(), 7)]));
    let ada = db.user().create(new_user("ada@north.edu"));
    let ada = ada.set(user::nick.to(Nick { name: "Ada".to_owned() })).set(user::tags.to([Tag("a".to_owned())]));
    let ada = ada.set(user::level.to(Level::VeryHigh)).set(user::scores.to(scores.clone()));
    let (here, there) = (address("10.0.0.1"), address("2001:db8::1"));
    let ada = ada.set(user::address.to(here)).set(user::others.to([here, there]));
    let ada = ada.set(user::place.to(Place(1.5, -2.0))).await.expect("is created");
    assert_eq!((ada.address, &ada.others[..]), (Some(here), &[here, there][..]));
    assert_eq!(ada.settings.address.as_ref().expect("is there").zip, "04109");
    assert_eq!(
        (ada.level, ada.balance, &ada.tags[..], ada.place),
        (Level::VeryHigh, Cents(0), &[Tag("a".to_owned())][..], Some(Place(1.5, -2.0)))
    );
    assert_eq!(ada.scores.as_ref().and_then(|scores| scores.get("round 1")), Some(&7));
    let bob = db.user().create(new_user("bob@north.edu")).set(user::level.to(Level::Top)).await.expect("is created");
    db.user().update(user::id.eq(bob.id)).set(user::balance.increment(Cents(30))).await.expect("is updated");

    // Filters, orders, keys, selections, aggregates.
    let of = |filter| async { db.user().find_many().filter(filter).await.expect("is read") };
    assert_eq!(of(user::email.contains("ada@")).await, std::slice::from_ref(&ada));
    assert_eq!(of(user::id.in_([ada.id]) & user::level.ne(Level::Low)).await, std::slice::from_ref(&ada));
    assert_eq!(of(user::nick.eq(Nick { name: "Ada".to_owned() })).await.len(), 1);
    assert_eq!(of(user::tags.has(Tag("a".to_owned()))).await.len(), 1);
    assert_eq!(of(user::settings.path(["address", "zip"]).eq("04109")).await.len(), 2);
    assert_eq!(of(user::settings.eq(ada.settings.clone())).await.len(), 2);
    assert_eq!(of(user::scores.eq(scores)).await.len(), 1);
    assert_eq!(of(user::address.lt(there) & user::others.has(here)).await.len(), 1);
    let found = db.user().find_unique(user::email.eq(email("ada@north.edu"))).await.expect("is read");
    assert_eq!(found.as_ref(), Some(&ada));
    let sorted =
        db.user().find_many().order_by(user::email.desc()).select((user::id, user::email, user::settings)).await;
    assert_eq!(sorted.expect("is read")[1], (ada.id, ada.email.clone(), ada.settings.clone()));
    let (last, total, mean, users) = db
        .user()
        .aggregate((user::email.max(), user::balance.sum(), user::balance.avg(), count()))
        .await
        .expect("is read");
    assert_eq!((last, total, mean, users), (Some(email("bob@north.edu")), 30, Some(15.0), 2));
    let page = db.user().find_many().order_by(user::balance.desc()).take(1).page_after(None).await.expect("is read");
    let next = db.user().find_many().order_by(user::balance.desc()).take(1).page_after(page.next.clone()).await;
    assert_eq!((page.rows[0].id, next.expect("is read").rows[0].id), (bob.id, ada.id));
}

#[tokio::test]
async fn foreign_keys_have_the_types_of_what_they_reference() {
    let Fixture { client, school, .. } = &Fixture::new("own_keys").await;
    let db = client.tenant(*school);
    let ada = db.user().create(new_user("ada@north.edu")).await.expect("is created");
    let first =
        db.post().create(post::Create { author: (*school, ada.id), title: "One".into() }).await.expect("is created");
    let author: UserId = first.author_id;
    assert_eq!((author, first.school_id), (ada.id, *school));
    let new = post::Create { author: new_user("bob@north.edu"), title: "Two".into() };
    let second = db.post().create(new).include(post::author).await.expect("is created");
    assert_eq!(second.author.email, email("bob@north.edu"));
    let posts = db.post().find_many().filter(post::author_id.eq(ada.id)).await.expect("is read");
    assert_eq!(posts.len(), 1);
    let users = db.user().find_many().include(user::posts).order_by(user::email.asc()).await.expect("is read");
    assert_eq!(users[0].posts[0].title, "One");
    let many = ["a", "b", "c"].map(|name| new_user(&format!("{name}@north.edu")));
    assert_eq!(db.user().create_many(many).await.expect("are created"), 3);
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = db::User)]
struct Card {
    id: UserId,
    email: Email,
    nick: Option<Nick>,
    tags: Vec<Tag>,
    settings: Settings,
    address: Option<Postgres<IpAddr>>,
}

#[derive(relata::FromRawRow)]
struct Raw {
    email: Email,
    tags: Vec<Tag>,
    level: Level,
    settings: Settings,
    address: Option<Postgres<IpAddr>>,
}

#[tokio::test]
async fn own_types_are_copied_selected_and_read_from_raw_sql() {
    let Fixture { client, school, .. } = &Fixture::new("own_copies").await;
    let db = client.tenant(*school);
    let rows = ["a@b", "c@d"].map(|text| {
        let tags = user::tags.to([Tag("x".to_owned()), Tag("y".to_owned())]);
        new_user(text).set(tags).set(user::address.to(address("10.0.0.1"))).set(user::place.to(Place(1.0, 2.0)))
    });
    assert_eq!(db.user().copy_in(rows).await.expect("are copied"), 2);
    let cards = db.user().find_many().order_by(user::email.asc()).select_as::<Card>().await.expect("are read");
    assert_eq!((cards.len(), &cards[0].email, cards[0].nick.is_none()), (2, &email("a@b"), true));
    assert_eq!((cards[1].address, cards[1].tags.len()), (Some(address("10.0.0.1")), 2));
    assert_eq!(cards[0].settings.theme, "dark");
    let sql = "SELECT email, tags, level, settings, address FROM \"User\" WHERE id = $1";
    let raw = client.across_tenants().query_raw::<Raw>(sql, relata::params![cards[0].id]).await.expect("is read");
    assert_eq!((&raw[0].email, raw[0].level, raw[0].tags.len()), (&cards[0].email, Level::Low, 2));
    assert_eq!((&raw[0].settings, raw[0].address), (&cards[0].settings, cards[0].address));
}

#[tokio::test]
async fn query_files_know_own_types() {
    let Fixture { client, school, .. } = &Fixture::new("own_queries").await;
    let db = client.tenant(*school);
    let ada =
        db.user().create(new_user("ada@north.edu")).set(user::place.to(Place(0.0, 1.0))).await.expect("is created");
    // A point has no equality, so the statement cannot be grouped by it, and is not confined.
    let rows = client.across_tenants().query(queries::users_like("north", Level::Low)).await.expect("is read");
    let (id, of): (UserId, &Email) = (rows[0].id, &rows[0].email);
    assert_eq!((id, of, rows[0].place, rows[0].posts), (ada.id, &ada.email, Some(Place(0.0, 1.0)), 0));
    assert_eq!(rows[0].settings, ada.settings);
}

#[tokio::test]
async fn values_that_do_not_fit_are_told_with_their_column() {
    let Fixture { client, school, sql, .. } = &Fixture::new("own_misfits").await;
    let db = client.tenant(*school);
    let reason = |error: Error| match error {
        Error::Decode { model, column, reason } => format!("{model}.{column}: {reason}"),
        other => panic!("{other}"),
    };
    for (change, told) in [
        ("email = 'nobody'", "User.email: an email address contains `@`"),
        ("level = 'medium'", "User.level: the database has a value that Level has no variant for"),
        (
            "settings = '{\"theme\": \"x\", \"address\": {\"street\": \"y\"}}'",
            "User.settings: at `address`: missing field `zip`",
        ),
        ("scores = '{\"a\": 1, \"b\": \"two\"}'", "User.scores: at `b`: invalid type: string, expected i64"),
    ] {
        sql.batch_execute("DELETE FROM \"User\"").await.expect("is deleted");
        db.user().create(new_user("ada@north.edu")).await.expect("is created");
        sql.batch_execute(&format!("UPDATE \"User\" SET {change}")).await.expect("is updated");
        assert_eq!(reason(db.user().find_many().await.expect_err("does not fit")), told);
    }
}

#[test]
fn rows_have_further_derives_and_enums_are_text() {
    let post = db::Post {
        school_id: SchoolId::default(),
        id: 1,
        author_id: UserId(Uuid::nil()),
        title: "One".to_owned(),
        mood: Mood::Calm,
    };
    assert_eq!(HashSet::from([post.clone(), post]).len(), 1);
    assert_eq!((Mood::Calm.as_str(), format!("{:>6}", Mood::Lively)), ("calm", "LIVELY".to_owned()));
    assert_eq!(("LIVELY".parse(), Mood::try_from("calm")), (Ok(Mood::Lively), Ok(Mood::Calm)));
    let unknown = "Calm".parse::<Mood>().expect_err("is no label");
    assert_eq!(unknown.to_string(), "the text is not a label of Mood");
    const LABELS: [&str; 2] = [Mood::ALL[0].as_str(), Mood::ALL[1].as_str()];
    assert_eq!(LABELS, ["calm", "LIVELY"]);
}

#[test]
fn rows_of_own_types_are_json() {
    let row = user::Create { ..new_user("a@b") };
    assert_eq!(
        Email::from_inner(String::new()).expect_err("is no address").to_string(),
        "an email address contains `@`"
    );
    let user = db::User {
        school_id: SchoolId(Uuid::nil()),
        id: UserId(Uuid::nil()),
        email: row.email,
        nick: None,
        tags: vec![Tag("x".to_owned())],
        level: Level::Top,
        balance: Cents(5),
        settings: row.settings,
        scores: None,
        place: None,
        address: None,
        others: Vec::new(),
        round: None,
        words: None,
    };
    let json = relata::serde_json::to_value(&user).expect("is JSON");
    assert_eq!(
        (&json["email"], &json["balance"], &json["settings"]["theme"]),
        (&"a@b".into(), &5.into(), &"dark".into())
    );
    assert_eq!(relata::serde_json::from_value::<db::User>(json).expect("is read"), user);
    // Rows of query files have the names of the schema, too.
    let counted = queries::PostsOfAuthors { school_id: user.school_id, writer: user.id, post_count: 2 };
    let json = relata::serde_json::to_value(&counted).expect("is JSON");
    let nil = Uuid::nil().to_string();
    assert_eq!(json, relata::serde_json::json!({ "schoolId": nil, "writer": nil, "postCount": 2 }));
    assert_eq!(relata::serde_json::from_value::<queries::PostsOfAuthors>(json).expect("is read"), counted);
}

#[tokio::test]
async fn types_around_a_text_are_written_and_read() {
    let Fixture { client, school, .. } = &Fixture::new("own_texts").await;
    let db = client.tenant(*school);
    let (round, words) = (Circle("<(0,0),2>".into()), Words("'cat':3".into()));
    let ada = db
        .user()
        .create(new_user("ada@north.edu"))
        .set(user::round.to(round.clone()))
        .set(user::words.to(words.clone()));
    let ada = ada.await.expect("is created");
    assert_eq!((&ada.round, &ada.words), (&Some(round.clone()), &Some(words.clone())));
    let found =
        db.user().find_many().filter(user::round.eq(round.clone()) & user::words.in_([words])).await.expect("is read");
    assert_eq!(found, [ada]);
    let many = [new_user("b@north.edu").set(user::round.to(round))];
    assert_eq!(db.user().create_many(many).await.expect("is created"), 1);
}
