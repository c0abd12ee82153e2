use plain_planner::{Client, student};

async fn read(db: &Client) {
    let grade = relata::case(student::class_year.gt(2027), "late").otherwise(1);
    let _ = db.student().find_many().order_by(grade.asc()).await;
}

fn main() {}
