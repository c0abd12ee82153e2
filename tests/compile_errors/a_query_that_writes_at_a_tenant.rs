#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// It sets a foreign key that does not contain the tenant, so it is not confined: `db.across_tenants()` sends it.
async fn set_room(north: &TenantClient, room: i32, id: i32) -> relata::Result<u64> {
    north.query(queries::set_room(room, id)).await
}

// The tenant of the new rows comes from a handle.
async fn add_clubs(db: &Client) -> relata::Result<usize> {
    Ok(db.across_tenants().query(queries::add_clubs("Chess", "Go")).await?.len())
}

fn main() {}
