#[path = "../tenants/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A client is connected as a whole, and then asked for a tenant.
async fn connect() -> relata::Result<TenantClient> {
    TenantClient::connect("postgres://localhost/exams").await
}

fn main() {}
