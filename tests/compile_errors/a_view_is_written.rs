#[path = "../names/generated/lib.rs"]
#[allow(dead_code, unused_imports)]
mod names;

use names::{Client, v};

async fn remove(db: &Client) -> relata::Result<names::V> {
    db.v().delete(v::id.eq(1)).await
}

fn main() {}
