//! Types that travel as text: `hstore`, `ltree`, `tsvector`, and whatever has no type of its own.

use std::collections::BTreeMap;
use std::fmt;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::holds::Holds;
use super::super::into::{IntoNullable, IntoValue};
use super::super::param::{Param, is_text};
use super::super::postgres::Encoded;
use super::super::scalar::{Scalar, below};
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

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl<T: Into<String>> From<T> for $name {
                fn from(text: T) -> Self {
                    Self(text.into())
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoValue<$name> for &str {
                fn into_value(self) -> $name {
                    self.into()
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoNullable<$name> for &str {
                fn into_nullable(self) -> Option<$name> {
                    Some(self.into())
                }
            }

            #[diagnostic::do_not_recommend]
            impl Scalar for $name {
                type Base = Self;
                const HOLDS: Holds = Holds::$holds;

                fn decode(raw: &[u8]) -> Result<Self, BoxError> {
                    Ok(Self(String::decode(raw)?))
                }

                fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
                    let format: fn(&Type, &[u8]) -> Result<String, BoxError> = $format;
                    format(below(ty), raw).map(Self)
                }

                fn into_param(self) -> Param {
                    let sent: fn(String) -> Param = $sent;
                    sent(self.0)
                }

                fn accepts(ty: &Type) -> bool {
                    let accepts: fn(&Type) -> bool = $accepts;
                    accepts(below(ty))
                }
            }
        )+
    };
}

texts! {
    /// A path in a tree of labels, `ltree`: `Top.Science.Astronomy`.
    Ltree (Any) in |ty, raw| String::decode(if ty.name() == "ltree" { raw.get(1..).unwrap_or_default() } else { raw }),
    |text| Param::Encoded(Encoded::new(LtreeParam(text))), |ty| ty.name() == "ltree";
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

/// The binary format is a version, 1, and the text.
#[derive(Debug, PartialEq)]
struct LtreeParam(String);

impl ToSql for LtreeParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if ty.name() == "ltree" {
            out.put_u8(1);
        }
        out.put_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty) || ty.name() == "ltree"
    }

    to_sql_checked!();
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

/// The keys and values of an `hstore`; a value may be null.
pub type Hstore = BTreeMap<String, Option<String>>;

#[diagnostic::do_not_recommend]
impl Scalar for Hstore {
    type Base = Self;

    fn decode(raw: &[u8]) -> Result<Self, BoxError> {
        parse_hstore(std::str::from_utf8(raw)?).ok_or_else(|| "it is not an hstore".into())
    }

    fn decode_as(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        use tokio_postgres::fallible_iterator::FallibleIterator;
        if below(ty).name() != "hstore" {
            return Self::decode(raw);
        }
        let pairs = postgres_protocol::types::hstore_from_sql(raw)?;
        pairs.map(|(key, value)| Ok((key.to_owned(), value.map(str::to_owned)))).collect()
    }

    fn into_param(self) -> Param {
        Param::Encoded(Encoded::new(HstoreParam(self)))
    }

    fn accepts(ty: &Type) -> bool {
        below(ty).name() == "hstore"
    }
}

/// Reads what PostgreSQL prints: `"a"=>"1", "b"=>NULL`.
fn parse_hstore(text: &str) -> Option<Hstore> {
    let mut found = Hstore::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, behind) = quoted(rest)?;
        rest = behind.strip_prefix("=>")?;
        let value = match rest.strip_prefix("NULL") {
            Some(behind) => {
                rest = behind;
                None
            }
            None => {
                let (value, behind) = quoted(rest)?;
                rest = behind;
                Some(value)
            }
        };
        found.insert(key, value);
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
    Some(found)
}

/// Reads a string in quotes, and returns what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[derive(Debug, PartialEq)]
struct HstoreParam(Hstore);

impl ToSql for HstoreParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if ty.name() == "hstore" {
            let pairs = self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
            postgres_protocol::types::hstore_to_sql(pairs, out)?;
            return Ok(IsNull::No);
        }
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let pair = |(key, value): (&String, &Option<String>)| {
            format!("{}=>{}", quote(key), value.as_deref().map_or_else(|| "NULL".to_owned(), quote))
        };
        let pairs: Vec<String> = self.0.iter().map(pair).collect();
        pairs.join(",").to_sql(&Type::TEXT, out)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty) || ty.name() == "hstore"
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hstores_survive_their_text() {
        let odd = Hstore::from([
            (String::new(), Some(String::new())),
            ("a\"b\\c".to_owned(), Some("=>, \"\\".to_owned())),
            ("null".to_owned(), None),
            ("NULL".to_owned(), Some("NULL".to_owned())),
        ]);
        let mut out = BytesMut::new();
        odd.clone().into_param().to_sql(&Type::TEXT, &mut out).expect("is written");
        let text =
            String::from_utf8(out.to_vec()).expect("is text").replace("\",\"", "\", \"").replace("NULL,", "NULL, ");
        assert_eq!(parse_hstore(&text), Some(odd));
        for text in ["\"", "\"a\"", "\"a\"=>", "a=>b", "\"a\\", "\"a\"=>\"b"] {
            assert_eq!(parse_hstore(text), None, "{text}");
        }
    }

    #[test]
    fn documents_are_read_from_their_binary_format() {
        let raw = [0, 0, 0, 2, b'c', b'a', b't', 0, 0, 1, 0, 3, b'\'', 0, 0, 2, 0xc0, 1, 0x40, 2];
        assert_eq!(document(&raw).expect("is one"), "'cat':3 '''':1A,2C");
        for length in 0..raw.len() {
            assert!(document(&raw[..length]).is_err());
        }
    }
}
