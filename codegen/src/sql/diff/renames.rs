//! Declared renames: by an attribute, by an option, or because a name in the schema stayed while the name in the
//! database changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::hints::{Candidates, Found, Hints};
use super::{DiffCx, DiffError, DiffOptions, ProbableRename, apply, guess};
use crate::sql::change::Change;
use crate::sql::intent::{EnumIntent, Intent, TableIntent};
use crate::sql::names::stem;
use crate::sql::state::{ObjectName, State, Table};

/// A rename from the command line: `users:people`, `users.name:full_name`, `Role.ADMIN:OWNER`. All names are names in
/// the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The path to the old name.
    pub from: String,
    /// The new name, without a path.
    pub to: String,
}

impl Rename {
    /// Reads `a.b:c`; `None` if there is no colon or one side is empty.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.rsplit_once(':')?;
        (!from.is_empty() && !to.is_empty()).then(|| Self { from: from.to_owned(), to: to.to_owned() })
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.to)
    }
}

/// All renames.
#[derive(Debug, Default)]
pub(super) struct Renames {
    enums: Names<ObjectName>,
    tables: Names<ObjectName>,
    /// With the new name of the enum.
    labels: Names<Part>,
    /// With the new name of the table.
    columns: Names<Part>,
    pub(super) open: Open,
}

/// Renames that cannot be applied without a decision.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Renames for which a database does not show whether they were applied.
    pub(super) questions: Vec<ProbableRename>,
    /// Attributes that name no object, and their places.
    pub(super) unknown: Vec<(Place, String)>,
    /// Attributes that name an object which another rename uses, and the name.
    pub(super) conflicts: Vec<(String, String)>,
}

/// The namespace of a name.
#[derive(Debug)]
pub(super) enum Place {
    Tables,
    Enums,
    /// The table with this new name.
    Columns(ObjectName),
    /// The enum with this new name.
    Labels(ObjectName),
}

/// A name inside a table or an enum.
type Part = (ObjectName, String);

/// Renames of one kind, found by either name.
#[derive(Debug)]
struct Names<N> {
    new: BTreeMap<N, N>,
    old: BTreeMap<N, N>,
}

impl<N> Default for Names<N> {
    fn default() -> Self {
        Self { new: BTreeMap::new(), old: BTreeMap::new() }
    }
}

impl<N: Ord + Clone> Names<N> {
    /// Returns the name after the renames.
    fn new_of<'n>(&'n self, name: &'n N) -> &'n N {
        self.new.get(name).unwrap_or(name)
    }

    /// Returns the name before the renames.
    fn old_of<'n>(&'n self, name: &'n N) -> &'n N {
        self.old.get(name).unwrap_or(name)
    }

    /// Adds a rename, unless another rename uses one of its names. Returns whether the rename exists now.
    fn add(&mut self, from: N, to: N) -> bool {
        if !self.new.contains_key(&from) && !self.old.contains_key(&to) {
            self.old.insert(to.clone(), from.clone());
            self.new.insert(from, to);
            return true;
        }
        self.new.get(&from) == Some(&to)
    }

    /// Returns these renames and others of the same namespace.
    fn and(mut self, others: Self) -> Self {
        self.new.extend(others.new);
        self.old.extend(others.old);
        self
    }
}

/// Finds all declared renames.
pub(super) fn resolve(
    cx: &DiffCx<'_>,
    previous: &State,
    previous_intent: Option<&Intent>,
    options: &DiffOptions,
) -> Result<Renames, DiffError> {
    let mut renames = Renames::default();
    let mut inner = Vec::new();
    for rename in &options.renames {
        if !resolve_outer(cx, previous, rename, &mut renames) {
            inner.push(rename);
        }
    }
    resolve_tables(cx, previous, previous_intent, &mut renames);
    resolve_enums(cx, previous, previous_intent, &mut renames);
    resolve_join_tables(cx, previous, &mut renames);
    for rename in inner {
        if !resolve_inner(cx, previous, rename, &mut renames) {
            return Err(DiffError::UnknownRename(rename.clone()));
        }
    }
    resolve_columns(cx, previous, previous_intent, &mut renames);
    resolve_labels(cx, previous, previous_intent, &mut renames);
    Ok(renames)
}

/// Resolves `users:people` or `shop.users:people`: a table or an enum.
fn resolve_outer(cx: &DiffCx<'_>, previous: &State, rename: &Rename, renames: &mut Renames) -> bool {
    let is_from = |name: &ObjectName| name.to_string() == rename.from || name.name == rename.from;
    if let Some(table) = previous.tables.iter().find(|table| is_from(&table.name))
        && let Some(to) = target(cx.next.tables.iter().map(|table| &table.name), &table.name, &rename.to)
    {
        renames.tables.add(table.name.clone(), to.clone());
        return true;
    }
    if let Some(ty) = previous.enums.iter().find(|ty| is_from(&ty.name))
        && let Some(to) = target(cx.next.enums.iter().map(|ty| &ty.name), &ty.name, &rename.to)
    {
        renames.enums.add(ty.name.clone(), to.clone());
        return true;
    }
    false
}

/// Returns the object of that name in the same schema, otherwise in any schema.
fn target<'n>(
    names: impl Iterator<Item = &'n ObjectName> + Clone,
    old: &ObjectName,
    to: &str,
) -> Option<&'n ObjectName> {
    let sibling = old.sibling(to);
    names.clone().find(|name| **name == sibling).or_else(|| names.into_iter().find(|name| name.to_string() == to))
}

/// Resolves `users.name:full_name` or `Role.ADMIN:OWNER`: a column or a label. The path is the old or the new one.
fn resolve_inner(cx: &DiffCx<'_>, previous: &State, rename: &Rename, renames: &mut Renames) -> bool {
    let Some((path, from)) = rename.from.rsplit_once('.') else { return false };
    let is_path = |old: &ObjectName, new: &ObjectName| {
        [old, new].into_iter().any(|name| name.to_string() == path || name.name == path)
    };
    for table in &previous.tables {
        let new = renames.tables.new_of(&table.name);
        if is_path(&table.name, new)
            && table.column(from).is_some()
            && cx.next.table(new).is_some_and(|table| table.column(&rename.to).is_some())
        {
            renames.columns.add((new.clone(), from.to_owned()), (new.clone(), rename.to.clone()));
            return true;
        }
    }
    for ty in &previous.enums {
        let new = renames.enums.new_of(&ty.name);
        if is_path(&ty.name, new)
            && ty.labels.iter().any(|label| label == from)
            && cx.next.enum_type(new).is_some_and(|ty| ty.labels.contains(&rename.to))
        {
            renames.labels.add((new.clone(), from.to_owned()), (new.clone(), rename.to.clone()));
            return true;
        }
    }
    false
}

/// Returns the object that a hint names: in the schema of the renamed object, otherwise in any schema.
fn hinted<'p>(
    mut names: impl Iterator<Item = &'p ObjectName> + Clone,
    from: &str,
    to: &ObjectName,
) -> Option<ObjectName> {
    let sibling = to.sibling(from);
    let found = names.clone().find(|name| **name == sibling);
    found.or_else(|| names.find(|name| name.to_string() == from || name.name == from)).cloned()
}

fn resolve_tables(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    let hints = Hints::new(previous_intent.map(Intent::named_tables), cx.intent.named_tables());
    let found = hints.resolve(&Candidates {
        find: |from: &str, to: &ObjectName| hinted(previous.tables.iter().map(|table| &table.name), from, to),
        before: |name: &ObjectName| previous.table(name).is_some(),
        afterwards: |name: &ObjectName| cx.next.table(name).is_some(),
    });
    let question = |from: &ObjectName, to: &ObjectName| guess::table_question(cx, from, to);
    let text = |from: &str, to: &ObjectName| guess::table_question(cx, &to.sibling(from), to);
    take(found, &mut renames.tables, &mut renames.open, || Place::Tables, (question, text), |pair| pair);
}

fn resolve_enums(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    let hints = Hints::new(previous_intent.map(Intent::named_enums), cx.intent.named_enums());
    let found = hints.resolve(&Candidates {
        find: |from: &str, to: &ObjectName| hinted(previous.enums.iter().map(|ty| &ty.name), from, to),
        before: |name: &ObjectName| previous.enum_type(name).is_some(),
        afterwards: |name: &ObjectName| cx.next.enum_type(name).is_some(),
    });
    let question = |from: &ObjectName, to: &ObjectName| guess::enum_question(cx, from, to);
    let text = |from: &str, to: &ObjectName| guess::enum_question(cx, &to.sibling(from), to);
    take(found, &mut renames.enums, &mut renames.open, || Place::Enums, (question, text), |pair| pair);
}

/// Adds the renames that were found. The two functions create the question about two names, of which the first may not
/// exist.
fn take<N: Ord + Clone, M: Ord + Clone>(
    found: Found<N>,
    names: &mut Names<M>,
    open: &mut Open,
    place: impl Fn() -> Place,
    (question, text): (impl Fn(&N, &N) -> ProbableRename, impl Fn(&str, &N) -> ProbableRename),
    path: impl Fn((N, N)) -> (M, M),
) {
    for pair in found.by_attribute {
        let stated = question(&pair.0, &pair.1);
        let (from, to) = path(pair);
        if !names.add(from, to) {
            open.conflicts.extend(stated.attribute.map(|attribute| (attribute, stated.from)));
        }
    }
    for pair in found.by_key {
        let (from, to) = path(pair);
        names.add(from, to);
    }
    let unstated = |(from, to): (N, N)| {
        let probable = question(&from, &to);
        let (from, to) = path((from, to));
        let is_stated = names.new.get(&from) == Some(&to);
        (!is_stated).then_some(ProbableRename { attribute: None, ..probable })
    };
    open.questions.extend(found.questions.into_iter().filter_map(unstated));
    let unknown = found.unknown.into_iter().filter_map(|(from, to)| text(&from, &to).attribute);
    open.unknown.extend(unknown.map(|attribute| (place(), attribute)));
}

/// An implicit join table is named after its models, so it is renamed with a model. Its columns are in the alphabetical
/// order of the models, so a rename may swap them.
fn resolve_join_tables(cx: &DiffCx<'_>, previous: &State, renames: &mut Renames) {
    for old in previous.tables.iter().filter(|old| is_join_table(old)) {
        let targets = join_targets(old);
        let renamed = targets.clone().map(|target| renames.tables.new_of(&target).clone());
        if renamed == targets {
            continue;
        }
        let swapped = [renamed[1].clone(), renamed[0].clone()];
        let is_it = |new: &&Table| {
            let targets = join_targets(new);
            is_join_table(new) && (targets == renamed || targets == swapped)
        };
        let mut found = cx.next.tables.iter().filter(is_it);
        // Two relations between the same tables have their own names, which stay.
        let same_name = cx.next.table(&old.name).filter(is_it);
        let Some(new) = same_name.or_else(|| found.next().filter(|_| found.next().is_none())) else { continue };
        if new.name != old.name {
            renames.tables.add(old.name.clone(), new.name.clone());
        }
        if join_targets(new) != renamed {
            for (from, to) in [("A", "B"), ("B", "A")] {
                renames.columns.add((new.name.clone(), from.to_owned()), (new.name.clone(), to.to_owned()));
            }
        }
    }
}

pub(super) fn is_join_table(table: &Table) -> bool {
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    names == ["A", "B"] && table.foreign_keys.len() == 2
}

/// Returns the tables that columns A and B of a join table reference.
fn join_targets(table: &Table) -> [ObjectName; 2] {
    ["A", "B"].map(|column| {
        let key = table.foreign_keys.iter().find(|key| key.columns == [column]);
        key.map_or_else(|| table.name.clone(), |key| key.referenced_table.clone())
    })
}

fn resolve_columns(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    for intent in &cx.intent.tables {
        let old_name = renames.tables.old_of(&intent.table).clone();
        let (Some(old), Some(new)) = (previous.table(&old_name), cx.next.table(&intent.table)) else { continue };
        let old_intent = previous_intent.and_then(|intent| intent.table(&old_name));
        let hints = Hints::new(old_intent.map(TableIntent::named_columns), intent.named_columns());
        let found = hints.resolve(&Candidates {
            find: |from: &str, _: &String| old.column(from).map(|column| column.name.clone()),
            before: |name: &String| old.column(name).is_some(),
            afterwards: |name: &String| new.column(name).is_some(),
        });
        let table = &intent.table;
        let question = |from: &String, to: &String| guess::column_question(cx, table, from, to);
        let text = |from: &str, to: &String| guess::column_question(cx, table, from, to);
        let place = || Place::Columns(table.clone());
        let path = |(from, to)| ((table.clone(), from), (table.clone(), to));
        take(found, &mut renames.columns, &mut renames.open, place, (question, text), path);
    }
}

fn resolve_labels(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    for intent in &cx.intent.enums {
        let old_name = renames.enums.old_of(&intent.name).clone();
        let (Some(old), Some(new)) = (previous.enum_type(&old_name), cx.next.enum_type(&intent.name)) else { continue };
        let old_intent = previous_intent.and_then(|intent| intent.enum_type(&old_name));
        let hints = Hints::new(old_intent.map(EnumIntent::named_labels), intent.named_labels());
        let found = hints.resolve(&Candidates {
            find: |from: &str, _: &String| old.labels.iter().find(|label| *label == from).cloned(),
            before: |label: &String| old.labels.contains(label),
            afterwards: |label: &String| new.labels.contains(label),
        });
        let name = &intent.name;
        let question = |from: &String, to: &String| guess::label_question(cx, name, from, to);
        let text = |from: &str, to: &String| guess::label_question(cx, name, from, to);
        let place = || Place::Labels(name.clone());
        let path = |(from, to)| ((name.clone(), from), (name.clone(), to));
        take(found, &mut renames.labels, &mut renames.open, place, (question, text), path);
    }
}

/// Objects whose names another rename needs, and that are not renamed themselves: by temporary name, their original
/// name.
#[derive(Debug, Default)]
pub(super) struct Displaced {
    /// Enums and tables.
    pub(super) types: BTreeMap<ObjectName, ObjectName>,
    pub(super) labels: BTreeMap<Part, Part>,
    pub(super) columns: BTreeMap<Part, Part>,
}

/// Applies the renames to the state. Returns them in an order that PostgreSQL accepts.
pub(super) fn apply(state: &mut State, renames: Renames) -> (Vec<Change>, Displaced) {
    let mut changes = Vec::new();
    let mut displaced = Displaced::default();
    // Each table has a composite type of its name, so enums and tables share a namespace.
    let enums = state.enums.iter().map(|ty| &ty.name);
    let occupied = state.tables.iter().map(|table| &table.name).chain(enums).cloned().collect();
    let types = renames.enums.and(renames.tables);
    for (from, to) in ordered(types, occupied, temporary_object, &mut displaced.types) {
        if state.enum_type(&from).is_some() {
            apply::rename_enum(state, &from, &to);
            changes.push(Change::RenameEnum { from, to });
        } else {
            apply::rename_table(state, &from, &to);
            changes.push(Change::RenameTable { from, to });
        }
    }
    let labels = state.enums.iter().flat_map(|ty| ty.labels.iter().map(|label| (ty.name.clone(), label.clone())));
    let labels = ordered(renames.labels, labels.collect(), temporary_part, &mut displaced.labels);
    for ((enum_name, from), (_, to)) in labels {
        apply::rename_label(state, &enum_name, &from, &to);
        changes.push(Change::RenameLabel { enum_name, from, to });
    }
    let columns = state
        .tables
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name.clone(), column.name.clone())));
    let columns = ordered(renames.columns, columns.collect(), temporary_part, &mut displaced.columns);
    for ((table, from), (_, to)) in columns {
        apply::rename_column(state, &table, &from, &to);
        changes.push(Change::RenameColumn { table, from, to });
    }
    state.sort();
    (changes, displaced)
}

/// Returns the renames in an order that PostgreSQL accepts. Records the displaced objects.
fn ordered<N: Clone + Ord>(
    names: Names<N>,
    occupied: BTreeSet<N>,
    temporary: impl Fn(&N, usize) -> N,
    displaced: &mut BTreeMap<N, N>,
) -> Vec<(N, N)> {
    let Names { new, old } = names;
    let ordered = order(new.into_iter().collect(), occupied, temporary);
    let goes_on: BTreeSet<&N> = ordered.iter().map(|(from, _)| from).collect();
    let stays = ordered.iter().filter(|(_, to)| !old.contains_key(to) && !goes_on.contains(to));
    displaced.extend(stays.map(|(from, to)| (to.clone(), from.clone())));
    ordered
}

fn temporary_object(name: &ObjectName, number: usize) -> ObjectName {
    name.sibling(&temporary(&name.name, number))
}

fn temporary_part(part: &Part, number: usize) -> Part {
    (part.0.clone(), temporary(&part.1, number))
}

/// Returns a temporary name. The number makes it unique.
pub(super) fn temporary(name: &str, number: usize) -> String {
    match number {
        0 => format!("{}__old", stem(name)),
        _ => format!("{}__old{number}", stem(name)),
    }
}

/// Sorts renames so that each new name is free. Swaps use a temporary name, and so does an object whose name is needed
/// and that will be dropped.
pub(super) fn order<N: Clone + Ord>(
    mut pending: Vec<(N, N)>,
    mut occupied: BTreeSet<N>,
    temporary: impl Fn(&N, usize) -> N,
) -> Vec<(N, N)> {
    pending.sort();
    let mut waiting: BTreeMap<N, Vec<usize>> = BTreeMap::new();
    for (number, (_, to)) in pending.iter().enumerate() {
        waiting.entry(to.clone()).or_default().push(number);
    }
    let mut left: BTreeSet<usize> = (0..pending.len()).collect();
    let mut free: BTreeSet<usize> = left.iter().copied().filter(|at| !occupied.contains(&pending[*at].1)).collect();
    let mut ordered = Vec::new();
    while let Some(first) = left.first().copied() {
        let (from, to) = match free.pop_first() {
            Some(number) => {
                left.remove(&number);
                pending[number].clone()
            }
            None => {
                let in_the_way = pending[first].1.clone();
                let aside = (0..).map(|number| temporary(&in_the_way, number)).find(|aside| !occupied.contains(aside));
                let Some(aside) = aside else { return ordered };
                for rename in pending.iter_mut().filter(|rename| rename.0 == in_the_way) {
                    rename.0 = aside.clone();
                }
                (in_the_way, aside)
            }
        };
        occupied.remove(&from);
        occupied.insert(to.clone());
        free.extend(waiting.get(&from).into_iter().flatten().filter(|number| left.contains(number)));
        for number in waiting.get(&to).into_iter().flatten() {
            free.remove(number);
        }
        ordered.push((from, to));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Rename, order, temporary};

    fn ordered(renames: &[(&str, &str)], occupied: &[&str]) -> Vec<String> {
        let renames = renames.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
        let occupied: BTreeSet<_> = occupied.iter().map(|&name| name.to_owned()).collect();
        let ordered = order(renames, occupied, |name: &String, number| temporary(name, number));
        ordered.into_iter().map(|(from, to)| format!("{from}>{to}")).collect()
    }

    #[test]
    fn a_name_is_free_before_it_is_taken() {
        assert_eq!(ordered(&[("a", "b"), ("b", "c")], &["a", "b"]), ["b>c", "a>b"]);
        assert_eq!(ordered(&[("a", "b"), ("b", "a")], &["a", "b"]), ["b>b__old", "a>b", "b__old>a"]);
        assert_eq!(ordered(&[("a", "b")], &["a", "b", "b__old"]), ["b>b__old1", "a>b"]);
    }

    #[test]
    fn options_are_read() {
        let rename = Rename::parse("shop.users.name:full_name").map(|rename| (rename.from, rename.to));
        assert_eq!(rename, Some(("shop.users.name".to_owned(), "full_name".to_owned())));
        assert_eq!(Rename::parse("users"), None);
        assert_eq!(Rename::parse(":x"), None);
    }
}
