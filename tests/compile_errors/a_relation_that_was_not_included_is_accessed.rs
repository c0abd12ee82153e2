use plain_planner::{Client, student};

async fn name(db: &Client, id: relata::uuid::Uuid) -> relata::Result<String> {
    let student = db.student().find_unique(student::id.eq(id)).include(student::user).or_err().await?;
    Ok(student.institution.name)
}

fn main() {}
