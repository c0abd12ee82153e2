//! A client of `tests/postgres/schema.dsl`: types of PostgreSQL and its own extensions beyond the scalars of the language.
//!
//! `cargo codegen generate --schema tests/postgres/schema.dsl --out tests/postgres/generated` generates its files.

use std::net::IpAddr;
use std::ops::Bound;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use relata::bit_vec::BitVec;
use relata::cidr::{IpCidr, IpInet};
use relata::geo_types::{Coord, Line, Rect};
use relata::macaddr::{MacAddr6, MacAddr8};
use relata::rust_decimal::Decimal;
use relata::{AsText, Error, Hstore, Interval, Ltree, Multirange, Range, SearchQuery, TsVector, count};

use crate::support::{Database, connect, with_extensions};

#[path = "../postgres/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod db;

use db::{Secret, Value, booking, code, host, mark, net, queries, secret, value};

struct Fixture {
    _database: Database,
    db: db::Client,
    sql: relata::tokio_postgres::Client,
}

impl Fixture {
    async fn new(name: &str) -> Option<Self> {
        let extensions = ["btree_gist", "citext", "hstore", "ltree"];
        let database = with_extensions(name, &extensions, "tests/postgres/schema.dsl").await?;
        let sql = connect(database.url()).await;
        let db = db::Client::connect(database.url()).await.expect("connects");
        Some(Self { db, sql, _database: database })
    }
}

fn at(hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2027, 1, 1, hour, 0, 0).single().expect("is a time")
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 1, day).expect("is a day")
}

fn inet(text: &str) -> IpInet {
    text.parse().expect("is an address")
}

fn cidr(text: &str) -> IpCidr {
    text.parse().expect("is a network")
}

fn bits(text: &str) -> BitVec {
    text.chars().map(|bit| bit == '1').collect()
}

fn pairs<const N: usize>(pairs: [(&str, Option<&str>); N]) -> Hstore {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect()
}

async fn book(db: &db::Client, room: i32, during: impl Into<Range<DateTime<Utc>>>) -> db::Booking {
    db.booking().create(booking::Create { room, during: during.into() }).await.expect("is created")
}

#[tokio::test]
async fn ranges_are_written_and_read() {
    let Some(Fixture { db, sql, .. }) = &Fixture::new("ranges").await else { return };
    let new = booking::Create { room: 1, during: (at(8)..at(10)).into() };
    let new = new.set(booking::nights.to(day(1)..=day(3))).set(booking::seats.to(..)).set(booking::big.to(i64::MIN..7));
    let price = Range::new(Bound::Excluded(Decimal::new(15, 1)), Bound::Unbounded);
    let new = new.set(booking::price.to(price)).set(booking::local.to(Range::EMPTY));
    let breaks: Multirange<_> = [at(8)..at(9), at(9)..at(10)].into_iter().collect();
    let new = new.set(booking::breaks.to(breaks)).set(booking::numbers.to(Multirange::default()));
    let made = db.booking().create(new.set(booking::past.to([1..3, 5..6]))).await.expect("is created");
    assert_eq!(made.during, (at(8)..at(10)).into());
    // Ranges of whole numbers and dates end before their upper bound, and those that touch are one.
    assert_eq!(made.nights, Some((day(1)..day(4)).into()));
    assert_eq!((made.seats, made.big, made.price), (Some(Range::FULL), Some((i64::MIN..7).into()), Some(price)));
    assert_eq!(made.local, Some(Range::EMPTY));
    assert_eq!(made.breaks, Some(Multirange(vec![(at(8)..at(10)).into()])));
    assert_eq!(made.numbers, Some(Multirange::default()));
    assert_eq!(made.past, [Range::from(1..3), Range::from(5..6)]);
    let row = sql.query_one("SELECT nights::text, breaks::text FROM \"Booking\"", &[]).await.expect("is read");
    assert_eq!(row.get::<_, &str>(0), "[2027-01-01,2027-01-04)");
    assert!(row.get::<_, &str>(1).starts_with("{[\"2027-01-01 08:00"));
    // A lower bound above the upper one is an error of the database, whose message does not become ours.
    let wrong = booking::Create { room: 1, during: (at(10)..at(8)).into() };
    let error = db.booking().create(wrong).await.expect_err("is refused");
    assert!(matches!(error, Error::InvalidValue(_) | Error::Database(_)), "{error:?}");
    // What overlaps in one room is refused.
    let error =
        db.booking().create(booking::Create { room: 1, during: (at(9)..).into() }).await.expect_err("is refused");
    assert!(matches!(&error, Error::ExclusionViolation(it) if it.constraint == booking::ROOM_DURING_EXCL), "{error:?}");
    let json = relata::serde_json::to_value(&made).expect("is JSON");
    assert_eq!(json["past"][0], relata::serde_json::json!({ "lower": 1, "upper": 3, "bounds": "[)" }));
    assert_eq!(relata::serde_json::from_value::<db::Booking>(json).expect("is one"), made);
}

#[tokio::test]
async fn ranges_have_their_operators() {
    let Some(Fixture { db, .. }) = &Fixture::new("range_operators").await else { return };
    let (early, late) = (book(db, 1, at(8)..at(10)).await, book(db, 2, at(10)..at(12)).await);
    let empty = book(db, 3, Range::EMPTY).await;
    let open = book(db, 4, at(11)..).await;
    let update = db.booking().update(booking::id.eq(early.id));
    let numbers: Multirange<i32> = [1..3, 5..9].into_iter().collect();
    let update =
        update.set(booking::seats.to(1..=4)).set(booking::numbers.to(numbers)).set(booking::nights.to(day(1)..day(3)));
    update.await.expect("is updated");
    let of = |filter| async {
        let rows = db.booking().find_many().filter(filter).order_by(booking::id.asc()).select(booking::id);
        rows.await.expect("is read")
    };
    assert_eq!(of(booking::during.contains(at(9))).await, [early.id]);
    assert_eq!(of(booking::during.contains(at(10))).await, [late.id]);
    assert_eq!(of(booking::during.contains(at(10)..at(11))).await, [late.id]);
    assert_eq!(of(booking::during.contained_in(at(7)..=at(12))).await, [early.id, late.id, empty.id]);
    assert_eq!(of(booking::during.overlaps(at(9)..at(11))).await, [early.id, late.id]);
    assert_eq!(of(booking::during.overlaps(..)).await, [early.id, late.id, open.id]);
    assert_eq!(of(booking::during.adjacent_to(at(12)..at(13))).await, [late.id]);
    assert_eq!(of(booking::during.before(at(10)..)).await, [early.id]);
    assert_eq!(of(booking::during.after(..at(10))).await, [late.id, open.id]);
    assert_eq!(of(booking::during.ends_within(at(9)..at(12))).await, [early.id, late.id]);
    assert_eq!(of(booking::during.begins_within(at(10)..)).await, [late.id, open.id]);
    assert_eq!(of(booking::during.is_empty()).await, [empty.id]);
    assert_eq!(of(booking::during.eq(at(8)..at(10))).await, [early.id]);
    assert_eq!(of(booking::during.in_([at(8)..at(10), at(10)..at(12)])).await, [early.id, late.id]);
    assert_eq!(of(booking::during.lower().gte(at(10))).await, [late.id, open.id]);
    assert_eq!(of(booking::during.upper().is_null()).await, [empty.id, open.id]);
    assert_eq!(of(booking::during.upper().is_not_null() & !booking::during.contains(at(9))).await, [late.id]);
    assert_eq!(of(booking::seats.contains(4)).await, [early.id]);
    assert_eq!(of(booking::nights.contains(day(3))).await, [] as [i32; 0]);
    assert_eq!(of(booking::numbers.contains(2) & booking::numbers.contains(5..7)).await, [early.id]);
    assert_eq!(of(booking::numbers.overlaps(3..5)).await, [] as [i32; 0]);
    assert_eq!(of(booking::numbers.contained_in(0..100) & booking::numbers.adjacent_to(9..)).await, [early.id]);
    let two: Multirange<i32> = [1..2, 3..4].into_iter().collect();
    assert_eq!(of(booking::seats.contains(two.clone())).await, [early.id]);
    assert_eq!(of(booking::numbers.contains(two)).await, [] as [i32; 0]);

    // Orders, pages, selections, distinct values.
    let by_end = || booking::during.upper().desc().nulls_last();
    let sorted = db.booking().find_many().order_by(by_end()).select((booking::id, booking::during.lower())).await;
    let sorted = sorted.expect("is read");
    assert_eq!(sorted[0], (late.id, Some(at(10))));
    let first =
        db.booking().find_many().order_by(booking::during.asc()).take(3).page_after(None).await.expect("is read");
    assert_eq!(first.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [empty.id, early.id, late.id]);
    let rest = db.booking().find_many().order_by(booking::during.asc()).take(3).page_after(first.next).await;
    assert_eq!(rest.expect("is read").rows.iter().map(|row| row.id).collect::<Vec<_>>(), [open.id]);
    let start = || booking::during.lower().asc();
    let first = db.booking().find_many().order_by(start()).take(2).page_after(None).await.expect("is read");
    let rest = db.booking().find_many().order_by(start()).take(9).page_after(first.next).await.expect("is read");
    let ids = first.rows.iter().chain(&rest.rows).map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids, [early.id, late.id, open.id, empty.id]);
    let groups = db.booking().group_by(booking::during).aggregate(count()).await.expect("is read");
    assert_eq!(groups.len(), 4);
}

fn everything() -> relata::CreateWith<value::Create> {
    let create = value::Create {}
        .set(value::length.to(Interval::new(14, -3, 1)))
        .set(value::lengths.to([Interval::ZERO, Interval::from_hours(-1)]))
        .set(value::host.to(inet("10.1.2.3/8")))
        .set(value::network.to(cidr("10.0.0.0/8")))
        .set(value::hosts.to([inet("::1"), inet("10.0.0.1")]))
        .set(value::mac.to(MacAddr6::new(8, 0, 0x2b, 1, 2, 3)))
        .set(value::long_mac.to(MacAddr8::new(8, 0, 0x2b, 1, 2, 3, 4, 5)))
        .set(value::bits.to(bits("10110")))
        .set(value::flags.to(bits("")));
    create
        .set(value::data.to(pairs([("a", Some("1")), ("b\"\\,=>", None), ("", Some(""))])))
        .set(value::path.to("Top.Science.Astronomy"))
        .set(value::body.to("The quick brown foxes"))
        .set(value::query.to("'fox' & 'quick'"))
        .set(value::place.to(Coord { x: 1.5, y: -2.0 }))
        .set(value::area.to(Rect::new((0.0, 0.0), (2.0, 3.0))))
        .set(value::segment.to(Line::new((0.0, 0.0), (1.0, 1.0))))
        .set(value::outline.to("((0,0),(1,0),(1,1))"))
        .set(value::round.to("<(0,0),2>"))
        .set(value::position.to("16/B374D848"))
        .set(value::price.to(Decimal::new(1999, 2)))
        .set(value::email.to("Ada@North.edu"))
        .set(value::tag.to("<a/>"))
}

#[tokio::test]
async fn values_of_every_type_are_written_and_read() {
    let Some(Fixture { db, sql, .. }) = &Fixture::new("every_type").await else { return };
    let made = db.value().create(everything()).await.expect("is created");
    assert_eq!(made.length, Interval::new(14, -3, 1));
    assert_eq!(made.lengths, [Interval::ZERO, Interval::from_hours(-1)]);
    assert_eq!((made.host, made.network), (Some(inet("10.1.2.3/8")), Some(cidr("10.0.0.0/8"))));
    assert_eq!(made.hosts, [inet("::1"), inet("10.0.0.1")]);
    assert_eq!(made.mac.map(|mac| mac.to_string()), Some("08:00:2B:01:02:03".to_owned()));
    assert_eq!(made.long_mac, Some(MacAddr8::new(8, 0, 0x2b, 1, 2, 3, 4, 5)));
    assert_eq!((made.bits.clone(), made.flags.clone()), (Some(bits("10110")), Some(bits(""))));
    assert_eq!(made.data, Some(pairs([("a", Some("1")), ("b\"\\,=>", None), ("", Some(""))])));
    assert_eq!(made.path, Some(Ltree::from("Top.Science.Astronomy")));
    assert_eq!(made.document, Some(TsVector::from("'brown':3 'fox':4 'quick':2")));
    assert_eq!(made.query, Some(AsText::from("'fox' & 'quick'")));
    assert_eq!(made.place, Some(Coord { x: 1.5, y: -2.0 }));
    assert_eq!(made.area, Some(Rect::new((0.0, 0.0), (2.0, 3.0))));
    assert_eq!(made.segment, Some(Line::new((0.0, 0.0), (1.0, 1.0))));
    assert_eq!(made.outline.as_ref().map(AsText::as_str), Some("((0,0),(1,0),(1,1))"));
    assert_eq!((made.round.clone(), made.position.clone()), (Some("<(0,0),2>".into()), Some("16/B374D848".into())));
    assert_eq!((made.price, made.email.as_deref()), (Some(Decimal::new(1999, 2)), Some("Ada@North.edu")));
    let text =
        sql.query_one("SELECT length::text, bits::text, data -> '' = '' FROM \"Value\"", &[]).await.expect("is read");
    assert_eq!((text.get::<_, &str>(0), text.get::<_, &str>(1)), ("1 year 2 mons -3 days +00:00:00.000001", "10110"));
    assert!(text.get::<_, bool>(2));
    let json = relata::serde_json::to_value(&made).expect("is JSON");
    assert_eq!(json["length"], "P1Y2M-3DT0.000001S");
    assert_eq!(relata::serde_json::from_value::<Value>(json).expect("is one"), made);

    // Nothing, and the default of the database.
    let none = db.value().create(value::Create {}).await.expect("is created");
    assert_eq!(
        (none.length, none.lengths.len(), none.host, none.data.clone()),
        (Interval::from_days(1), 0, None, None)
    );

    // Many at once, and by COPY.
    assert_eq!(db.value().create_many([everything(), everything()]).await.expect("are created"), 2);
    assert_eq!(db.value().copy_in([everything(), everything()]).await.expect("are copied"), 2);
    let rows = db.value().find_many().filter(value::body.ne("")).await.expect("is read");
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| Value { id: made.id, ..row.clone() } == made));
    let changed = db.value().update(value::id.eq(none.id)).set(value::data.to(pairs([("k", Some("v"))])));
    let changed =
        changed.set(value::length.to(Duration::from_secs(90))).set(value::bits.set_null()).await.expect("is updated");
    assert_eq!((changed.length, changed.bits), (Interval::from_seconds(90), None));
}

#[tokio::test]
async fn values_have_the_operators_of_their_types() {
    let Some(Fixture { db, .. }) = &Fixture::new("value_operators").await else { return };
    let one = db.value().create(everything()).await.expect("is created").id;
    let other = everything()
        .set(value::length.to(Interval::from_days(400)))
        .set(value::host.to("192.168.1.7".parse::<IpAddr>().expect("is one")))
        .set(value::network.to(cidr("192.168.0.0/16")))
        .set(value::path.to("Top.Hobbies"))
        .set(value::data.to(pairs([("c", None)])))
        .set(value::body.to("Lazy dogs sleep"))
        .set(value::bits.to(bits("00001")))
        .set(value::place.to(Coord { x: 10.0, y: 0.0 }));
    let two = db.value().create(other).await.expect("is created").id;
    let none = db.value().create(value::Create {}).await.expect("is created").id;
    let of = |filter| async {
        let rows = db.value().find_many().filter(filter).order_by(value::id.asc()).select(value::id);
        rows.await.expect("is read")
    };
    // A month is compared as 30 days.
    assert_eq!(of(value::length.gt(Interval::from_months(13))).await, [one, two]);
    assert_eq!(of(value::length.eq(Interval::from_hours(24))).await, [none]);
    assert_eq!(of(value::length.between(Duration::ZERO, Interval::from_days(2))).await, [none]);
    assert_eq!(of(value::lengths.has(Interval::ZERO)).await, [one, two]);
    assert_eq!(of(value::host.contained_in(cidr("10.0.0.0/8"))).await, [one]);
    assert_eq!(of(value::host.eq("192.168.1.7".parse::<IpAddr>().expect("is one"))).await, [two]);
    assert_eq!(of(value::network.contains("192.168.1.7".parse::<IpAddr>().expect("is one"))).await, [two]);
    assert_eq!(
        of(value::network.contains(inet("10.1.2.3")) | value::network.overlaps(cidr("0.0.0.0/0"))).await,
        [one, two]
    );
    assert_eq!(of(value::hosts.has(inet("::1"))).await, [one, two]);
    assert_eq!(of(value::host.family().eq(4) & value::host.prefix_length().lt(32)).await, [one]);
    assert_eq!(of(value::mac.eq(MacAddr6::new(8, 0, 0x2b, 1, 2, 3)) & value::long_mac.is_not_null()).await, [one, two]);
    assert_eq!(of(value::bits.eq(bits("10110")) | value::flags.eq(bits("1"))).await, [one]);
    assert_eq!(of(value::flags.bit_length().eq(0)).await, [one, two]);
    assert_eq!(of(value::data.contains(pairs([("a", Some("1"))]))).await, [one]);
    assert_eq!(of(value::data.contained_in(pairs([("c", None), ("d", None)]))).await, [two]);
    assert_eq!(of(value::data.has_key("b\"\\,=>")).await, [one]);
    assert_eq!(of(value::data.has_every_key(["a", ""])).await, [one]);
    assert_eq!(of(value::data.has_some_key(["a", "c"])).await, [one, two]);
    assert_eq!(of(value::data.get("a").eq("1")).await, [one]);
    assert_eq!(of(value::data.get("a").is_null()).await, [two, none]);
    assert_eq!(of(value::path.descendant_of("Top.Science")).await, [one]);
    assert_eq!(of(value::path.ancestor_of("Top.Hobbies.Chess")).await, [two]);
    assert_eq!(of(value::path.matches("*.Sci*.*")).await, [one]);
    assert_eq!(of(value::path.matches_words("hobbies@")).await, [two]);
    assert_eq!(of(value::path.depth().gte(3)).await, [one]);
    let english = |words: &str| SearchQuery::web(words).language("english");
    assert_eq!(of(value::document.search(english("fox quick"))).await, [one]);
    assert_eq!(of(value::document.search(english("\"lazy dog\" or fox"))).await, [one, two]);
    assert_eq!(of(value::place.distance_from(Coord { x: 1.5, y: 0.0 }).lte(2.0)).await, [one]);
    assert_eq!(of(value::place.eq(Coord { x: 10.0, y: 0.0 })).await, [two]);
    assert_eq!(of(value::outline.eq("((0,0),(1,0),(1,1))") & value::round.ne("<(0,0),3>")).await, [one, two]);
    assert_eq!(of(value::position.lt("17/0")).await, [one, two]);
    assert_eq!(of(value::email.eq("ADA@north.edu")).await, [one, two]);

    assert_eq!(
        of(value::area.in_([Rect::new((0.0, 0.0), (2.0, 3.0)), Rect::new((0.0, 0.0), (3.0, 2.0))])).await,
        [one, two]
    );
    let by_place = || db.value().find_many().order_by(value::place.asc()).take(1);
    let first = by_place().page_after(None).await.expect("is read");
    let second = by_place().page_after(first.next).await.expect("is read");
    assert_eq!((first.rows[0].id, second.rows[0].id), (one, two));
    assert_eq!(db.value().group_by((value::place, value::outline)).aggregate(count()).await.expect("is read").len(), 3);
    let nearest = value::place.distance_from(Coord { x: 9.0, y: 0.0 });
    let rows =
        db.value().find_many().order_by(nearest.clone().asc()).select((value::id, nearest)).await.expect("is read");
    assert_eq!(rows[0], (two, Some(1.0)));
    let ranked = value::document.relevance(english("fox"));
    let best = db.value().find_first().order_by(ranked.desc().nulls_last()).select(value::id).await.expect("is read");
    assert_eq!(best, Some(one));
    let (total, mean, longest, last) = db
        .value()
        .aggregate((value::length.sum(), value::length.avg(), value::length.max(), value::host.max()))
        .filter(value::id.in_([two, none]))
        .await
        .expect("is calculated");
    assert_eq!((total, longest), (Interval::from_days(401), Some(Interval::from_days(400))));
    assert_eq!(mean, Some(Interval::new(0, 200, 12 * 3_600_000_000)));
    assert_eq!(last, Some(inet("192.168.1.7")));
    let nothing = db.value().aggregate((value::length.sum(), value::length.avg())).filter(value::id.eq(-1)).await;
    assert_eq!(nothing.expect("is calculated"), (Interval::ZERO, None));
}

#[tokio::test]
async fn what_a_rust_type_cannot_hold_is_told() {
    let Some(Fixture { db, sql, .. }) = &Fixture::new("cannot_hold").await else { return };
    sql.batch_execute(
        "INSERT INTO \"Booking\" (room, during, nights) VALUES (1, '[infinity,infinity]', '[today,infinity)')",
    )
    .await
    .expect("is right");
    let error = db.booking().find_many().await.expect_err("cannot be read");
    assert!(matches!(&error, Error::Decode { .. }), "{error:?}");
    let ids = db.booking().find_many().filter(booking::during.lower().gt(at(1))).select(booking::id).await;
    assert_eq!(ids.expect("is read").len(), 1);
    let error = db.value().create(value::Create {}.set(value::bits.to(bits("1")))).await.expect_err("is too short");
    assert!(error.to_string().contains("bit"), "{error}");
    let error = db.value().create(value::Create {}.set(value::path.to("a..b"))).await.expect_err("is no path");
    assert!(!error.to_string().contains("a..b"), "{error}");
    let error = db.value().create(value::Create {}.set(value::round.to("secret"))).await.expect_err("is no circle");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = db::Value)]
struct Part {
    length: Interval,
    hosts: Vec<IpInet>,
    data: Option<Hstore>,
    path: Option<Ltree>,
    bits: Option<BitVec>,
    round: Option<AsText>,
}

#[tokio::test]
async fn structs_of_a_program_have_them() {
    let Some(Fixture { db, .. }) = &Fixture::new("selectable_types").await else { return };
    let made = db.value().create(everything()).await.expect("is created");
    let part = db.value().find_first().or_err().select_as::<Part>().await.expect("is read");
    let Value { length, hosts, data, path, bits, round, .. } = made;
    assert_eq!(part, Part { length, hosts, data, path, bits, round });
}

#[tokio::test]
async fn query_files_read_and_write_them() {
    let Some(Fixture { db, .. }) = &Fixture::new("query_files_of_types").await else { return };
    let made = book(db, 1, at(8)..at(10)).await;
    book(db, 1, at(12)..).await;
    let busy = db.query(queries::busy(at(9)..at(11))).await.expect("is read");
    assert_eq!((busy.len(), busy[0].id, busy[0].during), (1, made.id, made.during));
    assert_eq!(busy[0].length, Some(Interval::from_hours(2)));
    assert_eq!(busy[0].shared, (at(9)..at(10)).into());
    let free = db.query(queries::free_times(at(7), None::<DateTime<Utc>>, 1)).await.expect("is read");
    let free: Vec<_> = free.into_iter().map(|row| (row.during, row.since)).collect();
    assert_eq!(free, [((at(7)..at(8)).into(), Some(at(7))), ((at(10)..at(12)).into(), Some(at(10)))]);
    assert_eq!(db.query(queries::busy(..)).await.expect("is read")[1].length, None);
    let one = db.value().create(everything()).await.expect("is created");
    let found = db.query(queries::of_host(inet("10.1.2.3/8"), Interval::from_days(1))).await.expect("is read");
    let row = &found[0];
    assert_eq!((row.id, row.host, row.network, row.mac), (one.id, inet("10.1.2.3/8"), one.network, one.mac));
    assert_eq!((&row.bits, &row.data, &row.path), (&one.bits, &one.data, &one.path));
    assert_eq!((&row.document, row.place, row.ten), (&one.document, one.place, inet("10.0.0.0/8")));
    assert_eq!(row.twice, one.length * 2);
    let (data, path) = (pairs([("k", None), ("l", Some("\"'"))]), Ltree::from("A.B"));
    let call = queries::relabel(data.clone(), path.clone(), Interval::ZERO, bits("101"), [inet("::1")], one.id);
    let changed = db.query(call).await.expect("is written").pop().expect("is there");
    assert_eq!((changed.data, changed.path, changed.flags), (Some(data), Some(path), Some(bits("101"))));
    assert_eq!(changed.hosts, [inet("::1")]);
}

/// Patterns and circles have no type of Rust: PostgreSQL casts their texts.
#[tokio::test]
async fn parameters_of_query_files_travel_as_text() {
    let Some(Fixture { db, .. }) = &Fixture::new("query_files_as_text").await else { return };
    let one = db.value().create(everything()).await.expect("is created");
    let from = Coord { x: 1.5, y: 0.0 };
    let call = |pattern, round| {
        queries::matching("a", from, pattern, ["*.Astronomy", "nothing"].map(AsText::from), "fox & quick", round)
    };
    let rows = db.query(call("Top.*", "<(0,0),2>")).await.expect("is read");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.id, row.path.as_str(), row.value.as_deref()), (one.id, "Top.Science.Astronomy.end", Some("1")));
    assert_eq!((row.rest.len(), row.rest.contains_key("a")), (2, false));
    assert_eq!((row.distance, row.next, row.round.as_str()), (Some(2.0), Some(inet("10.1.2.4/8")), "<(0,0),2>"));
    assert!(db.query(call("Bottom.*", "<(0,0),2>")).await.expect("is read").is_empty());
    let error = db.query(call("Top.*", "nothing")).await.expect_err("is no circle");
    assert!(error.to_string().contains("22P02") && !error.to_string().contains("nothing"), "{error}");
}

#[tokio::test]
async fn keys_of_these_types_lead_to_rows() {
    let Some(Fixture { db, .. }) = &Fixture::new("keys_of_types").await else { return };
    for text in ["10.0.0.0/8", "192.168.0.0/16"] {
        db.net().create(net::Create { net: cidr(text) }).await.expect("is created");
    }
    let row = |of: IpCidr, name: &str| host::Create { of, name: name.into() };
    let json = relata::serde_json::json!({ "a": 1 });
    db.host().create(row(cidr("10.0.0.0/8"), "a.b").set(host::json.to(json.clone()))).await.expect("is created");
    let rows = [row(cidr("10.0.0.0/8"), "a.c"), row(cidr("192.168.0.0/16"), "d")];
    assert_eq!(db.host().copy_in(rows).await.expect("are copied"), 2);
    let nets = db.net().find_many().include(net::hosts).order_by(net::net.asc()).await.expect("is read");
    assert_eq!(nets.iter().map(|net| net.hosts.len()).collect::<Vec<_>>(), [2, 1]);
    let found = db.host().find_unique(host::name.eq("a.b")).include(host::of).or_err().await.expect("is read");
    assert_eq!((found.of.net, &found.json, found.none.len()), (cidr("10.0.0.0/8"), &Some(json.clone()), 0));
    assert_eq!(
        db.host()
            .count()
            .filter(host::json.eq(json) & host::of.is(net::net.eq(cidr("10.0.0.0/8"))))
            .await
            .expect("is read"),
        1
    );
    let first = db.value().create_many([everything(), everything()]).await.expect("are created");
    let page = db.value().find_many().order_by(value::data.desc()).take(1).page_after(None).await.expect("is read");
    let rest =
        db.value().find_many().order_by(value::data.desc()).take(9).page_after(page.next).await.expect("is read");
    assert_eq!((first, rest.rows.len()), (2, 1));
    assert_eq!(db.value().count().filter(value::data.gte(pairs([]))).await.expect("is read"), 2);
}

#[tokio::test]
async fn keys_that_are_equal_for_postgresql_belong_together() {
    let Some(Fixture { db, sql, .. }) = &Fixture::new("equal_keys").await else { return };
    sql.batch_execute(
        "INSERT INTO \"Code\" VALUES ('ABC', '1 month', 1.0, '[1.0,2.0)', 0), ('x', '1 day', 20, '(,)', 1.5);
         INSERT INTO \"Mark\" (code, span, amount, prices, ratio)
            VALUES ('abc', '30 days', 1.00, '[1,2)', '-0'), ('X', '24 hours', 20.000, '(,)', 1.5), ('x', '1 day', 2e1, '(,)', 1.5)",
    )
    .await
    .expect("is right");
    let codes = db.code().find_many().order_by(code::ratio.asc());
    let codes =
        codes.include(code::marks).include(code::spans).include(code::sums).include(code::ranges).include(code::ratios);
    let codes = codes.await.expect("is read");
    for (row, count) in codes.iter().zip([1, 2]) {
        let counts = [row.marks.len(), row.spans.len(), row.sums.len(), row.ranges.len(), row.ratios.len()];
        assert_eq!(counts, [count; 5], "{}", row.code);
    }
    let marks = db.mark().find_many().include(mark::by_code).include(mark::by_amount).await.expect("is read");
    assert!(marks.iter().all(|mark| mark.by_code.code.eq_ignore_ascii_case(&mark.code)));
}

#[tokio::test]
async fn a_page_token_holds_nothing_computed_from_a_sensitive_value() {
    let Some(Fixture { db, .. }) = &Fixture::new("computed_secrets").await else { return };
    for number in 1..=2 {
        let new = secret::Create {}.set(secret::seats.to(number..9));
        db.secret().create(new.set(secret::data.to(pairs([("k", Some("GEHEIM"))])))).await.expect("is created");
    }
    let orders: [(&str, relata::Order<Secret>); 6] = [
        ("data", secret::data.get("k").asc()),
        ("seats", secret::seats.lower().desc()),
        ("seats", secret::seats.upper().asc().nulls_last()),
        ("place", secret::place.distance_from(Coord { x: 1.0, y: 2.0 }).asc()),
        ("path", secret::path.depth().asc()),
        ("host", secret::host.family().desc()),
    ];
    for (column, order) in orders {
        let first = db.secret().find_many().order_by(order.clone()).take(1).page_after(None).await;
        let Err(Error::Misuse(reason)) = first else { panic!("{column} is in a page token: {first:?}") };
        assert!(reason.contains(&format!("{column} is @sensitive")), "{reason}");
        let last = db.secret().find_many().order_by(order.clone()).take(1).page_before(None).await;
        assert!(matches!(last, Err(Error::Misuse(_))), "{last:?}");
        // The remedy works: the values stay in the database.
        let sorted = || db.secret().find_many().order_by(order.clone()).order_by(secret::id.asc());
        let key = sorted().take(1).select(secret::id).await.expect("is read")[0];
        let next = sorted().cursor(secret::id.eq(key)).skip(1).select(secret::id).await.expect("is read");
        assert_eq!(next, [3 - key], "{column}");
    }
}
