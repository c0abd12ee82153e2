//! A client of `tests/names/schema.dsl`: names that belong to the client or to Rust, or are equal after case
//! conversion; hidden columns; views.
//!
//! `cargo codegen generate --schema tests/names/schema.dsl --out tests/names/generated` generates its files.

use std::collections::BTreeSet;
use std::path::Path;

use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use crate::support::devdb;

#[path = "../names/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

use client::{
    balance, balance_, box_, create, created, default, hub, id, joined, l0, leaf, m_key, option, relata_, result, some,
    transaction, v, vec, w, with,
};

fn schema() -> relata_codegen::ir::Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names/schema.dsl");
    let sources = relata_codegen::build::read_schema(&path).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_client_of_odd_names_is_up_to_date() {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names/generated");
    let stale = relata_codegen::build::stale_files(&folder, &emit(&schema(), &options)).expect("is read");
    assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
}

/// A database with the tables and views of the schema.
async fn database() -> crate::support::Database {
    let database = devdb().create_database("names").expect("a database is made");
    let connection = crate::support::connect(database.url()).await;
    let (empty, next) = (State::default(), lower(&schema()));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    connection.batch_execute(&sql).await.expect("the tables are made");
    let views = r#"CREATE VIEW "V" AS SELECT "id", "at" AS "a" FROM "With"; CREATE VIEW "W" AS SELECT "a" FROM "V""#;
    connection.batch_execute(views).await.expect("the views are made");
    database
}

/// Keys that are enums, and a relation to one row through an optional key.
#[tokio::test]
async fn one_row_replaces_another() {
    let database = database().await;
    let db = client::Client::connect(database.url()).await.expect("connects");
    for (id, mk) in [(1, client::M::M), (2, client::M::Self_)] {
        db.create().create(create::Create_ { id, insert: 2, m: mk, mk }).await.expect("is created");
    }
    let row = |id| with::Create { user1: 1, id, at: "".into(), to: "".into(), row: "".into(), set: 3 };
    db.with()
        .create_many([row(1).set(with::c_id.to(1)), row(2).set(with::c_id.to(2)), row(3).set(with::set.to(3))])
        .await
        .expect("are created");
    let place = || async {
        let rows = db.with().find_many().order_by(with::id.asc()).select(with::c_id).await.expect("is read");
        <[Option<i32>; 3]>::try_from(rows).expect("three rows")
    };
    db.create().update(create::id.eq(1)).with(create::c.connect(with::id.eq(3))).await.expect("is connected");
    assert_eq!(place().await, [None, Some(2), Some(1)], "the one before makes room");
    db.create().update(create::id.eq(2)).with(create::c.connect(with::id.eq(3))).await.expect("is connected");
    assert_eq!(place().await, [None, None, Some(2)]);
    db.create()
        .update(create::mk.eq(client::M::M))
        .with(create::c.connect_or_create(with::id.eq(1), row(1)))
        .await
        .expect("is connected");
    assert_eq!(place().await, [Some(1), None, Some(2)]);
    let links =
        create::link.create_many([client::M::M, client::M::Self_].map(|k| m_key::Create { link: relata::Parent, k }));
    db.create().update(create::id.eq(1)).with(links).await.expect("are created");
    let moved = create::link.connect_many([client::M::M, client::M::Self_].map(|k| m_key::k.eq(k)));
    db.create().update(create::id.eq(2)).with(moved).await.expect("are connected");
    assert_eq!(db.m_key().count().filter(m_key::link_id.eq(2)).await.expect("counts"), 2);
}

#[tokio::test]
async fn models_with_the_names_of_the_client_work() {
    let database = database().await;
    let db = client::Client::connect(database.url()).await.expect("connects");
    let related = create::Create_ { id: 1, insert: 2, m: client::M::Self_, mk: client::M::M };
    db.create().create(related).await.expect("is created");
    let row = with::Create { user1: 1, id: 1, at: "at".to_owned(), to: "to".to_owned(), row: "row".to_owned(), set: 3 };
    db.with().create(row.set(with::c_id.to(1))).await.expect("is created");
    let found = db
        .with()
        .find_unique(with::c_id.eq(1))
        .include(with::user1)
        .include(with::user_1)
        .include(with::with)
        .await
        .expect("is found");
    let found = found.expect("is there");
    assert_eq!(
        (found.user1.mk, found.user_1.as_ref(), found.with.as_ref().map(|with| with.m)),
        (client::M::M, None, Some(client::M::Self_))
    );
    assert_eq!((found.at.as_str(), found.set), ("at", 3));

    db.transaction_().create(transaction::Create { id: 7 }).await.expect("is created");
    let calls = (db.advisory_lock_().count(), db.explain_().count(), db.listen_().count(), db.notify_().count());
    assert_eq!(db.batch(calls).await.expect("are read"), (0, 0, 0, 0));
    assert_eq!(db.transaction_().find_unique(transaction::id.eq(7)).await.expect("is read").map(|row| row.id), Some(7));
    assert_eq!(db.l0().find_many().filter(l0::s_id.eq(1)).await.expect("is read"), []);
    assert_eq!(db.all_hidden().find_many().await.expect("is read"), []);

    let option = option::Create { id: 1 };
    let words = option::r#async.to(vec![client::Prelude::Some, client::Prelude::Self_]);
    let row = db.option().create(option).set(option::self_.to(1)).set(words).await.expect("is created");
    assert_eq!((row.r#type.as_str(), row.r#dyn, row.r#async[0]), ("x", client::Prelude::None, client::Prelude::Some));
    db.result().create(result::Create { id: 5, option: 1, r#try: 7 }).await.expect("is created");
    db.vec().create(vec::Create { len: 3, push: "p".to_owned() }).await.expect("is created");
    db.result().update(result::r#try.eq(7)).with(result::vec.connect(vec::len.eq(3))).await.expect("is connected");
    let found = db.option().find_unique(option::id.eq(1)).include(option::none).include(option::result).await;
    let found = found.expect("is read").expect("is there");
    assert_eq!((found.none.as_ref().map(|it| it.id), found.result[0].r#try), (Some(1), 7));
    db.box_().create(box_::Create { result: 5 }).await.expect("is created");
    db.some().create(some::Create { ok: 5, err: "e".to_owned() }).await.expect("is created");
    let some = db.some().find_unique(some::none.eq(5)).include(some::ok.include(box_::result)).await;
    assert_eq!(some.expect("is read").expect("is there").ok.result.ok, 1);
    db.default().create(default::Create { id: 1 }).await.expect("is created");
    assert_eq!(db.id().count().filter(id::id.eq(1)).await.expect("is read"), 0);

    assert_eq!(db.v().find_unique(v::id.eq(1)).await.expect("is read").map(|row| row.a).as_deref(), Some("at"));
    assert_eq!(db.w().count().filter(w::a.eq("at")).await.expect("is read"), 1);
}

/// A struct that selects from a model with a second name, and from one with the name of a type of the client.
#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = client::Balance_)]
struct Both {
    balance: i32,
    balance_: i32,
    created_at__: Option<String>,
}

#[derive(Debug, PartialEq, relata::Selectable)]
#[relata(from = client::Client_)]
struct OnlyId {
    id: i32,
}

/// The names that the schema says, in Rust and in the database.
#[tokio::test]
async fn names_that_are_one_in_rust_have_second_names() {
    let database = database().await;
    let db = client::Client::connect(database.url()).await.expect("connects");
    for id in [1, 2] {
        db.balance().create(balance::Create { id }).await.expect("is created");
    }
    let row = balance_::Create {
        id: 1,
        balance: 2,
        balance_: 3,
        created_at: "snake".to_owned(),
        created_at_: "camel".to_owned(),
        to__: 4,
        at__: 5,
        row: 1,
        row__: 2,
        a_b: 6,
        a: 7,
        b: 8,
        x_y: 9,
        z: 10,
        x: 11,
        y_z: 12,
        mail: relata::Postgres("a@b.c".to_owned()),
        of: client::Currency_::EUR,
    };
    let kinds = balance_::kinds.to(vec![client::Currency::A1b, client::Currency::A1b_]);
    let row = db.balance_().create(row.set(balance_::created_at__.to("Pascal")).set(kinds)).await.expect("is created");
    assert_eq!((row.balance, row.balance_, row.at, row.at__), (2, 3, 2, 5));
    let sql = r#"SELECT "balance", "Balance", "created_at", "createdAt", "CreatedAt", "email" FROM "balance""#;
    let stored = db.query_raw::<(i32, i32, String, String, String, String)>(sql, relata::params![]).await;
    let text = |text: &str| text.to_owned();
    let expected = (2, 3, text("snake"), text("camel"), text("Pascal"), text("a@b.c"));
    assert_eq!(stored.expect("is read"), [expected]);

    for key in [balance_::a_b_key.eq(7, 8), balance_::x_y_z.eq(11, 12), balance_::x_y_z_.eq(9, 10)] {
        let found = db.balance_().find_unique(key).include(balance_::row).include(balance_::row__).await;
        let found = found.expect("is read").expect("is there");
        assert_eq!(
            (found.row.id, found.row__.as_ref().map(|it| it.id), found.of),
            (1, Some(2), client::Currency_::EUR)
        );
        assert_eq!(found.kinds, [client::Currency::A1b, client::Currency::A1b_]);
    }
    let both = db.balance_().find_unique(balance_::created_at_.eq("camel")).select_as::<Both>().await;
    let expected = Both { balance: 2, balance_: 3, created_at__: Some("Pascal".to_owned()) };
    assert_eq!(both.expect("is read"), Some(expected));

    db.client().create(client::client::Create { id: 3 }).await.expect("is created");
    assert_eq!(db.client().find_many().select_as::<OnlyId>().await.expect("is read"), [OnlyId { id: 3 }]);
    db.account().create(client::account::Create { id: 4 }).await.expect("is created");
    let accounts: Vec<client::Account> = db.account().find_many().await.expect("is read");
    assert_eq!(accounts[0].id, 4);
    db.transaction__().create(client::transaction_::Create { id: 5 }).await.expect("is created");
    assert_eq!(db.transaction_().count().await.expect("is read"), 0);
    assert_eq!((db.a1b().count().await.expect("is read"), db.a1b_().count().await.expect("is read")), (0, 0));
    let transaction: client::Transaction = db.begin().await.expect("begins");
    transaction.rollback().await.expect("ends");
}

/// Relations whose type parameters would hide the structs `With` and `Create`, and a model with the name of the crate.
#[tokio::test]
async fn relations_have_the_names_of_structs() {
    let database = database().await;
    let db = client::Client::connect(database.url()).await.expect("connects");
    let row: created::Create = created::Create { id: 1, create: 2 };
    let inside = created::Create { id: 3, create: relata::Parent };
    db.joined().create(joined::Create { id: 2 }.with(joined::with.create(inside))).await.expect("is created");
    db.created().create(row.set(created::named_id.to(2))).await.expect("is created");
    type Found = relata::WithAll<(joined::WithWith<created::WithCreate>, joined::WithWithJoined)>;
    let query = db.joined().find_unique(joined::id.eq(2)).include(joined::with.include(created::create));
    let found: Found = query.include(joined::with_joined).or_err().await.expect("is read");
    let ids: BTreeSet<i32> = found.with.iter().map(|created| created.id + created.create.id).collect();
    assert_eq!((ids, found.with_joined[0].id), (BTreeSet::from([3, 5]), 1));
    let related: client::Relata = db.relata_().create(relata_::Create { id: 1 }).await.expect("is created");
    assert_eq!(related.id, 1);
}

/// Slots of the first list and of the next one: what was included, in any order.
#[tokio::test]
async fn more_relations_than_the_first_slots() {
    type Found = relata::WithAll<(hub::WithLeaf17, hub::WithLeaf3<leaf::WithHub16>, hub::WithLeaf16)>;
    let ids = |leaves: &[client::Leaf]| leaves.iter().map(|leaf| leaf.id).collect::<BTreeSet<_>>();
    let database = database().await;
    let db = client::Client::connect(database.url()).await.expect("connects");
    db.hub().create(hub::Create { id: 1 }).await.expect("is created");
    let row = |id| leaf::Create { id };
    let rows = [row(3).set(leaf::h3.to(1)), row(16).set(leaf::h16.to(1)), row(17).set(leaf::h17.to(1))];
    db.leaf().create_many(rows).await.expect("are created");
    db.leaf().update(leaf::id.eq(3)).set(leaf::h16.to(1)).await.expect("is updated");
    let query = db.hub().find_unique(hub::id.eq(1)).include(hub::leaf16).include(hub::leaf17);
    let query = query.include(hub::leaf3.include(leaf::hub16)).or_err();
    let found: Found = query.await.expect("is read");
    assert_eq!((ids(&found.leaf17), ids(&found.leaf16)), (BTreeSet::from([17]), BTreeSet::from([3, 16])));
    assert_eq!(found.leaf3[0].hub16.as_ref().map(|hub| hub.id), Some(1));
    let found: relata::NotIncluded = found.leaf0;
    assert_eq!(found, relata::NotIncluded);
}
