//! Fields of requests that tell a missing value from null.

use serde::{Deserialize, Deserializer};

/// Deserializes a field of type `Option<Option<T>>`: `None` for a missing key, `Some(None)` for null.
///
/// Without it, serde reads null as `None`. `#[serde(default)]` is also needed.
///
/// ```
/// use relata::rt::serde;
///
/// #[derive(serde::Deserialize)]
/// # #[serde(crate = "relata::rt::serde")]
/// struct Changes {
///     #[serde(default, deserialize_with = "relata::double_option")]
///     score: Option<Option<f64>>,
/// }
///
/// let read = |json| relata::serde_json::from_str::<Changes>(json).map(|changes| changes.score);
/// assert_eq!(read("{}")?, None);
/// assert_eq!(read(r#"{ "score": null }"#)?, Some(None));
/// assert_eq!(read(r#"{ "score": 90 }"#)?, Some(Some(90.0)));
/// # Ok::<(), relata::serde_json::Error>(())
/// ```
///
/// # Errors
///
/// The error of `T`.
pub fn double_option<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Tells a missing key from null for a field that may be missing but not null: null is an error.
///
/// Without it, serde reads null as `None`, and a request that sets a required column to null would change nothing.
/// `#[serde(default)]` is also needed.
///
/// ```
/// use relata::rt::serde;
///
/// #[derive(serde::Deserialize)]
/// # #[serde(crate = "relata::rt::serde")]
/// struct Changes {
///     #[serde(default, deserialize_with = "relata::not_null")]
///     class_year: Option<i32>,
/// }
///
/// let read = |json| relata::serde_json::from_str::<Changes>(json).map(|changes| changes.class_year);
/// assert_eq!(read("{}")?, None);
/// assert_eq!(read(r#"{ "class_year": 2027 }"#)?, Some(2027));
/// assert!(read(r#"{ "class_year": null }"#).is_err());
/// # Ok::<(), relata::serde_json::Error>(())
/// ```
///
/// # Errors
///
/// The error of `T`, which says for null what was expected in its place.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
