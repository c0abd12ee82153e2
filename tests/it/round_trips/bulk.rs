//! Writes to many rows of a relation are one statement, whether the rows belong to one row or each to another.
//!
//! Each call has BEGIN, the statement for its own row or rows, what is counted here, and COMMIT.

use relata::{NestedChange, Parent};

use super::tapped;
use crate::wide::Fixture as Wide;
use crate::wide::client::{Client as WideClient, Group, Person, comment, group, note, person};

fn named(name: impl Into<String>) -> person::Create {
    person::Create { name: name.into() }
}

fn titled(title: &str) -> group::Create {
    group::Create { title: title.to_owned() }
}

type Update = relata::Update<Person>;

/// An update with a nested change for each of these.
fn with_each<T, C: Into<NestedChange<Person>>>(
    update: Update,
    each: impl IntoIterator<Item = T>,
    change: impl Fn(T) -> C,
) -> Update {
    each.into_iter().fold(update, |update, one| update.with(change(one)))
}

#[tokio::test]
async fn nested_writes_of_one_kind_are_one_statement() {
    let wide = Wide::new().await;
    let (tap, url) = tapped(wide.url()).await;
    let db: WideClient =
        WideClient::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let boss = db.person().create(named("boss")).await.expect("is created").id;
    let names: Vec<String> = (0..5).map(|number| format!("p{number}")).collect();
    db.person().create_many(names.iter().map(named)).await.expect("are created");
    let groups = db.group().create_many_and_return(["a", "b", "c"].map(titled)).await.expect("are created");
    let groups: Vec<i32> = groups.into_iter().map(|group| group.id).collect();
    let counter = std::sync::atomic::AtomicUsize::new(0);
    let fresh = || named(format!("n{}", counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    let change = |db: &WideClient| db.person().update(person::id.eq(&boss));
    let names = || names.iter();
    let group_keys = || groups.iter().map(|id| group::id.eq(*id));
    costs! { tap, db;
        "connect_many by keys of children" = 4 in 4: |db| {
            change(db).with(person::reports.connect_many(names().map(|name| person::name.eq(name))))
        };
        "connect each" = 4 in 4: |db| with_each(change(db), names(), |name| person::reports.connect(person::name.eq(name)));
        "update each" = 4 in 4: |db| {
            with_each(change(db), names(), |name| person::reports.update(person::name.eq(name), [person::secret.to(name)]))
        };
        "upsert each, to what it would be created with" = 4 in 4: |db| {
            with_each(change(db), names(), |name| {
                let row = named(name).set(person::secret.to(name));
                person::reports.upsert(person::name.eq(name), row, [person::secret.to(name)])
            })
        };
        "upsert each, all to the same" = 4 in 4: |db| {
            with_each(change(db), names(), |name| {
                person::reports.upsert(person::name.eq(name), named(name), [person::secret.to("same")])
            })
        };
        "set" = 4 in 4: |db| change(db).with(person::reports.set(names().map(|name| person::name.eq(name))));
        "connect and disconnect each" = 5 in 5: |db| {
            let connected = with_each(change(db), names(), |name| person::reports.connect(person::name.eq(name)));
            with_each(connected, names(), |name| person::reports.disconnect(person::name.eq(name)))
        };
        "connect_or_create and delete each" = 5 in 5: |db| {
            let made = with_each(change(db), ["x", "y", "z"], |name| {
                person::reports.connect_or_create(person::name.eq(name), named(name))
            });
            with_each(made, ["x", "y", "z"], |name| person::reports.delete(person::name.eq(name)))
        };
        "set, many-to-many" = 4 in 4: |db| change(db).with(person::groups.set(group_keys()));
        "update each, many-to-many" = 4 in 4: |db| {
            with_each(change(db), &groups, |id| person::groups.update(group::id.eq(*id), [group::title.to(id.to_string())]))
        };
        "upsert each, many-to-many" = 5 in 5: |db| {
            with_each(change(db), &groups, |id| {
                person::groups.upsert(group::id.eq(*id), titled("new"), [group::title.to(id.to_string())])
            })
        };
        "connect_or_create each, many-to-many" = 5 in 5: |db| {
            with_each(change(db), &groups, |id| person::groups.connect_or_create(group::id.eq(*id), titled("new")))
        };
        "disconnect each, many-to-many" = 4 in 4: |db| {
            with_each(change(db), &groups, |id| person::groups.disconnect(group::id.eq(*id)))
        };
        "create_many, each connected to groups" = 4 in 4: |db| {
            let member = |_| fresh().with(person::groups.connect_many(group_keys()));
            db.person().create_many((0..9).map(member))
        };
        "create_many, each connected to one that may be missing" = 4 in 4: |db| {
            let report = |_| fresh().with(person::manager.connect_or_create(person::name.eq("chief"), named("chief")));
            db.person().create_many((0..9).map(report))
        };
        "a change in a change" = 6 in 6: |db| {
            let inner = person::groups.connect_many(group_keys());
            change(db).with(person::reports.connect(person::name.eq("p0")))
                .with(person::reports.update(person::name.eq("p0"), []).with(inner))
        };
    }
    let first: &Group = &db.group().find_first().or_err().await.expect("is there");
    assert!(groups.contains(&first.id));
}

/// Compound keys are passed as lists of rows, too.
#[tokio::test]
async fn nested_writes_by_compound_keys_are_one_statement() {
    let wide = Wide::new().await;
    let (tap, url) = tapped(wide.url()).await;
    let db: WideClient =
        WideClient::builder(&url).expect("is a URL").max_connections(1).connect().await.expect("connects");
    let ada = db.person().create(named("ada")).await.expect("is created").id;
    for number in 0..3 {
        let comments = note::comments.create(comment::Create { note: Parent, text: "c".to_owned() });
        let row = note::Create { tenant: 1, number, author: ada.clone() };
        db.note().create(row).with(comments).await.expect("is created");
    }
    let change = |db: &WideClient| db.person().update(person::id.eq(&ada));
    let key = |number: i32| note::tenant_number.eq(1, number);
    costs! { tap, db;
        "connect" = 4 in 4: |db| change(db).with(person::reviewed.connect_many((0..3).map(key)));
        "set" = 4 in 4: |db| change(db).with(person::reviewed.set((0..2).map(key)));
        "update each" = 4 in 4: |db| {
            with_each(change(db), 0..3, |number| person::written.update(key(number), [note::body.to(number.to_string())]))
        };
    }
}
