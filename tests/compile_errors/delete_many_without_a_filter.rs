use plain_planner::Client;

async fn clear(db: &Client) -> relata::Result<u64> {
    db.session().delete_many().await
}

fn main() {}
