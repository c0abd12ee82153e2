//! The start of a page, and the token of the next page.
//!
//! A token contains the sort values of its page's last row, as the database sent them. So the order must not contain a
//! `@sensitive` column.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::order::{OrderTerm, signature};
use crate::error::{Error, Result};
use crate::meta::Table;
use crate::rows::Node;

/// Where the next page begins.
///
/// As text (`to_string`, `parse`), a token consists of letters, digits, `-` and `_`. It contains the sort values of the
/// last row and is not encrypted, so the order must not contain a `@sensitive` column. A query with another order
/// refuses the token. With the feature `serde`, it is read and written as this text.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let text = db.student().find_many().take(50).page_after(None).await?.next.map(|token| token.to_string());
///
/// // Later, in another request:
/// let token: Option<relata::PageToken> = text.map(|text| text.parse()).transpose()?;
/// let page = db.student().find_many().take(50).page_after(token).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageToken {
    order: u64,
    pub(crate) values: Vec<Option<Vec<u8>>>,
}

impl PageToken {
    /// Returns the token after a row whose sort values begin at `column`.
    pub(crate) fn of(node: &Node, row: usize, column: usize, order: &[OrderTerm]) -> Self {
        let value = |index| node.raw(row, column + index).map(<[u8]>::to_vec);
        Self { order: fingerprint(order, node.table), values: (0..order.len()).map(value).collect() }
    }

    /// Returns whether it belongs to a query with this order.
    pub(crate) fn fits(&self, order: &[OrderTerm], table: &'static Table) -> bool {
        self.values.len() == order.len() && self.order == fingerprint(order, table)
    }
}

/// FNV-1a: the same on every machine and in every version.
fn fingerprint_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn fingerprint(order: &[OrderTerm], table: &'static Table) -> u64 {
    fingerprint_of(&signature(order, table))
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.order.to_be_bytes().to_vec();
        for value in &self.values {
            // No value is as long as the length that represents null.
            let length = value.as_ref().map_or(u32::MAX, |value| value.len() as u32);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(value.as_deref().unwrap_or_default());
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The token as a string.
#[cfg(feature = "serde")]
impl serde::Serialize for PageToken {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for PageToken {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The values come from the database, so they are not shown.
impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageToken({} values)", self.values.len())
    }
}

impl FromStr for PageToken {
    type Err = Error;

    /// # Errors
    /// [`Error::InvalidPageToken`] if the text is not a page token.
    fn from_str(text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let token = bytes.and_then(|bytes| {
            let (order, mut rest) = bytes.split_first_chunk::<8>()?;
            let mut values = Vec::new();
            while !rest.is_empty() {
                let (length, behind) = rest.split_first_chunk::<4>()?;
                let (value, behind) = match u32::from_be_bytes(*length) {
                    u32::MAX => (None, behind),
                    length => {
                        let (value, behind) = behind.split_at_checked(length as usize)?;
                        (Some(value.to_vec()), behind)
                    }
                };
                values.push(value);
                rest = behind;
            }
            Some(PageToken { order: u64::from_be_bytes(*order), values })
        });
        token.ok_or(Error::InvalidPageToken)
    }
}

#[cfg(test)]
mod tests {
    use super::PageToken;

    #[test]
    fn a_token_survives_as_text() {
        let token = PageToken { order: 7, values: vec![Some(vec![0, 255]), None, Some(Vec::new())] };
        let text = token.to_string();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{text}");
        assert_eq!(text.parse::<PageToken>().expect("is a token"), token);
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "?", "AAAA", "AAAAAAAAAAAAAA", "____________________"] {
            assert!(text.parse::<PageToken>().is_err(), "{text}");
        }
    }
}

/// The start of a page.
#[derive(Debug, Clone)]
pub(crate) enum PageStart {
    First,
    After(PageToken),
    Last,
    Before(PageToken),
}

impl PageStart {
    pub(crate) fn token(&self) -> Option<&PageToken> {
        match self {
            PageStart::After(token) | PageStart::Before(token) => Some(token),
            PageStart::First | PageStart::Last => None,
        }
    }

    /// Returns whether the page ends there, rather than begins.
    pub(crate) fn is_backward(&self) -> bool {
        matches!(self, PageStart::Last | PageStart::Before(_))
    }
}
