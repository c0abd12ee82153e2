//! Metadata of tables, as statics in generated code: names, types, keys and relations.
//!
//! The generator writes all of it, and it never changes. Column numbers are positions of fields in the model's struct.

mod key_form;
mod sample;
mod scope;

use std::sync::OnceLock;

pub(crate) use key_form::KeyForm;
pub use sample::Sample;
pub(crate) use sample::{SampleKind, Samples};
pub(crate) use scope::Lifted;
pub use scope::{DeletionMark, TableScope};

use tokio_postgres::types::Type;

use crate::value::{Holds, Scalar, accepts_list};

/// A table or view in the client.
#[derive(Debug)]
pub struct Table {
    /// The model's name.
    pub name: &'static str,
    /// The quoted name in PostgreSQL, with its schema if necessary.
    pub sql: &'static str,
    /// The columns, in the order of the model's fields; those that rows do not have (`@omit`) come last.
    pub columns: &'static [Column],
    /// The primary key, otherwise the first unique key.
    pub key: &'static [u16],
    /// The relations, in the order of their slots in `With`.
    pub relations: &'static [Relation],
    /// Keys, checks and indexes, to explain violations.
    pub constraints: &'static [Constraint],
    /// The number of columns that rows have.
    pub(crate) reads: usize,
    /// How its rows belong to tenants, if they do.
    pub(crate) tenancy: Option<Tenancy>,
    /// How its rows are marked as deleted, if a deletion only marks them.
    pub(crate) soft_delete: Option<DeletionMark>,
    /// The conditions on its rows that calls do not have to repeat.
    pub(crate) scopes: &'static [TableScope],
    /// Whether PostgreSQL also checks the tenant of each row.
    pub(crate) is_row_secured: bool,
    /// Whether Citus has its rows.
    pub(crate) is_on_citus: bool,
    /// For a query of `queries/`: the table that it writes.
    pub(crate) writes: Option<&'static Table>,
    /// What factories have to know of it, if the schema has `factories = true`.
    pub(crate) samples: Option<Samples>,
    /// Cache for the select lists of all columns with the aliases `t0`, `t1` and so on, which `sql` builds once each.
    pub(crate) select_lists: [OnceLock<String>; CACHED_ALIASES],
}

/// A table and three that are joined to it.
const CACHED_ALIASES: usize = 4;

impl Table {
    /// For generated code.
    pub const fn new(
        name: &'static str,
        sql: &'static str,
        columns: &'static [Column],
        key: &'static [u16],
        relations: &'static [Relation],
        constraints: &'static [Constraint],
    ) -> Self {
        Self {
            name,
            sql,
            columns,
            key,
            relations,
            constraints,
            reads: columns.len(),
            tenancy: None,
            soft_delete: None,
            scopes: &[],
            is_row_secured: false,
            is_on_citus: false,
            writes: None,
            samples: None,
            select_lists: [const { OnceLock::new() }; CACHED_ALIASES],
        }
    }

    /// For generated code: rows have only the first `columns`.
    pub const fn reads(mut self, columns: usize) -> Self {
        self.reads = columns;
        self
    }

    /// Returns the columns that rows have.
    pub(crate) fn read_columns(&self) -> &'static [Column] {
        self.columns.get(..self.reads).unwrap_or(self.columns)
    }

    /// For generated code: its rows belong to tenants.
    pub const fn tenancy(mut self, tenancy: Tenancy) -> Self {
        self.tenancy = Some(tenancy);
        self
    }

    /// For generated code: a deletion only marks its rows.
    pub const fn soft_delete(mut self, soft_delete: DeletionMark) -> Self {
        self.soft_delete = Some(soft_delete);
        self
    }

    /// For generated code: conditions on all rows, which a call may lift.
    pub const fn scopes(mut self, scopes: &'static [TableScope]) -> Self {
        self.scopes = scopes;
        self
    }

    /// For generated code: PostgreSQL also checks the tenant of each row.
    pub const fn row_secured(mut self) -> Self {
        self.is_row_secured = true;
        self
    }

    /// For generated code: Citus may have its rows.
    pub const fn on_citus(mut self) -> Self {
        self.is_on_citus = true;
        self
    }

    /// For generated code: the columns for which a factory has to find a value, and the unique keys.
    pub const fn samples(mut self, columns: &'static [Sample], keys: &'static [&'static [u16]]) -> Self {
        self.samples = Some(Samples { columns, keys });
        self
    }

    /// Returns the column that contains the tenant of a row, if the table has one.
    #[inline]
    pub(crate) fn own_tenant_column(&self) -> Option<u16> {
        self.tenancy.filter(|tenancy| tenancy.path.is_empty()).map(|tenancy| tenancy.column)
    }

    /// Returns whether every call has conditions on its rows, which it may lift.
    #[inline]
    pub(crate) fn has_scopes(&self) -> bool {
        self.soft_delete.is_some() || !self.scopes.is_empty()
    }

    /// Returns whether the columns are a key that is unique only among rows that are not deleted.
    pub(crate) fn is_live_key(&self, columns: &[u16]) -> bool {
        self.soft_delete.is_some_and(|soft| soft.keys.contains(&columns))
    }

    /// Returns the relations whose rows are deleted together with a row of this table.
    pub(crate) fn cascades(&'static self) -> impl Iterator<Item = &'static Relation> {
        self.relations.iter().filter(|relation| relation.cascades)
    }

    /// Returns its schema, if the name in PostgreSQL has one.
    pub(crate) fn schema(&self) -> Option<String> {
        let (schema, _) = self.sql.strip_prefix('"')?.split_once("\".\"")?;
        Some(schema.replace("\"\"", "\""))
    }

    /// Returns the name in PostgreSQL without its schema, and unquoted if it contains no quotes.
    pub(crate) fn bare_name(&self) -> &'static str {
        let sql = self.sql.rsplit_once("\".\"").map_or(self.sql, |(_, name)| name);
        sql.trim_matches('"')
    }
}

/// How the rows of a table belong to tenants.
#[derive(Debug, Clone, Copy)]
pub struct Tenancy {
    /// The relations that lead to the table with the tenant's column, by their slots, each in the table that the
    /// previous one leads to. Empty if the table itself has the column.
    pub(crate) path: &'static [u16],
    /// The column of that table that contains the tenant.
    pub(crate) column: u16,
    /// The keys that are unique only within a tenant, without the tenant's column.
    pub(crate) keys: &'static [&'static [u16]],
    /// Whether each row is a tenant.
    pub(crate) is_tenant: bool,
}

impl Tenancy {
    /// Creates the tenancy of a model whose rows are tenants, with this id. For generated code.
    pub const fn tenant(column: u16) -> Self {
        Self { path: &[], column, keys: &[], is_tenant: true }
    }

    /// Creates the tenancy of rows that belong to the tenant in this column of the table at the end of the path. For
    /// generated code.
    pub const fn within(path: &'static [u16], column: u16) -> Self {
        Self { path, column, keys: &[], is_tenant: false }
    }

    /// Sets the keys that are unique only within a tenant. For generated code.
    pub const fn unique(mut self, keys: &'static [&'static [u16]]) -> Self {
        self.keys = keys;
        self
    }

    /// Returns whether the columns are a key that is unique only within a tenant.
    pub(crate) fn is_key(&self, columns: &[u16]) -> bool {
        self.keys.contains(&columns)
    }
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// The name in PostgreSQL, unquoted.
    pub name: &'static str,
    /// The type in PostgreSQL, as SQL: `uuid`, `"public"."role"`, `text[]`.
    pub sql_type: &'static str,
    /// The type on the wire, if it is not `sql_type`: enums are sent as `text`, so that their OIDs, which differ from
    /// database to database, are never looked up.
    pub wire: Option<&'static str>,
    /// Whether the column, or each element of its list, has a domain. `sql_type` is then the type below it, which values
    /// travel in: a domain would check what a condition compares with, and its OID would have to be looked up.
    pub domain: bool,
    /// What the client fills in if a row is created without a value.
    pub default: ClientDefault,
    /// Set to the time of the transaction on every write.
    pub updated_at: bool,
    /// Whether PostgreSQL generates its values (`@generated`).
    pub generated: bool,
    /// An `@sensitive` column, whose values are not shown.
    pub sensitive: bool,
    /// An optional column with `@json`, in which JSON's null is null, too.
    pub nullable_json: bool,
    /// A column with `@json` that PostgreSQL has a default for.
    pub json_default: bool,
    /// For a query of `queries/`: whether its decoder can read a type of the database.
    pub(crate) accepts: Option<fn(&Type) -> bool>,
}

/// A value that the client generates for a new row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientDefault {
    /// None: the database's default, or null.
    None,
    /// A random UUID.
    Uuid4,
    /// A UUID ordered by time.
    Uuid7,
    /// A random UUID in a text column.
    Uuid4Text,
    /// A UUID ordered by time, in a text column.
    Uuid7Text,
    /// A collision-resistant identifier of the first kind: 25 characters, ordered by time.
    Cuid,
    /// A collision-resistant identifier of the second kind: 24 characters.
    Cuid2,
    /// 26 characters, ordered by time.
    Ulid,
    /// A random text with this number of URL-safe characters.
    Nanoid(u8),
}

impl Column {
    /// For generated code.
    pub const fn new(name: &'static str, sql_type: &'static str) -> Self {
        Self {
            name,
            sql_type,
            wire: None,
            domain: false,
            default: ClientDefault::None,
            updated_at: false,
            generated: false,
            sensitive: false,
            nullable_json: false,
            json_default: false,
            accepts: None,
        }
    }

    /// For generated code: a column of a query of `queries/`.
    pub const fn of<T: Scalar>(name: &'static str) -> Self {
        Self { accepts: Some(T::accepts), ..Self::new(name, "") }
    }

    /// For generated code: a list in a column of a query of `queries/`.
    pub const fn list_of<T: Scalar>(name: &'static str) -> Self {
        Self { accepts: Some(accepts_list::<T>), ..Self::new(name, "") }
    }

    /// Returns the type in which a list of values of the column travels, without its brackets. A value that travels as a
    /// list itself, as a vector does, is a text there: PostgreSQL has no lists of lists.
    pub(crate) fn wire_in_list(&self) -> Option<&'static str> {
        let is_list = self.sql_type.ends_with("[]");
        self.wire.map(|wire| if wire.ends_with("[]") && !is_list { "text" } else { wire })
    }

    /// Sets the type of the column on the wire.
    pub const fn via(mut self, wire: &'static str) -> Self {
        self.wire = Some(wire);
        self
    }

    /// For generated code: a column whose type of the program may be one around a text, in which it then travels.
    pub const fn own<T: Scalar>(mut self, text: &'static str) -> Self {
        if matches!(T::HOLDS, Holds::AsText) {
            self.wire = Some(text);
        }
        self
    }

    /// Marks a column with a domain.
    pub const fn domain(mut self) -> Self {
        self.domain = true;
        self
    }

    /// Sets the default that the client generates.
    pub const fn default(mut self, default: ClientDefault) -> Self {
        self.default = default;
        self
    }

    /// Marks an `@updatedAt` column.
    pub const fn updated_at(mut self) -> Self {
        self.updated_at = true;
        self
    }

    /// Marks a `@generated` column.
    pub const fn generated(mut self) -> Self {
        self.generated = true;
        self
    }

    /// Marks a `@sensitive` column.
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Marks an optional column with `@json`.
    pub const fn nullable_json(mut self) -> Self {
        self.nullable_json = true;
        self
    }

    /// Marks a column with `@json` that PostgreSQL has a default for.
    pub const fn json_default(mut self) -> Self {
        self.json_default = true;
        self
    }
}

/// A relation, seen from one of its sides.
pub struct Relation {
    /// The field's name in the client.
    pub name: &'static str,
    /// The table on the other side.
    pub child: &'static Table,
    /// The columns on this side.
    pub parent_columns: &'static [u16],
    /// The columns on the other side that equal them.
    pub child_columns: &'static [u16],
    /// The number of rows on the other side.
    pub count: Count,
    /// Whether this side holds the foreign key.
    pub referencing: bool,
    /// The join table of an implicit many-to-many relation.
    pub through: Option<JoinTable>,
    /// The position of the columns that hold the tenant on both sides.
    pub(crate) tenant_pair: Option<usize>,
    /// Whether the foreign key gets a value if a new row leaves it out.
    pub(crate) is_filled: bool,
    /// Whether a deletion that only marks a row of this side also marks the rows of the other side.
    pub(crate) cascades: bool,
}

impl Relation {}

/// Shows only the name, because relations form cycles.
impl std::fmt::Debug for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.name, self.child.name)
    }
}

/// The number of rows that a relation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// Any number.
    Many,
}

/// The join table of an implicit many-to-many relation, as Prisma defines it.
#[derive(Debug, Clone, Copy)]
pub struct JoinTable {
    /// The quoted name, with its schema if necessary.
    pub sql: &'static str,
    /// The column that holds this side's key: `A` or `B`.
    pub parent_column: &'static str,
    /// The column that holds the other side's key.
    pub child_column: &'static str,
}

impl JoinTable {
    /// Seen from the side whose key is column `A`. For generated code.
    pub const fn a_to_b(sql: &'static str) -> Self {
        Self { sql, parent_column: "A", child_column: "B" }
    }

    /// Seen from the side whose key is column `B`. For generated code.
    pub const fn b_to_a(sql: &'static str) -> Self {
        Self { sql, parent_column: "B", child_column: "A" }
    }
}

impl Relation {
    /// Sets the position of the columns that hold the tenant on both sides. For generated code.
    pub const fn within_tenant(mut self, pair: usize) -> Self {
        self.tenant_pair = Some(pair);
        self
    }

    /// The foreign key gets a value if a new row leaves it out: a default, or a generated one. For generated code.
    pub const fn filled(mut self) -> Self {
        self.is_filled = true;
        self
    }

    /// A deletion that only marks a row of this side also marks the rows of the other side. For generated code.
    pub const fn cascading(mut self) -> Self {
        self.cascades = true;
        self
    }

    /// Returns the columns of both sides, without those of the tenant.
    pub(crate) fn key_pairs(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        let pairs = self.parent_columns.iter().copied().zip(self.child_columns.iter().copied()).enumerate();
        pairs.filter(|(place, _)| Some(*place) != self.tenant_pair).map(|(_, pair)| pair)
    }

    /// This side holds the foreign key, which is required. For generated code.
    pub const fn one(
        name: &'static str,
        child: &'static Table,
        parent_columns: &'static [u16],
        child_columns: &'static [u16],
    ) -> Self {
        Self {
            name,
            child,
            parent_columns,
            child_columns,
            count: Count::One,
            referencing: true,
            through: None,
            tenant_pair: None,
            is_filled: false,
            cascades: false,
        }
    }

    /// This side holds the foreign key, which is optional. For generated code.
    pub const fn maybe(
        name: &'static str,
        child: &'static Table,
        parent_columns: &'static [u16],
        child_columns: &'static [u16],
    ) -> Self {
        Self {
            name,
            child,
            parent_columns,
            child_columns,
            count: Count::Optional,
            referencing: true,
            through: None,
            tenant_pair: None,
            is_filled: false,
            cascades: false,
        }
    }

    /// The other side holds the foreign key, at most once. For generated code.
    pub const fn back_one(
        name: &'static str,
        child: &'static Table,
        parent_columns: &'static [u16],
        child_columns: &'static [u16],
    ) -> Self {
        Self {
            name,
            child,
            parent_columns,
            child_columns,
            count: Count::Optional,
            referencing: false,
            through: None,
            tenant_pair: None,
            is_filled: false,
            cascades: false,
        }
    }

    /// The other side holds the foreign key. For generated code.
    pub const fn back_many(
        name: &'static str,
        child: &'static Table,
        parent_columns: &'static [u16],
        child_columns: &'static [u16],
    ) -> Self {
        Self {
            name,
            child,
            parent_columns,
            child_columns,
            count: Count::Many,
            referencing: false,
            through: None,
            tenant_pair: None,
            is_filled: false,
            cascades: false,
        }
    }

    /// A join table has the keys of both sides. For generated code.
    pub const fn through(
        name: &'static str,
        child: &'static Table,
        parent_columns: &'static [u16],
        child_columns: &'static [u16],
        table: JoinTable,
    ) -> Self {
        Self {
            name,
            child,
            parent_columns,
            child_columns,
            count: Count::Many,
            referencing: false,
            through: Some(table),
            tenant_pair: None,
            is_filled: false,
            cascades: false,
        }
    }
}

/// A constraint, to find the columns of a violation.
#[derive(Debug)]
pub struct Constraint {
    /// Its name in PostgreSQL.
    pub name: &'static str,
    /// Its columns, as PostgreSQL names them.
    pub columns: &'static [&'static str],
}

impl Constraint {
    /// For generated code.
    pub const fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, columns }
    }
}
