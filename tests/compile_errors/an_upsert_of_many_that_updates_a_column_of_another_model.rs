use plain_planner::{Client, institution, user};

async fn put(db: &Client, rows: Vec<institution::Create>) -> relata::Result<u64> {
    db.institution().upsert_many(rows).on(institution::slug).update((institution::name, user::email)).await
}

fn main() {}
