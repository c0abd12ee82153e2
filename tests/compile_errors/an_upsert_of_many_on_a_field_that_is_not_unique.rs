use plain_planner::{Client, exam_type};

async fn put(db: &Client, rows: Vec<exam_type::Create>) -> relata::Result<u64> {
    db.exam_type().upsert_many(rows).on(exam_type::code).await
}

fn main() {}
