use plain_planner::{Client, Student};

fn find(db: &Client) -> relata::Result<Vec<Student>> {
    db.student().find_many()
}

fn main() {}
