//! Temporary names. Two objects that swap their names need a third name, and an object whose name is needed gets one
//! before it is dropped. Messages never show a temporary name.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::sql::state::ObjectName;

/// A column, an enum value or a key: its table or enum, and its name.
type Part = (ObjectName, String);

/// The permanent names of objects with temporary names.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sql) struct Temporary {
    enums: BTreeMap<ObjectName, ObjectName>,
    labels: BTreeMap<Part, Part>,
    tables: BTreeMap<ObjectName, ObjectName>,
    columns: BTreeMap<Part, Part>,
    objects: BTreeMap<Part, Part>,
}

impl Temporary {
    /// Collects the temporary names among the changes.
    pub(in crate::sql) fn of(changes: &[Change]) -> Self {
        let (mut enums, mut labels) = (Renamed::default(), Renamed::default());
        let (mut tables, mut columns, mut objects) = (Renamed::default(), Renamed::default(), Renamed::default());
        for change in changes {
            let part = |owner: &ObjectName, name: &str| (owner.clone(), name.to_owned());
            match change {
                Change::RenameEnum { from, to } => enums.add(from.clone(), to.clone()),
                Change::DropEnum(ty) => enums.add_dropped(ty.name.clone()),
                Change::RenameLabel { enum_name, from, to } => labels.add(part(enum_name, from), part(enum_name, to)),
                Change::ReplaceEnum { previous, next, .. } => {
                    let dropped = previous.labels.iter().filter(|label| !next.labels.contains(label));
                    dropped.for_each(|label| labels.add_dropped(part(&previous.name, label)));
                }
                Change::RenameTable { from, to } => tables.add(from.clone(), to.clone()),
                Change::DropTable(table) => tables.add_dropped(table.name.clone()),
                Change::RenameColumn { table, from, to } => columns.add(part(table, from), part(table, to)),
                Change::DropColumn { table, column } => columns.add_dropped(part(table, &column.name)),
                Change::RenameObject { table, object, to } => objects.add(part(table, object.name()), part(table, to)),
                _ => {}
            }
        }
        Self {
            enums: enums.temporary(),
            labels: labels.temporary(),
            tables: tables.temporary(),
            columns: columns.temporary(),
            objects: objects.temporary(),
        }
    }

    pub(in crate::sql) fn enum_type<'n>(&'n self, name: &'n ObjectName) -> &'n ObjectName {
        self.enums.get(name).unwrap_or(name)
    }

    pub(in crate::sql) fn table<'n>(&'n self, name: &'n ObjectName) -> &'n ObjectName {
        self.tables.get(name).unwrap_or(name)
    }

    pub(in crate::sql) fn label<'n>(&'n self, enum_name: &ObjectName, label: &'n str) -> &'n str {
        part(&self.labels, enum_name, label)
    }

    pub(in crate::sql) fn column<'n>(&'n self, table: &ObjectName, column: &'n str) -> &'n str {
        part(&self.columns, table, column)
    }

    pub(in crate::sql) fn object<'n>(&'n self, table: &ObjectName, object: &'n str) -> &'n str {
        part(&self.objects, table, object)
    }

    /// Returns whether a rename leads to a temporary name.
    pub(in crate::sql) fn is_target(&self, change: &Change) -> bool {
        match change {
            Change::RenameEnum { to, .. } => self.enums.contains_key(to),
            Change::RenameLabel { enum_name, to, .. } => self.labels.contains_key(&(enum_name.clone(), to.clone())),
            Change::RenameTable { to, .. } => self.tables.contains_key(to),
            Change::RenameColumn { table, to, .. } => self.columns.contains_key(&(table.clone(), to.clone())),
            Change::RenameObject { table, to, .. } => self.objects.contains_key(&(table.clone(), to.clone())),
            _ => false,
        }
    }
}

fn part<'n>(names: &'n BTreeMap<Part, Part>, owner: &ObjectName, name: &'n str) -> &'n str {
    names.get(&(owner.clone(), name.to_owned())).map_or(name, |(_, name)| name)
}

/// Renames of one kind in order, and dropped objects.
struct Renamed<N> {
    renames: Vec<(N, N)>,
    dropped: BTreeSet<N>,
}

impl<N> Default for Renamed<N> {
    fn default() -> Self {
        Self { renames: Vec::new(), dropped: BTreeSet::new() }
    }
}

impl<N: Ord + Clone> Renamed<N> {
    fn add(&mut self, from: N, to: N) {
        self.renames.push((from, to));
    }

    fn add_dropped(&mut self, name: N) {
        self.dropped.insert(name);
    }

    /// Returns the original name for each temporary one: a name that is renamed again later, or dropped.
    fn temporary(self) -> BTreeMap<N, N> {
        let last: BTreeMap<&N, usize> = self.renames.iter().map(|(from, _)| from).zip(0..).collect();
        let mut first: BTreeMap<N, N> = BTreeMap::new();
        for (number, (from, to)) in self.renames.iter().enumerate() {
            if self.dropped.contains(to) || last.get(to).is_some_and(|later| *later > number) {
                let before = first.get(from).unwrap_or(from).clone();
                first.insert(to.clone(), before);
            }
        }
        first
    }
}
