use plain_planner::{Client, Student, student, user};
use relata::Filter;

async fn same(db: &Client) {
    let filter = Filter::<Student>::sql("{} = {}", (student::user_id, user::id));
    let _ = db.student().find_many().filter(filter).await;
}

fn main() {}
