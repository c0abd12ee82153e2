use plain_planner::{Client, student};

async fn find(db: &Client) {
    let _ = db.student().find_many().filter(student::class_year.contains("20")).await;
}

fn main() {}
