use plain_planner::{Client, student};

async fn change(db: &Client) -> relata::Result<u64> {
    db.student().update_many().set(student::class_year.to(2028)).await
}

fn main() {}
