//! From drafts to IR. The result is valid only if there is no error; incomplete parts are left out.

use super::Cx;
use super::draft::{
    CheckDraft, FieldDraft, FieldList, FieldType, KeyDraft, KeyField, KeyKind, KeyTarget, ModelDraft, OperatorClass,
    PartitionDraft, RelationDraft, ScopeDraft, TypeDraft,
};
use crate::ir::{
    Audit, Check, Column, ColumnType, Enum, EnumId, EnumValue, Exclusion, Extension, Field, FieldKind, ForeignKey,
    Generated, Index, IndexField, IndexTarget, JsonField, JsonFieldType, JsonShape, JsonType, KeyOptions, Model,
    Partitions, PrimaryKey, Relation, RelationField, RelationId, RelationStorage, Schema, Scope, Side,
};
use crate::syntax::ModelKind;

/// Turns the drafts into the schema.
pub(super) fn finish(cx: Cx<'_, '_>) -> Schema {
    let mut sides = vec![None; cx.fields.len()];
    for (index, relation) in cx.relations.iter().enumerate() {
        let id = RelationId(index as u32);
        sides[relation.referencing.index()] = Some(RelationField { relation: id, side: Side::Referencing });
        sides[relation.referenced.index()] = Some(RelationField { relation: id, side: Side::Referenced });
    }
    Schema {
        models: cx.models.iter().map(|model| finish_model(&cx, model)).collect(),
        fields: cx.fields.iter().zip(&sides).map(|(field, side)| finish_field(field, *side)).collect(),
        enums: cx.enum_ids().map(|id| finish_enum(&cx, id)).collect(),
        types: cx.types.iter().map(|draft| finish_type(&cx, draft)).collect(),
        relations: cx.relations.iter().map(|relation| finish_relation(&cx, relation)).collect(),
        namespaces: cx.config.namespaces.iter().map(|namespace| namespace.text.to_owned()).collect(),
        extensions: finish_extensions(&cx),
        objects: cx.objects.clone(),
        foreign_keys: cx.config.foreign_keys,
        engine: cx.config.engine,
        client: cx.config.client,
        comments: cx.config.comments,
    }
}

fn owned(given: Option<super::draft::Given<'_>>) -> Option<String> {
    given.map(|given| given.text.to_owned())
}

/// Unique indexes come first, in the order in which the formatter writes their attributes.
fn finish_indexes(model: &ModelDraft<'_>) -> Vec<Index> {
    let is_index = |key: &&KeyDraft<'_>| matches!(key.kind, KeyKind::Unique | KeyKind::Index);
    let indexes = model.keys.iter().filter(is_index);
    let mut indexes: Vec<_> = indexes.map(finish_index).collect();
    indexes.sort_by_key(|index| !index.unique);
    indexes
}

fn finish_model(cx: &Cx<'_, '_>, model: &ModelDraft<'_>) -> Model {
    Model {
        name: model.ast.name.text.to_owned(),
        rust_ident: model.rust_ident.clone(),
        module: model.module.clone(),
        db_name: model.db_name().to_owned(),
        namespace: owned(model.namespace),
        docs: model.ast.docs.clone(),
        is_view: model.ast.kind == ModelKind::View,
        ignored: model.ignored,
        renamed_from: owned(model.renamed_from),
        fields: model.fields.clone(),
        primary_key: model.keys.iter().find(|key| key.kind == KeyKind::Primary).map(finish_primary_key),
        indexes: finish_indexes(model),
        checks: model.checks.iter().map(finish_check).collect(),
        exclusions: model.keys.iter().filter(|key| key.kind == KeyKind::Exclusion).map(finish_exclusion).collect(),
        scopes: model.scopes.iter().map(finish_scope).collect(),
        tenancy: model.tenancy.clone(),
        row_security: cx.has_row_security(model),
        storage: model.storage.clone(),
        unlogged: model.unlogged,
        partitions: model.partitions.as_ref().map(finish_partitions),
        audit: model.audit.as_ref().map(|audit| Audit { except: audit.except.iter().map(|(id, _)| *id).collect() }),
        query: owned(model.query),
        materialized: model.materialized,
        distribution: model.distribution,
        derives: finish_derives(cx, &model.derives, &["Debug", "Clone", "PartialEq"]),
    }
}

/// Returns the derives of the generator and of a block, without those that it always has.
fn finish_derives(cx: &Cx<'_, '_>, own: &[String], always: &[&str]) -> Vec<String> {
    let is_serde =
        |path: &str| cx.config.client.serde && ["::serde::Serialize", "::serde::Deserialize"].contains(&path);
    let mut found: Vec<String> = Vec::new();
    for path in cx.config.derives.iter().chain(own) {
        if !always.contains(&path.as_str()) && !is_serde(path) && !found.contains(path) {
            found.push(path.clone());
        }
    }
    found
}

fn finish_scope(scope: &ScopeDraft<'_>) -> Scope {
    Scope { name: scope.name.text.to_owned(), rust_ident: scope.rust_ident.clone(), sql: scope.sql.clone() }
}

fn finish_partitions(partitions: &PartitionDraft) -> Partitions {
    Partitions { method: partitions.method, fields: partitions.fields.iter().map(|(id, _)| *id).collect() }
}

fn finish_primary_key(key: &KeyDraft<'_>) -> PrimaryKey {
    PrimaryKey {
        name: owned(key.name),
        rust_ident: key.rust_ident.clone(),
        constraint_name: key.constraint_name.clone(),
        fields: key.fields.iter().map(finish_key_field).collect(),
        options: finish_key_options(key),
    }
}

fn finish_index(key: &KeyDraft<'_>) -> Index {
    Index {
        unique: key.kind == KeyKind::Unique,
        name: owned(key.name),
        rust_ident: key.rust_ident.clone(),
        constraint_name: key.constraint_name.clone(),
        method: key.method(),
        fields: key.fields.iter().map(finish_key_field).collect(),
        predicate: key.predicate.clone(),
        options: finish_key_options(key),
    }
}

fn finish_exclusion(key: &KeyDraft<'_>) -> Exclusion {
    let operator = |field: &KeyField<'_>| field.operator.map(|it| it.text.trim().to_owned()).unwrap_or_default();
    Exclusion { index: finish_index(key), operators: key.fields.iter().map(operator).collect() }
}

fn finish_key_options(key: &KeyDraft<'_>) -> KeyOptions {
    let options = &key.options;
    KeyOptions {
        include: options.include.as_ref().map(FieldList::ids).unwrap_or_default(),
        nulls_not_distinct: options.nulls_not_distinct.is_some(),
        deferrable: options.deferrable.map(|(deferrable, _)| deferrable),
        storage: options.storage.as_ref().map(|(storage, _)| storage.clone()).unwrap_or_default(),
    }
}

fn finish_key_field(field: &KeyField<'_>) -> IndexField {
    IndexField {
        target: match field.target {
            KeyTarget::Field(id) => IndexTarget::Field(id),
            KeyTarget::Expression(sql) => IndexTarget::Expression(sql.text.to_owned()),
        },
        sort: field.sort.map(|(sort, _)| sort),
        nulls: field.nulls.map(|(nulls, _)| nulls),
        operator_class: field.operator_class.map(|class| match class {
            OperatorClass::Known(class, _) => class.db_name.to_owned(),
            OperatorClass::Raw(raw) => raw.text.to_owned(),
        }),
    }
}

fn finish_check(check: &CheckDraft<'_>) -> Check {
    Check { constraint_name: check.constraint_name.clone(), sql: check.sql.text.to_owned() }
}

fn finish_field(field: &FieldDraft<'_>, side: Option<RelationField>) -> Field {
    let kind = match side {
        Some(side) => FieldKind::Relation(side),
        None => FieldKind::Column(finish_column(field)),
    };
    Field {
        model: field.model,
        name: field.ast.name.text.to_owned(),
        rust_ident: field.rust_ident.clone(),
        docs: field.ast.docs.clone(),
        arity: field.arity(),
        ignored: field.ignored,
        kind,
    }
}

fn finish_column(field: &FieldDraft<'_>) -> Column {
    let ty = match field.ty {
        FieldType::Scalar(scalar) => {
            ColumnType::Scalar(scalar, field.native.unwrap_or_else(|| scalar.default_native_type()))
        }
        FieldType::Enum(id) => ColumnType::Enum(id),
        // A relation without a pair or an unknown type was reported, so there is no schema.
        _ => ColumnType::Unsupported(field.sql_type.as_ref().map(|ty| ty.text.clone()).unwrap_or_default()),
    };
    Column {
        db_name: field.db_name().to_owned(),
        ty,
        default: field.default.as_ref().map(|(default, _)| default.clone()),
        updated_at: field.updated_at,
        soft_delete: field.soft_delete.is_some(),
        generated: field
            .generated
            .as_ref()
            .map(|generated| Generated { sql: generated.sql.text.to_owned(), is_virtual: generated.is_virtual }),
        identity: field.identity.as_ref().map(|(identity, _)| identity.clone()),
        collation: field.collation.as_ref().map(|(collation, _)| collation.clone()),
        domain: field.domain.as_ref().map(|(domain, _)| domain.clone()),
        rust: field.rust.as_ref().map(|(path, _)| path.clone()),
        has_type_name: field.sql_type.as_ref().is_some_and(|ty| ty.named),
        json: field.json.map(|ty| JsonShape { ty, list: field.is_json_list() }),
        sensitive: field.sensitive,
        omitted: field.omitted.is_some(),
        renamed_from: owned(field.renamed_from),
        using: owned(field.using),
    }
}

fn finish_relation(cx: &Cx<'_, '_>, relation: &RelationDraft<'_>) -> Relation {
    Relation {
        name: owned(relation.name),
        referencing: relation.referencing,
        referenced: relation.referenced,
        storage: match &relation.foreign_key {
            Some(key) => RelationStorage::ForeignKey(ForeignKey {
                fields: key.fields.clone(),
                references: key.references.clone(),
                on_delete: key.on_delete,
                on_update: key.on_update,
                constraint_name: key.constraint_name.clone(),
                one_to_one: key.one_to_one,
                options: key.options.clone(),
            }),
            None => finish_join_table(cx, relation),
        },
    }
}

/// The table belongs to the PostgreSQL schema of the first model.
fn finish_join_table(cx: &Cx<'_, '_>, relation: &RelationDraft<'_>) -> RelationStorage {
    let namespace = cx.model(cx.field(relation.referencing).model).namespace;
    RelationStorage::JoinTable { db_name: relation.join_table(cx), namespace: owned(namespace) }
}

/// The derives of every enum, and last those of an enum that is in JSON.
const ON_ENUMS: [&str; 10] = [
    "Debug",
    "Clone",
    "Copy",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "::serde::Serialize",
    "::serde::Deserialize",
];

fn finish_enum(cx: &Cx<'_, '_>, id: EnumId) -> Enum {
    let draft = &cx.enums[id.index()];
    let mut fields = cx.types.iter().flat_map(|draft| &draft.fields);
    let is_in_json = fields.any(|field| field.ty == Some(JsonFieldType::Enum(id)));
    let always = &ON_ENUMS[..if is_in_json { ON_ENUMS.len() } else { 8 }];
    let values = draft.values.iter().map(|value| EnumValue {
        name: value.ast.name.text.to_owned(),
        rust_ident: value.rust_ident.clone(),
        db_name: value.db_name().to_owned(),
        docs: value.ast.docs.clone(),
        renamed_from: owned(value.renamed_from),
    });
    Enum {
        name: draft.ast.name.text.to_owned(),
        rust_ident: draft.rust_ident.clone(),
        module: draft.module.clone(),
        db_name: draft.db_name().to_owned(),
        namespace: owned(draft.namespace),
        docs: draft.ast.docs.clone(),
        renamed_from: owned(draft.renamed_from),
        values: values.collect(),
        derives: finish_derives(cx, &draft.derives, always),
    }
}

fn finish_type(cx: &Cx<'_, '_>, draft: &TypeDraft<'_>) -> JsonType {
    const ALWAYS: [&str; 5] = ["Debug", "Clone", "PartialEq", "::serde::Serialize", "::serde::Deserialize"];
    // The type of a field is missing only if a mistake was reported.
    let fields = draft.fields.iter().filter_map(|field| {
        Some(JsonField {
            name: field.ast.name.text.to_owned(),
            key: field.key().to_owned(),
            docs: field.ast.docs.clone(),
            arity: field.arity(),
            ty: field.ty?,
            default: field.default.clone(),
            rust: field.rust.clone(),
            rust_ident: field.rust_ident.clone(),
            boxed: field.boxed,
        })
    });
    JsonType {
        name: draft.ast.name.text.to_owned(),
        docs: draft.ast.docs.clone(),
        fields: fields.collect(),
        derives: finish_derives(cx, &draft.derives, &ALWAYS),
        rust_ident: draft.rust_ident.clone(),
        module: draft.module.clone(),
    }
}

fn finish_extensions(cx: &Cx<'_, '_>) -> Vec<Extension> {
    let extensions = cx.config.extensions.iter().map(|extension| Extension {
        name: extension.name.text.to_owned(),
        db_name: extension.map.map_or(extension.name.text, |map| map.text).to_owned(),
        namespace: owned(extension.namespace),
        version: owned(extension.version),
    });
    extensions.collect()
}
