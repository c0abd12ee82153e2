//! Types without an order in PostgreSQL, which no key and no index of type `BTree` can have.

/// The types of PostgreSQL and common extensions that have no default operator class for `btree`.
const WITHOUT_ORDER: [&str; 17] = [
    "json",
    "xml",
    "jsonpath",
    "point",
    "box",
    "lseg",
    "line",
    "path",
    "polygon",
    "circle",
    "xid",
    "cid",
    "txid_snapshot",
    "lquery",
    "ltxtquery",
    "box2d",
    "box3d",
];

/// The types that have an index of type `Gist`.
const WITH_GIST: [&str; 4] = ["point", "box", "polygon", "circle"];

/// Returns the name of a type, if its values have no order.
pub(super) fn without_order(ty: &str) -> Option<&'static str> {
    WITHOUT_ORDER.iter().copied().find(|known| *known == ty)
}

/// Returns what to write in place of a key or an index of such a type.
pub(super) fn in_place_of_order(ty: &str, is_unique: bool, field: &str) -> String {
    match ty {
        "json" => "store the value as `@db.JsonB`, or remove it from the key".to_owned(),
        "xml" => "remove it from the key, or store the value as `@db.Text`".to_owned(),
        _ if !WITH_GIST.contains(&ty) => "remove it, or store the value as `String`".to_owned(),
        _ if is_unique => format!("write `@@exclude([{field}(with: \"~=\")])`, which refuses equal values"),
        _ => format!("write `@@index([{field}], type: Gist)`"),
    }
}
