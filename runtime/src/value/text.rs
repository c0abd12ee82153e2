//! JSON formats that differ from the type's `Serialize`: bytes in base64, as in Prisma, and the times of `time` in RFC
//! 3339 and ISO 8601.
//!
//! For `#[serde(with = "..")]` in generated code: works for a value, an `Option` and a list.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is a text in JSON.
pub trait AsText: Sized {
    /// Returns the text.
    fn to_text(&self) -> Result<String, fmt::Error>;

    /// Parses the text; `None` if it is not a value.
    fn from_text(text: &str) -> Option<Self>;
}

/// A value, an `Option` or a list of these.
pub trait TextField: Sized {
    /// The type that serde writes.
    type Written: Serialize + for<'de> Deserialize<'de>;

    /// Converts it for writing.
    fn write(&self) -> Result<Self::Written, fmt::Error>;

    /// Converts what was read; `None` if it does not fit.
    fn read(written: Self::Written) -> Option<Self>;
}

impl<T: AsText> TextField for T {
    type Written = String;

    fn write(&self) -> Result<String, fmt::Error> {
        self.to_text()
    }

    fn read(written: String) -> Option<Self> {
        T::from_text(&written)
    }
}

impl<T: AsText> TextField for Option<T> {
    type Written = Option<String>;

    fn write(&self) -> Result<Option<String>, fmt::Error> {
        self.as_ref().map(T::to_text).transpose()
    }

    fn read(written: Option<String>) -> Option<Self> {
        match written {
            Some(text) => T::from_text(&text).map(Some),
            None => Some(None),
        }
    }
}

impl<T: AsText> TextField for Vec<T> {
    type Written = Vec<String>;

    fn write(&self) -> Result<Vec<String>, fmt::Error> {
        self.iter().map(T::to_text).collect()
    }

    fn read(written: Vec<String>) -> Option<Self> {
        written.iter().map(|text| T::from_text(text)).collect()
    }
}

/// For `#[serde(with)]`.
///
/// # Errors
/// If the value has no text, such as a year with five digits.
pub fn serialize<T: TextField, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let written = value.write().map_err(|_| serde::ser::Error::custom("the value has no form in JSON"))?;
    written.serialize(serializer)
}

/// For `#[serde(with)]`.
///
/// # Errors
/// If the text is not a value.
pub fn deserialize<'de, T: TextField, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let written = T::Written::deserialize(deserializer)?;
    T::read(written).ok_or_else(|| serde::de::Error::custom("the text is not a value of this field"))
}

/// For `#[serde(deserialize_with)]` of a list that may be null.
///
/// # Errors
/// If a text is not a value.
pub fn deserialize_list<'de, T: AsText, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let written = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
    Vec::<T>::read(written).ok_or_else(|| serde::de::Error::custom("a text is not a value of this field"))
}

impl AsText for Vec<u8> {
    fn to_text(&self) -> Result<String, fmt::Error> {
        Ok(STANDARD.encode(self))
    }

    fn from_text(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()
    }
}

#[cfg(feature = "time")]
mod times {
    use std::fmt;

    use time::format_description::well_known::{Iso8601, Rfc3339};
    use time::{Date, Month, OffsetDateTime, Time};

    use super::AsText;

    impl AsText for OffsetDateTime {
        fn to_text(&self) -> Result<String, fmt::Error> {
            self.format(&Rfc3339).map_err(|_| fmt::Error)
        }

        fn from_text(text: &str) -> Option<Self> {
            OffsetDateTime::parse(text, &Rfc3339).ok()
        }
    }

    /// Year, month and day. The ISO 8601 format of `time` has no years before Christ.
    impl AsText for Date {
        fn to_text(&self) -> Result<String, fmt::Error> {
            let (year, month, day) = self.to_calendar_date();
            let sign = if year < 0 { "-" } else { "" };
            Ok(format!("{sign}{:04}-{:02}-{day:02}", year.unsigned_abs(), u8::from(month)))
        }

        fn from_text(text: &str) -> Option<Self> {
            let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
            let mut parts = digits.split('-');
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
            let year: i32 = year.parse().ok()?;
            parts.next().is_none().then(|| Date::from_calendar_date(sign * year, month, day.parse().ok()?).ok())?
        }
    }

    impl AsText for Time {
        fn to_text(&self) -> Result<String, fmt::Error> {
            self.format(&Iso8601::TIME).map_err(|_| fmt::Error)
        }

        fn from_text(text: &str) -> Option<Self> {
            Time::parse(text, &Iso8601::TIME).ok()
        }
    }
}
