//! Foreign keys without the tenant's column: PostgreSQL accepts a row of another tenant in them, so the handle looks the
//! row up among the tenant's rows. A call in which that is impossible is refused.
//!
//! Foreign keys may share columns. Then a row can come to reference another one because of a column that was set for a
//! different relation, so each key is judged by the sources of all its columns.

use super::{Refused, Tenant};
use crate::meta::{Count, Relation, Table};
use crate::query::write::{Action, Cell, Insert, Key, NestedWrite, SetTo, Sets, another_key};
use crate::value::Param;

/// Returns the relations of a table to rows of tenants whose foreign keys do not contain the tenant.
pub(super) fn unguarded(table: &'static Table) -> impl Iterator<Item = &'static Relation> {
    let own = table.own_tenant_column();
    table.relations.iter().filter(move |relation| {
        let leads_to_itself = own.is_some_and(|own| relation.parent_columns == [own]);
        relation.referencing && relation.child.tenancy.is_some() && relation.tenant_pair.is_none() && !leads_to_itself
    })
}

/// The relation through which a new row is created, and the table where it starts.
#[derive(Clone, Copy)]
pub(super) struct Above {
    pub(super) table: &'static Table,
    pub(super) relation: &'static Relation,
}

impl Above {
    /// Returns the parent of rows that the relation leads to, if they have the foreign key.
    pub(super) fn of(table: &'static Table, relation: &'static Relation) -> Option<Self> {
        (!relation.referencing && relation.through.is_none()).then_some(Self { table, relation })
    }

    /// Returns the columns that the relation sets in the row. Each comes with the row's relation to the parent.
    fn columns(self) -> impl Iterator<Item = FromRow> {
        let Self { table, relation } = self;
        let is_opposite = |other: &&Relation| {
            other.referencing
                && std::ptr::eq(other.child, table)
                && other.parent_columns == relation.child_columns
                && other.child_columns == relation.parent_columns
        };
        let opposite = relation.child.relations.iter().find(is_opposite).unwrap_or(relation);
        relation.key_pairs().map(move |(_, column)| (column, opposite))
    }
}

/// A column that is set to a value of another row, and the relation to that row.
type FromRow = (u16, &'static Relation);

/// What a foreign key references.
enum Source {
    /// No row: a column is null.
    Nothing,
    /// A row that another part of the call finds among the tenant's rows, or creates.
    Row,
    /// The row with this key.
    Key(Key),
    /// A row that is known only when the statement runs.
    Unknown,
}

/// The value of a column that does not come from another row.
enum Value {
    Null,
    Is(Param),
    Unknown,
}

/// Returns what a foreign key references. `value` is called for columns that do not come from other rows.
fn source(relation: &'static Relation, from_rows: &[FromRow], mut value: impl FnMut(u16) -> Value) -> Source {
    let (mut own, mut key, mut is_unknown) = (0, Key::new(), false);
    for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
        let mut sources = from_rows.iter().filter(|(column, _)| column == ours).peekable();
        if sources.peek().is_some() {
            let is_own = sources.all(|(_, other)| std::ptr::eq(*other, relation));
            own += usize::from(is_own);
            is_unknown |= !is_own;
            continue;
        }
        match value(*ours) {
            Value::Null => return Source::Nothing,
            Value::Is(value) => key.push((*theirs, value)),
            Value::Unknown => is_unknown = true,
        }
    }
    let columns = relation.parent_columns.len();
    match is_unknown {
        false if own == columns => Source::Row,
        false if key.len() == columns => Source::Key(key),
        _ => Source::Unknown,
    }
}

/// Returns what a foreign key of a new row references.
fn source_in_row(row: &Insert, relation: &'static Relation, from_rows: &[FromRow], tenant: &Tenant) -> Source {
    let own = row.table.own_tenant_column();
    source(relation, from_rows, |column| match row.cells.iter().find(|(known, _)| *known == column) {
        _ if Some(column) == own => Value::Is(tenant.key.clone()),
        Some((_, Cell::Value(Param::Null))) => Value::Null,
        Some((_, Cell::Value(value))) => Value::Is(value.clone()),
        Some((_, Cell::Lookup { .. })) => Value::Unknown,
        None if relation.is_filled => Value::Unknown,
        None => Value::Null,
    })
}

/// Returns the columns that other rows set in a new row.
fn from_rows(row: &Insert, above: Option<Above>) -> Vec<FromRow> {
    let looked_up = row.cells.iter().filter_map(|(column, cell)| match cell {
        Cell::Lookup { relation, .. } => Some((*column, *relation)),
        Cell::Value(_) => None,
    });
    let before = row.before.iter().flat_map(|other| set_by(other.relation));
    let above = above.into_iter().flat_map(Above::columns);
    looked_up.chain(before).chain(set_by_writes(&row.after)).chain(above).collect()
}

fn set_by(relation: &'static Relation) -> impl Iterator<Item = FromRow> {
    relation.key_pairs().map(move |(column, _)| (column, relation))
}

/// Returns the columns that nested writes set to the key of another row.
fn set_by_writes(writes: &[NestedWrite]) -> impl Iterator<Item = FromRow> {
    let points = |write: &&NestedWrite| {
        let action = &write.action;
        write.relation.referencing
            && matches!(
                action,
                Action::Create(_) | Action::Connect(_) | Action::ConnectOrCreate(..) | Action::Upsert { .. }
            )
    };
    writes.iter().filter(points).flat_map(|write| set_by(write.relation))
}

/// Looks up the rows that a new row references.
pub(super) fn confine_new(row: &mut Insert, above: Option<Above>, tenant: &Tenant) -> Result<(), Refused> {
    if unguarded(row.table).next().is_none() {
        return Ok(());
    }
    let from_rows = from_rows(row, above);
    let mut keys = Vec::new();
    for relation in unguarded(row.table) {
        match source_in_row(row, relation, &from_rows, tenant) {
            Source::Nothing | Source::Row => {}
            Source::Key(key) => keys.push((relation, key)),
            Source::Unknown => return Err(refusal(row.table, relation)),
        }
    }
    // The shortest first, because each key needs a column that no other one has taken.
    keys.sort_by_key(|(relation, _)| (relation.count != Count::One, relation.parent_columns.len()));
    let required = keys.iter().take_while(|(relation, _)| relation.count == Count::One).count();
    let optional = keys.split_off(required);
    for (relation, key) in &keys {
        look_up(row, relation, key)?;
    }
    for (number, (relation, key)) in optional.iter().enumerate() {
        let others = keys.iter().chain(&optional[..number]).chain(&optional[number + 1..]);
        let is_inside = |other: &&Relation| other.parent_columns.iter().all(|it| relation.parent_columns.contains(it));
        if let Some(other) = others.map(|(other, _)| *other).find(is_inside) {
            return Err(refusal(row.table, other));
        }
        row.cells.retain(|(column, _)| !relation.parent_columns.contains(column));
        row.write_after(NestedWrite::new(relation, Action::Connect(vec![key.clone()])));
    }
    Ok(())
}

/// Looks up a required foreign key. If nothing is found, one of its columns is null, which PostgreSQL refuses.
fn look_up(row: &mut Insert, relation: &'static Relation, key: &Key) -> Result<(), Refused> {
    let mut is_checked = false;
    for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
        let is_value = |(column, cell): &&mut (u16, Cell)| column == ours && matches!(cell, Cell::Value(_));
        if let Some((_, cell)) = row.cells.iter_mut().find(is_value) {
            *cell = Cell::Lookup { relation, column: *theirs, key: key.clone() };
            is_checked = true;
        }
    }
    if is_checked { Ok(()) } else { Err(refusal(row.table, relation)) }
}

/// Sets the columns of foreign keys that a new row has from the key by which it is looked for, so that they are
/// confined like others.
pub(super) fn take_key(row: &mut Insert, key: &[(u16, Param)]) -> Result<(), Refused> {
    let table = row.table;
    let own = table.own_tenant_column();
    for (column, value) in key {
        let is_reference = unguarded(table).any(|relation| relation.parent_columns.contains(column));
        if !is_reference || Some(*column) == own {
            continue;
        }
        match row.cells.iter().find(|(known, _)| known == column) {
            Some((_, Cell::Value(given))) if given != value => {
                return Err(another_key(table.columns[usize::from(*column)].name));
            }
            Some(_) => {}
            None => row.cells.push((*column, Cell::Value(value.clone()))),
        }
    }
    Ok(())
}

/// Returns whether COPY, which looks nothing up, can write a foreign key of a row.
pub(super) fn is_copied_safely(row: &Insert, relation: &'static Relation, tenant: &Tenant) -> bool {
    matches!(source_in_row(row, relation, &[], tenant), Source::Nothing)
}

/// Confines new values of foreign keys. If possible, a changed key becomes a nested write, which fails if the row is
/// missing.
pub(super) fn confine_changes(
    table: &'static Table,
    sets: &mut Sets,
    nested: Option<&mut Vec<NestedWrite>>,
) -> Result<(), Refused> {
    let from_rows: Vec<_> = nested.iter().flat_map(|writes| set_by_writes(writes)).collect();
    let changed: Vec<u16> =
        sets.iter().map(|(column, _)| *column).chain(from_rows.iter().map(|(column, _)| *column)).collect();
    keys_of_children_stay(table, &changed, &mut Vec::new())?;
    let mut keys = Vec::new();
    for relation in unguarded(table).filter(|it| it.parent_columns.iter().any(|column| changed.contains(column))) {
        let value = |column| match sets.iter().find(|(known, _)| *known == column) {
            Some((_, SetTo::Value(Param::Null))) => Value::Null,
            Some((_, SetTo::Value(value))) => Value::Is(value.clone()),
            _ => Value::Unknown,
        };
        match source(relation, &from_rows, value) {
            Source::Nothing | Source::Row => {}
            Source::Key(key) => keys.push((relation, key)),
            Source::Unknown => return Err(refusal(table, relation)),
        }
    }
    match nested {
        Some(nested) => {
            for (relation, key) in keys {
                sets.retain(|(column, _)| !relation.parent_columns.contains(column));
                nested.push(NestedWrite::new(relation, Action::Connect(vec![key])));
            }
            Ok(())
        }
        None => look_up_sets(table, sets, keys),
    }
}

/// Refuses columns that an existing row takes from a new row, if they are only a part of a foreign key: the rest of it stays,
/// and the whole may be the key of a row of another tenant.
pub(super) fn confine_taken(table: &'static Table, taken: &[u16]) -> Result<(), Refused> {
    keys_of_children_stay(table, taken, &mut Vec::new())?;
    let is_part = |relation: &&Relation| {
        let is_taken = |column: &u16| taken.contains(column);
        relation.parent_columns.iter().any(is_taken) && !relation.parent_columns.iter().all(is_taken)
    };
    match unguarded(table).find(is_part) {
        Some(relation) => Err(refusal(table, relation)),
        None => Ok(()),
    }
}

/// Looks up the new values of required foreign keys.
fn look_up_sets(
    table: &'static Table,
    sets: &mut Sets,
    mut keys: Vec<(&'static Relation, Key)>,
) -> Result<(), Refused> {
    keys.sort_by_key(|(relation, _)| relation.parent_columns.len());
    for (relation, key) in keys {
        let mut is_checked = false;
        for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
            let is_value = |(column, to): &&mut (u16, SetTo)| column == ours && matches!(to, SetTo::Value(_));
            if let Some((_, to)) = sets.iter_mut().find(is_value) {
                *to = SetTo::Lookup { relation, column: *theirs, key: key.clone() };
                is_checked = true;
            }
        }
        if !is_checked || relation.count != Count::One {
            return Err(refusal(table, relation));
        }
    }
    Ok(())
}

/// Refuses changes of columns that other rows reference, if PostgreSQL would change more than the reference with them.
fn keys_of_children_stay(
    table: &'static Table,
    changed: &[u16],
    visited: &mut Vec<(&'static Table, u16)>,
) -> Result<(), Refused> {
    let referenced = table.relations.iter().filter_map(|relation| Above::of(table, relation));
    for above in referenced {
        if !above.relation.parent_columns.iter().any(|column| changed.contains(column)) {
            continue;
        }
        stays_when_moved(above)?;
        let child = above.relation.child;
        let columns: Vec<u16> = above.columns().map(|(column, _)| column).collect();
        let is_new = |column: &u16| !visited.iter().any(|known| std::ptr::eq(known.0, child) && known.1 == *column);
        let columns: Vec<u16> = columns.into_iter().filter(is_new).collect();
        if !columns.is_empty() {
            visited.extend(columns.iter().map(|column| (child, *column)));
            keys_of_children_stay(child, &columns, visited)?;
        }
    }
    Ok(())
}

/// Refuses a new parent of existing rows, if it sets columns by which they also reference other rows.
pub(super) fn stays_when_moved(above: Above) -> Result<(), Refused> {
    let child = above.relation.child;
    let from_rows: Vec<_> = above.columns().collect();
    let is_touched = |it: &&Relation| it.parent_columns.iter().any(|own| from_rows.iter().any(|(set, _)| set == own));
    for relation in unguarded(child).filter(is_touched) {
        if let Source::Unknown = source(relation, &from_rows, |_| Value::Unknown) {
            return Err(refusal(child, relation));
        }
    }
    Ok(())
}

fn refusal(table: &Table, relation: &Relation) -> Refused {
    let columns: Vec<&str> =
        relation.parent_columns.iter().map(|column| table.columns[usize::from(*column)].name).collect();
    format!(
        "this call cannot check the tenant of `{}` of {}: set {} to values of one row, with `create` or `update`, or add \
         the tenant's column to the foreign key",
        relation.name,
        table.name,
        columns.join(" and ")
    )
}
