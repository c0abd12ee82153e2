//! Recorded changes: the triggers of tables, and the table of changes with its function.

use std::collections::BTreeMap;

use relata_codegen::sql::{
    AUDIT, AUDIT_TRUNCATE, Audit, AuditLog, ObjectName, State, audit_function, audit_function_settings, audit_policies,
};
use tokio_postgres::{Error, Row};

use super::Cx;

/// The triggers that call the function, without those that partitions have from their table.
const TRIGGERS: &str = "
    SELECT n.nspname::text, c.relname::text, fn.nspname::text AS function_schema, t.tgname::text AS name, t.tgargs AS arguments,
           t.tgtype = CASE t.tgname WHEN '_relata_audit' THEN 29 ELSE 32 END AND t.tgenabled IN ('O', 'A')
             AND t.tgqual IS NULL AND cardinality(t.tgattr::int2[]) = 0 AS complete
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT t.tgisinternal
      AND f.proname = '_relata_audit' AND t.tgname IN ('_relata_audit', '_relata_audit_truncate') AND c.relname <> '_relata_audit'
    ORDER BY 1, 2, t.tgname";

/// The table of changes and its function in the schema `$1`.
const LOG: &str = "
    SELECT f.prosrc AS source, f.prosecdef AS is_definer, COALESCE(f.proconfig, '{}') AS settings, f.proowner = c.relowner AS is_owners,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           ARRAY(SELECT p.polname::text FROM pg_policy p
                 CROSS JOIN LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid) AS shown, pg_get_expr(p.polwithcheck, p.polrelid) AS checks) e
                 WHERE p.polrelid = c.oid AND p.polpermissive AND p.polroles = '{0}' AND CASE p.polname
                   WHEN 'relata_read' THEN p.polcmd = 'r'
                   WHEN 'relata_tenant' THEN p.polcmd = 'r' AND e.shown LIKE '%relata.tenant%'
                   WHEN 'relata_across_tenants' THEN p.polcmd = 'r' AND e.shown LIKE '%relata.across_tenants%'
                   WHEN 'relata_write' THEN e.shown LIKE '%relata.across_tenants%relowner%' AND e.checks LIKE '%relowner%' END
                 ORDER BY 1) AS policies,
           ARRAY(SELECT format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
           EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = f.oid AND t.tgname = '_relata_audit'
                   AND t.tgtype = 34 AND t.tgenabled IN ('O', 'A')) AS is_kept,
           (SELECT count(*) = 2 FROM pg_class i WHERE i.relnamespace = c.relnamespace
              AND i.relname IN ('_relata_audit_key', '_relata_audit_tenant')) AS is_indexed
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = '_relata_audit' AND c.relkind = 'r'
    WHERE n.nspname = $1 AND f.proname = '_relata_audit' AND f.pronargs = 0";

/// The columns of the table of changes, with their types.
const COLUMNS: [&str; 12] = [
    "id bigint",
    "at timestamp with time zone",
    "transaction bigint",
    "table_schema text",
    "table_name text",
    "operation text",
    "key jsonb",
    "old jsonb",
    "new jsonb",
    "tenant text",
    "actor text",
    "role text",
];

/// The types of a tenant's id, as row security casts to them.
const TENANTS: [&str; 7] = ["", "uuid", "smallint", "integer", "bigint", "bpchar", "citext"];

/// Adds what is recorded to the tables that were read. If everything is compared, triggers and functions are objects.
pub(super) async fn add_audit(cx: &Cx<'_>, state: &mut State) -> Result<(), Error> {
    debug_assert_eq!([AUDIT, AUDIT_TRUNCATE], ["_relata_audit", "_relata_audit_truncate"]);
    if cx.has_partitions {
        return Ok(());
    }
    let mut found: BTreeMap<ObjectName, Vec<Trigger>> = BTreeMap::new();
    for row in cx.rows(TRIGGERS).await? {
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        found.entry(name).or_default().push(trigger(&row)?);
    }
    let Some(schema) = found.values().flatten().map(|trigger| trigger.function_schema.clone()).next() else {
        return Ok(());
    };
    for table in &mut state.tables {
        table.audit = found.get(&table.name).map(|triggers| audit(triggers, &schema));
    }
    state.audit = Some(log(cx, &schema).await?);
    Ok(())
}

struct Trigger {
    function_schema: String,
    name: String,
    arguments: Vec<String>,
    complete: bool,
}

fn trigger(row: &Row) -> Result<Trigger, Error> {
    let arguments: Vec<u8> = row.try_get("arguments")?;
    let mut arguments: Vec<String> =
        arguments.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    // Each ends with a zero.
    arguments.pop();
    Ok(Trigger {
        function_schema: row.try_get("function_schema")?,
        name: row.try_get("name")?,
        arguments,
        complete: row.try_get("complete")?,
    })
}

/// Returns what the triggers of a table record. If they are not those of a migration, they differ from every schema.
fn audit(triggers: &[Trigger], schema: &str) -> Audit {
    let of_table = triggers.iter().find(|trigger| trigger.name == AUDIT);
    let of_truncate = triggers.iter().find(|trigger| trigger.name == AUDIT_TRUNCATE);
    let complete = match (of_table, of_truncate) {
        (Some(one), Some(other)) => {
            let is_usual = |trigger: &Trigger| trigger.complete && trigger.function_schema == schema;
            one.arguments == other.arguments && is_usual(one) && is_usual(other)
        }
        _ => false,
    };
    let none = Audit { key: Vec::new(), masked: Vec::new(), except: Vec::new(), tenant: None, complete: false };
    of_table.and_then(|trigger| Audit::of_arguments(&trigger.arguments, complete)).unwrap_or(none)
}

async fn log(cx: &Cx<'_>, schema: &str) -> Result<AuditLog, Error> {
    let name = cx.name(schema, AUDIT);
    let rows = cx.transaction.query(LOG, &[&schema]).await?;
    let Some(row) = rows.first() else { return Ok(AuditLog { name, tenants: None, complete: false }) };
    let source: String = row.try_get("source")?;
    let readers = std::iter::once(None).chain(TENANTS.into_iter().map(Some));
    let readers = readers.into_iter().find(|tenants| audit_function(schema, *tenants) == source);
    let Some(tenants) = readers else { return Ok(AuditLog { name, tenants: None, complete: false }) };
    let (settings, columns): (Vec<String>, Vec<String>) = (row.try_get("settings")?, row.try_get("columns")?);
    let policies: Vec<String> = row.try_get("policies")?;
    let has_settings = audit_function_settings().iter().all(|wanted| settings.iter().any(|it| it == wanted));
    let has_policies = policies == audit_policies(tenants.is_some());
    let holds = ["is_definer", "is_owners", "enabled", "is_kept", "is_indexed"];
    let holds: Vec<bool> = holds.iter().map(|column| row.try_get(*column)).collect::<Result<_, _>>()?;
    let complete = has_settings
        && has_policies
        && columns == COLUMNS
        && row.try_get::<_, bool>("forced")? == tenants.is_some()
        && holds.into_iter().all(|holds| holds);
    Ok(AuditLog { name, tenants: tenants.map(str::to_owned), complete })
}
