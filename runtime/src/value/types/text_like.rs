//! Types that travel as text: `tsvector`, and whatever has no type of its own.

use tokio_postgres::types::Type;

use super::super::param::{Param, is_text};
use crate::value::BoxError;

/// Types around a text.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident ($holds:ident) in $format:expr, $sent:expr, $accepts:expr;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
            pub struct $name(pub String);

            impl $name {
                /// Returns the text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl<T: Into<String>> From<T> for $name {
                fn from(text: T) -> Self {
                    Self(text.into())
                }
            }

            #[diagnostic::do_not_recommend]
            impl $crate::value::IntoValue<$name> for &str {
                fn into_value(self) -> $name {
                    self.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl $crate::value::IntoNullable<$name> for &str {
                fn into_nullable(self) -> Option<$name> {
                    Some(self.into())
                }
            }

            #[diagnostic::do_not_recommend]
            impl $crate::value::Scalar for $name {
                type Base = Self;
                const HOLDS: $crate::value::Holds = $crate::value::Holds::$holds;

                fn decode(raw: &[u8]) -> Result<Self, $crate::value::BoxError> {
                    Ok(Self(<String as $crate::value::Scalar>::decode(raw)?))
                }

                fn decode_as(ty: &tokio_postgres::types::Type, raw: &[u8]) -> Result<Self, $crate::value::BoxError> {
                    let format: fn(&tokio_postgres::types::Type, &[u8]) -> Result<String, $crate::value::BoxError> = $format;
                    format($crate::value::scalar::below(ty), raw).map(Self)
                }

                fn into_param(self) -> $crate::value::Param {
                    let sent: fn(String) -> $crate::value::Param = $sent;
                    sent(self.0)
                }

                fn accepts(ty: &tokio_postgres::types::Type) -> bool {
                    let accepts: fn(&tokio_postgres::types::Type) -> bool = $accepts;
                    accepts($crate::value::scalar::below(ty))
                }
            }
        )+
    };
}

#[cfg(feature = "types")]
pub(super) use texts;

texts! {
    /// A document of full-text search, `tsvector`, as PostgreSQL prints it: `'cat':3 'fat':2`.
    TsVector (AsText) in |ty, raw| if *ty == Type::TS_VECTOR { document(raw) } else { String::decode(raw) },
    Param::Text, |ty| *ty == Type::TS_VECTOR;
    /// A value of a type that the client has no Rust type for, in PostgreSQL's text format: `(1,2)` for a composite type,
    /// `((0,0),1)` for a `circle`. `col::text` reads it, and a cast from text writes it.
    AsText (AsText) in |ty, raw| match is_text(ty) {
        true => String::decode(raw),
        false => Err(format!("read it as text: `::text`; its type is {ty}").into()),
    },
    Param::Text, is_text;
}

/// Reads the binary format of `tsvector`: each lexeme ends with a zero, and its positions follow.
fn document(raw: &[u8]) -> Result<String, BoxError> {
    let not_one = "it is not a tsvector";
    let (count, mut rest) = raw.split_first_chunk().ok_or(not_one)?;
    let mut text = String::new();
    for index in 0..u32::from_be_bytes(*count) {
        let end = rest.iter().position(|byte| *byte == 0).ok_or(not_one)?;
        let lexeme = std::str::from_utf8(&rest[..end])?.replace('\'', "''").replace('\\', "\\\\");
        text.push_str(if index > 0 { " '" } else { "'" });
        text.push_str(&lexeme);
        text.push('\'');
        let (positions, behind) = rest[end + 1..].split_first_chunk().ok_or(not_one)?;
        rest = behind;
        for place in 0..u16::from_be_bytes(*positions) {
            let (position, behind) = rest.split_first_chunk().ok_or(not_one)?;
            rest = behind;
            let position = u16::from_be_bytes(*position);
            let weight = ["", "C", "B", "A"][usize::from(position >> 14)];
            text.push_str(&format!("{}{}{weight}", if place > 0 { ',' } else { ':' }, position & 0x3fff));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_from_their_binary_format() {
        let raw = [0, 0, 0, 2, b'c', b'a', b't', 0, 0, 1, 0, 3, b'\'', 0, 0, 2, 0xc0, 1, 0x40, 2];
        assert_eq!(document(&raw).expect("is one"), "'cat':3 '''':1A,2C");
        for length in 0..raw.len() {
            assert!(document(&raw[..length]).is_err());
        }
    }
}
