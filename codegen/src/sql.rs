//! The database picture and what it takes to get from one to another.
//!
//! Text and data out, nothing in between touches a database: `lower` makes a [`State`] of a schema,
//! introspection (elsewhere) makes one of a database, and any two can be compared.

mod data_type;
mod expression;
mod normalize;
pub mod quote;
mod state;

pub use data_type::DataType;
pub use state::{
    Check, Column, ColumnDefault, EnumType, Extension, ForeignKey, Identity, Index, IndexPart, IndexTarget, ObjectName,
    PrimaryKey, Sequence, State, Table, UniqueConstraint,
};

/// The two ends of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<T> {
    /// What is there.
    pub previous: T,
    /// What shall be there.
    pub next: T,
}
