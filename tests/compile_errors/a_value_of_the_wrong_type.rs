use plain_planner::{Client, student};

async fn find(db: &Client) {
    let _ = db.student().find_many().filter(student::class_year.eq("2027")).await;
}

fn main() {}
