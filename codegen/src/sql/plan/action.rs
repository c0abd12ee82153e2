//! The actions of a migration, as data.

use super::super::change::{AuditEdit, Belongings, CatalogChange, Commented, Place, TableObject};
use super::super::data_type::DataType;
use super::super::state::{
    Audit, AuditLog, Column, Distribution, EnumType, Extension, Index, ObjectName, Other, Policy, Sequence,
    SequenceOptions, Table, TableOptions,
};
use super::belongings::Noted;

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
    /// `replaced_by`: the new type, if this is the old type of an enum that is replaced.
    DropEnum {
        name: ObjectName,
        replaced_by: Option<ObjectName>,
    },

    CreateSequence(Sequence),
    SetSequenceType {
        sequence: ObjectName,
        ty: DataType,
    },
    /// Includes the sequence's type, because its bounds apply to both the old and the new options.
    SetSequenceOptions {
        sequence: ObjectName,
        ty: Option<DataType>,
        previous: SequenceOptions,
        next: SequenceOptions,
    },
    /// Dropping a column no longer drops the sequence.
    DisownSequence(ObjectName),
    /// Ends an identity before the column gets another type, and frees the name of its sequence, which the next sequence of
    /// the column can get.
    DropIdentity {
        table: ObjectName,
        column: String,
        next: Option<ObjectName>,
    },
    /// Lets a column no longer be generated. PostgreSQL refuses that in the statement that converts its values, or that drops
    /// a column of its expression.
    DropExpression {
        table: ObjectName,
        previous: Box<Column>,
        next: Box<Column>,
    },
    /// Releases the sequence of a default, so that it is dropped before the column gets an identity, whose sequence then
    /// has the usual name.
    DropDefault {
        table: ObjectName,
        column: String,
        sequence: ObjectName,
    },
    /// Sets the sequence of an identity column to continue after the values of the column.
    AdvanceIdentity {
        table: ObjectName,
        column: String,
        options: SequenceOptions,
    },
    /// `LOGGED` or `UNLOGGED`, and storage parameters.
    AlterTable {
        table: ObjectName,
        previous: TableOptions,
        next: TableOptions,
        /// Tables that change first, if they do.
        after: Vec<ObjectName>,
    },
    /// A change that PostgreSQL has no statement for: fails, and says what to write instead.
    Repartition {
        table: ObjectName,
        previous: TableOptions,
        next: TableOptions,
    },
    /// Sets the sequence to continue after the largest value of a column.
    AdvanceSequence {
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

    /// Includes its primary key, unique constraints and checks. Indexes and foreign keys are separate steps.
    CreateTable {
        table: Table,
        serial: Vec<String>,
    },
    DropTable(Table),
    AddColumns {
        table: ObjectName,
        columns: Vec<ColumnSpec>,
    },
    /// Changes types, defaults and nullability of any number of columns, with at most one rewrite.
    AlterColumns {
        table: ObjectName,
        alterations: Vec<Alteration>,
    },
    /// Drops defaults that were set only to fill existing rows.
    DropDefaults {
        table: ObjectName,
        columns: Vec<String>,
    },
    /// Sets the new default in rows without a value.
    Backfill {
        table: ObjectName,
        column: String,
    },
    /// Like `Backfill`, but in batches of pages, each in its own transaction. Can run again.
    BackfillInBatches {
        table: ObjectName,
        column: String,
    },
    /// `proven`: a validated check excludes NULL, so PostgreSQL does not scan the table.
    SetNotNull {
        table: ObjectName,
        column: String,
        proven: bool,
    },
    DropColumns {
        table: ObjectName,
        columns: Vec<Column>,
    },

    /// `holds`: existing rows are known to satisfy it.
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
    /// Turns a unique index into a primary key or unique constraint; the index gets the name of the constraint.
    AddUsingIndex {
        table: ObjectName,
        object: TableObject,
        index: String,
    },
    /// Adds a foreign key or check for new rows; existing rows are not checked.
    AddNotValid {
        table: ObjectName,
        object: TableObject,
    },
    /// Checks existing rows. `column`: the check is a temporary substitute for NOT NULL of that column.
    Validate {
        table: ObjectName,
        object: TableObject,
        column: Option<String>,
        holds: bool,
    },

    CreatePolicy {
        table: ObjectName,
        policy: Policy,
    },
    DropPolicy {
        table: ObjectName,
        policy: Policy,
    },
    /// Whether row security is enabled, and whether it is forced on the owner.
    SetRowSecurity {
        table: ObjectName,
        previous: (bool, bool),
        next: (bool, bool),
    },
    /// Creates the table of recorded changes and its function, or completes them. `previous`: the table that becomes it.
    SetAuditLog {
        previous: Option<ObjectName>,
        log: AuditLog,
    },
    /// Creates, replaces or drops the triggers that record the changes of a table.
    SetAudit {
        table: ObjectName,
        log: ObjectName,
        is_early: bool,
        replaces: bool,
        next: Option<Audit>,
    },
    /// Lets recorded changes follow a new name, or hides values in them.
    EditAudit {
        log: ObjectName,
        table: ObjectName,
        what: AuditEdit,
    },
    /// Lets Citus take the rows of a table. `follows`: the table whose rows are on the same servers.
    Distribute {
        table: ObjectName,
        next: Distribution,
        follows: Option<ObjectName>,
        has_rows: bool,
    },
    /// Removes the rows that Citus has copied from the table itself.
    ClearLocalRows(ObjectName),
    /// Lets Citus give back the rows of a table.
    Undistribute(ObjectName),
    /// Lets Citus change one part of a table after the other, so that all steps of the transaction use one connection to
    /// each server.
    RunSequentially,
    /// Lets the session see the rows of all tenants from here on.
    ShowAllTenants,

    SetComment {
        on: Commented,
        text: Option<String>,
    },

    /// An object that is not part of a table is created, changed or dropped.
    Catalog(CatalogChange),
    /// Lets functions be created before what their bodies name.
    TrustBodies,
    /// Warns of functions whose bodies fail: what `DROP FUNCTION` calls them.
    CheckBodies(Vec<String>),
    /// Notes what belongs to objects that are created again: owners, privileges, comments, triggers, rules and indexes.
    NoteBelongings(Vec<Noted>),
    /// Gives the objects back what was noted.
    RestoreBelongings,
    CreateOther(Other),
    ChangeOther(Other),
    DropOther(Other),
    /// Restores a property of an object that was created again: its owner, its privileges.
    Restore {
        order: u32,
        sql: String,
    },

    /// Fails if an object that the plan does not know depends on columns that are about to be replaced.
    Guard(Guard),
    /// Fails if several rows would have the same key.
    GuardUnique(UniqueGuard),
    /// Creates the function of the sync trigger, which computes shadow columns.
    CreateSyncFunction {
        table: ObjectName,
        function: ObjectName,
        columns: Vec<ShadowColumn>,
    },
    /// Runs the function before each row is written.
    CreateSyncTrigger {
        table: ObjectName,
        function: ObjectName,
    },
    /// Enables the trigger also for rows written by replication.
    EnableSyncTriggerAlways {
        table: ObjectName,
    },
    DropSyncTrigger {
        table: ObjectName,
    },
    DropSyncFunction {
        function: ObjectName,
    },
    /// Computes the shadow columns of existing rows. Can run again.
    FillShadowColumns {
        table: ObjectName,
        columns: Vec<ShadowColumn>,
    },
    Analyze(ObjectName),
    /// Replaces the old columns by the shadow columns: several statements that run as one.
    Cutover {
        tables: Vec<ObjectName>,
        actions: Vec<Action>,
    },
    /// Continues the numbers of an identity column in another identity column.
    TransferIdentity {
        table: ObjectName,
        from: String,
        to: String,
    },
    /// Renames the sequence of an identity column to the name that PostgreSQL would choose.
    RenameIdentitySequence {
        table: ObjectName,
        column: String,
    },
    TransferComment {
        table: ObjectName,
        from: String,
        to: String,
    },
}

/// The objects that may depend on columns that are replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The tables and columns, and whether each is an identity.
    pub columns: Vec<(ObjectName, String, bool)>,
    /// Constraints and indexes that the plan creates again, with their tables.
    pub known: Vec<(ObjectName, String)>,
    /// Those of them that have storage parameters or can be deferred, as a schema says.
    pub tuned: Vec<(ObjectName, String)>,
    /// Constraints and indexes that are dropped before the columns are replaced, with their tables.
    pub dropped: Vec<(ObjectName, String)>,
    /// Policies that the plan creates again, with their tables.
    pub policies: Vec<(ObjectName, String)>,
    /// Columns that are no longer generated, or no longer there, when the columns are replaced, with their tables.
    pub generated: Vec<(ObjectName, String)>,
    /// Sequences that the new columns will own.
    pub sequences: Vec<ObjectName>,
}

/// A unique key whose values change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueGuard {
    /// The table.
    pub table: ObjectName,
    /// The table and the key, in words.
    pub key: String,
    /// The new values, as SQL over the old rows.
    pub values: Vec<String>,
    /// The condition of a partial index.
    pub condition: Option<String>,
    /// Whether NULL equals NULL.
    pub nulls_equal: bool,
    /// Whether it needs more than columns and PostgreSQL's own types.
    pub(super) is_custom: bool,
}

/// A column that replaces another one at the cutover.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowColumn {
    /// Its name until then.
    pub name: String,
    /// The alteration that it carries out.
    pub alteration: Alteration,
}

/// A column to add.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    /// The column.
    pub column: Column,
    /// Whether it is written as a serial type, which creates its sequence.
    pub serial: bool,
    /// The value of existing rows, if the column has no default.
    pub fill: Option<String>,
}

/// A change of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Alteration {
    /// The column before.
    pub previous: Column,
    /// The column after.
    pub next: Column,
    /// Whether its type changes.
    pub retyped: bool,
    /// The expression of `USING`.
    pub using: Option<String>,
    /// Whether the default has to be set again.
    pub redefaulted: bool,
    /// Whether a later step sets NOT NULL, after a backfill.
    pub not_null_later: bool,
    /// Whether an earlier step lets it no longer be generated.
    pub expression_dropped: bool,
    /// The objects that depend on it and stay.
    pub belongings: Box<Belongings>,
}

impl ShadowColumn {
    /// The column as it is added: nullable, and without a value.
    pub(super) fn column(&self) -> Column {
        let next = &self.alteration.next;
        Column { name: self.name.clone(), nullable: true, default: None, identity: None, ..next.clone() }
    }

    /// The expression that computes its value from the old row.
    pub(in crate::sql) fn value(&self) -> String {
        let Alteration { using, next, .. } = &self.alteration;
        using.clone().unwrap_or_else(|| crate::sql::quote::ident(&next.name))
    }
}

impl Alteration {
    /// Whether it does more than set NOT NULL.
    pub(super) fn changes_more(&self) -> bool {
        let Self { previous, next, .. } = self;
        self.retyped
            || self.redefaulted
            || previous.identity != next.identity
            || previous.options != next.options
            || (previous.generated != next.generated && !self.expression_dropped)
            || (!previous.nullable && next.nullable)
    }
}
