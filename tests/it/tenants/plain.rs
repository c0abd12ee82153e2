//! Tenants that the client keeps apart.

#[path = "attacks.rs"]
mod attacks;
#[path = "book.rs"]
mod book;
#[path = "calls.rs"]
mod calls;
#[path = "database.rs"]
mod database;
#[path = "models.rs"]
mod models;
#[path = "or_create.rs"]
mod or_create;
#[path = "random.rs"]
mod random;
#[path = "references.rs"]
mod references;
#[path = "wire.rs"]
mod wire;
#[path = "written.rs"]
mod written;

#[path = "../../tenants/generated/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(super) mod client;

use crate::support::{connect, devdb, plain_sql};
use relata::uuid::Uuid;
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use client::{
    Client, Club, Country, Exam, Room, School, Student, TenantClient, TenantModels, User, club, country, exam, queries,
    result, room, school, session, student, user,
};
use database::{Database, Schools, id};

const IS_SECURED: bool = false;

fn schema() -> relata_codegen::ir::Schema {
    super::schema(super::PLAIN)
}
