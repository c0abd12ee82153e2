#[path = "../own_mistakes/generated/lib.rs"]
mod db;

#[derive(Debug, Clone, PartialEq, relata::Value)]
pub struct Text(i64);

fn main() {}
