//! Views of the schema that answer questions: small, `Copy`, and the only way in which `emit` and `sql` read it.

use super::{
    Arity, Column, ColumnText, ColumnType, DefaultValue, Enum, EnumId, Field, FieldId, FieldKind, ForeignKey, Index,
    IndexField, IndexTarget, Model, ModelId, Relation, RelationId, RelationStorage, Schema, Side, Tenancy,
};

macro_rules! walker {
    ($(#[$doc:meta])* $name:ident, $id:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'s> {
            /// The schema.
            pub schema: &'s Schema,
            /// The index of the item.
            pub id: $id,
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.id == other.id
            }
        }
    };
}

walker!(
    /// A model or view.
    ModelWalker,
    ModelId
);
walker!(
    /// Any field.
    FieldWalker,
    FieldId
);
walker!(
    /// A field that is a column.
    ColumnWalker,
    FieldId
);
walker!(
    /// A field that is one side of a relation.
    RelationFieldWalker,
    FieldId
);
walker!(
    /// A relation.
    RelationWalker,
    RelationId
);
walker!(
    /// An enum.
    EnumWalker,
    EnumId
);

impl Schema {
    /// All models and views.
    pub fn walk_models(&self) -> impl ExactSizeIterator<Item = ModelWalker<'_>> {
        (0..self.models.len()).map(|index| self.walk_model(ModelId(index as u32)))
    }

    /// All enums.
    pub fn walk_enums(&self) -> impl ExactSizeIterator<Item = EnumWalker<'_>> {
        (0..self.enums.len()).map(|index| self.walk_enum(EnumId(index as u32)))
    }

    /// All relations.
    pub fn walk_relations(&self) -> impl ExactSizeIterator<Item = RelationWalker<'_>> {
        (0..self.relations.len()).map(|index| self.walk_relation(RelationId(index as u32)))
    }

    /// The model whose rows are tenants.
    pub fn tenant(&self) -> Option<ModelWalker<'_>> {
        self.walk_models().find(|model| model.model().tenancy == Tenancy::Tenant)
    }

    /// One model.
    pub fn walk_model(&self, id: ModelId) -> ModelWalker<'_> {
        ModelWalker { schema: self, id }
    }

    /// One enum.
    pub fn walk_enum(&self, id: EnumId) -> EnumWalker<'_> {
        EnumWalker { schema: self, id }
    }

    /// One relation.
    pub fn walk_relation(&self, id: RelationId) -> RelationWalker<'_> {
        RelationWalker { schema: self, id }
    }

    /// One field.
    pub fn walk_field(&self, id: FieldId) -> FieldWalker<'_> {
        FieldWalker { schema: self, id }
    }
}

impl<'s> ModelWalker<'s> {
    /// The model itself.
    pub fn model(self) -> &'s Model {
        &self.schema.models[self.id.index()]
    }

    /// The name in the schema.
    pub fn name(self) -> &'s str {
        &self.model().name
    }

    /// All fields, in the order of their declaration.
    pub fn fields(self) -> impl Iterator<Item = FieldWalker<'s>> {
        self.model().fields.clone().map(move |id| self.schema.walk_field(FieldId(id)))
    }

    /// Returns whether rows do not have all columns of the client (`@omit`).
    pub fn has_omitted(self) -> bool {
        self.columns().any(|column| column.in_client() && column.column().omitted)
    }

    /// The fields that are columns.
    pub fn columns(self) -> impl Iterator<Item = ColumnWalker<'s>> {
        self.fields().filter_map(FieldWalker::as_column)
    }

    /// The fields that are sides of a relation.
    pub fn relation_fields(self) -> impl Iterator<Item = RelationFieldWalker<'s>> {
        self.fields().filter_map(FieldWalker::as_relation_field)
    }

    /// Whether its rows belong to tenants, or are tenants.
    pub fn has_tenant(self) -> bool {
        self.model().tenancy != Tenancy::Shared
    }

    /// Returns the column in which rows that belong to a tenant hold its id, if the model has one.
    pub fn column_of_tenant(self) -> Option<ColumnWalker<'s>> {
        self.tenant_column().filter(|_| matches!(self.model().tenancy, Tenancy::Within(_)))
    }

    /// Returns the column that holds the tenant's id, if the model has one. For a tenant, that is its id.
    pub fn tenant_column(self) -> Option<ColumnWalker<'s>> {
        match &self.model().tenancy {
            Tenancy::Shared => None,
            Tenancy::Tenant => self.primary_key_columns().next(),
            Tenancy::Within(path) => match path.as_slice() {
                [only] => self.schema.walk_field(*only).as_relation_field()?.relation().referencing_columns().next(),
                _ => None,
            },
        }
    }

    /// The columns of the primary key, in key order.
    pub fn primary_key_columns(self) -> impl Iterator<Item = ColumnWalker<'s>> {
        self.model().primary_key.iter().flat_map(|key| &key.fields).filter_map(move |field| self.index_column(field))
    }

    /// Returns the column of an index field; `None` for an expression.
    pub fn index_column(self, field: &IndexField) -> Option<ColumnWalker<'s>> {
        match field.target {
            IndexTarget::Field(id) => self.schema.walk_field(id).as_column(),
            IndexTarget::Expression(_) => None,
        }
    }

    /// Returns the unique indexes that identify a row: those on columns only, without a condition.
    pub fn unique_indexes(self) -> impl Iterator<Item = &'s Index> {
        self.model().indexes.iter().filter(|index| {
            index.unique
                && index.predicate.is_none()
                && index.options.deferrable.is_none()
                && index.fields.iter().all(|field| matches!(field.target, IndexTarget::Field(_)))
        })
    }
}

impl<'s> FieldWalker<'s> {
    /// The field itself.
    pub fn field(self) -> &'s Field {
        &self.schema.fields[self.id.index()]
    }

    /// The name in the schema.
    pub fn name(self) -> &'s str {
        &self.field().name
    }

    /// The model it belongs to.
    pub fn model(self) -> ModelWalker<'s> {
        self.schema.walk_model(self.field().model)
    }

    /// Returns the column, if the field is one.
    pub fn as_column(self) -> Option<ColumnWalker<'s>> {
        matches!(self.field().kind, FieldKind::Column(_)).then_some(ColumnWalker { schema: self.schema, id: self.id })
    }

    /// Returns the side of a relation, if the field is one.
    pub fn as_relation_field(self) -> Option<RelationFieldWalker<'s>> {
        matches!(self.field().kind, FieldKind::Relation(_))
            .then_some(RelationFieldWalker { schema: self.schema, id: self.id })
    }
}

impl<'s> ColumnWalker<'s> {
    /// The field.
    pub fn field(self) -> &'s Field {
        &self.schema.fields[self.id.index()]
    }

    /// The column itself.
    pub fn column(self) -> &'s Column {
        match &self.field().kind {
            FieldKind::Column(column) => column,
            FieldKind::Relation(_) => unreachable!("a ColumnWalker is only made for columns"),
        }
    }

    /// The name in the schema.
    pub fn name(self) -> &'s str {
        &self.field().name
    }

    /// The name in PostgreSQL.
    pub fn db_name(self) -> &'s str {
        &self.column().db_name
    }

    /// Required, optional or list.
    pub fn arity(self) -> Arity {
        self.field().arity
    }

    /// The model it belongs to.
    pub fn model(self) -> ModelWalker<'s> {
        self.schema.walk_model(self.field().model)
    }

    /// Returns whether the column is in the client: not `@ignore`d.
    pub fn in_client(self) -> bool {
        !self.field().ignored
    }

    /// Returns whether a row can be inserted without a value for it: it is optional, a list, `@updatedAt`, has a
    /// default, or PostgreSQL computes or counts its value.
    pub fn may_be_omitted(self) -> bool {
        self.arity() != Arity::Required
            || self.column().updated_at
            || self.column().default.is_some()
            || self.column().generated.is_some()
            || self.column().identity.is_some()
            || self.column_text().is_some_and(|text| text.has_value())
    }

    /// Returns whether no program can write the column, because PostgreSQL always computes or counts its value.
    pub fn is_never_written(self) -> bool {
        let in_text = self.column_text().is_some_and(|text| text.generated.is_some() || text.identity == Some(true));
        let by_attribute = self.column().identity.as_ref().is_some_and(|identity| identity.always);
        self.column().generated.is_some() || by_attribute || in_text
    }

    /// Returns the parsed text of `Unsupported("..")`; `None` for other types.
    pub fn column_text(self) -> Option<ColumnText<'s>> {
        match &self.column().ty {
            ColumnType::Unsupported(text) => ColumnText::parse(text).ok(),
            _ => None,
        }
    }

    /// Returns whether the database has a value for a row that is inserted without one.
    pub fn has_database_default(self) -> bool {
        let computes = self.column().generated.is_some() || self.column().identity.is_some();
        let has_default = self.column().default.is_some() && !self.has_client_default();
        self.arity() != Arity::Required
            || computes
            || has_default
            || self.column_text().is_some_and(|it| it.has_value())
    }

    /// Returns whether the client, not the database, generates its default.
    pub fn has_client_default(self) -> bool {
        matches!(
            self.column().default,
            Some(DefaultValue::Uuid(_) | DefaultValue::Cuid(_) | DefaultValue::Ulid | DefaultValue::Nanoid(_))
        )
    }
}

impl<'s> RelationFieldWalker<'s> {
    /// The field.
    pub fn field(self) -> &'s Field {
        &self.schema.fields[self.id.index()]
    }

    /// The name in the schema.
    pub fn name(self) -> &'s str {
        &self.field().name
    }

    /// Required, optional or list.
    pub fn arity(self) -> Arity {
        self.field().arity
    }

    /// The model it belongs to.
    pub fn model(self) -> ModelWalker<'s> {
        self.schema.walk_model(self.field().model)
    }

    /// Which side it is.
    pub fn side(self) -> Side {
        match &self.field().kind {
            FieldKind::Relation(relation) => relation.side,
            FieldKind::Column(_) => {
                unreachable!("a RelationFieldWalker is only made for relation fields")
            }
        }
    }

    /// The relation it is a side of.
    pub fn relation(self) -> RelationWalker<'s> {
        match &self.field().kind {
            FieldKind::Relation(relation) => self.schema.walk_relation(relation.relation),
            FieldKind::Column(_) => {
                unreachable!("a RelationFieldWalker is only made for relation fields")
            }
        }
    }

    /// The field on the other side.
    pub fn opposite(self) -> RelationFieldWalker<'s> {
        let relation = self.relation().relation();
        let id = if relation.referencing == self.id { relation.referenced } else { relation.referencing };
        RelationFieldWalker { schema: self.schema, id }
    }

    /// The model on the other side.
    pub fn related_model(self) -> ModelWalker<'s> {
        self.opposite().model()
    }
}

impl<'s> RelationWalker<'s> {
    /// The relation itself.
    pub fn relation(self) -> &'s Relation {
        &self.schema.relations[self.id.index()]
    }

    /// Returns its foreign key; `None` for an implicit many-to-many relation.
    pub fn foreign_key(self) -> Option<&'s ForeignKey> {
        match &self.relation().storage {
            RelationStorage::ForeignKey(key) => Some(key),
            RelationStorage::JoinTable { .. } => None,
        }
    }

    /// The referencing columns.
    pub fn referencing_columns(self) -> impl Iterator<Item = ColumnWalker<'s>> {
        let key = self.foreign_key();
        key.into_iter().flat_map(|key| &key.fields).filter_map(move |id| self.schema.walk_field(*id).as_column())
    }

    /// The referenced columns, in the order of the referencing ones.
    pub fn referenced_columns(self) -> impl Iterator<Item = ColumnWalker<'s>> {
        let key = self.foreign_key();
        key.into_iter().flat_map(|key| &key.references).filter_map(move |id| self.schema.walk_field(*id).as_column())
    }

    /// Returns the position of the pair of columns that holds the tenant on both sides, if other columns distinguish
    /// the rows of one tenant.
    pub fn tenant_pair(self) -> Option<usize> {
        self.referencing_columns().nth(1)?;
        let (ours, theirs) =
            (self.referencing_field().model().tenant_column()?, self.referenced_field().model().tenant_column()?);
        self.referencing_columns().zip(self.referenced_columns()).position(|pair| pair == (ours, theirs))
    }

    /// The field on the referencing side.
    pub fn referencing_field(self) -> RelationFieldWalker<'s> {
        RelationFieldWalker { schema: self.schema, id: self.relation().referencing }
    }

    /// The field on the referenced side.
    pub fn referenced_field(self) -> RelationFieldWalker<'s> {
        RelationFieldWalker { schema: self.schema, id: self.relation().referenced }
    }
}

impl<'s> EnumWalker<'s> {
    /// The enum itself.
    pub fn enumeration(self) -> &'s Enum {
        &self.schema.enums[self.id.index()]
    }

    /// The name in the schema.
    pub fn name(self) -> &'s str {
        &self.enumeration().name
    }
}
