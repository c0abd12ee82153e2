//! The views of a schema that migrations manage, as objects of the catalog.

use relata_pgsql::{TokenKind, tokens};

use super::mentions::Mentions;
use super::select_list::select_list;
use super::{lower_index, lower_type, objects, table_name};
use crate::ir::{ModelWalker, Schema};
use crate::sql::index_text::{create_index, storage};
use crate::sql::quote::qualified;
use crate::sql::state::{CatalogObject, Managed, Nature, Need, ObjectKey, State, ViewInSchema};

/// Adds the views to a state that has the tables.
pub(super) fn add(schema: &Schema, state: &mut State) {
    let managed: Vec<_> =
        schema.walk_models().filter_map(|model| Some((model, model.model().query.as_deref()?))).collect();
    let mut known = keys(schema);
    known.extend(objects::known(schema));
    let mut found = Vec::new();
    for (model, query) in &managed {
        let mut view = view(*model, query);
        view.needs = needs(query, state, &known, &view.key);
        if Mentions::of(query).reads_all() {
            // PostgreSQL writes the columns down when it creates the view: with others, it is another view.
            view.shape = format!("{}\n{}", all_columns(&view.needs), view.shape);
        }
        if model.model().materialized {
            found.extend(indexes(*model, &view.key));
        }
        found.push(view);
    }
    state.catalog.objects = found;
}

/// Returns the columns that a `*` stands for.
pub(super) fn all_columns(needs: &[Need]) -> String {
    let columns = needs.iter().filter_map(|need| match need {
        Need::Column(table, column) => Some(format!("{table}.{column}")),
        _ => None,
    });
    format!("* of {}", columns.collect::<Vec<_>>().join(", "))
}

/// Returns the names and the keys of the views.
pub(super) fn keys(schema: &Schema) -> Vec<(String, ObjectKey)> {
    let managed = schema.walk_models().filter(|model| model.model().query.is_some());
    managed.map(|model| (table_name(model).name, key_of(model))).collect()
}

fn key_of(model: ModelWalker<'_>) -> ObjectKey {
    let kind = if model.model().materialized { "materialized view" } else { "view" };
    ObjectKey { kind: kind.to_owned(), name: table_name(model).printed() }
}

fn view(model: ModelWalker<'_>, query: &str) -> CatalogObject {
    let (key, name) = (key_of(model), qualified(&table_name(model)));
    // A comment at the end must not hide what follows.
    let ends_in_comment = tokens(query).last().is_some_and(|token| token.kind == TokenKind::LineComment);
    let query = if ends_in_comment { format!("{query}\n") } else { query.to_owned() };
    let words = key.kind.to_uppercase();
    let options = storage(&model.model().storage);
    let create = format!("CREATE {words} {name}{options} AS\n{query}");
    let is_materialized = model.model().materialized;
    CatalogObject {
        described: key.to_string(),
        shape: if is_materialized { create.clone() } else { columns(model, &query) },
        replace: (!is_materialized).then(|| format!("CREATE OR REPLACE VIEW {name}{options} AS\n{query}")),
        drop: format!("DROP {words} {name}"),
        create: Some(create),
        parts: Vec::new(),
        managed: Some(Managed::View(ViewInSchema {
            name: table_name(model),
            query: query.clone(),
            options: model.model().storage.clone(),
            indexes: index_names(model),
            triggers: Vec::new(),
        })),
        restore: None,
        needs: Vec::new(),
        owner: None,
        nature: Nature::View,
        key,
    }
}

/// Returns the columns of a view in the order of its query, and after them the fields that the query does not name. If the
/// order is unknown, another query is another view.
fn columns(model: ModelWalker<'_>, query: &str) -> String {
    let fields = model.columns().map(|column| {
        let (ty, is_list) = lower_type(column);
        (column.db_name(), format!("{} {ty}{}", column.db_name(), if is_list { "[]" } else { "" }))
    });
    let fields: Vec<_> = fields.collect();
    let list = select_list(query);
    if list.is_empty() {
        return query.to_owned();
    }
    let named = list.iter().map(|item| match fields.iter().find(|(name, _)| name == item) {
        Some((_, column)) => column.clone(),
        None => item.clone(),
    });
    let mut rest: Vec<_> = fields.iter().filter(|(name, _)| !list.iter().any(|item| item == name)).collect();
    rest.sort();
    named.chain(rest.into_iter().map(|(_, column)| column.clone())).collect::<Vec<_>>().join("\n")
}

fn index_names(model: ModelWalker<'_>) -> Vec<String> {
    model.model().indexes.iter().map(|index| index.constraint_name.clone()).filter(|name| !name.is_empty()).collect()
}

/// The indexes of a materialized view.
fn indexes(model: ModelWalker<'_>, view: &ObjectKey) -> Vec<CatalogObject> {
    let table = table_name(model);
    let found = model.model().indexes.iter().map(|index| lower_index(model, index));
    found
        .map(|index| {
            let create = create_index(&table, &index, "");
            let key = ObjectKey { kind: "index".to_owned(), name: table.sibling(&index.name).printed() };
            CatalogObject {
                described: key.to_string(),
                drop: format!("DROP INDEX {}", qualified(&table.sibling(&index.name))),
                shape: create.clone(),
                create: Some(create),
                replace: None,
                parts: Vec::new(),
                managed: None,
                restore: None,
                needs: Vec::new(),
                owner: Some(Need::Object(view.clone())),
                nature: Nature::Part,
                key,
            }
        })
        .collect()
}

/// Returns what a query may read.
fn needs(query: &str, state: &State, known: &[(String, ObjectKey)], own: &ObjectKey) -> Vec<Need> {
    let mentions = Mentions::of(query);
    let mut found = mentions.tables(state, mentions.reads_all());
    // Columns that depend on a primary key need not be grouped by.
    if mentions.names("group") {
        let tables = state.tables.iter().filter(|table| mentions.names(&table.name.name));
        let keys = tables.filter_map(|table| Some((&table.name, table.primary_key.as_ref()?)));
        found.extend(keys.map(|(table, key)| Need::Part(table.clone(), key.name.clone())));
    }
    found.extend(mentions.enums(state));
    found.extend(mentions.objects(known, own));
    found
}
