#[path = "../own_mistakes/generated/lib.rs"]
mod db;

#[derive(Debug, Clone, PartialEq)]
pub struct Text(String);

fn main() {}
