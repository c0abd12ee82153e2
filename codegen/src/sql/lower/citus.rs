//! Where Citus keeps the rows of each table.

use super::{lower_type, table_name};
use crate::ir::{self, Engine, RelationStorage};
use crate::sql::names::CITUS;
use crate::sql::state::{Distribution, Extension, ObjectName, State};

/// Adds the extension and the distribution of each table.
pub(super) fn distribute(schema: &ir::Schema, state: &mut State) {
    if schema.engine == Engine::PostgreSql {
        return;
    }
    if !state.extensions.iter().any(|extension| extension.name == CITUS) {
        state.extensions.push(Extension { name: CITUS.to_owned(), schema: None, version: None });
    }
    let mut set = |name: &ObjectName, distribution: Distribution| {
        if let Some(table) = state.tables.iter_mut().find(|table| table.name == *name) {
            table.distribution = distribution;
        }
    };
    for model in schema.walk_models() {
        let distribution = match model.model().distribution {
            ir::Distribution::Local => Distribution::Local,
            ir::Distribution::Reference => Distribution::Reference,
            ir::Distribution::By(field) => {
                let Some(column) = model.columns().find(|column| column.id == field) else { continue };
                // Citus puts equal values of one type on one server.
                Distribution::By { column: column.db_name().to_owned(), group: lower_type(column).0.to_string() }
            }
        };
        set(&table_name(model), distribution);
    }
    for relation in schema.walk_relations() {
        let RelationStorage::JoinTable { db_name, namespace } = &relation.relation().storage else { continue };
        let sides = [relation.referencing_field(), relation.referenced_field()];
        if sides.iter().all(|side| side.model().model().distribution == ir::Distribution::Reference) {
            let name = ObjectName { schema: namespace.clone(), name: db_name.clone() };
            set(&name, Distribution::Reference);
        }
    }
}
