//! The differences between two states, in terms of the schema rather than of SQL.
//!
//! Renames come first and use old names. All other changes use new names.

mod catalog;
mod comment;
mod temporary;

pub use catalog::CatalogChange;
pub use comment::Commented;
pub(super) use temporary::Temporary;

use std::collections::BTreeSet;

use super::state::{
    Audit, AuditLog, Check, Column, ConstraintOptions, Distribution, EnumType, Exclusion, Extension, ForeignKey, Index,
    ObjectName, Other, Policy, PrimaryKey, Sequence, Table, TableOptions, UniqueConstraint,
};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new schema.
    CreateSchema(String),
    /// A new extension.
    CreateExtension(Extension),
    /// An extension has another version or schema.
    AlterExtension(Box<(Extension, Extension)>),
    /// A dropped extension.
    DropExtension(Extension),

    /// An enum has another name or is in another schema.
    RenameEnum {
        /// The old name.
        from: ObjectName,
        /// The new name.
        to: ObjectName,
    },
    /// A value of an enum has another name.
    RenameLabel {
        /// The enum, after its own rename.
        enum_name: ObjectName,
        /// The old label.
        from: String,
        /// The new label.
        to: String,
    },
    /// A new enum.
    CreateEnum(EnumType),
    /// A new value; the other values of the enum do not change.
    AddLabel {
        /// The enum.
        enum_name: ObjectName,
        /// The new label.
        label: String,
        /// Its position.
        place: Place,
    },
    /// Values were removed or reordered, so the type has to be created again.
    ReplaceEnum {
        /// The current enum, after renames.
        previous: EnumType,
        /// The new enum.
        next: EnumType,
        /// The name of the old type until no column has that type. Nothing else has this name.
        temporary_name: String,
    },
    /// A dropped enum.
    DropEnum(EnumType),

    /// A sequence has another name.
    RenameSequence {
        /// The old name. Its schema is that after the rename of its table.
        from: ObjectName,
        /// The new name.
        to: ObjectName,
    },
    /// A new sequence.
    CreateSequence(Sequence),
    /// A sequence has another type or other options.
    AlterSequence(Box<(Sequence, Sequence)>),
    /// A dropped sequence that is not dropped with its column.
    DropSequence(Sequence),

    /// A table has another name or is in another schema.
    RenameTable {
        /// The old name.
        from: ObjectName,
        /// The new name.
        to: ObjectName,
    },
    /// A new table; its foreign keys are separate changes.
    CreateTable(Table),
    /// A dropped table.
    DropTable(Table),

    /// A column has another name.
    RenameColumn {
        /// The table, after its own rename.
        table: ObjectName,
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// A new column.
    AddColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: Column,
        /// The value for existing rows, if the column has no default.
        fill: Option<String>,
    },
    /// A column has another type, default or nullability.
    AlterColumn {
        /// The table.
        table: ObjectName,
        /// The current column, after renames.
        previous: Box<Column>,
        /// The new column.
        next: Box<Column>,
        /// `@using`.
        using: Option<String>,
        /// Whether its enum type is replaced.
        enum_replaced: bool,
        /// Objects that depend on it and stay.
        belongings: Box<Belongings>,
    },
    /// A dropped column.
    DropColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: Column,
    },

    /// A key, constraint or index is renamed.
    RenameObject {
        /// The table, after its own rename.
        table: ObjectName,
        /// The current object.
        object: TableObject,
        /// The new name.
        to: String,
    },
    /// A key, constraint or index is missing.
    AddObject {
        /// The table.
        table: ObjectName,
        /// The object.
        object: TableObject,
    },
    /// A key, constraint or index differs, or must be dropped while its columns change.
    ReplaceObject {
        /// The table.
        table: ObjectName,
        /// The current object, after renames.
        previous: TableObject,
        /// The new object.
        next: TableObject,
    },
    /// A key, constraint or index is dropped.
    DropObject {
        /// The table.
        table: ObjectName,
        /// The object.
        object: TableObject,
    },

    /// The table's storage parameters differ, whether it is logged, or how it is partitioned.
    AlterTable {
        /// The table.
        table: ObjectName,
        /// The current options.
        previous: TableOptions,
        /// The new options.
        next: TableOptions,
        /// Tables that have to change first, if they do.
        after: Vec<ObjectName>,
    },

    /// A policy is missing.
    CreatePolicy {
        /// The table.
        table: ObjectName,
        /// The policy.
        policy: Policy,
    },
    /// A policy differs, or must be dropped while a column that it uses changes.
    ReplacePolicy {
        /// The table.
        table: ObjectName,
        /// The current policy, after renames.
        previous: Box<Policy>,
        /// The new policy.
        next: Box<Policy>,
    },
    /// A policy is dropped.
    DropPolicy {
        /// The table.
        table: ObjectName,
        /// The policy.
        policy: Policy,
    },
    /// Row security differs: whether it is enabled, and whether it is forced on the owner.
    SetRowSecurity {
        /// The table.
        table: ObjectName,
        /// The current state.
        previous: (bool, bool),
        /// The new state.
        next: (bool, bool),
    },
    /// The table of recorded changes is missing, or differs. It is never dropped.
    SetAuditLog {
        /// The current table.
        previous: Option<AuditLog>,
        /// The new table.
        next: AuditLog,
    },
    /// What is recorded of a table differs.
    SetAudit {
        /// The table.
        table: ObjectName,
        /// The table of recorded changes.
        log: ObjectName,
        /// Whether the triggers change before the columns of the table, which they name.
        is_early: bool,
        /// The current triggers.
        previous: Option<Audit>,
        /// The new triggers.
        next: Option<Audit>,
    },
    /// Recorded changes get the new name of their table or of a column, or no longer show the values of a column.
    EditAudit {
        /// The table of recorded changes.
        log: ObjectName,
        /// The table whose changes they are, as they name it.
        table: ObjectName,
        /// What becomes of them.
        what: AuditEdit,
    },
    /// The other changes are made in a database that records the changes of these tables.
    OnAudited(BTreeSet<ObjectName>),
    /// Other changes read or write rows that row security hides from the owner of their table.
    ShowAllTenants,

    /// The rows of a table are elsewhere: Citus distributes them, moves them, or gives them back.
    Distribute {
        /// The table.
        table: ObjectName,
        /// Where its rows are.
        previous: Distribution,
        /// Where they shall be.
        next: Distribution,
        /// The table whose rows are on the same servers, if it is not the first of its group.
        follows: Option<ObjectName>,
        /// Whether the table exists.
        has_rows: bool,
    },
    /// The other changes are made in a database in which Citus has the rows of these tables.
    OnCitus(BTreeSet<ObjectName>),
    /// The other changes are made in a database in which these tables are partitioned.
    OnPartitions(BTreeSet<ObjectName>),
    /// The other changes are made where migrations create these domains.
    OnDomains(BTreeSet<ObjectName>),

    /// A comment differs, or is lost with what it is on and comes back.
    SetComment {
        /// What it is on.
        on: Commented,
        /// The current comment.
        previous: Option<String>,
        /// The new comment.
        next: Option<String>,
    },

    /// An object that no schema declares is missing. Only between two databases, like the next two.
    CreateOther(Other),
    /// It differs. The first one is dropped before, if it cannot be changed into the second.
    ReplaceOther(Box<(Other, Other)>),
    /// It is dropped.
    DropOther(Other),

    /// An object that is not part of a table. Only between two databases.
    Catalog(CatalogChange),

    /// A difference that Relata does not migrate, so a person has to. Only between two databases.
    Unmigrated(Unmigrated),
}

/// What becomes of recorded changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditEdit {
    /// The table has this name now.
    Table(ObjectName),
    /// A column has the second name instead of the first.
    Column(String, String),
    /// The values of this column are no longer shown.
    Mask(String),
}

impl Change {
    /// Returns the tables whose rows Citus has before the changes, if it says so.
    pub(super) fn placed(&self) -> Option<&BTreeSet<ObjectName>> {
        match self {
            Change::OnCitus(tables) => Some(tables),
            _ => None,
        }
    }
}

/// A difference that is reported but not migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmigrated {
    /// The kind of object, such as `function`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The difference.
    pub how: Differs,
}

/// How an object differs between two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// Only the second one has it.
    Missing,
    /// Only the first one has it.
    Extra,
    /// Both have it, but it is not the same.
    Otherwise,
}

impl std::fmt::Display for Unmigrated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.how {
            Differs::Missing => "is missing",
            Differs::Extra => "is not in the other database",
            Differs::Otherwise => "differs",
        };
        write!(f, "{} {} {how}", self.kind, self.name)
    }
}

/// Objects that depend on a column whose type changes, and do not change themselves. A shadow column has to take them
/// over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Belongings {
    /// The current keys and indexes, with their new names.
    pub objects: Vec<TableObject>,
    /// Foreign keys of the column, and checks of the table, that stay.
    pub constraints: Vec<TableObject>,
    /// Exclusion constraints that stay, with their columns.
    pub exclusions: Vec<(String, Vec<String>)>,
    /// Sequences that are dropped with the column.
    pub sequences: Vec<ObjectName>,
    /// The tables that it inherits from.
    pub parents: Vec<ObjectName>,
    /// The columns of the table, before and after.
    pub columns: Vec<String>,
}

/// The position of a new enum value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// After all others.
    End,
    /// Before that label.
    Before(String),
}

/// A part of a table that depends on its columns.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TableObject {
    PrimaryKey(PrimaryKey),
    Unique(UniqueConstraint),
    ForeignKey(ForeignKey),
    Check(Check),
    Index(Index),
    Exclusion(Exclusion),
}

impl TableObject {
    /// Returns its name.
    pub fn name(&self) -> &str {
        match self {
            TableObject::PrimaryKey(key) => &key.name,
            TableObject::Unique(unique) => &unique.name,
            TableObject::ForeignKey(key) => &key.name,
            TableObject::Check(check) => &check.name,
            TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => &index.name,
        }
    }

    /// Returns whether it has storage parameters, or can be deferred.
    pub(in crate::sql) fn is_tuned(&self) -> bool {
        let is_set = |options: &ConstraintOptions| options.deferrable.is_some() || !options.storage.is_empty();
        match self {
            TableObject::PrimaryKey(key) => is_set(&key.options),
            TableObject::Unique(unique) => is_set(&unique.options),
            TableObject::ForeignKey(key) => is_set(&key.options),
            TableObject::Check(_) => false,
            TableObject::Index(index) => !index.storage.is_empty(),
            TableObject::Exclusion(exclusion) => exclusion.deferrable.is_some() || !exclusion.index.storage.is_empty(),
        }
    }

    /// Returns the columns of the table that it names, without those in expressions.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (names, index): (&[String], _) = match self {
            TableObject::PrimaryKey(key) => (&key.columns, None),
            TableObject::Unique(unique) => (&unique.columns, None),
            TableObject::ForeignKey(key) => (&key.columns, None),
            TableObject::Check(_) => (&[], None),
            TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => {
                (&index.include, Some(index))
            }
        };
        let included = match self {
            TableObject::PrimaryKey(_) | TableObject::Unique(_) => self.options().map(|options| &options.include),
            _ => None,
        };
        let names = names.iter().chain(included.into_iter().flatten());
        names.map(String::as_str).chain(index.into_iter().flat_map(Index::columns))
    }

    /// Returns the options; `None` for an index or an exclusion constraint.
    pub fn options(&self) -> Option<&ConstraintOptions> {
        match self {
            TableObject::PrimaryKey(key) => Some(&key.options),
            TableObject::Unique(unique) => Some(&unique.options),
            TableObject::ForeignKey(key) => Some(&key.options),
            TableObject::Check(check) => Some(&check.options),
            TableObject::Index(_) | TableObject::Exclusion(_) => None,
        }
    }

    /// Returns whether it is `NOT VALID`: rows that are there need not satisfy it.
    pub(in crate::sql) fn is_not_valid(&self) -> bool {
        self.options().is_some_and(|options| options.not_valid)
    }

    /// Returns its kind, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            TableObject::PrimaryKey(_) => "primary key",
            TableObject::Unique(_) => "unique constraint",
            TableObject::ForeignKey(_) => "foreign key",
            TableObject::Check(_) => "check",
            TableObject::Index(Index { unique: true, .. }) => "unique index",
            TableObject::Index(_) => "index",
            TableObject::Exclusion(_) => "exclusion constraint",
        }
    }
}
