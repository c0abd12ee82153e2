//! Drafts: the syntax tree of models, fields, keys and relations, with what has been lowered from it so far.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostics::Span;
use crate::ir::{
    Arity, Collation, DefaultValue, Deferrable, Distribution, Domain, EnumId, FieldId, ForeignKeyOptions, Identity,
    IndexMethod, JsonFieldType, ModelId, NativeType, NullsOrder, PartitionMethod, ReferentialAction, ScalarType,
    SortOrder, Tenancy, TypeId,
};
use crate::syntax::{Attribute, EnumBlock, EnumValue, FieldBlock, FieldLine, Name, Text};

/// A name in an attribute, and the place of the attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
}

impl<'a> From<&'a Text<'a>> for Given<'a> {
    fn from(text: &'a Text<'a>) -> Self {
        Given { text: &text.value, span: text.span }
    }
}

/// A model or view.
#[derive(Debug)]
pub(super) struct ModelDraft<'a> {
    pub(super) ast: &'a FieldBlock<'a>,
    /// Its attributes and those of its mixins.
    pub(super) attributes: Vec<&'a Attribute<'a>>,
    pub(super) fields: Range<u32>,
    pub(super) by_name: BTreeMap<&'a str, FieldId>,
    pub(super) map: Option<Given<'a>>,
    /// `name:` of `@@rust`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`, as is `module`.
    pub(super) rust_ident: String,
    pub(super) module: String,
    pub(super) namespace: Option<Given<'a>>,
    pub(super) ignored: bool,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) keys: Vec<KeyDraft<'a>>,
    pub(super) checks: Vec<CheckDraft<'a>>,
    pub(super) scopes: Vec<ScopeDraft<'a>>,
    /// `@@tenant` or `@@shared`.
    pub(super) declared_tenancy: Option<DeclaredTenancy<'a>>,
    /// `rowSecurity:` of `@@tenant`.
    pub(super) row_security: Option<bool>,
    /// `@@with`.
    pub(super) storage: Vec<String>,
    /// `@@sql` of a view.
    pub(super) query: Option<Given<'a>>,
    /// `@@materialized`.
    pub(super) materialized: bool,
    pub(super) unlogged: bool,
    /// `@@partitionBy`.
    pub(super) partitions: Option<PartitionDraft>,
    /// `@@audited`.
    pub(super) audit: Option<AuditDraft>,
    /// The resolved meaning; filled in by `tenants`.
    pub(super) tenancy: Tenancy,
    /// `@@distributed(by: ..)`, `@@reference` or `@@local`, and its place.
    pub(super) declared_distribution: Option<(DeclaredDistribution, Span)>,
    /// The resolved meaning; filled in by `citus`.
    pub(super) distribution: Distribution,
    /// `@@derive`.
    pub(super) derives: Vec<String>,
    /// One of its keys could not be read, so a missing key is not reported.
    pub(super) has_broken_key: bool,
}

impl<'a> ModelDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }

    /// Returns whether it is a view whose keys are indexes in the database.
    pub(super) fn has_indexes(&self) -> bool {
        self.materialized && self.query.is_some()
    }

    /// The ids of its fields.
    pub(super) fn field_ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        self.fields.clone().map(FieldId)
    }
}

/// Where a model declares that its rows are.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeclaredDistribution {
    /// `@@distributed(by: field)`, with the place of the field.
    By(FieldId, Span),
    /// `@@reference`.
    Reference,
    /// `@@local`.
    Local,
}

/// What a model declares about tenants.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeclaredTenancy<'a> {
    /// `@@tenant`, on the model whose rows are tenants.
    Tenant(Span),
    /// `@@tenant(a.b)`.
    Within(Name<'a>),
    /// `@@shared`.
    Shared(Span),
    /// A declaration with a mistake that was reported.
    Broken(Span),
}

impl DeclaredTenancy<'_> {
    /// Returns the place.
    pub(super) fn span(self) -> Span {
        match self {
            DeclaredTenancy::Tenant(span) | DeclaredTenancy::Shared(span) | DeclaredTenancy::Broken(span) => span,
            DeclaredTenancy::Within(path) => path.span,
        }
    }
}

/// The resolved type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Scalar(ScalarType),
    Enum(EnumId),
    Model(ModelId),
    Unsupported,
    /// An unknown type, which was reported. The field is not checked further.
    Unknown,
}

/// A type of PostgreSQL that is no scalar.
#[derive(Debug)]
pub(super) struct SqlType {
    /// The type, as SQL.
    pub(super) text: String,
    /// Whether the schema writes its name, such as `Interval`, rather than `Unsupported("..")`.
    pub(super) named: bool,
}

/// A field.
#[derive(Debug)]
pub(super) struct FieldDraft<'a> {
    pub(super) ast: &'a FieldLine<'a>,
    /// For [`FieldType::Unsupported`]: the type.
    pub(super) sql_type: Option<SqlType>,
    pub(super) model: ModelId,
    pub(super) ty: FieldType,
    pub(super) native: Option<NativeType>,
    pub(super) map: Option<Given<'a>>,
    /// `name:` of `@rust`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`.
    pub(super) rust_ident: String,
    pub(super) default: Option<(DefaultValue, Span)>,
    /// Whether there is an `@default`, even if it could not be read.
    pub(super) updated_at: bool,
    /// The place of `@softDelete`.
    pub(super) soft_delete: Option<Span>,
    pub(super) generated: Option<GeneratedDraft<'a>>,
    /// `@identity`, and its place.
    pub(super) identity: Option<(Identity, Span)>,
    /// `@collate`, and its place.
    pub(super) collation: Option<(Collation, Span)>,
    /// `@domain`, and its place.
    pub(super) domain: Option<(Domain, Span)>,
    /// `@rust`, also of what a foreign key references: a path from a crate, and its place.
    pub(super) rust: Option<(String, Span)>,
    /// The `type` block that is its type.
    pub(super) json: Option<TypeId>,
    pub(super) ignored: bool,
    pub(super) sensitive: bool,
    /// `@omit`.
    pub(super) omitted: Option<Span>,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) using: Option<Given<'a>>,
    pub(super) relation: RelationAttribute<'a>,
}

/// `@generated(..)`.
#[derive(Debug)]
pub(super) struct GeneratedDraft<'a> {
    pub(super) sql: Given<'a>,
    pub(super) is_virtual: bool,
    /// The whole attribute.
    pub(super) span: Span,
}

impl<'a> FieldDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }

    /// Required, optional or list. A list in JSON is one value.
    pub(super) fn arity(&self) -> Arity {
        if self.is_json_list() { Arity::Required } else { self.ast.ty.arity }
    }

    /// Returns whether its values are lists in JSON.
    pub(super) fn is_json_list(&self) -> bool {
        self.json.is_some() && self.ast.ty.arity == Arity::List
    }

    /// Returns whether it is a column.
    pub(super) fn is_column(&self) -> bool {
        !matches!(self.ty, FieldType::Model(_) | FieldType::Unknown)
    }

    /// Returns the attribute because of which a program can never write the column, if there is one.
    pub(super) fn never_written(&self) -> Option<Span> {
        let identity = self.identity.as_ref().filter(|(identity, _)| identity.always).map(|(_, span)| *span);
        self.generated.as_ref().map(|generated| generated.span).or(identity)
    }

    /// Returns the native type, or the default one.
    pub(super) fn native_type(&self) -> Option<NativeType> {
        match self.ty {
            FieldType::Scalar(scalar) => Some(self.native.unwrap_or_else(|| scalar.default_native_type())),
            _ => None,
        }
    }
}

/// `@relation(..)`, as far as it could be read. Without the attribute, everything is absent.
#[derive(Debug, Default)]
pub(super) struct RelationAttribute<'a> {
    /// The whole attribute.
    pub(super) span: Option<Span>,
    pub(super) name: Option<Given<'a>>,
    pub(super) map: Option<Given<'a>>,
    pub(super) fields: Option<FieldList>,
    pub(super) references: Option<FieldList>,
    pub(super) on_delete: Option<(ReferentialAction, Span)>,
    pub(super) on_update: Option<(ReferentialAction, Span)>,
    pub(super) deferrable: Option<(Deferrable, Span)>,
    /// The place of `match: Full`.
    pub(super) match_full: Option<Span>,
    /// `setNull:`.
    pub(super) delete_fields: Option<FieldList>,
    /// Whether a mistake in it was reported.
    pub(super) broken: bool,
}

/// A list of fields in an argument. Fields that do not exist are left out.
#[derive(Debug, Clone)]
pub(super) struct FieldList {
    pub(super) fields: Vec<(FieldId, Span)>,
    pub(super) span: Span,
    /// Whether a mistake in it was reported.
    pub(super) broken: bool,
}

impl FieldList {
    /// Returns the ids.
    pub(super) fn ids(&self) -> Vec<FieldId> {
        self.fields.iter().map(|(id, _)| *id).collect()
    }
}

/// The kind of a key or an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Index,
    Exclusion,
}

impl KeyKind {
    /// Returns whether no two rows have equal values.
    pub(super) fn is_key(self) -> bool {
        matches!(self, KeyKind::Primary | KeyKind::Unique)
    }
}

/// `@id`, `@@id`, `@unique`, `@@unique`, `@@index` or `@@exclude`.
#[derive(Debug)]
pub(super) struct KeyDraft<'a> {
    pub(super) kind: KeyKind,
    /// The attribute as it is written, including its `@`s.
    pub(super) attribute: &'static str,
    pub(super) span: Span,
    pub(super) name: Option<Given<'a>>,
    /// Filled in by `rust_names`, if it has several columns that identify a row.
    pub(super) rust_ident: Option<String>,
    pub(super) map: Option<Given<'a>>,
    pub(super) method: Option<(IndexMethod, Span)>,
    pub(super) fields: Vec<KeyField<'a>>,
    /// `where:` as SQL.
    pub(super) predicate: Option<String>,
    /// `global: true`: its values are intentionally unique across tenants.
    pub(super) global: bool,
    pub(super) options: KeyOptionsDraft,
    /// Filled in by `constraint_names`.
    pub(super) constraint_name: String,
}

/// `@@scope`.
#[derive(Debug)]
pub(super) struct ScopeDraft<'a> {
    pub(super) name: Name<'a>,
    pub(super) rust_ident: String,
    /// `where:` as SQL.
    pub(super) sql: String,
}

/// `@@partitionBy`.
#[derive(Debug)]
pub(super) struct PartitionDraft {
    pub(super) method: PartitionMethod,
    pub(super) fields: Vec<(FieldId, Span)>,
    pub(super) span: Span,
}

/// `@@audited`.
#[derive(Debug)]
pub(super) struct AuditDraft {
    /// `except:`, each with its place.
    pub(super) except: Vec<(FieldId, Span)>,
    pub(super) span: Span,
}

impl KeyDraft<'_> {
    /// Returns the columns, if it has only columns.
    pub(super) fn columns(&self) -> Option<Vec<FieldId>> {
        self.fields.iter().map(|field| field.column()).collect()
    }

    /// Returns the index method, or the default one.
    pub(super) fn method(&self) -> IndexMethod {
        let usual = if self.kind == KeyKind::Exclusion { IndexMethod::Gist } else { IndexMethod::BTree };
        self.method.map_or(usual, |(method, _)| method)
    }

    /// Returns whether it is written on a field.
    pub(super) fn is_on_field(&self) -> bool {
        !self.attribute.starts_with("@@")
    }

    /// Returns whether it identifies rows: it is unique at any time, applies to all rows, and has only columns.
    pub(super) fn is_unique(&self) -> bool {
        self.kind.is_key() && self.predicate.is_none() && self.options.deferrable.is_none() && self.columns().is_some()
    }
}

/// Properties of a key that only PostgreSQL has.
#[derive(Debug, Default)]
pub(super) struct KeyOptionsDraft {
    pub(super) include: Option<FieldList>,
    /// The place of `nullsNotDistinct: true`.
    pub(super) nulls_not_distinct: Option<Span>,
    pub(super) deferrable: Option<(Deferrable, Span)>,
    pub(super) storage: Option<(Vec<String>, Span)>,
}

/// One part of a key.
#[derive(Debug)]
pub(super) struct KeyField<'a> {
    pub(super) target: KeyTarget<'a>,
    pub(super) span: Span,
    pub(super) sort: Option<(SortOrder, Span)>,
    pub(super) nulls: Option<(NullsOrder, Span)>,
    pub(super) operator_class: Option<OperatorClass<'a>>,
    /// `with:` of an exclusion constraint.
    pub(super) operator: Option<Given<'a>>,
}

impl KeyField<'_> {
    /// Returns the column, if it is one.
    pub(super) fn column(&self) -> Option<FieldId> {
        match self.target {
            KeyTarget::Field(id) => Some(id),
            KeyTarget::Expression(_) => None,
        }
    }
}

/// The target of a part of a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyTarget<'a> {
    Field(FieldId),
    Expression(Given<'a>),
}

/// `ops:`.
#[derive(Debug, Clone, Copy)]
pub(super) enum OperatorClass<'a> {
    /// One of the names that the language knows.
    Known(&'static super::operator_classes::KnownClass, Span),
    /// `raw("..")`, used unchanged.
    Raw(Given<'a>),
}

/// `@@check(..)`.
#[derive(Debug)]
pub(super) struct CheckDraft<'a> {
    pub(super) sql: Given<'a>,
    pub(super) map: Option<Given<'a>>,
    pub(super) span: Span,
    /// Filled in by `constraint_names`.
    pub(super) constraint_name: String,
}

/// An enum.
#[derive(Debug)]
pub(super) struct EnumDraft<'a> {
    pub(super) ast: &'a EnumBlock<'a>,
    pub(super) map: Option<Given<'a>>,
    /// `name:` of `@@rust`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`, as is `module`.
    pub(super) rust_ident: String,
    pub(super) module: String,
    pub(super) namespace: Option<Given<'a>>,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) values: Vec<ValueDraft<'a>>,
    /// `@@derive`.
    pub(super) derives: Vec<String>,
}

impl<'a> EnumDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }
}

/// A `type` block.
#[derive(Debug)]
pub(super) struct TypeDraft<'a> {
    pub(super) ast: &'a FieldBlock<'a>,
    /// Its attributes and those of its mixins.
    pub(super) attributes: Vec<&'a Attribute<'a>>,
    pub(super) fields: Vec<TypeFieldDraft<'a>>,
    /// `@@derive`.
    pub(super) derives: Vec<String>,
    /// `@@rust(name: "..")`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`, as is `module`.
    pub(super) rust_ident: String,
    pub(super) module: String,
}

/// A field of a `type` block.
#[derive(Debug)]
pub(super) struct TypeFieldDraft<'a> {
    pub(super) ast: &'a FieldLine<'a>,
    /// `None` if a mistake in it was reported.
    pub(super) ty: Option<JsonFieldType>,
    pub(super) map: Option<Given<'a>>,
    pub(super) default: Option<DefaultValue>,
    /// The type of `@rust`.
    pub(super) rust: Option<String>,
    /// The name of `@rust`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`.
    pub(super) rust_ident: String,
    /// Whether the value is in a `Box`.
    pub(super) boxed: bool,
}

impl<'a> TypeFieldDraft<'a> {
    /// The key in JSON.
    pub(super) fn key(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }

    /// Required, optional or list.
    pub(super) fn arity(&self) -> Arity {
        self.ast.ty.arity
    }
}

/// A value of an enum.
#[derive(Debug)]
pub(super) struct ValueDraft<'a> {
    pub(super) ast: &'a EnumValue<'a>,
    pub(super) map: Option<Given<'a>>,
    /// `name:` of `@rust`.
    pub(super) rust_name: Option<Given<'a>>,
    /// Filled in by `rust_names`.
    pub(super) rust_ident: String,
    pub(super) renamed_from: Option<Given<'a>>,
}

impl<'a> ValueDraft<'a> {
    /// The label in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }
}

/// Two relation fields that belong together.
#[derive(Debug)]
pub(super) struct RelationDraft<'a> {
    pub(super) name: Option<Given<'a>>,
    pub(super) referencing: FieldId,
    pub(super) referenced: FieldId,
    /// `None` for an implicit many-to-many relation.
    pub(super) foreign_key: Option<ForeignKeyDraft<'a>>,
}

impl RelationDraft<'_> {
    /// Returns the table of a many-to-many relation: `_AToB`, or `_name`.
    pub(super) fn join_table(&self, cx: &super::Cx<'_, '_>) -> String {
        let model = |id: FieldId| cx.model(cx.field(id).model).ast.name.text;
        match self.name {
            Some(name) => format!("_{}", name.text),
            None => format!("_{}To{}", model(self.referencing), model(self.referenced)),
        }
    }
}

/// The foreign key of a relation.
#[derive(Debug)]
pub(super) struct ForeignKeyDraft<'a> {
    pub(super) fields: Vec<FieldId>,
    pub(super) references: Vec<FieldId>,
    pub(super) on_delete: ReferentialAction,
    pub(super) on_update: ReferentialAction,
    pub(super) map: Option<Given<'a>>,
    pub(super) one_to_one: bool,
    pub(super) options: ForeignKeyOptions,
    pub(super) span: Span,
    /// Filled in by `constraint_names`.
    pub(super) constraint_name: String,
}
