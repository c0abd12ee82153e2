use plain_planner::{Client, student};

async fn find(db: &Client, year: Option<i32>) {
    let _ = db.student().find_many().filter(student::class_year.eq(year)).await;
}

fn main() {}
