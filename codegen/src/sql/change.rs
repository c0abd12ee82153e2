//! The differences between two states, in the terms of the schema rather than of SQL.
//!
//! Renames come first and use old names; everything else uses the new ones.

mod temporary;

pub(super) use temporary::Temporary;

use super::state::{
    Check, Column, ConstraintOptions, EnumType, Extension, ForeignKey, Index, ObjectName, Other, PrimaryKey, Sequence,
    Table, TableOptions, UniqueConstraint,
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
        /// The name before.
        from: ObjectName,
        /// The name after.
        to: ObjectName,
    },
    /// A value of an enum has another name.
    RenameLabel {
        /// The enum, after its own rename.
        enum_name: ObjectName,
        /// The label before.
        from: String,
        /// The label after.
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
        /// Where it goes.
        place: Place,
    },
    /// Values were removed or reordered: the type has to be created again.
    ReplaceEnum {
        /// The enum as it is, after renames.
        previous: EnumType,
        /// The enum as it shall be.
        next: EnumType,
        /// What the old type is called until no column has it: a name that nothing else has.
        aside: String,
    },
    /// A dropped enum.
    DropEnum(EnumType),

    /// A sequence has another name.
    RenameSequence {
        /// The name before; its schema is that after the rename of its table.
        from: ObjectName,
        /// The name after.
        to: ObjectName,
    },
    /// A new sequence.
    CreateSequence(Sequence),
    /// A sequence counts in another type.
    AlterSequence(Box<(Sequence, Sequence)>),
    /// A dropped sequence that is not dropped with its column.
    DropSequence(Sequence),

    /// A table has another name or is in another schema.
    RenameTable {
        /// The name before.
        from: ObjectName,
        /// The name after.
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
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// A new column.
    AddColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: Column,
        /// The value of the rows that are there, if the column itself has no default.
        fill: Option<String>,
    },
    /// A column has another type, default or nullability.
    AlterColumn {
        /// The table.
        table: ObjectName,
        /// The column as it is, after renames.
        previous: Box<Column>,
        /// The column as it shall be.
        next: Box<Column>,
        /// `@using`.
        using: Option<String>,
        /// Its enum type is replaced under it.
        enum_replaced: bool,
        /// What is built on it and stays.
        belongings: Box<Belongings>,
    },
    /// A dropped column.
    DropColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: Column,
    },

    /// A key, constraint or index is called otherwise.
    RenameObject {
        /// The table, after its own rename.
        table: ObjectName,
        /// The object as it is.
        object: TableObject,
        /// The name after.
        to: String,
    },
    /// A key, constraint or index is missing.
    AddObject {
        /// The table.
        table: ObjectName,
        /// The object.
        object: TableObject,
    },
    /// A key, constraint or index differs, or has to make way while its columns change.
    ReplaceObject {
        /// The table.
        table: ObjectName,
        /// The object as it is, after renames.
        previous: TableObject,
        /// The object as it shall be.
        next: TableObject,
    },
    /// A key, constraint or index is gone.
    DropObject {
        /// The table.
        table: ObjectName,
        /// The object.
        object: TableObject,
    },

    /// Whether it is written to the log or where its rows are stored is otherwise. Only between two databases.
    AlterTable {
        /// The table.
        table: ObjectName,
        /// As it is.
        previous: TableOptions,
        /// As it shall be.
        next: TableOptions,
    },

    /// An object that no schema contains is missing. Only between two databases, as the next two.
    CreateOther(Other),
    /// It differs; the first has to go before, if it cannot be changed into the second.
    ReplaceOther(Box<(Other, Other)>),
    /// It is gone.
    DropOther(Other),

    /// Something differs that no migration of ours changes: a person has to. Only between two databases.
    Unmigrated(Unmigrated),
}

/// A difference that is reported and not migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmigrated {
    /// What it is: `function`.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// In what way.
    pub how: Differs,
}

/// In what way a thing differs between two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// Only the second one has it.
    Missing,
    /// Only the first one has it.
    Extra,
    /// Both have it, and it is not the same.
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

/// What is built on a column whose type changes, and is not itself a change: a new column in its place has to take it
/// over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Belongings {
    /// Keys and indexes as they are, under their new names.
    pub objects: Vec<TableObject>,
    /// Exclusion constraints that stay, with their columns, where a database was asked.
    pub exclusions: Vec<(String, Vec<String>)>,
    /// Sequences that go away with the column.
    pub sequences: Vec<ObjectName>,
    /// The columns of the table, before and after.
    pub columns: Vec<String>,
}

/// Where a new enum value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// After all others.
    End,
    /// Before that label.
    Before(String),
}

/// What belongs to a table shadows its columns.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TableObject {
    PrimaryKey(PrimaryKey),
    Unique(UniqueConstraint),
    ForeignKey(ForeignKey),
    Check(Check),
    Index(Index),
}

impl TableObject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            TableObject::PrimaryKey(key) => &key.name,
            TableObject::Unique(unique) => &unique.name,
            TableObject::ForeignKey(key) => &key.name,
            TableObject::Check(check) => &check.name,
            TableObject::Index(index) => &index.name,
        }
    }

    /// The columns of the table that it names; those in expressions are left out.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (names, index): (&[String], _) = match self {
            TableObject::PrimaryKey(key) => (&key.columns, None),
            TableObject::Unique(unique) => (&unique.columns, None),
            TableObject::ForeignKey(key) => (&key.columns, None),
            TableObject::Check(_) => (&[], None),
            TableObject::Index(index) => (&index.include, Some(index)),
        };
        let included = match self {
            TableObject::PrimaryKey(_) | TableObject::Unique(_) => self.options().map(|options| &options.include),
            _ => None,
        };
        let names = names.iter().chain(included.into_iter().flatten());
        names.map(String::as_str).chain(index.into_iter().flat_map(Index::columns))
    }

    /// What the schema language cannot say of it; none for an index.
    pub fn options(&self) -> Option<&ConstraintOptions> {
        match self {
            TableObject::PrimaryKey(key) => Some(&key.options),
            TableObject::Unique(unique) => Some(&unique.options),
            TableObject::ForeignKey(key) => Some(&key.options),
            TableObject::Check(check) => Some(&check.options),
            TableObject::Index(_) => None,
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            TableObject::PrimaryKey(_) => "primary key",
            TableObject::Unique(_) => "unique constraint",
            TableObject::ForeignKey(_) => "foreign key",
            TableObject::Check(_) => "check",
            TableObject::Index(Index { unique: true, .. }) => "unique index",
            TableObject::Index(_) => "index",
        }
    }
}
