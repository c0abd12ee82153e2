//! The tenant that a call is confined to, and the changes to the call.
//!
//! Statements get their conditions when they are built: see `sql::tenant`. This module handles what conditions cannot
//! express. A foreign key without the tenant's column is looked up among the tenant's rows, and a call that would move
//! a row to another tenant is refused.

use super::bulk::NewRows;
use super::operation::Operation;
use super::write::{Action, Cell, Insert, NestedWrite, SetTo, Sets};
use crate::meta::{Count, Relation, Table, Tenancy};
use crate::value::Param;

/// A tenant that calls are confined to.
#[derive(Clone, PartialEq)]
pub struct Tenant {
    /// The id of its row.
    pub(crate) key: Param,
    /// Whether any SQL may be sent, because row security confines it.
    pub(crate) runs_any_sql: bool,
}

/// Does not show the value.
impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tenant")
    }
}

/// The reason why a key that is unique only within a tenant is refused across tenants.
const SHORT_KEY: &str = "this key is unique within a tenant only: use it with `db.tenant(id)`, or use the key that \
    contains the tenant";

impl Table {
    /// If a key is unique only within a tenant, changes it so that it cannot be sent.
    pub(crate) fn refuse_short_key(&self, key: &mut [(u16, Param)]) {
        let is_short = |tenancy: Tenancy| {
            let columns: Vec<u16> = key.iter().map(|(column, _)| *column).collect();
            tenancy.is_key(&columns)
        };
        if self.tenancy.is_some_and(is_short)
            && let Some((_, value)) = key.first_mut()
        {
            *value = Param::Misuse(SHORT_KEY);
        }
    }
}

impl Operation {
    /// Refuses keys in nested writes that are unique only within a tenant.
    pub(crate) fn refuse_short_keys(&mut self) {
        match self {
            Operation::Create(row) | Operation::Upsert { row, .. } => refuse_in_row(row),
            Operation::CreateMany { rows: NewRows::Any(rows), .. } => rows.iter_mut().for_each(refuse_in_row),
            Operation::Update { nested, .. } => nested.iter_mut().for_each(refuse_in_write),
            Operation::Returning(returning) => returning.write.refuse_short_keys(),
            _ => {}
        }
    }
}

fn refuse_in_row(row: &mut Insert) {
    for (_, cell) in &mut row.cells {
        if let Cell::Lookup { relation, key, .. } = cell {
            relation.child.refuse_short_key(key);
        }
    }
    row.before.iter_mut().for_each(|(_, other)| refuse_in_row(other));
    row.after.iter_mut().for_each(refuse_in_write);
}

fn refuse_in_write(write: &mut NestedWrite) {
    let table = write.relation.child;
    match &mut write.action {
        Action::Create(rows) => rows.iter_mut().for_each(refuse_in_row),
        Action::Connect(keys) | Action::Set(keys) | Action::Disconnect(Some(keys)) | Action::Delete(Some(keys)) => {
            keys.iter_mut().for_each(|key| table.refuse_short_key(key));
        }
        Action::ConnectOrCreate(key, row) => {
            table.refuse_short_key(key);
            refuse_in_row(row);
        }
        Action::Update { key, nested, .. } => {
            key.iter_mut().for_each(|key| table.refuse_short_key(key));
            nested.iter_mut().for_each(refuse_in_write);
        }
        Action::Upsert { key, row, .. } => {
            key.iter_mut().for_each(|key| table.refuse_short_key(key));
            refuse_in_row(row);
        }
        Action::Disconnect(None) | Action::Delete(None) | Action::UpdateMany { .. } | Action::DeleteMany(_) => {}
    }
}

/// The reason why a handle cannot send a query file. Usually, the types already prevent it.
pub(super) const SQL_OF_ALL: &str = "this query is not confined to a tenant: send it through `across_tenants()`";

/// The reason why a call cannot be made for a tenant.
type Refused = String;

impl Operation {
    /// Confines the operation to a tenant.
    pub(crate) fn confine(&mut self, tenant: &Tenant) {
        if let Err(reason) = self.try_confine(tenant) {
            *self = Operation::Refused(reason);
        }
    }

    fn try_confine(&mut self, tenant: &Tenant) -> Result<(), Refused> {
        match self {
            Operation::Create(row) => confine_row(row, tenant),
            Operation::CreateMany { rows, .. } => confine_rows(rows, tenant),
            Operation::Update { table, sets, nested, .. } => {
                nested.iter_mut().try_for_each(|write| confine_write(write, tenant))?;
                confine_sets(table, sets, Some(nested))
            }
            Operation::UpdateMany { table, sets, .. } => confine_sets(table, sets, None),
            Operation::Upsert { row, key, sets } => {
                refuse_key_of_other(row.table, key, tenant)?;
                confine_sets(row.table, sets, None)?;
                confine_row(row, tenant)
            }
            Operation::Returning(returning) => returning.write.try_confine(tenant),
            Operation::Sql(call) => match call.confine(tenant) {
                true => Ok(()),
                false => Err(SQL_OF_ALL.to_owned()),
            },
            _ => Ok(()),
        }
    }
}

fn confine_rows(rows: &mut NewRows, tenant: &Tenant) -> Result<(), Refused> {
    let needs_each = match rows {
        NewRows::Uniform(uniform) => {
            let table = uniform.table();
            is_tenant(table) || given_tenant(table, uniform.columns()) || has_unguarded(table, uniform.columns())
        }
        NewRows::Any(_) => true,
    };
    if !needs_each {
        return Ok(());
    }
    let taken = std::mem::replace(rows, NewRows::Any(Vec::new()));
    let mut each = taken.into_rows();
    each.iter_mut().try_for_each(|row| confine_row(row, tenant))?;
    *rows = NewRows::Any(each);
    Ok(())
}

/// Confines a row for COPY, which cannot look rows up, and sets the tenant's column.
pub(crate) fn confine_copied(row: &mut Insert, tenant: &Tenant) -> Result<(), Refused> {
    let table = row.table;
    refuse_tenant(table, row.columns())?;
    for relation in unguarded(table) {
        if row.cells.iter().any(|(column, cell)| relation.parent_columns.contains(column) && !is_null(cell)) {
            return Err(format!(
                "copy_in cannot check the tenant of `{}` of {}: use create_many, or add the tenant's column to its \
                 foreign key",
                relation.name, table.name
            ));
        }
    }
    if let Some(own) = table.own_tenant_column() {
        row.cells.push((own, Cell::Value(tenant.key.clone())));
    }
    Ok(())
}

fn is_null(cell: &Cell) -> bool {
    matches!(cell, Cell::Value(Param::Null))
}

fn is_tenant(table: &Table) -> bool {
    table.tenancy.is_some_and(|tenancy| tenancy.is_tenant)
}

fn given_tenant(table: &Table, mut columns: impl Iterator<Item = u16>) -> bool {
    table.own_tenant_column().is_some_and(|own| columns.any(|column| column == own))
}

fn refuse_tenant(table: &Table, columns: impl Iterator<Item = u16>) -> Result<(), Refused> {
    if is_tenant(table) {
        return Err(format!("a handle of a tenant cannot create a {}: use `db.across_tenants()`", table.name));
    }
    if given_tenant(table, columns) {
        return Err(format!("a handle sets the tenant of a new {} itself: leave the tenant's column out", table.name));
    }
    Ok(())
}

/// Refuses a key that contains another tenant: the row with that key is not visible, and a row that is created would
/// get a different key.
fn refuse_key_of_other(table: &Table, key: &[(u16, Param)], tenant: &Tenant) -> Result<(), Refused> {
    let own = table.own_tenant_column();
    match key.iter().find(|(column, _)| Some(*column) == own) {
        Some((_, value)) if *value != tenant.key => {
            Err(format!("a handle cannot create a {} with the key of another tenant", table.name))
        }
        _ => Ok(()),
    }
}

/// Returns the relations of a table to rows of tenants whose foreign keys do not contain the tenant.
fn unguarded(table: &'static Table) -> impl Iterator<Item = &'static Relation> {
    let own = table.own_tenant_column();
    table.relations.iter().filter(move |relation| {
        let leads_to_itself = own.is_some_and(|own| relation.parent_columns == [own]);
        relation.referencing && relation.child.tenancy.is_some() && relation.tenant_pair.is_none() && !leads_to_itself
    })
}

fn has_unguarded(table: &'static Table, columns: impl Iterator<Item = u16> + Clone) -> bool {
    unguarded(table).any(|relation| columns.clone().any(|column| relation.parent_columns.contains(&column)))
}

fn confine_row(row: &mut Insert, tenant: &Tenant) -> Result<(), Refused> {
    refuse_tenant(row.table, row.columns())?;
    for (_, other) in &mut row.before {
        confine_row(other, tenant)?;
    }
    row.after.iter_mut().try_for_each(|write| confine_write(write, tenant))?;
    for relation in unguarded(row.table) {
        let Some(key) = given_key(row, relation) else { continue };
        // If the lookup for a required foreign key finds nothing, the key is null, which PostgreSQL refuses.
        if relation.count == Count::One {
            for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
                row.cells.retain(|(column, _)| column != ours);
                row.cells.push((*ours, Cell::Lookup { relation, column: *theirs, key: key.clone() }));
            }
        } else {
            row.cells.retain(|(column, _)| !relation.parent_columns.contains(column));
            row.write_after(NestedWrite::new(relation, Action::Connect(vec![key])));
        }
    }
    Ok(())
}

/// Returns the key of the row that a new row references, if it has one.
fn given_key(row: &Insert, relation: &Relation) -> Option<Vec<(u16, Param)>> {
    let value = |ours: &u16| {
        row.cells.iter().find_map(|(column, cell)| match cell {
            Cell::Value(value) if column == ours && *value != Param::Null => Some(value.clone()),
            _ => None,
        })
    };
    relation
        .parent_columns
        .iter()
        .zip(relation.child_columns)
        .map(|(ours, theirs)| Some((*theirs, value(ours)?)))
        .collect()
}

/// Returns whether a relation leads from a row to its tenant, or from a tenant to its rows.
fn is_with_tenant(relation: &Relation) -> bool {
    let holds_tenant = relation.child.own_tenant_column().is_some_and(|own| relation.child_columns == [own]);
    holds_tenant && (!relation.referencing || is_tenant(relation.child))
}

fn confine_write(write: &mut NestedWrite, tenant: &Tenant) -> Result<(), Refused> {
    let table = write.relation.child;
    let keeps_tenant = match &write.action {
        Action::Update { .. } | Action::UpdateMany { .. } => true,
        Action::Create(_)
        | Action::ConnectOrCreate(..)
        | Action::Upsert { .. }
        | Action::Delete(_)
        | Action::DeleteMany(_) => !write.relation.referencing,
        Action::Connect(_) | Action::Disconnect(_) | Action::Set(_) => false,
    };
    if is_with_tenant(write.relation) && !keeps_tenant {
        return Err(format!("a handle cannot change the tenant of a row, as `{}` would", write.relation.name));
    }
    match &mut write.action {
        Action::Create(rows) => rows.iter_mut().try_for_each(|row| confine_row(row, tenant))?,
        Action::ConnectOrCreate(key, row) => {
            refuse_key_of_other(table, key, tenant)?;
            confine_row(row, tenant)?;
        }
        Action::Update { sets, nested, .. } => {
            nested.iter_mut().try_for_each(|write| confine_write(write, tenant))?;
            confine_sets(table, sets, Some(nested))?;
        }
        Action::UpdateMany { sets, .. } => confine_sets(table, sets, None)?,
        Action::Upsert { key, row, sets } => {
            refuse_key_of_other(table, key.as_deref().unwrap_or_default(), tenant)?;
            confine_sets(table, sets, None)?;
            confine_row(row, tenant)?;
        }
        Action::Connect(_) | Action::Disconnect(_) | Action::Set(_) | Action::Delete(_) | Action::DeleteMany(_) => {}
    }
    Ok(())
}

/// Confines new values of columns. If possible, a changed foreign key becomes a nested write, which fails if the row is
/// missing.
fn confine_sets(
    table: &'static Table,
    sets: &mut Sets,
    mut nested: Option<&mut Vec<NestedWrite>>,
) -> Result<(), Refused> {
    if given_tenant(table, sets.iter().map(|(column, _)| *column)) {
        return Err(format!("a handle cannot set the tenant's column of a {}", table.name));
    }
    for relation in unguarded(table) {
        let is_ours = |column: &u16| relation.parent_columns.contains(column);
        let of_key: Vec<&SetTo> = sets.iter().filter(|(column, _)| is_ours(column)).map(|(_, to)| to).collect();
        if of_key.is_empty() || of_key.iter().all(|to| matches!(to, SetTo::Value(Param::Null) | SetTo::Lookup { .. })) {
            continue;
        }
        let value = |ours: &u16| {
            sets.iter().find_map(|(column, to)| match to {
                SetTo::Value(value) if column == ours && *value != Param::Null => Some(value.clone()),
                _ => None,
            })
        };
        let pairs = relation.parent_columns.iter().zip(relation.child_columns);
        let key: Option<Vec<_>> = pairs.map(|(ours, theirs)| Some((*theirs, value(ours)?))).collect();
        match (key, &mut nested) {
            (Some(key), Some(nested)) => {
                sets.retain(|(column, _)| !is_ours(column));
                nested.push(NestedWrite::new(relation, Action::Connect(vec![key])));
            }
            (Some(key), None) if relation.count == Count::One => {
                for (ours, theirs) in relation.parent_columns.iter().zip(relation.child_columns) {
                    sets.retain(|(column, _)| column != ours);
                    sets.push((*ours, SetTo::Lookup { relation, column: *theirs, key: key.clone() }));
                }
            }
            _ => {
                return Err(format!(
                    "this call cannot check the tenant of `{}` of {}: change one row with `update`, or add the \
                     tenant's column to its foreign key",
                    relation.name, table.name
                ));
            }
        }
    }
    Ok(())
}
