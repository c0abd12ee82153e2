//! What all lists have in common: `?sort=-priority,due&size=20&after=TOKEN&deleted=true`.

use relata::PageToken;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Listing {
    /// Sort keys with commas between them; `-` before one sorts in descending order.
    #[serde(default)]
    pub(crate) sort: String,
    size: Option<u64>,
    /// The `next` of the page before.
    pub(crate) after: Option<PageToken>,
    /// Only what is deleted.
    #[serde(default)]
    pub(crate) deleted: bool,
}

impl Listing {
    pub(crate) fn size(&self) -> u64 {
        self.size.unwrap_or(20).clamp(1, 100)
    }
}
