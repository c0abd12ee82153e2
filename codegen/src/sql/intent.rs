//! What a schema declares about a migration beyond the state: the names in the schema, the previous names, and the
//! conversions of values.
//!
//! A table or column is identified by its name in the schema; the name in the database is data. So a changed `@map`
//! with an unchanged name is certainly a rename.

use super::lower::{enum_name, table_name};
use super::state::ObjectName;
use crate::ir::{self, ColumnWalker, DefaultValue, ModelWalker};

/// The intent of one schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intent {
    /// Per model with a table, in the order of the table names.
    pub tables: Vec<TableIntent>,
    /// Per enum, in the order of the type names.
    pub enums: Vec<EnumIntent>,
    /// Whether it has tenants. A schema without tenants does not determine row security.
    pub has_tenants: bool,
    /// Whether it is for Citus. Another schema does not determine where rows are.
    pub is_for_citus: bool,
    /// Whether its `///` comments are comments in the database. Another schema does not determine comments.
    pub has_comments: bool,
}

/// A model.
#[derive(Debug, Clone, PartialEq)]
pub struct TableIntent {
    /// The model's name.
    pub key: String,
    /// Its table.
    pub table: ObjectName,
    /// The previous name of the table, from `@@renamedFrom`.
    pub renamed_from: Option<String>,
    /// Its columns.
    pub columns: Vec<ColumnIntent>,
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnIntent {
    /// The field's name.
    pub key: String,
    /// Its column.
    pub column: String,
    /// The previous name of the column, from `@renamedFrom`.
    pub renamed_from: Option<String>,
    /// The expression that converts old values, from `@using`.
    pub using: Option<String>,
    /// The value for existing rows of the table if the column is new: the one that the client would have generated.
    pub fill: Option<String>,
}

/// An enum.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumIntent {
    /// The enum's name.
    pub key: String,
    /// Its type.
    pub name: ObjectName,
    /// The previous name of the type, from `@@renamedFrom`.
    pub renamed_from: Option<String>,
    /// Its values.
    pub labels: Vec<LabelIntent>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelIntent {
    /// The value's name.
    pub key: String,
    /// Its label.
    pub label: String,
    /// The previous label, from `@renamedFrom`.
    pub renamed_from: Option<String>,
}

impl Intent {
    /// The intent of a schema.
    pub fn of(schema: &ir::Schema) -> Self {
        let tables = schema.walk_models().filter(|model| !model.model().is_view).map(of_model).collect();
        let enums = schema.enums.iter().map(of_enum).collect();
        let is_for_citus = schema.engine == ir::Engine::Citus;
        let has_tenants = schema.tenant().is_some();
        let mut intent = Self { tables, enums, has_tenants, is_for_citus, has_comments: schema.comments };
        intent.sort();
        intent
    }

    pub(super) fn sort(&mut self) {
        self.tables.sort_by(|a, b| a.table.cmp(&b.table));
        self.enums.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The intent for a table.
    pub fn table(&self, name: &ObjectName) -> Option<&TableIntent> {
        let at = self.tables.binary_search_by(|table| table.table.cmp(name)).ok()?;
        self.tables.get(at)
    }

    /// The intent for a column.
    pub fn column(&self, table: &ObjectName, column: &str) -> Option<&ColumnIntent> {
        self.table(table)?.columns.iter().find(|intent| intent.column == column)
    }

    /// The intent for an enum.
    pub fn enum_type(&self, name: &ObjectName) -> Option<&EnumIntent> {
        let at = self.enums.binary_search_by(|intent| intent.name.cmp(name)).ok()?;
        self.enums.get(at)
    }
}

/// Names in the schema with their names in the database.
impl Intent {
    /// Returns the intent without previous names: in a reverse migration, they were already applied.
    pub fn without_renames(mut self) -> Self {
        for table in &mut self.tables {
            table.renamed_from = None;
            table.columns.iter_mut().for_each(|column| column.renamed_from = None);
        }
        for ty in &mut self.enums {
            ty.renamed_from = None;
            ty.labels.iter_mut().for_each(|label| label.renamed_from = None);
        }
        self
    }

    pub(super) fn named_tables(&self) -> Vec<Named<'_, ObjectName>> {
        self.tables.iter().map(|it| named(&it.key, &it.table, it.renamed_from.as_deref())).collect()
    }

    pub(super) fn named_enums(&self) -> Vec<Named<'_, ObjectName>> {
        self.enums.iter().map(|it| named(&it.key, &it.name, it.renamed_from.as_deref())).collect()
    }
}

impl TableIntent {
    pub(super) fn named_columns(&self) -> Vec<Named<'_, String>> {
        self.columns.iter().map(|it| named(&it.key, &it.column, it.renamed_from.as_deref())).collect()
    }
}

impl EnumIntent {
    pub(super) fn named_labels(&self) -> Vec<Named<'_, String>> {
        self.labels.iter().map(|it| named(&it.key, &it.label, it.renamed_from.as_deref())).collect()
    }
}

/// A named object of a schema.
#[derive(Debug)]
pub(super) struct Named<'k, N> {
    /// The name in the schema.
    pub(super) key: &'k str,
    /// The name in the database.
    pub(super) name: &'k N,
    /// Its previous name, from an attribute.
    pub(super) renamed_from: Option<&'k str>,
}

fn named<'k, N>(key: &'k str, name: &'k N, renamed_from: Option<&'k str>) -> Named<'k, N> {
    Named { key, name, renamed_from }
}

fn of_model(model: ModelWalker<'_>) -> TableIntent {
    TableIntent {
        key: model.model().name.clone(),
        table: table_name(model),
        renamed_from: model.model().renamed_from.clone(),
        columns: model.columns().map(of_column).collect(),
    }
}

fn of_column(column: ColumnWalker<'_>) -> ColumnIntent {
    ColumnIntent {
        key: column.name().to_owned(),
        column: column.db_name().to_owned(),
        renamed_from: column.column().renamed_from.clone(),
        using: column.column().using.clone(),
        fill: fill(column).map(str::to_owned),
    }
}

/// PostgreSQL can generate the time and random UUIDs, but no other default of the client.
fn fill(column: ColumnWalker<'_>) -> Option<&'static str> {
    match column.column().default {
        Some(DefaultValue::Uuid(4)) => Some("gen_random_uuid()"),
        None if column.column().updated_at => Some("CURRENT_TIMESTAMP"),
        _ => None,
    }
}

fn of_enum(enumeration: &ir::Enum) -> EnumIntent {
    let label = |value: &ir::EnumValue| LabelIntent {
        key: value.name.clone(),
        label: value.db_name.clone(),
        renamed_from: value.renamed_from.clone(),
    };
    EnumIntent {
        key: enumeration.name.clone(),
        name: enum_name(enumeration),
        renamed_from: enumeration.renamed_from.clone(),
        labels: enumeration.values.iter().map(label).collect(),
    }
}
