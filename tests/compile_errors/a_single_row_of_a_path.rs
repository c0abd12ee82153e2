#[path = "../soft_delete/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A path is a list of rows, the nearest one first.
async fn parent(db: &Client) -> relata::Result<Option<i32>> {
    let row = db.comment().find_unique(comment::id.eq(1)).include(comment::parent.ancestors()).or_err().await?;
    Ok(row.parent.map(|parent| parent.id))
}

fn main() {}
