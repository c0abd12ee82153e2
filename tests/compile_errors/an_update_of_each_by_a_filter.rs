use plain_planner::{Client, student};

async fn change(db: &Client) {
    let _ = db.student().update_each([(student::class_year.eq(2027), student::class_year.to(2028))]).await;
}

fn main() {}
