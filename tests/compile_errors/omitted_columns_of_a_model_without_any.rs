use plain_planner::{Client, user};

async fn read(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.user().find_unique(user::id.eq(id)).with_omitted().await;
}

fn main() {}
