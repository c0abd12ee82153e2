//! Tables that are dropped, and the foreign keys among them that have to go first.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::change::TableObject;
use crate::sql::plan::action::Action;
use crate::sql::state::{ObjectName, Table};

/// Drops referencing tables first. In a cycle, the foreign keys that reference one of its tables are dropped before.
pub(super) fn drop_tables(actions: &mut Vec<Action>, mut tables: Vec<Table>) {
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let numbers: BTreeMap<ObjectName, usize> = tables.iter().map(|table| table.name.clone()).zip(0..).collect();
    // For each table, the other tables that reference it, once per foreign key.
    let mut referencing: Vec<Vec<usize>> = vec![Vec::new(); tables.len()];
    for (number, table) in tables.iter().enumerate() {
        let targets = referenced(table).filter_map(|name| numbers.get(name));
        targets.filter(|target| **target != number).for_each(|target| referencing[*target].push(number));
    }
    let mut keys: Vec<usize> = referencing.iter().map(Vec::len).collect();
    let mut left: BTreeSet<usize> = (0..tables.len()).collect();
    let mut free: BTreeSet<usize> = left.iter().copied().filter(|number| keys[*number] == 0).collect();
    while let Some(first) = left.first().copied() {
        let number = free.pop_first().unwrap_or_else(|| {
            let referencing = referencing[first].iter().copied().filter(|number| left.contains(number));
            detach(actions, &mut tables, first, referencing);
            first
        });
        left.remove(&number);
        for name in referenced(&tables[number]) {
            let Some(target) = numbers.get(name).filter(|target| left.contains(target)) else {
                continue;
            };
            keys[*target] -= 1;
            if keys[*target] == 0 {
                free.insert(*target);
            }
        }
        actions.push(Action::DropTable(tables[number].clone()));
    }
}

/// Returns the tables that can only be dropped after this one: those that it references, and those that it inherits
/// from.
fn referenced(table: &Table) -> impl Iterator<Item = &ObjectName> {
    table.foreign_keys.iter().map(|key| &key.referenced_table).chain(&table.options.inherits)
}

/// Drops the foreign keys of some tables that reference one table.
fn detach(actions: &mut Vec<Action>, tables: &mut [Table], into: usize, referencing: impl Iterator<Item = usize>) {
    let name = tables[into].name.clone();
    for number in referencing {
        let other = &mut tables[number];
        let keys = std::mem::take(&mut other.foreign_keys).into_iter();
        let (dropped, rest): (Vec<_>, Vec<_>) = keys.partition(|key| key.referenced_table == name);
        other.foreign_keys = rest;
        actions.extend(
            dropped
                .into_iter()
                .map(|key| Action::DropObject { table: other.name.clone(), object: TableObject::ForeignKey(key) }),
        );
    }
}
