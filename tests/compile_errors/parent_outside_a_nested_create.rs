use plain_planner::{Client, Parent, student};

async fn make(db: &Client, tenant: relata::uuid::Uuid) {
    let _ = db.student().create(student::Create { user: Parent, institution: tenant, class_year: 2027 }).await;
}

fn main() {}
