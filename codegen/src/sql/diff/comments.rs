//! Comments on tables, columns and enums.
//!
//! Two schemas are compared in all comments. Between a database and a schema, a table or a field without a `///` comment
//! leaves the comment to the database. Between two databases, comments are objects of the catalog.

use super::DiffCx;
use crate::sql::change::{Change, Commented};
use crate::sql::normalize::{Origin, normal_comment};
use crate::sql::state::State;

pub(super) fn diff_comments(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    if cx.origin == Origin::Catalogs {
        return;
    }
    let mut found = Vec::new();
    for ty in &cx.next.enums {
        let on = || Commented::Enum(ty.name.clone());
        let is_replaced = |change: &Change| matches!(change, Change::ReplaceEnum { next, .. } if next.name == ty.name);
        let old = previous.enum_type(&ty.name).and_then(|old| old.comment.as_ref());
        found.extend(comment(cx, on, old, ty.comment.as_ref(), changes.iter().any(is_replaced)));
    }
    for table in &cx.next.tables {
        let old_table = previous.table(&table.name);
        let old = old_table.and_then(|old| old.options.comment.as_ref());
        let on = || Commented::Table(table.name.clone());
        found.extend(comment(cx, on, old, table.options.comment.as_ref(), false));
        for column in &table.columns {
            let old = old_table.and_then(|old| old.column(&column.name));
            let old = old.and_then(|old| old.options.comment.as_ref());
            let on = || Commented::Column(table.name.clone(), column.name.clone());
            // What belongs to a database is restored together with its other comments.
            let is_lost = |change: &Change| {
                matches!(change, Change::AlterColumn { table: name, previous, next, .. }
                    if !cx.previous_is_database && *name == table.name && next.name == column.name
                        && previous.is_recreated(next))
            };
            let is_lost = old.is_some() && changes.iter().any(is_lost);
            found.extend(comment(cx, on, old, column.options.comment.as_ref(), is_lost));
        }
    }
    changes.extend(found);
}

/// Returns the change of one comment. `is_lost`: PostgreSQL drops the comment with what it is on, which comes back.
fn comment(
    cx: &DiffCx<'_>,
    on: impl Fn() -> Commented,
    old: Option<&String>,
    next: Option<&String>,
    is_lost: bool,
) -> Option<Change> {
    let (wanted, is_compared) = match cx.origin {
        Origin::Schemas | Origin::Catalogs => (next, true),
        Origin::Printed if cx.ignores_comments => (old, false),
        Origin::Printed if cx.is_complete => (next, true),
        Origin::Printed if cx.next_is_database => (next, old.is_some()),
        Origin::Printed => (next.or(old), true),
    };
    let same = match (old, wanted) {
        (Some(old), Some(wanted)) => normal_comment(old) == normal_comment(wanted),
        (old, wanted) => old == wanted,
    };
    let comes_back = is_lost && wanted.is_some();
    let change = || Change::SetComment { on: on(), previous: old.cloned(), next: wanted.cloned() };
    (is_compared && !same || comes_back).then(change)
}
