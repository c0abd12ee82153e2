//! Row security of tables, and the policies that migrations create. Of other policies, only the existence is recorded.

use relata_codegen::sql::{
    ACROSS_TENANTS_POLICY, ObjectName, Policy, PolicyCondition, RowSecurity, State, TENANT_POLICY,
};
use tokio_postgres::Row;

use super::Cx;

const TABLES: &str = "
    SELECT n.nspname::text, c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
                   AND p.polname NOT IN ('relata_tenant', 'relata_across_tenants'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1)
      AND (c.relrowsecurity OR c.relforcerowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))";

/// Each column that a policy names is three texts: its schema, its table and itself.
const POLICIES: &str = "
    SELECT n.nspname::text, c.relname::text, p.polname::text, p.polpermissive,
           CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
             ELSE 'ALL' END,
           ARRAY(SELECT pg_get_userbyid(role)::text FROM unnest(p.polroles) AS role WHERE role <> 0 ORDER BY 1),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
           ARRAY(SELECT part FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
                 JOIN pg_namespace tn ON tn.oid = t.relnamespace
                 CROSS JOIN LATERAL unnest(ARRAY[tn.nspname::text, t.relname::text, a.attname::text])
                   WITH ORDINALITY AS u(part, place)
                 -- A column that both conditions name is there twice.
                 WHERE (a.attrelid, a.attnum::int) IN (SELECT d.refobjid, d.refobjsubid FROM pg_depend d
                   WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
                     AND d.refobjsubid > 0)
                 ORDER BY t.oid, a.attnum, place)
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND NOT (c.relispartition) AND p.polname IN ('relata_tenant', 'relata_across_tenants')";

/// Adds row security to the tables that were read.
pub(super) async fn add_row_security(cx: &Cx<'_>, state: &mut State) -> Result<(), tokio_postgres::Error> {
    debug_assert_eq!([TENANT_POLICY, ACROSS_TENANTS_POLICY], ["relata_tenant", "relata_across_tenants"]);
    for row in cx.rows(TABLES).await? {
        let security = RowSecurity {
            enabled: row.try_get(2)?,
            forced: row.try_get(3)?,
            policies: Vec::new(),
            has_files: false,
            has_others: row.try_get(4)?,
        };
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        state.tables.iter_mut().filter(|table| table.name == name).for_each(|table| {
            table.row_security = security.clone();
        });
    }
    for row in cx.rows(POLICIES).await? {
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        let policy = policy(cx, &row)?;
        let tables = state.tables.iter_mut().filter(|table| table.name == name);
        tables.for_each(|table| table.row_security.policies.push(policy.clone()));
    }
    Ok(())
}

fn policy(cx: &Cx<'_>, row: &Row) -> Result<Policy, tokio_postgres::Error> {
    let condition = |at: usize| -> Result<Option<PolicyCondition>, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<String>>(at)?.map(PolicyCondition::Sql))
    };
    let uses: Vec<String> = row.try_get(8)?;
    let uses: Vec<(ObjectName, String)> =
        uses.chunks_exact(3).map(|part| (cx.name(&part[0], &part[1]), part[2].clone())).collect();
    Ok(Policy {
        name: row.try_get(2)?,
        permissive: row.try_get(3)?,
        command: row.try_get(4)?,
        roles: row.try_get(5)?,
        using: condition(6)?,
        check: condition(7)?,
        uses,
    })
}
