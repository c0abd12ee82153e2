//! Writes to the other side of relations, with the foreign key on either side or in a join table.

use relata::{Error, Lookup, Parent};

use crate::support::wiretap::Wiretap;
use crate::wide::Fixture;
use crate::wide::client::{comment, group, note, person};

fn named(name: &str) -> person::Create {
    person::Create { name: name.to_owned() }
}

async fn names(fixture: &Fixture, filter: relata::Filter<crate::wide::client::Person>) -> Vec<String> {
    let rows = fixture.db.person().find_many().filter(filter).order_by(person::name.asc()).select(person::name);
    rows.await.expect("is read")
}

#[tokio::test]
async fn a_manager_is_connected_changed_and_disconnected() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    db.person().create(named("boss")).await.expect("is created");
    let worker = db
        .person()
        .create(named("worker"))
        .with(person::manager.connect(person::name.eq("boss")))
        .await
        .expect("is created");
    let key = || person::id.eq(worker.id.as_str());
    let managed_by = |name: &str| person::manager.is(person::name.eq(name));
    assert_eq!(names(&fixture, managed_by("boss")).await, ["worker"]);

    db.person().update(key()).with(person::manager.update([person::name.to("chief")])).await.expect("is changed");
    assert_eq!(names(&fixture, managed_by("chief")).await, ["worker"]);

    let left = db.person().update(key()).with(person::manager.disconnect()).await.expect("is disconnected");
    assert_eq!(left.manager_id, None);
    let nobody = db.person().update(key()).with(person::manager.update([person::name.to("x")])).await;
    assert!(matches!(nobody, Err(Error::NotFound { model: "Person", operation: Lookup::Update, .. })), "{nobody:?}");

    for _ in 0..2 {
        let upsert = person::manager.upsert(named("new"), [person::name.to("newer")]);
        db.person().update(key()).with(upsert).await.expect("is created, then changed");
    }
    assert_eq!(names(&fixture, managed_by("newer")).await, ["worker"]);
    let upsert = person::manager.connect_or_create(person::name.eq("chief"), named("chief"));
    db.person().update(key()).set(person::name.to("worker 2")).with(upsert).await.expect("is connected");
    assert_eq!(names(&fixture, managed_by("chief")).await, ["worker 2"]);
    db.person().update(key()).with(person::manager.delete()).await.expect("is deleted");
    assert_eq!(names(&fixture, relata::Filter::all([])).await, ["newer", "worker 2"]);

    let missing = db.person().create(named("x")).with(person::manager.connect(person::name.eq("nobody"))).await;
    assert!(
        matches!(missing, Err(Error::NotFound { model: "Person", operation: Lookup::Connect, relation: Some(_) })),
        "{missing:?}"
    );
    assert_eq!(names(&fixture, person::name.eq("x").into()).await, Vec::<String>::new());
}

#[tokio::test]
async fn reports_are_connected_set_and_released() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let people = ["a", "b", "c"].map(named);
    db.person().create_many(people).await.expect("are created");
    let keys = |names: &[&str]| names.iter().map(|name| person::name.eq(*name)).collect::<Vec<_>>();
    let boss = db
        .person()
        .create(named("boss"))
        .with(person::reports.connect_many(keys(&["a", "b"])))
        .await
        .expect("is created");
    let key = || person::id.eq(boss.id.as_str());
    let reports = || names(&fixture, person::manager.is(person::name.eq("boss")));
    assert_eq!(reports().await, ["a", "b"]);
    db.person().update(key()).with(person::reports.set(keys(&["b", "c"]))).await.expect("are set");
    assert_eq!(reports().await, ["b", "c"]);
    db.person().update(key()).with(person::reports.disconnect(person::name.eq("b"))).await.expect("is released");
    assert_eq!(reports().await, ["c"]);
    let not_hers = db.person().update(key()).with(person::reports.disconnect(person::name.eq("a"))).await;
    assert!(matches!(not_hers, Err(Error::NotFound { operation: Lookup::Disconnect, .. })), "{not_hers:?}");
    let missing = db.person().update(key()).with(person::reports.connect_many(keys(&["a", "nobody"]))).await;
    assert!(matches!(missing, Err(Error::NotFound { operation: Lookup::Connect, .. })), "{missing:?}");
    assert_eq!(reports().await, ["c"], "nothing is connected if one is missing");
    db.person()
        .update(key())
        .with(person::reports.connect_or_create(person::name.eq("a"), named("a")))
        .with(person::reports.connect_or_create(person::name.eq("d"), named("d")))
        .with(person::reports.update(person::name.eq("c"), [person::name.to("C")]))
        .with(person::reports.delete_many(person::name.eq("nobody")))
        .await
        .expect("are connected");
    assert_eq!(reports().await, ["C", "a", "d"]);
    db.person().update(key()).with(person::reports.delete(person::name.eq("d"))).await.expect("is deleted");
    assert_eq!(names(&fixture, relata::Filter::all([])).await, ["C", "a", "b", "boss"]);
}

#[tokio::test]
async fn groups_are_joined_and_left() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let titles = ["chess", "go", "tennis"].map(|title| group::Create { title: title.to_owned() });
    let groups = db.group().create_many_and_return(titles).await.expect("are created");
    let [chess, go, tennis] = groups.as_slice() else { panic!("three groups") };
    assert_eq!([&chess.title, &go.title, &tennis.title], ["chess", "go", "tennis"]);
    let player = db
        .person()
        .create(named("player"))
        .with(person::groups.connect_many([group::id.eq(chess.id), group::id.eq(go.id)]))
        .await
        .expect("is created");
    let key = || person::id.eq(player.id.as_str());
    let joined = || async {
        let member = group::members.some(person::name.eq("player"));
        let rows = db.group().find_many().filter(member).order_by(group::title.asc()).select(group::title);
        rows.await.expect("is read")
    };
    assert_eq!(joined().await, ["chess", "go"]);
    db.person()
        .update(key())
        .with(person::groups.set([group::id.eq(go.id), group::id.eq(tennis.id)]))
        .with(person::groups.update(group::id.eq(go.id), [group::title.to("go!")]))
        .with(person::groups.create(group::Create { title: "bridge".to_owned() }))
        .await
        .expect("are set");
    assert_eq!(joined().await, ["bridge", "go!", "tennis"]);
    let not_joined = person::groups.update(group::id.eq(chess.id), [group::title.to("x")]);
    let refused = db.person().update(key()).with(not_joined).await;
    assert!(matches!(refused, Err(Error::NotFound { model: "Group", operation: Lookup::Update, .. })), "{refused:?}");
    db.person()
        .update(key())
        .with(person::groups.disconnect(group::id.eq(tennis.id)))
        .with(person::groups.delete_many(group::title.eq("bridge")))
        .with(person::groups.update_many(group::id.gt(0), [group::title.to("the only one")]))
        .await
        .expect("are left");
    assert_eq!(joined().await, ["the only one"]);
    let all = db.group().find_many().order_by(group::title.asc()).select(group::title).await.expect("is read");
    assert_eq!(all, ["chess", "tennis", "the only one"]);
    db.person().update(key()).with(person::groups.set(Vec::<relata::Unique<_>>::new())).await.expect("are all left");
    assert!(joined().await.is_empty());
}

#[tokio::test]
async fn comments_of_a_note_are_written_together_with_it() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let author = db.person().create(named("author")).await.expect("is created");
    let text = |text: &str| comment::Create { note: Parent, text: text.to_owned() };
    db.note()
        .create(note::Create { tenant: 1, number: 1, author: author.id.as_str() })
        .with(note::comments.create_many([text("a"), text("b")]))
        .await
        .expect("is created");
    let ids = db.comment().find_many().order_by(comment::id.asc()).select(comment::id).await.expect("is read");
    let key = || note::tenant_number.eq(1, 1);
    db.note()
        .update(key())
        .set(note::body.to("changed"))
        .with(note::comments.create(text("c")))
        .with(note::comments.update_many(comment::text.ne("b"), [comment::likes.increment(2)]))
        .with(note::comments.upsert(comment::id.eq(ids[1]), text("b"), [comment::text.to("B")]))
        .with(note::comments.delete(comment::id.eq(ids[0])))
        .await
        .expect("is changed");
    let rows = db.comment().find_many().order_by(comment::id.asc()).select((comment::text, comment::likes)).await;
    assert_eq!(rows.expect("is read"), [("B".to_owned(), 0), ("c".to_owned(), 2)]);
    let failed =
        db.note().update(key()).set(note::body.to("lost")).with(note::comments.delete(comment::id.eq(ids[0]))).await;
    assert!(matches!(failed, Err(Error::NotFound { model: "Comment", operation: Lookup::Delete, .. })), "{failed:?}");
    let note = db.note().find_unique(key()).or_err().await.expect("is there");
    assert_eq!(note.body, "changed", "the whole update is undone");
    let none = db.note().update(note::tenant_number.eq(9, 9)).with(note::comments.create(text("x"))).await;
    assert!(matches!(none, Err(Error::NotFound { model: "Note", operation: Lookup::Update, .. })), "{none:?}");
}

#[tokio::test]
async fn rows_in_bulk_are_returned_or_omitted() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    db.person().create(named("b")).await.expect("is created");
    let duplicates = || ["a", "b", "c"].map(named);
    let refused = db.person().create_many(duplicates()).await;
    assert!(matches!(refused, Err(Error::UniqueViolation(_))), "{refused:?}");
    assert_eq!(db.person().create_many(duplicates()).skip_duplicates().await.expect("are created"), 2);
    let boss = db.person().find_unique(person::name.eq("b")).or_err().await.expect("is there");
    let mixed = vec![
        named("d").set(person::manager_id.set_null()),
        named("e").set(person::manager_id.to(boss.id.clone())),
        relata::CreateWith::new(named("f")),
    ];
    let rows = db.person().create_many_and_return(mixed).await.expect("are created");
    let found: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.manager_id.is_some())).collect();
    assert_eq!(found, [("d", false), ("e", true), ("f", false)], "in the order in which they were given");
    let changed = db
        .person()
        .update_many()
        .set(person::name.to("E"))
        .filter(person::name.eq("e"))
        .and_return()
        .await
        .expect("are changed");
    assert_eq!(changed.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["E"]);
}

#[tokio::test]
async fn a_tree_of_one_table_is_written_and_read_to_any_depth() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let chain = named("a").with(
        person::reports
            .create(named("b").with(person::reports.create(named("c").with(person::reports.create(named("d")))))),
    );
    let top = db.person().create_many([chain]).await.expect("are created");
    assert_eq!(top, 1);
    let sql = "WITH RECURSIVE tree AS (SELECT id, name, 0 AS depth FROM \"Person\" WHERE manager_id IS NULL \
        UNION ALL SELECT p.id, p.name, depth + 1 FROM \"Person\" p JOIN tree ON p.manager_id = tree.id) \
        SELECT string_agg(name, '' ORDER BY depth) FROM tree";
    assert_eq!(fixture.sql(sql).await[0].get::<_, String>(0), "abcd");
    let down = db
        .person()
        .find_many()
        .filter(person::manager.is_none())
        .include(person::reports.include(person::reports.include(person::reports)))
        .await
        .expect("is read");
    let [a] = down.as_slice() else { panic!("one has no manager") };
    let (b, c) = (&a.reports[0], &a.reports[0].reports[0]);
    assert_eq!([&a.name, &b.name, &c.name, &c.reports[0].name], ["a", "b", "c", "d"]);
    let up = db
        .person()
        .find_unique(person::name.eq("d"))
        .include(person::manager.include(person::manager.include(person::manager)))
        .or_err()
        .await
        .expect("is read");
    let c = up.manager.as_ref().expect("has one");
    let b = c.manager.as_ref().expect("has one");
    assert_eq!([&c.name, &b.name, &b.manager.as_ref().expect("has one").name], ["c", "b", "a"]);
    let below_a = person::manager.is(person::manager.is(person::manager.is(person::name.eq("a"))));
    assert_eq!(names(&fixture, below_a).await, ["d"]);
    let above_d = person::reports.some(person::reports.some(person::reports.every(person::name.eq("d"))));
    assert_eq!(names(&fixture, above_d).await, ["a", "b"], "of none, every one is called d");
}

/// The statements of a nested write: BEGIN, one that locks the row, one or two more, and COMMIT. A change of a foreign
/// key is part of the row's own update.
#[tokio::test]
async fn nested_writes_take_a_statement_or_two_each() {
    if crate::support::devdb().skips_behind_pooler(&[crate::support::Need::Named]) {
        return;
    }
    let fixture = Fixture::new().await;
    fixture.db.person().create_many(["boss", "a", "b", "c", "d"].map(named)).await.expect("are created");
    let titles = ["x", "y", "z"].map(|title| group::Create { title: title.to_owned() });
    let groups = fixture.db.group().create_many_and_return(titles.clone()).await.expect("are created");
    let (url, tap) = Wiretap::before(fixture.url()).await;
    let db = crate::wide::client::Client::builder(&url).expect("is a URL").max_connections(1).connect().await;
    let db = db.expect("connects");
    let key = || person::name.eq("boss");
    let people = |names: &[&str]| names.iter().map(|name| person::name.eq(*name)).collect::<Vec<_>>();
    let of = |groups: &[group::Group]| groups.iter().map(|row| group::id.eq(row.id)).collect::<Vec<_>>();
    let shapes: Vec<(&str, relata::NestedChange<_>, usize)> = vec![
        ("connect", person::reports.connect_many(people(&["a", "b"])).into(), 4),
        ("set", person::reports.set(people(&["b", "c"])), 4),
        ("disconnect", person::reports.disconnect(person::name.eq("c")), 4),
        ("create_many", person::reports.create_many(["e", "f"].map(named)).into(), 4),
        ("connect_or_create", person::reports.connect_or_create(person::name.eq("g"), named("g")).into(), 4),
        ("update", person::reports.update(person::name.eq("g"), [person::name.to("h")]).into(), 4),
        ("update_many", person::reports.update_many(person::name.eq("h"), [person::name.to("i")]), 4),
        ("upsert", person::reports.upsert(person::name.eq("j"), named("j"), [person::name.to("k")]), 4),
        ("delete", person::reports.delete(person::name.eq("i")), 4),
        ("delete_many", person::reports.delete_many(person::name.eq("j")), 4),
        ("create many to many", person::groups.create_many(titles).into(), 5),
        ("connect many to many", person::groups.connect_many(of(&groups[..2])).into(), 4),
        ("set many to many", person::groups.set(of(&groups[1..])), 4),
        ("disconnect many to many", person::groups.disconnect(group::id.eq(groups[1].id)), 4),
        ("create the one", person::manager.create(named("chief")).into(), 5),
        ("update the one", person::manager.update([person::name.to("ceo")]).into(), 4),
        ("disconnect the one", person::manager.disconnect(), 1),
        ("connect the one", person::manager.connect(person::name.eq("ceo")).into(), 1),
        ("delete the one", person::manager.delete(), 5),
    ];
    for (shape, change, statements) in shapes {
        tap.take();
        db.person().update(key()).with(change).await.expect(shape);
        assert_eq!(tap.take().statements, statements, "{shape}");
    }
    assert_eq!(names(&fixture, person::manager.is(key())).await, ["b", "e", "f"]);
    let joined = db.group().count().filter(group::members.some(key())).await.expect("counts");
    assert_eq!(joined, 1, "the new groups were left by `set`, and one of the others by `disconnect`");
}
