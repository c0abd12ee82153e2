//! Names and numbers that emitters need more than once: identifiers, slots, column numbers.
//!
//! Created once per run, so that each name is converted once and each column counted once.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};

use crate::ir::{
    ClientOptions, ColumnWalker, EnumId, EnumWalker, FieldId, JsonType, ModelId, ModelWalker, RelationFieldWalker,
    RelationStorage, Schema, TypeId, names,
};

/// The schema with its Rust names.
pub(super) struct EmitCx<'s> {
    pub(super) schema: &'s Schema,
    pub(super) models: Vec<ModelNames<'s>>,
    pub(super) enums: Vec<EnumNames<'s>>,
    /// In the order of the schema: the id of a type is its position.
    pub(super) types: Vec<TypeNames<'s>>,
    /// Options of the client.
    pub(super) client: ClientOptions,
    /// Position in `models`, for the models that are in the client.
    positions: BTreeMap<ModelId, usize>,
    enum_positions: BTreeMap<EnumId, usize>,
}

/// A model with its Rust names.
pub(super) struct ModelNames<'s> {
    pub(super) walker: ModelWalker<'s>,
    /// The struct.
    pub(super) ident: Ident,
    /// The module.
    pub(super) module: Ident,
    /// The row with slots for relations, and the row to create: `With` and `Create`, unless the model itself has that
    /// name.
    pub(super) with_ident: Ident,
    pub(super) create_ident: Ident,
    /// The module's file, without `.rs`.
    pub(super) file_name: String,
    /// The columns in the client; their positions are the column numbers.
    pub(super) columns: Vec<ColumnNames<'s>>,
    /// The relations in the client; their positions are the slots of `With`.
    pub(super) relations: Vec<RelationNames<'s>>,
}

/// A column with its Rust name.
pub(super) struct ColumnNames<'s> {
    pub(super) walker: ColumnWalker<'s>,
    pub(super) ident: Ident,
    pub(super) number: u16,
}

/// A side of a relation with its Rust names.
pub(super) struct RelationNames<'s> {
    pub(super) walker: RelationFieldWalker<'s>,
    /// The field and the constant.
    pub(super) ident: Ident,
    /// The type parameter.
    pub(super) type_ident: Ident,
    /// The type of a row with this relation only.
    pub(super) alias_ident: Ident,
    pub(super) slot: usize,
}

/// An enum with its Rust names.
pub(super) struct EnumNames<'s> {
    pub(super) walker: EnumWalker<'s>,
    pub(super) ident: Ident,
    pub(super) module: Ident,
    pub(super) file_name: String,
}

/// A `type` block with its Rust names.
pub(super) struct TypeNames<'s> {
    pub(super) ty: &'s JsonType,
    pub(super) ident: Ident,
    pub(super) module: Ident,
    pub(super) file_name: String,
    /// The struct with the paths to its fields.
    pub(super) paths_ident: Ident,
}

impl<'s> EmitCx<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        let in_client: Vec<ModelWalker<'s>> = schema.walk_models().filter(|model| !model.model().ignored).collect();
        let models: Vec<ModelNames<'s>> = in_client.into_iter().map(model_names).collect();
        let enums: Vec<EnumNames<'s>> = schema.walk_enums().map(enum_names).collect();
        let positions = models.iter().enumerate().map(|(position, model)| (model.walker.id, position)).collect();
        let enum_positions = enums.iter().enumerate().map(|(position, known)| (known.walker.id, position)).collect();
        let types = schema.json_types().map(|(_, ty)| type_names(ty)).collect();
        Self { schema, models, enums, types, client: schema.client, positions, enum_positions }
    }

    /// A model that is in the client.
    pub(super) fn model(&self, id: ModelId) -> &ModelNames<'s> {
        &self.models[self.positions[&id]]
    }

    pub(super) fn json_type(&self, id: TypeId) -> &TypeNames<'s> {
        &self.types[id.index()]
    }

    pub(super) fn enumeration(&self, id: EnumId) -> &EnumNames<'s> {
        &self.enums[self.enum_positions[&id]]
    }
}

impl ModelNames<'_> {
    /// Returns the number of a column in the client.
    pub(super) fn number(&self, field: FieldId) -> Option<u16> {
        self.columns.iter().find(|column| column.walker.id == field).map(|column| column.number)
    }

    /// Returns the numbers of columns; `None` if one of them is not in the client.
    pub(super) fn numbers(&self, mut fields: impl Iterator<Item = FieldId>) -> Option<Vec<u16>> {
        fields.try_fold(Vec::new(), |mut numbers, field| {
            numbers.push(self.number(field)?);
            Some(numbers)
        })
    }

    pub(super) fn relation(&self, field: FieldId) -> Option<&RelationNames<'_>> {
        self.relations.iter().find(|relation| relation.walker.id == field)
    }
}

pub(super) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(keyword) => Ident::new_raw(keyword, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

fn model_names(walker: ModelWalker<'_>) -> ModelNames<'_> {
    let columns = walker.columns().filter(|column| column.in_client()).enumerate().map(|(number, walker)| {
        ColumnNames { walker, ident: ident(&names::snake_ident(walker.name())), number: number as u16 }
    });
    let model_name = names::camel_ident(walker.name());
    let mut types = Taken(BTreeSet::from([model_name.clone()]));
    let (with_ident, create_ident) = (types.ident("With"), types.ident("Create"));
    let mut parameters = Taken(BTreeSet::new());
    let relations =
        walker.relation_fields().filter(|field| is_in_client(*field)).enumerate().map(|(slot, walker)| RelationNames {
            walker,
            ident: ident(&names::snake_ident(walker.name())),
            type_ident: parameters.ident(&names::camel_ident(walker.name())),
            alias_ident: types.ident(&format!("With{}", names::camel_ident(walker.name()))),
            slot,
        });
    let relations = relations.collect();
    let file_name = names::module_name(walker.name());
    ModelNames {
        walker,
        ident: ident(&model_name),
        module: ident(&file_name),
        with_ident,
        create_ident,
        columns: columns.collect(),
        relations,
        file_name,
    }
}

/// The names that are in use in one scope.
struct Taken(BTreeSet<String>);

impl Taken {
    /// Returns the name, with a `_` appended for each earlier use of it.
    fn ident(&mut self, name: &str) -> Ident {
        let mut name = name.to_owned();
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        ident(&name)
    }
}

/// A relation is in the client if both models and all columns of its key are.
fn is_in_client(field: RelationFieldWalker<'_>) -> bool {
    let relation = field.relation();
    let mut columns = relation.referencing_columns().chain(relation.referenced_columns());
    let through = matches!(relation.relation().storage, RelationStorage::JoinTable { .. });
    let keyed = |model: ModelWalker<'_>| model.primary_key_columns().count() == 1;
    !field.field().ignored
        && !field.related_model().model().ignored
        && columns.all(ColumnWalker::in_client)
        && (!through || (keyed(field.model()) && keyed(field.related_model())))
}

fn type_names(ty: &JsonType) -> TypeNames<'_> {
    let (name, file_name) = (names::camel_ident(&ty.name), names::module_name(&ty.name));
    let paths_ident = Taken(BTreeSet::from([name.clone()])).ident("Paths");
    TypeNames { ty, ident: ident(&name), module: ident(&file_name), file_name, paths_ident }
}

fn enum_names(walker: EnumWalker<'_>) -> EnumNames<'_> {
    let file_name = names::module_name(walker.name());
    EnumNames { walker, ident: ident(&names::camel_ident(walker.name())), module: ident(&file_name), file_name }
}
