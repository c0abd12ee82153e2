#[derive(relata::Selectable)]
struct Card {
    class_year: i32,
}

fn main() {}
