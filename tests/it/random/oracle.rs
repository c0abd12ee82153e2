//! The independent oracle: queries over all rows in memory, with SQL's three truth values.
//!
//! It shares nothing with the client: it reads `query` and `world` only, and no SQL is involved.

mod aggregate;
mod condition;
mod inside;
mod rows;

pub(crate) use aggregate::{aggregate, groups};
pub(crate) use condition::meets;
pub(crate) use rows::{compare, read};
