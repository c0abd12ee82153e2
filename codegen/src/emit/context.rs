//! Names and numbers that emitters need more than once: identifiers, slots, column numbers.
//!
//! Created once per run, so that each name is converted once and each column counted once.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};

use crate::ir::{
    ClientOptions, ColumnWalker, EnumId, EnumWalker, FieldId, JsonType, ModelId, ModelWalker, RelationFieldWalker,
    RelationStorage, Schema, TypeId,
    names::{self, Wanted, distinct},
};

/// Methods of the runtime's client and transaction, which hide a model's method of the same name. The model's method
/// gets a `_` at its end: `db.transaction_().find_many()`.
const OWN_METHODS: [&str; 32] = [
    "acting_as",
    "advisory_lock",
    "batch",
    "begin",
    "clone",
    "close",
    "commit",
    "counted",
    "execute_raw",
    "explain",
    "in_schema",
    "in_schemas",
    "into",
    "listen",
    "notify",
    "of",
    "primary",
    "query",
    "query_raw",
    "query_raw_stream",
    "query_stream",
    "replica",
    "retrying",
    "rollback",
    "savepoint",
    "statistics",
    "to_owned",
    "transaction",
    "try_advisory_lock",
    "with_hooks",
    "with_own_writes",
    "with_setting",
];

/// Additional methods for a schema with tenants.
const METHODS_OF_TENANTS: [&str; 3] = ["across_tenants", "tenant", "tenant_id"];

/// Returns the methods that no model's method can have the name of.
fn own_methods(schema: &Schema) -> BTreeSet<String> {
    let of_tenants = METHODS_OF_TENANTS.into_iter().filter(|_| schema.tenant().is_some());
    let of_audit = schema.walk_models().any(|model| model.model().audit.is_some()).then_some("audit");
    OWN_METHODS.into_iter().chain(of_tenants).chain(of_audit).map(str::to_owned).collect()
}

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
    /// The method of clients that starts its queries. It is named like the module, unless clients have such a method.
    pub(super) method: Ident,
    /// The row with slots for relations, and the row to create: `With` and `Create`, unless the model itself has that
    /// name.
    pub(super) with_ident: Ident,
    pub(super) create_ident: Ident,
    /// The row with its omitted columns: `Full`. `None` if it has none.
    pub(super) full_ident: Option<Ident>,
    /// Its factory: `Factory`, unless the model itself has that name.
    pub(super) factory_ident: Ident,
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
        let wanted = in_client.iter().map(|model| Wanted { name: model.name(), ident: model.model().module.clone() });
        let methods = distinct(&wanted.collect::<Vec<_>>(), &mut own_methods(schema));
        let models: Vec<ModelNames<'s>> =
            in_client.into_iter().zip(&methods).map(|(model, method)| model_names(model, method)).collect();
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
    /// Returns the columns that rows have.
    pub(super) fn read(&self) -> impl Iterator<Item = &ColumnNames<'_>> {
        self.columns.iter().filter(|column| !column.walker.column().omitted)
    }

    /// Returns the columns that rows have only if a program asks for them.
    pub(super) fn omitted(&self) -> impl Iterator<Item = &ColumnNames<'_>> {
        self.columns.iter().filter(|column| column.walker.column().omitted)
    }

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

fn model_names<'s>(walker: ModelWalker<'s>, method: &str) -> ModelNames<'s> {
    // Rows are read without the omitted columns, which come last.
    let (omitted, read): (Vec<_>, Vec<_>) =
        walker.columns().filter(|column| column.in_client()).partition(|column| column.column().omitted);
    let columns = read.into_iter().chain(omitted).enumerate().map(|(number, walker)| ColumnNames {
        walker,
        ident: ident(&walker.field().rust_ident),
        number: number as u16,
    });
    let model = walker.model();
    let mut types = BTreeSet::from([model.rust_ident.clone()]);
    let (with, create) = (names::free("With", &mut types), names::free("Create", &mut types));
    let (with_ident, create_ident) = (ident(&with), ident(&create));
    let full_ident = walker.has_omitted().then(|| ident(&names::free("Full", &mut types)));
    let factory_ident = ident(&names::free("Factory", &mut types));
    ModelNames {
        walker,
        ident: ident(&model.rust_ident),
        module: ident(&model.module),
        method: ident(method),
        with_ident,
        create_ident,
        full_ident,
        factory_ident,
        columns: columns.collect(),
        relations: relation_names(walker, BTreeSet::from([with, create]), &mut types),
        file_name: model.module.clone(),
    }
}

/// Returns the relations in the client. `structs` are those with a type parameter for each relation, which would hide
/// a struct of its name, and `types` all types of the module.
fn relation_names<'s>(
    walker: ModelWalker<'s>,
    mut structs: BTreeSet<String>,
    types: &mut BTreeSet<String>,
) -> Vec<RelationNames<'s>> {
    let fields: Vec<_> = walker.relation_fields().filter(|field| is_in_client(*field)).collect();
    let wanted = |prefix: &str| -> Vec<Wanted<'s>> {
        let wanted = fields.iter().map(|field| {
            let name = field.field().rust_ident.as_str();
            Wanted { name, ident: format!("{prefix}{}", names::camel_ident(names::plain(name))) }
        });
        wanted.collect()
    };
    let parameters = distinct(&wanted(""), &mut structs);
    let aliases = distinct(&wanted("With"), types);
    let slots = fields.into_iter().zip(parameters.iter().zip(&aliases)).enumerate();
    let relation = |(slot, (walker, (parameter, alias))): (usize, (RelationFieldWalker<'s>, (&String, &String)))| {
        let (type_ident, alias_ident) = (ident(parameter), ident(alias));
        RelationNames { walker, ident: ident(&walker.field().rust_ident), type_ident, alias_ident, slot }
    };
    slots.map(relation).collect()
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
    let mut taken = BTreeSet::from([ty.rust_ident.clone()]);
    let paths = distinct(&[Wanted { name: "Paths", ident: "Paths".to_owned() }], &mut taken);
    let paths_ident = ident(paths.first().map_or("Paths", String::as_str));
    TypeNames { ty, ident: ident(&ty.rust_ident), module: ident(&ty.module), file_name: ty.module.clone(), paths_ident }
}

fn enum_names(walker: EnumWalker<'_>) -> EnumNames<'_> {
    let known = walker.enumeration();
    EnumNames { walker, ident: ident(&known.rust_ident), module: ident(&known.module), file_name: known.module.clone() }
}
