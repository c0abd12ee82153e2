#[path = "../wide/generated/lib.rs"]
#[allow(dead_code, missing_docs, unused_imports)]
mod client;

use client::*;

// A content has an essay or none.
async fn text(db: &Client) -> relata::Result<String> {
    let row = db.content().find_unique(content::id.eq(1)).include(content::essay).or_err().await?;
    Ok(row.essay.text)
}

fn main() {}
