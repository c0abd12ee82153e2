use plain_planner::{Client, user};

async fn find(db: &Client) {
    let _ = db.student().find_many().include(user::sessions).await;
}

fn main() {}
