//! The differences in recorded changes: triggers, the table of changes, and the names in it.

use std::collections::BTreeSet;

use super::DiffCx;
use crate::sql::change::{AuditEdit, Change};
use crate::sql::state::{Audit, AuditLog, ObjectName, State};

pub(super) fn diff_audit(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    let (old, next) = (previous.audit.as_ref(), cx.next.audit.as_ref());
    if let Some(next) = next.filter(|next| old != Some(next)) {
        changes.push(Change::SetAuditLog { previous: old.cloned(), next: next.clone() });
    }
    let moves = matches!((old, next), (Some(old), Some(next)) if old.name != next.name);
    for table in &cx.next.tables {
        let before = previous.table(&table.name);
        let audit = before.and_then(|before| before.audit.as_ref());
        if (audit == table.audit.as_ref() && !moves) || (audit.is_none() && table.audit.is_none()) {
            continue;
        }
        let Some(log) = next.or(old) else { continue };
        changes.push(Change::SetAudit {
            table: table.name.clone(),
            log: log.name.clone(),
            is_early: before.is_some() && !changes_key(&table.name, audit, table.audit.as_ref(), changes),
            previous: audit.cloned(),
            next: table.audit.clone(),
        });
    }
    if let Some(log) = old {
        rename_in_log(previous, next.unwrap_or(log), changes);
    }
    let audited = previous.tables.iter().filter(|table| table.audit.is_some()).map(|table| table.name.clone());
    let audited: BTreeSet<ObjectName> = audited.collect();
    if !audited.is_empty() && !changes.is_empty() {
        changes.push(Change::OnAudited(audited));
    }
}

/// Returns whether the trigger needs columns that may come later.
fn changes_key(table: &ObjectName, old: Option<&Audit>, next: Option<&Audit>, changes: &[Change]) -> bool {
    let (Some(old), Some(next)) = (old, next) else { return false };
    let key = renamed_columns(table, &old.key, changes);
    key != next.key && old.masked == next.masked
}

/// Hides the earlier values of columns that have become sensitive.
fn masked(log: &AuditLog, changes: &[Change]) -> Vec<Change> {
    let mut found = Vec::new();
    for change in changes {
        let Change::SetAudit { table, previous: Some(old), next: Some(next), .. } = change else { continue };
        let before = renamed_columns(table, &old.masked, changes);
        let new = next.masked.iter().filter(|column| !before.contains(column));
        found.extend(new.map(|column| Change::EditAudit {
            log: log.name.clone(),
            table: table.clone(),
            what: AuditEdit::Mask(column.clone()),
        }));
    }
    found
}

/// Returns the names of columns after the changes.
fn renamed_columns(table: &ObjectName, columns: &[String], changes: &[Change]) -> Vec<String> {
    let mut columns = columns.to_vec();
    for change in changes {
        let Change::RenameColumn { table: renamed, from, to } = change else { continue };
        if renamed == table {
            columns.iter_mut().filter(|column| *column == from).for_each(|column| column.clone_from(to));
        }
    }
    columns
}

/// Lets the recorded changes of a table follow its new name, and those of its columns.
fn rename_in_log(previous: &State, log: &AuditLog, changes: &mut Vec<Change>) {
    let is_audited = |name: &ObjectName| previous.table(name).is_some_and(|table| table.audit.is_some());
    let mut names: BTreeSet<ObjectName> = BTreeSet::new();
    for change in changes.iter().rev() {
        if let Change::RenameTable { from, to } = change
            && (names.contains(to) || is_audited(to))
        {
            names.insert(from.clone());
        }
    }
    let renamed = |change: &Change| {
        let (table, what) = match change {
            Change::RenameTable { from, to } if names.contains(from) => (from, AuditEdit::Table(to.clone())),
            Change::RenameColumn { table, from, to } if is_audited(table) => {
                (table, AuditEdit::Column(from.clone(), to.clone()))
            }
            _ => return None,
        };
        Some(Change::EditAudit { log: log.name.clone(), table: table.clone(), what })
    };
    let mut found: Vec<Change> = changes.iter().filter_map(renamed).collect();
    found.extend(masked(log, changes));
    if log.tenants.is_some() && !found.is_empty() && !changes.contains(&Change::ShowAllTenants) {
        changes.push(Change::ShowAllTenants);
    }
    changes.extend(found);
}
