use plain_planner::{Client, student, user};

async fn find(db: &Client) {
    let _ = db.student().find_many().filter(student::class_year.eq(2027) & user::email.eq("a@x.edu")).await;
}

fn main() {}
