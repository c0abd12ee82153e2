#[path = "../own_mistakes/generated/lib.rs"]
mod db;

use db::{Client, note};

#[derive(Debug, Clone, PartialEq, relata::Value)]
pub struct Text(String);

async fn find(db: &Client) {
    let _ = db.note().find_many().filter(note::text.eq("a")).await;
}

fn main() {}
