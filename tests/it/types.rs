//! The types of columns in each library that a schema can choose: round trips, limits, and JSON.
//!
//! `cargo codegen generate --schema tests/types/NAME.dsl --out tests/types/NAME` generates the clients.

use std::path::Path;
use std::str::FromStr;

use plain_planner::Error;
use relata::rt::bigdecimal::BigDecimal;
use relata::rt::jiff::{Timestamp, civil};
use relata::rt::time;
use relata::rust_decimal::Decimal;
use relata::serde_json::{self, Value, json};
use relata::{NotIncluded, Result};
use relata_codegen::emit::{EmitOptions, emit};

use crate::support::{Database, connect, devdb, plain_sql};
use crate::wide::{self, create_sql};

#[path = "../types/jiff/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod on_jiff;
#[path = "../types/time/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod on_time;

use on_jiff::{Mood, author, blog_post};
use on_time::event;

fn schema(name: &str) -> relata_codegen::ir::Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/types/{name}.dsl"));
    let sources = relata_codegen::build::read_schema(&path).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

async fn database(name: &str) -> Database {
    let database = devdb().create_database(name).expect("a database is made");
    connect(database.url()).await.batch_execute(&create_sql(&schema(name))).await.expect("is right");
    database
}

async fn jiff_client(database: &Database) -> on_jiff::Client {
    let client = on_jiff::Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await;
    client.expect("connects")
}

async fn time_client(database: &Database) -> on_time::Client {
    let client = on_time::Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await;
    client.expect("connects")
}

/// The committed files equal the output of the generator.
#[test]
fn the_types_clients_are_up_to_date() {
    for name in ["jiff", "time"] {
        let options = EmitOptions { source: format!("{name}.dsl"), crate_root: true };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types").join(name);
        let stale = relata_codegen::build::stale_files(&folder, &emit(&schema(name), &options)).expect("is read");
        assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
    }
}

#[tokio::test]
async fn jiff_and_bigdecimal_round_trip() {
    let database = database("jiff").await;
    let db = jiff_client(&database).await;
    let author = db.author().create(author::Create { full_name: "A".into() }).await.expect("is created");
    let moments = [
        "-004000-01-02T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "2026-11-22T18:00:00.123456Z",
        "9999-12-30T22:00:00.999999Z",
    ];
    let numbers = ["0", "-0.00010", "12345678901234567890123456789012345.5", "-100000000", "1e-29"];
    for (moment, number) in moments.iter().zip(numbers) {
        let at: Timestamp = moment.parse().expect("is a time");
        let price = BigDecimal::from_str(number).expect("is a number");
        let (day, time) = (civil::date(-43, 3, 15), civil::time(23, 59, 59, 999_999_000));
        let post = db
            .blog_post()
            .create(blog_post::Create { published_at: at, author: author.id })
            .set(blog_post::price.to(price.clone()))
            .set(blog_post::prices.to([price.clone(), 1.into()]))
            .set(blog_post::local.to(at))
            .set(blog_post::time.to(time))
            .set(blog_post::zoned.to(time))
            .set(blog_post::days.to([day, civil::date(9999, 12, 31)]))
            .await
            .expect("is created");
        let read =
            db.blog_post().find_unique(blog_post::published_at.eq(at)).or_err().await.expect("is found by its time");
        assert_eq!(read, post);
        assert_eq!((read.published_at, read.local, read.time, read.zoned), (at, at, Some(time), Some(time)));
        assert_eq!((&read.price, read.prices.len()), (&price, 2));
        assert_eq!(read.days, [day, civil::date(9999, 12, 31)]);
        let same = "SELECT to_char(\"publishedAt\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US BC'), days[1]::text FROM \"BlogPost\"";
        assert_eq!(plain_sql(database.url(), same).await.last().expect("a row").get::<_, String>(1), "0044-03-15 BC");
    }
    let (sum, average): (BigDecimal, Option<BigDecimal>) =
        db.blog_post().aggregate((blog_post::price.sum(), blog_post::price.avg())).await.expect("is calculated");
    assert!(sum > 0 && average.is_some());
    let latest: Option<Timestamp> =
        db.blog_post().aggregate(blog_post::published_at.max()).await.expect("is calculated");
    assert_eq!(latest, Some(moments[3].parse().expect("is a time")));
    let more = db.blog_post().update_many().all_rows().set(blog_post::price.increment(1)).await;
    assert_eq!(more.expect("are updated"), 4);
}

#[tokio::test]
async fn the_types_of_time_round_trip() {
    let database = database("time").await;
    let db = time_client(&database).await;
    let day = time::Date::from_calendar_date(-43, time::Month::March, 15).expect("is a day");
    let time = time::Time::from_hms_micro(23, 59, 59, 999_999).expect("is a time");
    for micros in [-62_135_596_800_000_000_i64, -1, 0, 1_763_834_400_123_456] {
        let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).expect("is a time");
        let made = db
            .event()
            .create(event::Create { at })
            .set(event::local.to(at))
            .set(event::day.to(day))
            .set(event::time.to(time))
            .set(event::zoned.to(time))
            .set(event::many.to([at, at]))
            .set(event::amount.to(Decimal::new(15, 1)))
            .await
            .expect("is created");
        let read = db.event().find_unique(event::at.eq(at)).or_err().await.expect("is found by its time");
        assert_eq!(read, made);
        assert_eq!((read.at, read.local, read.day, read.time, read.zoned), (at, at, Some(day), Some(time), Some(time)));
        let back: on_time::Event =
            serde_json::from_value(serde_json::to_value(&read).expect("is written")).expect("is read");
        assert_eq!(back, read);
    }
    let first = db.event().find_many().filter(event::day.eq(day)).order_by(event::at.desc()).take(1).await;
    let json = serde_json::to_value(&first.expect("is read")[0]).expect("is written");
    let expected = json!({
        "at": "2025-11-22T18:00:00.123456Z", "local": "2025-11-22T18:00:00.123456Z", "day": "-0043-03-15",
        "time": "23:59:59.999999000", "zoned": "23:59:59.999999000",
        "many": ["2025-11-22T18:00:00.123456Z", "2025-11-22T18:00:00.123456Z"], "amount": "1.5000",
    });
    assert_eq!(json, expected);
}

/// A test of values in JSON, in the types of one client.
macro_rules! in_json {
    ($client:expr, $module:ident, $at:expr, $later:expr, $day:expr, $time:expr, $amount:expr) => {{
        use $module::{Moments, stamp};

        let db = &$client;
        let moments = Moments {
            at: $at,
            maybe: Some($later),
            many: vec![$at, $later],
            day: $day,
            days: vec![$day],
            time: $time,
            amount: $amount,
            amounts: vec![$amount],
        };
        let stamp = db.stamp().create(stamp::Create { id: 1, moments: moments.clone() }).await.expect("is created");
        assert_eq!(stamp.moments, moments);
        let of = stamp::moments;
        let equal = of.eq(moments.clone()) & of.at.eq($at) & of.maybe.eq($later) & of.many.has($later);
        let equal = equal & of.day.eq($day) & of.days.has($day) & of.time.eq($time) & of.amount.eq($amount);
        let ordered = of.at.lt($later) & of.at.in_([$at]) & of.maybe.gt($at) & !of.day.gt($day) & of.time.lte($time);
        let ordered = ordered & of.amount.between($amount, $amount) & of.amounts.has($amount);
        assert_eq!(db.stamp().count().filter(equal & ordered).await.expect("is read"), 1);
        let sets = db
            .stamp()
            .update(stamp::id.eq(1))
            .set(of.at.to($later))
            .set(of.maybe.set_null())
            .set(of.days.to([$day; 0]));
        let changed = sets.set(of.many.to([$at])).set(of.amount.to($amount)).await.expect("is updated").moments;
        assert_eq!(changed, Moments { at: $later, maybe: None, days: Vec::new(), many: vec![$at], ..moments });
        let sorted = db.stamp().find_many().order_by(of.at.asc()).order_by(of.amount.desc()).order_by(of.day.asc());
        assert_eq!(sorted.await.expect("is read").len(), 1);
    }};
}

#[tokio::test]
async fn times_and_decimals_of_each_library_are_in_json() {
    let jiff = database("jiff").await;
    let (at, later): (Timestamp, Timestamp) =
        ("2026-11-22T18:00:00.123456789Z".parse().expect("is a time"), "9999-12-30T22:00:00Z".parse().expect("is"));
    let (day, time) = (civil::date(2024, 2, 29), civil::time(23, 59, 59, 999_999_000));
    let amount = || BigDecimal::from_str("12345678901234567890123456789012345.50").expect("is a number");
    in_json!(jiff_client(&jiff).await, on_jiff, at, later, day, time, amount());

    let database = database("time").await;
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(1_763_834_400_123_456_789).expect("is a time");
    let day = time::Date::from_calendar_date(2024, time::Month::February, 29).expect("is a day");
    let of_day = time::Time::from_hms_micro(23, 59, 59, 999_999).expect("is a time");
    let later = at + time::Duration::days(1);
    in_json!(time_client(&database).await, on_time, at, later, day, of_day, Decimal::new(-15, 1));
}

/// A value that a column can hold and its Rust type cannot: an error that names the column but not the value.
fn is_explained<T: std::fmt::Debug>(read: Result<T>, column: &str, reason: &str) {
    let error = read.expect_err("cannot be held");
    let Error::Decode { column: known, reason: why, .. } = &error else { panic!("{column}: {error:?}") };
    assert!(known == column && why.contains(reason), "{column}: {error}");
}

#[tokio::test]
async fn limits_of_chrono_are_explained() {
    let fixture = wide::Fixture::new().await;
    let sample =
        fixture.db.sample().create(wide::client::sample::Create { text: "x".into() }).await.expect("is created");
    let read = || async { fixture.db.sample().find_unique(wide::client::sample::id.eq(sample.id)).or_err().await };
    for (column, value, reason) in [
        ("zoned", "'infinity'", "infinite"),
        ("zoned", "'-infinity'", "infinite"),
        ("zoned", "'294276-01-01'", "beyond"),
        ("moment", "'infinity'", "infinite"),
        ("day", "'infinity'", "infinite"),
        ("day", "'-infinity'", "infinite"),
        ("day", "'5874897-12-31'", "beyond"),
        ("exact", "'NaN'", "NaN"),
    ] {
        let set = |value: &str| format!("UPDATE \"Sample \"\"quoted\"\"\" SET {column} = {value}");
        fixture.sql(&set(value)).await;
        is_explained(read().await, column, reason);
        fixture.sql(&set("DEFAULT")).await;
    }
    fixture.sql("UPDATE \"Sample \"\"quoted\"\"\" SET day = '4713-01-01 BC', zoned = '4713-01-01 BC'").await;
    let before_christ = read().await.expect("chrono knows these");
    let year = |date: chrono::NaiveDate| chrono::Datelike::year(&date);
    assert_eq!(
        (before_christ.day.map(year), before_christ.zoned.map(|at| year(at.date_naive()))),
        (Some(-4712), Some(-4712))
    );
}

#[tokio::test]
async fn limits_of_jiff_and_bigdecimal_are_explained() {
    let database = database("jiff").await;
    let db = jiff_client(&database).await;
    let author = db.author().create(author::Create { full_name: "A".into() }).await.expect("is created");
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().expect("is a time");
    db.blog_post().create(blog_post::Create { published_at: at, author: author.id }).await.expect("is created");
    for (column, value, reason) in [
        ("local", "'infinity'", "infinite"),
        ("local", "'10000-01-02'", "beyond"),
        ("time", "'24:00'", "24:00"),
        ("days", "'{infinity}'", "infinite"),
        ("days", "'{10000-01-01}'", "beyond"),
        ("price", "'NaN'", "NaN"),
    ] {
        let default =
            format!("ALTER TABLE \"BlogPost\" ALTER price TYPE numeric; UPDATE \"BlogPost\" SET {column} = {value}");
        for sql in default.split("; ") {
            plain_sql(database.url(), sql).await;
        }
        is_explained(db.blog_post().find_first().await, column, reason);
        plain_sql(database.url(), &format!("UPDATE \"BlogPost\" SET {column} = DEFAULT")).await;
    }
    plain_sql(database.url(), "UPDATE \"BlogPost\" SET price = 10 ^ 100::numeric").await;
    let large = db.blog_post().find_first().or_err().await.expect("has room for it").price;
    assert_eq!(large, BigDecimal::from_str("1e100").expect("is a number"));
    let too_fine = blog_post::price.to(BigDecimal::new(1.into(), 20_000));
    let refused = db.blog_post().update_many().all_rows().set(too_fine).await;
    assert!(matches!(refused, Err(Error::InvalidValue(ref why)) if why.contains("more digits")), "{refused:?}");
}

#[tokio::test]
async fn limits_of_time_are_explained() {
    let database = database("time").await;
    let db = time_client(&database).await;
    db.event().create(event::Create { at: time::OffsetDateTime::UNIX_EPOCH }).await.expect("is created");
    for (column, value, reason) in [
        ("local", "'infinity'", "infinite"),
        ("local", "'10000-01-01'", "beyond"),
        ("day", "'-infinity'", "infinite"),
        ("day", "'10000-01-01'", "beyond"),
        ("time", "'24:00'", "24:00"),
        ("amount", "'NaN'", "NaN"),
    ] {
        plain_sql(database.url(), &format!("UPDATE \"Event\" SET {column} = {value}")).await;
        is_explained(db.event().find_first().await, column, reason);
        plain_sql(database.url(), &format!("UPDATE \"Event\" SET {column} = DEFAULT")).await;
    }
}

/// Names are those of the schema, relations are next to the columns, and sensitive or not included fields are absent.
#[tokio::test]
async fn rows_serialize_to_the_json_of_prisma() {
    let database = database("jiff").await;
    let db = jiff_client(&database).await;
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().expect("is a time");
    let author = db
        .author()
        .create(author::Create { full_name: "Ada".into() })
        .set(author::secret.to("hunter2"))
        .set(author::mood.to(Mood::VerySad))
        .set(author::born_on.to(civil::date(1815, 12, 10)))
        .set(author::portrait.to(vec![0_u8, 255]))
        .set(author::created_at.to(at))
        .await
        .expect("is created");
    let price = BigDecimal::from_str("0.10").expect("is a number");
    let post = blog_post::Create { published_at: at, author: author.id };
    let post = db.blog_post().create(post).set(blog_post::price.to(price)).set(blog_post::local.to(at)).await;
    post.expect("is created");
    let plain = json!({
        "id": author.id, "fullName": "Ada", "mood": "very_sad", "bornOn": "1815-12-10", "portrait": "AP8=",
        "createdAt": "2026-01-01T00:00:00Z",
    });
    assert_eq!(serde_json::to_value(&author).expect("is written"), plain);

    let found = db.author().find_first().include(author::posts.include(blog_post::author)).include(author::profile);
    let found = found.or_err().await.expect("is read");
    let mut expected = plain.clone();
    expected["profile"] = Value::Null;
    expected["posts"] = json!([{
        "publishedAt": "2026-01-01T00:00:00Z", "authorId": author.id, "price": "0.10", "prices": [],
        "local": "2026-01-01T00:00:00Z", "time": null, "zoned": null, "days": [], "views": 0, "data": {},
        "author": plain,
    }]);
    let mut written = serde_json::to_value(&found).expect("is written");
    assert!(!written.to_string().contains("hunter2"));
    let price = written["posts"][0]["price"].take();
    assert_eq!(BigDecimal::from_str(price.as_str().expect("is a text")), BigDecimal::from_str("0.1"));
    expected["posts"][0]["price"] = Value::Null;
    assert_eq!(written, expected);

    let without: Vec<author::WithProfile> = db.author().find_many().include(author::profile).await.expect("is read");
    let written = serde_json::to_value(&without).expect("is written");
    assert!(written[0].get("posts").is_none() && written[0]["profile"].is_null(), "{written}");

    // Reading needs the sensitive columns too; relations that were not included may be absent.
    let mut given = serde_json::to_value(&author).expect("is written");
    assert!(serde_json::from_value::<on_jiff::Author>(given.clone()).is_err());
    given["secret"] = json!("hunter2");
    assert_eq!(serde_json::from_value::<on_jiff::Author>(given.clone()).expect("is read"), author);
    given["profile"] = json!({ "id": 7, "authorId": author.id, "type": "plain" });
    let read: author::WithProfile = serde_json::from_value(given).expect("is read");
    assert_eq!(read.profile.as_ref().map(|profile| profile.id), Some(7));
    assert_eq!((read.posts, &*read), (NotIncluded, &author));
}
