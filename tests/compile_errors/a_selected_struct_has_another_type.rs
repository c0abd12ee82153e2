use plain_planner::{Student, student};

#[derive(relata::Selectable)]
#[relata(from = Student)]
struct Card {
    id: relata::uuid::Uuid,
    class_year: String,
}

fn main() {
    let _ = student::id;
}
