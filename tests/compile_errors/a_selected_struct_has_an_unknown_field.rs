use plain_planner::{Student, student};

#[derive(relata::Selectable)]
#[relata(from = Student)]
struct Card {
    id: relata::uuid::Uuid,
    class_yeer: i32,
}

fn main() {
    let _ = student::id;
}
