use plain_planner::{Client, user};
use relata::DateUnit;

async fn read(db: &Client) {
    let _ = db.user().group_by(user::email.date_trunc(DateUnit::Month)).await;
}

fn main() {}
