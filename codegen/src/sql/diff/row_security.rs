//! The differences in row security and policies. Only the policies that migrations create are compared. Other policies
//! stay as they are.

use super::DiffCx;
use super::tables::Touched;
use crate::sql::change::Change;
use crate::sql::normalize::{Origin, same_loosely};
use crate::sql::policy;
use crate::sql::state::{ObjectName, Policy, PolicyCondition, RowSecurity, State};

pub(super) fn diff_row_security(cx: &DiffCx<'_>, previous: &State, touched: &Touched, changes: &mut Vec<Change>) {
    let none = RowSecurity::default();
    for next in &cx.next.tables {
        let old = previous.table(&next.name).map_or(&none, |old| &old.row_security);
        // Policies of files need row security, and leave the rest of it as it is.
        let with_files = RowSecurity { enabled: true, has_files: true, ..old.clone() };
        let wanted = match (cx.ignores_row_security, next.row_security.has_files) {
            (true, true) => &with_files,
            (true, false) => old,
            (false, _) => &next.row_security,
        };
        diff_table(cx, &next.name, old, wanted, touched, changes);
    }
    let dropped = previous.tables.iter().filter(|table| cx.next.table(&table.name).is_none());
    for table in dropped {
        // A column that a policy uses cannot change before the policy is dropped, and the table is dropped only later.
        let policies = table.row_security.policies.iter().filter(|policy| is_touched(policy, touched));
        changes.extend(policies.map(|policy| drop_policy(&table.name, policy)));
    }
    if writes_secured_rows(previous, changes) {
        changes.push(Change::ShowAllTenants);
    }
}

fn drop_policy(table: &ObjectName, policy: &Policy) -> Change {
    Change::DropPolicy { table: table.clone(), policy: policy.clone() }
}

fn diff_table(
    cx: &DiffCx<'_>,
    table: &ObjectName,
    old: &RowSecurity,
    next: &RowSecurity,
    touched: &Touched,
    changes: &mut Vec<Change>,
) {
    for policy in &old.policies {
        match next.policies.iter().find(|other| other.name == policy.name) {
            None => changes.push(drop_policy(table, policy)),
            Some(other) if is_touched(policy, touched) || !same_policy(cx, table, policy, other) => {
                changes.push(Change::ReplacePolicy {
                    table: table.clone(),
                    previous: Box::new(policy.clone()),
                    next: Box::new(other.clone()),
                });
            }
            Some(_) => {}
        }
    }
    let is_new = |policy: &&Policy| !old.policies.iter().any(|other| other.name == policy.name);
    for policy in next.policies.iter().filter(is_new) {
        changes.push(Change::CreatePolicy { table: table.clone(), policy: policy.clone() });
    }
    let forced = if next.policies.is_empty() && next.enabled { old.forced } else { next.forced };
    let (is, shall_be) = ((old.enabled, old.forced), (next.enabled, forced));
    if is != shall_be && is_ours(old, next) {
        changes.push(Change::SetRowSecurity { table: table.clone(), previous: is, next: shall_be });
    }
}

/// Returns whether migrations enable or disable row security on the table: if they create policies, or if they drop the
/// only policies of the table.
fn is_ours(old: &RowSecurity, next: &RowSecurity) -> bool {
    let has_policies = |security: &RowSecurity| !security.policies.is_empty() || security.has_files;
    match (has_policies(old), has_policies(next)) {
        (_, true) => true,
        (true, false) => !old.has_others,
        (false, false) => false,
    }
}

fn is_touched(policy: &Policy, touched: &Touched) -> bool {
    policy.uses.iter().any(|column| touched.columns.contains(column) || touched.recreated.contains(column))
}

fn same_policy(cx: &DiffCx<'_>, table: &ObjectName, a: &Policy, b: &Policy) -> bool {
    let roles = |policy: &Policy| {
        let mut roles = policy.roles.clone();
        roles.sort();
        roles
    };
    let same = |a: &Option<PolicyCondition>, b: &Option<PolicyCondition>| match (a, b) {
        (Some(a), Some(b)) => same_condition(cx, table, a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    a.permissive == b.permissive
        && a.command == b.command
        && roles(a) == roles(b)
        && same(&a.using, &b.using)
        && same(&a.check, &b.check)
}

fn same_condition(cx: &DiffCx<'_>, table: &ObjectName, a: &PolicyCondition, b: &PolicyCondition) -> bool {
    match (a, b) {
        (PolicyCondition::Sql(a), PolicyCondition::Sql(b)) if cx.origin == Origin::Catalogs => a == b,
        (PolicyCondition::Sql(_), _) | (_, PolicyCondition::Sql(_)) => {
            same_loosely(&policy::condition(a, table), &policy::condition(b, table))
        }
        (a, b) => a == b,
    }
}

/// Returns whether the changes read or write rows that policies hide from the table's owner.
fn writes_secured_rows(previous: &State, changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::AddColumn { table, .. } | Change::AlterColumn { table, .. } => {
            previous.table(table).is_some_and(|table| table.row_security.enabled && table.row_security.forced)
        }
        _ => false,
    })
}
