//! The objects of a database that are not part of its tables: functions, views, triggers, policies, privileges, comments
//! and everything else that `pg_dump` writes.
//!
//! Takes the objects of two databases, each with its SQL and its dependencies, and the changes of the tables between
//! them. Returns what has to be dropped, changed and created. What an object needs, and how it changes, is data; only a
//! few kinds, such as partitions and composite types, have rules of their own. The SQL comes from PostgreSQL.

mod closure;
mod diff;
mod order;

use std::collections::BTreeSet;

use super::state::{Catalog, CatalogObject, Nature, State, User};

pub(super) use diff::diff_catalog;
pub(super) use order::{Event, Events, events, is_first, phase};

/// Adds the objects of a database that a schema does not mention to those of the schema, so that they stay.
pub(super) fn keep_unmentioned(database: &Catalog, schema: &mut Catalog) {
    let is_replaced = |object: &CatalogObject, by: &CatalogObject| {
        let are_views = object.nature == Nature::View && by.nature == Nature::View;
        object.key == by.key || are_views && object.key.name == by.key.name
    };
    let is_kept = |object: &&CatalogObject| !schema.objects.iter().any(|by| is_replaced(object, by));
    let kept: Vec<_> = database.objects.iter().filter(is_kept).cloned().collect();
    schema.objects.extend(kept);
    schema.objects.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Takes the parts of tables that made way for an object out of a state.
pub(super) fn release(state: &mut State, released: &BTreeSet<User>) {
    for user in released {
        let Some(table) = state.tables.iter_mut().find(|table| table.name == *user.table()) else { continue };
        match user {
            User::Default(_, column) => {
                table.columns.iter_mut().filter(|it| it.name == *column).for_each(|it| it.default = None);
            }
            User::Constraint(_, name) => {
                table.checks.retain(|it| it.name != *name);
                table.uniques.retain(|it| it.name != *name);
                table.exclusions.retain(|it| it.index.name != *name);
                table.foreign_keys.retain(|it| it.name != *name);
                table.primary_key.take_if(|it| it.name == *name);
            }
            User::Index(_, name) => table.indexes.retain(|it| it.name != *name),
            User::Column(..) | User::Table(_) => {}
        }
    }
}
