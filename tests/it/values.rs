//! Values at the limits of their types: what can be written can be read, and an error about an unreadable value names
//! the column and says what happened to the write.

use std::fmt::Debug;

use chrono::{NaiveTime, Timelike};
use relata::rust_decimal::Decimal;
use relata::serde_json::{Value, json};
use relata::{Error, Parent, Result, count, params};

use crate::wide::Fixture;
use crate::wide::client::{Client, Native, native, note, person};

async fn run(fixture: &Fixture, sql: &str) {
    fixture.sql(sql).await;
}

/// Returns the number of rows in a table.
async fn rows(fixture: &Fixture, table: &str) -> i64 {
    fixture.sql(&format!(r#"SELECT count(*) FROM "{table}""#)).await[0].get(0)
}

/// Returns the column that a decoding error names.
fn undecoded<T: Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Decode { model, column, .. }) => format!("{model}.{column}"),
        other => panic!("{other:?}"),
    }
}

/// Returns the same for a write that is committed.
fn committed<T: Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Committed(reason)) => undecoded::<()>(Err(*reason)),
        other => panic!("{other:?}"),
    }
}

fn refused<T: Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::InvalidValue(reason) | Error::TooComplex(reason) | Error::RowMismatch(reason)) => {
            reason.into_owned()
        }
        other => panic!("{other:?}"),
    }
}

/// Nested arrays.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

#[tokio::test]
async fn deep_json_is_written_and_read_by_every_call() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let row = |id: i32| native::Create { id };
    let made = db.native().create(row(1)).set(native::jsonb.to(deep(200))).set(native::json.to(deep(512))).await;
    let made = made.expect("is created and read");
    assert_eq!((made.jsonb, made.json), (Some(deep(200)), Some(deep(512))));
    let many = [row(2).set(native::jsonb.to(deep(300))), row(3).set(native::jsonb.to(deep(1)))];
    let many = db.native().create_many_and_return(many).await.expect("are created and read");
    assert_eq!(many[0].jsonb, Some(deep(300)));
    let key = || native::id.eq(1);
    assert_eq!(db.native().update(key()).set(native::whole.to(7)).await.expect("is read").jsonb, Some(deep(200)));
    let upserted = db.native().upsert(key(), row(1)).set(native::whole.to(8)).await.expect("is read");
    assert_eq!(upserted.whole, Some(8));
    let batch = db.batch((db.native().create(row(4)).set(native::jsonb.to(deep(200))), db.native().find_many())).await;
    assert_eq!(batch.expect("is read").1.len(), 4);
    assert_eq!(db.native().find_many().filter(native::jsonb.eq(deep(200))).await.expect("are read").len(), 2);
    assert_eq!(db.native().delete(key()).await.expect("is read").json, Some(deep(512)));
}

#[tokio::test]
async fn json_that_is_too_deep_is_not_sent() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    for levels in [513, 100_000] {
        let too_deep = (0..levels).fold(json!(1), |inner, _| Value::Array(vec![inner]));
        let created = db.native().create(native::Create { id: 1 }).set(native::jsonb.to(too_deep)).await;
        assert!(refused(created).contains("512 levels"));
    }
    let filtered = db.native().count().filter(native::jsonb.path(["a"]).eq(deep(600))).await;
    assert!(refused(filtered).contains("512 levels"));
    assert_eq!(rows(&fixture, "Native").await, 0);
    // Deeper values of other programs cause an error, and do not end the process.
    let nested = format!("{}1{}", "[".repeat(600), "]".repeat(600));
    run(&fixture, &format!(r#"INSERT INTO "Native" (id, jsonb) VALUES (1, '{nested}')"#)).await;
    assert_eq!(undecoded(db.native().find_many().await), "Native.jsonb");
}

#[tokio::test]
async fn midnight_at_the_end_of_a_day_is_read_as_a_leap_second() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let late = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("is a time");
    // PostgreSQL rounds it to 24:00.
    let made = db.native().create(native::Create { id: 1 }).set(native::time.to(late)).await.expect("is read");
    let read = made.time.expect("has a value");
    assert_eq!((read.hour(), read.minute(), read.second(), read.nanosecond()), (23, 59, 59, 1_000_000_000));
    let key = || native::id.eq(1);
    db.native().update(key()).set(native::time.to(read)).set(native::timetz.to(read)).await.expect("is read");
    let text = fixture.sql(r#"SELECT concat(time, ' ', timetz) FROM "Native""#).await;
    assert_eq!(text[0].get::<_, String>(0), "24:00:00 24:00:00+00");
    assert_eq!(db.native().count().filter(native::time.eq(read) & native::time.gt(late)).await.expect("is read"), 1);
}

/// A single statement is committed together with its response. If there is a COMMIT, the response is decoded before it.
#[tokio::test]
async fn an_unreadable_response_says_whether_the_write_was_committed() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    run(&fixture, r#"ALTER TABLE "Native" ALTER "timestamp" SET DEFAULT 'infinity'"#).await;
    let row = |id| native::Create { id };
    const COLUMN: &str = "Native.timestamp";
    assert_eq!(committed(db.native().create(row(1)).await), COLUMN);
    assert_eq!(committed(db.native().create_many_and_return([row(2), row(3)]).await), COLUMN);
    assert_eq!(committed(db.native().upsert(native::id.eq(4), row(4)).await), COLUMN);
    assert_eq!(rows(&fixture, "Native").await, 4);
    let set = |id: i32| db.native().update(native::id.eq(id)).set(native::whole.to(7));
    assert_eq!(committed(set(1).await), COLUMN);
    assert_eq!(committed(set(1).select((native::id, native::timestamp)).await), COLUMN);
    let many = db.native().update_many().filter(native::id.eq(2)).set(native::whole.to(7)).and_return().await;
    assert_eq!(committed(many), COLUMN);
    assert_eq!(db.native().count().filter(native::whole.eq(7)).await.expect("is counted"), 2);
    assert_eq!(committed(db.native().delete(native::id.eq(4)).await), COLUMN);
    let raw = db.query_raw::<(i32,)>(r#"INSERT INTO "Native" (id) VALUES (4) RETURNING 'x'::text"#, params![]).await;
    assert!(matches!(raw, Err(Error::Committed(_))), "{raw:?}");
    assert_eq!(rows(&fixture, "Native").await, 4);
    assert_eq!(committed(db.batch((db.native().create(row(5)), db.native().count())).await), COLUMN);
    let message = db.native().create(row(6)).await.expect_err("cannot be read").to_string();
    assert!(message.contains("was committed") && message.contains("column timestamp"), "{message}");
    assert_eq!(rows(&fixture, "Native").await, 6);

    // Reads have written nothing.
    assert_eq!(undecoded(db.native().find_many().await), COLUMN);
    let raw = db.query_raw::<(i32,)>("WITH x AS (SELECT 'x'::text) SELECT * FROM x", params![]).await;
    assert!(matches!(raw, Err(Error::RowMismatch(_))), "{raw:?}");

    // In a transaction, nothing is committed yet.
    let worked: Result<()> = db
        .transaction(async |tx| {
            tx.native().create(row(7)).await?;
            Ok(())
        })
        .await;
    assert_eq!(undecoded(worked), COLUMN);
    // The batch waits for its responses, because the update must find its row.
    assert_eq!(undecoded(db.batch((db.native().create(row(8)), set(1))).await), COLUMN);
    assert_eq!(rows(&fixture, "Native").await, 6);
}

#[tokio::test]
async fn responses_are_decoded_before_commit() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    run(&fixture, r#"ALTER TABLE "Person" ALTER secret DROP NOT NULL, ALTER secret SET DEFAULT NULL"#).await;
    run(&fixture, r#"ALTER TABLE "Note" ALTER body DROP NOT NULL, ALTER body SET DEFAULT NULL"#).await;
    let row = |name: &str| person::Create { name: name.to_owned() };
    let notes = || person::written.create(note::Create { author: Parent, tenant: 1, number: 1 });
    assert_eq!(undecoded(db.person().create(row("a")).with(notes()).await), "Person.secret");
    let told = row("b").set(person::secret.to("told"));
    let included = db.person().create(told).with(notes()).include(person::written).await;
    assert_eq!(undecoded(included), "Note.body");
    assert_eq!((rows(&fixture, "Person").await, rows(&fixture, "Note").await), (0, 0));
    let plain = db.person().create(row("c")).await;
    assert_eq!(committed(plain), "Person.secret");
    let changed = db.person().update(person::name.eq("c")).with(notes()).await;
    assert_eq!(undecoded(changed), "Person.secret");
    assert_eq!((rows(&fixture, "Person").await, rows(&fixture, "Note").await), (1, 0));
}

#[derive(Debug, relata::Selectable)]
#[relata(from = Native, module = native)]
#[allow(dead_code, reason = "it is never read to its end")]
struct Part {
    id: i32,
    text: Option<String>,
    timestamp: Option<chrono::DateTime<chrono::Utc>>,
}

#[tokio::test]
async fn every_read_names_the_column_that_cannot_be_decoded() {
    let fixture = Fixture::new().await;
    let db: &Client = &fixture.db;
    run(&fixture, r#"INSERT INTO "Native" (id, "timestamp") VALUES (1, 'infinity')"#).await;
    const COLUMN: &str = "Native.timestamp";
    let find = || db.native().find_many();
    assert_eq!(undecoded(find().await), COLUMN);
    assert_eq!(undecoded(find().select(native::timestamp).await), COLUMN);
    assert_eq!(undecoded(find().select((native::id, native::text, native::timestamp)).await), COLUMN);
    assert_eq!(undecoded(find().select_as::<Part>().await), COLUMN);
    assert_eq!(undecoded(find().take_last(2).select((native::id, native::timestamp)).await), COLUMN);
    let page = find().take(2).select((native::text, native::timestamp)).page_after(None).await;
    assert_eq!(undecoded(page), COLUMN);
    assert_eq!(undecoded(find().distinct(native::id).select((native::text, native::timestamp)).await), COLUMN);
    assert_eq!(
        undecoded(db.native().find_unique(native::id.eq(1)).select((native::text, native::timestamp)).await),
        COLUMN
    );
    assert_eq!(undecoded(db.native().aggregate(native::timestamp.max()).await), COLUMN);
    assert_eq!(undecoded(db.native().aggregate((count(), native::id.max(), native::timestamp.max())).await), COLUMN);
    assert_eq!(undecoded(db.native().group_by(native::timestamp).aggregate(count()).await), COLUMN);
    assert_eq!(undecoded(db.native().group_by(native::id).aggregate((count(), native::timestamp.min())).await), COLUMN);
    let mut stream = find().select((native::text, native::timestamp)).stream();
    assert_eq!(undecoded(stream.next().await.expect("there is a row")), COLUMN);
    let batch = db.batch((find().select((native::text, native::timestamp)), db.native().count())).await;
    assert_eq!(undecoded(batch), COLUMN);
    let batch = db.batch((db.native().aggregate(native::timestamp.max()), db.native().count())).await;
    assert_eq!(undecoded(batch), COLUMN);
    let raw =
        db.query_raw::<(i32, chrono::DateTime<chrono::Utc>)>(r#"SELECT id, "timestamp" FROM "Native""#, params![]);
    assert!(refused(raw.await).contains("column timestamp"));

    run(&fixture, r#"ALTER TABLE "Note" ALTER body DROP NOT NULL"#).await;
    run(&fixture, r#"INSERT INTO "Person" (id, name) VALUES ('p', 'n')"#).await;
    run(
        &fixture,
        r#"INSERT INTO "Note" (tenant, number, body, "authorId", "reviewerId") VALUES (1, 2, NULL, 'p', 'p')"#,
    )
    .await;
    let notes = person::written.select((note::number, note::body));
    assert_eq!(undecoded(db.person().find_many().select((person::name, notes)).await), "Note.body");
    assert_eq!(undecoded(db.person().find_many().include(person::written).await), "Note.body");
    run(&fixture, r#"ALTER TABLE "Person" ALTER name DROP NOT NULL"#).await;
    run(&fixture, r#"UPDATE "Person" SET name = NULL"#).await;
    let authors = || note::author.select((person::secret, person::name));
    assert_eq!(undecoded(db.note().find_many().select((note::number, authors())).await), "Person.name");
    let one = db.note().find_first().select((note::number, authors(), note::reviewer.select(person::id))).await;
    assert_eq!(undecoded(one), "Person.name");
    let counted = db.person().find_many().select((person::written.count(), person::secret, person::name)).await;
    assert_eq!(undecoded(counted), "Person.name");
}

#[tokio::test]
async fn numbers_that_real_cannot_hold_are_refused() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let set = |value: f64| db.native().create(native::Create { id: 1 }).set(native::real.to(value));
    for value in [1e39, -1e39, 1e300, 3.402_823_567_797_336_6e38, 1e-50, -1e-46] {
        assert!(refused(set(value).await).contains("out of range for real"), "{value}");
        let list = db.native().create(native::Create { id: 1 }).set(native::reals.to([0.5, value])).await;
        assert!(refused(list).contains("out of range for real"), "{value}");
        assert!(refused(db.native().count().filter(native::real.lt(value)).await).contains("out of range"), "{value}");
        let copied = db.native().copy_in([native::Create { id: 1 }.set(native::real.to(value))]).await;
        assert!(refused(copied).contains("out of range for real"), "{value}");
    }
    assert_eq!(rows(&fixture, "Native").await, 0);
    for (id, value) in [(1, f64::INFINITY), (2, 0.0), (3, f64::NAN), (4, 3.4e38), (5, 1e-45), (6, 0.1)] {
        let made = db.native().create(native::Create { id }).set(native::real.to(value)).await.expect("is created");
        let read = made.real.expect("has a value");
        assert!(read == f64::from(value as f32) || read.is_nan(), "{value}: {read}");
    }
    let other = |set| db.native().update(native::id.eq(1)).set(set);
    assert!(refused(other(native::small.to(40_000)).await).contains("out of range"));
    assert!(other(native::oid.to(-1)).await.is_err_and(|error| error.to_string().contains("out of range")));
    let tiny = db.query_raw::<(Decimal,)>("SELECT $1::numeric", params![1e-40]).await;
    assert!(refused(tiny).contains("too small"));
}

#[tokio::test]
async fn numbers_are_exact_or_not_read() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    run(&fixture, r#"ALTER TABLE "Native" ALTER numeric TYPE numeric"#).await;
    run(&fixture, r#"INSERT INTO "Native" (id) VALUES (1)"#).await;
    for value in ["1e-40", "-1e-40", "1.5e-28", "1e29", "1e400", "'NaN'", "'Infinity'"] {
        run(&fixture, &format!(r#"UPDATE "Native" SET numeric = {value}"#)).await;
        assert_eq!(undecoded(db.native().find_many().await), "Native.numeric", "{value}");
    }
    // Digits beyond 28 places are rounded.
    for (value, read) in [
        ("1e-28", "0.0000000000000000000000000001"),
        ("0.000000000000000000000000000100000000", "0.0000000000000000000000000001"),
        ("2::numeric(65, 30) / 3", "0.6666666666666666666666666667"),
        ("1234.5", "1234.5"),
    ] {
        run(&fixture, &format!(r#"UPDATE "Native" SET numeric = {value}"#)).await;
        let rows = db.native().find_many().await.expect("is read");
        assert_eq!(rows[0].numeric, Some(read.parse().expect("is a number")), "{value}");
    }
    for value in ["123456789012345678901234567890", "[18446744073709551616]", r#"{"a": 1e-400}"#, "1e400"] {
        run(&fixture, &format!(r#"UPDATE "Native" SET numeric = NULL, jsonb = '{value}'"#)).await;
        assert_eq!(undecoded(db.native().find_many().await), "Native.jsonb", "{value}");
    }
    // A fraction has the digits that a float can have, and the written value is read unchanged.
    for value in [json!(1e30), json!(18_446_744_073_709_551_615_u64), json!(1.797_693_134_862_315_7e308), json!(5e-324)]
    {
        let set = native::jsonb.to(value.clone());
        let row = db.native().update(native::id.eq(1)).set(set).await.expect("is read");
        assert_eq!(row.jsonb, Some(value));
    }
    run(&fixture, r#"UPDATE "Native" SET jsonb = '0.12345678901234567890123'"#).await;
    assert_eq!(db.native().find_many().await.expect("is read")[0].jsonb, Some(json!(0.123_456_789_012_345_68)));
}
