use plain_planner::Client;

struct Year {
    class_year: i32,
}

async fn find(db: &Client) {
    let _ = db.query_raw::<Year>("SELECT class_year FROM students", relata::params![]).await;
}

fn main() {}
