//! What the tests in `tests/it` call without a process of its own: no part of any interface.

pub use crate::command::check::compare::compare_types;
pub use crate::command::down::reverse_plan;
pub use crate::compare::difference::{Renames, difference, plan};
pub use crate::compare::endpoint::Loaded;
pub use crate::failure::Failure;
pub use crate::introspect::{Scope, introspect};
