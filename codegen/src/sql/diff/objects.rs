//! Keys, constraints and indexes of a table that stays.
//!
//! An object with the same definition and another name is renamed. An object with another definition and the same name
//! is replaced. An unchanged object that blocks a change of its columns is dropped and created again.

use std::collections::{BTreeMap, BTreeSet};

use super::renames::{order, temporary};
use super::tables::Touched;
use super::{DiffCx, options};
use crate::ir::ReferentialAction;
use crate::sql::change::{Change, TableObject};
use crate::sql::expression::{Token, tokens};
use crate::sql::normalize::{Origin, same_expression, same_predicate};
use crate::sql::state::{
    Exclusion, ForeignKey, Index, IndexPart, IndexTarget, ObjectName, PrimaryKey, Table, UniqueConstraint,
};

/// A rename of an object: its table, the object, and its new name.
pub(super) type ObjectRename = (ObjectName, TableObject, String);

/// Compares everything except foreign keys.
pub(super) fn diff_objects(
    cx: &DiffCx<'_>,
    old: &Table,
    next: &Table,
    touched: &mut Touched,
    renames: &mut Vec<ObjectRename>,
    changes: &mut Vec<Change>,
) {
    let first = changes.len();
    let matched = match_up(own_objects(old), own_objects(next), |a, b| same_object(cx, a, b));
    for pair in matched {
        match pair {
            Matched::Kept(previous, next_object) => {
                let next_object = with_options(cx, &previous, next_object);
                if has_to_make_way(&next.name, &next_object, touched) {
                    changes.push(Change::ReplaceObject { table: next.name.clone(), previous, next: next_object });
                    continue;
                }
                touched.kept.push((next.name.clone(), renamed(&previous, next_object.name())));
                if previous.name() != next_object.name() {
                    renames.push((next.name.clone(), previous, next_object.name().to_owned()));
                }
            }
            // It becomes part of an index of the partitioned table.
            Matched::Dropped(object) if next.options.attached.iter().any(|name| name == object.name()) => {}
            // An inherited object is added, changed and dropped with that of the parent table.
            Matched::Replaced(object, _) | Matched::Dropped(object) if is_inherited(&object) => {}
            Matched::New(object) if is_inherited(&object) && comes_by_parents(cx, old, &object) => {}
            Matched::Dropped(object)
                if cx.previous_is_database && !cx.next_is_database && is_beyond_the_language(&object) =>
            {
                if has_to_make_way(&next.name, &object, touched) {
                    let previous = object.clone();
                    changes.push(Change::ReplaceObject { table: next.name.clone(), previous, next: object });
                } else {
                    touched.kept.push((next.name.clone(), object));
                }
            }
            Matched::Replaced(previous, object) => {
                let object = with_options(cx, &previous, object);
                changes.push(Change::ReplaceObject { table: next.name.clone(), previous, next: object });
            }
            other => changes.extend(other.into_change(&next.name)),
        }
    }
    for change in &changes[first..] {
        if let Change::DropObject { table, object: dropped } | Change::ReplaceObject { table, previous: dropped, .. } =
            change
            && let Some(columns) = key_columns(dropped)
        {
            touched.keys.insert((table.clone(), columns));
        }
    }
}

fn is_inherited(object: &TableObject) -> bool {
    object.options().is_some_and(|options| options.inherited)
}

/// Returns whether a parent table will have the same object.
fn comes_by_parents(cx: &DiffCx<'_>, old: &Table, object: &TableObject) -> bool {
    let parents = old.options.inherits.iter().filter_map(|parent| cx.next.table(parent));
    parents.flat_map(|parent| &parent.checks).any(|check| check.name == object.name())
}

/// Compares foreign keys, after the changes of their columns and keys are known.
pub(super) fn diff_foreign_keys(
    cx: &DiffCx<'_>,
    old: &Table,
    next: &Table,
    touched: &mut Touched,
    renames: &mut Vec<ObjectRename>,
    changes: &mut Vec<Change>,
) {
    let keys = |table: &Table| table.foreign_keys.iter().cloned().map(TableObject::ForeignKey).collect();
    for pair in match_up(keys(old), keys(next), |a, b| same_object(cx, a, b)) {
        match pair {
            Matched::Kept(previous, TableObject::ForeignKey(key)) if is_touched(&next.name, &key, touched) => {
                let next_object = with_options(cx, &previous, TableObject::ForeignKey(key));
                changes.push(Change::ReplaceObject { table: next.name.clone(), previous, next: next_object });
            }
            Matched::Kept(previous, next_object) => {
                touched.kept.push((next.name.clone(), next_object.clone()));
                if previous.name() != next_object.name() {
                    renames.push((next.name.clone(), previous, next_object.name().to_owned()));
                }
            }
            Matched::Replaced(previous, object) => {
                let object = with_options(cx, &previous, object);
                changes.push(Change::ReplaceObject { table: next.name.clone(), previous, next: object });
            }
            other => changes.extend(other.into_change(&next.name)),
        }
    }
}

/// Returns the object that the schema wants, with the properties of the database that the schema does not mention.
fn with_options(cx: &DiffCx<'_>, previous: &TableObject, mut next: TableObject) -> TableObject {
    if !cx.previous_is_database || cx.next_is_database {
        return next;
    }
    let old = previous.options();
    match (&mut next, old) {
        (TableObject::PrimaryKey(PrimaryKey { columns, options, .. }), Some(old))
        | (TableObject::Unique(UniqueConstraint { columns, options, .. }), Some(old)) => {
            *options = options::merged(cx, old, options);
            options.include.retain(|column| !columns.contains(column));
        }
        (TableObject::ForeignKey(ForeignKey { columns, on_delete, options, .. }), Some(old)) => {
            *options = options::merged(cx, old, options);
            let sets = matches!(on_delete, ReferentialAction::SetNull | ReferentialAction::SetDefault);
            options.delete_columns.retain(|column| sets && columns.contains(column));
        }
        (TableObject::Check(check), Some(old)) => check.options = old.clone(),
        (TableObject::Exclusion(exclusion), _) => {
            if let TableObject::Exclusion(old) = previous {
                options::keep_of_exclusion(cx, old, exclusion);
            }
        }
        (TableObject::Index(index), _) => match previous {
            TableObject::Index(old) => options::keep_of_index(cx, old, index),
            // A constraint with the same effect stays a constraint.
            _ => return renamed(previous, &index.name),
        },
        _ => {}
    }
    next
}

/// Adds the renames in an order in which each new name is free. Names of indexes are unique in their schema, those of
/// other constraints in their table.
pub(super) fn rename_objects(renames: Vec<ObjectRename>, changes: &mut Vec<Change>) {
    let scope = |table: &ObjectName, object: &TableObject| match object {
        TableObject::ForeignKey(_) | TableObject::Check(_) => (table.schema.clone(), Some(table.name.clone())),
        _ => (table.schema.clone(), None),
    };
    let key = |table: &ObjectName, object: &TableObject, name: &str| (scope(table, object), name.to_owned());
    let pairs = renames.iter().map(|(table, object, to)| (key(table, object, object.name()), key(table, object, to)));
    // Drops come first, so only an object that is renamed itself can occupy a name.
    let occupied = renames.iter().map(|(table, object, _)| key(table, object, object.name())).collect();
    let ordered = order(pairs.collect(), occupied, |(scope, name), number| (scope.clone(), temporary(name, number)));
    // Objects that already have another name than in the previous state: their new name, or a temporary one.
    let mut named: BTreeMap<_, (ObjectName, TableObject)> = BTreeMap::new();
    for (table, object, _) in &renames {
        named.entry(key(table, object, object.name())).or_insert_with(|| (table.clone(), object.clone()));
    }
    for (from, to) in ordered {
        let Some((table, object)) = named.get(&from).map(|(table, object)| (table.clone(), renamed(object, &from.1)))
        else {
            continue;
        };
        named.insert(to.clone(), (table.clone(), object.clone()));
        changes.push(Change::RenameObject { table, object, to: to.1 });
    }
}

fn renamed(object: &TableObject, name: &str) -> TableObject {
    let mut object = object.clone();
    let own = match &mut object {
        TableObject::PrimaryKey(key) => &mut key.name,
        TableObject::Unique(unique) => &mut unique.name,
        TableObject::ForeignKey(key) => &mut key.name,
        TableObject::Check(check) => &mut check.name,
        TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => &mut index.name,
    };
    name.clone_into(own);
    object
}

enum Matched {
    /// The same object, possibly with another name.
    Kept(TableObject, TableObject),
    /// A different object with the same name.
    Replaced(TableObject, TableObject),
    New(TableObject),
    Dropped(TableObject),
}

impl Matched {
    fn into_change(self, table: &ObjectName) -> Option<Change> {
        let table = table.clone();
        match self {
            Matched::Kept(..) => None,
            Matched::Replaced(previous, next) => Some(Change::ReplaceObject { table, previous, next }),
            Matched::New(object) => Some(Change::AddObject { table, object }),
            Matched::Dropped(object) => Some(Change::DropObject { table, object }),
        }
    }
}

/// Matches objects by name and definition, then by definition, then by name.
fn match_up(
    mut old: Vec<TableObject>,
    mut next: Vec<TableObject>,
    same: impl Fn(&TableObject, &TableObject) -> bool,
) -> Vec<Matched> {
    let mut matched = Vec::new();
    let same_kind = |a: &TableObject, b: &TableObject| {
        a.name() == b.name() && std::mem::discriminant(a) == std::mem::discriminant(b)
    };
    take_pairs(
        &mut old,
        &mut next,
        |a, b| a.name() == b.name() && same(a, b),
        |a, b| matched.push(Matched::Kept(a, b)),
    );
    take_pairs(&mut old, &mut next, &same, |a, b| matched.push(Matched::Kept(a, b)));
    take_pairs(&mut old, &mut next, same_kind, |a, b| matched.push(Matched::Replaced(a, b)));
    matched.extend(old.into_iter().map(Matched::Dropped));
    matched.extend(next.into_iter().map(Matched::New));
    matched
}

fn take_pairs(
    old: &mut Vec<TableObject>,
    next: &mut Vec<TableObject>,
    is_pair: impl Fn(&TableObject, &TableObject) -> bool,
    mut take: impl FnMut(TableObject, TableObject),
) {
    let mut rest = Vec::new();
    for object in std::mem::take(next) {
        match old.iter().position(|other| is_pair(other, &object)) {
            Some(at) => take(old.remove(at), object),
            None => rest.push(object),
        }
    }
    *next = rest;
}

fn own_objects(table: &Table) -> Vec<TableObject> {
    let primary = table.primary_key.iter().cloned().map(TableObject::PrimaryKey);
    let uniques = table.uniques.iter().cloned().map(TableObject::Unique);
    let checks = table.checks.iter().cloned().map(TableObject::Check);
    let indexes = table.indexes.iter().cloned().map(TableObject::Index);
    let exclusions = table.exclusions.iter().cloned().map(TableObject::Exclusion);
    primary.chain(uniques).chain(indexes).chain(exclusions).chain(checks).collect()
}

fn same_object(cx: &DiffCx<'_>, old: &TableObject, next: &TableObject) -> bool {
    match (old, next) {
        _ if !options::same(cx, old, next) => false,
        (TableObject::PrimaryKey(a), TableObject::PrimaryKey(b)) => a.columns == b.columns,
        (TableObject::Unique(a), TableObject::Unique(b)) => a.columns == b.columns,
        // Prisma's `@unique` is an index. A unique constraint that was created by hand has the same effect.
        (TableObject::Unique(a), TableObject::Index(b)) => {
            cx.previous_is_database
                && !cx.next_is_database
                && b.unique
                && b.is_plain()
                && b.columns().eq(a.columns.iter().map(String::as_str))
                && options::serves_for_index(cx, &a.options, b)
        }
        (TableObject::ForeignKey(a), TableObject::ForeignKey(b)) => {
            a.columns == b.columns
                && a.referenced_table == b.referenced_table
                && a.referenced_columns == b.referenced_columns
                && a.on_delete == b.on_delete
                && a.on_update == b.on_update
        }
        (TableObject::Check(a), TableObject::Check(b)) => same_expression(cx.origin, &a.expression, &b.expression),
        (TableObject::Index(a), TableObject::Index(b)) => same_index(cx, a, b),
        (TableObject::Exclusion(a), TableObject::Exclusion(b)) => {
            same_index(cx, &a.index, &b.index)
                && a.operators.len() == b.operators.len()
                && a.operators.iter().zip(&b.operators).all(|(a, b)| options::same_operator(a, b))
                && options::same_moment(cx, a.deferrable, b.deferrable)
        }
        _ => false,
    }
}

/// Compares two indexes without their names.
fn same_index(cx: &DiffCx<'_>, a: &Index, b: &Index) -> bool {
    a.unique == b.unique
        && a.valid == b.valid
        // What partitions lack can be added, and not taken away.
        && (cx.origin != Origin::Catalogs || a.only || !b.only)
        && a.method == b.method
        && a.parts.len() == b.parts.len()
        && a.parts.iter().zip(&b.parts).all(|(a, b)| same_part(cx, a, b))
        && same_predicate(cx.origin, a.predicate.as_deref(), b.predicate.as_deref())
        && options::same_of_indexes(cx, a, b)
}

fn same_part(cx: &DiffCx<'_>, a: &IndexPart, b: &IndexPart) -> bool {
    let same_target = match (&a.target, &b.target) {
        (IndexTarget::Expression(a), IndexTarget::Expression(b)) => same_expression(cx.origin, a, b),
        (a, b) => a == b,
    };
    let same_class = match cx.origin {
        Origin::Schemas | Origin::Catalogs => {
            a.operator_class == b.operator_class && a.class_options == b.class_options && a.collation == b.collation
        }
        Origin::Printed => same_class(a, b),
    };
    same_target && same_class && a.sort == b.sort && options::same_nulls(cx, a, b)
}

/// Returns whether a database's operator class is that of a schema, which may name the default one or omit it.
pub(super) fn same_class(a: &IndexPart, b: &IndexPart) -> bool {
    let of_either = |default: &IndexPart, named: &IndexPart| {
        default.operator_class.is_none() && default.default_class.as_deref() == class_name(named)
    };
    class_name(a) == class_name(b) || of_either(a, b) || of_either(b, a)
}

/// Returns the operator class without its schema and its parameters, which the catalog stores elsewhere.
fn class_name(part: &IndexPart) -> Option<&str> {
    let name = part.operator_class.as_deref()?.split('(').next().unwrap_or_default().trim();
    Some(name.rsplit('.').next().unwrap_or(name))
}

/// Prisma creates no such objects, so in a database they were probably created by hand.
fn is_beyond_the_language(object: &TableObject) -> bool {
    match object {
        TableObject::Check(_) | TableObject::Exclusion(_) => true,
        TableObject::Index(index) => !index.is_plain() || !index.include.is_empty(),
        TableObject::PrimaryKey(_) | TableObject::Unique(_) | TableObject::ForeignKey(_) => false,
    }
}

/// Returns whether PostgreSQL cannot change the columns while this object exists.
fn has_to_make_way(table: &ObjectName, object: &TableObject, touched: &Touched) -> bool {
    let is_recreated = |column: &str| touched.recreated.contains(&(table.clone(), column.to_owned()));
    if object.columns().any(is_recreated) {
        return true;
    }
    let is_touched = |column: &str| {
        let column = (table.clone(), column.to_owned());
        touched.columns.contains(&column) || touched.recreated.contains(&column)
    };
    let mentions = |sql: &str| {
        tokens(sql).is_none_or(|tokens| {
            tokens.iter().any(|token| matches!(token, Token::Word(name) | Token::Quoted(name) if is_touched(name)))
        })
    };
    if !touched.columns.iter().chain(&touched.recreated).any(|(touched, _)| touched == table) {
        return false;
    }
    match object {
        TableObject::Check(check) => mentions(&check.expression),
        TableObject::Index(index) | TableObject::Exclusion(Exclusion { index, .. }) => {
            index.predicate.as_deref().is_some_and(mentions)
                || index.parts.iter().any(|part| match &part.target {
                    IndexTarget::Expression(sql) => mentions(sql),
                    IndexTarget::Column(name) => part.operator_class.is_some() && is_touched(name),
                })
        }
        _ => false,
    }
}

fn is_touched(table: &ObjectName, key: &ForeignKey, touched: &Touched) -> bool {
    let is_retyped = |table: &ObjectName, columns: &[String]| {
        let is_among = |columns: &BTreeSet<_>, column: &String| columns.contains(&(table.clone(), column.clone()));
        columns.iter().any(|it| is_among(&touched.retyped, it) || is_among(&touched.recreated, it))
    };
    let referenced = (key.referenced_table.clone(), key.referenced_columns.iter().cloned().collect());
    let moves = |table: &ObjectName| touched.placement.moved.contains(table);
    moves(table)
        || moves(&key.referenced_table)
        || is_retyped(table, &key.columns)
        || is_retyped(&key.referenced_table, &key.referenced_columns)
        || touched.keys.contains(&referenced)
        || touched.anew.contains(&key.referenced_table)
}

/// Returns the columns that foreign keys can reference because of it.
fn key_columns(object: &TableObject) -> Option<BTreeSet<String>> {
    match object {
        TableObject::PrimaryKey(key) => Some(key.columns.iter().cloned().collect()),
        TableObject::Unique(unique) => Some(unique.columns.iter().cloned().collect()),
        TableObject::Index(index) if index.unique && index.is_plain() => {
            Some(index.columns().map(str::to_owned).collect())
        }
        _ => None,
    }
}
