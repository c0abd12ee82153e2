#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// Queries on students begin at `db.tenant(id)`, or at `db.across_tenants()`.
async fn students(db: &Client) -> relata::Result<u64> {
    db.student().count().await
}

fn main() {}
