//! Conditions on the contents of JSON. A missing part is SQL's null.

use relata::serde_json::Value as Json;

use super::super::query::{Compare, JsonTest};
use super::super::value::Value;
use super::condition::{holds, text_is_like};

pub(super) fn truth<'j>(json: Option<&'j Json>, path: &[String], test: &JsonTest) -> Option<bool> {
    let step_into = |json: &'j Json, step: &String| match json {
        Json::Object(fields) => fields.get(step),
        Json::Array(elements) => step.parse::<usize>().ok().and_then(|place| elements.get(place)),
        _ => None,
    };
    let found = json.and_then(|json| path.iter().try_fold(json, step_into));
    if matches!(test, JsonTest::Exists) {
        return Some(found.is_some());
    }
    let found = found?;
    match test {
        JsonTest::Exists => Some(true),
        JsonTest::Compare(Compare::Eq, value) => Some(found == value),
        JsonTest::Compare(Compare::Ne, value) => Some(found != value),
        JsonTest::Compare(operator, value) => Some(ordered(found, *operator, value)),
        JsonTest::Like(how, text, insensitive) => {
            Some(found.as_str().is_some_and(|found| text_is_like(found, *how, text, *insensitive)))
        }
        JsonTest::ArrayContains(values) => Some(contains(found, &Json::Array(values.clone()))),
        JsonTest::ArrayStarts(value) => element(found, value, <[Json]>::first),
        JsonTest::ArrayEnds(value) => element(found, value, <[Json]>::last),
    }
}

/// Only numbers and strings are compared by order; values of other kinds have no order relative to them.
fn ordered(found: &Json, operator: Compare, value: &Json) -> bool {
    match (found, value) {
        (Json::Number(found), Json::Number(value)) => {
            let (found, value) = (found.as_f64().expect("is small"), value.as_f64().expect("is small"));
            holds(found.total_cmp(&value), operator)
        }
        (Json::String(found), Json::String(value)) => {
            holds(Value::Text(found.clone()).compare(&Value::Text(value.clone())), operator)
        }
        _ => false,
    }
}

/// An empty array has no elements, so they are null.
fn element(found: &Json, value: &Json, which: impl Fn(&[Json]) -> Option<&Json>) -> Option<bool> {
    match found {
        Json::Array(elements) => which(elements).map(|element| element == value),
        _ => Some(false),
    }
}

/// Containment as in PostgreSQL: objects need only the given fields, and arrays contain the elements in any order.
fn contains(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (Json::Object(found), Json::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| contains(found, wanted)))
        }
        (Json::Array(found), Json::Array(wanted)) => {
            wanted.iter().all(|wanted| found.iter().any(|found| contains(found, wanted)))
        }
        _ => found == wanted,
    }
}
