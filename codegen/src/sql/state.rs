//! The state of a database: the structure that a schema describes, or that introspection finds.
//!
//! Plain data, no SQL text but for the expressions that only PostgreSQL understands. Whoever fills
//! it calls [`State::sort`] at the end; columns stay in the order of their table.

mod grant;
mod options;
mod other;

use super::data_type::{DataType, is_same_name};
use crate::ir::{IndexMethod, ReferentialAction, SortOrder};

pub use super::names::ObjectName;
pub use grant::ColumnGrant;
pub use options::{ColumnOptions, ConstraintOptions, Deferrable, SequenceOptions, TableOptions};
pub use other::{Definition, Other, OtherKind, Use};

/// Everything in a database that the schema language can say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Schemas that are ours to create, other than the connection's default one.
    pub schemas: Vec<String>,
    /// Extensions that are asked for or installed.
    pub extensions: Vec<Extension>,
    /// Enum types.
    pub enums: Vec<EnumType>,
    /// Sequences of columns, owned or only used by a default. Not those of identity columns.
    pub sequences: Vec<Sequence>,
    /// Ordinary and partitioned tables; no views.
    pub tables: Vec<Table>,
    /// Objects that no schema contains. A migration to a schema does not change them.
    pub others: Vec<Other>,
    /// What is compared by its definition and never migrated, where a whole database was asked for.
    pub definitions: Vec<Definition>,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The name in PostgreSQL.
    pub name: String,
    /// The schema it is installed in, if specified.
    pub schema: Option<String>,
    /// Its version, if specified.
    pub version: Option<String>,
}

/// An enum type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// The type.
    pub name: ObjectName,
    /// The labels in their order.
    pub labels: Vec<String>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The sequence.
    pub name: ObjectName,
    /// `SmallInt`, `Integer` or `BigInt`.
    pub ty: DataType,
    /// Table and column that it goes away with.
    pub owned_by: Option<(ObjectName, String)>,
    /// How it counts.
    pub options: SequenceOptions,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The table.
    pub name: ObjectName,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Unique constraints. Prisma's `@unique` is not one: it is a unique index.
    pub uniques: Vec<UniqueConstraint>,
    /// Foreign keys from this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check constraints.
    pub checks: Vec<Check>,
    /// Indexes that no constraint owns.
    pub indexes: Vec<Index>,
    /// Views that read it, where a database was asked.
    pub used_by: Vec<String>,
    /// What the schema language cannot say of it.
    pub options: TableOptions,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, or that of its elements.
    pub ty: DataType,
    /// Whether it is an array of any number of dimensions.
    pub array: bool,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// Its default.
    pub default: Option<ColumnDefault>,
    /// `GENERATED .. AS IDENTITY`.
    pub identity: Option<Identity>,
    /// The expression of `GENERATED ALWAYS AS (..) STORED`.
    pub generated: Option<String>,
    /// The collation as SQL, if it is not that of the type; where a database was asked.
    pub collation: Option<String>,
    /// Views, policies, triggers and generated columns that use it, where a database was asked: with them it can
    /// neither be dropped nor get another type.
    pub used_by: Vec<String>,
    /// What others than the table's owner may do with it, where a database was asked. Not compared.
    pub grants: Vec<ColumnGrant>,
    /// What the schema language cannot say of it.
    pub options: ColumnOptions,
}

/// The default of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnDefault {
    /// One value, without quotes: `5`, `true`, `it's`.
    Literal(String),
    /// An array of values; NULL is not among them.
    List(Vec<String>),
    /// An SQL expression.
    Expression(String),
    /// The next value of a sequence.
    Sequence(ObjectName),
    /// Whatever the database has: never set, changed or dropped.
    Unmanaged,
}

/// Who gives the value of an identity column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Only PostgreSQL.
    Always,
    /// PostgreSQL, where the statement gives none.
    ByDefault,
}

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: String,
    /// Its columns in key order.
    pub columns: Vec<String>,
    /// What the schema language cannot say of it.
    pub options: ConstraintOptions,
}

/// A unique constraint, other than the primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueConstraint {
    /// The constraint's name.
    pub name: String,
    /// Its columns in key order.
    pub columns: Vec<String>,
    /// What the schema language cannot say of it.
    pub options: ConstraintOptions,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The table it points at.
    pub referenced_table: ObjectName,
    /// The columns it points at, in the order of the referencing ones.
    pub referenced_columns: Vec<String>,
    /// What a delete of the referenced row does.
    pub on_delete: ReferentialAction,
    /// What a change of the referenced key does.
    pub on_update: ReferentialAction,
    /// What the schema language cannot say of it.
    pub options: ConstraintOptions,
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// The condition, without `CHECK` and its parentheses.
    pub expression: String,
    /// What the schema language cannot say of it.
    pub options: ConstraintOptions,
}

/// An index, other than those of constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The index's name; it is in the schema of its table.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// The access method.
    pub method: IndexMethod,
    /// What is indexed, in key order.
    pub parts: Vec<IndexPart>,
    /// Columns of `INCLUDE`.
    pub include: Vec<String>,
    /// The condition of a partial index, without `WHERE`.
    pub predicate: Option<String>,
    /// `NULLS NOT DISTINCT`, from PostgreSQL 15 on.
    pub nulls_not_distinct: bool,
    /// Storage parameters: `fillfactor=70`.
    pub storage: Vec<String>,
    /// False for what an interrupted or failed `CREATE INDEX CONCURRENTLY` left: no query uses it.
    pub valid: bool,
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// What is indexed.
    pub target: IndexTarget,
    /// The operator class; none if it is the type's default one.
    pub operator_class: Option<String>,
    /// The name of the type's default operator class, where a database was asked: a schema may name it too.
    pub default_class: Option<String>,
    /// The parameters of the operator class: `siglen=32`.
    pub class_options: Vec<String>,
    /// The collation as SQL, if it is not that of the column; where a database was asked.
    pub collation: Option<String>,
    /// The direction.
    pub sort: SortOrder,
    /// Whether NULLs come first. PostgreSQL's default: only if descending.
    pub nulls_first: bool,
}

/// What one part of an index is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexTarget {
    /// A column.
    Column(String),
    /// An expression, without the parentheses around it.
    Expression(String),
}

impl State {
    /// Brings everything but columns into its order: by schema and name.
    pub fn sort(&mut self) {
        self.schemas.sort();
        self.schemas.dedup();
        self.extensions.sort_by(|a, b| a.name.cmp(&b.name));
        self.enums.sort_by(|a, b| a.name.cmp(&b.name));
        self.sequences.sort_by(|a, b| a.name.cmp(&b.name));
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        self.others.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        self.definitions.sort();
        for table in &mut self.tables {
            table.uniques.sort_by(|a, b| a.name.cmp(&b.name));
            table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
            table.checks.sort_by(|a, b| a.name.cmp(&b.name));
            table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    /// The table of that name, in a sorted state.
    pub fn table(&self, name: &ObjectName) -> Option<&Table> {
        let at = self.tables.binary_search_by(|table| table.name.cmp(name)).ok()?;
        self.tables.get(at)
    }

    /// The enum type of that name, in a sorted state.
    pub fn enum_type(&self, name: &ObjectName) -> Option<&EnumType> {
        let at = self.enums.binary_search_by(|ty| ty.name.cmp(name)).ok()?;
        self.enums.get(at)
    }

    /// The sequence of that name, in a sorted state.
    pub fn sequence(&self, name: &ObjectName) -> Option<&Sequence> {
        let at = self.sequences.binary_search_by(|sequence| sequence.name.cmp(name)).ok()?;
        self.sequences.get(at)
    }
}

impl Table {
    /// A table without anything in it.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            used_by: Vec::new(),
            options: TableOptions::default(),
        }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    /// Whether PostgreSQL can only drop it and add it again: one that is computed in another way, or only when it is read.
    pub fn is_recreated(&self, next: &Self) -> bool {
        let computed = |column: &Self| column.generated.is_some() && column.options.is_virtual;
        computed(self) != computed(next) || (next.generated.is_some() && self.generated != next.generated)
    }

    /// Whether its type has to change for it to become the other: also that text is compared in another way.
    pub fn is_retyped(&self, next: &Self) -> bool {
        let same_collation = match (&self.collation, &next.collation) {
            (Some(a), Some(b)) => is_same_name(a, b),
            (a, b) => a == b,
        };
        !self.ty.is_same(&next.ty) || self.array != next.array || !same_collation
    }
}

impl IndexPart {
    /// A column, ascending, NULLs last, with the default operator class.
    pub fn column(name: &str) -> Self {
        Self {
            target: IndexTarget::Column(name.to_owned()),
            operator_class: None,
            default_class: None,
            class_options: Vec::new(),
            collation: None,
            sort: SortOrder::Asc,
            nulls_first: false,
        }
    }
}

impl Index {
    /// The index of a primary key or unique constraint.
    pub fn of_key(name: String, columns: &[String], options: &ConstraintOptions) -> Self {
        Self {
            name,
            unique: true,
            method: IndexMethod::BTree,
            parts: columns.iter().map(|column| IndexPart::column(column)).collect(),
            include: options.include.clone(),
            predicate: None,
            nulls_not_distinct: options.nulls_not_distinct,
            storage: options.storage.clone(),
            valid: true,
        }
    }

    /// Whether it indexes plain columns of all rows, as a key does.
    pub fn is_plain(&self) -> bool {
        self.predicate.is_none() && self.parts.iter().all(|part| matches!(part.target, IndexTarget::Column(_)))
    }

    /// The columns it is built on; expressions are left out.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.target {
            IndexTarget::Column(name) => Some(name.as_str()),
            IndexTarget::Expression(_) => None,
        })
    }
}
