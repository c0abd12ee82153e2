//! The policies of tables whose rows belong to tenants.

use super::table_name;
use crate::ir::{self, ColumnType, ColumnWalker, ModelWalker, RelationFieldWalker, RelationStorage, row_security_cast};
use crate::sql::state::{
    ACROSS_TENANTS_POLICY, ObjectName, Policy, PolicyCondition, RowSecurity, State, TENANT_POLICY, Table, TenantJoin,
    TenantWay,
};

/// Adds row security to the tables of models, and to the join tables between them.
pub(super) fn secure(schema: &ir::Schema, state: &mut State) {
    for model in schema.walk_models().filter(|model| model.model().row_security) {
        let ways = way(model, Vec::new()).into_iter().collect();
        secure_table(state, &table_name(model), ways);
    }
    for relation in schema.walk_relations() {
        let RelationStorage::JoinTable { db_name, namespace } = &relation.relation().storage else { continue };
        let name = ObjectName { schema: namespace.clone(), name: db_name.clone() };
        let sides = [("A", relation.referencing_field()), ("B", relation.referenced_field())];
        let ways = sides.into_iter().filter_map(|(column, field)| way_of_side(column, field)).collect();
        secure_table(state, &name, ways);
    }
}

/// Returns the path from a row of a join table to the tenant, through the column of one side.
fn way_of_side(column: &str, field: RelationFieldWalker<'_>) -> Option<TenantWay> {
    let model = Some(field.model()).filter(|model| model.model().row_security)?;
    let key = model.primary_key_columns().next()?;
    let first =
        TenantJoin { from: vec![column.to_owned()], table: table_name(model), to: vec![key.db_name().to_owned()] };
    way(model, vec![first])
}

/// Returns the path that begins with `joins`, which lead to a row of `model`, and continues to the tenant.
fn way(model: ModelWalker<'_>, mut joins: Vec<TenantJoin>) -> Option<TenantWay> {
    let names = |columns: &[ColumnWalker<'_>]| columns.iter().map(|column| column.db_name().to_owned()).collect();
    let (steps, column) = model.way_to_tenant()?;
    joins.extend(steps.iter().map(|step| TenantJoin {
        from: names(&step.from),
        table: table_name(step.model),
        to: names(&step.to),
    }));
    let cast = match &column.column().ty {
        ColumnType::Scalar(_, native) => row_security_cast(*native)?,
        _ => return None,
    };
    Some(TenantWay { joins, column: column.db_name().to_owned(), cast })
}

fn secure_table(state: &mut State, name: &ObjectName, ways: Vec<TenantWay>) {
    let Some(table) = state.tables.iter_mut().find(|table| table.name == *name) else { return };
    if ways.is_empty() {
        return;
    }
    table.row_security = row_security(table, ways);
}

fn row_security(table: &Table, ways: Vec<TenantWay>) -> RowSecurity {
    let uses = ways.iter().flat_map(|way| way.uses(&table.name)).collect();
    let policies = vec![
        Policy::new(ACROSS_TENANTS_POLICY, PolicyCondition::AcrossTenants, Vec::new()),
        Policy::new(TENANT_POLICY, PolicyCondition::Tenant(ways), uses),
    ];
    RowSecurity { enabled: true, forced: true, policies, has_files: false, has_others: false }
}
