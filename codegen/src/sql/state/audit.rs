//! Recorded changes: what is recorded of a table, and the table of changes.

use super::ObjectName;

/// The name of the table of changes, of its function and of the triggers.
pub use crate::ir::AUDIT_TABLE as AUDIT;

/// The trigger that records that a table was emptied.
pub const AUDIT_TRUNCATE: &str = "_relata_audit_truncate";

/// What triggers record of a table's rows. The names are those of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The primary key.
    pub key: Vec<String>,
    /// Columns whose values are not shown. Sorted.
    pub masked: Vec<String>,
    /// Columns that are left out. Sorted.
    pub except: Vec<String>,
    /// The column with the tenant of the row.
    pub tenant: Option<String>,
    /// Whether the table has all of its triggers, as migrations create them. Only a live database may lack one.
    pub complete: bool,
}

/// The table of changes, and its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    /// The table. The function has the same name.
    pub name: ObjectName,
    /// If tenants may read only their own changes: the type that the setting `relata.tenant` is cast to, or an empty text.
    pub tenants: Option<String>,
    /// Whether the table, its policies and its function are what migrations create. Only in a live database they may not be.
    pub complete: bool,
}
