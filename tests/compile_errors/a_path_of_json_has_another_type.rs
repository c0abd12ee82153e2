#[path = "../own_mistakes/generated/lib.rs"]
mod db;

use db::note;

#[derive(Debug, Clone, PartialEq, relata::Value)]
pub struct Text(String);

fn main() {
    let _ = note::place.lat.eq("a");
    let _ = note::place.lat.contains("a");
    let _ = note::place.lat.is_null();
    let _ = note::place.latitude.eq(1.0);
    let _ = note::place.tags.eq("a");
    let _ = note::place.name.to(5);
    let _ = note::place.lat.to(None);
    let _ = note::many.has("a");
}
