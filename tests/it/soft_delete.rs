//! Clients of `tests/soft_delete`: rows that are marked as deleted, and every call by which one could come back.
//!
//! `cargo codegen generate --schema tests/soft_delete/schema.dsl --out tests/soft_delete/generated` generates the files of
//! one client, and `cargo codegen generate --schema tests/soft_delete/tenants.dsl --out tests/soft_delete/tenants` those of
//! the other.

mod book;
mod cascades;
mod keys;
mod random;
mod reads;
mod scopes;
mod tenants;
mod writes;

use std::path::{Path, PathBuf};

use relata_codegen::emit::{EmitOptions, emit};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use crate::support::{Database, connect, devdb, plain_sql};

#[path = "../soft_delete/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use client::Client;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/soft_delete")
}

fn schema(file: &str) -> relata_codegen::ir::Schema {
    let sources = relata_codegen::build::read_schema(&folder().join(file)).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_clients_of_soft_deletes_are_up_to_date() {
    for (file, generated) in [("schema.dsl", "generated"), ("tenants.dsl", "tenants")] {
        let options = EmitOptions { source: file.to_owned(), crate_root: true };
        let stale = relata_codegen::build::stale_files(&folder().join(generated), &emit(&schema(file), &options));
        let stale = stale.expect("is read");
        assert!(stale.is_empty(), "run the commands at the head of this file: {stale:?} differ");
    }
}

/// A database with the tables of a schema.
async fn database(file: &str) -> Database {
    let database = devdb().create_database("soft-delete").expect("a database is made");
    let (empty, next) = (State::default(), lower(&schema(file)));
    let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
    let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
    connect(database.url()).await.batch_execute(&sql).await.expect("the tables are made");
    database
}

/// A client of one connection, so that its prepared statements are those of every call.
async fn client_of(database: &Database) -> Client {
    Client::builder(database.url()).expect("is a URL").max_connections(1).connect().await.expect("connects")
}

/// Ann (1) and Dan (4) are live, Bob (2) and Eve (5) are deleted. Cid (3) is live, in a deleted team and under a deleted
/// manager. Whatever has an even number is deleted in the other tables.
const ROWS: &str = r#"
    INSERT INTO "Team" (id, name, deleted_at) VALUES (1, 'red', NULL), (2, 'blue', now());
    INSERT INTO "User" (id, email, handle, first, last, "teamId", "managerId", "updatedAt", deleted_at) VALUES
        (1, 'ann', '@ann', 'a', 'n', 1, NULL, now(), NULL), (2, 'bob', '@bob', 'b', 'o', 1, NULL, now(), '2020-01-01'),
        (3, 'cid', '@cid', 'c', 'i', 2, 2, now(), NULL), (4, 'dan', '@dan', 'd', 'a', 1, 1, now(), NULL),
        (5, 'ann', '@eve', 'e', 'v', 1, 1, now(), '2021-01-01');
    INSERT INTO "Profile" (id, bio, "userId", deleted_at) VALUES (1, 'new', 1, NULL), (2, 'old', 1, now()),
        (4, 'gone', 4, now());
    INSERT INTO "Post" (id, title, views, "authorId", deleted_at) VALUES (1, 'one', 10, 1, NULL), (2, 'two', 20, 1, now()),
        (3, 'three', 40, 2, NULL), (4, 'four', 80, 4, now());
    INSERT INTO "Comment" (id, text, "postId", "parentId", deleted_at) VALUES (1, 'x', 1, NULL, NULL), (2, 'y', 1, NULL, now()),
        (3, 'z', 1, 2, NULL), (4, 'w', 2, 1, now()), (5, 'v', 2, 1, NULL);
    INSERT INTO "Tag" (id, name, deleted_at) VALUES (1, 'good', NULL), (2, 'bad', now()), (3, 'fine', NULL);
    INSERT INTO "_PostToTag" ("A", "B") VALUES (1, 1), (1, 2), (2, 1), (3, 1);
    INSERT INTO "Membership" ("teamId", "userId", role, deleted_at) VALUES (1, 1, 'lead', NULL), (1, 2, 'help', now()),
        (1, 4, '', NULL);
    INSERT INTO "Duty" (id, "teamId", "userId", deleted_at) VALUES (1, 1, 1, NULL), (2, 1, 1, now()), (3, 1, 2, NULL);
    INSERT INTO "Session" (id, "userId") VALUES (1, 1), (2, 2), (3, 1);
    INSERT INTO "Note" (id, text, "userId") VALUES (1, 'for ann', 1), (2, 'for bob', 2), (3, 'for all', NULL);
    INSERT INTO "_NoteToTag" ("A", "B") VALUES (1, 1), (1, 2), (2, 3);
"#;

/// A database with rows, and a client of it.
pub(crate) struct World {
    pub(crate) db: Client,
    database: Database,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = database("schema.dsl").await;
        connect(database.url()).await.batch_execute(ROWS).await.expect("the rows are made");
        Self { db: client_of(&database).await, database }
    }

    /// The numbers in the first column of a query, past the client.
    async fn numbers(&self, sql: &str) -> Vec<i32> {
        plain_sql(self.database.url(), sql).await.iter().map(|row| row.get(0)).collect()
    }

    /// The ids of the deleted rows of a table.
    async fn deleted(&self, table: &str) -> Vec<i32> {
        self.numbers(&format!("SELECT id FROM \"{table}\" WHERE deleted_at IS NOT NULL ORDER BY id")).await
    }
}

/// Returns the ids of rows.
macro_rules! ids {
    ($rows:expr) => {
        $rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
}

use ids;
