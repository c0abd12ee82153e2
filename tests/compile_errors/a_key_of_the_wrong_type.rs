use plain_planner::{Client, student};

async fn make(db: &Client, tenant: relata::uuid::Uuid) {
    let _ = db.student().create(student::Create { user: 7, institution: tenant, class_year: 2027 }).await;
}

fn main() {}
