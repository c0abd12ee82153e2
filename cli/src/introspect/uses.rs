//! Objects that depend on tables and their columns, and so prevent dropping them or changing their types.

use std::collections::BTreeMap;

use relata_codegen::sql::OtherKind;
use relata_codegen::sql::names::generated_column;
use tokio_postgres::Error;

use super::Cx;

/// The column number for objects that prevent changes of all columns of a table.
pub(super) const EVERY_COLUMN: i32 = -1;

/// The objects that depend on each column, by the oid of the table and the number of the column. Number 0 is the table
/// as a whole.
pub(super) async fn used_by(cx: &Cx<'_>) -> Result<BTreeMap<(u32, i32), Vec<String>>, Error> {
    let sql = "SELECT d.refobjid, d.refobjsubid, v.relkind::text, vn.nspname::text, v.relname::text,
           pg_describe_object(d.classid, d.objid, d.objsubid), n.nspname::text, c.relname::text, g.attname::text
        FROM pg_depend AS d JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class AS v ON v.oid = r.ev_class
        LEFT JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        LEFT JOIN pg_attribute AS g ON g.attrelid = c.oid AND g.attnum <> d.refobjsubid AND g.attgenerated <> ''
          AND (f.adrelid = c.oid AND f.adnum = g.attnum
            OR d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = g.attnum)
        WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')
          AND (v.oid <> c.oid OR g.attnum IS NOT NULL
            OR d.refobjsubid > 0 AND v.oid = c.oid AND r.rulename <> '_RETURN'
            OR d.refobjsubid > 0 AND d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass)
              -- Those that migrations create make way by themselves.
              AND NOT EXISTS (SELECT FROM pg_policy AS p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid
                              AND p.polname IN ('relata_tenant', 'relata_across_tenants'))
            OR d.refobjsubid > 0 AND d.classid = 'pg_publication_rel'::regclass
            OR d.classid = 'pg_proc'::regclass)
        UNION ALL
        -- Its rows as values: of a function, which the table cannot go without, and in columns of other tables, under which
        -- no column of it can change.
        SELECT c.oid, CASE WHEN d.classid = 'pg_class'::regclass THEN -1 ELSE 0 END, NULL, NULL, NULL,
          pg_describe_object(d.classid, d.objid, d.objsubid), NULL, NULL, NULL
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_type AS t ON t.typrelid = c.oid
        JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
        WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND d.deptype = 'n'
          AND (d.classid = 'pg_proc'::regclass OR d.classid = 'pg_class'::regclass AND d.objsubid > 0)
        UNION ALL
        SELECT i.inhparent, 0, h.relkind::text, hn.nspname::text, h.relname::text, NULL, NULL, NULL, NULL
        FROM pg_inherits AS i JOIN pg_class AS h ON h.oid = i.inhrelid JOIN pg_namespace AS hn ON hn.oid = h.relnamespace
        JOIN pg_class AS c ON c.oid = i.inhparent JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) AND c.relkind = 'r'
        ORDER BY 1, 2, 3, 4, 5, 6";
    let mut used: BTreeMap<(u32, i32), Vec<String>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let view: (Option<&str>, Option<&str>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        let user = match view {
            (Some("m"), Some(schema), Some(name)) => {
                format!("{} {}", OtherKind::MaterializedView, cx.name(schema, name))
            }
            (Some("v"), Some(schema), Some(name)) => format!("{} {}", OtherKind::View, cx.name(schema, name)),
            (Some(_), Some(schema), Some(name)) if row.try_get::<_, Option<&str>>(5)?.is_none() => {
                format!("table {}", cx.name(schema, name))
            }
            _ => match row.try_get::<_, Option<&str>>(8)? {
                Some(column) => generated_column(&cx.name(row.try_get(6)?, row.try_get(7)?), column),
                None => row.try_get(5)?,
            },
        };
        let users = used.entry((row.try_get(0)?, row.try_get(1)?)).or_default();
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(used)
}

/// Returns whether an object that uses a column must be dropped before the table can be dropped. Triggers and policies
/// are dropped with their table.
pub(super) fn is_view(user: &str) -> bool {
    user.starts_with("view ") || user.starts_with("materialized view ")
}
