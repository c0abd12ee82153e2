//! Columns of a table that stays.

use std::collections::BTreeSet;

use super::DiffCx;
use super::tables::Touched;
use crate::sql::cast::{self, Work, cast};
use crate::sql::change::{Belongings, Change};
use crate::sql::data_type::DataType;
use crate::sql::expression::{Token, tokens};
use crate::sql::normalize::{Origin, below_domain, same_default, same_expression, same_predicate};
use crate::sql::state::{Column, ColumnDefault, ColumnOptions, ObjectName, SequenceOptions, State, Table};

pub(super) fn diff_columns(
    cx: &DiffCx<'_>,
    before: &State,
    old: &Table,
    next: &Table,
    replaced_enums: &BTreeSet<ObjectName>,
    touched: &mut Touched,
    changes: &mut Vec<Change>,
) {
    let is_typed = old.options.is_typed && next.options.is_typed;
    for column in &next.columns {
        let intent = cx.intent.column(&next.name, &column.name);
        let followed = follow_parents(cx, before, old, column, is_typed);
        let Some(previous) = followed.as_ref().or_else(|| old.column(&column.name)) else {
            // It is added by the table that this one inherits from.
            if cx.origin == Origin::Printed && of_parents(cx, old, &column.name).next().is_some() {
                continue;
            }
            changes.push(Change::AddColumn {
                table: next.name.clone(),
                column: column.clone(),
                fill: intent.and_then(|intent| intent.fill.clone()),
            });
            continue;
        };
        let mut column = wanted(cx, previous, column);
        let follows = |parent: &Column| parent.ty.is_same(&column.ty) && parent.array == column.array;
        if previous.options.inherited && of_parents(cx, old, &column.name).any(follows) {
            (column.ty, column.array) = (previous.ty.clone(), previous.array);
            column.collation.clone_from(&previous.collation);
        }
        let column = &column;
        let enum_replaced = matches!(&column.ty, DataType::Enum(name) if replaced_enums.contains(name));
        let retyped = previous.is_retyped(column) || is_based_otherwise(cx, previous, column);
        if retyped || enum_replaced {
            let name = (next.name.clone(), column.name.clone());
            if enum_replaced || cast(previous, column).work == Work::Rewrite {
                touched.retyped.insert(name.clone());
            }
            touched.columns.insert(name);
        }
        if previous.is_recreated(column) {
            touched.recreated.insert((next.name.clone(), column.name.clone()));
        }
        if retyped || enum_replaced || !is_served(cx, previous, column) {
            changes.push(Change::AlterColumn {
                table: next.name.clone(),
                previous: Box::new(previous.clone()),
                next: Box::new(column.clone()),
                using: intent.and_then(|intent| intent.using.clone()).filter(|_| retyped || enum_replaced),
                enum_replaced,
                belongings: Box::new(Belongings { parents: old.options.inherits.clone(), ..Belongings::default() }),
            });
        }
    }
    create_again(cx, old, next, touched, changes);
    find_nulls(old, next, changes);
    // Inherited columns are dropped with those of the parent table.
    let dropped = old.columns.iter().filter(|column| next.column(&column.name).is_none() && !column.options.inherited);
    for column in dropped.filter(|_| !is_typed) {
        drop_column(cx, before, next, column, changes);
    }
}

/// Drops a column, also in the tables that inherit it, unless one of them keeps it as its own. Tables that do not keep it
/// have it for themselves until the next comparison.
fn drop_column(cx: &DiffCx<'_>, before: &State, table: &Table, column: &Column, changes: &mut Vec<Change>) {
    let mut column = column.clone();
    let is_heir = |heir: &&Table| cx.origin == Origin::Catalogs && heir.options.inherits.contains(&table.name);
    let mut heirs = cx.next.tables.iter().filter(is_heir);
    let has = |table: Option<&Table>| table.and_then(|table| table.column(&column.name)).cloned();
    let keeps = |heir: &Table| {
        has(before.table(&heir.name)).is_some() && has(Some(heir)).is_some_and(|kept| !kept.options.inherited)
    };
    column.options.stays_in_heirs = heirs.any(keeps);
    changes.push(Change::DropColumn { table: table.name.clone(), column });
}

/// Lets generated columns be created again if a column of their expression changes its type, which PostgreSQL refuses
/// under them.
fn create_again(cx: &DiffCx<'_>, old: &Table, next: &Table, touched: &mut Touched, changes: &mut Vec<Change>) {
    for previous in &old.columns {
        let (Some(sql), Some(column)) = (&previous.generated, next.column(&previous.name)) else { continue };
        let is_touched = |name: &str| touched.columns.contains(&(next.name.clone(), name.to_owned()));
        let names_touched = tokens(sql).into_iter().flatten().any(|token| match token {
            Token::Word(name) | Token::Quoted(name) => name != previous.name && is_touched(&name),
            _ => false,
        });
        let column = wanted(cx, previous, column);
        if !names_touched || column.generated.is_none() || previous.is_recreated(&column) {
            continue;
        }
        let mut outdated = previous.clone();
        outdated.options.outdated = true;
        touched.recreated.insert((next.name.clone(), column.name.clone()));
        let known = changes.iter_mut().find_map(|change| match change {
            Change::AlterColumn { table, previous, next: to, .. } if *table == next.name && to.name == column.name => {
                Some(previous)
            }
            _ => None,
        });
        match known {
            Some(previous) => **previous = outdated,
            None => changes.push(Change::AlterColumn {
                table: next.name.clone(),
                previous: Box::new(outdated),
                next: Box::new(column),
                using: None,
                enum_replaced: false,
                belongings: Box::default(),
            }),
        }
    }
}

/// Marks required columns that are computed for existing rows, from columns that allow NULL before or afterwards.
fn find_nulls(old: &Table, next: &Table, changes: &mut [Change]) {
    let allows_null = |name: &str| [old, next].iter().any(|it| it.column(name).is_some_and(|it| it.nullable));
    for change in changes {
        let column = match change {
            Change::AddColumn { table, column, .. } if *table == next.name => column,
            Change::AlterColumn { table, previous, next: column, .. }
                if *table == next.name && previous.is_recreated(column) =>
            {
                column
            }
            _ => continue,
        };
        let Some(sql) = column.generated.as_deref().filter(|_| !column.nullable) else { continue };
        column.options.may_be_null = tokens(sql).into_iter().flatten().any(|token| match token {
            Token::Word(name) | Token::Quoted(name) => name != column.name && allows_null(&name),
            _ => false,
        });
    }
}

/// Returns the column after the changes of the parent tables, which PostgreSQL also makes here; `None` if they change
/// nothing.
fn follow_parents(cx: &DiffCx<'_>, before: &State, old: &Table, column: &Column, is_typed: bool) -> Option<Column> {
    if cx.origin == Origin::Catalogs && is_typed {
        // Its columns are those of its type.
        let bare = Column { nullable: true, default: None, ..column.clone() };
        let previous =
            old.column(&column.name).map(|old| Column { ty: bare.ty.clone(), array: bare.array, ..old.clone() });
        return Some(previous.unwrap_or(bare));
    }
    // A partition of another table is detached in the meantime.
    let is_detached = old.options.partition_bound.is_some()
        && cx.next.table(&old.name).is_some_and(|next| next.options.inherits != old.options.inherits);
    if cx.origin != Origin::Catalogs || !column.options.inherited || is_detached {
        return None;
    }
    let pairs = old.options.inherits.iter().filter_map(|parent| {
        let next = cx.next.table(parent)?.column(&column.name)?;
        Some((before.table(parent)?.column(&column.name), next))
    });
    let mut previous = old.column(&column.name).cloned();
    for (of_parent, next) in pairs {
        match (&mut previous, of_parent) {
            (Some(previous), Some(of_parent)) if previous.options.inherited => {
                if of_parent.nullable != next.nullable {
                    previous.nullable = next.nullable;
                }
                if of_parent.default != next.default || of_parent.options.defaults_otherwise(&next.options) {
                    previous.default.clone_from(&next.default);
                    previous.options.default_text.clone_from(&next.options.default_text);
                }
            }
            // It is added here, too, and the parent's identity is not.
            (None, None) => {
                let default_text = next.options.default_text.clone();
                let options = ColumnOptions { default_text, ..column.options.clone() };
                previous = Some(Column { options, identity: None, ..next.clone() });
            }
            _ => {}
        }
    }
    previous
}

/// Returns the new column of that name in the parent tables.
fn of_parents<'c>(cx: &DiffCx<'c>, old: &Table, name: &str) -> impl Iterator<Item = &'c Column> {
    let next = cx.next;
    old.options.inherits.iter().filter_map(move |parent| next.table(parent)?.column(name))
}

/// Returns the column that the schema wants, with everything that the schema leaves to the database.
fn wanted(cx: &DiffCx<'_>, previous: &Column, column: &Column) -> Column {
    let mut column = column.clone();
    if cx.origin == Origin::Printed {
        keep_domain(cx, previous, &mut column);
    }
    let is_said = column.generated.is_some();
    if same_predicate(cx.origin, previous.generated.as_deref(), column.generated.as_deref()) {
        column.generated.clone_from(&previous.generated);
    }
    if cx.origin == Origin::Catalogs {
        return column;
    }
    if column.default == Some(ColumnDefault::Unmanaged) {
        column.default = previous.default.clone();
        column.identity = previous.identity;
        if column.generated.is_none() {
            column.generated.clone_from(&previous.generated);
        }
    }
    // A database may have a default that the schema leaves to it.
    if cx.next_is_database && previous.default == Some(ColumnDefault::Unmanaged) {
        column.default = previous.default.clone();
        column.identity = previous.identity;
        column.generated.clone_from(&previous.generated);
    }
    let counts = |column: &Column| matches!(column.default, Some(ColumnDefault::Sequence(_)));
    if counts(&column) && previous.identity.is_some() && previous.default.is_none() && cx.origin == Origin::Printed {
        (column.default, column.identity) = (None, previous.identity);
    }
    // The database may give the column's own sequence any name.
    if counts(&column) && counts(previous) && cx.origin == Origin::Printed {
        column.default = previous.default.clone();
    }
    // Prisma writes the expression of a generated column as a default.
    if let (Some(ColumnDefault::Expression(sql)), Some(generated)) = (&column.default, &previous.generated)
        && same_expression(cx.origin, sql, generated)
    {
        column.generated.clone_from(&previous.generated);
        column.default = None;
    }
    // The client never writes columns of unknown types, so generated ones do no harm.
    if cx.previous_is_database && matches!(column.ty, DataType::Other(_)) && column.default.is_none() {
        column.generated = column.generated.or_else(|| previous.generated.clone());
    }
    let is_left_to_database = !cx.is_complete || matches!(column.ty, DataType::Other(_));
    // A collation that was set by hand stays, as long as the values are text.
    if column.collation.is_none() && cx.origin == Origin::Printed && is_left_to_database {
        column.collation = previous.collation.clone().filter(|_| cast::has_collation(&column));
    }
    if !cx.next_is_database {
        let is_virtual = if is_said { column.options.is_virtual } else { previous.options.is_virtual };
        // A schema without options leaves those of the database alone.
        let is_said = column.identity.is_some()
            && (cx.origin == Origin::Schemas || cx.is_complete || column.options.counts != SequenceOptions::default());
        let counts = if is_said { &column.options.counts } else { &previous.options.counts }.clone();
        let domain = column.options.domain.take();
        column.options = ColumnOptions { is_virtual, counts, domain, ..previous.options.clone() };
    }
    // Comments are compared apart.
    column.options.comment.clone_from(&previous.options.comment);
    // The schema cannot express whether a list is nullable.
    if column.array && previous.array {
        column.nullable = previous.nullable;
    }
    column
}

/// Returns whether a schema that is completed names another type below the domain of the database.
fn is_based_otherwise(cx: &DiffCx<'_>, previous: &Column, column: &Column) -> bool {
    let has_domain = |column: &Column| column.options.domain.is_some();
    cx.is_complete && has_domain(previous) && has_domain(column) && !previous.ty.is_same(&column.ty)
}

/// A column that has a domain in the database keeps it if the schema names the type below it, and so does one that the
/// schema calls `Unsupported` by the name of the domain.
fn keep_domain(cx: &DiffCx<'_>, previous: &Column, column: &mut Column) {
    let (database, schema) = if cx.next_is_database { (&*column, previous) } else { (previous, &*column) };
    if database.options.domain.is_none() || database.array != schema.array {
        return;
    }
    let is_unsaid = schema.options.domain.is_none();
    let is_left = is_unsaid && schema.ty.is_same(&database.ty) && !cx.is_complete;
    let is_named = schema.named_type().is_same(&database.named_type());
    // A schema that is completed also says what the domain is based on.
    let is_right = is_unsaid || !cx.is_complete || schema.ty.is_same(&database.ty);
    if is_left || is_named && is_right {
        if let (Some(ColumnDefault::Expression(sql)), Some(domain)) = (&schema.default, &database.options.domain) {
            let said = ColumnDefault::parse(&below_domain(sql, domain, &database.ty), &database.ty, database.array);
            if said == database.default {
                column.default.clone_from(&previous.default);
            }
        }
        column.ty = previous.ty.clone();
        column.options.domain.clone_from(&previous.options.domain);
    }
}

pub(super) fn is_served(cx: &DiffCx<'_>, previous: &Column, next: &Column) -> bool {
    let same_options = || {
        let counts_alike = next.identity.is_none() || previous.options.counts == next.options.counts;
        counts_alike
            && previous.options.is_virtual == next.options.is_virtual
            && !previous.options.defaults_otherwise(&next.options)
    };
    previous.nullable == next.nullable
        && same_default(cx.origin, previous, next)
        && previous.identity == next.identity
        && same_predicate(cx.origin, previous.generated.as_deref(), next.generated.as_deref())
        && (cx.next_is_database && cx.origin != Origin::Catalogs || same_options())
}
