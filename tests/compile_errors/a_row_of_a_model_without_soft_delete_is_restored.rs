#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// Deleted rows of `Session` are gone.
async fn restore(db: &Client) -> relata::Result<session::Session> {
    db.session().restore(session::id.eq(1)).await
}

fn main() {}
