//! Rows of results: how they are stored, matched and read.

mod keys;
mod model;
mod node;
mod raw;
mod reader;
mod take;
mod tree;

pub(crate) use keys::Keys;
pub use model::{FromRow, Materialized, Model, NotIncluded, Scalars, SingleColumn, Slot, SoftDelete, SqlRow, Writable};
pub use node::Cursor;
pub(crate) use node::{KeyedRows, Names, Node, raw_value};
pub use raw::{FromRawRow, RawColumn, RawRow};
pub use reader::Reader;
pub(crate) use take::{ReadRow, RowDecoder};
pub use tree::Tree;
pub(crate) use tree::{Branches, MAX_TREE_DEPTH, paths_of};
