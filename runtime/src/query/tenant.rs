//! The tenant that a call is confined to, and the changes to the call.
//!
//! Statements get their conditions when they are built: see `sql::tenant`. This module handles what conditions cannot
//! express. A foreign key without the tenant's column is looked up among the tenant's rows, and a call that would move
//! a row to another tenant is refused.

mod references;

use uuid::Uuid;

use self::references::Above;
use super::bulk::NewRows;
use super::operation::Operation;
use super::upsert::{Existing, UpsertRows};
use super::write::{Action, Cell, Insert, NestedWrite, Referenced, Sets};
use crate::meta::{Relation, Table, Tenancy};
use crate::value::{Newtype, Param};

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

/// The type of a tenant's id that a handle can return.
pub trait TenantId: Default {
    /// Returns the id, if the parameter is one of this type.
    fn of(key: &Param) -> Option<Self>;
}

macro_rules! integer_ids {
    ($($integer:ty),+) => {
        $(impl TenantId for $integer {
            fn of(key: &Param) -> Option<Self> {
                match key {
                    Param::Int(id) => Self::try_from(*id).ok(),
                    _ => None,
                }
            }
        })+
    };
}

integer_ids!(i16, i32, i64);

impl TenantId for Uuid {
    fn of(key: &Param) -> Option<Self> {
        match key {
            Param::Uuid(id) => Some(*id),
            _ => None,
        }
    }
}

impl TenantId for String {
    fn of(key: &Param) -> Option<Self> {
        match key {
            Param::Text(id) => Some(id.clone()),
            _ => None,
        }
    }
}

impl<T: Newtype + Default> TenantId for T
where
    T::Inner: TenantId,
{
    fn of(key: &Param) -> Option<Self> {
        T::from_inner(T::Inner::of(key)?).ok()
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
            Operation::UpsertMany(call) if call.table.tenancy.is_some_and(|tenancy| tenancy.is_key(&call.key)) => {
                *self = Operation::Refused(SHORT_KEY.to_owned());
            }
            Operation::UpsertMany(call) => {
                if let NewRows::Any(rows) = &mut call.rows {
                    rows.iter_mut().for_each(refuse_in_row);
                }
            }
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
    for Referenced { relation, key, row } in &mut row.before {
        key.iter_mut().for_each(|key| relation.child.refuse_short_key(key));
        refuse_in_row(row);
    }
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
            Operation::Create(row) => confine_row(row, None, tenant),
            Operation::CreateMany { rows, .. } => confine_rows(rows, tenant),
            Operation::Update { table, sets, nested, .. } => {
                nested.iter_mut().try_for_each(|write| confine_write(write, table, tenant))?;
                confine_sets(table, sets, Some(nested))
            }
            Operation::UpdateMany { table, sets, .. } => confine_sets(table, sets, None),
            Operation::UpdateEach { table, changes, .. } => {
                changes.iter_mut().try_for_each(|(_, sets)| confine_sets(table, sets, None))
            }
            Operation::UpsertMany(call) => confine_upserts(call, tenant),
            Operation::Upsert { row, key, sets } => {
                confine_sets(row.table, sets, None)?;
                confine_upserted(row, key, None, tenant)
            }
            Operation::Returning(returning) => returning.write.try_confine(tenant),
            Operation::Refresh { table, .. } if table.tenancy.is_some() => {
                Err(format!("a refresh of {} reads the rows of all tenants: call it on `across_tenants()`", table.name))
            }
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
    each.iter_mut().try_for_each(|row| confine_row(row, None, tenant))?;
    *rows = NewRows::Any(each);
    Ok(())
}

/// Confines new rows, each of which may change the row that already has its key. What such a row takes from a new one was
/// looked up for the new one.
fn confine_upserts(call: &mut UpsertRows, tenant: &Tenant) -> Result<(), Refused> {
    let table = call.table;
    refuse_path_on_citus(table)?;
    match &call.rows {
        NewRows::Uniform(uniform) => references::confine_taken(table, &call.taken(uniform.given()))?,
        NewRows::Any(rows) => {
            rows.iter().try_for_each(|row| references::confine_taken(table, &call.taken(row.columns())))?;
        }
    }
    if let Existing::Change { sets, .. } = &mut call.existing {
        confine_sets(table, sets, None)?;
    }
    confine_rows(&mut call.rows, tenant)
}

/// Confines a row for COPY, which cannot look rows up, and sets the tenant's column.
pub(crate) fn confine_copied(row: &mut Insert, tenant: &Tenant) -> Result<(), Refused> {
    let table = row.table;
    refuse_tenant(table, row.columns())?;
    for relation in references::unguarded(table) {
        if !references::is_copied_safely(row, relation, tenant) {
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

fn is_tenant(table: &Table) -> bool {
    table.tenancy.is_some_and(|tenancy| tenancy.is_tenant)
}

fn given_tenant(table: &Table, mut columns: impl Iterator<Item = u16>) -> bool {
    table.own_tenant_column().is_some_and(|own| columns.any(|column| column == own))
}

fn refuse_tenant(table: &Table, columns: impl Iterator<Item = u16>) -> Result<(), Refused> {
    if is_tenant(table) {
        return Err(format!("a handle of a tenant cannot create rows of `{}`: use `db.across_tenants()`", table.name));
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
            Err(format!("a handle cannot create a row of `{}` with the key of another tenant", table.name))
        }
        _ => Ok(()),
    }
}

/// Refuses to insert or update a row in one statement if its tenant is in another table. Citus does not run a subquery in
/// ON CONFLICT where the rows are.
fn refuse_path_on_citus(table: &Table) -> Result<(), Refused> {
    match table.tenancy {
        Some(tenancy) if table.is_on_citus && !tenancy.path.is_empty() => Err(format!(
            "on Citus, an upsert cannot check the tenant of {}, which only another table has: create or update the row, or \
             add the tenant's column to the model",
            table.name
        )),
        _ => Ok(()),
    }
}

/// Returns whether a foreign key without the tenant has one of these columns, or gets a value without them.
fn has_unguarded(table: &'static Table, columns: impl Iterator<Item = u16> + Clone) -> bool {
    references::unguarded(table)
        .any(|relation| relation.is_filled || columns.clone().any(|column| relation.parent_columns.contains(&column)))
}

/// Confines a new row, which may be created through a relation of another one.
fn confine_row(row: &mut Insert, above: Option<Above>, tenant: &Tenant) -> Result<(), Refused> {
    let table = row.table;
    refuse_tenant(table, row.columns())?;
    for Referenced { key, row, .. } in &mut row.before {
        match key {
            Some(key) => confine_upserted(row, key, None, tenant)?,
            None => confine_row(row, None, tenant)?,
        }
    }
    row.after.iter_mut().try_for_each(|write| confine_write(write, table, tenant))?;
    references::confine_new(row, above, tenant)
}

/// Confines a new row that is not created if another one has its key. The statement sets the key, too.
fn confine_upserted(
    row: &mut Insert,
    key: &[(u16, Param)],
    above: Option<Above>,
    tenant: &Tenant,
) -> Result<(), Refused> {
    refuse_path_on_citus(row.table)?;
    refuse_key_of_other(row.table, key, tenant)?;
    references::take_key(row, key)?;
    confine_row(row, above, tenant)
}

/// Returns whether a relation leads from a row to its tenant, or from a tenant to its rows.
fn is_with_tenant(relation: &Relation) -> bool {
    let holds_tenant = relation.child.own_tenant_column().is_some_and(|own| relation.child_columns == [own]);
    holds_tenant && (!relation.referencing || is_tenant(relation.child))
}

fn confine_write(write: &mut NestedWrite, parent: &'static Table, tenant: &Tenant) -> Result<(), Refused> {
    let table = write.relation.child;
    let above = Above::of(parent, write.relation);
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
    if let (Some(above), Action::Connect(_) | Action::ConnectOrCreate(..) | Action::Set(_)) = (above, &write.action) {
        references::stays_when_moved(above)?;
    }
    match &mut write.action {
        Action::Create(rows) => rows.iter_mut().try_for_each(|row| confine_row(row, above, tenant))?,
        Action::ConnectOrCreate(key, row) => confine_upserted(row, key, above, tenant)?,
        Action::Update { sets, nested, .. } => {
            nested.iter_mut().try_for_each(|write| confine_write(write, table, tenant))?;
            confine_sets(table, sets, Some(nested))?;
        }
        Action::UpdateMany { sets, .. } => confine_sets(table, sets, None)?,
        Action::Upsert { key, row, sets } => {
            confine_sets(table, sets, None)?;
            // A row that the parent references, or that a join table connects to it, is created without the key.
            match above {
                Some(_) => confine_upserted(row, key.as_deref().unwrap_or_default(), above, tenant)?,
                None => {
                    refuse_path_on_citus(table)?;
                    refuse_key_of_other(table, key.as_deref().unwrap_or_default(), tenant)?;
                    confine_row(row, None, tenant)?;
                }
            }
        }
        Action::Connect(_) | Action::Disconnect(_) | Action::Set(_) | Action::Delete(_) | Action::DeleteMany(_) => {}
    }
    Ok(())
}

/// Confines new values of columns.
fn confine_sets(table: &'static Table, sets: &mut Sets, nested: Option<&mut Vec<NestedWrite>>) -> Result<(), Refused> {
    if given_tenant(table, sets.iter().map(|(column, _)| *column)) {
        return Err(format!(
            "a handle cannot set the tenant's column of `{}`: leave it out, because a row stays with its tenant; \
             `db.across_tenants()` can set it",
            table.name
        ));
    }
    references::confine_changes(table, sets, nested)
}
