//! Objects of a database that the schema language has no word for.

use super::{ObjectName, Sequence};

/// An object that two databases are compared in, and that no migration of ours makes: a function, a policy, a partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Definition {
    /// What it is, in the words of PostgreSQL: `function`.
    pub kind: String,
    /// What it is called: `total(integer)`, `audit on orders`.
    pub name: String,
    /// Everything about it. It may hold a secret, so it is compared and never shown.
    pub text: String,
}

/// A thing of a database that the schema language has no word for, as the SQL that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// What it is.
    pub kind: OtherKind,
    /// What it is called, or what it is about.
    pub name: String,
    /// What makes it. Two with the same text are the same.
    pub create: String,
    /// What makes another one of the name into it; none if that has to go before.
    pub change: Option<String>,
    /// What takes it away.
    pub drop: String,
    /// Its place among the others: it needs none that comes after it.
    pub order: u32,
    /// What it depends on.
    pub uses: Vec<Use>,
    /// The view that it belongs to and goes away with.
    pub part_of: Option<ObjectName>,
    /// What has to be restored after it was created again: its owner and its privileges. Not compared.
    pub restore: Vec<String>,
    /// A materialized view without rows yet.
    pub without_data: bool,
    /// Descriptions of what depends on it and cannot be created again with it.
    pub used_by: Vec<String>,
    /// A free sequence as data: another database may have it behind a column.
    pub sequence: Option<Box<Sequence>>,
}

/// What a view or the like depends on.
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
    /// The table or view that it is, or is part of.
    pub fn relation(&self) -> &ObjectName {
        match self {
            Use::Relation(name) | Use::Column(name, _) | Use::Constraint(name, _) => name,
        }
    }
}

impl Other {
    /// A thing that depends on nothing.
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

/// What the schema language does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum OtherKind {
    /// One that no column owns or counts with.
    Sequence,
    View,
    MaterializedView,
    Exclusion,
    /// The five of a view.
    Default,
    Index,
    Statistics,
    /// How a column is stored and counted.
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
            OtherKind::Exclusion => "exclusion constraint",
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
