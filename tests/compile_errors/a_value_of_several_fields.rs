#[derive(relata::Value)]
struct Address {
    street: String,
    zip: String,
}

#[derive(relata::Value)]
enum Shape {
    Circle(f64),
}

#[derive(relata::Value)]
#[relata(rename_all = "Snake")]
enum Level {
    Low,
}

#[derive(relata::Value)]
enum Twice {
    #[relata(rename = "b")]
    A,
    #[relata(rename = "b")]
    B,
}

fn main() {}
