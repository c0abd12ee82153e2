//! Which things are called otherwise: by an attribute, by an option, or because their name in the
//! schema stayed while the one in the database changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::identity::Identity;
use super::{DiffCx, DiffError, DiffOptions, apply};
use crate::sql::change::Change;
use crate::sql::intent::{EnumIntent, Intent, TableIntent};
use crate::sql::names::clip;
use crate::sql::state::{ObjectName, State, Table};

/// A rename said on the command line: `users:people`, `users.name:full_name`, `Role.ADMIN:OWNER`.
/// All names are those in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The path to the old name.
    pub from: String,
    /// The new name, without a path.
    pub to: String,
}

impl Rename {
    /// Reads `a.b:c`; none if there is no colon or nothing on one side of it.
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
    /// The enum by its new name.
    labels: Names<Part>,
    /// The table by its new name.
    columns: Names<Part>,
}

/// Something with a name inside a table or an enum.
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
    /// What a name becomes; itself if nothing was said.
    fn new_of<'n>(&'n self, name: &'n N) -> &'n N {
        self.new.get(name).unwrap_or(name)
    }

    /// What a name was; itself if nothing was said.
    fn old_of<'n>(&'n self, name: &'n N) -> &'n N {
        self.old.get(name).unwrap_or(name)
    }

    /// Adds a rename, unless one of its ends is another's already.
    fn add(&mut self, from: N, to: N) {
        if !self.new.contains_key(&from) && !self.old.contains_key(&to) {
            self.old.insert(to.clone(), from.clone());
            self.new.insert(from, to);
        }
    }

    fn into_pairs(self) -> Vec<(N, N)> {
        self.new.into_iter().collect()
    }
}

/// Finds all renames that were said.
pub(super) fn resolve(
    cx: &DiffCx<'_>,
    previous: &State,
    previous_intent: Option<&Intent>,
    options: &DiffOptions,
) -> Result<Renames, DiffError> {
    let mut renames = Renames::default();
    let mut inner = Vec::new();
    for rename in &options.renames {
        if !resolve_outer(cx, previous, rename, &options.renames, &mut renames) {
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

/// `users:people` or `shop.users:people`: a table or an enum. The new name is free, or given up by another rename.
fn resolve_outer(cx: &DiffCx<'_>, previous: &State, rename: &Rename, said: &[Rename], renames: &mut Renames) -> bool {
    let is_given_up = |name: &ObjectName| said.iter().any(|it| it.from == name.name || it.from == name.to_string());
    let is_from = |name: &ObjectName| name.to_string() == rename.from || name.name == rename.from;
    if let Some(table) = previous.tables.iter().find(|table| is_from(&table.name))
        && let Some(to) = target(cx.next.tables.iter().map(|table| &table.name), &table.name, &rename.to)
        && (previous.table(to).is_none() || is_given_up(to))
    {
        renames.tables.add(table.name.clone(), to.clone());
        return true;
    }
    if let Some(ty) = previous.enums.iter().find(|ty| is_from(&ty.name))
        && let Some(to) = target(cx.next.enums.iter().map(|ty| &ty.name), &ty.name, &rename.to)
        && (previous.enum_type(to).is_none() || is_given_up(to))
    {
        renames.enums.add(ty.name.clone(), to.clone());
        return true;
    }
    false
}

/// The thing of that name in the same schema, else in any.
fn target<'n>(
    names: impl Iterator<Item = &'n ObjectName> + Clone,
    old: &ObjectName,
    to: &str,
) -> Option<&'n ObjectName> {
    let sibling = old.sibling(to);
    names.clone().find(|name| **name == sibling).or_else(|| names.into_iter().find(|name| name.to_string() == to))
}

/// `users.name:full_name` or `Role.ADMIN:OWNER`: a column or a label. The path is the old or the new one.
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

/// The thing that a hint speaks of.
fn hinted<'p>(
    previous: &impl Fn(&ObjectName) -> Option<&'p ObjectName>,
    mut names: impl Iterator<Item = &'p ObjectName>,
    to: &ObjectName,
    from: &str,
) -> Option<&'p ObjectName> {
    let found = previous(&to.sibling(from));
    found.or_else(|| names.find(|name| name.to_string() == from || name.name == from))
}

fn resolve_tables(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    let identity = Identity::new(previous_intent.map(Intent::table_keys), cx.intent.table_keys());
    let known = |name: &ObjectName| previous.table(name).map(|table| &table.name);
    for intent in &cx.intent.tables {
        let names = previous.tables.iter().map(|table| &table.name);
        let is_done = identity.is_done(&intent.key, &intent.table, |name| known(name).is_some());
        let hint = intent.renamed_from.as_deref().filter(|_| !is_done);
        let hint = hint.and_then(|from| hinted(&known, names, &intent.table, from));
        let hint = hint.filter(|from| !identity.is_kept(from, |name| cx.next.table(name).is_some()));
        let same_key = || {
            let old = identity.before(&intent.key)?;
            (*old != intent.table && previous.table(old).is_some()).then_some(old)
        };
        if let Some(from) = hint.or_else(same_key) {
            renames.tables.add(from.clone(), intent.table.clone());
        }
    }
}

fn resolve_enums(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    let identity = Identity::new(previous_intent.map(Intent::enum_keys), cx.intent.enum_keys());
    let known = |name: &ObjectName| previous.enum_type(name).map(|ty| &ty.name);
    for intent in &cx.intent.enums {
        let names = previous.enums.iter().map(|ty| &ty.name);
        let is_done = identity.is_done(&intent.key, &intent.name, |name| known(name).is_some());
        let hint = intent.renamed_from.as_deref().filter(|_| !is_done);
        let hint = hint.and_then(|from| hinted(&known, names, &intent.name, from));
        let hint = hint.filter(|from| !identity.is_kept(from, |name| cx.next.enum_type(name).is_some()));
        let same_key = || {
            let old = identity.before(&intent.key)?;
            (*old != intent.name && previous.enum_type(old).is_some()).then_some(old)
        };
        if let Some(from) = hint.or_else(same_key) {
            renames.enums.add(from.clone(), intent.name.clone());
        }
    }
}

/// An implicit join table is named after its models, so it follows a model that was said to be renamed.
/// Its columns go by the models' alphabetical order: a rename may swap them.
fn resolve_join_tables(cx: &DiffCx<'_>, previous: &State, renames: &mut Renames) {
    let gone = previous.tables.iter().filter(|old| cx.next.table(&old.name).is_none() && is_join_table(old));
    for old in gone {
        let targets = join_targets(old);
        let renamed = targets.clone().map(|target| renames.tables.new_of(&target).clone());
        if renamed == targets {
            continue;
        }
        let swapped = [renamed[1].clone(), renamed[0].clone()];
        let mut new = cx.next.tables.iter().filter(|new| {
            let targets = join_targets(new);
            previous.table(&new.name).is_none() && is_join_table(new) && (targets == renamed || targets == swapped)
        });
        if let (Some(new), None) = (new.next(), new.next()) {
            renames.tables.add(old.name.clone(), new.name.clone());
            if join_targets(new) != renamed {
                for (from, to) in [("A", "B"), ("B", "A")] {
                    renames.columns.add((new.name.clone(), from.to_owned()), (new.name.clone(), to.to_owned()));
                }
            }
        }
    }
}

pub(super) fn is_join_table(table: &Table) -> bool {
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    names == ["A", "B"] && table.foreign_keys.len() == 2
}

/// The tables that column A and column B of a join table point at.
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
        for (from, to) in said_columns(old, new, intent, old_intent) {
            renames.columns.add((intent.table.clone(), from), (intent.table.clone(), to));
        }
    }
}

fn said_columns(
    old: &Table,
    new: &Table,
    intent: &TableIntent,
    old_intent: Option<&TableIntent>,
) -> Vec<(String, String)> {
    let identity = Identity::new(old_intent.map(TableIntent::column_keys), intent.column_keys());
    let said = |column: &crate::sql::intent::ColumnIntent| {
        let is_done = identity.is_done(&column.key, &column.column, |name| old.column(name).is_some());
        let hint = column.renamed_from.as_ref().filter(|from| {
            !is_done && old.column(from).is_some() && !identity.is_kept(from, |name| new.column(name).is_some())
        });
        let same_key = || {
            let previous = old_intent?.columns.iter().find(|previous| previous.key == column.key)?;
            (previous.column != column.column && old.column(&previous.column).is_some()).then_some(&previous.column)
        };
        let from = hint.or_else(same_key)?;
        Some((from.clone(), column.column.clone()))
    };
    intent.columns.iter().filter_map(said).collect()
}

fn resolve_labels(cx: &DiffCx<'_>, previous: &State, previous_intent: Option<&Intent>, renames: &mut Renames) {
    for intent in &cx.intent.enums {
        let old_name = renames.enums.old_of(&intent.name).clone();
        let (Some(old), Some(new)) = (previous.enum_type(&old_name), cx.next.enum_type(&intent.name)) else { continue };
        let old_intent = previous_intent.and_then(|intent| intent.enum_type(&old_name));
        let identity = Identity::new(old_intent.map(EnumIntent::label_keys), intent.label_keys());
        for label in &intent.labels {
            let is_done = identity.is_done(&label.key, &label.label, |name| old.labels.contains(name));
            let hint = label.renamed_from.as_ref().filter(|from| {
                !is_done && old.labels.contains(from) && !identity.is_kept(from, |name| new.labels.contains(name))
            });
            let same_key = || {
                let previous = old_intent?.labels.iter().find(|previous| previous.key == label.key)?;
                (previous.label != label.label && old.labels.contains(&previous.label)).then_some(&previous.label)
            };
            let Some(from) = hint.or_else(same_key) else { continue };
            renames.labels.add((intent.name.clone(), from.clone()), (intent.name.clone(), label.label.clone()));
        }
    }
}

/// Applies the renames to the picture and says them in an order that PostgreSQL can follow.
pub(super) fn apply(state: &mut State, renames: Renames) -> Vec<Change> {
    let mut changes = Vec::new();
    let occupied = state.enums.iter().map(|ty| ty.name.clone()).collect();
    for (from, to) in order(renames.enums.into_pairs(), occupied, temporary_object) {
        apply::rename_enum(state, &from, &to);
        changes.push(Change::RenameEnum { from, to });
    }
    let labels = state.enums.iter().flat_map(|ty| ty.labels.iter().map(|label| (ty.name.clone(), label.clone())));
    for ((enum_name, from), (_, to)) in order(renames.labels.into_pairs(), labels.collect(), temporary_part) {
        apply::rename_label(state, &enum_name, &from, &to);
        changes.push(Change::RenameLabel { enum_name, from, to });
    }
    let occupied = state.tables.iter().map(|table| table.name.clone()).collect();
    for (from, to) in order(renames.tables.into_pairs(), occupied, temporary_object) {
        apply::rename_table(state, &from, &to);
        changes.push(Change::RenameTable { from, to });
    }
    let columns = state
        .tables
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name.clone(), column.name.clone())));
    for ((table, from), (_, to)) in order(renames.columns.into_pairs(), columns.collect(), temporary_part) {
        apply::rename_column(state, &table, &from, &to);
        changes.push(Change::RenameColumn { table, from, to });
    }
    state.sort();
    changes
}

fn temporary_object(name: &ObjectName, number: usize) -> ObjectName {
    name.sibling(&temporary(&name.name, number))
}

fn temporary_part(part: &Part, number: usize) -> Part {
    (part.0.clone(), temporary(&part.1, number))
}

/// A name for the time in between; the number makes it unlike any that is there.
pub(super) fn temporary(name: &str, number: usize) -> String {
    match number {
        0 => format!("{}__old", clip(name, 50)),
        _ => format!("{}__old{number}", clip(name, 50)),
    }
}

/// Puts renames into an order in which each new name is free. Swaps go through a temporary name, and
/// so does what is in the way and will be dropped.
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
