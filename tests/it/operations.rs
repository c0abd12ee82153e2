//! Every operation that the client offers for a kind of field, on a column of every native type of that kind.
//! PostgreSQL must accept it, and it must find the row with the value.

use std::future::IntoFuture;

use chrono::{NaiveDate, NaiveTime, TimeZone, Utc};
use relata::rust_decimal::Decimal;
use relata::serde_json::json;
use relata::uuid::Uuid;
use relata::{Result, SearchQuery, case, count};
use relata_devdb::Feature;

use crate::support::devdb;
use crate::wide::Fixture;
use crate::wide::client::{Client, Color, native};

/// Collects the failures, so that one run reports all columns.
#[derive(Default)]
struct Failures {
    column: &'static str,
    list: Vec<String>,
}

impl Failures {
    async fn run<T>(&mut self, what: &str, call: impl IntoFuture<Output = Result<T>>) -> Option<T> {
        match call.await {
            Ok(value) => Some(value),
            Err(error) => {
                self.list.push(format!("{} {what}: {error}", self.column));
                None
            }
        }
    }

    async fn expect<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        call: impl IntoFuture<Output = Result<T>>,
        expected: T,
    ) {
        let found = self.run(what, call).await;
        if let Some(found) = found.filter(|found| *found != expected) {
            self.list.push(format!("{} {what}: {found:?} instead of {expected:?}", self.column));
        }
    }
}

/// Filters, and how many of the two rows each matches: the row with values, and the one without.
macro_rules! filters {
    ($db:ident, $failures:ident: $($filter:expr => $rows:literal),+ $(,)?) => {
        $($failures.expect(stringify!($filter), $db.native().count().filter($filter), $rows).await;)+
    };
}

/// The operations of every scalar column.
macro_rules! scalar {
    ($db:ident, $failures:ident, $column:ident, $value:expr) => {
        let value = || $value;
        $failures.column = stringify!($column);
        $failures.run("to", $db.native().update(native::id.eq(1)).set(native::$column.to(value()))).await;
        filters! { $db, $failures:
            native::$column.eq(value()) => 1,
            native::$column.ne(value()) => 0,
            native::$column.lt(value()) => 0,
            native::$column.lte(value()) => 1,
            native::$column.gt(value()) => 0,
            native::$column.gte(value()) => 1,
            native::$column.between(value(), value()) => 1,
            native::$column.eq_opt(Some(value())) => 1,
            native::$column.in_([value()]) => 1,
            native::$column.not_in([value()]) => 0,
            native::$column.is_null() => 1,
            native::$column.eq_field(native::$column) => 1,
            native::$column.ne_field(native::$column) => 0,
            native::$column.lte_field(native::$column) => 1,
            native::$column.eq(native::$column) => 1,
            native::$column.gt(native::$column) => 0,
            native::$column.coalesce(value()).eq(value()) => 2,
            native::$column.coalesce(value()).lt(value()) => 0,
            native::$column.coalesce(native::$column).eq(native::$column) => 1,
            native::$column.eq(native::$column.coalesce(value())) => 1,
            native::$column.coalesce(value()).in_([value()]) => 2,
            native::$column.null_if(value()).is_null() => 2,
            native::$column.null_if(native::$column).is_not_null() => 0,
            case(native::id.eq(1), native::$column).otherwise(value()).eq(value()) => 2,
            case(native::id.eq(2), value()).or_null().eq(value()) => 1,
        }
        let computed = || native::$column.coalesce(value());
        let rows = $db.native().find_many().order_by(computed().desc()).order_by(native::id.asc());
        // A value that is computed from `char` is not padded.
        let rows = async {
            let rows = rows.select((native::id, computed())).await?;
            Ok((
                rows.iter().map(|row| row.0).collect::<Vec<_>>(),
                rows[0].1 == rows[1].1 || stringify!($column) == "char",
            ))
        };
        $failures.expect("select", Box::pin(rows), (vec![1, 2], true)).await;
        let groups = $db.native().group_by(computed()).aggregate(count()).order_by(computed().asc());
        let groups = async { Ok(groups.await?.into_iter().map(|(_, rows)| rows).collect::<Vec<_>>()) };
        $failures.expect("group_by a computed value", Box::pin(groups), vec![2]).await;
        let set = native::$column.to(computed());
        $failures.run("to a computed value", $db.native().update(native::id.eq(1)).set(set)).await;
        filters! { $db, $failures: native::$column.eq(value()) => 1 }
        any!($db, $failures, $column);
        let ids = async { $db.native().group_by(native::$column).aggregate(count()).await.map(|groups| groups.len()) };
        $failures.expect("group_by", Box::pin(ids), 2).await;
        let counts = $db.native().aggregate((native::$column.count(), native::$column.count_distinct()));
        $failures.expect("counts", counts, (1, 1)).await;
    };
}

/// The operations of every column, including lists. Here, the row with the value comes first.
macro_rules! any {
    ($db:ident, $failures:ident, $column:ident) => {
        for (what, order) in
            [("asc", native::$column.asc().nulls_last()), ("desc", native::$column.desc().nulls_last())]
        {
            let select = || $db.native().find_many().order_by(order.clone());
            $failures.expect(what, select().select(native::id), vec![1, 2]).await;
            let from = select().cursor(native::id.eq(2)).select(native::id);
            $failures.expect("cursor", from, vec![2]).await;
            let page = $failures.run("page", select().take(1).select(native::id).page_after(None)).await;
            if let Some(page) = page {
                let behind = async { Ok(select().take(1).select(native::id).page_after(page.next).await?.rows) };
                $failures.expect("page_after", Box::pin(behind), vec![2]).await;
            }
        }
        let distinct = async { Ok($db.native().find_many().distinct(native::$column).select(native::id).await?.len()) };
        $failures.expect("distinct", Box::pin(distinct), 2).await;
        $failures.run("select", $db.native().find_many().select(native::$column)).await;
        $failures.run("to_default", $db.native().update(native::id.eq(2)).set(native::$column.to_default())).await;
    };
}

macro_rules! ordered {
    ($db:ident, $failures:ident, $column:ident, $value:expr) => {
        scalar!($db, $failures, $column, $value);
        let extremes = $db.native().aggregate((native::$column.min(), native::$column.max()));
        let extremes = async { extremes.await.map(|(least, greatest)| (least.is_some(), least == greatest)) };
        $failures.expect("min and max", Box::pin(extremes), (true, true)).await;
        let computed = || native::$column.coalesce($value);
        let extremes = $db.native().aggregate((computed().min(), computed().max(), computed().count_distinct()));
        let extremes =
            async { extremes.await.map(|(least, greatest, count)| (least.is_some(), least == greatest, count)) };
        $failures.expect("min and max of computed values", Box::pin(extremes), (true, true, 1)).await;
        let groups = $db.native().group_by(native::id).having(native::$column.max().gte($value));
        let groups = async { groups.aggregate(count()).await.map(|groups| groups.len()) };
        $failures.expect("having", Box::pin(groups), 1).await;
        let groups = $db.native().group_by(native::id).order_by(native::$column.max().asc());
        $failures.run("order of groups", groups.aggregate(count())).await;
    };
}

/// Adds and subtracts, multiplies and divides: the value is the same again.
macro_rules! number {
    ($db:ident, $failures:ident, $column:ident, $value:expr, $three:expr) => {
        ordered!($db, $failures, $column, $value);
        for (what, set) in [
            ("increment", native::$column.increment($three)),
            ("decrement", native::$column.decrement($three)),
            ("multiply", native::$column.multiply($three)),
            ("divide", native::$column.divide($three)),
        ] {
            $failures.run(what, $db.native().update(native::id.eq(1)).set(set.clone())).await;
            $failures.run("in update_many", $db.native().update_many().filter(native::id.eq(3)).set(set)).await;
        }
        filters! { $db, $failures:
            native::$column.eq($value) => 1,
            native::$column.plus($three).minus($three).eq($value) => 1,
            native::$column.times($three).divided_by($three).eq($value) => 1,
            native::$column.plus(native::$column).minus(native::$column).eq(native::$column) => 1,
            native::$column.coalesce($value).plus($three).gt($value) => 2,
        }
        let set = native::$column.to(native::$column.plus($three).minus($three));
        $failures.run("to a sum", $db.native().update(native::id.eq(1)).set(set)).await;
        filters! { $db, $failures: native::$column.eq($value) => 1 }
        let twice = $db.native().aggregate((native::$column.plus(native::$column).sum(), native::$column.avg()));
        $failures.run("sum of computed values", twice).await;
        let computed = || native::$column.coalesce($value);
        let sums = $db.native().aggregate((computed().sum(), computed().avg(), computed().count()));
        let sums = async { sums.await.map(|(_, average, count)| (average.is_some(), count)) };
        $failures.expect("sum and avg of computed values", Box::pin(sums), (true, 2)).await;
        let sums = $db.native().aggregate((native::$column.sum(), native::$column.avg()));
        $failures.run("sum and avg", sums).await;
    };
}

macro_rules! string {
    ($db:ident, $failures:ident, $column:ident, $value:literal) => {
        ordered!($db, $failures, $column, $value.to_owned());
        let (begin, end, upper) = (&$value[..2], &$value[$value.len() - 2..], $value.to_uppercase());
        filters! { $db, $failures:
            native::$column.contains($value) => 1,
            native::$column.contains("%") => 0,
            native::$column.contains_opt(Some($value)) => 1,
            native::$column.starts_with(begin) => 1,
            native::$column.ends_with(end) => 1,
            native::$column.eq_insensitive(&upper) => 1,
            native::$column.ne_insensitive(&upper) => 0,
            native::$column.contains_insensitive(&upper) => 1,
            native::$column.starts_with_insensitive(begin.to_uppercase()) => 1,
            native::$column.ends_with_insensitive(end.to_uppercase()) => 1,
            native::$column.search(simple("nowhere")) => 0,
            native::$column.upper().eq(&upper) => 1,
            native::$column.lower().upper().trim().eq(&upper) => 1,
            native::$column.upper().starts_with(begin.to_uppercase()) => 1,
            native::$column.upper().ends_with(end.to_uppercase()) => 1,
            native::$column.concat("!").contains(format!("{}!", $value)) => 1,
            native::$column.char_length().eq($value.len() as i32) => 1,
        }
        let order = native::$column.relevance(simple($value)).desc();
        $failures.run("relevance", $db.native().find_many().order_by(order).select(native::id)).await;
    };
}

macro_rules! list {
    ($db:ident, $failures:ident, $column:ident, $value:expr) => {
        let value = || $value;
        $failures.column = stringify!($column);
        $failures.run("to", $db.native().update(native::id.eq(1)).set(native::$column.to([value()]))).await;
        $failures.run("push", $db.native().update(native::id.eq(1)).set(native::$column.push(value()))).await;
        filters! { $db, $failures:
            native::$column.eq([value(), value()]) => 1,
            native::$column.has(value()) => 1,
            native::$column.has_every([value()]) => 1,
            native::$column.has_some([value()]) => 1,
            native::$column.is_empty() => 1,
        }
        any!($db, $failures, $column);
        let groups = async { $db.native().group_by(native::$column).await.map(|groups| groups.len()) };
        $failures.expect("group_by", Box::pin(groups), 2).await;
        $failures.expect("count", $db.native().aggregate(native::$column.count()), 1).await;
    };
}

/// A row with values and one without.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.sql(r#"INSERT INTO "Native" (id) VALUES (1), (2)"#).await;
    fixture
}

/// A search query without a language: not every source of databases has one.
fn simple(query: impl Into<String>) -> SearchQuery {
    SearchQuery::web(query).language("simple")
}

fn assert_none(failures: &Failures) {
    assert!(failures.list.is_empty(), "{} failures:\n{}", failures.list.len(), failures.list.join("\n"));
}

fn moment() -> chrono::DateTime<Utc> {
    Utc.timestamp_millis_opt(1_790_000_000_123).single().expect("is a time")
}

fn time() -> NaiveTime {
    NaiveTime::from_hms_opt(12, 34, 56).expect("is a time")
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 2, 3).expect("is a day")
}

#[tokio::test]
async fn every_operation_on_numbers_works() {
    let fixture = fixture().await;
    let (db, mut failures): (&Client, _) = (&fixture.db, Failures::default());
    number!(db, failures, small, 12, 3);
    number!(db, failures, whole, 12, 3);
    number!(db, failures, big, 12_i64, 3_i64);
    number!(db, failures, oid, 12, 3);
    number!(db, failures, numeric, Decimal::new(1_250, 2), Decimal::new(4, 0));
    number!(db, failures, money, Decimal::new(1_250, 2), Decimal::new(4, 0));
    number!(db, failures, real, 1.5, 4.0);
    number!(db, failures, double, 1.5, 4.0);
    assert_none(&failures);
}

#[tokio::test]
async fn every_operation_on_texts_works() {
    let fixture = fixture().await;
    let (db, mut failures): (&Client, _) = (&fixture.db, Failures::default());
    string!(db, failures, varchar, "abc");
    string!(db, failures, char, "ab");
    string!(db, failures, text, "abc");
    string!(db, failures, inet, "10.0.0.1/32");
    if devdb().has(Feature::Xml) {
        string!(db, failures, xml, "<a/>");
    }
    string!(db, failures, bit, "1010");
    string!(db, failures, varbit, "101");
    assert_none(&failures);
}

#[tokio::test]
async fn every_operation_on_other_scalars_works() {
    let fixture = fixture().await;
    let (db, mut failures): (&Client, _) = (&fixture.db, Failures::default());
    ordered!(db, failures, uuid, Uuid::from_u128(7));
    ordered!(db, failures, timestamp, moment());
    ordered!(db, failures, timestamptz, moment());
    ordered!(db, failures, time, time());
    ordered!(db, failures, timetz, time());
    ordered!(db, failures, date, day());
    ordered!(db, failures, boolean, true);
    scalar!(db, failures, bytes, vec![1_u8, 2]);
    scalar!(db, failures, json, json!({ "a": [1, 2.5, null] }));
    scalar!(db, failures, jsonb, json!({ "a": [1, 2.5, null] }));
    scalar!(db, failures, color, Color::DarkGreen);
    assert_none(&failures);
}

#[tokio::test]
async fn every_operation_on_lists_works() {
    let fixture = fixture().await;
    let (db, mut failures): (&Client, _) = (&fixture.db, Failures::default());
    list!(db, failures, smalls, 12);
    list!(db, failures, wholes, 12);
    list!(db, failures, bigs, 12_i64);
    list!(db, failures, oids, 12);
    list!(db, failures, numerics, Decimal::new(1_250, 2));
    list!(db, failures, moneys, Decimal::new(1_250, 2));
    list!(db, failures, reals, 1.5);
    list!(db, failures, doubles, 1.5);
    list!(db, failures, varchars, "abc");
    list!(db, failures, chars, "ab");
    list!(db, failures, texts, "abc");
    list!(db, failures, inets, "10.0.0.1/32");
    list!(db, failures, uuids, Uuid::from_u128(7));
    if devdb().has(Feature::Xml) {
        list!(db, failures, xmls, "<a/>");
    }
    list!(db, failures, bits, "1010");
    list!(db, failures, varbits, "101");
    list!(db, failures, byteses, vec![1_u8, 2]);
    list!(db, failures, timestamps, moment());
    list!(db, failures, timestamptzs, moment());
    list!(db, failures, times, time());
    list!(db, failures, timetzs, time());
    list!(db, failures, dates, day());
    list!(db, failures, booleans, true);
    list!(db, failures, jsons, json!({ "a": 1 }));
    list!(db, failures, jsonbs, json!({ "a": 1 }));
    list!(db, failures, colors, Color::DarkGreen);
    assert_none(&failures);
}

#[tokio::test]
async fn a_stream_takes_any_number_of_rows_at_once() {
    let fixture = fixture().await;
    let mut rows = fixture.db.native().find_many().select(native::id).stream().rows_at_once(u32::MAX);
    let mut found = 0;
    while let Some(row) = rows.next().await {
        row.expect("is read");
        found += 1;
    }
    assert_eq!(found, 2);
}

#[tokio::test]
async fn padding_of_char_does_not_affect_patterns() {
    let fixture = fixture().await;
    let db = &fixture.db;
    let row = db.native().update(native::id.eq(1)).set(native::char.to("ab")).await.expect("is set");
    let padded = row.char.expect("has a value");
    assert_eq!(padded, "ab   ");
    for filter in [
        native::char.eq_insensitive("AB"),
        native::char.eq_insensitive(&padded),
        native::char.contains_insensitive("AB"),
        native::char.ends_with("b"),
        native::char.ends_with("b "),
        native::char.starts_with("ab"),
        native::char.eq(padded.as_str()),
    ] {
        assert_eq!(db.native().count().filter(filter.clone()).await.expect("is counted"), 1, "{filter:?}");
    }
}
