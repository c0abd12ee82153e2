#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// It writes, so it is not confined: `db.across_tenants()` sends it.
async fn rename(north: &TenantClient, id: relata::uuid::Uuid) -> relata::Result<u64> {
    north.query(queries::rename("a@x.edu", id)).await
}

fn main() {}
