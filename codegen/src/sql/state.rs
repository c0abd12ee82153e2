//! The state of a database: the structure that a schema describes, or that introspection finds.
//!
//! Plain data, without SQL text except for expressions that only PostgreSQL understands. Code that creates a state
//! calls [`State::sort`] at the end. Columns stay in the order of their table.

mod audit;
mod catalog;
mod distribution;
mod grant;
mod options;
mod other;
mod partition;
mod row_security;

use super::data_type::{DataType, is_same_name};
use super::quote::qualified;
use crate::ir::{IndexMethod, ReferentialAction, SortOrder};

pub use super::names::ObjectName;
pub use crate::ir::{Deferrable, SequenceOptions};
pub use audit::{AUDIT, AUDIT_TRUNCATE, Audit, AuditLog};
pub use catalog::{
    Acl, Catalog, CatalogObject, CatalogPart, DefaultGrant, Managed, Nature, Need, ObjectInSchema, ObjectKey, Usage,
    User, ViewInSchema,
};
pub use distribution::Distribution;
pub use grant::ColumnGrant;
pub use options::{ColumnOptions, ConstraintOptions, TableOptions};
pub use other::{Other, OtherKind, Use};
pub use partition::PartitionKey;
pub(in crate::sql) use partition::repartitioned;
pub use row_security::{
    ACROSS_TENANTS_POLICY, Policy, PolicyCondition, RowSecurity, TENANT_POLICY, TenantJoin, TenantWay,
};

/// Everything in a database that the schema language can express.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Schemas to create, other than the connection's default one.
    pub schemas: Vec<String>,
    /// Extensions that are required or installed.
    pub extensions: Vec<Extension>,
    /// Enum types.
    pub enums: Vec<EnumType>,
    /// Sequences that a column owns or uses as its default, without those of identity columns.
    pub sequences: Vec<Sequence>,
    /// Ordinary and partitioned tables, without views.
    pub tables: Vec<Table>,
    /// The table of recorded changes, if something is recorded. It is none of the tables.
    pub audit: Option<AuditLog>,
    /// Objects that no schema declares. A migration to a schema does not change them.
    pub others: Vec<Other>,
    /// Everything else that a database has. Only if a whole database was read.
    pub catalog: Catalog,
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
    /// The comment on it. Not if a whole database was read, in which comments are objects.
    pub comment: Option<String>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The sequence.
    pub name: ObjectName,
    /// `SmallInt`, `Integer` or `BigInt`.
    pub ty: DataType,
    /// The table and column with which it is dropped.
    pub owned_by: Option<(ObjectName, String)>,
    /// Its options.
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
    /// Indexes that do not belong to a constraint.
    pub indexes: Vec<Index>,
    /// Exclusion constraints.
    pub exclusions: Vec<Exclusion>,
    /// Its row security.
    pub row_security: RowSecurity,
    /// Whether its changes are recorded, and which.
    pub audit: Option<Audit>,
    /// Where Citus keeps its rows.
    pub distribution: Distribution,
    /// Views that read it. Only if a database was read.
    pub used_by: Vec<String>,
    /// Properties that Prisma's language does not have.
    pub options: TableOptions,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, or the type of its elements.
    pub ty: DataType,
    /// Whether it is an array, of any number of dimensions.
    pub array: bool,
    /// Whether it accepts NULL.
    pub nullable: bool,
    /// Its default.
    pub default: Option<ColumnDefault>,
    /// `GENERATED .. AS IDENTITY`.
    pub identity: Option<Identity>,
    /// The expression of `GENERATED ALWAYS AS (..) STORED`.
    pub generated: Option<String>,
    /// The collation as SQL, if it is not that of the type. Only if a database was read.
    pub collation: Option<String>,
    /// Views, policies, triggers and generated columns that use it, which prevent dropping it or changing its type.
    /// Only if a database was read.
    pub used_by: Vec<String>,
    /// Privileges of roles other than the table's owner. Only if a database was read. Not compared.
    pub grants: Vec<ColumnGrant>,
    /// Properties that Prisma's language does not have.
    pub options: ColumnOptions,
}

/// The default of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnDefault {
    /// One value, without quotes: `5`, `true`, `it's`.
    Literal(String),
    /// An array of values, without NULLs.
    List(Vec<String>),
    /// An SQL expression.
    Expression(String),
    /// The next value of a sequence.
    Sequence(ObjectName),
    /// Whatever default the database has: never set, changed or dropped.
    Unmanaged,
}

/// When PostgreSQL generates the value of an identity column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Always.
    Always,
    /// If the statement has no value for it.
    ByDefault,
}

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: String,
    /// Its columns in key order.
    pub columns: Vec<String>,
    /// Properties that Prisma's language does not have.
    pub options: ConstraintOptions,
}

/// A unique constraint, other than the primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueConstraint {
    /// The constraint's name.
    pub name: String,
    /// Its columns in key order.
    pub columns: Vec<String>,
    /// Properties that Prisma's language does not have.
    pub options: ConstraintOptions,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The table that it references.
    pub referenced_table: ObjectName,
    /// The columns that it references, in the order of the referencing ones.
    pub referenced_columns: Vec<String>,
    /// The action when the referenced row is deleted.
    pub on_delete: ReferentialAction,
    /// The action when the referenced key changes.
    pub on_update: ReferentialAction,
    /// Properties that Prisma's language does not have.
    pub options: ConstraintOptions,
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// The condition, without `CHECK` and its parentheses.
    pub expression: String,
    /// Properties that Prisma's language does not have.
    pub options: ConstraintOptions,
}

/// An index, other than those of constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name of the index. It belongs to the schema of its table.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// The access method.
    pub method: IndexMethod,
    /// Its parts, in key order.
    pub parts: Vec<IndexPart>,
    /// Columns of `INCLUDE`.
    pub include: Vec<String>,
    /// The condition of a partial index, without `WHERE`.
    pub predicate: Option<String>,
    /// `NULLS NOT DISTINCT`, from PostgreSQL 15 on.
    pub nulls_not_distinct: bool,
    /// Storage parameters: `fillfactor=70`.
    pub storage: Vec<String>,
    /// `false` for the result of an interrupted or failed `CREATE INDEX CONCURRENTLY`, which no query uses.
    pub valid: bool,
    /// Whether partitions of its table lack it (`ON ONLY`). Only if a whole database was read.
    pub only: bool,
    /// Whether a partition has a key of its own on its part of the index, which PostgreSQL only drops with it. Only if a
    /// whole database was read.
    pub has_keys: bool,
}

/// An exclusion constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Its index, which has the name of the constraint and is not unique.
    pub index: Index,
    /// The operator for each part of the index, as SQL: `&&`, `OPERATOR(tools.&&)`.
    pub operators: Vec<String>,
    /// When it is checked, if it can be deferred.
    pub deferrable: Option<Deferrable>,
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// The target.
    pub target: IndexTarget,
    /// The operator class; `None` for the default one of the type.
    pub operator_class: Option<String>,
    /// The name of the type's default operator class, because a schema may name it too. Only if a database was read.
    pub default_class: Option<String>,
    /// The parameters of the operator class: `siglen=32`.
    pub class_options: Vec<String>,
    /// The collation as SQL, if it is not that of the column. Only if a database was read.
    pub collation: Option<String>,
    /// The direction.
    pub sort: SortOrder,
    /// Whether NULLs come first. The default in PostgreSQL: only if descending.
    pub nulls_first: bool,
}

/// The target of one part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexTarget {
    /// A column.
    Column(String),
    /// An expression, without the parentheses around it.
    Expression(String),
}

impl State {
    /// Sorts everything except columns: by schema and name.
    pub fn sort(&mut self) {
        self.schemas.sort();
        self.schemas.dedup();
        self.extensions.sort_by(|a, b| a.name.cmp(&b.name));
        self.enums.sort_by(|a, b| a.name.cmp(&b.name));
        self.sequences.sort_by(|a, b| a.name.cmp(&b.name));
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        self.others.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        for table in &mut self.tables {
            table.uniques.sort_by(|a, b| a.name.cmp(&b.name));
            table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
            table.checks.sort_by(|a, b| a.name.cmp(&b.name));
            table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
            table.exclusions.sort_by(|a, b| a.index.name.cmp(&b.index.name));
            table.row_security.policies.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    /// Returns the table with that name, in a sorted state.
    pub fn table(&self, name: &ObjectName) -> Option<&Table> {
        let at = self.tables.binary_search_by(|table| table.name.cmp(name)).ok()?;
        self.tables.get(at)
    }

    /// Returns the enum type with that name, in a sorted state.
    pub fn enum_type(&self, name: &ObjectName) -> Option<&EnumType> {
        let at = self.enums.binary_search_by(|ty| ty.name.cmp(name)).ok()?;
        self.enums.get(at)
    }

    /// Returns the sequence with that name, in a sorted state.
    pub fn sequence(&self, name: &ObjectName) -> Option<&Sequence> {
        let at = self.sequences.binary_search_by(|sequence| sequence.name.cmp(name)).ok()?;
        self.sequences.get(at)
    }
}

impl Table {
    /// Creates an empty table.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            exclusions: Vec::new(),
            row_security: RowSecurity::default(),
            audit: None,
            distribution: Distribution::default(),
            used_by: Vec::new(),
            options: TableOptions::default(),
        }
    }

    /// Returns the column with that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    /// Returns whether PostgreSQL can only drop the column and add it again: its expression changes or is outdated, or it
    /// becomes or stops being virtual.
    pub fn is_recreated(&self, next: &Self) -> bool {
        let computed = |column: &Self| column.generated.is_some() && column.options.is_virtual;
        let differs = self.options.outdated || self.generated != next.generated;
        computed(self) != computed(next) || (next.generated.is_some() && differs)
    }

    /// Returns whether the type has to change. A different collation of text counts as a different type.
    pub fn is_retyped(&self, next: &Self) -> bool {
        let same_collation = match (&self.collation, &next.collation) {
            (Some(a), Some(b)) => is_same_name(a, b),
            (a, b) => a == b,
        };
        !self.has_type_of(next) || self.array != next.array || !same_collation
    }

    /// Returns whether both have the same type in PostgreSQL. What a domain is based on does not matter.
    fn has_type_of(&self, other: &Self) -> bool {
        match (&self.options.domain, &other.options.domain) {
            (None, None) => self.ty.is_same(&other.ty),
            _ => self.named_type().is_same(&other.named_type()),
        }
    }

    /// Returns the type in words, with `[]` for an array.
    pub(in crate::sql) fn type_words(&self) -> String {
        let ty = self.options.domain.as_ref().map_or_else(|| self.ty.to_string(), ToString::to_string);
        format!("{ty}{}", if self.array { "[]" } else { "" })
    }

    /// Returns the type as PostgreSQL names it: the domain, or the type.
    pub fn named_type(&self) -> DataType {
        match &self.options.domain {
            Some(domain) => DataType::Other(qualified(domain)),
            None => self.ty.clone(),
        }
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

    /// Returns whether nulls are not where PostgreSQL puts them by default.
    pub fn has_unusual_nulls(&self) -> bool {
        self.nulls_first != (self.sort == SortOrder::Desc)
    }
}

impl Index {
    /// Returns the index of a primary key or unique constraint.
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
            only: false,
            has_keys: false,
        }
    }

    /// Returns whether it indexes plain columns of all rows, as a key does.
    pub fn is_plain(&self) -> bool {
        self.predicate.is_none() && self.parts.iter().all(|part| matches!(part.target, IndexTarget::Column(_)))
    }

    /// Returns its expressions, and its condition.
    pub fn expressions(&self) -> impl Iterator<Item = &String> {
        let parts = self.parts.iter().filter_map(|part| match &part.target {
            IndexTarget::Expression(sql) => Some(sql),
            IndexTarget::Column(_) => None,
        });
        parts.chain(&self.predicate)
    }

    /// Returns its columns, without those in expressions.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.target {
            IndexTarget::Column(name) => Some(name.as_str()),
            IndexTarget::Expression(_) => None,
        })
    }
}
