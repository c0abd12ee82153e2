use plain_planner::{Client, user};

async fn change(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.user().update(user::id.eq(id)).set(user::email.increment(1)).await;
}

fn main() {}
