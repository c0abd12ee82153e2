//! How the values of a `type` block's fields are written in JSON. For generated code.

use serde_json::Value;

use crate::value::BoxError;

#[cfg(feature = "serde")]
pub use with_serde::{Numbers, deserialize_list, serialize_finite};

/// The format of a field's values.
pub trait JsonFormat<T>: 'static {
    /// Returns the value as JSON; `None` if it has no form in JSON.
    fn to_json(value: T) -> Option<Value>;

    /// Reads a value from the bytes of a `jsonb`.
    ///
    /// # Errors
    /// If the JSON does not fit the type.
    fn from_json(raw: &[u8]) -> Result<T, BoxError>;
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

                fn from_json(_: &[u8]) -> Result<T, crate::value::BoxError> {
                    Err("the feature `serde` is missing".into())
                }
            })+
        };
    }

    nothing!(Plain Text Finite);
}

#[cfg(feature = "serde")]
mod with_serde {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::{Finite, JsonFormat, Plain, Text};
    use crate::value::{BoxError, decode_json, text};

    impl<T: Serialize + DeserializeOwned> JsonFormat<T> for Plain {
        fn to_json(value: T) -> Option<Value> {
            serde_json::to_value(value).ok()
        }

        fn from_json(raw: &[u8]) -> Result<T, BoxError> {
            decode_json(raw)
        }
    }

    impl<T: text::AsText> JsonFormat<T> for Text {
        fn to_json(value: T) -> Option<Value> {
            value.to_text().ok().map(Value::String)
        }

        fn from_json(raw: &[u8]) -> Result<T, BoxError> {
            let text: String = decode_json(raw)?;
            T::from_text(&text).ok_or_else(|| "the text is not a value of this field".into())
        }
    }

    impl JsonFormat<f64> for Finite {
        fn to_json(value: f64) -> Option<Value> {
            serde_json::Number::from_f64(value).map(Value::Number)
        }

        fn from_json(raw: &[u8]) -> Result<f64, BoxError> {
            decode_json(raw)
        }
    }

    impl<T: text::AsText> JsonFormat<Vec<T>> for Text {
        fn to_json(values: Vec<T>) -> Option<Value> {
            values.into_iter().map(Self::to_json).collect::<Option<Vec<Value>>>().map(Value::Array)
        }

        fn from_json(raw: &[u8]) -> Result<Vec<T>, BoxError> {
            let texts: Vec<String> = decode_json(raw)?;
            let values: Option<Vec<T>> = texts.iter().map(|text| T::from_text(text)).collect();
            values.ok_or_else(|| "a text is not a value of this field".into())
        }
    }

    impl JsonFormat<Vec<f64>> for Finite {
        fn to_json(values: Vec<f64>) -> Option<Value> {
            values.into_iter().map(Self::to_json).collect::<Option<Vec<Value>>>().map(Value::Array)
        }

        fn from_json(raw: &[u8]) -> Result<Vec<f64>, BoxError> {
            decode_json(raw)
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
