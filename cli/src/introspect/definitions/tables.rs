//! Objects that belong to tables.

use super::ours;
use crate::introspect::SET_BY_USER;

pub(super) fn queries() -> Vec<String> {
    [rules(), partitions(), storage(), constraints()].concat()
}

/// A query for each table with the rest of the FROM clause and a condition.
fn object(kind: &str, part: &str, text: &str, rest: &str) -> String {
    let tables = ours("pg_class", "c");
    format!(
        "SELECT {kind}, n.nspname::text, c.relname::text, {part}, {text}
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND {tables} AND c.relkind IN ('r', 'p', 'f') {rest}"
    )
}

/// Triggers, rules and policies.
fn rules() -> Vec<String> {
    vec![
        object(
            "'trigger'",
            "t.tgname::text",
            "concat(pg_get_triggerdef(t.oid, true), t.tgenabled)",
            "JOIN pg_trigger AS t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND t.tgparentid = 0",
        ),
        object(
            "'triggers of constraint'",
            "k.conname::text",
            "string_agg(t.tgenabled, '' ORDER BY t.tgfoid)",
            "JOIN pg_trigger AS t ON t.tgrelid = c.oid JOIN pg_constraint AS k ON k.oid = t.tgconstraint
             WHERE t.tgisinternal AND t.tgparentid = 0 GROUP BY 1, 2, 3, 4 HAVING NOT bool_and(t.tgenabled = 'O')",
        ),
        object(
            "'rule'",
            "r.rulename::text",
            "concat(pg_get_ruledef(r.oid, true), r.ev_enabled)",
            "JOIN pg_rewrite AS r ON r.ev_class = c.oid",
        ),
        object(
            "'policy'",
            "p.polname::text",
            "concat_ws(' ', p.polcmd, p.polpermissive,
               ARRAY(SELECT COALESCE(r.rolname::text, 'PUBLIC') FROM unnest(p.polroles) AS o(oid)
                     LEFT JOIN pg_roles AS r ON r.oid = o.oid ORDER BY 1),
               pg_get_expr(p.polqual, p.polrelid), '|', pg_get_expr(p.polwithcheck, p.polrelid))",
            "JOIN pg_policy AS p ON p.polrelid = c.oid
             -- Those are migrated, and row security with them.
             WHERE c.relispartition OR p.polname NOT IN ('relata_tenant', 'relata_across_tenants')",
        ),
        object(
            "'row-level security of'",
            "NULL",
            "c.relforcerowsecurity::text",
            "WHERE (c.relrowsecurity OR c.relforcerowsecurity) AND (c.relispartition OR NOT EXISTS (
               SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid
               AND p.polname IN ('relata_tenant', 'relata_across_tenants')))",
        ),
    ]
}

/// Partitions, inheritance, and the statistics of partitions and foreign tables.
fn partitions() -> Vec<String> {
    vec![
        object(
            "'statistics'",
            "s.stxname::text",
            "concat(replace(pg_get_statisticsobjdef(s.oid), format('STATISTICS %I.', sn.nspname), 'STATISTICS '),
               NULLIF(to_jsonb(s) ->> 'stxstattarget', '-1'))",
            "JOIN pg_statistic_ext AS s ON s.stxrelid = c.oid JOIN pg_namespace AS sn ON sn.oid = s.stxnamespace
             -- Those of other tables are migrated.
             WHERE c.relkind = 'f' OR c.relispartition",
        ),
        object("'partition key of'", "NULL", "pg_get_partkeydef(c.oid)", "WHERE c.relkind = 'p'"),
        object(
            "CASE WHEN c.relispartition THEN 'partition' ELSE 'inheritance of' END",
            "NULL",
            "concat_ws(' ', c.relkind, c.relpersistence, c.reloptions, pg_get_expr(c.relpartbound, c.oid),
               (SELECT string_agg(p.relname, ', ' ORDER BY i.inhseqno)
                FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid),
               CASE WHEN c.relispartition THEN
                 (SELECT string_agg(pg_get_indexdef(x.indexrelid, 0, true), ', ' ORDER BY x.indexrelid::regclass::text)
                  FROM pg_index AS x WHERE x.indrelid = c.oid
                    AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = x.indexrelid)) END,
               CASE WHEN c.relispartition THEN
                 (SELECT string_agg(k.conname || pg_get_constraintdef(k.oid, true), ', ' ORDER BY k.conname)
                  FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.coninhcount = 0 AND k.contype <> 'n') END)",
            "WHERE EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)",
        ),
    ]
}

/// How tables, columns and indexes are stored.
fn storage() -> Vec<String> {
    vec![
        object(
            "'replica identity of'",
            "NULL",
            "concat(c.relreplident, (SELECT x.indexrelid::regclass FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisreplident))",
            "WHERE c.relreplident <> 'd'",
        ),
        object(
            "'clustered index of'",
            "NULL",
            "i.relname::text",
            "JOIN pg_index AS x ON x.indrelid = c.oid AND x.indisclustered JOIN pg_class AS i ON i.oid = x.indexrelid",
        ),
        object(
            "'access method of'",
            "NULL",
            "m.amname::text",
            "JOIN pg_am AS m ON m.oid = c.relam AND m.amname <> 'heap'",
        ),
        object("'type of table'", "NULL", "c.reloftype::regtype::text", "WHERE c.reloftype <> 0"),
        object(
            "'index'",
            "i.relname::text",
            "pg_get_indexdef(i.oid, 0, true)",
            "JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS m ON m.oid = i.relam
             WHERE NOT c.relispartition AND m.amname NOT IN ('btree', 'hash', 'gin', 'gist', 'spgist', 'brin')",
        ),
        object(
            "'storage of column'",
            "a.attname::text",
            "concat_ws(' ', a.attstorage, NULLIF(to_jsonb(a) ->> 'attcompression', ''), NULLIF(a.attstattarget, -1), o.options)",
            &format!("JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             JOIN pg_type AS t ON t.oid = a.atttypid
             CROSS JOIN LATERAL (SELECT array_agg(o) FROM unnest(a.attoptions) AS o WHERE {SET_BY_USER}) AS o(options)
             -- Those of other tables are migrated.
             WHERE (c.relkind = 'f' OR c.relispartition) AND (a.attstorage <> t.typstorage OR NULLIF(to_jsonb(a) ->> 'attcompression', '') IS NOT NULL
               OR COALESCE(a.attstattarget, -1) >= 0 OR o.options IS NOT NULL)"),
        ),
        object(
            "'statistics target of index'",
            "i.relname::text",
            "string_agg(concat_ws(' ', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)",
            "JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid
             JOIN pg_attribute AS a ON a.attrelid = i.oid AND COALESCE(a.attstattarget, -1) >= 0
             WHERE c.relispartition GROUP BY 1, 2, 3, 4",
        ),
    ]
}

/// Constraints on NULL, and foreign tables.
fn constraints() -> Vec<String> {
    vec![
        object(
            "'not null'",
            "k.conname::text",
            "pg_get_constraintdef(k.oid, true)",
            "JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'n' AND (k.connoinherit OR NOT k.convalidated)",
        ),
        object(
            "'foreign table'",
            "NULL",
            "concat_ws(' ', s.srvname, f.ftoptions,
               (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attfdwoptions,
                  pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
                FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))",
            "JOIN pg_foreign_table AS f ON f.ftrelid = c.oid JOIN pg_foreign_server AS s ON s.oid = f.ftserver",
        ),
    ]
}
