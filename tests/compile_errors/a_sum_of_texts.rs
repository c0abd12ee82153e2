use plain_planner::{Client, user};

async fn add(db: &Client) {
    let _ = db.user().aggregate(user::email.sum()).await;
}

fn main() {}
