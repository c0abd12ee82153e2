//! What one statement does.

use super::super::change::{Belongings, Place, TableObject};
use super::super::data_type::DataType;
use super::super::state::{
    Column, EnumType, Extension, Index, ObjectName, Other, Sequence, SequenceOptions, Table, TableOptions,
};

/// One statement, as data.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each is the statement of that name")]
pub enum Action {
    CreateSchema(String),
    CreateExtension(Extension),
    UpdateExtension {
        name: String,
        version: String,
    },
    MoveExtension {
        name: String,
        schema: String,
    },
    DropExtension(String),

    RenameEnum {
        from: ObjectName,
        to: String,
    },
    MoveEnum {
        from: ObjectName,
        schema: String,
    },
    RenameLabel {
        enum_name: ObjectName,
        from: String,
        to: String,
    },
    RenameTable {
        from: ObjectName,
        to: String,
    },
    MoveTable {
        from: ObjectName,
        schema: String,
    },
    RenameColumn {
        table: ObjectName,
        from: String,
        to: String,
    },
    RenameSequence {
        from: ObjectName,
        to: String,
    },
    RenameObject {
        table: ObjectName,
        object: TableObject,
        to: String,
    },

    AddLabel {
        enum_name: ObjectName,
        label: String,
        place: Place,
    },
    CreateEnum(EnumType),
    /// `replaced_by`: the new type of an enum that is made anew, of which this is the old one.
    DropEnum {
        name: ObjectName,
        replaced_by: Option<ObjectName>,
    },

    CreateSequence(Sequence),
    SetSequenceType {
        sequence: ObjectName,
        ty: DataType,
    },
    /// Together with its type, whose bounds hold for the ones before and the ones after.
    SetSequenceOptions {
        sequence: ObjectName,
        ty: Option<DataType>,
        previous: SequenceOptions,
        next: SequenceOptions,
    },
    /// No column takes it along any more.
    DisownSequence(ObjectName),
    /// Lets go of the sequence of an identity column, whose name the next one of the column may get.
    DropIdentity {
        table: ObjectName,
        column: String,
        next: ObjectName,
    },
    /// Makes an identity column go on after its largest value.
    CatchUpIdentity {
        table: ObjectName,
        column: String,
    },
    /// `LOGGED` or `UNLOGGED`, and storage parameters.
    AlterTable {
        table: ObjectName,
        previous: TableOptions,
        next: TableOptions,
    },
    /// Makes the sequence go on after the largest value of a column.
    CatchUpSequence {
        sequence: ObjectName,
        table: ObjectName,
        column: String,
    },
    OwnSequence {
        sequence: ObjectName,
        table: ObjectName,
        column: String,
    },
    DropSequence(ObjectName),

    /// With primary key, unique constraints and checks; indexes and foreign keys are their own steps.
    CreateTable {
        table: Table,
        serial: Vec<String>,
    },
    DropTable(Table),
    AddColumns {
        table: ObjectName,
        columns: Vec<ColumnSpec>,
    },
    /// Types, defaults and nullability of any number of columns: one rewrite at most.
    AlterColumns {
        table: ObjectName,
        alterations: Vec<Alteration>,
    },
    /// Takes away the default that only filled the rows which were there.
    DropDefaults {
        table: ObjectName,
        columns: Vec<String>,
    },
    /// Gives rows without a value the new default.
    Backfill {
        table: ObjectName,
        column: String,
    },
    /// The same page by page, each batch in a transaction of its own. May run twice.
    BackfillInBatches {
        table: ObjectName,
        column: String,
    },
    /// `proven`: a valid check says that there is no NULL, so that PostgreSQL need not look.
    SetNotNull {
        table: ObjectName,
        column: String,
        proven: bool,
    },
    DropColumns {
        table: ObjectName,
        columns: Vec<Column>,
    },

    /// `holds`: the rows are known to fulfil it.
    AddObject {
        table: ObjectName,
        object: TableObject,
        holds: bool,
    },
    DropObject {
        table: ObjectName,
        object: TableObject,
    },

    CreateIndexConcurrently {
        table: ObjectName,
        index: Index,
        holds: bool,
    },
    DropIndexConcurrently {
        table: ObjectName,
        index: String,
    },
    /// Makes a primary key or unique constraint of a unique index, which takes the constraint's name.
    AddUsingIndex {
        table: ObjectName,
        object: TableObject,
        index: String,
    },
    /// A foreign key or check that new rows have to fulfil; old ones are not looked at.
    AddNotValid {
        table: ObjectName,
        object: TableObject,
    },
    /// Looks at the old rows. `column`: the check only stands in for NOT NULL of that column.
    Validate {
        table: ObjectName,
        object: TableObject,
        column: Option<String>,
        holds: bool,
    },

    CreateOther(Other),
    ChangeOther(Other),
    DropOther(Other),
    /// What has to be said again of something that was made anew: its owner, its privileges.
    Restore {
        order: u32,
        sql: String,
    },

    /// Fails if something that is not known is built on columns which are about to be replaced.
    Guard(Guard),
    /// Makes the function by which new columns follow the old ones.
    CreateFollower {
        table: ObjectName,
        function: ObjectName,
        columns: Vec<Beside>,
    },
    /// Lets it run before each row is written.
    Follow {
        table: ObjectName,
        function: ObjectName,
    },
    /// Also for rows that come by replication.
    FollowAlways {
        table: ObjectName,
    },
    Unfollow {
        table: ObjectName,
    },
    DropFollower {
        function: ObjectName,
    },
    /// Gives the rows that are there their values in the new columns. May run twice.
    FillBeside {
        table: ObjectName,
        columns: Vec<Beside>,
    },
    Analyze(ObjectName),
    /// Several statements as one: the new columns take the place of the old ones.
    Swap {
        tables: Vec<ObjectName>,
        actions: Vec<Action>,
    },
    /// The count goes on in the identity of another column.
    CarryIdentity {
        table: ObjectName,
        from: String,
        to: String,
    },
    /// The sequence of an identity column gets the name that PostgreSQL would give it.
    NameIdentity {
        table: ObjectName,
        column: String,
    },
    CarryComment {
        table: ObjectName,
        from: String,
        to: String,
    },
}

/// What may be built on columns that are replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The tables and columns, and whether each is an identity.
    pub columns: Vec<(ObjectName, String, bool)>,
    /// Constraints and indexes that are made anew, with their tables.
    pub known: Vec<(ObjectName, String)>,
    /// Sequences that the new columns will own.
    pub sequences: Vec<ObjectName>,
}

/// A new column, until it takes the place of an old one.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// What it is called until then.
    pub name: String,
    /// What it is made for.
    pub alteration: Alteration,
}

/// A column that comes.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    /// The column.
    pub column: Column,
    /// Written as a serial type, which makes its sequence.
    pub serial: bool,
    /// The default for the rows that are there.
    pub fill: Option<String>,
}

/// A column that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Alteration {
    /// As it is.
    pub previous: Column,
    /// As it shall be.
    pub next: Column,
    /// Whether its type changes.
    pub retyped: bool,
    /// The expression of `USING`.
    pub using: Option<String>,
    /// Whether the default has to be set anew.
    pub redefaulted: bool,
    /// NOT NULL is set by a later step, after a backfill.
    pub not_null_later: bool,
    /// What is built on it and stays.
    pub belongings: Box<Belongings>,
}

impl Beside {
    /// The column as it is added: without a value, and free to stay so.
    pub(super) fn column(&self) -> Column {
        let next = &self.alteration.next;
        Column { name: self.name.clone(), nullable: true, default: None, identity: None, ..next.clone() }
    }

    /// The new value, from the old row.
    pub(in crate::sql) fn value(&self) -> String {
        let Alteration { using, next, .. } = &self.alteration;
        using.clone().unwrap_or_else(|| crate::sql::quote::ident(&next.name))
    }
}

impl Alteration {
    /// Whether it does anything beside setting NOT NULL.
    pub(super) fn changes_more(&self) -> bool {
        let Self { previous, next, .. } = self;
        self.retyped
            || self.redefaulted
            || previous.identity != next.identity
            || previous.options != next.options
            || previous.generated != next.generated
            || (!previous.nullable && next.nullable)
    }
}
