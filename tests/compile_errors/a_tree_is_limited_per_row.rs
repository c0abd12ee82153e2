#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A tree is limited by `depth`, not by a number of rows.
async fn some(db: &Client) -> relata::Result<usize> {
    let comments = db.comment().find_many().include(comment::replies.descendants().take(3)).await?;
    Ok(comments.len())
}

fn main() {}
