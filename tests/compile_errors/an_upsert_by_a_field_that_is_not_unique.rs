use plain_planner::{Client, exam_type};

async fn put(db: &Client, row: exam_type::Create) {
    let _ = db.exam_type().upsert(exam_type::code.eq("STEP1"), row).await;
}

fn main() {}
