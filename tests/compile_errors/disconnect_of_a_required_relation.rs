use plain_planner::{Client, session, user};

async fn change(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.user().update(user::id.eq(id)).with(user::sessions.disconnect(session::id.eq(id))).await;
}

fn main() {}
