//! Functions that `tests/it` calls without starting a process. Not part of any public interface.

pub use crate::command::check::compare::compare_types;
pub use crate::command::down::reverse_plan;
pub use crate::compare::difference::{Renames, difference, plan};
pub use crate::compare::endpoint::{Loaded, read_for};
pub use crate::failure::Failure;
pub use crate::introspect::{Scope, introspect};
