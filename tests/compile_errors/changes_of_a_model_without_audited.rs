#[path = "../audit/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// Nobody records the changes of notes.
async fn history(db: &Client) -> relata::Result<usize> {
    let changes = db.audit().of(note::id.eq(1)).await?;
    Ok(changes.len())
}

fn main() {}
