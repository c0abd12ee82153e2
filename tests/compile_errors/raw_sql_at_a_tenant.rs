#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// Nothing would confine it: `db.across_tenants()` has it.
async fn students(north: &TenantClient) -> relata::Result<Vec<(i64,)>> {
    north.query_raw("SELECT count(*) FROM \"Student\"", relata::params![]).await
}

fn main() {}
