//! What a command prints and asks.

pub(crate) mod ask;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod say;
