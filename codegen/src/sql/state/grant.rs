//! Privileges on a column.

/// What one role may do with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnGrant {
    /// `SELECT`, `UPDATE` and so on.
    pub privileges: Vec<String>,
    /// The role; none is everybody.
    pub grantee: Option<String>,
    /// Whether the role may pass them on.
    pub grantable: bool,
}
