//! Arranges the rows that a relation of a table to itself leads to step by step.

use crate::query::{Include, Recursion, RecursiveRows};
use crate::rows::{Branches, KeyedRows, Keys, Node, paths_of};
use crate::sql::ReadPlan;

/// Returns the rows to which the first step leads from each row of a node.
pub(super) fn first_rows(node: &Node, plan: &ReadPlan<'_>, include: &Include, child: &Node) -> KeyedRows {
    let relation = include.relation;
    let keys = Keys::of(node, &plan.parent_places(relation), relation.key_forms(node.table));
    keys.match_children(child, &places(relation.child_columns))
}

/// Adds the rows that a recursion reached. `first` are those of its first step.
pub(super) fn add(node: &mut Node, include: &Include, mut child: Node, first: KeyedRows) {
    let relation = include.relation;
    let Some(Recursion { rows, depth }) = include.select.recursion else { return };
    let next = Keys::of(&child, &places(relation.parent_columns), relation.key_forms(child.table))
        .match_children(&child, &places(relation.child_columns));
    let rows = match rows {
        RecursiveRows::Path => paths_of(first, &next, depth),
        RecursiveRows::Tree => {
            child.set_branches(Branches::new(next, depth));
            first
        }
    };
    node.add_keyed(include.slot, relation, child, rows);
}

/// The rows that a recursion reaches have all columns, each at its own position.
fn places(columns: &[u16]) -> Vec<usize> {
    columns.iter().copied().map(usize::from).collect()
}
