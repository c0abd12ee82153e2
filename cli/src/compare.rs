//! The two ends of a comparison, and what differs between them.

pub(crate) mod difference;
pub(crate) mod domains;
pub(crate) mod drift;
pub(crate) mod endpoint;
pub(crate) mod renamed;
