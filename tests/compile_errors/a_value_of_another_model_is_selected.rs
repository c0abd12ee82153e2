use plain_planner::{Client, student, user};

async fn find(db: &Client) {
    let _ = db.student().find_many().select((student::id, user::email)).await;
}

fn main() {}
