#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// The author of a post is included, deleted or not.
async fn authors(db: &Client) -> relata::Result<usize> {
    let posts = db.post().find_many().include(post::author.with_deleted()).await?;
    Ok(posts.len())
}

fn main() {}
