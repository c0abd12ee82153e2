//! Calls of Citus.

use crate::sql::quote::{literal, qualified};
use crate::sql::state::{Distribution, ObjectName};

/// Citus refuses some statements after others of the same transaction that it ran on several connections at a time.
pub(super) const RUN_SEQUENTIALLY: &str = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'";

/// Returns the call of a function with a table.
pub(super) fn call(function: &str, table: &ObjectName) -> String {
    format!("SELECT {function}({})", literal(&qualified(table)))
}

/// Returns the call that distributes a table. The first table of a group begins a new one.
pub(super) fn distribute(table: &ObjectName, next: &Distribution, follows: Option<&ObjectName>) -> String {
    match next {
        Distribution::Local => call("undistribute_table", table),
        Distribution::Reference => call("create_reference_table", table),
        Distribution::By { column, .. } => {
            let with = follows.map_or_else(|| "none".to_owned(), qualified);
            format!(
                "SELECT create_distributed_table({}, {}, colocate_with => {})",
                literal(&qualified(table)),
                literal(column),
                literal(&with)
            )
        }
    }
}
