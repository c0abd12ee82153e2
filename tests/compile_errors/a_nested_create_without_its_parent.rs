use plain_planner::*;

async fn example(db: Client, tenant: relata::uuid::Uuid, id: relata::uuid::Uuid) {
    let row = student::Create { user: id, institution: tenant, class_year: 2027 };
    let _ = db.user().update(user::id.eq(id)).with(user::student.create(row)).await;
}

fn main() {}
