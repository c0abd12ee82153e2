//! Models, fields, keys and relations while they are lowered: the syntax tree with what was lowered from it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostics::Span;
use crate::ir::{
    Arity, DefaultValue, EnumId, FieldId, IndexMethod, ModelId, NativeType, ReferentialAction, ScalarType, SortOrder,
    Tenancy,
};
use crate::syntax::{Attribute, EnumBlock, EnumValue, FieldBlock, FieldLine, Name, Text};

/// A name that an attribute gives, and where the attribute is.
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
    pub(super) namespace: Option<Given<'a>>,
    pub(super) ignored: bool,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) keys: Vec<KeyDraft<'a>>,
    pub(super) checks: Vec<CheckDraft<'a>>,
    /// `@@tenant` or `@@shared`.
    pub(super) declared_tenancy: Option<DeclaredTenancy<'a>>,
    /// `rowSecurity:` of `@@tenant`.
    pub(super) row_security: Option<bool>,
    /// What that means; filled in by `tenants`.
    pub(super) tenancy: Tenancy,
    /// One of its keys could not be read, so a missing key is not reported.
    pub(super) has_broken_key: bool,
}

impl<'a> ModelDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }

    /// The ids of its fields.
    pub(super) fn field_ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        self.fields.clone().map(FieldId)
    }
}

/// What a model says of tenants.
#[derive(Debug, Clone, Copy)]
pub(super) enum DeclaredTenancy<'a> {
    /// `@@tenant`, of the model whose rows are tenants.
    Tenant(Span),
    /// `@@tenant(a.b)`.
    Within(Name<'a>),
    /// `@@shared`.
    Shared(Span),
    /// One that was reported.
    Broken(Span),
}

impl DeclaredTenancy<'_> {
    /// Where it is.
    pub(super) fn span(self) -> Span {
        match self {
            DeclaredTenancy::Tenant(span) | DeclaredTenancy::Shared(span) | DeclaredTenancy::Broken(span) => span,
            DeclaredTenancy::Within(path) => path.span,
        }
    }
}

/// What the type of a field turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Scalar(ScalarType),
    Enum(EnumId),
    Model(ModelId),
    Unsupported,
    /// Reported; the field is not checked further.
    Unknown,
}

/// A field.
#[derive(Debug)]
pub(super) struct FieldDraft<'a> {
    pub(super) ast: &'a FieldLine<'a>,
    pub(super) model: ModelId,
    pub(super) ty: FieldType,
    pub(super) native: Option<NativeType>,
    pub(super) map: Option<Given<'a>>,
    pub(super) default: Option<(DefaultValue, Span)>,
    /// There is an `@default`, even if it could not be read.
    pub(super) updated_at: bool,
    pub(super) ignored: bool,
    pub(super) sensitive: bool,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) using: Option<Given<'a>>,
    pub(super) relation: RelationAttribute<'a>,
}

impl<'a> FieldDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }

    /// Required, optional or list.
    pub(super) fn arity(&self) -> Arity {
        self.ast.ty.arity
    }

    /// Whether it is a column.
    pub(super) fn is_column(&self) -> bool {
        !matches!(self.ty, FieldType::Model(_) | FieldType::Unknown)
    }

    /// The native type, the default one included.
    pub(super) fn native_type(&self) -> Option<NativeType> {
        match self.ty {
            FieldType::Scalar(scalar) => Some(self.native.unwrap_or_else(|| scalar.default_native_type())),
            _ => None,
        }
    }
}

/// `@relation(..)` as far as it could be read; without the attribute everything is absent.
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
    /// Something in it was reported.
    pub(super) broken: bool,
}

/// A list of fields in an argument; those that do not exist are left out.
#[derive(Debug, Clone)]
pub(super) struct FieldList {
    pub(super) fields: Vec<(FieldId, Span)>,
    pub(super) span: Span,
    /// Some of them were reported.
    pub(super) broken: bool,
}

impl FieldList {
    /// The ids alone.
    pub(super) fn ids(&self) -> Vec<FieldId> {
        self.fields.iter().map(|(id, _)| *id).collect()
    }
}

/// What kind of key or index it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Index,
}

/// `@id`, `@@id`, `@unique`, `@@unique` or `@@index`.
#[derive(Debug)]
pub(super) struct KeyDraft<'a> {
    pub(super) kind: KeyKind,
    /// The attribute as it is written, with its `@`s.
    pub(super) attribute: &'static str,
    pub(super) span: Span,
    pub(super) name: Option<Given<'a>>,
    pub(super) map: Option<Given<'a>>,
    pub(super) method: Option<(IndexMethod, Span)>,
    pub(super) fields: Vec<KeyField<'a>>,
    /// `where:` as SQL.
    pub(super) predicate: Option<String>,
    /// `global: true`: its values are unique across tenants on purpose.
    pub(super) global: bool,
    /// Filled in by `constraint_names`.
    pub(super) constraint_name: String,
}

impl KeyDraft<'_> {
    /// The columns, if it has only columns.
    pub(super) fn columns(&self) -> Option<Vec<FieldId>> {
        self.fields.iter().map(|field| field.column()).collect()
    }

    /// Whether it is written at a field.
    pub(super) fn is_on_field(&self) -> bool {
        !self.attribute.starts_with("@@")
    }

    /// Whether it identifies rows: unique, on all rows, columns only.
    pub(super) fn is_unique(&self) -> bool {
        self.kind != KeyKind::Index && self.predicate.is_none() && self.columns().is_some()
    }
}

/// One part of a key.
#[derive(Debug)]
pub(super) struct KeyField<'a> {
    pub(super) target: KeyTarget<'a>,
    pub(super) span: Span,
    pub(super) sort: Option<(SortOrder, Span)>,
    pub(super) operator_class: Option<OperatorClass<'a>>,
}

impl KeyField<'_> {
    /// The column, if it is one.
    pub(super) fn column(&self) -> Option<FieldId> {
        match self.target {
            KeyTarget::Field(id) => Some(id),
            KeyTarget::Expression(_) => None,
        }
    }
}

/// What a part of a key is.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyTarget<'a> {
    Field(FieldId),
    Expression(Given<'a>),
}

/// `ops:`.
#[derive(Debug, Clone, Copy)]
pub(super) enum OperatorClass<'a> {
    /// One of the known names.
    Known(&'static super::operator_classes::KnownClass, Span),
    /// `raw("..")`, taken as it is.
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
    pub(super) namespace: Option<Given<'a>>,
    pub(super) renamed_from: Option<Given<'a>>,
    pub(super) values: Vec<ValueDraft<'a>>,
}

impl<'a> EnumDraft<'a> {
    /// The name in PostgreSQL.
    pub(super) fn db_name(&self) -> &'a str {
        self.map.map_or(self.ast.name.text, |map| map.text)
    }
}

/// A value of an enum.
#[derive(Debug)]
pub(super) struct ValueDraft<'a> {
    pub(super) ast: &'a EnumValue<'a>,
    pub(super) map: Option<Given<'a>>,
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
    /// None: an implicit many-to-many relation.
    pub(super) foreign_key: Option<ForeignKeyDraft<'a>>,
}

impl RelationDraft<'_> {
    /// The table of a many-to-many relation: `_AToB`, or `_name`.
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
    pub(super) span: Span,
    /// Filled in by `constraint_names`.
    pub(super) constraint_name: String,
}
