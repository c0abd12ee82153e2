use plain_planner::{Client, student};
use relata::chrono::TimeDelta;

async fn later(db: &Client) {
    let later = student::class_year.plus(TimeDelta::days(365));
    let _ = db.student().find_many().filter(later.gt(2027)).await;
}

fn main() {}
