use plain_planner::{Client, student};

async fn first(db: &Client) {
    let _ = db.student().find_unique(student::class_year.eq(2027)).await;
}

fn main() {}
