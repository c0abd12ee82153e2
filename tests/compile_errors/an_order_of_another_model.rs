use plain_planner::{Client, user};

async fn find(db: &Client) {
    let _ = db.student().find_many().order_by(user::email.asc()).await;
}

fn main() {}
