#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// It creates rows without the tenant's column, so only a handle can send it.
async fn clubs(db: &Client) {
    let all = db.across_tenants();
    let _ = all.batch((all.room().count(), queries::add_clubs("Chess", "Go"))).await;
}

fn main() {}
