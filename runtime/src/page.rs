//! Keyset pages: rows, and a token that says where the next page begins.
//!
//! A token holds the values by which its page's last row is ordered, as the database sent them. So the order can have
//! no `@sensitive` column.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::batch::{Parts, Query};
use crate::connection::Handle;
use crate::error::{Error, Result};
use crate::model::{Cursor, Model};
use crate::operation::{Call, Operation, Outcome};
use crate::order::{OrderTerm, signature};
use crate::result::Node;
use crate::select::{PageStart, Select};

/// Where the next page begins.
///
/// As text (`to_string`, `parse`) it has letters, digits, `-` and `_` only. It holds the values of the
/// last row's order and is not encrypted, so the order can have no `@sensitive` column. It fits only a query with the same order; with another one
/// it is refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageToken {
    order: u64,
    pub(crate) values: Vec<Option<Vec<u8>>>,
}

impl PageToken {
    /// The token behind a row whose order has the values that begin at `column`.
    pub(crate) fn of(node: &Node, row: usize, column: usize, order: &[OrderTerm]) -> Self {
        let value = |index| node.raw(row, column + index).map(<[u8]>::to_vec);
        Self { order: fingerprint(order, node), values: (0..order.len()).map(value).collect() }
    }
}

/// FNV-1a: the same on every machine and in every version.
fn fingerprint_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn fingerprint(order: &[OrderTerm], node: &Node) -> u64 {
    fingerprint_of(&signature(order, node.table))
}

/// Why a query cannot be read in pages.
pub(crate) fn refused(select: &Select) -> Option<Error> {
    let start = select.page.as_ref()?;
    if select.from_end && !start.is_backward() {
        return Some(Error::Refused("pages begin behind their token: use `take` rather than `take_last`".to_owned()));
    }
    if select.table.key.is_empty() {
        let reason = format!("{} has no key, so its rows have no order to be paged by", select.table.name);
        return Some(Error::Refused(reason));
    }
    let order = select.total_order();
    let sensitive = order.iter().find_map(|term| term.key.column(select.table).filter(|column| column.sensitive));
    if let Some(column) = sensitive {
        let reason = format!(
            "a page token holds the values of its order, and {} is @sensitive: order by other columns, or begin each \
             page at a row's key with `cursor`, `skip(1)` and `take`",
            column.name
        );
        return Some(Error::Refused(reason));
    }
    let token = start.token()?;
    let fits = token.values.len() == order.len() && token.order == fingerprint_of(&signature(&order, select.table));
    let reason = "this page token belongs to a query with another order: begin again without a token";
    (!fits).then(|| Error::Refused(reason.to_owned()))
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.order.to_be_bytes().to_vec();
        for value in &self.values {
            // No value is as long as the length that stands for null.
            let length = value.as_ref().map_or(u32::MAX, |value| value.len() as u32);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(value.as_deref().unwrap_or_default());
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The values are data of the database's: they are not shown.
impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageToken({} values)", self.values.len())
    }
}

impl FromStr for PageToken {
    type Err = Error;

    /// # Errors
    /// [`Error::Refused`] if the text was not made by a token.
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
        token.ok_or_else(|| Error::Refused("this is not a page token".to_owned()))
    }
}

/// Rows, and where the next ones begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<S> {
    /// At most as many as `take` says.
    pub rows: Vec<S>,
    /// The token of the next page, for `page_after`, if there are more rows.
    pub next: Option<PageToken>,
    /// The token of the page before, for `page_before`, if there are rows in front of these.
    pub previous: Option<PageToken>,
}

/// A read of a page: `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct FindPage<M, S = M> {
    handle: Handle,
    select: Box<Select>,
    finish: fn(Outcome) -> Result<Page<S>>,
    types: PhantomData<fn() -> (M, S)>,
}

impl<M, S> FindPage<M, S> {
    pub(crate) fn new(
        handle: Handle,
        mut select: Box<Select>,
        start: PageStart,
        finish: fn(Outcome) -> Result<Page<S>>,
    ) -> Self {
        select.from_end |= start.is_backward();
        select.page = Some(start);
        Self { handle, select, finish, types: PhantomData }
    }
}

impl<M, S> Clone for FindPage<M, S> {
    fn clone(&self) -> Self {
        let (handle, select) = (self.handle.clone(), self.select.clone());
        Self { handle, select, finish: self.finish, types: PhantomData }
    }
}

impl<M, S> fmt::Debug for FindPage<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.select.fmt(f)
    }
}

impl<M: Model, S: Send + 'static> Query for FindPage<M, S> {
    type Output = Page<S>;

    fn into_parts(self) -> Parts<Page<S>> {
        Parts { operation: Operation::Read(self.select), finish: self.finish }
    }
}

/// Reads each row of a page.
pub(crate) fn page_of<S>(outcome: Outcome, read: impl Fn(Cursor<'_>) -> Result<S>) -> Result<Page<S>> {
    let (node, range, next, previous) = match outcome {
        Outcome::Page { node, rows, next, previous } => (node, rows, next, previous),
        other => {
            let node = other.into_rows()?;
            let range = 0..node.len();
            (node, range, None, None)
        }
    };
    let rows = range.map(|row| read(node.cursor(row))).collect::<Result<_>>()?;
    Ok(Page { rows, next, previous })
}

impl<M: Model, S: Send + 'static> IntoFuture for FindPage<M, S> {
    type Output = Result<Page<S>>;
    type IntoFuture = Call<Page<S>>;

    fn into_future(self) -> Self::IntoFuture {
        self.handle.clone().call(self)
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
