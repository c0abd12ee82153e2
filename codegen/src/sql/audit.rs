//! The table of changes and its function as SQL.

use super::quote::{ident, literal, qualified};
use super::state::{ACROSS_TENANTS_POLICY, AUDIT, Audit, AuditLog, ObjectName, TENANT_POLICY};

/// The policy that lets clients read all changes.
const AUDIT_READ_POLICY: &str = "relata_read";

/// The policy that lets the owner of the table write changes, if row security is forced on the owner.
const AUDIT_WRITE_POLICY: &str = "relata_write";

/// Stands for the schema, quoted, if only the database knows it.
const SCHEMA: &str = "@schema@";

/// Returns the names of the policies of a table of changes.
pub fn audit_policies(is_secured: bool) -> &'static [&'static str] {
    if is_secured { &[ACROSS_TENANTS_POLICY, TENANT_POLICY, AUDIT_WRITE_POLICY] } else { &[AUDIT_READ_POLICY] }
}

/// Returns the source of the function that records changes, in a schema of this name. It differs with the readers, so that
/// the function tells which policies belong to it.
pub fn audit_function(schema: &str, tenants: Option<&str>) -> String {
    source(&ident(schema), tenants)
}

/// Returns the source of the function, in which the quoted schema is `schema`.
fn source(schema: &str, tenants: Option<&str>) -> String {
    let readers = match tenants {
        None => "everybody who may".to_owned(),
        Some("") => "tenants, each its own".to_owned(),
        Some(cast) => format!("tenants of the type {cast}, each its own"),
    };
    let log = format!("{schema}.{}", ident(AUDIT));
    let columns = r#"("at", "transaction", "table_schema", "table_name", "operation", "key", "old", "new", "tenant", "actor", "role")"#;
    format!(
        r#"
-- Made by Relata. Arguments: the key, columns that are not shown, columns that are left out, the column of the tenant.
-- The table is read by {readers}.
#variable_conflict use_column
DECLARE
  table_schema text := TG_TABLE_SCHEMA;
  table_name text := TG_TABLE_NAME;
  before jsonb;
  after jsonb;
  changed_before jsonb;
  changed_after jsonb;
  mask jsonb;
  row_key jsonb;
  row_tenant text;
  actor text := nullif(current_setting('relata.actor', true), '');
  writer text := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
  IF TG_NARGS = 0 THEN
    RAISE EXCEPTION 'the recorded changes cannot be truncated' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF pg_partition_root(TG_RELID) <> TG_RELID THEN
    SELECT n.nspname, c.relname INTO table_schema, table_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = pg_partition_root(TG_RELID);
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO {log} {columns}
    VALUES (statement_timestamp(), txid_current(), table_schema, table_name, 'truncate', NULL, NULL, NULL, NULL, actor, writer);
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    before := to_jsonb(OLD) - TG_ARGV[2]::text[];
  END IF;
  IF TG_OP <> 'DELETE' THEN
    after := to_jsonb(NEW) - TG_ARGV[2]::text[];
  END IF;
  changed_before := before;
  changed_after := after;
  IF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(c.name, before -> c.name), jsonb_object_agg(c.name, c.value)
    INTO changed_before, changed_after
    FROM jsonb_each(after) AS c(name, value) WHERE c.value IS DISTINCT FROM before -> c.name;
    IF changed_after IS NULL THEN
      RETURN NULL;
    END IF;
  END IF;
  SELECT jsonb_object_agg(c.name, coalesce(after, before) -> c.name) INTO row_key
  FROM unnest(TG_ARGV[0]::text[]) AS c(name);
  SELECT coalesce(jsonb_object_agg(c.name, '***'), '{{}}') INTO mask
  FROM unnest(TG_ARGV[1]::text[]) AS c(name) WHERE coalesce(changed_after, changed_before) ? c.name;
  row_tenant := coalesce(after, before) ->> nullif(TG_ARGV[3], '');
  INSERT INTO {log} {columns}
  VALUES (statement_timestamp(), txid_current(), table_schema, table_name, lower(TG_OP), row_key,
    changed_before || mask, changed_after || mask, row_tenant, actor, writer);
  RETURN NULL;
END
"#
    )
}

/// Returns the statements that create the table of changes, its policies and its function, or complete them.
pub(super) fn create_log(log: &AuditLog) -> Vec<String> {
    let name = qualified(&log.name);
    let index = |suffix: &str| ident(&format!("{AUDIT}_{suffix}"));
    let mut statements = vec![
        format!(
            r#"CREATE TABLE IF NOT EXISTS {name} (
  "id" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "at" TIMESTAMPTZ NOT NULL,
  "transaction" BIGINT NOT NULL,
  "table_schema" TEXT NOT NULL,
  "table_name" TEXT NOT NULL,
  "operation" TEXT NOT NULL,
  "key" JSONB,
  "old" JSONB,
  "new" JSONB,
  "tenant" TEXT,
  "actor" TEXT,
  "role" TEXT NOT NULL
)"#
        ),
        format!(
            r#"CREATE INDEX IF NOT EXISTS {} ON {name} ("table_name", jsonb_hash_extended("key", 0), "id")"#,
            index("key")
        ),
        format!(
            r#"CREATE INDEX IF NOT EXISTS {} ON {name} ("tenant", "id") WHERE "tenant" IS NOT NULL"#,
            index("tenant")
        ),
        create_function(log),
        format!(
            "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, {}",
            if log.tenants.is_some() { "FORCE ROW LEVEL SECURITY" } else { "NO FORCE ROW LEVEL SECURITY" }
        ),
    ];
    let all = audit_policies(true).iter().chain(audit_policies(false));
    statements.extend(all.map(|policy| format!("DROP POLICY IF EXISTS {} ON {name}", ident(policy))));
    statements.extend(create_policies(log));
    let trigger = ident(AUDIT);
    statements.push(format!("DROP TRIGGER IF EXISTS {trigger} ON {name}"));
    statements.push(format!(
        "CREATE TRIGGER {trigger} BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    ));
    statements
}

fn create_policies(log: &AuditLog) -> Vec<String> {
    let name = qualified(&log.name);
    let policy = |policy: &str, rest: String| format!("CREATE POLICY {} ON {name} {rest}", ident(policy));
    let Some(cast) = &log.tenants else { return vec![policy(AUDIT_READ_POLICY, "FOR SELECT USING (true)".to_owned())] };
    let across = "(SELECT current_setting('relata.across_tenants', true) AS across_tenants) = 'on'";
    let owner = format!(
        "current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = {}::regclass)",
        literal(&name)
    );
    let setting = "(SELECT nullif(current_setting('relata.tenant', true), '') AS tenant)";
    // The text of a value with one of these types says whether it is equal; that of the others does not.
    let is_own = match cast.as_str() {
        "" => format!(r#""tenant" = {setting}"#),
        "bpchar" | "citext" => format!(r#""tenant"::{cast} = {setting}::{cast}"#),
        cast => format!(r#""tenant" = ({setting}::{cast})::text"#),
    };
    vec![
        policy(ACROSS_TENANTS_POLICY, format!("FOR SELECT USING ({across})")),
        policy(TENANT_POLICY, format!("FOR SELECT USING ({is_own})")),
        policy(AUDIT_WRITE_POLICY, format!("USING ({across} AND {owner}) WITH CHECK ({owner})")),
    ]
}

/// If only the database knows the schema, the statement takes its name from the search path.
fn create_function(log: &AuditLog) -> String {
    let name = qualified(&log.name);
    let create = |schema: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp SET timezone TO 'UTC' SET datestyle TO 'ISO, YMD'
SET intervalstyle TO 'postgres' SET bytea_output TO 'hex' SET extra_float_digits TO 1 AS $body${}$body$",
            source(schema, log.tenants.as_deref())
        )
    };
    match &log.name.schema {
        Some(schema) => create(&ident(schema)),
        None => format!(
            "DO $relata$ BEGIN
EXECUTE replace($function${}$function$, {}, '\"' || replace(current_schema(), '\"', '\"\"') || '\"');
END $relata$",
            create(SCHEMA),
            literal(SCHEMA)
        ),
    }
}

/// Returns the settings of the function, as PostgreSQL lists them.
pub fn audit_function_settings() -> [&'static str; 6] {
    [
        "search_path=pg_catalog, pg_temp",
        "TimeZone=UTC",
        "DateStyle=ISO, YMD",
        "IntervalStyle=postgres",
        "bytea_output=hex",
        "extra_float_digits=1",
    ]
}

/// Returns the schema of a table as SQL.
pub(super) fn schema_of(table: &ObjectName) -> String {
    table.schema.as_ref().map_or_else(|| "current_schema()".to_owned(), |schema| literal(schema))
}

/// Returns the arguments of the triggers of a table.
pub(super) fn arguments(audit: &Audit) -> [String; 4] {
    let array = |names: &[String]| {
        let quoted = |name: &String| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        format!("{{{}}}", names.iter().map(quoted).collect::<Vec<_>>().join(","))
    };
    [array(&audit.key), array(&audit.masked), array(&audit.except), audit.tenant.clone().unwrap_or_default()]
}

impl Audit {
    /// Reads the arguments of a trigger. `None` if migrations create no such trigger.
    pub fn of_arguments(arguments: &[String], complete: bool) -> Option<Self> {
        let [key, masked, except, tenant] = arguments else { return None };
        let tenant = Some(tenant.clone()).filter(|name| !name.is_empty());
        let (key, masked, except) = (names(key)?, names(masked)?, names(except)?);
        let audit = Audit { key, masked, except, tenant, complete };
        (self::arguments(&audit) == *arguments).then_some(audit)
    }
}

/// Reads an array of names.
fn names(array: &str) -> Option<Vec<String>> {
    let mut rest = array.strip_prefix('{')?.strip_suffix('}')?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let mut name = String::new();
        let mut letters = rest.strip_prefix('"')?.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at + 2,
                (_, '\\') => name.push(letters.next()?.1),
                (_, letter) => name.push(letter),
            }
        };
        names.push(name);
        rest = rest.get(end..)?;
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(names)
}
