//! Deletions. In a table of a model with `@softDelete`, they mark rows, and the rows of other tables that are deleted
//! with them, in the same transaction.

use futures_util::future::{BoxFuture, FutureExt};

use crate::connection::Session;
use crate::error::Result;
use crate::meta::{Lifted, Relation, Table};
use crate::query::{Condition, Removal};
use crate::rows::{Keys, Node};
use crate::sql::{self, Context, Statement};

/// Returns whether a deletion also marks rows of other tables, which takes more than one statement.
pub(super) fn cascades(table: &'static Table, removal: Removal) -> bool {
    removal == Removal::AsDeclared && table.soft_delete.is_some() && table.cascades().next().is_some()
}

/// Returns the statement that deletes all rows that match a condition. They are returned with all columns, or not at
/// all.
pub(super) fn statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    removal: Removal,
    returning: bool,
) -> Statement {
    match removal.marks(table) {
        Some(sets) => sql::update_statement(context, table, condition, &sets, returning),
        None => sql::delete_statement(context, table, condition, returning),
    }
}

/// Returns the statement that deletes rows that match a condition, at most so many.
pub(super) fn many_statement(
    context: Context<'_>,
    table: &'static Table,
    condition: &Condition,
    limit: Option<u64>,
    removal: Removal,
) -> Statement {
    match removal.marks(table) {
        Some(sets) => sql::update_many_statement(context, table, condition, &sets, limit, false),
        None => sql::delete_many_statement(context, table, condition, limit),
    }
}

/// Deletes the rows of a table that match a condition, as its model declares. Returns their number.
pub(super) async fn delete(session: Session<'_>, table: &'static Table, condition: &Condition) -> Result<u64> {
    if cascades(table, Removal::AsDeclared) {
        return Ok(mark(session, table, condition.clone(), None).await?.len() as u64);
    }
    let statement = statement(session.unshaped(), table, condition, Removal::AsDeclared, false);
    session.execute(statement, table).await
}

/// Marks rows that match a condition, at most so many, and those that are deleted with them. Returns the former.
pub(super) async fn mark(
    session: Session<'_>,
    table: &'static Table,
    condition: Condition,
    limit: Option<u64>,
) -> Result<Node> {
    let sets = Removal::AsDeclared.marks(table).unwrap_or_default();
    let statement = sql::update_many_statement(session.unshaped(), table, &condition, &sets, limit, true);
    let node = Node::new(table, session.query(statement, table).await?);
    mark_children(session, &node).await?;
    Ok(node)
}

/// Marks the rows that are deleted with the rows of a node, and those that are deleted with these. It ends, because each
/// statement marks only rows that are not marked yet.
fn mark_children<'a>(session: Session<'a>, node: &'a Node) -> BoxFuture<'a, Result<()>> {
    async move {
        for relation in node.table.cascades() {
            let Some(condition) = children_of(node, relation) else { continue };
            let condition = condition.lifting(|lifted| *lifted = Lifted::ALL_BUT_DELETED);
            if cascades(relation.child, Removal::AsDeclared) {
                mark(session, relation.child, condition, None).await?;
            } else {
                delete(session, relation.child, &condition).await?;
            }
        }
        Ok(())
    }
    .boxed()
}

/// Returns the condition that the children of all rows match; `None` if there are no rows.
fn children_of(node: &Node, relation: &Relation) -> Option<Condition> {
    let places: Vec<usize> = relation.parent_columns.iter().map(|column| usize::from(*column)).collect();
    let mut keys = Keys::of(node, &places, Vec::new());
    let lists = std::mem::take(&mut keys.lists);
    (keys.len() > 0).then(|| Condition::has_one_of(relation.child, relation.child_columns, lists))
}
