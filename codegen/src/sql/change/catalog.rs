//! Changes of the objects that are not part of tables.

use std::collections::BTreeSet;

use crate::sql::state::{CatalogObject, Need, ObjectKey, ObjectName, User};

/// A change of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum CatalogChange {
    /// It is created.
    Create {
        /// The object.
        object: Box<CatalogObject>,
        /// The tables that need it.
        serves: BTreeSet<ObjectName>,
        /// Whether it was dropped before.
        again: bool,
    },
    /// It is changed in place.
    Alter {
        /// The object.
        object: Box<CatalogObject>,
        /// The statements.
        statements: Vec<String>,
        /// The tables that need it.
        serves: BTreeSet<ObjectName>,
        /// What it no longer needs.
        releases: Vec<Need>,
        /// The tables that no longer have it, if it becomes stricter.
        after: BTreeSet<ObjectName>,
        /// What has it and prevents the change: PostgreSQL does not check the values of a list of a domain, or of a
        /// composite type.
        blocked_by: Vec<String>,
    },
    /// It is dropped.
    Drop {
        /// The object.
        object: Box<CatalogObject>,
        /// Whether it is created again.
        comes_back: bool,
        /// The tables that need it until they change.
        after: BTreeSet<ObjectName>,
        /// What needs it and stays, so that PostgreSQL refuses to drop it.
        blocked_by: Vec<String>,
    },
    /// A part of a table makes way for an object. The changes of the table bring it back.
    Release {
        /// What made way.
        user: User,
        /// The object.
        object: ObjectKey,
        /// The statement.
        sql: String,
    },
}

impl CatalogChange {
    /// Returns its SQL.
    pub fn sql(&self) -> String {
        match self {
            CatalogChange::Create { object, .. } => object.create.clone().unwrap_or_default(),
            CatalogChange::Alter { statements, .. } => statements.join(";\n"),
            CatalogChange::Drop { object, .. } => object.drop.clone(),
            CatalogChange::Release { sql, .. } => sql.clone(),
        }
    }
}
