//! A client of `tests/constructs/schema.dsl`: several PostgreSQL schemas, views with relations, ignored and unsupported
//! fields, partial and expression indexes, checks, and composite keys on both sides of relations.
//!
//! `cargo codegen generate --schema tests/constructs/schema.dsl --out tests/constructs/generated` generates its files.

use std::path::Path;

use relata::Error;
use relata::migrate::{self, Ahead, Every, Options, PartitionError, create_partitions, missing_partitions};
use relata::rust_decimal::Decimal;
use relata::serde_json::json;
use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use crate::support::{Database, Need, connect, devdb, plain_sql};

#[path = "../constructs/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use client::{
    Client, LevelName, Status, area, club, contact, customer, depot, habit, level, line, measurement, membership, note,
    order, parcel, product, rack, shift, tag, turnover,
};

fn schema() -> relata_codegen::ir::Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/constructs/schema.dsl");
    let sources = relata_codegen::build::read_schema(&path).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_constructs_client_is_up_to_date() {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/constructs/generated");
    let stale = relata_codegen::build::stale_files(&folder, &emit(&schema(), &options)).expect("is read");
    assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
}

const VIEW: &str = r#"
    CREATE VIEW shop."Turnover" AS SELECT "customerId", sum(total) AS total FROM shop."Order" GROUP BY "customerId""#;

/// What the schema only names.
const DOMAINS: &str = "CREATE SCHEMA shop; CREATE DOMAIN shop.contact_id AS int CHECK (VALUE > 0);
    CREATE DOMAIN shop.email AS text CONSTRAINT email_is_one CHECK (VALUE LIKE '%@%'); CREATE DOMAIN nick AS varchar(20);
    CREATE DOMAIN shop.rating AS numeric(5, 2) CHECK (VALUE >= 0); CREATE DOMAIN shop.moment AS timestamptz(3);
    CREATE DOMAIN shop.token AS uuid; CREATE DOMAIN shop.data AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
    CREATE DOMAIN shop.count AS bigint; CREATE DOMAIN shop.visits AS shop.count CHECK (VALUE >= 0);
    CREATE DOMAIN shop.level AS int CHECK (VALUE < 100);";

pub(crate) async fn client() -> (Client, Database) {
    let database = devdb().create_database("constructs").expect("a database is made");
    let connection = connect(database.url()).await;
    connection.batch_execute(DOMAINS).await.expect("the domains are made");
    let (empty, next) = (State::default(), lower(&schema()));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    connection.batch_execute(&sql).await.expect("the tables are made");
    connection.batch_execute(VIEW).await.expect("the view is made");
    (Client::connect(database.url()).await.expect("connects"), database)
}

async fn customer_of(db: &Client, email: &str) -> customer::Customer {
    db.customer().create(customer::Create { email: email.to_owned() }).await.expect("is created")
}

#[tokio::test]
async fn tables_and_enums_are_in_their_schemas() {
    let (db, database) = client().await;
    let one = customer_of(&db, "one@example.org").await;
    assert_eq!((one.wants.as_slice(), one.notes.as_slice()), ([Status::Open, Status::Paid].as_slice(), [].as_slice()));
    let sets = (customer::wants.to(vec![Status::Paid]), customer::notes.to(vec![json!({"a": 1}), json!([2])]));
    db.customer().update(customer::id.eq(one.id)).set(sets.0).set(sets.1).await.expect("is updated");
    let paid = db.customer().find_many().filter(customer::wants.has(Status::Paid)).await.expect("is read");
    assert_eq!(paid[0].notes, [json!({"a": 1}), json!([2])]);
    assert!(db.customer().find_many().filter(customer::wants.has(Status::Open)).await.expect("is read").is_empty());
    let rows = plain_sql(database.url(), "SELECT wants::text, notes::text, logins FROM shop.customers").await;
    assert_eq!(rows[0].get::<_, String>(0), "{paid}");
    assert_eq!(rows[0].get::<_, i32>(2), 0, "an ignored column keeps its default");
}

#[tokio::test]
async fn composite_keys_are_found_and_referenced_by_optional_columns() {
    let (db, _database) = client().await;
    let one = customer_of(&db, "one@example.org").await;
    let first = order::Create { customer: one.id, number: 1 };
    db.order().create(first).set(order::total.to(Decimal::new(1050, 2))).await.expect("is created");
    let second = order::Create { customer: one.id, number: 2 };
    db.order().create(second).set(order::status.to(Status::Paid)).await.expect("is created");
    let text = line::Create { text: "a book".to_owned() };
    let of = [line::order_customer.to(one.id), line::order_number.to(2)];
    let [customer_id, number] = of;
    let line = db.line().create(text).set(customer_id).set(number).await.expect("is created");
    db.line().create(line::Create { text: "loose".to_owned() }).await.expect("is created");

    let found = db.order().find_unique(order::numbered.eq(Status::Paid, 2)).include(order::lines).await;
    let found = found.expect("is read").expect("is there");
    assert_eq!(found.lines.iter().map(|line| line.id).collect::<Vec<_>>(), [line.id]);
    let lines = db.line().find_many().order_by(line::id.asc()).include(line::order).await.expect("is read");
    assert_eq!(lines.iter().map(|line| line.order.as_ref().map(|it| it.number)).collect::<Vec<_>>(), [Some(2), None]);
    let loose = db.line().find_many().filter(line::order.is_none()).await.expect("is read");
    assert_eq!(loose[0].text, "loose");

    db.order().delete(order::customer_id_number.eq(one.id, 2)).await.expect("is deleted");
    let line = db.line().find_unique(line::id.eq(line.id)).await.expect("is read").expect("stays");
    assert_eq!((line.order_customer, line.order_number), (None, None));
}

#[tokio::test]
async fn a_view_is_read_through_relations() {
    let (db, _database) = client().await;
    let (one, two) = (customer_of(&db, "one@example.org").await, customer_of(&db, "two@example.org").await);
    for number in 1..=2 {
        let row = order::Create { customer: one.id, number };
        db.order().create(row).set(order::total.to(Decimal::from(number * 10))).await.expect("is created");
    }
    let all =
        db.customer().find_many().order_by(customer::id.asc()).include(customer::turnover).await.expect("is read");
    let totals: Vec<_> = all.iter().map(|it| it.turnover.as_ref().map(|of| of.total)).collect();
    assert_eq!(totals, [Some(Decimal::from(30)), None]);
    let view = db.turnover().find_unique(turnover::customer_id.eq(one.id)).include(turnover::customer).await;
    assert_eq!(view.expect("is read").expect("is there").customer.email, "one@example.org");
    assert_eq!(db.turnover().count().filter(turnover::customer_id.eq(two.id)).await.expect("is read"), 0);
    let rich = customer::turnover.is(turnover::total.gt(Decimal::from(20)));
    assert_eq!(db.customer().find_many().filter(rich).await.expect("is read")[0].id, one.id);
}

#[tokio::test]
async fn both_halves_of_a_key_are_relations() {
    let (db, _database) = client().await;
    let one = customer_of(&db, "one@example.org").await;
    db.level().create(level::Create { name: LevelName::Gold }).await.expect("is created");
    let club = db.club().create(club::Create { name: "chess".to_owned() }).await.expect("is created");
    let row = membership::Create { customer: one.id, club: club.id };
    db.membership().create(row).set(membership::level.to(LevelName::Gold)).await.expect("is created");
    let key = membership::customer_id_club_id.eq(one.id, club.id);
    let found = db.membership().find_unique(key).include(membership::rank).include(membership::club).await;
    let found = found.expect("is read").expect("is there");
    assert_eq!((found.rank.as_ref().map(|it| it.name), found.club.name.as_str()), (Some(LevelName::Gold), "chess"));
    let gold = db.level().find_unique(level::name.eq(LevelName::Gold)).include(level::members).await;
    assert_eq!(gold.expect("is read").expect("is there").members.len(), 1);

    // The keys of the join table between tag and club have two types. The table is in the schema of the first.
    db.tag().create(tag::Create { name: "quiet".to_owned() }).await.expect("is created");
    let add = club::tags.connect(tag::name.eq("quiet"));
    db.club().update(club::id.eq(club.id)).with(add).await.expect("is connected");
    let quiet = db.club().find_many().filter(club::tags.some(tag::name.eq("quiet"))).include(club::tags).await;
    assert_eq!(quiet.expect("is read")[0].tags[0].name, "quiet");
}

#[tokio::test]
async fn indexes_and_checks_that_are_not_keys_have_constants() {
    let (db, _database) = client().await;
    customer_of(&db, "One@example.org").await;
    match db.customer().create(customer::Create { email: "ONE@EXAMPLE.ORG".to_owned() }).await {
        Err(Error::UniqueViolation(violation)) => {
            assert_eq!(violation.constraint, customer::LOWER_EMAIL_KEY);
            assert_eq!((violation.model, violation.columns.as_slice()), ("Customer", [].as_slice()));
        }
        other => panic!("{other:?}"),
    }
    match db.customer().create(customer::Create { email: "x".to_owned() }).await {
        Err(Error::CheckViolation(violation)) => assert_eq!(violation.constraint, customer::EMAIL_IS_LONG),
        other => panic!("{other:?}"),
    }
    // A nick is available again after its owner was deleted.
    let with_nick = |email: &str| customer::Create { email: email.to_owned() };
    let nick = || customer::nick.to("ace");
    let two = db.customer().create(with_nick("two@example.org")).set(nick()).await.expect("is created");
    match db.customer().create(with_nick("three@example.org")).set(nick()).await {
        Err(Error::UniqueViolation(violation)) => assert_eq!(violation.constraint, customer::NICK_KEY),
        other => panic!("{other:?}"),
    }
    let gone = customer::gone_at.to(relata::chrono::Utc::now());
    db.customer().update(customer::id.eq(two.id)).set(gone).await.expect("is updated");
    db.customer().create(with_nick("three@example.org")).set(nick()).await.expect("is created");
    assert_eq!(db.customer().find_many().filter(customer::nick.eq("ace")).await.expect("is read").len(), 2);
}

#[tokio::test]
async fn a_model_with_an_ignored_required_column_allows_everything_but_create() {
    let (db, database) = client().await;
    let sql = r#"INSERT INTO "Area" VALUES (1, 'north', '((0,0),(1,1),(1,0))') RETURNING id"#;
    plain_sql(database.url(), sql).await;
    db.area().update(area::id.eq(1)).set(area::name.to("south")).await.expect("is updated");
    assert_eq!(db.area().find_many().filter(area::name.eq("south")).await.expect("is read").len(), 1);
    db.area().delete(area::id.eq(1)).await.expect("is deleted");
    assert_eq!(db.area().count().await.expect("is read"), 0);
}

/// A program reads generated columns, filters and sorts by them, and never writes them: they are not in `Create`, and
/// their constants have no `to`.
#[tokio::test]
async fn generated_columns_are_read() {
    let (db, _database) = client().await;
    let create = |name: &str, price| product::Create { name: name.to_owned(), price, tax: 2 };
    let ball = db.product().create(create("Red Ball", 10)).await.expect("is created");
    let words = vec!["Red".to_owned(), "Ball".to_owned()];
    assert_eq!((ball.gross, ball.slug.as_str(), ball.half, &ball.words), (12, "red ball", Some(5), &words));
    let added = db.product().create_many([create("Kite", 0), create("Top", 3)]).await.expect("are created");
    assert_eq!(added, 2);

    let by_slug = db.product().find_unique(product::slug.eq("kite")).await.expect("is read").expect("is there");
    assert_eq!((by_slug.gross, by_slug.half), (2, None));
    let large = db
        .product()
        .find_many()
        .filter(product::gross.gt(2) & product::half.is_not_null() & !product::words.has("Top"))
        .order_by(product::gross.desc())
        .select((product::slug, product::words))
        .await
        .expect("are read");
    assert_eq!(large, [("red ball".to_owned(), words)]);
    let total = db.product().aggregate(product::gross.sum()).await.expect("is read");
    assert_eq!(total, 12 + 2 + 5);

    let updated = db
        .product()
        .update(product::slug.eq("red ball"))
        .set(product::price.increment(1))
        .set(product::name.to("Blue Ball"))
        .await
        .expect("is updated");
    assert_eq!((updated.gross, updated.slug.as_str()), (13, "blue ball"));
    let upserted = db.product().upsert(product::slug.eq("top"), create("Top", 9)).set(product::price.to(4)).await;
    let Err(Error::Misuse(reason)) = upserted else { panic!("{upserted:?}") };
    assert!(reason.contains("cannot create a row with this slug"), "{reason}");
    let conflict = db.product().create(create("KITE", 1)).await;
    assert!(matches!(conflict, Err(Error::UniqueViolation(_))), "{conflict:?}");
}

/// A program does not set what PostgreSQL always counts, and foreign keys of another size than their key lead to its
/// rows: in includes of one and of many rows, limited ones, filters, nested writes and connections.
#[tokio::test]
async fn foreign_keys_reference_integers_of_another_size() {
    let (db, database) = client().await;
    let depot = |code| depot::Create { code };
    let north = db.depot().create(depot(1)).await.expect("is created");
    let south = db.depot().create(depot(2)).with(depot::racks.create(rack::Create { position: 1 })).await;
    let south = south.expect("is created with its rack");
    assert_eq!((north.id, south.id), (1, 2));
    let of_north = rack::Create { position: 2 };
    let rack = db.rack().create(of_north).with(rack::depot.connect(depot::code.eq(1))).await.expect("is created");
    assert_eq!((rack.id, rack.depot_id), (110, Some(1)));
    for id in 1..=4 {
        let parcel = parcel::Create { id, depot: id % 2 + 1, rack: 100 + id % 2 * 10 };
        db.parcel().create(parcel).await.expect("is created");
    }
    let depots = db.depot().find_many().order_by(depot::id.asc()).include(depot::racks.include(rack::parcels));
    let depots = depots.include(depot::parcels.order_by(parcel::id.desc()).take(1)).await.expect("is read");
    let read: Vec<_> = depots
        .iter()
        .map(|depot| {
            let racks: Vec<_> = depot.racks.iter().map(|rack| (rack.id, rack.parcels.len())).collect();
            (depot.id, racks, depot.parcels.iter().map(|parcel| parcel.id).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(read, [(1, vec![(110, 2)], vec![4]), (2, vec![(100, 2)], vec![3])]);
    let one = db.depot().find_unique(depot::id.eq(2)).include(depot::parcels).await.expect("is read").expect("exists");
    assert_eq!(one.parcels.iter().map(|parcel| parcel.id).collect::<Vec<_>>(), [1, 3]);
    let parcels =
        db.parcel().find_many().filter(parcel::rack.is(rack::depot.is(depot::id.eq(1_i64)))).include(parcel::depot);
    let parcels = parcels.include(parcel::rack).order_by(parcel::id.asc()).await.expect("is read");
    let read: Vec<_> = parcels.iter().map(|it| (it.id, it.depot.id, it.rack.position)).collect();
    assert_eq!(read, [(1, 2, 2), (3, 2, 2)]);
    // A key that the smaller column cannot hold is an error, and nothing else.
    let connection = connect(database.url()).await;
    let large = "INSERT INTO shop.\"Depot\" (id, code) OVERRIDING SYSTEM VALUE VALUES (5000000000, 9)";
    connection.batch_execute(large).await.expect("is inserted");
    let far = db.depot().find_many().include(depot::racks).order_by(depot::id.desc()).await.expect("is read");
    assert_eq!((far[0].id, far[0].racks.len(), far[1].racks.len()), (5_000_000_000, 0, 1));
    let refused = db.rack().update(rack::id.eq(110)).with(rack::depot.connect(depot::code.eq(9))).await;
    assert!(refused.is_err(), "{refused:?}");
    // Two racks swap their positions: the key is checked at the end.
    let swap = db.transaction(async |tx| {
        tx.rack().update(rack::id.eq(100)).set(rack::position.to(2)).await?;
        tx.rack().update(rack::id.eq(110)).set(rack::position.to(1)).await
    });
    swap.await.expect("is allowed");
}

fn contact_of(email: &str) -> contact::Create {
    contact::Create { email: email.to_owned() }
}

/// Every way to write a row checks the domain, and every condition takes values that the domain would refuse.
#[tokio::test]
async fn columns_with_domains_are_written_and_found() {
    let (db, _database) = client().await;
    let token = relata::uuid::Uuid::new_v4();
    let since = "2026-01-02T03:04:05.678Z".parse::<relata::chrono::DateTime<relata::chrono::Utc>>().expect("a time");
    let ann = db
        .contact()
        .create(contact_of("ann@a.org"))
        .set(contact::others.to(["b@b.org", "c@c.org"]))
        .set(contact::nick.to("Ann"))
        .set(contact::rating.to(Decimal::new(250, 2)))
        .set(contact::since.to(since))
        .set(contact::token.to(token))
        .set(contact::data.to(json!({"a": 1})))
        .set(contact::visits.to(5_000_000_000_i64))
        .set(contact::levels.to([1, 2]))
        .await
        .expect("is created");
    assert_eq!((ann.id, ann.visits, ann.since, ann.token), (1, 5_000_000_000, Some(since), Some(token)));
    assert_eq!(
        (ann.others.as_slice(), ann.levels.as_slice()),
        (["b@b.org".to_owned(), "c@c.org".to_owned()].as_slice(), [1, 2].as_slice())
    );
    let nested = db
        .contact()
        .create(contact_of("bob@b.org"))
        .with(contact::inviter.connect(contact::id.eq(ann.id)))
        .with(contact::invited.create(contact_of("cem@c.org")))
        .include(contact::inviter)
        .include(contact::invited)
        .await
        .expect("is created");
    assert_eq!(nested.inviter.as_ref().map(|it| it.email.as_str()), Some("ann@a.org"));
    assert_eq!(nested.invited[0].email, "cem@c.org");

    let emails = async |filter: relata::Filter<contact::Contact>| {
        let found = db.contact().find_many().filter(filter).order_by(contact::id.asc()).await.expect("is read");
        found.into_iter().map(|it| it.email.split('@').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(emails(contact::email.ne("no mail")).await, ["ann", "bob", "cem"]);
    assert_eq!(emails(contact::email.in_(["no mail", "bob@b.org"])).await, ["bob"]);
    assert_eq!(emails(contact::email.not_in(["no mail", "bob@b.org"])).await, ["ann", "cem"]);
    assert_eq!(emails(contact::email.contains("@c")).await, ["cem"]);
    assert_eq!(emails(contact::email.gt("b") & contact::email.lt("c")).await, ["bob"]);
    assert_eq!(emails(contact::nick.eq("a nick that is longer than twenty letters")).await, none);
    assert_eq!(emails(contact::visits.gte(-1)).await, ["ann", "bob", "cem"]);
    assert_eq!(emails(contact::rating.between(Decimal::from(-1), Decimal::from(3))).await, ["ann"]);
    assert_eq!(emails(contact::since.eq(since) & contact::token.eq(token)).await, ["ann"]);
    assert_eq!(emails(contact::data.path(["a"]).eq(1)).await, ["ann"]);
    assert_eq!(emails(contact::data.ne(json!([]))).await, ["ann"]);
    assert_eq!(emails(contact::others.has("c@c.org")).await, ["ann"]);
    assert_eq!(emails(contact::others.has("no mail")).await, none);
    assert_eq!(emails(contact::others.has_every(["c@c.org", "b@b.org"])).await, ["ann"]);
    assert_eq!(emails(contact::others.has_some(["no mail", "b@b.org"])).await, ["ann"]);
    assert_eq!(emails(contact::others.eq(["b@b.org", "c@c.org"])).await, ["ann"]);
    assert_eq!(emails(contact::others.is_empty()).await, ["bob", "cem"]);
    assert_eq!(emails(contact::levels.has_some([1000, 2])).await, ["ann"]);
    assert_eq!(emails(contact::email.eq_field(contact::email)).await, ["ann", "bob", "cem"]);
    assert_eq!(emails(contact::inviter.is(contact::email.eq("ann@a.org"))).await, ["bob"]);
    assert!(db.contact().find_unique(contact::email.eq("no mail")).await.expect("is read").is_none());
    let found = db.contact().find_unique(contact::id.eq(-1)).await.expect("is read");
    assert!(found.is_none());

    let page = db.contact().find_many().order_by(contact::email.desc()).cursor(contact::email.eq("bob@b.org")).take(2);
    let page: Vec<String> = page.await.expect("is read").into_iter().map(|it| it.email).collect();
    assert_eq!(page, ["bob@b.org", "ann@a.org"]);
    let (low, total) = db.contact().aggregate((contact::email.min(), contact::visits.sum())).await.expect("is read");
    assert_eq!((low.as_deref(), total), (Some("ann@a.org"), 5_000_000_000_i64));
}

#[tokio::test]
async fn columns_with_domains_are_changed_in_bulk_and_copied() {
    let (db, database) = client().await;
    assert_eq!(db.contact().create_many(["a@a", "b@b"].map(contact_of)).await.expect("are created"), 2);
    let rows = ["c@c", "d@d"].map(|email| contact_of(email).set(contact::nick.to("n")).set(contact::visits.to(7_i64)));
    assert_eq!(db.contact().copy_in(rows).await.expect("are copied"), 2);
    let lists =
        ["e@e", "f@f"].map(|email| contact_of(email).set(contact::others.to([email])).set(contact::levels.to([3])));
    assert_eq!(db.contact().copy_in(lists).await.expect("are copied"), 2);
    let lists = ["g@g"].map(|email| contact_of(email).set(contact::others.to([email])));
    assert_eq!(db.contact().create_many(lists).await.expect("are created"), 1);
    let change = db.contact().update_many().filter(contact::id.lte(5)).set(contact::visits.increment(2));
    let change = change.set(contact::others.push("x@x")).set(contact::nick.to("n2"));
    let changed = change.await.expect("are changed");
    assert_eq!(changed, 5);
    let first = db.contact().upsert(contact::email.eq("a@a"), contact_of("a@a")).set(contact::levels.push(9));
    let first = first.await.expect("is changed");
    assert_eq!(
        (first.visits, first.others.as_slice(), first.levels.as_slice()),
        (2, ["x@x".to_owned()].as_slice(), [9].as_slice())
    );
    let third = db.contact().find_unique(contact::email.eq("c@c")).await.expect("is read").expect("is there");
    assert_eq!((third.visits, third.nick.as_deref()), (9, Some("n2")));
    let emails: Vec<(String, relata::List<String>)> = db
        .query_raw(
            "SELECT email, others FROM shop.\"Contact\" WHERE others = ARRAY[$1]::shop.email[] AND email = $1",
            relata::params!["f@f"],
        )
        .await
        .expect("is read");
    assert_eq!((emails[0].0.as_str(), emails[0].1.0.as_slice()), ("f@f", ["f@f".to_owned()].as_slice()));
    let added =
        "INSERT INTO shop.\"Contact\" (email, others, levels, visits, nick, token) VALUES ($1, $2, $3, $4, $5, $6)";
    let params = relata::params![
        "h@h",
        relata::List(vec!["i@i".to_owned()]),
        relata::List(vec![1]),
        3_i64,
        "h",
        relata::uuid::Uuid::nil()
    ];
    assert_eq!(db.execute_raw(added, params.clone()).await.expect("is added"), 1);
    // Statements without names ask for the types of their parameters.
    let unnamed = format!("{}{}pgbouncer=true", database.url(), if database.url().contains('?') { "&" } else { "?" });
    let unnamed = Client::connect(&unnamed).await.expect("connects");
    unnamed.contact().delete(contact::email.eq("h@h")).await.expect("is deleted");
    assert_eq!(unnamed.execute_raw(added, params).await.expect("is added"), 1);
    let rows = ["j@j"].map(|email| contact_of(email).set(contact::others.to([email])).set(contact::visits.to(1_i64)));
    assert_eq!(unnamed.contact().copy_in(rows).await.expect("are copied"), 1);
    assert_eq!(unnamed.contact().count().await.expect("are counted"), 9);
}

#[tokio::test]
async fn a_domain_refuses_a_row_as_a_check_does() {
    let (db, _database) = client().await;
    let refused = |error: relata::Error| match error {
        Error::CheckViolation(violation) => violation.constraint.to_string(),
        other => panic!("unexpected: {other:?}"),
    };
    let email = db.contact().create(contact_of("no mail")).await.expect_err("is refused");
    assert_eq!(refused(email), "email_is_one");
    let list =
        db.contact().create(contact_of("a@a")).set(contact::others.to(["no mail"])).await.expect_err("is refused");
    assert_eq!(refused(list), "email_is_one");
    let copied = db.contact().copy_in([contact_of("no mail")]).await.expect_err("is refused");
    assert_eq!(refused(copied), "email_is_one");
    db.contact().create(contact_of("a@a")).await.expect("is created");
    let changed =
        db.contact().update(contact::email.eq("a@a")).set(contact::visits.to(-1)).await.expect_err("is refused");
    assert_eq!(refused(changed), "visits_check");
}

#[tokio::test]
async fn a_row_that_another_one_excludes_is_refused_by_name() {
    if devdb().skips_behind_pooler(&[Need::Deferred]) {
        return;
    }
    let (db, _database) = client().await;
    let shift = |person, starts, ends| shift::Create { person, starts, ends };
    db.shift().create(shift(1, 8, 12)).await.expect("is created");
    db.shift().create(shift(2, 9, 13)).await.expect("is created");
    match db.shift().create(shift(1, 11, 14)).await {
        Err(Error::ExclusionViolation(violation)) => {
            assert_eq!((violation.constraint.as_str(), violation.model), (shift::ONE_PLACE_AT_A_TIME, "Shift"));
            assert_eq!(violation.sqlstate, "23P01");
        }
        other => panic!("unexpected: {other:?}"),
    }
    match db.shift().create(shift(3, 8, 12)).await {
        Err(Error::ExclusionViolation(violation)) => {
            assert_eq!(
                (violation.constraint.as_str(), violation.columns),
                (shift::STARTS_ENDS_EXCL, vec!["starts".to_owned(), "ends".to_owned()])
            );
        }
        other => panic!("unexpected: {other:?}"),
    }
    let many = [shift(4, 1, 5), shift(4, 4, 6)];
    let refused = db.shift().create_many(many).await.expect_err("exclude each other");
    assert!(refused.to_string().contains("one_place_at_a_time"), "{refused}");
}

async fn refresh(db: &Client) -> relata::Result<()> {
    db.habit().refresh().await?;
    db.habit().refresh().concurrently().await?;
    Ok(())
}

/// A materialized view shows the rows of its last refresh.
#[tokio::test]
async fn materialized_views_are_refreshed() {
    let (db, _database) = client().await;
    let ada = customer_of(&db, "ada@x.edu").await;
    let order = |number: i32| order::Create { customer: ada.id, number };
    db.order().create(order(3)).await.expect("is created");
    let orders = async |db: &Client| {
        db.habit().find_unique(habit::customer_id.eq(ada.id)).await.expect("is read").map(|habit| habit.orders)
    };
    assert_eq!(orders(&db).await, None);
    db.habit().refresh().await.expect("is refreshed");
    assert_eq!(orders(&db).await, Some(1));
    db.order().create(order(4)).await.expect("is created");
    assert_eq!(orders(&db).await, Some(1));
    refresh(&db).await.expect("is refreshed");
    assert_eq!(orders(&db).await, Some(2));
    // Together with what it reads, and undone with it.
    let tx = db.begin().await.expect("begins");
    tx.order().create(order(5)).await.expect("is created");
    tx.habit().refresh().await.expect("is refreshed");
    assert_eq!(tx.habit().find_first().await.expect("is read").map(|habit| habit.orders), Some(3));
    tx.rollback().await.expect("is undone");
    assert_eq!(orders(&db).await, Some(2));
    let counted = db.batch((db.order().create(order(6)), db.habit().refresh(), db.habit().find_many())).await;
    let (_, (), habits) = counted.expect("is sent");
    assert_eq!(habits.iter().map(|habit| habit.orders).collect::<Vec<_>>(), [3]);
}

/// All calls go through the table, whose rows are in several partitions: some of them made ahead by the program.
#[tokio::test]
async fn a_partitioned_table_is_one_model() {
    let (db, database) = client().await;
    let mut connection = connect(database.url()).await;
    connection
        .batch_execute(
            "CREATE TABLE shop.past PARTITION OF shop.measurements FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00:00+00')",
        )
        .await
        .expect("is created");
    let now = chrono::Utc::now();
    let new = |measured_at, value| measurement::Create { measured_at, value };
    let without = db.measurement().create(new(now, 1)).await.expect_err("has no partition");
    assert!(matches!(&without, Error::CheckViolation(_) | Error::Database(_)), "{without:?}");
    // Twice: the second call has nothing to do. Two at once wait for each other.
    let wanted = Ahead::new(Every::Month, 2).table_in("shop", "measurements");
    let mut other = connect(database.url()).await;
    let options = Options::default();
    let (one, two) = tokio::join!(
        create_partitions(&mut connection, &wanted, &options),
        create_partitions(&mut other, &wanted, &options)
    );
    assert_eq!(one.expect("is created").len() + two.expect("is created").len(), 3);
    assert_eq!(missing_partitions(&connection, &wanted, &options).await.expect("is read"), []);
    // A lock that does not go away is an error, and one that does is waited for.
    let more = Ahead::new(Every::Month, 9).table_in("shop", "measurements");
    other.batch_execute("BEGIN; LOCK TABLE shop.measurements IN SHARE ROW EXCLUSIVE MODE").await.expect("is locked");
    let mut hasty = Options::default();
    (hasty.lock_timeout, hasty.retries) = (std::time::Duration::from_millis(50), 1);
    let locked = create_partitions(&mut connection, &more, &hasty).await.expect_err("is locked");
    assert!(
        matches!(locked, migrate::Error::Database { .. }) && locked.to_string().contains("lock timeout"),
        "{locked}"
    );
    other.batch_execute("ROLLBACK").await.expect("is unlocked");
    assert_eq!(
        missing_partitions(&connection, &more, &options).await.expect("is read").len(),
        7,
        "nothing is half done"
    );
    // All tables of the schemas, which are this one.
    let mut options = Options::default();
    options.schemas = vec!["shop".to_owned()];
    let more = create_partitions(&mut connection, &Ahead::new(Every::Month, 3), &options).await.expect("is created");
    assert_eq!(
        more.iter().map(|it| (it.schema.as_str(), it.table.as_str())).collect::<Vec<_>>(),
        [("shop", "measurements")]
    );
    let refused =
        create_partitions(&mut connection, &Ahead::new(Every::Year, 0), &options).await.expect_err("overlaps");
    assert!(matches!(refused, migrate::Error::Partitions(PartitionError::Overlap { .. })), "{refused}");
    let refused = create_partitions(&mut connection, &wanted.clone().table("Order"), &options).await;
    assert!(matches!(refused, Err(migrate::Error::Partitions(PartitionError::NotByTime { .. }))), "{refused:?}");

    let old = "2019-05-01T00:00:00Z".parse().expect("is a time");
    let rows = (0..6).map(|value| new(if value % 2 == 0 { old } else { now }, value)).collect::<Vec<_>>();
    db.measurement().create_many(rows).await.expect("are created");
    let all = db.measurement().find_many().order_by(measurement::value.asc()).await.expect("is read");
    assert_eq!(all.iter().map(|row| row.value).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    // Both partitions have a row in each place of their first page.
    let changed =
        db.measurement().update_many().filter(measurement::value.lt(4)).limit(3).set(measurement::value.to(100)).await;
    assert_eq!(changed.expect("are updated"), 3);
    let count = |value| db.measurement().count().filter(measurement::value.eq(value));
    assert_eq!(count(100).await.expect("is counted"), 3);
    let deleted = db.measurement().delete_many().filter(measurement::value.eq(100)).limit(2).await;
    assert_eq!(deleted.expect("are deleted"), 2);
    assert_eq!((count(100).await.expect("is counted"), db.measurement().count().await.expect("is counted")), (1, 4));

    let last = all.last().expect("is there");
    let key = || measurement::id_measured_at.eq(last.id, last.measured_at);
    let text = note::Create { text: "odd".to_owned(), measurement: key() };
    db.note().create(text).await.expect("is created");
    let found =
        db.measurement().find_unique(key()).include(measurement::notes).await.expect("is read").expect("is there");
    assert_eq!(found.notes[0].text, "odd");
    let row = new(last.measured_at, 7);
    let updated = db.measurement().upsert(key(), row).set(measurement::value.to(8)).await.expect("is updated");
    assert_eq!((updated.id, updated.value), (last.id, 8));
    // A row without others that refer to it moves to another partition.
    let alone = &all[4];
    let key_alone = measurement::id_measured_at.eq(alone.id, alone.measured_at);
    let moved = db.measurement().update(key_alone).set(measurement::measured_at.to(now)).await.expect("is updated");
    assert_eq!((moved.id, moved.value), (alone.id, 4));
    db.measurement().delete(key()).await.expect("is deleted");
    assert_eq!(db.note().count().await.expect("is counted"), 0);
}
