//! From the schema to the state of a database: what Prisma would create, and what Relata adds to it.
//!
//! Views are objects of the catalog if the schema contains their query; otherwise, they are left out. A model with `@@ignore` is a table like any other.

mod audit;
mod citus;
mod mentions;
mod objects;
mod operator_class;
mod row_security;
mod select_list;
mod value;
mod views;

use std::collections::BTreeSet;

use super::data_type::{DataType, is_same_name};
use super::names::{MAX_NAME, clip, clipped, free_sequence_name, sequence_name};
use super::quote::ident;
use super::state::{
    Check, Column, ColumnDefault, ColumnOptions, ConstraintOptions, EnumType, Exclusion, Extension, ForeignKey,
    Identity, Index, IndexPart, IndexTarget, ObjectName, PartitionKey, PrimaryKey, Sequence, SequenceOptions, State,
    Table, UniqueConstraint,
};
use crate::ir::{self, Arity, ColumnText, ColumnType, ColumnWalker, DefaultValue, IndexMethod, ModelWalker, SortOrder};

/// Returns the database that a schema describes.
pub fn lower(schema: &ir::Schema) -> State {
    let mut state = State {
        extensions: schema.extensions.iter().map(lower_extension).collect(),
        enums: schema.enums.iter().map(|it| lower_enum(schema, it)).collect(),
        ..State::default()
    };
    let mut positions = vec![None; schema.models.len()];
    for model in schema.walk_models().filter(|model| !model.model().is_view) {
        let (table, sequences) = lower_model(model);
        positions[model.id.index()] = Some(state.tables.len());
        state.tables.push(table);
        state.sequences.extend(sequences);
    }
    for relation in schema.walk_relations() {
        match &relation.relation().storage {
            ir::RelationStorage::ForeignKey(key) => {
                let position = positions[relation.referencing_field().model().id.index()];
                if let (Some(position), true) = (position, schema.foreign_keys) {
                    state.tables[position].foreign_keys.extend(lower_foreign_key(relation, key));
                }
            }
            ir::RelationStorage::JoinTable { db_name, namespace } => {
                let name = ObjectName { schema: namespace.clone(), name: db_name.clone() };
                state.tables.extend(lower_join_table(relation, name));
            }
        }
    }
    row_security::secure(schema, &mut state);
    audit::record(schema, &mut state);
    citus::distribute(schema, &mut state);
    state.schemas = used_schemas(schema, &state);
    state.sort();
    name_sequences(&mut state);
    state.sort();
    views::add(schema, &mut state);
    objects::add(schema, &mut state);
    state
}

/// Returns the schemas that something is in. As in Prisma, an empty schema is not created, even if it is listed.
fn used_schemas(schema: &ir::Schema, state: &State) -> Vec<String> {
    let tables = state.tables.iter().map(|table| &table.name);
    let names = tables.chain(state.enums.iter().map(|ty| &ty.name)).filter_map(|name| name.schema.clone());
    let views = schema.walk_models().filter(|model| model.model().query.is_some());
    let views = views.filter_map(|model| table_name(model).schema);
    let objects = schema.objects.iter().filter_map(|object| object.namespace().map(str::to_owned));
    let log = state.audit.iter().filter_map(|log| log.name.schema.clone());
    names.chain(views).chain(objects).chain(log).collect()
}

/// Gives a sequence another name if its default name is taken: long names are truncated, so two may be equal. In the
/// order of tables and columns.
fn name_sequences(state: &mut State) {
    let mut taken: BTreeSet<ObjectName> = BTreeSet::new();
    for table in &state.tables {
        let keys = table.primary_key.iter().map(|key| &key.name);
        let indexes = table.indexes.iter().chain(table.exclusions.iter().map(|exclusion| &exclusion.index));
        let names = keys.chain(indexes.map(|index| &index.name));
        taken.extend(names.map(|name| table.name.sibling(name)));
        taken.insert(table.name.clone());
    }
    for table in &mut state.tables {
        for column in &mut table.columns {
            let Some(ColumnDefault::Sequence(name)) = &mut column.default else { continue };
            let owner = Some((table.name.clone(), column.name.clone()));
            let Some(sequence) = state.sequences.iter_mut().find(|it| it.owned_by == owner) else { continue };
            sequence.name = free_sequence_name(&table.name, &column.name, |name| taken.contains(name));
            name.clone_from(&sequence.name);
            taken.insert(sequence.name.clone());
        }
    }
}

/// The table of a model.
pub(super) fn table_name(model: ModelWalker<'_>) -> ObjectName {
    ObjectName { schema: model.model().namespace.clone(), name: model.model().db_name.clone() }
}

/// The type of an enum.
pub(super) fn enum_name(enumeration: &ir::Enum) -> ObjectName {
    ObjectName { schema: enumeration.namespace.clone(), name: enumeration.db_name.clone() }
}

fn lower_extension(extension: &ir::Extension) -> Extension {
    Extension {
        name: extension.db_name.clone(),
        schema: extension.namespace.clone(),
        version: extension.version.clone(),
    }
}

fn lower_enum(schema: &ir::Schema, enumeration: &ir::Enum) -> EnumType {
    EnumType {
        name: enum_name(enumeration),
        labels: enumeration.values.iter().map(|value| value.db_name.clone()).collect(),
        comment: lower_docs(schema, enumeration.docs.as_deref()),
    }
}

/// Returns a `///` comment if it is a comment in the database. PostgreSQL has no empty ones.
fn lower_docs(schema: &ir::Schema, docs: Option<&str>) -> Option<String> {
    docs.filter(|docs| schema.comments && !docs.trim().is_empty()).map(str::to_owned)
}

fn lower_model(model: ModelWalker<'_>) -> (Table, Vec<Sequence>) {
    let mut table = Table::new(table_name(model));
    (table.options.storage, table.options.unlogged) = (model.model().storage.clone(), model.model().unlogged);
    table.options.comment = lower_docs(model.schema, model.model().docs.as_deref());
    if let Some(partitions) = &model.model().partitions {
        let key = PartitionKey { method: partitions.method, columns: column_names(model, &partitions.fields) };
        table.options.partition_by = Some(key.to_string());
        table.options.partition_columns = key.columns;
    }
    let mut sequences = Vec::new();
    for column in model.columns() {
        let lowered = lower_column(column, &table.name);
        if column.column().default == Some(DefaultValue::Autoincrement) {
            sequences.push(Sequence {
                name: sequence_name(&table.name, &lowered.name),
                ty: lowered.ty.clone(),
                owned_by: Some((table.name.clone(), lowered.name.clone())),
                options: SequenceOptions::default(),
            });
        }
        table.columns.push(lowered);
    }
    table.primary_key = model.model().primary_key.as_ref().map(|key| PrimaryKey {
        name: key.constraint_name.clone(),
        columns: model.primary_key_columns().map(|column| column.db_name().to_owned()).collect(),
        options: lower_key_options(model, &key.options),
    });
    for index in &model.model().indexes {
        match lower_constraint(model, index) {
            Some(constraint) => table.uniques.push(constraint),
            None => table.indexes.push(lower_index(model, index)),
        }
    }
    table.checks = model.model().checks.iter().map(lower_check).collect();
    table.exclusions = model.model().exclusions.iter().map(|exclusion| lower_exclusion(model, exclusion)).collect();
    (table, sequences)
}

fn lower_column(column: ColumnWalker<'_>, table: &ObjectName) -> Column {
    let (ty, is_array) = lower_type(column);
    let arity = column.arity();
    let text = column.column_text();
    let generated = column.column().generated.as_ref();
    let of_text = text.as_ref().and_then(|text| text.generated).map(str::to_owned);
    let identity = column.column().identity.as_ref();
    let always = text.as_ref().and_then(|text| text.identity).or(identity.map(|identity| identity.always));
    let collation = text.as_ref().and_then(|text| text.collation).map(str::to_owned);
    let collation = collation.or(column.column().collation.as_ref().map(collation_name));
    Column {
        name: column.db_name().to_owned(),
        array: is_array || arity == Arity::List,
        // As in Prisma, lists are not NOT NULL. Identity columns are never NULL.
        nullable: arity != Arity::Required && always.is_none(),
        default: column.column().default.as_ref().and_then(|default| value::lower_default(column, default, table)),
        ty,
        identity: always.map(|always| if always { Identity::Always } else { Identity::ByDefault }),
        generated: generated.map(|generated| generated.sql.clone()).or(of_text),
        collation: collation.filter(|name| !is_same_name(name, "\"default\"")),
        used_by: Vec::new(),
        grants: Vec::new(),
        options: ColumnOptions {
            is_virtual: generated.is_some_and(|generated| generated.is_virtual),
            counts: identity.map(|identity| identity.options.clone()).unwrap_or_default(),
            comment: lower_docs(column.schema, column.field().docs.as_deref()),
            domain: column.column().domain.as_ref().map(domain_name),
            ..ColumnOptions::default()
        },
    }
}

fn collation_name(collation: &ir::Collation) -> String {
    match &collation.schema {
        Some(schema) => format!("{}.{}", ident(schema), ident(&collation.name)),
        None => ident(&collation.name),
    }
}

fn domain_name(domain: &ir::Domain) -> ObjectName {
    ObjectName { schema: domain.schema.clone(), name: domain.name.clone() }
}

fn lower_type(column: ColumnWalker<'_>) -> (DataType, bool) {
    match &column.column().ty {
        ColumnType::Scalar(_, native) => (DataType::Native(*native), false),
        ColumnType::Enum(id) => (DataType::Enum(enum_name(column.schema.walk_enum(*id).enumeration())), false),
        ColumnType::Unsupported(text) => DataType::parse(ColumnText::type_of(text)),
    }
}

fn lower_check(check: &ir::Check) -> Check {
    Check { name: check.constraint_name.clone(), expression: check.sql.clone(), options: ConstraintOptions::default() }
}

fn lower_key_options(model: ModelWalker<'_>, options: &ir::KeyOptions) -> ConstraintOptions {
    ConstraintOptions {
        deferrable: options.deferrable,
        nulls_not_distinct: options.nulls_not_distinct,
        include: column_names(model, &options.include),
        storage: options.storage.clone(),
        ..ConstraintOptions::default()
    }
}

fn column_names(model: ModelWalker<'_>, fields: &[ir::FieldId]) -> Vec<String> {
    let columns = fields.iter().map(|id| ColumnWalker { schema: model.schema, id: *id });
    columns.map(|column| column.db_name().to_owned()).collect()
}

/// Returns the constraint of a deferrable key. Other keys are indexes, as in Prisma.
fn lower_constraint(model: ModelWalker<'_>, index: &ir::Index) -> Option<UniqueConstraint> {
    index.options.deferrable?;
    let columns = index.fields.iter().filter_map(|field| model.index_column(field));
    Some(UniqueConstraint {
        name: index.constraint_name.clone(),
        columns: columns.map(|column| column.db_name().to_owned()).collect(),
        options: lower_key_options(model, &index.options),
    })
}

fn lower_index(model: ModelWalker<'_>, index: &ir::Index) -> Index {
    Index {
        name: index.constraint_name.clone(),
        unique: index.unique,
        method: index.method,
        parts: index.fields.iter().map(|field| lower_index_part(model, index.method, field)).collect(),
        include: column_names(model, &index.options.include),
        predicate: index.predicate.clone(),
        nulls_not_distinct: index.options.nulls_not_distinct,
        storage: index.options.storage.clone(),
        valid: true,
        only: false,
        has_keys: false,
    }
}

fn lower_exclusion(model: ModelWalker<'_>, exclusion: &ir::Exclusion) -> Exclusion {
    Exclusion {
        index: lower_index(model, &exclusion.index),
        operators: exclusion.operators.clone(),
        deferrable: exclusion.index.options.deferrable,
    }
}

fn lower_index_part(model: ModelWalker<'_>, method: IndexMethod, field: &ir::IndexField) -> IndexPart {
    // Only a B-tree index has a sort order.
    let sort = field.sort.filter(|_| method == IndexMethod::BTree).unwrap_or(SortOrder::Asc);
    let column = model.index_column(field);
    let is_default = |class: &String| column.is_some_and(|column| operator_class::is_default(method, class, column));
    IndexPart {
        target: match (&field.target, column) {
            (ir::IndexTarget::Expression(sql), _) => IndexTarget::Expression(sql.clone()),
            (ir::IndexTarget::Field(_), column) => {
                IndexTarget::Column(column.map(|column| column.db_name().to_owned()).unwrap_or_default())
            }
        },
        operator_class: field.operator_class.clone().filter(|class| !is_default(class)),
        default_class: None,
        class_options: Vec::new(),
        collation: None,
        sort,
        nulls_first: field.nulls.map_or(sort == SortOrder::Desc, |nulls| nulls == ir::NullsOrder::First),
    }
}

/// Returns `None` if it references a view.
fn lower_foreign_key(relation: ir::RelationWalker<'_>, key: &ir::ForeignKey) -> Option<ForeignKey> {
    let referenced = relation.referenced_field().model();
    let names = |columns: &mut dyn Iterator<Item = ColumnWalker<'_>>| {
        columns.map(|column| column.db_name().to_owned()).collect()
    };
    (!referenced.model().is_view).then(|| ForeignKey {
        name: key.constraint_name.clone(),
        columns: names(&mut relation.referencing_columns()),
        referenced_table: table_name(referenced),
        referenced_columns: names(&mut relation.referenced_columns()),
        on_delete: key.on_delete,
        on_update: key.on_update,
        options: ConstraintOptions {
            deferrable: key.options.deferrable,
            match_full: key.options.match_full,
            delete_columns: column_names(relation.referencing_field().model(), &key.options.delete_fields),
            ..ConstraintOptions::default()
        },
    })
}

/// `_AToB`: two columns that reference the keys of both sides, a primary key on them, and an index for the reverse
/// direction. Returns `None` if a side has no primary key, which validation refuses.
fn lower_join_table(relation: ir::RelationWalker<'_>, name: ObjectName) -> Option<Table> {
    let mut table = Table::new(name);
    // PostgreSQL truncates Prisma's names. If that makes two names equal, another name is used.
    let is_too_long = table.name.name.len() + "_AB".len() > MAX_NAME;
    let part = |suffix: &str| match is_too_long {
        true => clipped(&table.name.name, &format!("_{suffix}")),
        false => clip(&format!("{}_{suffix}", table.name.name), MAX_NAME).to_owned(),
    };
    let (key, index) = (part("AB_pkey"), part("B_index"));
    let sides =
        [("A", relation.referencing_field(), part("A_fkey")), ("B", relation.referenced_field(), part("B_fkey"))];
    for (column_name, field, constraint) in sides {
        let model = field.model();
        let target = model.primary_key_columns().next()?;
        let (ty, array) = lower_type(target);
        table.columns.push(Column {
            name: column_name.to_owned(),
            ty,
            array,
            nullable: false,
            default: None,
            identity: None,
            generated: None,
            collation: None,
            used_by: Vec::new(),
            grants: Vec::new(),
            options: ColumnOptions {
                domain: target.column().domain.as_ref().map(domain_name),
                ..ColumnOptions::default()
            },
        });
        if relation.schema.foreign_keys {
            table.foreign_keys.push(ForeignKey {
                name: constraint,
                columns: vec![column_name.to_owned()],
                referenced_table: table_name(model),
                referenced_columns: vec![target.db_name().to_owned()],
                on_delete: ir::ReferentialAction::Cascade,
                on_update: ir::ReferentialAction::Cascade,
                options: ConstraintOptions::default(),
            });
        }
    }
    table.primary_key = Some(PrimaryKey {
        name: key,
        columns: vec!["A".to_owned(), "B".to_owned()],
        options: ConstraintOptions::default(),
    });
    table.indexes.push(Index {
        name: index,
        unique: false,
        method: IndexMethod::BTree,
        parts: vec![IndexPart::column("B")],
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        storage: Vec::new(),
        valid: true,
        only: false,
        has_keys: false,
    });
    Some(table)
}
