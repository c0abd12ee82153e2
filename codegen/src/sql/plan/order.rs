//! The order of actions. An action comes after those that create what it needs, after those that stop using what it
//! drops, and after those that free the name that it uses.
//!
//! Otherwise, earlier phases come first, and then the order of the input, so that the same changes always give the same
//! text.

mod citus;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use self::citus::{on_citus, placed};
use super::action::{Action, Alteration};
use crate::sql::catalog::{self, Event};
use crate::sql::change::{Commented, TableObject};
use crate::sql::data_type::DataType;
use crate::sql::names::sequence_name;
use crate::sql::state::{Column, ColumnDefault, ObjectKey, ObjectName, Policy, Table};

/// Something that actions provide and other actions wait for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Milestone {
    /// Schemas and extensions exist.
    Schemas,
    /// Tables, columns, types and sequences have their new names.
    Renamed,
    /// New enum values exist.
    Labels,
    /// A table, type or sequence exists.
    Exists(ObjectName),
    /// Nothing uses a table, type or sequence any more.
    Released(ObjectName),
    /// No column has the old type of an enum that is replaced.
    Converted(ObjectName),
    /// The name of a table, type or sequence is free.
    NameFree(ObjectName),
    /// Foreign keys that a table's keys or columns have to wait for are dropped.
    Detached(ObjectName),
    /// Keys, checks and indexes that a table's columns have to wait for are dropped.
    Cleared(ObjectName),
    /// Everything that tables lose is dropped, so its names are free.
    AllCleared,
    /// Keys, checks and indexes have their new names.
    ObjectsRenamed,
    /// Generated columns of a table that are dropped are gone.
    Ungenerated(ObjectName),
    /// A table's columns have their new types.
    Altered(ObjectName),
    /// A table has its new columns.
    Added(ObjectName),
    /// A table's empty values are filled in.
    Filled(ObjectName),
    /// A table's columns have their final form.
    Shaped(ObjectName),
    /// A table has its keys.
    Keyed(ObjectName),
    /// The last columns of a table that are dropped are gone.
    Trimmed(ObjectName),
    /// The sequences of a table's columns continue after its values.
    Counted(ObjectName),
    /// A dropped table is gone.
    Emptied(ObjectName),
    /// Citus has given back the rows of a table.
    Undistributed(ObjectName),
    /// Citus has the rows of a table.
    Distributed(ObjectName),
    /// A table is logged or not, as it shall be.
    Logged(ObjectName),
    /// The table itself has no rows any more.
    Placed(ObjectName),
    /// A table has its policies.
    Secured(ObjectName),
    /// Changes can be recorded.
    Recorded,
    /// No column uses anything that is dropped.
    AllReleased,
    /// Views and other objects that block a change are dropped.
    OthersDropped,
    /// Schemas exist.
    Spaces,
    /// The objects that must be dropped under their old names are dropped.
    FirstDropped,
    /// Extended statistics and sequences without a column exist.
    OthersMade,
    /// An object that is not part of a table exists in its new form.
    Made(ObjectKey),
    /// Such an object is dropped.
    Gone(ObjectKey),
    /// Nothing needs such an object any more.
    Free(ObjectKey),
    /// The objects that a table needs exist.
    Served(ObjectName),
}

#[derive(Default)]
struct Needs {
    gives: Vec<Milestone>,
    waits: Vec<Milestone>,
}

/// Sorts actions so that each can run.
pub(super) fn order(actions: Vec<Action>) -> Vec<Action> {
    let mut graph = Graph::new(actions.len());
    let mut milestones: BTreeMap<Milestone, usize> = BTreeMap::new();
    let (mut last_rename, mut last_sequence) = (None, None);
    for (index, action) in actions.iter().enumerate() {
        let mut needs = needs(action);
        needs.gives.extend(freed_sequences(action, &actions));
        for milestone in needs.gives {
            let barrier = *milestones.entry(milestone).or_insert_with(|| graph.add_barrier());
            graph.add_edge(index, barrier);
        }
        for milestone in needs.waits {
            let barrier = *milestones.entry(milestone).or_insert_with(|| graph.add_barrier());
            graph.add_edge(barrier, index);
        }
        // Renames are already in order.
        let last = match action {
            Action::RenameSequence { .. } => last_sequence.replace(index),
            action if is_rename(action) => last_rename.replace(index),
            _ => None,
        };
        if let Some(last) = last {
            graph.add_edge(last, index);
        }
    }
    let phases: Vec<_> = actions.iter().map(phase).collect();
    let sorted = graph.sort(&phases);
    let mut actions: Vec<_> = actions.into_iter().map(Some).collect();
    sorted.into_iter().filter_map(|index| actions[index].take()).collect()
}

/// The sequence of an identity column keeps its name when its table is renamed, until the column is no identity any more.
fn freed_sequences(action: &Action, actions: &[Action]) -> Vec<Milestone> {
    let is_dropped = |it: &&Alteration| it.previous.identity.is_some() && it.next.identity.is_none();
    let (table, columns): (_, Vec<&str>) = match action {
        Action::DropIdentity { table, column, .. } => (table, vec![column]),
        Action::AlterColumns { table, alterations } => {
            (table, alterations.iter().filter(is_dropped).map(|it| it.next.name.as_str()).collect())
        }
        _ => return Vec::new(),
    };
    let mut names = vec![table.clone()];
    for other in actions.iter().rev() {
        let (before, now) = match other {
            Action::RenameTable { from, to } => (from.clone(), from.sibling(to)),
            Action::MoveTable { from, schema } => (from.clone(), ObjectName::new(Some(schema), &from.name)),
            _ => continue,
        };
        if names.last() == Some(&now) {
            names.push(before);
        }
    }
    let of_table = |name: &ObjectName| columns.iter().map(|it| sequence_name(name, it)).collect::<Vec<_>>();
    names.iter().flat_map(of_table).map(Milestone::NameFree).collect()
}

fn is_rename(action: &Action) -> bool {
    matches!(
        action,
        Action::MoveEnum { .. }
            | Action::RenameLabel { .. }
            | Action::MoveTable { .. }
            | Action::RenameTable { .. }
            | Action::RenameColumn { .. }
            | Action::RenameEnum { .. }
    )
}

/// The preferred position of an action.
fn phase(action: &Action) -> u8 {
    match action {
        Action::Catalog(change) => catalog::phase(change),
        Action::CreateSchema(_)
        | Action::CreateExtension(_)
        | Action::UpdateExtension { .. }
        | Action::MoveExtension { .. } => 0,
        action if is_rename(action) => 1,
        Action::RenameSequence { .. } => 1,
        Action::AddLabel { .. } => 2,
        Action::DropOther(_) | Action::ShowAllTenants => 2,
        Action::SetRowSecurity { next: (false, _), .. } => 2,
        Action::SetAuditLog { .. } | Action::SetAudit { is_early: true, .. } => 2,
        Action::SetAudit { .. } => 16,
        Action::EditAudit { .. } => 20,
        Action::DropPolicy { .. } => 3,
        // A new table is secured before anything else can happen to it.
        Action::CreatePolicy { .. } => 16,
        Action::SetRowSecurity { .. } => 16,
        Action::CreateOther(_) | Action::ChangeOther(_) | Action::Restore { .. } => 21,
        Action::DropObject { object: TableObject::ForeignKey(_), .. } => 3,
        Action::Undistribute(_) => 3,
        Action::Distribute { .. } | Action::ClearLocalRows(_) => 14,
        Action::DropObject { .. } => 4,
        Action::RenameObject { .. }
        | Action::DropIdentity { .. }
        | Action::DropDefault { .. }
        | Action::DropExpression { .. } => 5,
        Action::CreateEnum(_) | Action::CreateSequence(_) => 6,
        Action::AlterColumns { .. } => 7,
        Action::SetSequenceType { .. }
        | Action::SetSequenceOptions { .. }
        | Action::DisownSequence(_)
        | Action::AlterTable { .. }
        | Action::Repartition { .. }
        | Action::AdvanceIdentity { .. }
        | Action::AdvanceSequence { .. } => 8,
        Action::Backfill { .. } => 9,
        Action::SetNotNull { .. } => 10,
        Action::CreateTable { .. } => 11,
        Action::AddColumns { .. } => 12,
        Action::DropDefaults { .. } | Action::OwnSequence { .. } => 13,
        Action::DropColumns { .. } => 14,
        Action::AddObject { object: TableObject::ForeignKey(_), .. } => 16,
        Action::AddObject { .. } => 15,
        Action::DropTable(_) => 17,
        Action::DropSequence(_) => 18,
        Action::DropEnum { .. } => 19,
        Action::DropExtension(_) => 20,
        Action::SetComment { .. } => 22,
        _ => 1,
    }
}

fn needs(action: &Action) -> Needs {
    use Milestone as M;
    let mut needs = Needs::default();
    let exists = |needs: &mut Needs, name: &ObjectName| {
        needs.waits.push(M::NameFree(name.clone()));
        needs.gives.push(M::Exists(name.clone()));
    };
    let drops = |needs: &mut Needs, name: &ObjectName| {
        needs.waits.push(M::Released(name.clone()));
        needs.gives.push(M::NameFree(name.clone()));
    };
    stage(&mut needs, action);
    served(&mut needs, action);
    on_citus(&mut needs, action);
    match action {
        Action::CreateEnum(ty) => exists(&mut needs, &ty.name),
        Action::DropEnum { name, replaced_by: None } => drops(&mut needs, name),
        Action::DropEnum { name, replaced_by: Some(new) } => {
            // Composite types and functions that use it are dropped, and created again with the new one.
            needs.waits.extend([M::Converted(new.clone()), M::Released(new.clone())]);
            needs.gives.push(M::NameFree(name.clone()));
        }
        Action::CreateSequence(sequence) => exists(&mut needs, &sequence.name),
        // The name may be that of a sequence that is dropped with its table.
        Action::RenameSequence { from, to } => {
            exists(&mut needs, &from.sibling(to));
            needs.gives.push(M::NameFree(from.clone()));
        }
        Action::DropSequence(name) => drops(&mut needs, name),
        Action::SetSequenceType { sequence, .. }
        | Action::SetSequenceOptions { sequence, .. }
        | Action::DisownSequence(sequence) => needs.waits.push(M::Exists(sequence.clone())),
        Action::DropExpression { table, .. } => needs.gives.push(M::Cleared(table.clone())),
        Action::DropDefault { sequence, .. } => needs.gives.push(M::Released(sequence.clone())),
        Action::DropIdentity { table, next, .. } => {
            needs.gives.push(M::Cleared(table.clone()));
            needs.gives.extend(next.iter().cloned().map(M::NameFree));
        }
        Action::AdvanceIdentity { table, .. } => needs.waits.push(M::Altered(table.clone())),
        Action::AdvanceSequence { sequence, table, .. } | Action::OwnSequence { sequence, table, .. } => {
            needs.waits.extend([
                M::Exists(sequence.clone()),
                M::Exists(table.clone()),
                M::Altered(table.clone()),
                M::Added(table.clone()),
            ]);
        }
        Action::CreateTable { table, serial } => {
            exists(&mut needs, &table.name);
            needs.waits.extend(key_names(table).map(M::NameFree));
            let counted = table.columns.iter().filter(|column| serial.contains(&column.name));
            let counted: Vec<_> = counted.filter_map(sequence_of).collect();
            needs.waits.extend(counted.iter().cloned().map(M::NameFree));
            needs.gives.extend(counted.iter().cloned().map(M::Exists));
            needs.waits.extend(
                table.columns.iter().flat_map(column_uses).filter(|name| !counted.contains(name)).map(M::Exists),
            );
            for parent in &table.options.inherits {
                needs.waits.extend([M::Exists(parent.clone()), M::Altered(parent.clone()), M::Added(parent.clone())]);
            }
        }
        Action::DropTable(table) => drop_table(&mut needs, table),
        Action::AddColumns { table, columns } => {
            let (counted, others): (Vec<_>, Vec<_>) = columns.iter().partition(|spec| spec.serial);
            let counted: Vec<_> = counted.into_iter().flat_map(|spec| column_uses(&spec.column)).collect();
            needs.waits.extend(counted.iter().cloned().map(M::NameFree));
            needs.gives.extend(counted.into_iter().map(M::Exists));
            needs.waits.extend(others.into_iter().flat_map(|spec| column_uses(&spec.column)).map(M::Exists));
            needs.gives.extend([M::Added(table.clone()), M::Shaped(table.clone())]);
        }
        Action::AlterColumns { table, alterations } => alter_columns(&mut needs, table, alterations),
        Action::DropDefaults { table, .. } => {
            needs.waits.push(M::Added(table.clone()));
            needs.gives.push(M::Shaped(table.clone()));
        }
        Action::AlterTable { table, previous, next, after } if previous.unlogged != next.unlogged => {
            needs.waits.extend([M::Detached(table.clone()), M::Released(table.clone())]);
            needs.waits.extend(after.iter().cloned().map(M::Logged));
            needs.gives.push(M::Logged(table.clone()));
        }
        Action::Backfill { table, .. } => {
            needs.waits.extend([M::Exists(table.clone()), M::Altered(table.clone())]);
            needs.gives.push(M::Filled(table.clone()));
        }
        Action::SetNotNull { table, .. } => {
            needs.waits.extend([M::Exists(table.clone()), M::Altered(table.clone()), M::Filled(table.clone())]);
            needs.gives.push(M::Shaped(table.clone()));
        }
        Action::DropOther(_) => needs.gives.push(M::OthersDropped),
        Action::CreateOther(_) | Action::ChangeOther(_) => needs.gives.push(M::OthersMade),
        Action::SetComment { on: Commented::Enum(name), .. } => needs.waits.push(M::Exists(name.clone())),
        Action::SetComment { on: Commented::Table(table) | Commented::Column(table, _), .. } => {
            needs.waits.extend(ready(table));
            needs.waits.push(M::OthersMade);
        }
        Action::Catalog(change) => on_objects(&mut needs, &catalog::events(change)),
        Action::DropColumns { table, columns } => {
            needs.waits.extend([M::Cleared(table.clone()), M::Detached(table.clone()), M::OthersDropped]);
            match columns.iter().all(|column| column.generated.is_some()) {
                true => needs.gives.push(M::Ungenerated(table.clone())),
                false => needs.waits.push(M::Ungenerated(table.clone())),
            }
            for name in columns.iter().flat_map(column_uses) {
                needs.gives.extend([M::Converted(name.clone()), M::Released(name)]);
            }
            needs.gives.extend(columns.iter().filter_map(sequence_of).map(M::NameFree));
            needs.gives.push(M::AllReleased);
        }
        Action::DropExtension(_) => needs.waits.push(M::AllReleased),
        Action::RenameObject { table, to, .. } => {
            needs.waits.extend([M::AllCleared, M::NameFree(table.sibling(to))]);
            needs.gives.push(M::ObjectsRenamed);
        }
        Action::DropObject { table, object } => drop_object(&mut needs, table, object),
        Action::AddObject { table, object, .. } => add_object(&mut needs, table, object),
        Action::DropPolicy { table, policy } => {
            for name in named_tables(table, policy) {
                needs.gives.extend([M::Detached(name.clone()), M::Cleared(name.clone()), M::Released(name.clone())]);
            }
        }
        Action::CreatePolicy { table, policy } => {
            needs.waits.extend(named_tables(table, policy).into_iter().flat_map(ready));
            needs.gives.push(M::Secured(table.clone()));
        }
        Action::SetAuditLog { .. } => needs.gives.push(M::Recorded),
        Action::SetAudit { table, is_early, .. } => {
            needs.waits.extend([M::Exists(table.clone()), M::Recorded]);
            needs.waits.extend((!is_early).then(|| ready(table)).into_iter().flatten());
        }
        Action::EditAudit { .. } => needs.waits.push(M::Recorded),
        Action::SetRowSecurity { table, next: (true, _), .. } => {
            needs.waits.extend([M::Exists(table.clone()), M::Secured(table.clone())]);
        }
        _ => {}
    }
    needs
}

/// The table of a policy, and those that its conditions name.
fn named_tables<'p>(table: &'p ObjectName, policy: &'p Policy) -> BTreeSet<&'p ObjectName> {
    policy.uses.iter().map(|(table, _)| table).chain([table]).collect()
}

/// Returns the milestones after which a table and all of its columns exist in their final form.
fn ready(table: &ObjectName) -> [Milestone; 4] {
    use Milestone as M;
    [M::Exists(table.clone()), M::Altered(table.clone()), M::Added(table.clone()), M::Shaped(table.clone())]
}

/// Schemas come first, then renames, then enum values, then everything else.
fn stage(needs: &mut Needs, action: &Action) {
    use Milestone as M;
    match action {
        Action::Catalog(change) if catalog::is_first(change) => needs.gives.push(M::FirstDropped),
        Action::CreateSchema(_) => needs.gives.push(M::Schemas),
        Action::CreateExtension(_) => {
            needs.waits.push(M::Spaces);
            needs.gives.push(M::Schemas);
        }
        Action::UpdateExtension { .. } | Action::MoveExtension { .. } => {
            needs.gives.push(M::Renamed);
            needs.waits.extend([M::Schemas, M::FirstDropped]);
        }
        Action::RenameEnum { .. }
        | Action::MoveEnum { .. }
        | Action::RenameLabel { .. }
        | Action::RenameTable { .. }
        | Action::MoveTable { .. }
        | Action::RenameColumn { .. } => {
            needs.waits.extend([M::Schemas, M::Spaces, M::FirstDropped]);
            needs.gives.push(M::Renamed);
        }
        Action::AddLabel { .. } => {
            needs.waits.push(M::Renamed);
            needs.gives.push(M::Labels);
        }
        _ => needs.waits.extend([M::Schemas, M::Spaces, M::Renamed, M::Labels]),
    }
}

/// What tables need of other objects exists before it becomes part of them.
fn served(needs: &mut Needs, action: &Action) {
    match action {
        Action::CreateTable { table, .. } => needs.waits.push(Milestone::Served(table.name.clone())),
        Action::AddColumns { table, .. } | Action::AlterColumns { table, .. } | Action::AddObject { table, .. } => {
            needs.waits.push(Milestone::Served(table.clone()));
        }
        _ => {}
    }
}

/// The milestones of an object that is not part of a table.
fn on_objects(needs: &mut Needs, events: &catalog::Events) {
    use Milestone as M;
    let milestones = |event: &Event| match event {
        Event::Made(key) => vec![M::Made(key.clone())],
        Event::Gone(key) => vec![M::Gone(key.clone())],
        Event::Free(key) => vec![M::Free(key.clone())],
        Event::Served(table) => vec![M::Served(table.clone())],
        Event::Secured(table) => vec![M::Secured(table.clone())],
        Event::Spaces => vec![M::Spaces],
        Event::Cleared => vec![M::OthersDropped],
        Event::Released(name) => vec![M::Released(name.clone())],
        Event::Unextended => vec![M::AllReleased],
        Event::Shaped(table) => ready(table).to_vec(),
        Event::Keyed(table) => vec![M::Keyed(table.clone())],
        Event::Detached(table) => vec![M::Detached(table.clone())],
        Event::OthersMade => vec![M::OthersMade],
        Event::Exists(name) => vec![M::Exists(name.clone())],
        Event::Narrowed(table) => vec![M::Trimmed(table.clone())],
        Event::Trimmed(table) => {
            let table = || table.clone();
            vec![
                M::Cleared(table()),
                M::Detached(table()),
                M::Altered(table()),
                M::Trimmed(table()),
                M::Emptied(table()),
            ]
        }
    };
    needs.gives.extend(events.gives.iter().flat_map(milestones));
    needs.waits.extend(events.waits.iter().flat_map(milestones));
}

/// The types and sequences of a column.
fn column_uses(column: &Column) -> Vec<ObjectName> {
    let mut names = Vec::new();
    if let DataType::Enum(name) = &column.ty {
        names.push(name.clone());
    }
    names.extend(sequence_of(column));
    names
}

fn sequence_of(column: &Column) -> Option<ObjectName> {
    match &column.default {
        Some(ColumnDefault::Sequence(name)) => Some(name.clone()),
        _ => None,
    }
}

/// Returns the names of indexes that are created and dropped with their table. Tables, indexes and sequences share a
/// namespace.
fn key_names(table: &Table) -> impl Iterator<Item = ObjectName> {
    let uniques = table.uniques.iter().map(|unique| &unique.name);
    let exclusions = table.exclusions.iter().map(|exclusion| &exclusion.index.name);
    let keys = table.primary_key.iter().map(|key| &key.name).chain(uniques).chain(exclusions);
    keys.map(|name| table.name.sibling(name))
}

fn drop_table(needs: &mut Needs, table: &Table) {
    use Milestone as M;
    needs.waits.extend([M::Detached(table.name.clone()), M::Released(table.name.clone()), M::OthersDropped]);
    if table.options.partition_bound.is_some() {
        needs.waits.extend(table.options.inherits.iter().cloned().map(M::Detached));
    }
    needs.gives.extend([M::NameFree(table.name.clone()), M::Emptied(table.name.clone())]);
    needs.gives.push(M::AllReleased);
    let indexes = table.indexes.iter().map(|index| table.name.sibling(&index.name));
    needs.gives.extend(key_names(table).chain(indexes).map(M::NameFree));
    needs.gives.extend(table.columns.iter().filter_map(sequence_of).map(M::NameFree));
    for name in table.columns.iter().flat_map(column_uses) {
        needs.gives.extend([M::Released(name.clone()), M::Converted(name.clone())]);
    }
    let others = table.foreign_keys.iter().filter(|key| key.referenced_table != table.name);
    needs.gives.extend(others.map(|key| M::Released(key.referenced_table.clone())));
    let named = table.row_security.policies.iter().flat_map(|policy| &policy.uses).map(|(named, _)| named);
    needs.gives.extend(named.filter(|named| **named != table.name).map(|named| M::Released(named.clone())));
}

fn alter_columns(needs: &mut Needs, table: &ObjectName, alterations: &[Alteration]) {
    use Milestone as M;
    needs.waits.extend([M::Cleared(table.clone()), M::Detached(table.clone()), M::OthersDropped]);
    needs.waits.push(M::Ungenerated(table.clone()));
    needs.waits.push(M::Exists(table.clone()));
    needs.gives.extend([M::Altered(table.clone()), M::Shaped(table.clone()), M::AllReleased]);
    let is_generated_again = |it: &Alteration| it.next.generated.is_some() && it.previous.is_recreated(&it.next);
    if alterations.iter().any(is_generated_again) {
        needs.waits.push(M::Added(table.clone()));
    }
    for alteration in alterations {
        if alteration.previous.identity.is_none() && alteration.next.identity.is_some() {
            needs.waits.push(M::NameFree(sequence_name(table, &alteration.next.name)));
        }
        for parent in &alteration.belongings.parents {
            needs.waits.extend([M::Altered(parent.clone()), M::Added(parent.clone()), M::Shaped(parent.clone())]);
        }
        needs.waits.extend(column_uses(&alteration.next).into_iter().map(M::Exists));
        let kept = column_uses(&alteration.next);
        for name in column_uses(&alteration.previous) {
            needs.gives.push(M::Converted(name.clone()));
            if !kept.contains(&name) {
                needs.gives.push(M::Released(name));
            }
        }
    }
}

fn drop_object(needs: &mut Needs, table: &ObjectName, object: &TableObject) {
    use Milestone as M;
    needs.gives.push(M::AllCleared);
    match object {
        TableObject::ForeignKey(key) => {
            needs.gives.extend([M::Detached(table.clone()), M::Detached(key.referenced_table.clone())]);
            needs.gives.push(M::Released(key.referenced_table.clone()));
        }
        _ => {
            needs.waits.push(M::Detached(table.clone()));
            needs.gives.push(M::Cleared(table.clone()));
        }
    }
}

fn add_object(needs: &mut Needs, table: &ObjectName, object: &TableObject) {
    use Milestone as M;
    needs.waits.push(M::NameFree(table.sibling(object.name())));
    needs.waits.extend([M::AllCleared, M::ObjectsRenamed]);
    needs.waits.extend(ready(table));
    needs.waits.extend(placed(table));
    if let TableObject::ForeignKey(key) = object {
        needs.waits.extend(placed(&key.referenced_table));
        needs.waits.extend(ready(&key.referenced_table));
        needs.waits.extend([M::Keyed(key.referenced_table.clone()), M::Logged(key.referenced_table.clone())]);
        needs.waits.push(M::Logged(table.clone()));
    } else {
        needs.gives.push(M::Keyed(table.clone()));
    }
}

/// A graph of actions, then barriers. A barrier is the moment when all actions that provide a milestone have run.
struct Graph {
    actions: usize,
    followers: Vec<Vec<usize>>,
    waiting_for: Vec<usize>,
}

impl Graph {
    fn new(actions: usize) -> Self {
        Self { actions, followers: vec![Vec::new(); actions], waiting_for: vec![0; actions] }
    }

    fn add_barrier(&mut self) -> usize {
        self.followers.push(Vec::new());
        self.waiting_for.push(0);
        self.followers.len() - 1
    }

    fn add_edge(&mut self, from: usize, to: usize) {
        self.followers[from].push(to);
        self.waiting_for[to] += 1;
    }

    /// Kahn's algorithm with priorities. Returns only the actions. If changes ever contradict each other, the next one
    /// by priority runs anyway, and PostgreSQL decides.
    fn sort(mut self, phases: &[u8]) -> Vec<usize> {
        let priority = |node: usize| phases.get(node).map_or((0, node), |phase| (*phase + 1, node));
        let mut ready: BinaryHeap<_> = (0..self.followers.len())
            .filter(|node| self.waiting_for[*node] == 0)
            .map(|node| Reverse(priority(node)))
            .collect();
        let mut is_done = vec![false; self.followers.len()];
        let mut sorted = Vec::with_capacity(self.actions);
        loop {
            let node = match ready.pop() {
                Some(Reverse((_, node))) => node,
                None => match (0..is_done.len()).filter(|node| !is_done[*node]).min_by_key(|node| priority(*node)) {
                    Some(node) => node,
                    None => return sorted,
                },
            };
            if std::mem::replace(&mut is_done[node], true) {
                continue;
            }
            if node < self.actions {
                sorted.push(node);
            }
            for follower in std::mem::take(&mut self.followers[node]) {
                self.waiting_for[follower] -= 1;
                if self.waiting_for[follower] == 0 && !is_done[follower] {
                    ready.push(Reverse(priority(follower)));
                }
            }
        }
    }
}
