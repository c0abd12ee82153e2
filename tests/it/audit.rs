//! Clients of `tests/audit`: recorded changes of every call, who made them, and who may read them.
//!
//! `cargo codegen generate --schema tests/audit/schema.dsl --out tests/audit/generated` generates the files of one client,
//! and `cargo codegen generate --schema tests/audit/tenants.dsl --out tests/audit/tenants` those of the other.

mod book;
mod calls;
mod reading;
mod tenants;

use std::path::{Path, PathBuf};

use relata::audit::{Change, ChangeKind};
use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use crate::support::{Database, connect, devdb, plain_sql};

#[path = "../audit/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use client::{Booking, Client, Student, booking, student};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit")
}

fn schema(file: &str) -> relata_codegen::ir::Schema {
    let sources = relata_codegen::build::read_schema(&folder().join(file)).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_clients_of_recorded_changes_are_up_to_date() {
    for (file, generated) in [("schema.dsl", "generated"), ("tenants.dsl", "tenants")] {
        let options = EmitOptions { source: file.to_owned(), crate_root: true };
        let stale = relata_codegen::build::stale_files(&folder().join(generated), &emit(&schema(file), &options));
        let stale = stale.expect("is read");
        assert!(stale.is_empty(), "run the commands at the head of this file: {stale:?} differ");
    }
}

/// A database with the tables of a schema.
async fn database(file: &str) -> Database {
    let database = devdb().create_database("audit").expect("a database is made");
    let (empty, next) = (State::default(), lower(&schema(file)));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    connect(database.url()).await.batch_execute(&sql).await.expect("the tables are made");
    database
}

/// A client of one connection, so that whatever stays on it meets the next call.
pub(crate) async fn client() -> (Client, Database) {
    let database = database("schema.dsl").await;
    let client = Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await;
    (client.expect("connects"), database)
}

pub(crate) fn row(id: i32) -> student::Create {
    student::Create { id, name: format!("student {id}"), email: format!("{id}@x.edu") }
}

/// What was recorded, oldest first: the kind, the id of the student, and the columns that changed.
async fn recorded(db: &Client) -> Vec<(ChangeKind, Option<i32>, Vec<String>)> {
    let changes = db.audit().oldest_first().await.expect("are read");
    changes.iter().map(|change| (change.kind, id_of(change), change.columns().map(str::to_owned).collect())).collect()
}

/// The id of a student, or the student of a booking.
fn id_of(change: &Change) -> Option<i32> {
    if change.is_of::<Student>() {
        return change.key(student::id).expect("is the key");
    }
    change.key(booking::student_id).expect("is the key")
}

/// The kinds and the ids of what was recorded, oldest first.
async fn kinds(db: &Client) -> Vec<(ChangeKind, Option<i32>)> {
    recorded(db).await.into_iter().map(|(kind, id, _)| (kind, id)).collect()
}
