//! Tenants that PostgreSQL keeps apart as well, by row security: everything that holds without it, and its own.

#[path = "attacks.rs"]
mod attacks;
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
#[path = "sessions.rs"]
mod sessions;
#[path = "wall.rs"]
mod wall;
#[path = "written.rs"]
mod written;

#[path = "../../tenants/secured/lib.rs"]
#[deny(warnings)]
#[allow(dead_code, missing_docs, unused_imports, unreachable_pub, rustdoc::broken_intra_doc_links)]
pub(crate) mod client;

use crate::support::{connect, devdb, plain_sql};
use relata::uuid::Uuid;
use relata_codegen::sql::{DiffOptions, Pair, Side, State, diff, lower, plan, render};

use client::{
    Client, Club, Country, Exam, Room, School, Student, TenantClient, TenantModels, User, club, country, exam, queries,
    result, room, school, session, student, user,
};
use database::{Database, Schools, id};

const IS_SECURED: bool = true;

fn schema() -> relata_codegen::ir::Schema {
    super::schema(super::SECURED)
}
