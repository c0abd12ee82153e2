//! Values inside a Json column whose place and type the schema knows, and their changes.

use serde_json::{Map, Value as Json};

use crate::value::Param;

/// How PostgreSQL compares values in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// As JSON: numbers and booleans, and whole objects and arrays for equality.
    Json,
    /// Strings as `text`.
    Text,
    /// Strings as `numeric`.
    Decimal,
    /// Strings as `timestamptz`.
    Timestamp,
    /// Strings as `date`.
    Date,
    /// Strings as `time`.
    Time,
}

impl JsonKind {
    /// Returns the type that a string is cast to, if it is not compared as it is.
    pub(crate) fn cast(self) -> Option<&'static str> {
        match self {
            JsonKind::Json | JsonKind::Text => None,
            JsonKind::Decimal => Some("numeric"),
            JsonKind::Timestamp => Some("timestamptz"),
            JsonKind::Date => Some("date"),
            JsonKind::Time => Some("time"),
        }
    }
}

/// The place of a value in a row: the column, and the keys that lead to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonPlace {
    pub(crate) column: u16,
    pub(crate) path: &'static [&'static str],
    pub(crate) kind: JsonKind,
}

/// A new value at a path; `None` removes the key.
#[derive(Debug, Clone)]
pub(crate) struct JsonChange {
    pub(crate) path: &'static [&'static str],
    pub(crate) value: Option<Param>,
}

/// Adds a change, so that no path leads through another one. The last change of a value wins.
pub(crate) fn push_change(changes: &mut Vec<JsonChange>, new: JsonChange) {
    changes.retain(|known| !known.path.starts_with(new.path));
    let outer = changes.iter_mut().find(|known| new.path.starts_with(known.path));
    match outer {
        None => changes.push(new),
        Some(outer) => {
            let inside = JsonChange { path: &new.path[outer.path.len()..], value: new.value };
            let before = outer.value.take();
            // Removing something from what was removed changes nothing.
            outer.value = match (before, &inside.value) {
                (None, None) => None,
                (before, _) => Some(changed(before.unwrap_or(Param::Null), inside)),
            };
        }
    }
}

/// Returns a value with a change in it. A value that cannot be sent stays as it is.
pub(crate) fn changed(before: Param, change: JsonChange) -> Param {
    let mut value = match before {
        Param::Json(value) => value,
        // Nothing can be removed from null.
        Param::Null if change.value.is_none() => return Param::Null,
        Param::Null => Json::Object(Map::new()),
        other => return other,
    };
    match change.value {
        None => remove(&mut value, change.path),
        Some(Param::Json(new)) => put(&mut value, change.path, new),
        Some(other) => return other,
    }
    Param::Json(value)
}

/// Sets a value. What is missing on the way, or is no object, becomes one.
fn put(value: &mut Json, path: &[&str], new: Json) {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = Json::Object(Map::new());
    }
    if let Json::Object(entries) = value {
        put(entries.entry(*key).or_insert(Json::Null), rest, new);
    }
}

fn remove(value: &mut Json, path: &[&str]) {
    let (Json::Object(entries), Some((key, rest))) = (value, path.split_first()) else { return };
    if rest.is_empty() {
        entries.remove(*key);
    } else if let Some(inner) = entries.get_mut(*key) {
        remove(inner, rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(path: &'static [&'static str], value: Option<Json>) -> JsonChange {
        JsonChange { path, value: value.map(Param::Json) }
    }

    #[test]
    fn changes_of_one_column_compose() {
        let mut changes = Vec::new();
        push_change(&mut changes, change(&["zip"], Some(json!("1"))));
        push_change(&mut changes, change(&["geo", "lat"], Some(json!(1))));
        push_change(&mut changes, change(&["zip"], Some(json!("2"))));
        assert_eq!(changes.len(), 2);
        push_change(&mut changes, change(&["geo"], Some(json!({ "lng": 3 }))));
        push_change(&mut changes, change(&["geo", "lat"], Some(json!(4))));
        push_change(&mut changes, change(&["geo", "lng"], None));
        assert_eq!(changes.len(), 2);
        assert!(changes.iter().any(|it| it.value == Some(Param::Json(json!({ "lat": 4 })))));
        push_change(&mut changes, change(&["geo"], None));
        push_change(&mut changes, change(&["geo", "lng"], None));
        assert!(changes.iter().any(|it| it.path == ["geo"] && it.value.is_none()));
        push_change(&mut changes, change(&["geo", "lng"], Some(json!(5))));
        assert!(changes.iter().any(|it| it.value == Some(Param::Json(json!({ "lng": 5 })))));
    }

    #[test]
    fn values_are_changed() {
        let new = |before, path, value| changed(before, change(path, value));
        assert_eq!(new(Param::Null, &["a", "b"], Some(json!(1))), Param::Json(json!({ "a": { "b": 1 } })));
        let before = || Param::Json(json!({ "a": [1], "c": 2 }));
        assert_eq!(new(before(), &["a", "b"], Some(json!(1))), Param::Json(json!({ "a": { "b": 1 }, "c": 2 })));
        assert_eq!(new(before(), &["a", "b"], None), before());
        assert_eq!(new(before(), &["a"], None), Param::Json(json!({ "c": 2 })));
        assert_eq!(new(Param::Refused("x"), &["a"], None), Param::Refused("x"));
    }
}
