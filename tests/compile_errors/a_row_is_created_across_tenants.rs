#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A row is created for one tenant: `db.tenant(id).room().create(..)`.
async fn room(db: &Client) -> relata::Result<Room> {
    db.across_tenants().room().create(room::Create { name: "Hall".to_owned() }).await
}

fn main() {}
