use plain_planner::{Client, student};

async fn clear(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.student().update(student::id.eq(id)).set(student::class_year.to(None)).await;
}

fn main() {}
