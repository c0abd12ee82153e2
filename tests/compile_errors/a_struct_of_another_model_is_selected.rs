use plain_planner::{Client, User, user};

#[derive(relata::Selectable)]
#[relata(from = User)]
struct Address {
    #[relata(select = user::email)]
    email: String,
}

async fn find(db: &Client) {
    let _ = db.student().find_many().select_as::<Address>().await;
}

fn main() {}
