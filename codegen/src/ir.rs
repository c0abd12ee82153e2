//! The validated schema: the result of `lower`, and the only input of `emit` and `sql`.
//!
//! Names are resolved to ids, defaults and native types are filled in, and constraint names are those of Prisma. The
//! schema knows nothing of spans, diagnostics or the syntax tree, and it contains no mistakes: those were refused
//! before. The walkers answer questions about it.

mod client_type;
mod column_text;
mod id;
mod json_type;
pub mod names;
mod object;
mod options;
mod row_security;
mod soft_delete;
mod types;
mod walk;

pub use client_type::{ClientType, Place, Shape, name_of_sql_type, sql_of_type_name, type_names};
pub use column_text::{ColumnText, ColumnTextError};
pub use id::{EnumId, FieldId, ModelId, RelationId, TypeId};
pub use json_type::{JsonField, JsonFieldType, JsonShape, JsonType};
pub use object::{ObjectSignature, ObjectTarget, SqlObject, TypeParts};
pub use options::{
    Collation, Deferrable, Domain, ForeignKeyOptions, Identity, KeyOptions, NullsOrder, SequenceOptions,
};
pub use row_security::row_security_cast;
pub(crate) use soft_delete::is_null_test;
pub use types::{
    Arity, DateTimeLibrary, DecimalLibrary, DefaultValue, Engine, IndexMethod, Literal, NativeType, ReferentialAction,
    ScalarType, SortOrder,
};
pub use walk::{ColumnWalker, EnumWalker, FieldWalker, ModelWalker, RelationFieldWalker, RelationWalker};

/// A validated schema. All ids are indexes into its vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    /// Models and views in the order of their declaration.
    pub models: Vec<Model>,
    /// Fields of all models, grouped by model, in the order of their declaration.
    pub fields: Vec<Field>,
    /// Enums in the order of their declaration.
    pub enums: Vec<Enum>,
    /// `type` blocks in the order of their declaration.
    pub types: Vec<JsonType>,
    /// One per pair of relation fields, ordered by the first field of the pair.
    pub relations: Vec<Relation>,
    /// `schemas` of the datasource. If empty, everything is in the connection's default schema.
    pub namespaces: Vec<String>,
    /// `extensions` of the datasource.
    pub extensions: Vec<Extension>,
    /// The functions, procedures, triggers and policies of `sql/**/*.sql`, in the order of the files.
    pub objects: Vec<SqlObject>,
    /// False under `relationMode = "prisma"`: no foreign keys in the database.
    pub foreign_keys: bool,
    /// `engine` of the datasource.
    pub engine: Engine,
    /// The options of the generator `relata`.
    pub client: ClientOptions,
    /// `comments = true` of the generator `relata`: the `///` comments are comments in the database, too.
    pub comments: bool,
}

/// Options of the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientOptions {
    /// `serde = true`: Serialize and Deserialize on models and enums.
    pub serde: bool,
    /// `factories = true`: `Factory` of each model, which creates rows for tests and seeds.
    pub factories: bool,
    /// `dateTime`: the library for timestamps, dates and times.
    pub date_time: DateTimeLibrary,
    /// `decimal`: the library of decimals.
    pub decimal: DecimalLibrary,
}

/// A PostgreSQL extension that the datasource lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The name in the schema.
    pub name: String,
    /// The name in PostgreSQL.
    pub db_name: String,
    /// The schema it is installed in.
    pub namespace: Option<String>,
    /// The version it must have.
    pub version: Option<String>,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name in the schema.
    pub name: String,
    /// The struct in the client.
    pub rust_ident: String,
    /// Its module in the client, which is also the name of a file.
    pub module: String,
    /// The name in PostgreSQL, after `@@map`.
    pub db_name: String,
    /// `@@schema`.
    pub namespace: Option<String>,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// A `view` block: read only.
    pub is_view: bool,
    /// `@@sql`: the query of a view that migrations create.
    pub query: Option<String>,
    /// `@@materialized`: PostgreSQL stores the rows of the view until they are refreshed.
    pub materialized: bool,
    /// `@@ignore`: in the database, not in the client.
    pub ignored: bool,
    /// `@@renamedFrom`: the previous name in the database, for one migration.
    pub renamed_from: Option<String>,
    /// Its fields: a range of `Schema::fields`.
    pub fields: std::ops::Range<u32>,
    /// `@id` or `@@id`. A model may have none if it has a unique key.
    pub primary_key: Option<PrimaryKey>,
    /// `@unique`, `@@unique` and `@@index`, single-field ones first, each group in the order of declaration.
    pub indexes: Vec<Index>,
    /// `@@check`.
    pub checks: Vec<Check>,
    /// `@@exclude`.
    pub exclusions: Vec<Exclusion>,
    /// `@@scope`, at most [`MAX_SCOPES`].
    pub scopes: Vec<Scope>,
    /// `@@tenant` and `@@shared`.
    pub tenancy: Tenancy,
    /// PostgreSQL shows a session the rows of its tenant only: `rowSecurity`. Never for a view or a shared model.
    pub row_security: bool,
    /// `@@with`, as storage parameters: `fillfactor=70`. Sorted.
    pub storage: Vec<String>,
    /// `@@unlogged`.
    pub unlogged: bool,
    /// `@@partitionBy`.
    pub partitions: Option<Partitions>,
    /// `@@audited`: PostgreSQL records every change of a row.
    pub audit: Option<Audit>,
    /// Where Citus keeps its rows. Always [`Distribution::Local`] for a view, and on plain PostgreSQL.
    pub distribution: Distribution,
    /// `@@derive`, and `derives` of the generator: further derives of the struct, as paths.
    pub derives: Vec<String>,
}

/// A condition that every call of the client has on the rows of a model, unless it lifts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The name in the schema.
    pub name: String,
    /// The constant in the client.
    pub rust_ident: String,
    /// The condition, on columns of the table.
    pub sql: String,
}

/// The most scopes that a model can have: those that a call lifts are bits.
pub const MAX_SCOPES: usize = 30;

/// The name of the table of recorded changes, which is in the first schema of the datasource.
pub const AUDIT_TABLE: &str = "_relata_audit";

/// How the changes of a model's rows are recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// `except:`, the columns that are left out.
    pub except: Vec<FieldId>,
}

/// How PostgreSQL distributes the rows of a model among partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitions {
    /// What the partitions are for.
    pub method: PartitionMethod,
    /// The columns of the partition key.
    pub fields: Vec<FieldId>,
}

/// What each partition of a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionMethod {
    /// A range of values.
    Range,
    /// A list of values.
    List,
    /// The values with the same remainder of their hash.
    Hash,
}

impl PartitionMethod {
    /// Returns the word in the schema.
    pub fn name(self) -> &'static str {
        match self {
            PartitionMethod::Range => "Range",
            PartitionMethod::List => "List",
            PartitionMethod::Hash => "Hash",
        }
    }

    /// Returns the keyword in SQL.
    pub fn keyword(self) -> &'static str {
        match self {
            PartitionMethod::Range => "RANGE",
            PartitionMethod::List => "LIST",
            PartitionMethod::Hash => "HASH",
        }
    }
}

/// Where Citus keeps the rows of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Distribution {
    /// All on the coordinator.
    #[default]
    Local,
    /// All on every server.
    Reference,
    /// Each on the server that the value of this field selects.
    By(FieldId),
}

/// The owner of a model's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tenancy {
    /// All tenants: the schema has no tenants, the model leads to none, or it has `@@shared`.
    #[default]
    Shared,
    /// `@@tenant`: each row is a tenant.
    Tenant,
    /// `@@tenant(a.b)`: each row belongs to the tenant that these relations lead to. Each one is required, and its model
    /// has the foreign key.
    Within(Vec<FieldId>),
}

/// The primary key of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct PrimaryKey {
    /// `name:` of `@@id`, for the client.
    pub name: Option<String>,
    /// The key in the client, if it has several columns.
    pub rust_ident: Option<String>,
    /// The constraint's name in PostgreSQL, default included.
    pub constraint_name: String,
    /// Its columns, in key order.
    pub fields: Vec<IndexField>,
    /// Its other properties in PostgreSQL.
    pub options: KeyOptions,
}

/// A unique or plain index.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Whether it is unique.
    pub unique: bool,
    /// `name:` of `@@unique`, for the client.
    pub name: Option<String>,
    /// The key in the client, if it has several columns that identify a row.
    pub rust_ident: Option<String>,
    /// The index's name in PostgreSQL, default included.
    pub constraint_name: String,
    /// `type:`.
    pub method: IndexMethod,
    /// Its columns or expressions, in key order.
    pub fields: Vec<IndexField>,
    /// `where:` as SQL, for partial indexes.
    pub predicate: Option<String>,
    /// Its other properties in PostgreSQL.
    pub options: KeyOptions,
}

/// An exclusion constraint: no two rows may be related by all of its operators.
#[derive(Debug, Clone, PartialEq)]
pub struct Exclusion {
    /// Its index, which is not unique. `options.deferrable` is that of the constraint.
    pub index: Index,
    /// `with:` of each of its fields, as the operator is written in SQL.
    pub operators: Vec<String>,
}

/// One column or expression of a key or index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexField {
    /// What is indexed.
    pub target: IndexTarget,
    /// `sort:`; none is ascending.
    pub sort: Option<SortOrder>,
    /// `nulls:`; none is last if ascending, first if descending.
    pub nulls: Option<NullsOrder>,
    /// `ops:` as the operator class is called in PostgreSQL.
    pub operator_class: Option<String>,
}

/// What one part of an index is built on.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexTarget {
    /// A column of the model.
    Field(FieldId),
    /// An SQL expression, without the parentheses around it.
    Expression(String),
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name in PostgreSQL, default included.
    pub constraint_name: String,
    /// The SQL condition.
    pub sql: String,
}

/// A field of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The model it belongs to.
    pub model: ModelId,
    /// The name in the schema.
    pub name: String,
    /// The field and its constant in the client.
    pub rust_ident: String,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// Required, optional or list.
    pub arity: Arity,
    /// `@ignore`: in the database, not in the client.
    pub ignored: bool,
    /// Column or relation.
    pub kind: FieldKind,
}

/// The kind of a field.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "most fields are columns")]
pub enum FieldKind {
    /// A column of the table.
    Column(Column),
    /// One side of a relation; no column.
    Relation(RelationField),
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in PostgreSQL, after `@map`.
    pub db_name: String,
    /// The type in the schema.
    pub ty: ColumnType,
    /// `@default`.
    pub default: Option<DefaultValue>,
    /// `@updatedAt`.
    pub updated_at: bool,
    /// `@softDelete`: a deletion sets it to the time, and the row stays.
    pub soft_delete: bool,
    /// `@generated`.
    pub generated: Option<Generated>,
    /// `@identity`.
    pub identity: Option<Identity>,
    /// `@collate`.
    pub collation: Option<Collation>,
    /// `@domain`: the type in PostgreSQL, which is based on the native type.
    pub domain: Option<Domain>,
    /// `@rust`, also that of what a foreign key references: the type in the client, as a path from a crate.
    pub rust: Option<String>,
    /// Whether the schema writes a type that is no scalar by its name, such as `Interval`, rather than in
    /// `Unsupported("..")`. The type is the same.
    pub has_type_name: bool,
    /// `@json`: the shape of its values, which are JSON.
    pub json: Option<JsonShape>,
    /// `@sensitive`: never in Debug, logs or serialisation.
    pub sensitive: bool,
    /// `@omit`: rows do not have it unless a program asks for it.
    pub omitted: bool,
    /// `@renamedFrom`: the previous name of the column, for one migration.
    pub renamed_from: Option<String>,
    /// `@using`: the expression that converts the old values, for one migration.
    pub using: Option<String>,
}

/// How PostgreSQL generates the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The SQL expression over other columns of the row.
    pub sql: String,
    /// `virtual: true`: computed when it is read, from PostgreSQL 18 on. Otherwise stored.
    pub is_virtual: bool,
}

/// The type of a column. The arity is that of the field.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnType {
    /// A scalar and its PostgreSQL type, even if that is the default of the scalar.
    Scalar(ScalarType, NativeType),
    /// An enum of the schema.
    Enum(EnumId),
    /// `Unsupported("...")`: the text between the quotes, which [`ColumnText`] reads.
    Unsupported(String),
}

/// A relation field's place in its relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationField {
    /// The relation.
    pub relation: RelationId,
    /// The side of the relation.
    pub side: Side,
}

/// The side of a relation that a field belongs to.
/// In a many-to-many relation the referencing side is the one whose model is column `A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This model holds the foreign key.
    Referencing,
    /// The other model holds it.
    Referenced,
}

/// A relation between two models, or of a model with itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// `name:` of `@relation`.
    pub name: Option<String>,
    /// The field on the referencing side.
    pub referencing: FieldId,
    /// The field on the referenced side.
    pub referenced: FieldId,
    /// How it is stored.
    pub storage: RelationStorage,
}

/// How PostgreSQL stores a relation.
#[derive(Debug, Clone, PartialEq)]
pub enum RelationStorage {
    /// A foreign key on the referencing side.
    ForeignKey(ForeignKey),
    /// Prisma's implicit many-to-many: a table with columns `A` and `B`.
    JoinTable {
        /// The table, `_AToB` or `_name`.
        db_name: String,
        /// The schema of the table.
        namespace: Option<String>,
    },
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignKey {
    /// Columns on the referencing side.
    pub fields: Vec<FieldId>,
    /// The columns that they reference, in the same length and order.
    pub references: Vec<FieldId>,
    /// What happens on delete, default filled in (Restrict if a referencing column is required, else SetNull).
    pub on_delete: ReferentialAction,
    /// What happens on update of the key, default filled in (Cascade).
    pub on_update: ReferentialAction,
    /// The constraint's name in PostgreSQL, default included.
    pub constraint_name: String,
    /// The referencing fields are unique: at most one row on the other side.
    pub one_to_one: bool,
    /// Its other properties in PostgreSQL.
    pub options: ForeignKeyOptions,
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// The name in the schema.
    pub name: String,
    /// The enum in the client.
    pub rust_ident: String,
    /// Its module in the client, which is also the name of a file.
    pub module: String,
    /// The type's name in PostgreSQL, after `@@map`.
    pub db_name: String,
    /// `@@schema`.
    pub namespace: Option<String>,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// `@@renamedFrom`: the previous name of the type, for one migration.
    pub renamed_from: Option<String>,
    /// Its values in order.
    pub values: Vec<EnumValue>,
    /// `@@derive`, and `derives` of the generator: further derives, as paths.
    pub derives: Vec<String>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// The name in the schema.
    pub name: String,
    /// The variant in the client.
    pub rust_ident: String,
    /// The label in PostgreSQL, after `@map`.
    pub db_name: String,
    /// The lines of its `///` comment.
    pub docs: Option<String>,
    /// `@renamedFrom`: the previous label, for one migration.
    pub renamed_from: Option<String>,
}
