//! JSON with a shape: a type of the program that serde reads and writes.

use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;

use super::holds::Holds;
use super::json;
use super::json_value::is_json;
use super::param::Param;
use super::scalar::Scalar;
use crate::value::BoxError;

/// A value that is JSON in its column: any type that serde reads and writes, also one of another crate.
///
/// A field has it with `@rust("relata::Json<crate::Settings>")`. A type of your own can do without it: with
/// `#[derive(relata::Value)]` and `#[relata(json)]`, the field is a `crate::Settings`.
///
/// A value of the database that does not fit the type is [`Error::Decode`](crate::Error::Decode), with the path in the JSON.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let scores = relata::Json(BTreeMap::from([("round 1".to_owned(), 7)]));
/// assert_eq!(scores.get("round 1"), Some(&7));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Scalar for Json<T> {
    type Base = serde_json::Value;
    const HOLDS: Holds = Holds::Json;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        decode_json(raw).map(Self)
    }

    fn into_param(self) -> Param {
        json_param(&self.0)
    }

    fn accepts(ty: &Type) -> bool {
        is_json(ty)
    }
}

/// For derived code: reads a value from the bytes of a `json` or `jsonb`.
///
/// # Errors
/// If the JSON does not fit the type; the message has the path.
pub fn decode_json<T: DeserializeOwned>(raw: &[u8]) -> Result<T, BoxError> {
    let text = raw.strip_prefix(&[1]).unwrap_or(raw);
    let reader = &mut serde_json::Deserializer::from_slice(text);
    match serde_path_to_error::deserialize(&mut *reader) {
        // What is too deep for the parser is a mistake of syntax to it.
        Err(error) if error.inner().is_syntax() => {
            serde_path_to_error::deserialize(json::decode(raw)?).map_err(|error| misfit(&error))
        }
        Err(error) => Err(misfit(&error)),
        Ok(value) => {
            reader.end()?;
            Ok(value)
        }
    }
}

/// Says where the JSON does not fit and why, without the value.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> BoxError {
    let path = error.path().to_string();
    let place = if path == "." { String::new() } else { format!("at `{path}`: ") };
    let reason = error.inner().to_string();
    // serde_json appends a line and a column, which mean nothing to the user: the text is PostgreSQL's.
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    format!("{place}{}", without_value(reason)).into()
}

/// Removes the value from a message of serde: an error shows no value of a column. Messages of other types are those
/// of the program.
fn without_value(reason: &str) -> String {
    let expected = reason.rsplit_once(", expected ").map(|(_, expected)| format!(", expected {expected}"));
    let expected = expected.unwrap_or_default();
    for wrong in ["invalid type", "invalid value"] {
        if let Some(found) = reason.strip_prefix(wrong).and_then(|rest| rest.strip_prefix(": ")) {
            return format!("{wrong}: {}{expected}", kind(found));
        }
    }
    for unknown in ["unknown variant", "unknown field"] {
        if reason.starts_with(unknown) {
            return format!("{unknown}{expected}");
        }
    }
    reason.to_owned()
}

/// Returns the kind of the value that serde describes, such as "integer" for "integer `5`".
fn kind(found: &str) -> &str {
    const KINDS: [&str; 14] = [
        "boolean",
        "integer",
        "floating point",
        "character",
        "string",
        "byte array",
        "unit value",
        "null",
        "Option value",
        "newtype struct",
        "sequence",
        "map",
        "enum",
        "number",
    ];
    KINDS.into_iter().find(|kind| found.starts_with(kind)).unwrap_or("another value")
}

/// For derived code: a value as JSON.
pub fn json_param<T: Serialize>(value: &T) -> Param {
    match serde_json::to_value(value) {
        Ok(value) => json::param(value),
        Err(_) => Param::Invalid(
            "serde cannot write the value as JSON: a number is not finite, a key of a map is no string, or its Serialize failed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Address {
        zip: String,
        lines: Vec<u8>,
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_path() {
        let right = Address { zip: "04109".to_owned(), lines: vec![1, 2] };
        assert_eq!(decode_json::<Address>(b"\x01{\"zip\": \"04109\", \"lines\": [1, 2]}").expect("fits"), right);
        let reason = |text: &[u8]| decode_json::<Address>(text).expect_err("does not fit").to_string();
        assert_eq!(
            reason(b"{\"zip\": \"04109\", \"lines\": [1, 300]}"),
            "at `lines[1]`: invalid value: integer, expected u8"
        );
        assert_eq!(reason(b"{\"zip\": 4109, \"lines\": []}"), "at `zip`: invalid type: integer, expected a string");
        assert_eq!(reason(b"{\"zip\": \"\"}"), "missing field `lines`");
        assert_eq!(reason(b"[1"), "at `[0]`: invalid type: integer, expected a string");
        assert_eq!(
            reason(b"{\"zip\": \"\", \"lines\": \"secret at line 7, expected u8\"}"),
            "at `lines`: invalid type: string, expected a sequence"
        );
        assert!(!reason(b"7").is_empty() && !reason(b"").is_empty() && !reason(b"{}x").is_empty());
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Comment {
        answers: Vec<Comment>,
    }

    #[test]
    fn what_is_deeper_than_the_parser_goes_is_read() {
        let levels = 200;
        let text = format!("{}{}", "{\"answers\": [".repeat(levels), "]}".repeat(levels));
        let mut comment = &decode_json::<Comment>(text.as_bytes()).expect("is read");
        for _ in 1..levels {
            comment = &comment.answers[0];
        }
        assert_eq!(comment, &Comment { answers: Vec::new() });
        let text = format!("{}7{}", "{\"answers\": [".repeat(levels), "]}".repeat(levels));
        let reason = decode_json::<Comment>(text.as_bytes()).expect_err("does not fit").to_string();
        assert!(reason.ends_with("`: invalid type: integer, expected struct Comment"), "{reason}");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let keys = BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(json_param(&keys), Param::Invalid(_)));
        assert!(matches!(Json(vec![1]).into_param(), Param::Json(_)));
    }
}
