use plain_planner::{Client, student};

fn find(db: &Client) {
    let _ = db.student().find_first().order_by(student::id.asc()).stream();
}

fn main() {}
