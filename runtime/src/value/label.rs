//! The labels of enums as text.

use std::fmt;

/// A text that is not a label of an enum.
///
/// The error of an enum's `FromStr` and `TryFrom<&str>`. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLabel {
    enumeration: &'static str,
}

impl UnknownLabel {
    /// For generated code.
    #[doc(hidden)]
    pub const fn of(enumeration: &'static str) -> Self {
        Self { enumeration }
    }
}

impl fmt::Display for UnknownLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text is not a label of {}", self.enumeration)
    }
}

impl std::error::Error for UnknownLabel {}

/// For generated code: an enum as text, whose labels are those of `as_str`.
#[doc(hidden)]
#[macro_export]
macro_rules! enum_as_text {
    ($enum:ty, $name:literal) => {
        impl ::std::fmt::Display for $enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $enum {
            type Err = $crate::rt::UnknownLabel;

            fn from_str(label: &str) -> ::std::result::Result<Self, $crate::rt::UnknownLabel> {
                let found = Self::ALL.iter().find(|value| value.as_str() == label);
                found.copied().ok_or(const { $crate::rt::UnknownLabel::of($name) })
            }
        }

        impl<'a> ::std::convert::TryFrom<&'a str> for $enum {
            type Error = $crate::rt::UnknownLabel;

            fn try_from(label: &'a str) -> ::std::result::Result<Self, $crate::rt::UnknownLabel> {
                label.parse()
            }
        }
    };
}
