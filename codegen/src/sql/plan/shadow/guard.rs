//! The guard at the beginning of a plan whose first steps are committed before the guard of the type changes runs. If
//! the guard stops a migration, nothing of the migration may have been applied.
//!
//! Takes the steps of an online plan. Between the first guard and the type changes, objects are renamed and dropped. So
//! the first guard uses the old names, and knows what will be dropped.

use crate::sql::change::{CatalogChange, TableObject};
use crate::sql::plan::Transaction;
use crate::sql::plan::action::{Action, Guard};
use crate::sql::state::{ObjectName, Other, OtherKind};

/// Adds a guard at the beginning, if steps before the first one are committed.
pub(in crate::sql::plan) fn guard_first(steps: &mut Vec<(Action, Transaction)>) {
    let Some((at, guard)) = steps.iter().enumerate().find_map(|(at, (action, _))| match action {
        Action::Guard(guard) => Some((at, guard.clone())),
        _ => None,
    }) else {
        return;
    };
    let before = &steps[..at];
    // A new enum value may have to be committed before it is used.
    let is_committed = |(action, transaction): &(Action, Transaction)| {
        *transaction == Transaction::Outside || matches!(action, Action::AddLabel { .. })
    };
    let Some(committed) = before.iter().position(is_committed) else { return };
    // Objects that make way first do so in the same transaction, and depend on the columns until then.
    let start = before[..committed].iter().rposition(|(action, _)| is_catalog_drop(action)).map_or(0, |last| last + 1);
    let at_start = before[start..].iter().rev().try_fold(guard, |guard, (action, _)| earlier(guard, action));
    if let Some(guard) = at_start {
        steps.insert(start, (Action::Guard(guard), Transaction::Transactional));
    }
}

fn is_catalog_drop(action: &Action) -> bool {
    matches!(action, Action::Catalog(CatalogChange::Drop { .. } | CatalogChange::Release { .. }))
}

/// Returns the guard before an action; `None` if that is unknown.
fn earlier(mut guard: Guard, action: &Action) -> Option<Guard> {
    match action {
        action if is_catalog_drop(action) => return None,
        Action::RenameTable { from, to } => rename_tables(&mut guard, &from.sibling(to), from),
        Action::MoveTable { from, schema } => {
            rename_tables(&mut guard, &ObjectName::new(Some(schema), &from.name), from);
        }
        Action::RenameColumn { table, from, to } => {
            let columns = guard.columns.iter_mut().map(|(table, name, _)| (table, name));
            let generated = guard.generated.iter_mut().map(|(table, name)| (table, name));
            let renamed = columns.chain(generated).filter(|(other, name)| *other == table && *name == to);
            renamed.for_each(|(_, name)| name.clone_from(from));
        }
        Action::RenameObject { table, object, to } => {
            let objects = guard.known.iter_mut().chain(&mut guard.tuned).chain(&mut guard.dropped);
            let renamed = objects.filter(|(other, name)| other == table && name == to);
            renamed.for_each(|(_, name)| object.name().clone_into(name));
        }
        Action::RenameSequence { from, to } => {
            let to = from.sibling(to);
            guard.sequences.iter_mut().filter(|name| **name == to).for_each(|name| name.clone_from(from));
        }
        Action::DropObject { table, object } => guard.dropped.push((table.clone(), object.name().to_owned())),
        Action::DropIndexConcurrently { table, index } => guard.dropped.push((table.clone(), index.clone())),
        Action::DropExpression { table, next, .. } => guard.generated.push((table.clone(), next.name.clone())),
        Action::AlterColumns { table, alterations } => {
            let plain = alterations.iter().filter(|it| it.previous.generated.is_some() && it.next.generated.is_none());
            guard.generated.extend(plain.map(|it| (table.clone(), it.next.name.clone())));
        }
        Action::DropColumns { table, columns } => {
            let generated = columns.iter().filter(|column| column.generated.is_some());
            guard.generated.extend(generated.map(|column| (table.clone(), column.name.clone())));
        }
        Action::DropPolicy { table, policy } => guard.policies.push((table.clone(), policy.name.clone())),
        Action::DropTable(table) => {
            let keys = table.foreign_keys.iter().cloned().map(TableObject::ForeignKey);
            guard.dropped.extend(keys.map(|key| (table.name.clone(), key.name().to_owned())));
        }
        Action::DropOther(other) if !can_be_passed(other) => return None,
        _ => {}
    }
    Some(guard)
}

/// Returns whether the guard does not have to know that an object is dropped.
fn can_be_passed(other: &Other) -> bool {
    matches!(other.kind, OtherKind::Comment | OtherKind::Settings | OtherKind::Sequence)
}

fn rename_tables(guard: &mut Guard, from: &ObjectName, to: &ObjectName) {
    let columns = guard.columns.iter_mut().map(|(table, ..)| table);
    let objects = guard.known.iter_mut().chain(&mut guard.tuned).chain(&mut guard.dropped).chain(&mut guard.policies);
    let objects = objects.chain(&mut guard.generated).map(|(table, _)| table);
    columns.chain(objects).filter(|table| *table == from).for_each(|table| table.clone_from(to));
}
