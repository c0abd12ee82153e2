//! The client on Citus: a coordinator and two workers. `tests/citus/schema.dsl` is the schema of the exam planner, for Citus.
//!
//! `cargo codegen generate --schema tests/citus/schema.dsl --out tests/citus/generated` generates the files.

mod calls;
mod routing;

#[path = "../citus/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod client;

use std::path::{Path, PathBuf};

use client::{
    Client, Parent, Role, TenantClient, country, exam_type, institution, item, note, room, seat, session, student,
    student_exam, user,
};
use relata::migrate::{self, Migrations};
use relata::uuid::Uuid;
use relata_codegen::emit::{EmitOptions, emit_with_queries};
use relata_codegen::ir::{Engine, Schema};
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};
use relata_devdb::Citus;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/citus")
}

fn schema() -> Schema {
    let sources = relata_codegen::build::read_schema(&folder().join("schema.dsl")).expect("is read");
    relata_codegen::compile(&sources).schema.expect("is valid")
}

/// The committed files equal the output of the generator.
#[test]
fn the_client_for_citus_is_up_to_date() {
    let options = EmitOptions { source: "schema.dsl".to_owned(), crate_root: true };
    let files = emit_with_queries(&schema(), &[], &options);
    let stale = relata_codegen::build::stale_files(&folder().join("generated"), &files).expect("is read");
    assert!(stale.is_empty(), "run the command at the head of this file: {stale:?} differ");
}

/// The example of `docs/devdb.md`.
#[test]
fn the_example_of_the_page_runs() -> Result<(), relata_devdb::Error> {
    let Some(citus) = Citus::start_or_skip()? else { return Ok(()) };
    let database = citus.create_database("routing")?;
    assert!(database.url().contains(database.name()));
    Ok(())
}

/// Two institutions in a database with Citus, and a client. `None` where Citus is not installed.
struct Planner {
    db: Client,
    north: Uuid,
    south: Uuid,
    url: String,
    /// The database exists as long as this value.
    _database: Box<dyn std::any::Any + Send>,
}

impl Planner {
    async fn start() -> Option<Self> {
        let citus = Citus::start_or_skip().expect("Citus starts")?;
        let database = citus.create_database("planner").expect("a database is made");
        let url = database.url().to_owned();
        Some(Self::of(url, Box::new(database), &schema()).await)
    }

    /// The same tables on one server, before they are distributed.
    async fn on_postgresql() -> Self {
        let mut schema = schema();
        schema.engine = Engine::PostgreSql;
        let database = crate::support::devdb().create_database("planner").expect("a database is made");
        let url = database.url().to_owned();
        Self::of(url, Box::new(database), &schema).await
    }

    async fn of(url: String, database: Box<dyn std::any::Any + Send>, schema: &Schema) -> Self {
        let (empty, next) = (State::default(), lower(schema));
        let pair = Pair { previous: Side { state: &empty, intent: None }, next: Side { state: &next, intent: None } };
        let sql = render(&plan(diff(pair, &DiffOptions::default()).expect("nothing is renamed")));
        let options: relata::ConnectOptions = url.parse().expect("is a URL");
        let mut connection = options.connect_direct().await.expect("connects");
        let migrations = Migrations::from_static(&[("1_all", &sql)]).expect("is a migration");
        migrate::deploy(&mut connection, &migrations, &migrate::Options::default()).await.expect("is applied");
        let db = Client::builder(&url).expect("is a URL").max_connections(4).connect().await;
        let db = db.expect("connects");
        let mut ids = Vec::new();
        for slug in ["north", "south"] {
            let row = institution::Create { name: slug.to_owned(), slug: slug.to_owned() };
            ids.push(db.across_tenants().institution().create(row).await.expect("is created").id);
        }
        let row = country::Create { code: "x".to_owned() };
        assert_eq!(db.country().create(row).await.expect("is created").tone, Role::Student);
        Self { db, north: ids[0], south: ids[1], url, _database: database }
    }

    fn north(&self) -> TenantClient {
        self.db.tenant(self.north)
    }
}
