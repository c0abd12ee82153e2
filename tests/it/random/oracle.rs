//! The independent oracle: evaluates queries over all rows in memory, with SQL's three-valued logic.
//!
//! It shares nothing with the client: it reads only `query` and `world`, and uses no SQL.

mod aggregate;
mod condition;
mod inside;
mod rows;

pub(crate) use aggregate::{aggregate, groups};
pub(crate) use condition::meets;
pub(crate) use rows::{compare, read};
