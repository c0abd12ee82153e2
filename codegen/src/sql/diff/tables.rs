//! Created, dropped and kept tables, and the order in which the parts of a table are compared.

use std::collections::{BTreeMap, BTreeSet};

use super::DiffCx;
use super::citus::Placement;
use super::columns::{diff_columns, is_served};
use super::objects::{diff_objects, rename_objects};
use crate::sql::change::{Change, TableObject};
use crate::sql::expression::{Token, tokens};
use crate::sql::normalize::Origin;
use crate::sql::state::{Column, ColumnOptions, Exclusion, ObjectName, Sequence, State, Table};

pub(super) fn diff_tables(
    cx: &DiffCx<'_>,
    previous: &State,
    replaced_enums: &BTreeSet<ObjectName>,
    changes: &mut Vec<Change>,
) {
    let old_tables: BTreeMap<_, _> = previous.tables.iter().map(|table| (&table.name, table)).collect();
    let new_names: BTreeSet<_> = cx.next.tables.iter().map(|table| &table.name).collect();

    let anew = made_anew(cx, previous);
    let mut touched = Touched { anew, ..Touched::default() };
    let anew = touched.anew.clone();
    let mut kept = Vec::new();
    for next in &cx.next.tables {
        match old_tables.get(&next.name) {
            None => create_table(cx, next, changes),
            Some(old) => {
                if anew.contains(&next.name) {
                    create_table(cx, next, changes);
                    continue;
                }
                let options = super::options::of_table(cx, &old.options, &next.options);
                if !old.options.serves_for(&options) {
                    changes.push(Change::AlterTable {
                        table: next.name.clone(),
                        previous: old.options.clone(),
                        next: options,
                        after: logged_before(previous, old),
                    });
                }
                diff_columns(cx, previous, old, next, replaced_enums, &mut touched, changes);
                kept.push((*old, next));
            }
        }
    }
    touched.placement = Placement::of(cx, previous, changes);
    let dropped = previous.tables.iter().filter(|table| !new_names.contains(&table.name) || anew.contains(&table.name));
    changes.extend(dropped.cloned().map(Change::DropTable));

    // Keys come first: a foreign key must be dropped before the key that it references.
    let mut renames = Vec::new();
    for (old, next) in &kept {
        diff_objects(cx, old, next, &mut touched, &mut renames, changes);
    }
    for (old, next) in &kept {
        super::objects::diff_foreign_keys(cx, old, next, &mut touched, &mut renames, changes);
    }
    rename_objects(renames, changes);
    super::row_security::diff_row_security(cx, previous, &touched, changes);
    touched.placement.diff(cx, previous, changes);
    drop_with_indexes(cx, previous, changes);
    order_partitioned(cx, changes);
    add_partitioned(&kept, changes);
    add_belongings(previous, &kept, &touched, changes);
}

/// Returns the tables that have to change first, if they too begin or cease to be logged: a logged table never references
/// an unlogged one.
fn logged_before(previous: &State, table: &Table) -> Vec<ObjectName> {
    let names: Vec<&ObjectName> = match table.options.unlogged {
        true => table.foreign_keys.iter().map(|key| &key.referenced_table).collect(),
        false => {
            let references = |other: &&Table| other.foreign_keys.iter().any(|key| key.referenced_table == table.name);
            previous.tables.iter().filter(references).map(|other| &other.name).collect()
        }
    };
    names.into_iter().filter(|name| **name != table.name).cloned().collect()
}

/// Lets the keys that partitions have on their parts of a dropped index go with it. If one of them stays, PostgreSQL has to
/// refuse that.
fn drop_with_indexes(cx: &DiffCx<'_>, previous: &State, changes: &mut Vec<Change>) {
    let mut dropped: Vec<(ObjectName, BTreeSet<String>)> = Vec::new();
    for change in changes.iter_mut() {
        let (Change::DropObject { table, object } | Change::ReplaceObject { table, previous: object, .. }) = change
        else {
            continue;
        };
        let TableObject::Index(index) = object else { continue };
        let columns: BTreeSet<String> = index.columns().map(str::to_owned).collect();
        let is_part = |part: &&Table| part.options.inherits.contains(table) && part.options.partition_bound.is_some();
        let mut parts = cx.next.tables.iter().filter(is_part);
        index.has_keys &= !parts.any(|part| own_keys(part).any(|(_, key)| key == columns));
        if index.has_keys {
            dropped.push((table.clone(), columns));
        }
    }
    let goes_along = |change: &Change| {
        let Change::DropObject { table, object } = change else { return false };
        previous.table(table).is_some_and(|part| {
            let key = own_keys(part).find(|(name, _)| *name == object.name());
            key.is_some_and(|(_, key)| {
                dropped.iter().any(|(whole, columns)| part.options.inherits.contains(whole) && *columns == key)
            })
        })
    };
    changes.retain(|change| !goes_along(change));
}

/// Returns the names and columns of the keys of a partition that it does not have from its table, and that serve for an index
/// of the table.
fn own_keys(part: &Table) -> impl Iterator<Item = (&str, BTreeSet<String>)> {
    let set = |columns: &[String]| columns.iter().cloned().collect::<BTreeSet<String>>();
    let primary = part.primary_key.iter().map(move |key| (key.name.as_str(), set(&key.columns)));
    let uniques = part.uniques.iter().map(move |key| (key.name.as_str(), set(&key.columns)));
    primary.chain(uniques).filter(|(name, _)| part.options.attached.iter().any(|other| other == name))
}

/// Puts the indexes of partitioned tables after the keys of their partitions, which PostgreSQL uses for them, and before the
/// other indexes of their partitions, which it would use, too.
fn order_partitioned(cx: &DiffCx<'_>, changes: &mut Vec<Change>) {
    let depth = |change: &Change| match change {
        Change::AddObject { table, object: TableObject::Index(_) } => {
            let options = &cx.next.table(table)?.options;
            match (options.partition_by.is_some(), options.partition_bound.is_some()) {
                (false, false) => None,
                (is_whole, is_part) => Some(u8::from(is_part) + u8::from(!is_whole)),
            }
        }
        _ => None,
    };
    let mut late: Vec<Change> = changes.extract_if(.., |change| depth(change).is_some()).collect();
    late.sort_by_key(depth);
    changes.extend(late);
}

/// Adds the tables that are partitioned before the changes: an online migration changes them in another way.
fn add_partitioned(kept: &[(&Table, &Table)], changes: &mut Vec<Change>) {
    let partitioned = kept.iter().filter(|(old, _)| old.options.partition_by.is_some());
    let partitioned: BTreeSet<ObjectName> = partitioned.map(|(old, _)| old.name.clone()).collect();
    if !partitioned.is_empty() && !changes.is_empty() {
        changes.push(Change::OnPartitions(partitioned));
    }
}

/// Returns the tables that cannot become what they shall be: how a table is partitioned cannot change. Their partitions
/// are dropped with them.
pub(super) fn made_anew(cx: &DiffCx<'_>, previous: &State) -> BTreeSet<ObjectName> {
    let mut found = BTreeSet::new();
    if cx.origin != Origin::Catalogs {
        return found;
    }
    let differs =
        |old: &&Table| cx.next.table(&old.name).is_some_and(|next| !next.options.is_partitioned_like(&old.options));
    found.extend(previous.tables.iter().filter(differs).map(|table| table.name.clone()));
    loop {
        let is_part = |table: &&Table| {
            table.options.partition_bound.is_some()
                && table.options.inherits.iter().any(|parent| found.contains(parent))
        };
        let parts: Vec<_> = previous.tables.iter().filter(is_part).map(|table| table.name.clone()).collect();
        let before = found.len();
        found.extend(parts);
        if found.len() == before {
            return found;
        }
    }
}

/// Adds, to each column whose type changes, the objects that depend on it and stay.
fn add_belongings(previous: &State, kept: &[(&Table, &Table)], touched: &Touched, changes: &mut [Change]) {
    let renamed = renamed_sequences(changes);
    for change in changes {
        let Change::AlterColumn { table, previous: old, next, belongings, .. } = change else { continue };
        let becomes_required = old.nullable && !next.nullable;
        if !becomes_required && !touched.columns.contains(&(table.clone(), next.name.clone())) {
            continue;
        }
        let on_table = touched.kept.iter().filter(|(name, _)| name == table).map(|(_, object)| object);
        for object in on_table {
            match object {
                TableObject::ForeignKey(key) if key.columns.contains(&next.name) => &mut belongings.constraints,
                TableObject::ForeignKey(_) => continue,
                TableObject::Check(_) => &mut belongings.constraints,
                TableObject::Exclusion(exclusion) => {
                    let columns = columns_of(exclusion);
                    if columns.contains(&next.name) {
                        belongings.exclusions.push((format!("{} on {table}", object.name()), columns));
                    }
                    continue;
                }
                object if object.columns().any(|column| column == next.name) => &mut belongings.objects,
                _ => continue,
            }
            .push(object.clone());
        }
        let is_owned = |sequence: &&Sequence| {
            sequence.owned_by.as_ref().is_some_and(|(owner, column)| owner == table && *column == next.name)
        };
        let name = |sequence: &Sequence| renamed.get(&sequence.name).unwrap_or(&sequence.name).clone();
        belongings.sequences = previous.sequences.iter().filter(is_owned).map(name).collect();
        let ends = kept.iter().filter(|(_, next)| next.name == *table);
        let columns = ends.flat_map(|(old, next)| old.columns.iter().chain(&next.columns));
        belongings.columns = columns.map(|column| column.name.clone()).collect();
    }
}

/// Returns the columns of an exclusion constraint, also those in its expressions.
fn columns_of(exclusion: &Exclusion) -> Vec<String> {
    let words = exclusion.index.expressions().flat_map(|sql| tokens(sql).into_iter().flatten());
    let words = words.filter_map(|token| match token {
        Token::Word(name) | Token::Quoted(name) => Some(name),
        _ => None,
    });
    exclusion.index.columns().map(str::to_owned).chain(words).collect()
}

/// Returns the new names of sequences by their old names.
fn renamed_sequences(changes: &[Change]) -> BTreeMap<ObjectName, ObjectName> {
    let mut names: BTreeMap<ObjectName, ObjectName> = BTreeMap::new();
    // By temporary name, the original name.
    let mut before: BTreeMap<&ObjectName, ObjectName> = BTreeMap::new();
    for change in changes {
        let Change::RenameSequence { from, to } = change else { continue };
        let first = before.remove(from).unwrap_or_else(|| from.clone());
        names.insert(first.clone(), to.clone());
        before.insert(to, first);
    }
    names
}

/// Objects that have to be created again because kept tables change.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Columns whose type changes, so that expressions over them have to be created again.
    pub(super) columns: BTreeSet<(ObjectName, String)>,
    /// Columns whose type changes in more than its length, which foreign keys do not survive.
    pub(super) retyped: BTreeSet<(ObjectName, String)>,
    /// Columns that are dropped and created again. All objects that depend on them are, too.
    pub(super) recreated: BTreeSet<(ObjectName, String)>,
    /// Sets of columns that lose the key or unique index on them.
    pub(super) keys: BTreeSet<(ObjectName, BTreeSet<String>)>,
    /// Tables that Citus moves. A foreign key would prevent it.
    pub(super) placement: Placement,
    /// Tables that are dropped and created again.
    pub(super) anew: BTreeSet<ObjectName>,
    /// Keys and indexes that stay, under their new names.
    pub(super) kept: Vec<(ObjectName, TableObject)>,
}

fn create_table(cx: &DiffCx<'_>, next: &Table, changes: &mut Vec<Change>) {
    let mut table = next.clone();
    let apart = inherit(cx, &mut table);
    // PostgreSQL considers every check of a new table valid.
    let (late, checks): (Vec<_>, Vec<_>) = table.checks.into_iter().partition(|check| check.options.not_valid);
    table.checks = checks;
    changes.push(Change::CreateTable(table));
    changes.extend(apart);
    let add = |object| Change::AddObject { table: next.name.clone(), object };
    changes.extend(late.into_iter().map(TableObject::Check).map(add));
    changes.extend(next.indexes.iter().cloned().map(TableObject::Index).map(add));
    changes.extend(next.foreign_keys.iter().cloned().map(TableObject::ForeignKey).map(add));
}

/// Removes from a new table everything that it inherits. Returns the changes for columns that differ from those of the
/// parents.
fn inherit(cx: &DiffCx<'_>, table: &mut Table) -> Vec<Change> {
    let parents: Vec<&Table> = table.options.inherits.iter().filter_map(|parent| cx.next.table(parent)).collect();
    if parents.len() < table.options.inherits.len() {
        // A parent is in a schema that is not read, and may be missing.
        table.options.inherits.clear();
    }
    if table.options.inherits.is_empty() {
        return Vec::new();
    }
    let mut changes = Vec::new();
    for column in table.columns.iter().filter(|column| column.options.inherited) {
        let Some(of_parent) = parents.iter().find_map(|parent| parent.column(&column.name)) else { continue };
        // An identity is not inherited. A declared property takes precedence over an inherited one.
        let default_text = of_parent.options.default_text.clone();
        let options = ColumnOptions { default_text, ..column.options.clone() };
        let mut previous = Column { options, identity: None, ..of_parent.clone() };
        if column.options.redeclared {
            previous.nullable &= column.nullable;
            if column.default.is_some() {
                previous.default.clone_from(&column.default);
                previous.options.default_text.clone_from(&column.options.default_text);
            }
            previous.identity = column.identity;
        }
        if !is_served(cx, &previous, column) {
            changes.push(Change::AlterColumn {
                table: table.name.clone(),
                previous: Box::new(previous),
                next: Box::new(column.clone()),
                using: None,
                enum_replaced: false,
                belongings: Box::default(),
            });
        }
    }
    // A partition declares no columns.
    let is_partition = table.options.partition_bound.is_some();
    table.columns.retain(|column| !column.options.inherited || column.options.redeclared && !is_partition);
    table.checks.retain(|check| !check.options.inherited);
    changes
}
