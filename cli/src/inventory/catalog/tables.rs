//! Properties of tables besides their columns, and the objects that depend on them: views, triggers, rules, policies,
//! comments, privileges.

use super::{identity, own};

pub(super) fn queries() -> Vec<String> {
    vec![
        details(),
        inheritance(),
        partitions(),
        views(),
        foreign_tables(),
        rules(),
        triggers(),
        row_security(),
        policies(),
        statistics(),
        comments(),
        labels(),
        privileges(),
        column_privileges(),
        of_schemas(),
    ]
}

/// Tables with their schemas, and the condition that they belong neither to PostgreSQL nor to an extension.
fn from_tables(kinds: &str) -> String {
    format!(
        "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ({kinds}) AND {}",
        own("pg_class", "c")
    )
}

/// The kind of row security that is enabled for a table.
pub(in crate::inventory) const ROW_SECURITY: &str = "row-level security";

/// The kind of a table that may be the join table of a many-to-many relation, as Prisma created them before version 6.
pub(in crate::inventory) const KEYLESS_JOIN_TABLE: &str = "join table without a primary key";

fn details() -> String {
    let name = identity("pg_class", "c.oid");
    format!(
        "SELECT 'table'::text, c.oid, n.nspname::text, v.kind, {name} || coalesce(' (' || v.detail || ')', ''), {name}, true,
            v.statement
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS m ON m.oid = c.relam
         -- As Prisma made them before its version 6.
         LEFT JOIN LATERAL (
            SELECT replace(min(pg_get_indexdef(x.indexrelid)), 'UNIQUE INDEX', 'UNIQUE INDEX IF NOT EXISTS') AS index FROM pg_index AS x
            WHERE x.indrelid = c.oid AND starts_with(c.relname, '_') AND x.indisunique AND x.indpred IS NULL
              AND (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = x.indexrelid) = '{{A,B}}'
              AND (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) = 2
              AND NOT EXISTS (SELECT FROM pg_index AS p WHERE p.indrelid = c.oid AND p.indisprimary)) AS j ON true
         CROSS JOIN LATERAL (VALUES
            -- A schema has the others.
            ('partitioned table', EXISTS (SELECT FROM pg_partitioned_table AS k
                CROSS JOIN LATERAL unnest(k.partattrs::int2[], k.partclass::oid[], k.partcollation::oid[]) AS p (attnum, class, collated)
                LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.attnum
                JOIN pg_opclass AS o ON o.oid = p.class
                WHERE k.partrelid = c.oid AND (p.attnum = 0 OR p.collated <> a.attcollation OR NOT o.opcdefault)), CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, NULL),
            ('table of a type', c.reloftype <> 0, format_type(c.reloftype, NULL), NULL),
            ('table in a tablespace', c.reltablespace <> 0,
                (SELECT spcname::text FROM pg_tablespace AS s WHERE s.oid = c.reltablespace), NULL),
            ('table with a replica identity', c.relreplident <> 'd',
                CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX' END, NULL),
            ('table of another access method', m.amname <> 'heap', m.amname::text, NULL),
            ('{KEYLESS_JOIN_TABLE}', j.index IS NOT NULL, NULL,
                format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', {name}, left(c.relname, 55) || '_AB_pkey') || E';\n' || j.index)
         ) AS v (kind, holds, detail, statement)
         WHERE v.holds AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND {}",
        own("pg_class", "c")
    )
}

fn inheritance() -> String {
    let (child, parent) = (identity("pg_class", "c.oid"), identity("pg_class", "i.inhparent"));
    format!(
        "SELECT 'inheritance'::text, c.oid, n.nspname::text, 'inheritance'::text, format('%s of %s', {child}, {parent}), {child},
            true, CASE WHEN p.relkind = 'r' AND c.relkind = 'r' AND m.nspname = ANY($1) THEN
                format('ALTER TABLE %s INHERIT %s', {child}, {parent}) END
         FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_class AS p ON p.oid = i.inhparent JOIN pg_namespace AS m ON m.oid = p.relnamespace
         WHERE c.relkind IN ('r', 'f') AND NOT c.relispartition AND {}",
        own("pg_class", "c")
    )
}

fn partitions() -> String {
    let name = identity("pg_class", "c.oid");
    format!(
        "SELECT 'partition'::text, c.oid, n.nspname::text, 'partition'::text,
            format('%s %s', {name}, pg_get_expr(c.relpartbound, c.oid)), {name}, true, NULL::text
         {} AND c.relispartition",
        from_tables("'r', 'p', 'f'")
    )
}

fn views() -> String {
    let name = identity("pg_class", "c.oid");
    format!(
        "SELECT 'pg_class'::text, c.oid, n.nspname::text,
            CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, {name}, n.nspname || E'\\x01' || c.relname, true,
            format('CREATE %s %s%s AS%s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, {name},
                ' WITH (' || array_to_string(c.reloptions, ', ') || ')', E'\\n' || rtrim(pg_get_viewdef(c.oid), '; '),
                (SELECT string_agg(E';\\n' || pg_get_indexdef(i.indexrelid), '' ORDER BY i.indexrelid)
                 FROM pg_index AS i WHERE i.indrelid = c.oid))
         {}",
        from_tables("'v', 'm'")
    )
}

fn foreign_tables() -> String {
    let name = identity("pg_class", "c.oid");
    format!(
        "SELECT 'pg_class'::text, c.oid, n.nspname::text, 'foreign table'::text, {name}, {name}, true, NULL::text
         {} AND NOT c.relispartition",
        from_tables("'f'")
    )
}

fn rules() -> String {
    let table = identity("pg_class", "c.oid");
    format!(
        "SELECT 'pg_rewrite'::text, r.oid, n.nspname::text, 'rule'::text, format('%I on %s', r.rulename, {table}), {table},
            true, rtrim(pg_get_ruledef(r.oid), '; ')
         FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN' AND {}",
        own("pg_class", "c")
    )
}

/// The triggers of a partitioned table are created on its partitions automatically.
fn triggers() -> String {
    let table = identity("pg_class", "c.oid");
    format!(
        "SELECT 'pg_trigger'::text, t.oid, n.nspname::text, 'trigger'::text, format('%I on %s', t.tgname, {table}), {table},
            true, pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE
                format(E';\\nALTER TABLE %s %s TRIGGER %I', {table}, CASE t.tgenabled WHEN 'D' THEN 'DISABLE'
                    WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname) END
         FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {}",
        own("pg_class", "c")
    )
}

fn row_security() -> String {
    let name = identity("pg_class", "c.oid");
    format!(
        "SELECT 'row security'::text, c.oid, n.nspname::text, '{ROW_SECURITY}'::text,
            {name} || CASE WHEN c.relforcerowsecurity THEN ' (FORCE)' ELSE '' END, {name}, true,
            CASE WHEN NOT c.relispartition THEN concat_ws(E';\\n',
                CASE WHEN c.relrowsecurity THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', {name}) END,
                CASE WHEN c.relforcerowsecurity THEN format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', {name}) END) END
         {} AND (c.relrowsecurity OR c.relforcerowsecurity)",
        from_tables("'r', 'p'")
    )
}

fn policies() -> String {
    let table = identity("pg_class", "c.oid");
    format!(
        "SELECT 'pg_policy'::text, p.oid, n.nspname::text, 'policy'::text, format('%I on %s', p.polname, {table}), {table}, true,
            format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, {table},
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                    ELSE 'ALL' END,
                (SELECT string_agg(CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ')
                 FROM unnest(p.polroles) AS role),
                ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
         FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE {}",
        own("pg_class", "c")
    )
}

fn statistics() -> String {
    let name = identity("pg_statistic_ext", "s.oid");
    let table = identity("pg_class", "s.stxrelid");
    format!(
        "SELECT 'pg_statistic_ext'::text, s.oid, n.nspname::text, 'statistics'::text, {name}, {table}, true,
            pg_get_statisticsobjdef(s.oid) || coalesce(E';\nALTER STATISTICS ' || {name} || ' SET STATISTICS '
                || NULLIF(to_jsonb(s) ->> 'stxstattarget', '-1'), '')
         FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace WHERE {}",
        own("pg_statistic_ext", "s")
    )
}

/// An object that belongs to a table has the schema of the table.
const SCHEMA_OF: &str = "coalesce((pg_identify_object(s.classoid, s.objoid, s.objsubid)).schema,
    (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = coalesce(
        (SELECT k.conrelid FROM pg_constraint AS k WHERE s.classoid = 'pg_constraint'::regclass AND k.oid = s.objoid),
        (SELECT t.tgrelid FROM pg_trigger AS t WHERE s.classoid = 'pg_trigger'::regclass AND t.oid = s.objoid),
        (SELECT p.polrelid FROM pg_policy AS p WHERE s.classoid = 'pg_policy'::regclass AND p.oid = s.objoid),
        (SELECT r.ev_class FROM pg_rewrite AS r WHERE s.classoid = 'pg_rewrite'::regclass AND r.oid = s.objoid))),
    CASE WHEN s.classoid = 'pg_namespace'::regclass THEN (SELECT nspname FROM pg_namespace WHERE oid = s.objoid) END)";

fn comments() -> String {
    format!(
        "SELECT 'comment on ' || s.classoid::regclass, s.objoid, {SCHEMA_OF}, 'comment'::text, format('%s %s', i.type, i.identity), i.identity, true,
            CASE WHEN i.type NOT IN ('default value', 'operator class', 'operator family') THEN
                format('COMMENT ON %s %s IS %L', CASE i.type WHEN 'table column' THEN 'COLUMN' WHEN 'view column' THEN 'COLUMN'
                    WHEN 'materialized view column' THEN 'COLUMN' WHEN 'foreign table column' THEN 'COLUMN'
                    WHEN 'composite type column' THEN 'COLUMN' WHEN 'table constraint' THEN 'CONSTRAINT'
                    WHEN 'domain constraint' THEN 'CONSTRAINT' WHEN 'composite type' THEN 'TYPE'
                    WHEN 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END,
                    CASE i.type WHEN 'domain constraint' THEN replace(i.identity, ' on ', ' on domain ') ELSE i.identity END,
                    s.description) END
         FROM pg_description AS s CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) AS i
         WHERE s.objoid >= 16384 AND s.classoid <> 'pg_extension'::regclass
           AND NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.classid = s.classoid AND x.objid = s.objoid AND x.deptype = 'e')"
    )
}

fn labels() -> String {
    format!(
        "SELECT 'label'::text, s.objoid, {SCHEMA_OF}, 'security label'::text, format('%s %s', i.type, i.identity), i.identity,
            true, NULL::text
         FROM pg_seclabel AS s CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) AS i
         WHERE s.objoid >= 16384"
    )
}

/// Privileges other than those of the owner.
fn privileges() -> String {
    let of = |class: &str, alias: &str, namespace: &str, acl: &str, default: &str, owner: &str| {
        format!(
            "SELECT 'privileges'::text, {alias}.oid, n.nspname::text, 'privileges'::text, i.type || ' ' || i.identity, i.identity,
                true, NULL::text
             FROM {class} AS {alias} JOIN pg_namespace AS n ON n.oid = {alias}.{namespace}
             CROSS JOIN LATERAL pg_identify_object('{class}'::regclass, {alias}.oid, 0) AS i
             WHERE {alias}.{acl} IS NOT NULL AND {alias}.{acl} <> acldefault({default}, {alias}.{owner}) AND {}",
            own(class, alias)
        )
    };
    [
        of(
            "pg_class",
            "c",
            "relnamespace",
            "relacl",
            "CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END",
            "relowner",
        ),
        of("pg_proc", "p", "pronamespace", "proacl", "'f'::\"char\"", "proowner"),
        of("pg_type", "t", "typnamespace", "typacl", "'T'::\"char\"", "typowner"),
    ]
    .join(" UNION ALL ")
}

fn column_privileges() -> String {
    format!(
        "SELECT 'privileges'::text, c.oid, n.nspname::text, 'privileges'::text,
            format('table column %I.%I.%I', n.nspname, c.relname, a.attname), format('%I.%I', n.nspname, c.relname), true,
            NULL::text
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped AND {}",
        own("pg_class", "c")
    )
}

fn of_schemas() -> String {
    "SELECT 'privileges'::text, n.oid, n.nspname::text, 'privileges'::text, format('schema %I', n.nspname), NULL::text, true,
        NULL::text
     FROM pg_namespace AS n
     WHERE n.oid >= 16384 AND n.nspacl IS NOT NULL AND n.nspacl <> acldefault('n'::\"char\", n.nspowner)"
        .to_owned()
}
