#[path = "../constructs/generated/lib.rs"]
#[allow(dead_code, unused_imports)]
mod constructs;

use constructs::{Client, area};

async fn add(db: &Client) -> relata::Result<constructs::Area> {
    db.area().create(area::Create { id: 1, name: "north".to_owned() }).await
}

fn main() {}
