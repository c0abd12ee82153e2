#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A table between two others has no tenant to confine it by.
async fn pairs(north: &TenantModels) {
    let _ = north.batch((north.room().count(), queries::through())).await;
}

fn main() {}
