//! Objects of a database that the schema language cannot express.

use super::{ObjectName, Sequence};

/// An object of a database that the schema language cannot express, as the SQL that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its kind.
    pub kind: OtherKind,
    /// Its name, or the name of the object that it belongs to.
    pub name: String,
    /// The SQL that creates it. Two objects with the same text are the same.
    pub create: String,
    /// The SQL that changes another object of the same name into it; `None` if that one has to be dropped first.
    pub change: Option<String>,
    /// The SQL that drops it.
    pub drop: String,
    /// Its position: it depends on no object that comes after it.
    pub order: u32,
    /// The objects that it depends on.
    pub uses: Vec<Use>,
    /// The view that it belongs to and is dropped with.
    pub part_of: Option<ObjectName>,
    /// Properties to restore after it was created again: its owner and its privileges. Not compared.
    pub restore: Vec<String>,
    /// Whether it is a materialized view that has not been populated.
    pub without_data: bool,
    /// Descriptions of objects that depend on it and cannot be created again with it.
    pub used_by: Vec<String>,
    /// A sequence without an owner, as data: in another database, a column may use it.
    pub sequence: Option<Box<Sequence>>,
}

/// An object that a view or a similar object depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// A table or view.
    Relation(ObjectName),
    /// A column of a table or view.
    Column(ObjectName, String),
    /// A key: `GROUP BY` of a primary key needs it.
    Constraint(ObjectName, String),
}

impl Use {
    /// Returns the table or view that it is, or is part of.
    pub fn relation(&self) -> &ObjectName {
        match self {
            Use::Relation(name) | Use::Column(name, _) | Use::Constraint(name, _) => name,
        }
    }
}

impl Other {
    /// Creates an object that depends on nothing.
    pub fn new(kind: OtherKind, name: String, create: String, drop: String) -> Self {
        Self {
            kind,
            name,
            create,
            change: None,
            drop,
            order: 0,
            uses: Vec::new(),
            part_of: None,
            restore: Vec::new(),
            without_data: false,
            used_by: Vec::new(),
            sequence: None,
        }
    }
}

/// The kind of an object that the schema language cannot express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum OtherKind {
    /// A sequence that no column owns or uses.
    Sequence,
    View,
    MaterializedView,
    /// The five that belong to a view.
    Default,
    Index,
    Statistics,
    /// Storage and statistics settings of a column.
    Settings,
    Rule,
    Trigger,
    Comment,
}

impl std::fmt::Display for OtherKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            OtherKind::Sequence => "sequence",
            OtherKind::View => "view",
            OtherKind::MaterializedView => "materialized view",
            OtherKind::Default => "default of",
            OtherKind::Index => "index",
            OtherKind::Statistics => "statistics",
            OtherKind::Settings => "settings of",
            OtherKind::Rule => "rule",
            OtherKind::Trigger => "trigger",
            OtherKind::Comment => "comment on",
        })
    }
}
