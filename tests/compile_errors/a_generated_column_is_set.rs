#[path = "../constructs/generated/lib.rs"]
#[allow(warnings)]
mod client;

use client::{Client, product};

async fn raise(db: &Client) {
    let _ = db.product().update(product::id.eq(1)).set(product::gross.to(12)).await;
}

fn main() {}
