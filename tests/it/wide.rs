//! A client of `tests/wide/schema.dsl`: every scalar, lists, composite keys, self-relations and many-to-many relations.
//!
//! `cargo codegen generate --schema tests/wide/schema.dsl --out tests/wide/generated` generates its files.

use std::path::Path;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use relata::Parent;
use relata::rust_decimal::Decimal;
use relata::uuid::Uuid;
use relata_codegen::ir::Schema;
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};
use relata_devdb::Feature;

use crate::support::{devdb, plain_sql};

#[path = "../wide/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use client::{Client, Color, comment, group, note, person, sample};

pub(crate) struct Fixture {
    pub(crate) db: Client,
    database: crate::support::Database,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let schema = schema();
        let key = format!(
            "wide-{:x}",
            create_sql(&schema).bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte))
        );
        let prepare = |url: &str| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let connection = url.parse::<relata::ConnectOptions>()?.connect_direct().await?;
                connection.batch_execute(&create_sql(&schema)).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        };
        let database = devdb().database_from_template(&key, prepare).expect("a database is made");
        let database = database.past_pooler_without(&[crate::support::Need::Quotes]);
        let size = devdb().max_connections_hint().min(10);
        let db = Client::builder(database.url()).expect("is a URL").max_connections(size).connect().await;
        Self { db: db.expect("connects"), database }
    }

    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    /// Runs plain SQL, to compare results with.
    pub(crate) async fn sql(&self, sql: &str) -> Vec<relata::tokio_postgres::Row> {
        plain_sql(self.database.url(), sql).await
    }
}

fn schema() -> Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wide/schema.dsl");
    let sources = relata_codegen::build::read_schema(&path).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

pub(crate) fn create_sql(schema: &Schema) -> String {
    let (empty, next) = (State::default(), lower(schema));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")))
}

/// The committed files equal the output of the generator.
#[test]
fn the_wide_client_is_up_to_date() {
    use relata_codegen::emit::{EmitOptions, emit};
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wide/generated");
    let stale = relata_codegen::build::stale_files(&folder, &emit(&schema(), &options)).expect("is read");
    assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
}

#[tokio::test]
async fn every_scalar_round_trips() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let bare = db.sample().create(sample::Create { text: "bare".to_owned() }).await.expect("is created");
    assert_eq!((bare.flag, bare.big, bare.double, bare.color), (true, 9_007_199_254_740_993, 0.5, Color::DarkGreen));
    assert_eq!((bare.exact, bare.json.clone()), (Decimal::new(15_000, 4), relata::serde_json::json!({ "a": [1] })));
    assert_eq!((bare.texts.len(), bare.maybe, bare.r#type.clone(), bare.self_), (0, None, None, 1));

    let moment = Utc::now().date_naive().and_hms_milli_opt(1, 2, 3, 456).expect("is a time").and_utc();
    let day = NaiveDate::from_ymd_opt(1999, 12, 31).expect("is a day");
    let time = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("is a time");
    let id = Uuid::new_v4();
    let full = db
        .sample()
        .create(sample::Create { text: "f\u{fc}ll \"'\\".to_owned() })
        .set(sample::short.to("12345"))
        .set(sample::fixed.to("abcd"))
        .set(sample::flag.to(false))
        .set(sample::small.to(-32_768))
        .set(sample::big.to(i64::MIN))
        .set(sample::real.to(1.5))
        .set(sample::double.to(-0.1))
        .set(sample::exact.to(Decimal::new(-12_345_678, 4)))
        .set(sample::money.to(Decimal::new(1_234, 2)))
        .set(sample::moment.to(moment))
        .set(sample::zoned.to(moment + TimeDelta::microseconds(7)))
        .set(sample::day.to(day))
        .set(sample::time.to(time))
        .set(sample::timetz.to(time))
        .set(sample::json.to(relata::serde_json::json!([null, "x"])))
        .set(sample::plain.to(relata::serde_json::json!({ "k": 1.5 })))
        .set(sample::bytes.to(vec![0, 1, 255]))
        .set(sample::uuid.to(id))
        .set(sample::inet.to("10.0.0.1/8"))
        .set(sample::bits.to("101"))
        .set(sample::oid.to(2_147_483_647))
        .set(sample::color.to(Color::Blue))
        .set(sample::maybe.to(Color::Red))
        .set(sample::texts.to(["a", "", "with \"quotes\", commas"]))
        .set(sample::numbers.to([1, -2]))
        .set(sample::colors.to([Color::Red, Color::DarkGreen]))
        .set(sample::uuids.to([id]))
        .set(sample::r#type.to("type"))
        .set(sample::self_.to(7))
        .await
        .expect("is created");
    let read = db.sample().find_unique(sample::id.eq(full.id)).or_err().await.expect("is there");
    assert_eq!(read, full);
    assert_eq!((full.small, full.big, full.real), (Some(-32_768), i64::MIN, Some(1.5)));
    assert_eq!((full.exact, full.money), (Decimal::new(-12_345_678, 4), Some(Decimal::new(1_234, 2))));
    assert_eq!((full.moment, full.zoned), (moment, Some(moment + TimeDelta::microseconds(7))));
    assert_eq!((full.day, full.time, full.timetz), (Some(day), Some(time), Some(time)));
    assert_eq!((full.bytes, full.uuid, full.uuids), (Some(vec![0, 1, 255]), Some(id), vec![id]));
    assert_eq!((full.inet.as_deref(), full.bits.as_deref()), (Some("10.0.0.1/8"), Some("101")));
    assert_eq!(full.oid, Some(2_147_483_647));
    assert_eq!(full.texts, ["a", "", "with \"quotes\", commas"]);
    assert_eq!((full.numbers, full.colors), (vec![1, -2], vec![Color::Red, Color::DarkGreen]));
}

#[tokio::test]
async fn xml_round_trips() {
    if devdb().skips_without(&[Feature::Xml]) {
        return;
    }
    let fixture = Fixture::new().await;
    let row = sample::Create { text: "xml".to_owned() };
    let made = fixture.db.sample().create(row).set(sample::xml.to("<a/>")).await.expect("is created");
    assert_eq!(made.xml.as_deref(), Some("<a/>"));
    let read = fixture.db.sample().find_unique(sample::id.eq(made.id)).or_err().await.expect("is there");
    assert_eq!(read, made);
}

#[tokio::test]
async fn every_scalar_can_be_filtered_by() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let rows = [("a", 1, vec![1, 2], Color::Red), ("b", 2, vec![2, 3], Color::Blue), ("c", 3, vec![], Color::Red)].map(
        |(text, small, numbers, color)| {
            sample::Create { text: text.to_owned() }
                .set(sample::small.to(small))
                .set(sample::numbers.to(numbers))
                .set(sample::colors.to([color]))
                .set(sample::color.to(color))
                .set(sample::inet.to("10.0.0.1"))
        },
    );
    assert_eq!(db.sample().create_many(rows).await.expect("are created"), 3);
    let filters = [
        (sample::small.in_([1, 3]), "ac"),
        (sample::small.not_in([1, 3]), "b"),
        (sample::small.between(2, 3), "bc"),
        (sample::numbers.has(2), "ab"),
        (sample::numbers.has_every([2, 3]), "b"),
        (sample::numbers.has_some([1, 3]), "ab"),
        (sample::numbers.is_empty(), "c"),
        (sample::numbers.eq([1, 2]), "a"),
        (sample::colors.has(Color::Blue), "b"),
        (sample::colors.has_some([Color::Red]), "ac"),
        (sample::color.eq(Color::Red), "ac"),
        (sample::color.ne(Color::Red), "b"),
        (sample::color.in_([Color::Blue, Color::DarkGreen]), "b"),
        (sample::inet.eq("10.0.0.1") & sample::maybe.is_null(), "abc"),
        (sample::moment.lte(Utc::now() + TimeDelta::days(1)), "abc"),
        (sample::json.eq(relata::serde_json::json!({ "a": [1] })), "abc"),
        (sample::text.contains_insensitive("A") | sample::text.eq_insensitive("B"), "ab"),
        (sample::exact.gt(Decimal::ONE) & sample::big.gt(5) & sample::double.lt(1), "abc"),
        (!(sample::text.eq("a") | sample::text.eq("b")), "c"),
        (sample::self_.eq_field(sample::id), ""),
    ];
    for (filter, expected) in filters {
        let described = format!("{filter:?}");
        let mut found = db.sample().find_many().filter(filter).select(sample::text).await.expect(&described);
        found.sort_unstable();
        let found = found.concat();
        // The ids of a table start at 1, so the last filter finds the row whose `self` is its id.
        let expected = if expected.is_empty() { "a" } else { expected };
        assert_eq!(found, expected, "{described}");
    }
    let raised = db
        .sample()
        .update_many()
        .set(sample::small.increment(10))
        .set(sample::exact.multiply(2))
        .set(sample::double.divide(2))
        .filter(sample::color.eq(Color::Red))
        .await
        .expect("is updated");
    assert_eq!(raised, 2);
    let read = db.sample().find_many().order_by(sample::id.asc()).select((sample::small, sample::exact)).await;
    let values: Vec<_> = read.expect("is read").into_iter().map(|(small, _)| small).collect();
    assert_eq!(values, [Some(11), Some(2), Some(13)]);
    let refused = db.sample().update_many().set(sample::small.to(70_000)).all_rows().await.expect_err("is too large");
    assert!(refused.to_string().contains("does not fit"), "{refused}");
}

#[tokio::test]
async fn people_have_managers_friends_and_groups() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let boss = db.person().create(person::Create { name: "boss".to_owned() }).await.expect("is created");
    assert_eq!(Uuid::parse_str(&boss.id).expect("is a UUID").get_version_num(), 7);
    let worker = db
        .person()
        .create(person::Create { name: "worker".to_owned() })
        .set(person::manager_id.to(boss.id.clone()))
        .with(person::friends.create(person::Create { name: "friend".to_owned() }))
        .with(
            person::groups
                .create_many([group::Create { title: "chess".to_owned() }, group::Create { title: "go".to_owned() }]),
        )
        .await
        .expect("is created");
    let read = db
        .person()
        .find_many()
        .order_by(person::name.asc())
        .include(person::manager)
        .include(person::reports.include(person::groups.order_by(group::title.desc())))
        .include(person::friends)
        .include(person::friend_of)
        .include(person::groups.order_by(group::title.asc()).take(1))
        .await
        .expect("is read");
    let names: Vec<&str> = read.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["boss", "friend", "worker"]);
    let [boss_read, friend, worker_read] = read.as_slice() else { panic!("three") };
    assert!(boss_read.manager.is_none());
    assert_eq!(boss_read.reports.len(), 1);
    let groups: Vec<&str> = boss_read.reports[0].groups.iter().map(|group| group.title.as_str()).collect();
    assert_eq!(groups, ["go", "chess"]);
    assert_eq!(worker_read.manager.as_ref().map(|manager| manager.name.as_str()), Some("boss"));
    assert_eq!(worker_read.friends[0].name, "friend");
    assert_eq!(friend.friend_of[0].id, worker.id);
    assert!(friend.friends.is_empty());
    assert_eq!(worker_read.groups.iter().map(|group| group.title.as_str()).collect::<Vec<_>>(), ["chess"]);

    let in_go = db
        .person()
        .find_many()
        .filter(person::groups.some(group::title.eq("go")) & person::manager.is(person::name.eq("boss")))
        .select((person::name, person::groups.count(), person::friends.select(person::name)))
        .await
        .expect("is read");
    assert_eq!(in_go, [("worker".to_owned(), 2, vec!["friend".to_owned()])]);
    let lonely = db.person().find_many().filter(person::groups.none(group::id.gt(0)) & person::manager.is_none());
    assert_eq!(lonely.order_by(person::name.asc()).select(person::name).await.expect("is read"), ["boss", "friend"]);
    let chess = db.group().find_first().filter(group::title.eq("chess")).include(group::members).or_err().await;
    assert_eq!(chess.expect("is there").members[0].name, "worker");
}

#[tokio::test]
async fn notes_have_a_key_of_two_columns() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let author = db.person().create(person::Create { name: "author".to_owned() }).await.expect("is created");
    for tenant in [1, 2] {
        for number in [1, 2] {
            let row = note::Create { tenant, number, author: author.id.as_str() };
            db.note()
                .create(row)
                .set(note::body.to(format!("{tenant}/{number}")))
                .with(
                    note::comments.create_many(
                        (1..=number).map(|index| comment::Create { note: Parent, text: format!("{index}") }),
                    ),
                )
                .await
                .map(|_| ())
                .or_else(|error| if tenant == 2 { Ok(()) } else { Err(error) })
                .expect("is created");
        }
    }
    // The second tenant's notes reuse the author's numbers, which the second key forbids.
    assert_eq!(db.note().count().await.expect("counts"), 2);
    let by_key = db
        .note()
        .find_unique(note::tenant_number.eq(1, 2))
        .include(note::comments.order_by(comment::id.desc()))
        .include(note::author)
        .or_err()
        .await
        .expect("is there");
    assert_eq!((by_key.body.as_str(), by_key.comments.len(), by_key.author.name.as_str()), ("1/2", 2, "author"));
    assert_eq!(by_key.comments[0].text, "2");
    let named = db.note().find_unique(note::by_author.eq(author.id.as_str(), 1)).await.expect("is read");
    assert_eq!(named.map(|note| note.number), Some(1));
    let all = db.note().find_many().order_by(note::number.asc()).include(note::comments).await.expect("is read");
    assert_eq!(all.iter().map(|note| note.comments.len()).collect::<Vec<_>>(), [1, 2]);
    let paged = db
        .note()
        .find_many()
        .order_by(note::number.asc())
        .include(note::comments.order_by(comment::id.desc()).take(1))
        .await;
    let last: Vec<_> = paged.expect("is read").into_iter().map(|note| note.comments[0].text.clone()).collect();
    assert_eq!(last, ["1", "2"]);
    let comment = db
        .comment()
        .create(comment::Create { note: (1, 1), text: "by key".to_owned() })
        .set(comment::likes.to(3))
        .await
        .expect("is created");
    let moved = db
        .comment()
        .update(comment::id.eq(comment.id))
        .set(comment::number.to(2))
        .set(comment::likes.increment(1))
        .await
        .expect("is updated");
    assert_eq!((moved.number, moved.likes), (2, 4));
    let upserted = db
        .note()
        .upsert(note::tenant_number.eq(1, 1), note::Create { tenant: 1, number: 1, author: person::name.eq("author") })
        .set(note::body.to("changed"))
        .await
        .expect("is upserted");
    assert_eq!(upserted.body, "changed");
}

#[tokio::test]
async fn a_row_without_values_can_be_created() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let one = db.empty().create(client::empty::Create {}).await.expect("is created");
    let many = db.empty().create_many([client::empty::Create {}, client::empty::Create {}]).await.expect("are created");
    assert_eq!((one.id, many), (1, 2));
    let nobody: [client::empty::Create; 0] = [];
    assert_eq!(db.empty().create_many(nobody).await.expect("nothing to do"), 0);
}

#[tokio::test]
async fn keys_that_the_client_generates_have_their_format() {
    let fixture = Fixture::new().await;
    let one = fixture.db.made().create(client::made::Create {}).await.expect("is created");
    let two = fixture.db.made().create(client::made::Create {}).await.expect("is created");
    assert_eq!((one.id.len(), one.id.starts_with('c')), (25, true));
    assert_eq!((one.cuid2.len(), one.ulid.len(), one.nano.len(), one.nano7.len()), (24, 26, 21, 7));
    assert_eq!(Uuid::parse_str(&one.uuid).expect("is a UUID").get_version_num(), 4);
    assert_eq!(one.uuid7.get_version_num(), 7);
    assert!(one.id != two.id && one.cuid2 != two.cuid2 && one.ulid != two.ulid && one.nano7 != two.nano7);
}

#[tokio::test]
async fn sensitive_values_are_not_shown() {
    let fixture = Fixture::new().await;
    let row = person::Create { name: "a".to_owned() }.set(person::secret.to("hunter2"));
    let person = fixture.db.person().create(row).await.expect("is created");
    assert_eq!(person.secret, "hunter2");
    let shown = format!("{person:?}");
    assert!(shown.contains("<sensitive>") && !shown.contains("hunter2"), "{shown}");
}

/// Columns without a time zone hold UTC, whatever the time zone of the database is.
#[tokio::test]
async fn times_without_a_zone_are_utc() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Zone]) {
        return;
    }
    let fixture = Fixture::new().await;
    let (zone,) =
        fixture.db.query_raw::<(String,)>("SHOW TimeZone", relata::params![]).await.expect("is read").remove(0);
    assert_eq!(zone, "UTC");
    let name = fixture.database.name();
    let alter = format!("ALTER DATABASE \"{name}\" SET TimeZone = 'America/New_York'");
    fixture.db.execute_raw(&alter, relata::params![]).await.expect("is set");
    let fresh: Client = Client::connect(fixture.database.url()).await.expect("connects");
    let row = fresh.sample().create(sample::Create { text: "now".to_owned() }).await.expect("is created");
    assert!((Utc::now() - row.moment).abs() < TimeDelta::minutes(10), "{}", row.moment);
}
