//! `hstore`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::param::{Param, is_text};
use super::super::postgres::Encoded;
use super::super::scalar::{Scalar, below};
use crate::value::BoxError;

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
}
