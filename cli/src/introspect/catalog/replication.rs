//! Publications with their tables and schemas, and subscriptions, which are only compared.

use relata_codegen::sql::Nature;
use tokio_postgres::Error;

use super::{Select, owned};
use crate::introspect::Cx;

/// Returns the queries that this server can run: PostgreSQL 15 knows more than tables, and not everybody may see how a
/// subscription connects.
pub(super) async fn queries(cx: &Cx<'_>) -> Result<Vec<(Nature, String)>, Error> {
    let sql = "SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL,
        has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')";
    let row = cx.transaction.query_one(sql, &[]).await?;
    let mut found = vec![publications(), tables(), subscriptions(row.try_get(1)?)];
    if row.try_get(0)? {
        found.push(schemas());
    }
    Ok(found)
}

fn publications() -> (Nature, String) {
    let it = "quote_ident(p.pubname)";
    let more = "to_jsonb(p) ->> 'pubgencols'";
    let options = format!(
        "format('publish = %L, publish_via_partition_root = %s%s', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
           CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
           CASE WHEN p.pubtruncate THEN 'truncate' END), CASE WHEN p.pubviaroot THEN 'true' ELSE 'false' END,
           CASE {more} WHEN 's' THEN ', publish_generated_columns = stored' WHEN 'n' THEN ', publish_generated_columns = none' END)"
    );
    let all = "CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE '' END";
    let select = Select {
        class: "pg_publication",
        oid: "p.oid",
        kind: "publication",
        name: it,
        create: &format!("format('CREATE PUBLICATION %s%s WITH (%s)', {it}, {all}, {options})"),
        drop: &format!("format('DROP PUBLICATION %s', {it})"),
        shape: all,
        replace: &format!("format('ALTER PUBLICATION %s SET (%s)', {it}, {options})"),
        restore: owned("'PUBLICATION'", it, "p.pubowner"),
        from: "pg_publication AS p".to_owned(),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// The tables of publications. A condition needs columns like a policy does. PostgreSQL before 15 has neither conditions
/// nor lists of columns.
fn tables() -> (Nature, String) {
    let columns =
        "(SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND jsonb_typeof(to_jsonb(r) -> 'prattrs') = 'array'
          AND to_jsonb(r) -> 'prattrs' @> to_jsonb(a.attnum) HAVING count(*) > 0)";
    let add = format!(
        "format('ALTER PUBLICATION %I ADD TABLE ONLY %s%s%s', p.pubname, c.oid::regclass, {columns},
           ' WHERE ' || (to_jsonb(v) ->> 'rowfilter'))"
    );
    let select = Select {
        class: "pg_publication_rel",
        oid: "r.oid",
        kind: "table of publication",
        name: "format('%I: %s', p.pubname, c.oid::regclass)",
        create: &add,
        drop: "format('ALTER PUBLICATION %I DROP TABLE ONLY %s', p.pubname, c.oid::regclass)",
        shape: &add,
        owner: Some(("'pg_class'", "c.oid", "0")),
        from: "pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid JOIN pg_class AS c ON c.oid = r.prrelid
             JOIN pg_namespace AS n ON n.oid = c.relnamespace
             LEFT JOIN pg_publication_tables AS v ON v.pubname = p.pubname AND v.schemaname = n.nspname AND v.tablename = c.relname
             WHERE n.nspname = ANY($1)"
            .to_owned(),
        ..Select::default()
    };
    (Nature::Guard, select.sql())
}

fn schemas() -> (Nature, String) {
    let change =
        |word: &str| format!("format('ALTER PUBLICATION %I {word} TABLES IN SCHEMA %I', p.pubname, n.nspname)");
    let select = Select {
        class: "pg_publication_namespace",
        oid: "r.oid",
        kind: "schema of publication",
        name: "format('%I: %I', p.pubname, n.nspname)",
        create: &change("ADD"),
        drop: &change("DROP"),
        from: "pg_publication_namespace AS r JOIN pg_publication AS p ON p.oid = r.pnpubid
             JOIN pg_namespace AS n ON n.oid = r.pnnspid WHERE n.nspname = ANY($1)"
            .to_owned(),
        ..Select::default()
    };
    (Nature::Guard, select.sql())
}

/// How a subscription connects is a secret, and creating one begins to copy rows, so they are only compared. Where it is
/// and whether it is enabled are not part of its definition.
fn subscriptions(sees_connection: bool) -> (Nature, String) {
    let shape = if sees_connection {
        "to_jsonb(s) - ARRAY['oid', 'subdbid', 'subowner', 'subskiplsn', 'subenabled', 'subtwophasestate'] || jsonb_build_object(
           'twophase', COALESCE(to_jsonb(s) ->> 'subtwophasestate', 'd') <> 'd',
           'comment', obj_description(s.oid, 'pg_subscription'))"
    } else {
        "concat_ws(' ', s.subslotname, s.subpublications, obj_description(s.oid, 'pg_subscription'))"
    };
    let select = Select {
        class: "subscription",
        oid: "s.oid",
        kind: "subscription",
        name: "quote_ident(s.subname)",
        shape,
        from: "pg_subscription AS s WHERE s.subdbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
            .to_owned(),
        ..Select::default()
    };
    (Nature::Note, select.sql())
}
