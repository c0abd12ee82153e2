#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// Posts are no users, so there is nothing to follow from them.
async fn below(db: &Client) -> relata::Result<usize> {
    let users = db.user().find_many().include(user::posts.descendants()).await?;
    Ok(users.len())
}

fn main() {}
