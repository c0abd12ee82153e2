#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// The scope belongs to the articles of the users.
async fn all(db: &Client) -> relata::Result<usize> {
    let users = db.user().find_many().unscoped(article::scope::published).include(user::articles).await?;
    Ok(users.len())
}

fn main() {}
