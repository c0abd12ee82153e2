use plain_planner::{Client, student_exam};

async fn due(db: &Client) {
    let _ = db.student_exam().find_many().filter(student_exam::scheduled_on.lt(relata::now())).await;
}

fn main() {}
