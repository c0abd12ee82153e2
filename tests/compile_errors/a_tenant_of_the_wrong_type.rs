#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// The id of a school is a `Uuid`.
async fn rooms(db: &Client) -> relata::Result<u64> {
    db.tenant("north").room().count().await
}

async fn rooms_in(tx: &Transaction) -> relata::Result<u64> {
    tx.tenant(7).room().count().await
}

fn main() {}
