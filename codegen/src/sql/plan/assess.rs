//! The lock of each step, and its work on the rows.
//!
//! The locks were measured on PostgreSQL 15.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::action::{Action, Alteration, ColumnSpec};
use super::conversion::Conversions;
use super::{Step, Transaction};
use crate::sql::cast::{Work, cast};
use crate::sql::change::{CatalogChange, Change, TableObject, Temporary};
use crate::sql::expression::{Node, canonical, parse};
use crate::sql::names::generated_column;
use crate::sql::state::{ColumnDefault, Need, ObjectName};

/// The strongest lock of a step on an existing table, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// No lock.
    None,
    /// Blocks only other schema changes and VACUUM.
    ShareUpdateExclusive,
    /// Blocks writes to the same rows.
    RowExclusive,
    /// Blocks writes.
    Share,
    /// Blocks writes, also to the referenced table.
    ShareRowExclusive,
    /// Blocks reads and writes.
    AccessExclusive,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lock::None => "No lock",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

/// The context: what exists before the migration, because only that can be locked or lost.
#[derive(Default)]
pub(super) struct AssessCx {
    pub(super) new_tables: BTreeSet<ObjectName>,
    /// New columns with NULL in all rows.
    pub(super) empty_columns: BTreeSet<(ObjectName, String)>,
    /// Tables whose rows Citus has, before or after the migration.
    pub(super) placed: BTreeSet<ObjectName>,
    /// Tables that are partitioned before the migration.
    pub(super) partitioned: BTreeSet<ObjectName>,
    /// Tables whose changes are recorded before the migration.
    pub(super) audited: BTreeSet<ObjectName>,
    /// The domains that migrations create.
    pub(super) domains: BTreeSet<ObjectName>,
    /// The new values of columns.
    pub(super) conversions: Conversions,
    pub(super) removed_labels: BTreeMap<ObjectName, Vec<String>>,
    /// Views and other objects that are dropped first, by their descriptions.
    pub(super) dropped: BTreeSet<String>,
    /// The objects with temporary names.
    pub(super) names: Arc<Temporary>,
}

impl AssessCx {
    pub(super) fn of(changes: &[Change]) -> Self {
        let conversions = Conversions::of(changes);
        let mut cx = Self { names: Arc::new(Temporary::of(changes)), conversions, ..Self::default() };
        for change in changes {
            match change {
                Change::CreateTable(table) => {
                    cx.new_tables.insert(table.name.clone());
                }
                Change::Distribute { table, has_rows: true, .. } => {
                    cx.placed.insert(table.clone());
                }
                Change::OnCitus(tables) => cx.placed.extend(tables.iter().cloned()),
                Change::OnAudited(tables) => cx.audited.extend(tables.iter().cloned()),
                Change::OnPartitions(tables) => cx.partitioned.extend(tables.iter().cloned()),
                Change::OnDomains(domains) => cx.domains.extend(domains.iter().cloned()),
                Change::AddColumn { table, column, .. } if column.nullable && column.default.is_none() => {
                    cx.empty_columns.insert((table.clone(), column.name.clone()));
                }
                Change::ReplaceEnum { previous, next, .. } => {
                    let removed = previous.labels.iter().filter(|label| !next.labels.contains(label));
                    let removed = removed.map(|label| cx.names.label(&previous.name, label).to_owned()).collect();
                    cx.removed_labels.insert(next.name.clone(), removed);
                }
                Change::DropTable(table) => {
                    cx.dropped.insert(format!("table {}", table.name));
                }
                // Both are dropped first by the same statement.
                Change::DropColumn { table, column } if column.generated.is_some() => {
                    cx.dropped.insert(generated_column(table, &column.name));
                }
                Change::AlterColumn { table, previous, next, .. } if previous.is_recreated(next) => {
                    cx.dropped.insert(generated_column(table, &next.name));
                }
                Change::Catalog(CatalogChange::Drop { object, .. }) => {
                    cx.dropped.extend([object.described.clone(), object.key.to_string()]);
                }
                Change::Catalog(CatalogChange::Release { user, .. }) => {
                    cx.dropped.insert(user.to_string());
                }
                Change::DropOther(other) => {
                    cx.dropped.insert(format!("{} {}", other.kind, other.name));
                }
                Change::ReplaceOther(pair) => {
                    cx.dropped.insert(format!("{} {}", pair.0.kind, pair.0.name));
                }
                _ => {}
            }
        }
        cx
    }

    pub(super) fn is_new(&self, table: &ObjectName) -> bool {
        self.new_tables.contains(table)
    }

    pub(super) fn step(&self, action: Action) -> Step {
        let (lock, work) = self.cost(&action);
        let hazards = self.hazards(&action);
        let names = self.names.clone();
        let is_partitioned = matches!(&action, Action::AddObject { table, .. } | Action::DropObject { table, .. }
            if self.partitioned.contains(table));
        Step { is_partitioned, action, transaction: Transaction::Transactional, lock, work, hazards, names }
    }

    fn cost(&self, action: &Action) -> (Lock, Work) {
        let at_once = (Lock::AccessExclusive, Work::None);
        match action {
            Action::AddColumns { columns, .. } => {
                (Lock::AccessExclusive, columns.iter().map(added_work).max().unwrap_or(Work::None))
            }
            Action::AlterColumns { alterations, .. } => {
                (Lock::AccessExclusive, alterations.iter().map(altered_work).max().unwrap_or(Work::None))
            }
            Action::Backfill { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::BackfillInBatches { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::SetNotNull { proven, .. } => (Lock::AccessExclusive, if *proven { Work::None } else { Work::Scan }),
            Action::CreateIndexConcurrently { .. } | Action::Validate { .. } => {
                (Lock::ShareUpdateExclusive, Work::Scan)
            }
            Action::DropIndexConcurrently { .. } => (Lock::ShareUpdateExclusive, Work::None),
            Action::AddNotValid { object: TableObject::ForeignKey(_), .. } => (Lock::ShareRowExclusive, Work::None),
            Action::AddNotValid { .. } | Action::AddUsingIndex { .. } => at_once,
            Action::AdvanceSequence { table, .. } | Action::AdvanceIdentity { table, .. }
                if !self.new_tables.contains(table) =>
            {
                (Lock::None, Work::Scan)
            }
            Action::AddObject { table, .. } if self.new_tables.contains(table) => (Lock::None, Work::None),
            Action::AddObject { object, .. } if object.is_not_valid() => match object {
                TableObject::ForeignKey(_) => (Lock::ShareRowExclusive, Work::None),
                _ => at_once,
            },
            Action::AddObject { object, .. } => match object {
                TableObject::ForeignKey(_) => (Lock::ShareRowExclusive, Work::Scan),
                TableObject::Index(_) => (Lock::Share, Work::Scan),
                TableObject::PrimaryKey(_)
                | TableObject::Unique(_)
                | TableObject::Check(_)
                | TableObject::Exclusion(_) => (Lock::AccessExclusive, Work::Scan),
            },
            Action::SetComment { on, .. } => match on.table().filter(|table| !self.is_new(table)) {
                Some(_) => (Lock::ShareUpdateExclusive, Work::None),
                None => (Lock::None, Work::None),
            },
            Action::AlterTable { previous, next, .. } => match previous.unlogged == next.unlogged {
                true => (Lock::ShareUpdateExclusive, Work::None),
                false => (Lock::AccessExclusive, Work::Rewrite),
            },
            Action::Distribute { has_rows: true, .. } | Action::Undistribute(_) => {
                (Lock::AccessExclusive, Work::Rewrite)
            }
            Action::ClearLocalRows(_) => at_once,
            Action::CreatePolicy { table, .. } | Action::SetRowSecurity { table, .. } if self.is_new(table) => {
                (Lock::None, Work::None)
            }
            Action::CreatePolicy { .. } | Action::SetRowSecurity { .. } => at_once,
            Action::SetAudit { table, .. } if self.is_new(table) => (Lock::None, Work::None),
            Action::SetAudit { replaces: true, .. } => at_once,
            Action::SetAudit { .. } => (Lock::ShareRowExclusive, Work::None),
            Action::EditAudit { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::Catalog(change) => (self.lock_of(change), Work::None),
            Action::CreateSyncTrigger { .. } | Action::EnableSyncTriggerAlways { .. } => {
                (Lock::ShareRowExclusive, Work::None)
            }
            Action::FillShadowColumns { .. } => (Lock::RowExclusive, Work::Rewrite),
            Action::GuardUnique(_) => (Lock::None, Work::Scan),
            Action::Analyze(_) => (Lock::ShareUpdateExclusive, Work::Scan),
            Action::RenameObject { object: TableObject::Index(_), .. } => (Lock::ShareUpdateExclusive, Work::None),
            Action::RenameTable { .. }
            | Action::MoveTable { .. }
            | Action::RenameColumn { .. }
            | Action::RenameObject { .. }
            | Action::DropObject { .. }
            | Action::DropTable(_)
            | Action::DropDefaults { .. }
            | Action::DisownSequence(_)
            | Action::DropIdentity { .. }
            | Action::DropDefault { .. }
            | Action::DropExpression { .. }
            | Action::DropPolicy { .. }
            | Action::Cutover { .. }
            | Action::DropColumns { .. } => at_once,
            _ => (Lock::None, Work::None),
        }
    }
}

impl AssessCx {
    /// Returns the lock of a trigger or a policy on its table.
    fn lock_of(&self, change: &CatalogChange) -> Lock {
        let (object, is_created) = match change {
            CatalogChange::Create { object, .. } => (object, true),
            CatalogChange::Alter { object, .. } | CatalogChange::Drop { object, .. } => (object, false),
            CatalogChange::Release { .. } => return Lock::AccessExclusive,
        };
        let table = object.owner.as_ref().and_then(Need::table).filter(|table| !self.is_new(table));
        match (object.key.kind.as_str(), table) {
            ("trigger", Some(_)) if is_created => Lock::ShareRowExclusive,
            ("trigger" | "policy" | "rule", Some(_)) => Lock::AccessExclusive,
            _ => Lock::None,
        }
    }
}

/// Returns whether an expression has the same value for a whole statement. Functions are assumed not to.
pub(super) fn is_stable(sql: &str) -> bool {
    fn calls(node: &Node) -> bool {
        match node {
            Node::Call(..) => true,
            Node::Op(_, args) => args.iter().any(calls),
            Node::Cast(inner, _) => calls(inner),
            Node::Name(_) | Node::Text(_) | Node::Number(_) => false,
        }
    }
    canonical(sql) == "current_timestamp" || parse(sql).is_some_and(|node| !calls(&node))
}

/// A constant default needs no rewrite; any other is written into each row.
pub(super) fn added_work(spec: &ColumnSpec) -> Work {
    let expression = match (&spec.fill, &spec.column.default) {
        (Some(sql), _) | (None, Some(ColumnDefault::Expression(sql))) => Some(sql),
        _ => None,
    };
    let is_stable = expression.is_none_or(|sql| is_stable(sql));
    let counts = matches!(spec.column.default, Some(ColumnDefault::Sequence(_)));
    // A domain with a constraint checks its value in each row.
    let is_checked = spec.column.options.domain.is_some();
    if is_stable && !counts && !is_checked && spec.column.identity.is_none() && spec.column.generated.is_none() {
        Work::None
    } else {
        Work::Rewrite
    }
}

pub(super) fn altered_work(alteration: &Alteration) -> Work {
    let Alteration { previous, next, .. } = alteration;
    let not_null =
        if previous.nullable && !next.nullable && !alteration.not_null_later { Work::Scan } else { Work::None };
    if previous.is_recreated(next) {
        return Work::Rewrite;
    }
    match (alteration.retyped, &alteration.using) {
        (true, Some(_)) => Work::Rewrite,
        (true, None) => cast(previous, next).work.max(not_null),
        (false, _) => not_null,
    }
}
