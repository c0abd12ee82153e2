//! The conditions of policies as SQL.

use super::quote::{ident, qualified};
use super::state::{ObjectName, PolicyCondition, TenantJoin, TenantWay};

/// The tenant of the session, which the client sets for each transaction. After a transaction that set it, PostgreSQL
/// returns an empty text instead of null.
const TENANT: &str = "(SELECT nullif(current_setting('relata.tenant', true), '') AS tenant)";

/// Returns the condition of a policy of `table`.
pub(super) fn condition(condition: &PolicyCondition, table: &ObjectName) -> String {
    match condition {
        PolicyCondition::Tenant(ways) => ways.iter().map(|it| way(it, table)).collect::<Vec<_>>().join(" AND "),
        PolicyCondition::AcrossTenants => {
            "(SELECT current_setting('relata.across_tenants', true) AS across_tenants) = 'on'".to_owned()
        }
        PolicyCondition::Sql(sql) => sql.clone(),
    }
}

fn way(way: &TenantWay, table: &ObjectName) -> String {
    let cast = if way.cast.is_empty() { String::new() } else { format!("::{}", way.cast) };
    let alias = |number: usize| format!("relata_{number}");
    let is_tenant = |column: String| format!("{column} = {TENANT}{cast}");
    let Some((first, others)) = way.joins.split_first() else { return is_tenant(ident(&way.column)) };
    let on = |join: &TenantJoin, here: String, before: String| {
        let pair = |(to, from): (&String, &String)| format!("{here}.{} = {before}.{}", ident(to), ident(from));
        join.to.iter().zip(&join.from).map(pair).collect::<Vec<_>>().join(" AND ")
    };
    let joins: String = others
        .iter()
        .enumerate()
        .map(|(at, join)| {
            let (before, here) = (alias(at + 1), alias(at + 2));
            format!(" JOIN {} AS {here} ON {}", qualified(&join.table), on(join, here.clone(), before))
        })
        .collect();
    format!(
        "EXISTS (SELECT 1 FROM {} AS {}{joins} WHERE {} AND {})",
        qualified(&first.table),
        alias(1),
        on(first, alias(1), ident(&table.name)),
        is_tenant(format!("{}.{}", alias(way.joins.len()), ident(&way.column)))
    )
}
