//! Probable renames: drops and additions that look like renames.

use std::collections::BTreeSet;

use super::renames::Displaced;
use super::{DiffCx, ProbableRename, Rename, renames};
use crate::sql::state::{Column, EnumType, ObjectName, State, Table};

/// Returns the questions. An object that a declared rename displaces has its original name in them.
pub(super) fn probable_renames(cx: &DiffCx<'_>, previous: &State, displaced: &Displaced) -> Vec<ProbableRename> {
    let mut found = Vec::new();
    let dropped_enums: Vec<_> = previous.enums.iter().filter(|old| cx.next.enum_type(&old.name).is_none()).collect();
    let new_enums: Vec<_> = cx.next.enums.iter().filter(|new| previous.enum_type(&new.name).is_none()).collect();
    for (old, new) in pairs(&dropped_enums, &new_enums, enum_likeness) {
        found.push(enum_question(cx, displaced.types.get(&old.name).unwrap_or(&old.name), &new.name));
    }
    let dropped: Vec<_> = previous.tables.iter().filter(|old| cx.next.table(&old.name).is_none()).collect();
    let new: Vec<_> = cx.next.tables.iter().filter(|new| previous.table(&new.name).is_none()).collect();
    for (old, new) in pairs(&dropped, &new, table_likeness) {
        found.push(table_question(cx, displaced.types.get(&old.name).unwrap_or(&old.name), &new.name));
    }
    for new in &cx.next.enums {
        if let Some(old) = previous.enum_type(&new.name) {
            found.extend(probable_labels(cx, old, new, displaced));
        }
    }
    for new in &cx.next.tables {
        if let Some(old) = previous.table(&new.name) {
            found.extend(probable_columns(cx, old, new, displaced));
        }
    }
    found
}

/// The maximum number of objects per side, because every pair is compared.
const MAX_COMPARED: usize = 500;

/// Pairs of dropped and added objects, the most similar first, each object once.
fn pairs<'t, T>(dropped: &[&'t T], new: &[&'t T], likeness: impl Fn(&T, &T) -> u32) -> Vec<(&'t T, &'t T)> {
    let mut scored = Vec::new();
    for (i, old) in dropped.iter().enumerate().take(MAX_COMPARED) {
        for (j, new) in new.iter().enumerate().take(MAX_COMPARED) {
            let score = likeness(old, new);
            if score > 0 {
                scored.push((std::cmp::Reverse(score), i, j));
            }
        }
    }
    scored.sort_unstable();
    let (mut taken_old, mut taken_new) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, i, j) in scored {
        if !taken_old.contains(&i) && !taken_new.contains(&j) {
            taken_old.insert(i);
            taken_new.insert(j);
            pairs.push((dropped[i], new[j]));
        }
    }
    pairs
}

/// Returns the similarity in percent; 0 if a question is not worthwhile.
fn enum_likeness(old: &EnumType, new: &EnumType) -> u32 {
    let shared = old.labels.iter().filter(|label| new.labels.contains(label)).count();
    above(60, shared, old.labels.len().max(new.labels.len()))
}

fn table_likeness(old: &Table, new: &Table) -> u32 {
    if renames::is_join_table(old) || renames::is_join_table(new) {
        return 0;
    }
    let shared =
        old.columns.iter().filter(|column| new.column(&column.name).is_some_and(|other| is_alike(column, other)));
    above(60, shared.count(), old.columns.len().max(new.columns.len()))
}

fn above(limit: u32, shared: usize, all: usize) -> u32 {
    let percent = (shared * 100).checked_div(all).unwrap_or(0) as u32;
    if percent >= limit { percent } else { 0 }
}

fn is_alike(old: &Column, new: &Column) -> bool {
    old.ty.is_same(&new.ty) && old.array == new.array && old.nullable == new.nullable
}

fn probable_labels(cx: &DiffCx<'_>, old: &EnumType, new: &EnumType, displaced: &Displaced) -> Vec<ProbableRename> {
    if old.labels.len() != new.labels.len() {
        return Vec::new();
    }
    let replaced = old.labels.iter().zip(&new.labels);
    let replaced = replaced.filter(|(from, to)| !new.labels.contains(from) && !old.labels.contains(to));
    let before = |from: &String| {
        let part = (new.name.clone(), from.clone());
        displaced.labels.get(&part).map_or_else(|| from.clone(), |(_, before)| before.clone())
    };
    replaced.map(|(from, to)| label_question(cx, &new.name, &before(from), to)).collect()
}

fn probable_columns(cx: &DiffCx<'_>, old: &Table, new: &Table, displaced: &Displaced) -> Vec<ProbableRename> {
    let dropped: Vec<_> = old.columns.iter().filter(|column| new.column(&column.name).is_none()).collect();
    let added: Vec<_> = new.columns.iter().filter(|column| old.column(&column.name).is_none()).collect();
    let position = |columns: &[Column], name: &str| columns.iter().position(|column| column.name == name);
    let likeness = |from: &Column, to: &Column| {
        let same_place = position(&old.columns, &from.name) == position(&new.columns, &to.name);
        let name = name_likeness(&from.name, &to.name);
        if is_alike(from, to) && (same_place || name >= 50) { name + u32::from(same_place) * 50 + 1 } else { 0 }
    };
    let pairs = pairs(&dropped, &added, likeness);
    let before = |from: &Column| {
        let part = (new.name.clone(), from.name.clone());
        displaced.columns.get(&part).map_or_else(|| from.name.clone(), |(_, before)| before.clone())
    };
    pairs.into_iter().map(|(from, to)| column_question(cx, &new.name, &before(from), &to.name)).collect()
}

/// The share of letter pairs that two names have in common, in percent.
///
/// ```
/// assert!(relata_codegen::sql::name_likeness("title", "titles") > relata_codegen::sql::name_likeness("title", "size"));
/// ```
pub fn name_likeness(a: &str, b: &str) -> u32 {
    let pairs = |name: &str| {
        let letters: Vec<_> = name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
        letters.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>()
    };
    let (left, mut right) = (pairs(a), pairs(b));
    let all = left.len() + right.len();
    let mut shared = 0;
    for pair in left {
        if let Some(at) = right.iter().position(|other| *other == pair) {
            right.swap_remove(at);
            shared += 2;
        }
    }
    (shared * 100_usize).checked_div(all).unwrap_or(0) as u32
}

/// Returns the option. If the schema changes, the new name has its schema.
fn renamed(from: &ObjectName, to: &ObjectName) -> Rename {
    let to = if from.schema == to.schema { to.name.clone() } else { to.to_string() };
    Rename { from: from.to_string(), to }
}

pub(super) fn enum_question(cx: &DiffCx<'_>, from: &ObjectName, to: &ObjectName) -> ProbableRename {
    let key = cx.intent.enum_type(to).map_or(&to.name, |intent| &intent.key);
    ProbableRename {
        kind: "enum",
        from: from.to_string(),
        to: to.to_string(),
        attribute: Some(format!("@@renamedFrom(\"{}\") in enum {key}", from.name)),
        rename: renamed(from, to),
    }
}

pub(super) fn table_question(cx: &DiffCx<'_>, from: &ObjectName, to: &ObjectName) -> ProbableRename {
    let key = cx.intent.table(to).map_or(&to.name, |intent| &intent.key);
    ProbableRename {
        kind: "table",
        from: from.to_string(),
        to: to.to_string(),
        attribute: Some(format!("@@renamedFrom(\"{}\") in model {key}", from.name)),
        rename: renamed(from, to),
    }
}

pub(super) fn label_question(cx: &DiffCx<'_>, name: &ObjectName, from: &str, to: &str) -> ProbableRename {
    let intent = cx.intent.enum_type(name);
    let key = intent.map_or(&name.name, |intent| &intent.key);
    let label = intent.and_then(|intent| intent.labels.iter().find(|label| label.label == to));
    ProbableRename {
        kind: "value",
        from: format!("{name}.{from}"),
        to: format!("{name}.{to}"),
        attribute: Some(format!("@renamedFrom(\"{from}\") at {key}.{}", label.map_or(to, |label| &label.key))),
        rename: Rename { from: format!("{name}.{from}"), to: to.to_owned() },
    }
}

pub(super) fn column_question(cx: &DiffCx<'_>, table: &ObjectName, from: &str, to: &str) -> ProbableRename {
    let key = cx.intent.table(table).map_or(&table.name, |intent| &intent.key);
    let column = cx.intent.column(table, to).map_or(to, |intent| &intent.key);
    ProbableRename {
        kind: "column",
        from: format!("{table}.{from}"),
        to: format!("{table}.{to}"),
        attribute: Some(format!("@renamedFrom(\"{from}\") at {key}.{column}")),
        rename: Rename { from: format!("{table}.{from}"), to: to.to_owned() },
    }
}
