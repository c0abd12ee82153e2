//! Differences between two databases that are reported and never migrated.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::change::{Change, Differs, Unmigrated};
use crate::sql::state::{Definition, State};

pub(super) fn diff_definitions(previous: &State, next: &State, changes: &mut Vec<Change>) {
    let by_name = |state: &'_ State| -> BTreeMap<(String, String), String> {
        let entry = |it: &Definition| ((it.kind.clone(), it.name.clone()), it.text.clone());
        state.definitions.iter().map(entry).collect()
    };
    let (old, new) = (by_name(previous), by_name(next));
    let mut found: Vec<Unmigrated> = Vec::new();
    let mut tell = |(kind, name): &(String, String), how| {
        found.push(Unmigrated { kind: kind.clone(), name: name.clone(), how });
    };
    for (key, text) in &old {
        match new.get(key) {
            None => tell(key, Differs::Extra),
            Some(other) if other != text => tell(key, Differs::Otherwise),
            Some(_) => {}
        }
    }
    let made = made_with_tables(changes);
    let is_missing = |key: &&(String, String)| !old.contains_key(*key) && !made.contains(*key);
    new.keys().filter(is_missing).for_each(|key| tell(key, Differs::Missing));
    let dropped = previous.extensions.iter().filter(|old| next.extensions.iter().all(|new| new.name != old.name));
    found.extend(dropped.map(|extension| Unmigrated {
        kind: "extension".to_owned(),
        name: extension.name.clone(),
        how: Differs::Extra,
    }));
    found.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    changes.extend(found.into_iter().map(Change::Unmigrated));
}

/// Returns the definitions that are part of a new table: its parents and its partition key.
fn made_with_tables(changes: &[Change]) -> BTreeSet<(String, String)> {
    let mut made = BTreeSet::new();
    for change in changes {
        let Change::CreateTable(table) = change else { continue };
        let kinds = [
            ("inheritance of", !table.options.inherits.is_empty()),
            ("partition key of", table.options.partition_by.is_some()),
        ];
        let kinds = kinds.into_iter().filter(|(_, is_made)| *is_made);
        made.extend(kinds.map(|(kind, _)| (kind.to_owned(), table.name.to_string())));
    }
    made
}
