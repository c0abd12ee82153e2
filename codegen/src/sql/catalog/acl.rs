//! Privileges on new objects, where default privileges of the first database would give others.

use std::collections::BTreeSet;

use crate::sql::change::{CatalogChange, Change};
use crate::sql::state::{Acl, Catalog, CatalogObject, Nature, Need, ObjectKey};

/// Sets the privileges on new objects of all roles that have default privileges in the first database. These change only
/// after the objects are created.
pub(super) fn set_against_defaults(previous: &Catalog, next: &Catalog, changes: &[Change], found: &mut Vec<Change>) {
    if previous.default_grants.is_empty() {
        return;
    }
    let known: BTreeSet<&Need> = previous.acls.iter().map(|acl| &acl.object).collect();
    let made: BTreeSet<Need> = changes.iter().chain(&*found).filter_map(made).collect();
    let is_new = |acl: &&Acl| made.contains(&acl.object) || !known.contains(&acl.object);
    for acl in next.acls.iter().filter(is_new) {
        let grants = previous
            .default_grants
            .iter()
            .filter(|grant| grant.kind == acl.kind && grant.place.as_ref().is_none_or(|place| *place == acl.schema));
        for role in grants.map(|grant| &grant.role).collect::<BTreeSet<_>>() {
            let privileges = privileges(acl, role);
            found.retain(|change| created(change) != Some(&privileges.key));
            found.push(Change::Catalog(CatalogChange::Create {
                object: Box::new(privileges),
                serves: BTreeSet::new(),
                again: false,
            }));
        }
    }
    // Revoking privileges on a table revokes those on its columns.
    let is_on_column = |change: &mut Change| created(change).is_some_and(|key| key.kind == "privileges on column");
    let on_columns: Vec<Change> = found.extract_if(.., is_on_column).collect();
    found.extend(on_columns);
}

/// Returns what a change creates, if that can have privileges.
fn made(change: &Change) -> Option<Need> {
    Some(match change {
        Change::CreateTable(table) => Need::Table(table.name.clone()),
        Change::CreateSequence(sequence) => Need::Sequence(sequence.name.clone()),
        Change::CreateEnum(ty) | Change::ReplaceEnum { next: ty, .. } => Need::Enum(ty.name.clone()),
        change => Need::Object(created(change)?.clone()),
    })
}

fn created(change: &Change) -> Option<&ObjectKey> {
    match change {
        Change::Catalog(CatalogChange::Create { object, .. }) => Some(&object.key),
        _ => None,
    }
}

/// The privileges of a role on an object, whatever it has been given.
fn privileges(acl: &Acl, role: &str) -> CatalogObject {
    let key = acl.key_of(role);
    let (word, name) = &acl.target;
    let revoke = format!("REVOKE ALL ON {word} {name} FROM {role}");
    let statements: Vec<&str> = [revoke.as_str()].into_iter().chain(acl.grants.get(role).map(String::as_str)).collect();
    CatalogObject {
        described: key.to_string(),
        key,
        create: Some(statements.join(";\n")),
        drop: String::new(),
        shape: String::new(),
        replace: None,
        parts: Vec::new(),
        managed: None,
        restore: None,
        needs: Vec::new(),
        owner: Some(acl.object.clone()),
        nature: Nature::Note,
    }
}
