//! Privileges on a column.

/// The privileges of one role on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnGrant {
    /// `SELECT`, `UPDATE` and so on.
    pub privileges: Vec<String>,
    /// The role; `None` for PUBLIC.
    pub grantee: Option<String>,
    /// Whether the role may grant them to others.
    pub grantable: bool,
}
