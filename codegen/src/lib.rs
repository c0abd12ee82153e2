//! The compiler of Relata: the text of a schema in, Rust files and SQL out.
//!
//! Pure: no database, no clock, no environment; `build` is the one place that touches the disk.

pub mod ir;
pub mod sql;
