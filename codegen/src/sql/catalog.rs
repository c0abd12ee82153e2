//! The objects of a database that are not part of its tables: functions, views, triggers, policies, privileges, comments
//! and everything else that `pg_dump` writes.
//!
//! Takes the objects of two databases, each with its SQL and its dependencies, and the changes of the tables between
//! them. Returns what has to be dropped, changed and created. What an object needs, and how it changes, is data; only a
//! few kinds, such as partitions and composite types, have rules of their own. The SQL comes from PostgreSQL.

mod acl;
mod closure;
mod diff;
mod order;

use std::collections::BTreeSet;

use super::state::{Catalog, CatalogObject, Nature, Need, State, User};

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

/// Returns the next state with the triggers and policies that a schema does not mention on the tables that have their names
/// now; `None` if they are there already.
pub(super) fn follow_renames(previous: &State, next: &State, is_database: bool) -> Option<State> {
    let is_stray = |object: &&CatalogObject| {
        let table = object.owner.as_ref().and_then(Need::table);
        object.nature == Nature::Guard && table.is_some_and(|table| next.table(table).is_none())
    };
    if !is_database || !next.catalog.objects.iter().any(|object| is_stray(&object)) {
        return None;
    }
    let mut followed = next.clone();
    followed.catalog.objects.retain(|object| !is_stray(&object));
    let is_there = |object: &CatalogObject| followed.catalog.objects.iter().any(|other| other.key == object.key);
    let is_on_table = |object: &&CatalogObject| {
        let table = object.owner.as_ref().and_then(Need::table);
        object.nature == Nature::Guard && table.is_some_and(|table| next.table(table).is_some())
    };
    let moved = previous.catalog.objects.iter().filter(is_on_table).filter(|object| !is_there(object));
    let moved: Vec<CatalogObject> = moved.cloned().collect();
    followed.catalog.objects.extend(moved);
    followed.catalog.objects.sort_by(|a, b| a.key.cmp(&b.key));
    Some(followed)
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
