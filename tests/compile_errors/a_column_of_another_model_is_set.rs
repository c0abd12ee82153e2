use plain_planner::{Client, student, user};

async fn change(db: &Client, id: relata::uuid::Uuid) {
    let _ = db.student().update(student::id.eq(id)).set(user::email.to("a@x.edu")).await;
}

fn main() {}
