//! Columns of a table that stays.

use std::collections::BTreeSet;

use super::DiffCx;
use super::tables::Touched;
use crate::sql::change::Change;
use crate::sql::data_type::DataType;
use crate::sql::normalize::{Origin, same_default, same_predicate};
use crate::sql::plan::cast::{self, Work, cast};
use crate::sql::state::{Column, ColumnDefault, ObjectName, Table};

pub(super) fn diff_columns(
    cx: &DiffCx<'_>,
    old: &Table,
    next: &Table,
    replaced_enums: &BTreeSet<ObjectName>,
    touched: &mut Touched,
    changes: &mut Vec<Change>,
) {
    for column in &next.columns {
        let intent = cx.intent.column(&next.name, &column.name);
        let Some(previous) = old.column(&column.name) else {
            changes.push(Change::AddColumn {
                table: next.name.clone(),
                column: column.clone(),
                fill: intent.and_then(|intent| intent.fill.clone()),
            });
            continue;
        };
        let column = &wanted(cx, previous, column);
        let enum_replaced = matches!(&column.ty, DataType::Enum(name) if replaced_enums.contains(name));
        let retyped = previous.is_retyped(column);
        if retyped || enum_replaced {
            let name = (next.name.clone(), column.name.clone());
            if enum_replaced || cast(previous, column).work == Work::Rewrite {
                touched.retyped.insert(name.clone());
            }
            touched.columns.insert(name);
        }
        if retyped || enum_replaced || !is_served(cx, previous, column) {
            changes.push(Change::AlterColumn {
                table: next.name.clone(),
                previous: Box::new(previous.clone()),
                next: Box::new(column.clone()),
                using: intent.and_then(|intent| intent.using.clone()).filter(|_| retyped || enum_replaced),
                enum_replaced,
                belongings: Box::default(),
            });
        }
    }
    let gone = old.columns.iter().filter(|column| next.column(&column.name).is_none());
    changes.extend(gone.cloned().map(|column| Change::DropColumn { table: next.name.clone(), column }));
}

/// The column as the schema wants it, with what the schema leaves to the database.
fn wanted(cx: &DiffCx<'_>, previous: &Column, column: &Column) -> Column {
    let mut column = column.clone();
    if column.default == Some(ColumnDefault::Unmanaged) {
        column.default = previous.default.clone();
        column.identity = previous.identity;
    }
    // A database has a default where the schema says that it is not its business.
    if cx.next_is_database && previous.default == Some(ColumnDefault::Unmanaged) {
        column.default = previous.default.clone();
        column.identity = previous.identity;
        column.generated.clone_from(&previous.generated);
    }
    let counts = |column: &Column| matches!(column.default, Some(ColumnDefault::Sequence(_)));
    if counts(&column) && previous.identity.is_some() && previous.default.is_none() {
        (column.default, column.identity) = (None, previous.identity);
    }
    // A database's own sequence may be called as it likes.
    if counts(&column) && counts(previous) && cx.origin == Origin::Printed {
        column.default = previous.default.clone();
    }
    if cx.previous_is_database && column.generated.is_none() && previous.generated.is_some() {
        column.generated = previous.generated.clone();
        column.default = previous.default.clone();
    }
    // No schema speaks of collations; one that somebody chose stays, as long as the values are text.
    if !(cx.previous_is_database && cx.next_is_database) {
        column.collation = previous.collation.clone().filter(|_| cast::has_collation(&column));
    }
    // Whether a list takes NULL is more than the schema can say.
    if column.array && previous.array {
        column.nullable = previous.nullable;
    }
    column
}

fn is_served(cx: &DiffCx<'_>, previous: &Column, next: &Column) -> bool {
    previous.nullable == next.nullable
        && same_default(cx.origin, previous, next)
        && previous.identity == next.identity
        && same_predicate(cx.origin, previous.generated.as_deref(), next.generated.as_deref())
}
