//! The differences in where Citus keeps the rows of tables, and the tables that it has to give back before they can
//! change.

use std::collections::{BTreeMap, BTreeSet};

use super::DiffCx;
use crate::sql::change::Change;
use crate::sql::expression::{Node, canonical, parse};
use crate::sql::state::{Column, ColumnDefault, Distribution, ObjectName, State, Table};

/// Where the rows of all tables go.
#[derive(Debug, Default)]
pub(super) struct Placement {
    /// Tables that exist and whose rows are copied.
    pub(super) moved: BTreeSet<ObjectName>,
    /// By group of the next state: the table that the others follow.
    anchors: BTreeMap<String, ObjectName>,
}

impl Placement {
    /// Finds the tables that move. `changes` has those of the columns.
    pub(super) fn of(cx: &DiffCx<'_>, previous: &State, changes: &[Change]) -> Self {
        let mut placement = Self::default();
        for next in &cx.next.tables {
            let Some(old) = previous.table(&next.name) else { continue };
            let differs = match (&old.distribution, wanted(cx, old, next)) {
                (Distribution::By { column, .. }, Distribution::By { column: other, .. }) => column != other,
                (old, next) => old != next,
            };
            if differs || (old.distribution.is_placed() && changes.iter().any(|change| is_refused(change, old))) {
                placement.moved.insert(next.name.clone());
            }
        }
        placement.follow(cx, previous);
        placement
    }

    /// Chooses the table that the others of its group follow: one that stays, or else the first one. Those that stay
    /// elsewhere move to it.
    fn follow(&mut self, cx: &DiffCx<'_>, previous: &State) {
        let old_group = |name: &ObjectName| match &previous.table(name)?.distribution {
            Distribution::By { group, .. } => Some(group),
            _ => None,
        };
        let groups = |cx: &DiffCx<'_>| {
            let mut groups: BTreeMap<String, Vec<ObjectName>> = BTreeMap::new();
            for next in cx.next.tables.iter().filter(|_| !cx.ignores_distribution) {
                if let Distribution::By { group, .. } = &next.distribution {
                    groups.entry(group.clone()).or_default().push(next.name.clone());
                }
            }
            groups
        };
        for (group, tables) in groups(cx) {
            let stays = |name: &&ObjectName| old_group(name).is_some() && !self.moved.contains(*name);
            let Some(anchor) = tables.iter().find(stays).or(tables.first()) else { continue };
            let of_anchor = old_group(anchor);
            let elsewhere = |name: &&ObjectName| old_group(name).is_some() && old_group(name) != of_anchor;
            let moved: Vec<ObjectName> = tables.iter().filter(elsewhere).cloned().collect();
            self.anchors.insert(group, anchor.clone());
            self.moved.extend(moved);
        }
    }

    /// Adds the changes, and the tables whose rows Citus has before them.
    pub(super) fn diff(&self, cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
        for next in &cx.next.tables {
            let old = previous.table(&next.name);
            let before = old.map_or(Distribution::Local, |old| old.distribution.clone());
            let after = old.map_or_else(|| cx.of_new_table(next), |old| wanted(cx, old, next).clone());
            let is_moved = self.moved.contains(&next.name);
            let follows = match &after {
                Distribution::By { group, .. } => {
                    self.anchors.get(group).filter(|anchor| **anchor != next.name).cloned()
                }
                _ => None,
            };
            if is_moved || (old.is_none() && after.is_placed()) {
                let table = next.name.clone();
                let (previous, next) = (before, after);
                changes.push(Change::Distribute { table, previous, next, follows, has_rows: old.is_some() });
            }
        }
        let placed = previous.tables.iter().filter(|table| table.distribution.is_placed());
        let placed: BTreeSet<ObjectName> = placed.map(|table| table.name.clone()).collect();
        if !placed.is_empty() && !changes.is_empty() {
            changes.push(Change::OnCitus(placed));
        }
    }
}

impl DiffCx<'_> {
    fn of_new_table(&self, next: &Table) -> Distribution {
        if self.ignores_distribution { Distribution::Local } else { next.distribution.clone() }
    }
}

/// Returns where the rows of a table that stays shall be. A schema that is not for Citus leaves them where they are.
fn wanted<'t>(cx: &DiffCx<'_>, old: &'t Table, next: &'t Table) -> &'t Distribution {
    if cx.ignores_distribution { &old.distribution } else { &next.distribution }
}

/// Returns whether Citus refuses a change of a table whose rows it has: of the column that selects the server, of an
/// identity or a sequence, and of values that differ from row to row.
fn is_refused(change: &Change, old: &Table) -> bool {
    let selects = |name: &str| matches!(&old.distribution, Distribution::By { column, .. } if column == name);
    let counts =
        |column: &Column| column.identity.is_some() || matches!(column.default, Some(ColumnDefault::Sequence(_)));
    match change {
        Change::AddColumn { table, column, .. } => *table == old.name && counts(column),
        Change::DropColumn { table, column } => *table == old.name && selects(&column.name),
        Change::AlterColumn { table, previous, next, .. } if *table == old.name => {
            let is_filled = previous.nullable && !next.nullable;
            (selects(&next.name) && previous.is_retyped(next))
                || previous.identity != next.identity
                || (counts(next) && !counts(previous))
                || (previous.generated.is_some() && next.generated.is_none())
                || (is_filled && next.default.as_ref().is_some_and(is_volatile))
        }
        _ => false,
    }
}

/// Returns whether the default may differ from row to row. Functions are assumed to be volatile.
fn is_volatile(default: &ColumnDefault) -> bool {
    fn calls(node: &Node) -> bool {
        match node {
            Node::Call(..) => true,
            Node::Op(_, args) => args.iter().any(calls),
            Node::Cast(inner, _) => calls(inner),
            Node::Name(_) | Node::Text(_) | Node::Number(_) => false,
        }
    }
    match default {
        ColumnDefault::Expression(sql) => {
            canonical(sql) != "current_timestamp" && parse(sql).is_none_or(|node| calls(&node))
        }
        ColumnDefault::Sequence(_) => true,
        ColumnDefault::Literal(_) | ColumnDefault::List(_) | ColumnDefault::Unmanaged => false,
    }
}
