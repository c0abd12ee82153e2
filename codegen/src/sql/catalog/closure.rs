//! What has to make way: the objects that cannot stay while tables and other objects change.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::change::Change;
use crate::sql::state::{CatalogObject, Nature, Need, ObjectKey, ObjectName, State};

/// What the changes of tables take away.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Tables, columns, keys, enums, sequences and extensions that are dropped or created again.
    pub(super) gone: BTreeSet<Need>,
    /// Columns that get another type.
    retyped: BTreeSet<Need>,
    /// Tables that are dropped.
    pub(super) tables: BTreeSet<ObjectName>,
    /// Keys, constraints and indexes that are dropped for good.
    pub(super) removed: BTreeSet<Need>,
    /// Columns that lose or change their default, and those that lose it.
    pub(super) defaults: BTreeSet<(ObjectName, String)>,
    pub(super) cleared: BTreeSet<(ObjectName, String)>,
    /// Columns that are dropped.
    pub(super) columns: BTreeSet<(ObjectName, String)>,
}

impl Taken {
    pub(super) fn of(changes: &[Change], next: &State) -> Self {
        let mut taken = Self::default();
        let heirs = heirs(next);
        for change in changes {
            taken.add(change, &heirs);
        }
        taken
    }

    fn add(&mut self, change: &Change, heirs: &BTreeMap<&ObjectName, Vec<&ObjectName>>) {
        match change {
            Change::AlterColumn { table, previous, next, enum_replaced, .. } => {
                if previous.default != next.default {
                    self.defaults.insert((table.clone(), next.name.clone()));
                    if next.default.is_none() {
                        self.cleared.insert((table.clone(), next.name.clone()));
                    }
                }
                for table in family(table, heirs) {
                    let column = Need::Column(table.clone(), next.name.clone());
                    if previous.is_recreated(next) {
                        self.gone.insert(column);
                    } else if *enum_replaced || previous.is_retyped(next) {
                        self.retyped.insert(column);
                    }
                }
            }
            Change::DropColumn { table, column } => {
                for table in family(table, heirs) {
                    self.gone.insert(Need::Column(table.clone(), column.name.clone()));
                    self.columns.insert((table.clone(), column.name.clone()));
                }
            }
            Change::DropTable(table) => {
                self.tables.insert(table.name.clone());
            }
            Change::DropObject { table, object } => {
                let part = Need::Part(table.clone(), object.name().to_owned());
                self.removed.insert(part.clone());
                self.gone.insert(part);
            }
            Change::ReplaceObject { table, previous: object, .. } => {
                self.gone.insert(Need::Part(table.clone(), object.name().to_owned()));
            }
            Change::ReplaceEnum { previous, .. } => {
                self.gone.insert(Need::Enum(previous.name.clone()));
            }
            Change::DropEnum(ty) => {
                self.gone.insert(Need::Enum(ty.name.clone()));
            }
            Change::DropSequence(sequence) => {
                self.gone.insert(Need::Sequence(sequence.name.clone()));
            }
            Change::DropExtension(extension) => {
                self.gone.insert(Need::Extension(extension.name.clone()));
            }
            _ => {}
        }
    }

    /// Returns whether an object cannot keep what it needs.
    pub(super) fn takes(&self, object: &CatalogObject, need: &Need) -> bool {
        let blocks = matches!(object.nature, Nature::Base | Nature::View | Nature::Guard);
        self.is_gone(need) || blocks && self.retyped.contains(need)
    }

    /// Returns whether it is dropped, with everything that belongs to it.
    pub(super) fn is_gone(&self, need: &Need) -> bool {
        self.gone.contains(need) || need.table().is_some_and(|table| self.tables.contains(table))
    }
}

/// Returns the tables that inherit from each table.
fn heirs(state: &State) -> BTreeMap<&ObjectName, Vec<&ObjectName>> {
    let mut heirs: BTreeMap<&ObjectName, Vec<&ObjectName>> = BTreeMap::new();
    for table in &state.tables {
        for parent in &table.options.inherits {
            heirs.entry(parent).or_default().push(&table.name);
        }
    }
    heirs
}

/// Returns a table and all that inherit from it.
fn family<'a>(
    table: &'a ObjectName,
    heirs: &BTreeMap<&'a ObjectName, Vec<&'a ObjectName>>,
) -> BTreeSet<&'a ObjectName> {
    let mut found = BTreeSet::from([table]);
    let mut open = vec![table];
    while let Some(next) = open.pop() {
        for heir in heirs.get(next).into_iter().flatten() {
            if found.insert(heir) {
                open.push(heir);
            }
        }
    }
    found
}

/// Returns everything that has to make way, from what does so anyway.
pub(super) fn in_the_way(objects: &[CatalogObject], first: BTreeSet<ObjectKey>, taken: &Taken) -> BTreeSet<ObjectKey> {
    let mut users: BTreeMap<&ObjectKey, Vec<&CatalogObject>> = BTreeMap::new();
    for object in objects {
        for need in object.needs.iter().chain(&object.owner) {
            if let Need::Object(key) = need {
                users.entry(key).or_default().push(object);
            }
        }
    }
    let mut found = first;
    for object in objects {
        if object.needs.iter().chain(&object.owner).any(|need| taken.takes(object, need)) {
            found.insert(object.key.clone());
        }
    }
    let mut open: Vec<ObjectKey> = found.iter().cloned().collect();
    while let Some(key) = open.pop() {
        for user in users.get(&key).into_iter().flatten() {
            if found.insert(user.key.clone()) {
                open.push(user.key.clone());
            }
        }
    }
    found
}
