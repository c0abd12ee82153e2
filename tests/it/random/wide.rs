//! The models of `tests/wide`: every scalar, lists, compound keys, self-relations, many-to-many relations.

use relata::chrono::NaiveTime;
use relata::rust_decimal::Decimal;
use relata::serde_json::json;
use relata::uuid::Uuid;
use relata_devdb::Feature;

use super::data::{FIXED, NOT_ORDERED, Source, short_texts, texts};
use super::describe::{attach, branches, field_object, subject, with_relations};
use super::planner::{bools, days, floats, ints, moments};
use super::value::{Plain, Value};
use super::world::Link::{Between, Named};
use crate::support::devdb;
use crate::wide::client::{Client, Color, Comment, Group, Note, Person, Sample, comment, group, note, person, sample};

fn decimals() -> Source {
    Source::Pool([0, 100, -250, 1_999].map(|hundredths| Value::Decimal(Decimal::new(hundredths, 2))).to_vec())
}

fn times() -> Source {
    let time = |hour| NaiveTime::from_hms_micro_opt(hour, 30, 0, 7).expect("is a time");
    Source::Pool([0, 9, 23].map(|hour| Value::Time(time(hour))).to_vec())
}

fn colors() -> Source {
    Source::Pool(Color::ALL.iter().map(Plain::value).collect())
}

fn some_texts(texts: &[&str]) -> Source {
    Source::Pool(texts.iter().map(|text| Value::Text((*text).to_owned())).collect())
}

fn documents_of_xml() -> Source {
    if devdb().has(Feature::Xml) { some_texts(&NOT_ORDERED[4..]) } else { Source::Pool(vec![Value::Null]) }
}

fn lists(elements: Source) -> Source {
    let Source::Pool(elements) = elements else { panic!("lists are of known values") };
    let list = |places: &[usize]| Value::List(places.iter().map(|place| elements[*place].clone()).collect());
    Source::Pool([&[][..], &[0], &[1], &[0, 1], &[1, 0], &[0, 0, 2]].map(list).to_vec())
}

/// `generate` contains the values that are searched for in JSON.
fn documents() -> Source {
    let documents = [
        json!({ "a": 1, "b": { "c": ["x", 2] } }),
        json!({ "a": "ab", "b": null }),
        json!({ "a": [1, "a", { "k": true, "l": 1 }] }),
        json!([]),
        json!([1, 2]),
        json!("Ab"),
        json!(null),
        json!({ "a": 2.5, "b": [] }),
    ];
    Source::Pool(documents.map(Value::Json).to_vec())
}

subject! {
    Client, person, Person, person;
    fields {
        id: Text false = Source::Named("p"),
        name: Text false = Source::Pool(texts()),
        secret: Text false = Source::Pool(texts()),
        manager_id: Text true = Source::Foreign("manager"),
    }
    relations {
        manager: Maybe 0 Named(&["manager_id"], &["id"]),
        reports: Many 0 Named(&["id"], &["manager_id"]),
        friends: Many 0 Between("\"_Friends\"", false),
        friend_of: Many 0 Between("\"_Friends\"", true),
        written: Many 2 Named(&["id"], &["author_id"]),
        reviewed: Many 2 Named(&["id"], &["reviewer_id"]),
        groups: Many 1 Between("\"_GroupToPerson\"", false),
    }
    keys { id(id: String), name(name: String), }
    pairs { name secret, manager_id id, }
    columns { (secret), (manager_id), (manager_id, secret), }
    calculations { count Count manager_id, min Least name, count_distinct CountDistinct secret, max Greatest manager_id, }
    shapes {
        [],
        [one person::manager(one person::manager()) many person::reports(many person::groups())],
        [many person::friends(many person::friend_of()) many person::groups(many group::members())],
        [many person::written(many note::comments() one note::reviewer()) many person::reviewed()],
    }
    selections {
        (person::id, person::manager.select((person::name,)), person::friends.count(), person::friend_of.count(), person::groups.count())
            => [field("id"), related("manager", vec![field("name")]), count("friends"), count("friend_of"), count("groups")],
        (person::name, person::groups.order_by(group::id.asc()).select((group::title, group::members.count())))
            => [field("name"), related("groups", vec![field("title"), count("members")])],
    }
}

subject! {
    Client, group, Group, group;
    fields {
        id: Plain false = Source::Serial,
        title: Text false = Source::Pool(texts()),
    }
    relations { members: Many 0 Between("\"_GroupToPerson\"", true), }
    keys { id(id: i32), }
    pairs { }
    columns { (title), }
    calculations { sum Sum id, avg Average id, max Greatest title, }
    shapes { [], [many group::members(one person::manager() many person::groups())], }
    selections { (group::title, group::members.count()) => [field("title"), count("members")], }
}

subject! {
    Client, note, Note, note;
    fields {
        tenant: Plain false = ints(&[1, 2]),
        number: Plain false = ints(&[1, 2, 3, 4, 5]),
        body: Text false = Source::Pool(texts()),
        author_id: Text false = Source::Foreign("author"),
        reviewer_id: Text true = Source::Foreign("reviewer"),
    }
    relations {
        author: One 0 Named(&["author_id"], &["id"]),
        reviewer: Maybe 0 Named(&["reviewer_id"], &["id"]),
        comments: Many 3 Named(&["tenant", "number"], &["tenant", "number"]),
    }
    keys { tenant_number(tenant: i32, number: i32), by_author(author_id: String, number: i32), }
    pairs { tenant number, author_id reviewer_id, }
    columns { (tenant), (author_id, reviewer_id), (reviewer_id), }
    calculations { sum Sum number, avg Average number, min Least body, count Count reviewer_id, }
    shapes {
        [],
        [one note::author() one note::reviewer() many note::comments()],
        [many note::comments(one comment::note(one note::author()))],
    }
    selections {
        (note::tenant, note::number, note::comments.order_by(comment::id.asc()).select((comment::text, comment::likes)))
            => [field("tenant"), field("number"), related("comments", vec![field("text"), field("likes")])],
        (note::body, note::reviewer.select((person::name, person::reports.count())), note::comments.count())
            => [field("body"), related("reviewer", vec![field("name"), count("reports")]), count("comments")],
    }
}

subject! {
    Client, comment, Comment, comment;
    fields {
        id: Plain false = Source::Serial,
        tenant: Plain false = Source::Foreign("note"),
        number: Plain false = Source::Foreign("note"),
        text: Text false = Source::Pool(texts()),
        likes: Plain false = ints(&[0, 1, -3]),
    }
    relations { note: One 2 Named(&["tenant", "number"], &["tenant", "number"]), }
    keys { id(id: i64), }
    pairs { tenant number, likes number, }
    columns { (likes), (tenant, number), }
    calculations { sum Sum likes, avg Average likes, min Least id, max Greatest text, }
    shapes { [], [one comment::note(one note::author(one person::manager()) many note::comments())], }
    selections {
        (comment::text, comment::note.select((note::body, note::author.select((person::name,)))))
            => [field("text"), related("note", vec![field("body"), related("author", vec![field("name")])])],
    }
}

subject! {
    Client, sample, Sample, sample;
    fields {
        id: Plain false = Source::Serial,
        text: Text false = Source::Pool(texts()),
        short: Text true = Source::Pool(short_texts()),
        fixed: Plain true = some_texts(FIXED),
        flag: Plain false = bools(),
        small: Plain true = ints(&[-1, 0, 1, 7]),
        big: Plain false = ints(&[0, 1, 9_007_199_254_740_993]),
        real: Plain true = floats(),
        double: Plain false = floats(),
        exact: Plain false = decimals(),
        money: Plain true = decimals(),
        moment: Plain false = moments(),
        zoned: Plain true = moments(),
        day: Plain true = days(),
        time: Plain true = times(),
        timetz: Plain true = times(),
        json: Json false = documents(),
        plain: Json true = documents(),
        bytes: Plain true = Source::Pool(vec![Value::Bytes(vec![]), Value::Bytes(vec![0, 255]), Value::Bytes(vec![7])]),
        uuid: Plain true = Source::Pool([7, 8].map(|number| Value::Uuid(Uuid::from_u128(number))).to_vec()),
        inet: Equal true = some_texts(&NOT_ORDERED[..2]),
        bits: Equal true = some_texts(&NOT_ORDERED[2..4]),
        xml: Opaque true = documents_of_xml(),
        oid: Plain true = ints(&[1, 2_147_483_647]),
        color: Plain false = colors(),
        maybe: Plain true = colors(),
        texts: List true = lists(Source::Pool(texts())),
        numbers: List true = lists(ints(&[1, 2, -3])),
        colors: List false = lists(colors()),
        uuids: List false = lists(Source::Pool([1, 2, 3].map(|number| Value::Uuid(Uuid::from_u128(number))).to_vec())),
        r#type: Text true = Source::Pool(texts()),
        self_: Plain false = ints(&[1, 2, 3]),
    }
    relations { }
    keys { id(id: i32), }
    pairs { text short, small id, self_ id, real double, exact money, color maybe, }
    columns { (flag), (small, color), (maybe, real), (exact), (texts), (bytes, uuid), }
    calculations {
        sum Sum small,
        avg Average big,
        sum Sum exact,
        avg Average money,
        sum Sum real,
        min Least uuid,
        max Greatest maybe,
        min Least time,
        max Greatest flag,
        count Count texts,
        min Least short,
    }
    shapes { [], }
    selections {
        (sample::texts, sample::numbers, sample::colors, sample::json, sample::plain, sample::money, sample::timetz)
            => [field("texts"), field("numbers"), field("colors"), field("json"), field("plain"), field("money"), field("timetz")],
    }
}

with_relations!(person: manager S0, reports S1, friends S2, friend_of S3, written S4, reviewed S5, groups S6);
with_relations!(group: members S0);
with_relations!(note: author S0, reviewer S1, comments S2);
with_relations!(comment: note S0);
