//! Conditions that confine a statement to a tenant.
//!
//! A writer counts the tables that it has named and not yet confined, to a tenant or to scopes (see `scope`). If any
//! remain at the end, the statement is refused, so a forgotten condition is an error and does not reveal another
//! tenant's rows.

use super::pass::Pass;
use super::statement::Statements;
use super::writer::{Alias, Writer};
use crate::meta::{Column, Lifted, Table, Tenancy};
use crate::query::Tenant;

/// The context in which a statement is built.
#[derive(Clone, Copy, Default)]
pub(crate) struct Context<'a> {
    /// The statements that the connection identifies by shape.
    pub(crate) shapes: Option<&'a Statements>,
    /// The tenant that the statement is confined to.
    pub(crate) tenant: Option<&'a Tenant>,
}

impl<'a> Context<'a> {
    /// Returns the column of a table that contains the tenant, if there is a tenant.
    pub(super) fn own_column(self, table: &Table) -> Option<u16> {
        self.tenant.and_then(|_| table.own_tenant_column())
    }

    /// Returns the context for a statement without a shape.
    pub(crate) fn of_tenant(tenant: Option<&'a Tenant>) -> Self {
        Self { shapes: None, tenant }
    }
}

impl<P: Pass> Writer<'_, P> {
    /// Returns how rows of a table belong to the tenant. `None` if there is no tenant, or if they belong to none.
    #[inline]
    pub(super) fn tenancy_of(&self, table: &Table) -> Option<Tenancy> {
        self.tenant.and(table.tenancy)
    }

    /// Returns the column of a table that contains the tenant, if there is a tenant.
    #[inline]
    pub(super) fn own_column(&self, table: &Table) -> Option<u16> {
        Context::of_tenant(self.tenant).own_column(table)
    }

    /// Records a table whose rows have to be confined.
    #[inline]
    pub(super) fn must_be_confined(&mut self, table: &Table) {
        if self.tenancy_of(table).is_some() || table.has_scopes() {
            self.unconfined += 1;
        }
    }

    /// Records that the rows of a table are confined.
    fn is_confined(&mut self, table: &Table) {
        if self.tenancy_of(table).is_some() || table.has_scopes() {
            self.unconfined -= 1;
        }
    }

    /// Writes the conditions that a row belongs to the tenant and to the scopes of its table, after `glue`. Returns
    /// whether there is one.
    #[inline]
    pub(super) fn push_tenant(&mut self, glue: &str, table: &Table, alias: Alias) -> bool {
        self.push_confined(glue, table, alias, Lifted::default())
    }

    /// Writes the conditions that a row belongs to the tenant, and to the scopes of its table that are not lifted, after
    /// `glue`. Returns whether there is one.
    #[inline]
    pub(super) fn push_confined(&mut self, glue: &str, table: &Table, alias: Alias, lifted: Lifted) -> bool {
        self.is_confined(table);
        let Some(tenancy) = self.tenancy_of(table) else { return self.push_scopes(glue, table, alias, lifted) };
        self.push(glue);
        self.push_way_to_tenant(tenancy.path, tenancy.column, table, alias);
        self.push_scopes(" AND ", table, alias, lifted);
        true
    }

    /// Writes the conditions of scopes, of a table whose rows belong to the tenant because they are joined to confined
    /// rows by columns that contain the tenant.
    #[inline]
    pub(super) fn confined_by_join(&mut self, table: &Table, alias: Alias, lifted: Lifted) {
        self.is_confined(table);
        self.push_scopes(" AND ", table, alias, lifted);
    }

    fn push_way_to_tenant(&mut self, path: &[u16], column: u16, table: &Table, alias: Alias) {
        let Some((first, rest)) = path.split_first() else {
            let column = &table.columns[usize::from(column)];
            self.push_column(alias, column);
            self.push(" = ");
            return self.push_tenant_key(column);
        };
        let relation = &table.relations[usize::from(*first)];
        let other = self.alias();
        self.push("EXISTS (SELECT 1 FROM ");
        self.push_unconfined_table(relation.child, other);
        self.push(" WHERE ");
        self.push_join_condition(relation, other, table, alias);
        self.push(" AND ");
        self.push_way_to_tenant(rest, column, relation.child, other);
        self.push(")");
    }

    /// Writes the tenant's id, which is the same parameter everywhere.
    pub(super) fn push_tenant_key(&mut self, column: &Column) {
        let Some(tenant) = self.tenant else { return };
        match self.tenant_parameter {
            Some(number) => {
                self.push("$");
                self.push_number(number);
                if let Some(wire) = column.wire {
                    self.push_casts([wire, column.sql_type]);
                }
            }
            None => {
                self.tenant_parameter = Some(self.next_parameter());
                self.push_value(column, tenant.key.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pass::Text;
    use super::*;
    use crate::value::Param;

    static COLUMNS: [Column; 2] = [Column::new("id", "integer"), Column::new("school_id", "integer")];
    static TABLE: Table = Table::new("Room", "\"rooms\"", &COLUMNS, &[0], &[], &[]).tenancy(Tenancy::within(&[], 1));
    static SHARED: Table = Table::new("Land", "\"lands\"", &COLUMNS, &[0], &[], &[]);

    fn is_refused(tenant: Option<&Tenant>, write: impl FnOnce(&mut Writer<'_, Text>)) -> bool {
        let mut writer = Writer::new(Context::of_tenant(tenant));
        write(&mut writer);
        writer.finish().params.iter().any(|param| matches!(param, Param::Refused(_)))
    }

    #[test]
    fn a_table_of_tenants_without_its_condition_cannot_be_sent() {
        let tenant = Tenant { key: Param::Int(7), runs_any_sql: false };
        let name = |table: &'static Table| {
            move |writer: &mut Writer<'_, Text>| {
                let alias = writer.alias();
                writer.push_table(table, alias);
            }
        };
        assert!(is_refused(Some(&tenant), name(&TABLE)));
        assert!(!is_refused(Some(&tenant), name(&SHARED)));
        assert!(!is_refused(None, name(&TABLE)));
        let confined = |writer: &mut Writer<'_, Text>| {
            let alias = writer.alias();
            writer.push_table(&TABLE, alias);
            assert!(writer.push_tenant(" WHERE ", &TABLE, alias));
        };
        assert!(!is_refused(Some(&tenant), confined));
        // The first one does not confine the second.
        assert!(is_refused(Some(&tenant), |writer| {
            confined(writer);
            name(&TABLE)(writer);
        }));
    }

    #[test]
    fn the_tenant_is_one_parameter() {
        let tenant = Tenant { key: Param::Int(7), runs_any_sql: false };
        let mut writer = Writer::new(Context::of_tenant(Some(&tenant)));
        for _ in 0..2 {
            let alias = writer.alias();
            writer.push_table(&TABLE, alias);
            writer.push_tenant(" WHERE ", &TABLE, alias);
        }
        let statement = writer.finish();
        assert_eq!(statement.params, [Param::Int(7)]);
        assert_eq!(statement.sql().matches("\"school_id\" = $1").count(), 2);
    }
}
