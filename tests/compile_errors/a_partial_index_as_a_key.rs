#[path = "../constructs/generated/lib.rs"]
#[allow(dead_code, unused_imports)]
mod constructs;

use constructs::{Client, customer};

async fn find(db: &Client) -> relata::Result<Option<constructs::Customer>> {
    db.customer().find_unique(customer::nick.eq("ace")).await
}

fn main() {}
