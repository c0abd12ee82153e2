#[derive(relata::FromRawRow)]
struct Year {
    class_year: u8,
}

fn main() {}
