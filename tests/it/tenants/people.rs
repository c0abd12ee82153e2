//! People who belong to several tenants: the example of `docs/tenants.md`.
//!
//! `cargo codegen generate --schema tests/people/schema.dsl --out tests/people/generated` generates the files of the client.

#[path = "../../people/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

use std::path::{Path, PathBuf};

use relata::Error;
use relata::uuid::Uuid;
use relata_codegen::emit::{EmitOptions, emit_with_queries};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use crate::support::{connect, devdb};
use client::{Client, account, membership, school};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/people")
}

fn schema() -> relata_codegen::ir::Schema {
    let sources = relata_codegen::build::read_schema(&folder().join("schema.dsl")).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator, and the schema is that of the page.
#[test]
fn the_client_and_the_page_are_up_to_date() {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let files = emit_with_queries(&schema(), &[], &options);
    let stale = relata_codegen::build::stale_files(&folder().join("generated"), &files).expect("is read");
    assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
    let text = std::fs::read_to_string(folder().join("schema.dsl")).expect("is read");
    let (_, models) = text.split_once("model School").expect("has models");
    assert!(include_str!("../../../docs/tenants.md").contains(&format!("```prisma\nmodel School{models}```")));
}

/// The names of the schools of a person.
async fn schools_of(db: &Client, email: &str) -> relata::Result<Option<Vec<String>>> {
    let account = db
        .across_tenants()
        .account()
        .find_unique(account::email.eq(email))
        .include(account::memberships.include(membership::school))
        .await?;
    let names = account.map(|account| account.memberships.into_iter().map(|it| it.school.name));
    Ok(names.map(|names| {
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }))
}

#[tokio::test]
async fn a_login_finds_the_schools_of_a_person() {
    let database = devdb().create_database("people").expect("a database is made");
    let (empty, next) = (State::default(), lower(&schema()));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    connect(database.url()).await.batch_execute(&sql).await.expect("the tables are made");
    let db = Client::connect(database.url()).await.expect("connects");
    let mut ids = Vec::new();
    for name in ["North", "South", "West"] {
        let row = school::Create { name: name.to_owned() };
        ids.push(db.across_tenants().school().create(row).await.expect("is created").id);
    }
    // A member of two schools, of one, and of none.
    let account = |email: &str| account::Create { email: email.to_owned(), password_hash: "hash".to_owned() };
    let member = |email: &str| membership::Create {
        account: account::email.eq(email).or_create(account(email)),
        name: email.to_owned(),
    };
    for (school, email) in [(0, "ada@x.edu"), (1, "ada@x.edu"), (1, "bob@x.edu")] {
        db.tenant(ids[school]).membership().create(member(email)).await.expect("is created");
    }
    db.account().create(account("cy@x.edu")).await.expect("is created");
    let expected = [("ada@x.edu", Some(vec!["North", "South"])), ("bob@x.edu", Some(vec!["South"]))];
    for (email, schools) in expected.into_iter().chain([("cy@x.edu", Some(vec![])), ("dee@x.edu", None)]) {
        let found = schools_of(&db, email).await.expect("reads");
        assert_eq!(found, schools.map(|names| names.into_iter().map(str::to_owned).collect()), "{email}");
    }

    // All other code lists, changes and removes the members of one school.
    let north = db.tenant(ids[0]);
    let members = north.membership().find_many().include(membership::account).await.expect("reads");
    assert_eq!(members.iter().map(|member| member.account.email.as_str()).collect::<Vec<_>>(), ["ada@x.edu"]);
    let bob = db.account().find_unique(account::email.eq("bob@x.edu")).or_err().await.expect("reads").id;
    let not_theirs = north.membership().delete(membership::account_id.eq(bob)).await;
    assert!(matches!(not_theirs, Err(Error::NotFound { .. })), "{not_theirs:?}");
    let shared = north.account().delete(account::email.eq("bob@x.edu")).await;
    assert!(matches!(shared, Err(Error::ForeignKeyViolation(_))), "{shared:?}");
    let ada: Uuid = members[0].account_id;
    north.membership().delete(membership::account_id.eq(ada)).await.expect("deletes");
    assert_eq!(schools_of(&db, "ada@x.edu").await.expect("reads"), Some(vec!["South".to_owned()]));
}
