use plain_planner::{Client, student, user};

async fn change(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.student().update_each([(student::id.eq(id), user::email.to("a@x.edu"))]).await;
}

fn main() {}
