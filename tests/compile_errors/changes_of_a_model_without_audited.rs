#[path = "../audit/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// The changes of notes are not recorded.
async fn history(db: &Client) -> relata::Result<usize> {
    let changes = db.audit().of(note::id.eq(1)).await?;
    Ok(changes.len())
}

fn main() {}
