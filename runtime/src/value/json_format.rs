//! How the values of a `type` block's fields are written in JSON. For generated code.

use serde_json::Value;

#[cfg(feature = "serde")]
pub use with_serde::{Numbers, deserialize_list, serialize_finite};

/// The format of a field's values.
pub trait JsonFormat<T>: 'static {
    /// Returns the value as JSON; `None` if it has no form in JSON.
    fn to_json(value: T) -> Option<Value>;
}

/// As the `Serialize` of the type writes it.
#[derive(Debug)]
pub enum Plain {}

/// As a text: bytes, and the times of `time`.
#[derive(Debug)]
pub enum Text {}

/// As a number, which JSON has only if it is finite.
#[derive(Debug)]
pub enum Finite {}

/// A client with `type` blocks does not compile without serde, and says so once.
#[cfg(not(feature = "serde"))]
mod without_serde {
    use super::{Finite, JsonFormat, Plain, Text};

    macro_rules! nothing {
        ($($format:ty)+) => {
            $(impl<T> JsonFormat<T> for $format {
                fn to_json(_: T) -> Option<serde_json::Value> {
                    None
                }
            })+
        };
    }

    nothing!(Plain Text Finite);
}

#[cfg(feature = "serde")]
mod with_serde {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::{Finite, JsonFormat, Plain, Text};
    use crate::value::text;

    impl<T: Serialize> JsonFormat<T> for Plain {
        fn to_json(value: T) -> Option<Value> {
            serde_json::to_value(value).ok()
        }
    }

    impl<T: text::AsText> JsonFormat<T> for Text {
        fn to_json(value: T) -> Option<Value> {
            value.to_text().ok().map(Value::String)
        }
    }

    impl JsonFormat<f64> for Finite {
        fn to_json(value: f64) -> Option<Value> {
            serde_json::Number::from_f64(value).map(Value::Number)
        }
    }

    /// A number, an optional number or a list of numbers.
    pub trait Numbers: Serialize {
        /// Returns whether JSON has these numbers.
        fn are_finite(&self) -> bool;
    }

    impl Numbers for f64 {
        fn are_finite(&self) -> bool {
            self.is_finite()
        }
    }

    impl Numbers for Option<f64> {
        fn are_finite(&self) -> bool {
            self.is_none_or(f64::is_finite)
        }
    }

    impl Numbers for Vec<f64> {
        fn are_finite(&self) -> bool {
            self.iter().copied().all(f64::is_finite)
        }
    }

    /// For `#[serde(serialize_with)]`. Without it, `NaN` would be written as null.
    ///
    /// # Errors
    /// If a number is infinite or not a number.
    pub fn serialize_finite<T: Numbers, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        if value.are_finite() {
            value.serialize(serializer)
        } else {
            Err(serde::ser::Error::custom("JSON has no infinite numbers, and no NaN"))
        }
    }

    /// For `#[serde(deserialize_with)]`: null is read as the empty list, as for columns.
    ///
    /// # Errors
    /// If a value does not fit.
    pub fn deserialize_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
    }
}
