#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// `replies` leads downwards: what is above a comment is `comment::parent.ancestors()`.
async fn above(db: &Client) -> relata::Result<usize> {
    let comments = db.comment().find_many().include(comment::replies.ancestors()).await?;
    Ok(comments.len())
}

fn main() {}
