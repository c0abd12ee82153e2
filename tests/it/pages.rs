//! Cursors and keyset pagination over every type of column, compound keys, self-relations and many-to-many relations.

use relata::rust_decimal::Decimal;
use relata::serde_json::json;
use relata::uuid::Uuid;
use relata::{Order, PageToken};

use crate::wide::Fixture;
use crate::wide::client::{Color, Group, Sample, group, note, person, sample};

/// Seven samples. Each optional column is null in some of them and the same in others.
async fn samples() -> Fixture {
    let fixture = Fixture::new().await;
    for index in 0..7_i32 {
        let row = sample::Create { text: format!("{}", index % 3) };
        let create = fixture
            .db
            .sample()
            .create(row)
            .set(sample::flag.to(index % 2 == 0))
            .set(sample::big.to(i64::from(index % 3) * -1_000_000_000_000))
            .set(sample::exact.to(Decimal::new((index % 4).into(), 2)))
            .set(sample::color.to(Color::ALL[(index % 3) as usize]))
            .set(sample::json.to(json!({ "k": index % 2 })));
        let create = if index % 3 == 0 {
            create
        } else {
            let moment =
                relata::chrono::DateTime::from_timestamp(i64::from(index % 4) * 90_000, 123_000).expect("is a time");
            create
                .set(sample::short.to(format!("s{}", index % 2)))
                .set(sample::fixed.to(format!("f{}", index % 2)))
                .set(sample::small.to(index % 4))
                .set(sample::real.to(f64::from(index % 4) / 8.0))
                .set(sample::money.to(Decimal::new((index % 4).into(), 2)))
                .set(sample::zoned.to(moment))
                .set(sample::day.to(moment.date_naive()))
                .set(sample::time.to(moment.time()))
                .set(sample::timetz.to(moment.time()))
                .set(sample::plain.to(json!(index)))
                .set(sample::bytes.to(vec![(index % 4) as u8, 0]))
                .set(sample::uuid.to(Uuid::from_u128((index % 4) as u128)))
                .set(sample::inet.to(format!("10.0.0.{}", index % 4)))
                .set(sample::bits.to(if index % 2 == 0 { "101" } else { "011" }))
                .set(sample::oid.to(index % 4))
                .set(sample::maybe.to(Color::ALL[(index % 2) as usize]))
                .set(sample::numbers.to([index % 4, 1]))
        };
        create.await.expect("is created");
    }
    fixture
}

/// Reads all rows in pages of two, and from each row on, and compares the result with the full list.
async fn check(fixture: &Fixture, order: Order<Sample>) {
    let described = format!("{order:?}");
    let query = fixture.db.sample().find_many().order_by(order);
    let all = query.clone().order_by(sample::id.asc());
    let descending = described.contains("descending: true");
    let all = if descending { query.clone().order_by(sample::id.desc()) } else { all };
    let all = all.select(sample::id).await.expect(&described);
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let page = query.clone().take(2).page_after(token).await.expect(&described);
        seen.extend(page.rows.iter().map(|sample| sample.id));
        let Some(next) = page.next else { break };
        token = Some(next.to_string().parse::<PageToken>().expect("survives as text"));
    }
    assert_eq!(seen, all, "{described}");
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let page = query.clone().take(2).page_before(token).await.expect(&described);
        assert_eq!(page.next.is_some(), !seen.is_empty(), "{described}");
        seen.splice(0..0, page.rows.iter().map(|sample| sample.id));
        let Some(previous) = page.previous else { break };
        token = Some(previous);
    }
    assert_eq!(seen, all, "{described}, backwards");
    for (place, id) in all.iter().enumerate() {
        let at = query.clone().cursor(sample::id.eq(*id));
        assert_eq!(at.clone().select(sample::id).await.expect(&described), all[place..], "{described}, from {place}");
        let back = at.take_last(3).select(sample::id).await.expect(&described);
        assert_eq!(back, all[(place + 1).saturating_sub(3)..=place], "{described}, up to {place}");
    }
}

#[tokio::test]
async fn every_sortable_column_can_be_a_sort_key_of_pages() {
    let fixture = samples().await;
    macro_rules! check_all {
        ($($column:ident),+) => {
            $(
                check(&fixture, sample::$column.asc()).await;
                check(&fixture, sample::$column.desc()).await;
                check(&fixture, sample::$column.asc().nulls_first()).await;
                check(&fixture, sample::$column.desc().nulls_last()).await;
            )+
        };
    }
    check_all!(id, text, short, fixed, flag, small, big, real, double, exact, money, moment, zoned, day);
    check_all!(time, timetz, json, bytes, uuid, inet, bits, oid, color, maybe, texts, numbers, r#type, self_);
}

#[tokio::test]
async fn pages_lead_forwards_and_backwards() {
    let fixture = samples().await;
    let query = fixture.db.sample().find_many().order_by(sample::small.desc().nulls_last()).take(3);
    let ids = |page: &relata::Page<Sample>| page.rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let first = query.clone().page_after(None).await.expect("is read");
    assert!(first.previous.is_none());
    let second = query.clone().page_after(first.next.clone()).await.expect("is read");
    let third = query.clone().page_after(second.next.clone()).await.expect("is read");
    assert_eq!((third.rows.len(), third.next.is_none()), (1, true));
    let back = query.clone().page_before(third.previous.clone()).await.expect("is read");
    assert_eq!(ids(&back), ids(&second));
    let again = query.clone().page_after(back.next).await.expect("is read");
    assert_eq!(ids(&again), ids(&third));
    let start = query.clone().page_before(back.previous).await.expect("is read");
    assert_eq!((ids(&start), start.previous.is_none()), (ids(&first), true));
    let values = query.clone().select(sample::id).page_before(second.previous).await.expect("is read");
    assert_eq!(values.rows, ids(&first));
    let refused = query.take_last(3).page_after(None).await;
    assert!(matches!(refused, Err(relata::Error::Misuse(_))), "{refused:?}");
}

#[tokio::test]
async fn forged_tokens_are_errors() {
    let fixture = samples().await;
    let query = fixture.db.sample().find_many().order_by(sample::small.asc()).take(2);
    let page = query.clone().page_after(None).await.expect("is read");
    let token = page.next.expect("there are more").to_string();
    let mut refused = 0;
    for place in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'_' } else { b'A' };
        let Ok(forged) = String::from_utf8(forged).expect("is ASCII").parse::<PageToken>() else {
            refused += 1;
            continue;
        };
        // Another value is another position in the order; anything that is not a value is an error.
        refused += usize::from(query.clone().page_after(forged).await.is_err());
    }
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn a_key_of_several_columns_is_a_cursor() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let mut all = Vec::new();
    for tenant in [2, 1] {
        for number in [3, 1, 2] {
            let author = format!("{tenant}{number}");
            let author = db.person().create(person::Create { name: author }).await.expect("is created").id;
            let row = note::Create { tenant, number, author };
            db.note().create(row).set(note::body.to(format!("{}", number % 2))).await.expect("is created");
            all.push((tenant, number));
        }
    }
    all.sort_unstable();
    let by_body = {
        let mut all = all.clone();
        all.sort_unstable_by_key(|(tenant, number)| (number % 2, *tenant, *number));
        all
    };
    let key = (note::tenant, note::number);
    for (place, (tenant, number)) in all.iter().enumerate() {
        let from = db.note().find_many().cursor(note::tenant_number.eq(*tenant, *number)).take(3).select(key).await;
        assert_eq!(from.expect("is read"), all[place..(place + 3).min(6)]);
    }
    for (place, (tenant, number)) in by_body.iter().enumerate() {
        let query = db.note().find_many().order_by(note::body.asc()).cursor(note::tenant_number.eq(*tenant, *number));
        assert_eq!(query.skip(1).select(key).await.expect("is read"), by_body[place + 1..]);
    }
    let last = db.note().find_many().order_by(note::body.asc()).take_last(2).select(key).await.expect("is read");
    assert_eq!(last, by_body[4..]);
    let pages = db.note().find_many().order_by(note::body.asc()).take(4);
    let first = pages.clone().page_after(None).await.expect("is read");
    let second = pages.page_after(first.next).await.expect("is read");
    let read: Vec<_> = first.rows.iter().chain(&second.rows).map(|note| (note.tenant, note.number)).collect();
    assert_eq!(read, by_body);
}

#[tokio::test]
async fn missing_related_rows_sort_as_null() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    for (name, manager) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a")), ("e", None)] {
        let manager = match manager {
            Some(name) => {
                db.person().find_unique(person::name.eq(name)).await.expect("is read").map(|person| person.id)
            }
            None => None,
        };
        let row = person::Create { name: name.to_owned() };
        db.person().create(row).set(person::manager_id.to_nullable(manager)).await.expect("is created");
    }
    let by_manager = person::manager.order(person::name.asc());
    for (order, expected) in [
        (by_manager.clone(), "bdcae"),
        (by_manager.clone().nulls_first(), "aebdc"),
        (person::manager.order(person::name.desc()).nulls_last(), "cdbea"),
        (person::manager.order(person::manager.order(person::name.asc())), "cabde"),
        (person::reports.count().desc(), "abcde"),
    ] {
        let described = format!("{order:?}");
        let query = db.person().find_many().order_by(order);
        let (mut token, mut seen) = (None, String::new());
        loop {
            let page = query.clone().take(2).page_after(token).await.expect(&described);
            seen.extend(page.rows.iter().map(|person| person.name.as_str()));
            let Some(next) = page.next else { break };
            token = Some(next);
        }
        if described.contains("Count") {
            assert_eq!((&seen[..1], &seen[1..2]), ("a", "b"), "{described}");
        } else {
            assert_eq!(seen, expected, "{described}");
        }
        let at = query.cursor(person::name.eq("e")).select(person::name).await.expect(&described);
        assert_eq!(at.concat(), seen[seen.find('e').expect("is there")..], "{described}");
    }
}

#[tokio::test]
async fn many_to_many_relations_have_pages_and_distinct_rows_per_row() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    for name in ["a", "b"] {
        let groups = ["x", "y", "x", "z"].map(|title| group::Create { title: format!("{title}{name}") });
        let row = person::Create { name: name.to_owned() };
        db.person().create(row).with(person::groups.create_many(groups)).await.expect("is created");
    }
    let cursor = db.group().find_first().filter(group::title.eq("yb")).or_err().await.expect("is there").id;
    let titles = |groups: &[Group]| groups.iter().map(|group| group.title.as_str()).collect::<Vec<_>>().join(" ");
    let by_title = || person::groups.order_by(group::title.asc());
    for (groups, of_a, of_b) in [
        (by_title().distinct(group::title), "xa ya za", "xb yb zb"),
        (by_title().take_last(2), "ya za", "yb zb"),
        (by_title().distinct(group::title).skip(1).take_last(2), "xa ya", "xb yb"),
        (by_title().cursor(group::id.eq(cursor)), "za", "yb zb"),
        (by_title().cursor(group::id.eq(cursor)).take(1), "za", "yb"),
    ] {
        let described = format!("{groups:?}");
        let all = db.person().find_many().order_by(person::name.asc()).include(groups.clone()).await.expect(&described);
        assert_eq!((titles(&all[0].groups).as_str(), titles(&all[1].groups).as_str()), (of_a, of_b), "{described}");
        let b = db.person().find_unique(person::name.eq("b")).include(groups).or_err().await.expect(&described);
        assert_eq!(titles(&b.groups), of_b, "{described}");
    }
}
