use plain_planner::{Client, institution};

async fn put(db: &Client, rows: Vec<institution::Create>) -> relata::Result<u64> {
    db.institution().upsert_many(rows).await
}

fn main() {}
