//! Definitions that take part in a comparison of two databases but are not migrated: functions, triggers, policies,
//! domains, partitions and so on, each as one text. The text is compared and never shown, because it may contain a
//! password.
//!
//! Owners, privileges, tablespaces and settings of roles and of the database are not read: they differ from server to
//! server.

use relata_codegen::sql::Definition;
use tokio_postgres::{Error, Row};

use super::{Cx, HISTORY_TABLES};

/// The schemas to read, without members of extensions: `n.nspname` and `TABLE.oid`.
fn ours(class: &str, alias: &str) -> String {
    format!(
        "n.nspname = ANY($1) AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.{class}'::regclass
           AND e.objid = {alias}.oid AND e.deptype = 'e')"
    )
}

/// Objects that belong to a schema: kind, schema, name, part, and the whole definition.
fn of_schemas() -> Vec<String> {
    let functions = ours("pg_proc", "p");
    let types = ours("pg_type", "t");
    vec![
        format!(
            "SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
               n.nspname::text, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', NULL,
               CASE p.prokind WHEN 'a' THEN (
                 SELECT concat_ws(' ', a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                   a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggfinalmodify, a.aggsortop::regoper,
                   a.aggtranstype::regtype, a.agginitval, p.proparallel) FROM pg_aggregate AS a WHERE a.aggfnoid = p.oid)
               ELSE replace(pg_get_functiondef(p.oid), format('%I.%I(', n.nspname, p.proname), format('%I(', p.proname)) END
             FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE {functions}"
        ),
        format!(
            "SELECT 'domain', n.nspname::text, t.typname::text, NULL, concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
               t.typnotnull, t.typdefault, t.typcollation::regcollation,
               (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid, true), ' ' ORDER BY k.conname)
                FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'))
             FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND {types}"
        ),
        format!(
            "SELECT 'composite type', n.nspname::text, t.typname::text, NULL,
               (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                  a.attcollation::regcollation), ', ' ORDER BY a.attnum)
                FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
             FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
             JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE {types}"
        ),
        format!(
            "SELECT 'range type', n.nspname::text, t.typname::text, NULL, concat_ws(' ', r.rngsubtype::regtype,
               r.rngcollation::regcollation, o.opcname, r.rngcanonical, r.rngsubdiff)
             FROM pg_range AS r JOIN pg_type AS t ON t.oid = r.rngtypid JOIN pg_opclass AS o ON o.oid = r.rngsubopc
             JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE {types}"
        ),
        format!(
            "SELECT 'type', n.nspname::text, t.typname::text, NULL, concat_ws(' ', t.typinput, t.typoutput, t.typlen, t.typcategory)
             FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
             WHERE t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type AS x WHERE x.typarray = t.oid) AND {types}"
        ),
        format!(
            "SELECT 'collation', n.nspname::text, c.collname::text, NULL, concat_ws(' ', c.collprovider, c.collcollate,
               c.collctype, COALESCE(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
               to_jsonb(c) ->> 'collicurules', c.collisdeterministic)
             FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace WHERE {}",
            ours("pg_collation", "c")
        ),
        format!(
            "SELECT 'conversion', n.nspname::text, c.conname::text, NULL,
               concat_ws(' ', c.conforencoding, c.contoencoding, c.conproc, c.condefault)
             FROM pg_conversion AS c JOIN pg_namespace AS n ON n.oid = c.connamespace WHERE {}",
            ours("pg_conversion", "c")
        ),
        format!(
            "SELECT 'operator', n.nspname::text,
               format('%s (%s, %s)', o.oprname, o.oprleft::regtype, o.oprright::regtype), NULL,
               concat_ws(' ', o.oprcode, o.oprresult::regtype, o.oprcom::regoper, o.oprnegate::regoper, o.oprrest, o.oprjoin,
                 o.oprcanmerge, o.oprcanhash)
             FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace WHERE {}",
            ours("pg_operator", "o")
        ),
        format!(
            "SELECT 'operator class', n.nspname::text, format('%s using %s', o.opcname, m.amname), NULL,
               concat_ws(' ', o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype)
             FROM pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod JOIN pg_namespace AS n ON n.oid = o.opcnamespace
             WHERE {}",
            ours("pg_opclass", "o")
        ),
        format!(
            "SELECT 'text search configuration', n.nspname::text, c.cfgname::text, NULL,
               (SELECT string_agg(concat_ws(' ', p.prsname, m.maptokentype, m.mapdict::regdictionary), ', '
                  ORDER BY m.maptokentype, m.mapseqno)
                FROM pg_ts_config_map AS m JOIN pg_ts_parser AS p ON p.oid = c.cfgparser WHERE m.mapcfg = c.oid)
             FROM pg_ts_config AS c JOIN pg_namespace AS n ON n.oid = c.cfgnamespace WHERE {}",
            ours("pg_ts_config", "c")
        ),
        format!(
            "SELECT 'text search dictionary', n.nspname::text, d.dictname::text, NULL, concat_ws(' ', t.tmplname, d.dictinitoption)
             FROM pg_ts_dict AS d JOIN pg_ts_template AS t ON t.oid = d.dicttemplate
             JOIN pg_namespace AS n ON n.oid = d.dictnamespace WHERE {}",
            ours("pg_ts_dict", "d")
        ),
    ]
}

/// Objects that belong to tables.
fn of_tables() -> Vec<String> {
    let tables = format!(
        "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND {} AND c.relkind IN ('r', 'p', 'f')",
        ours("pg_class", "c")
    );
    let object = |kind: &str, part: &str, text: &str, rest: &str| {
        format!("SELECT {kind}, n.nspname::text, c.relname::text, {part}, {text} {tables} {rest}")
    };
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
            "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             JOIN pg_type AS t ON t.oid = a.atttypid
             -- PostgreSQL keeps a count of its own among them.
             CROSS JOIN LATERAL (SELECT array_agg(o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\\_attver=%') AS o(options)
             -- Those of other tables are migrated.
             WHERE (c.relkind = 'f' OR c.relispartition) AND (a.attstorage <> t.typstorage OR NULLIF(to_jsonb(a) ->> 'attcompression', '') IS NOT NULL
               OR COALESCE(a.attstattarget, -1) >= 0 OR o.options IS NOT NULL)",
        ),
        object(
            "'statistics target of index'",
            "i.relname::text",
            "string_agg(concat_ws(' ', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)",
            "JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid
             JOIN pg_attribute AS a ON a.attrelid = i.oid AND COALESCE(a.attstattarget, -1) >= 0
             WHERE c.relispartition GROUP BY 1, 2, 3, 4",
        ),
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

/// Objects that belong to the database as a whole, and everything that has a security label or a comment.
fn of_database() -> Vec<String> {
    let free = |class: &str, alias: &str| {
        format!(
            "NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.{class}'::regclass AND e.objid = {alias}.oid
               AND e.deptype = 'e')"
        )
    };
    vec![
        format!(
            "SELECT 'event trigger', NULL::text, t.evtname::text, NULL, concat_ws(' ', t.evtevent, t.evtfoid::regproc, t.evtenabled, t.evttags)
             FROM pg_event_trigger AS t WHERE {}",
            free("pg_event_trigger", "t")
        ),
        "SELECT 'publication', NULL::text, p.pubname::text, NULL, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate,
           p.pubdelete, p.pubtruncate, p.pubviaroot,
           (SELECT string_agg(concat_ws(' ', t.schemaname, t.tablename, to_jsonb(t) ->> 'attnames', to_jsonb(t) ->> 'rowfilter'), ', '
              ORDER BY t.schemaname, t.tablename) FROM pg_publication_tables AS t WHERE t.pubname = p.pubname))
         FROM pg_publication AS p"
            .to_owned(),
        "SELECT 'subscription', NULL::text, s.subname::text, NULL, concat_ws(' ', s.subenabled, s.subpublications)
         FROM pg_subscription AS s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            .to_owned(),
        format!(
            "SELECT 'foreign server', NULL::text, s.srvname::text, NULL, concat_ws(' ', w.fdwname, s.srvtype, s.srvversion, s.srvoptions)
             FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw WHERE {}",
            free("pg_foreign_server", "s")
        ),
        format!(
            "SELECT 'cast', NULL::text, format('%s as %s', c.castsource::regtype, c.casttarget::regtype), NULL,
               concat_ws(' ', c.castfunc::regproc, c.castcontext, c.castmethod)
             FROM pg_cast AS c WHERE c.oid >= 16384 AND {}",
            free("pg_cast", "c")
        ),
        format!(
            "SELECT 'language', NULL::text, l.lanname::text, NULL, concat_ws(' ', l.lanpltrusted, l.lanplcallfoid::regproc)
             FROM pg_language AS l WHERE l.oid >= 16384 AND {}",
            free("pg_language", "l")
        ),
        "SELECT 'security label of ' || l.objtype, NULL::text, l.objname, l.provider, l.label FROM pg_seclabels AS l
         JOIN pg_namespace AS n ON n.oid = l.objnamespace WHERE n.nspname = ANY($1)"
            .to_owned(),
        // Comments on tables, views, sequences, enums, constraints and statistics are migrated. An extension brings its
        // own.
        "SELECT 'comment on ' || o.type, NULL::text, o.identity, NULL, s.description
         FROM pg_description AS s CROSS JOIN LATERAL pg_identify_object(s.classoid, s.objoid, s.objsubid) AS o
         LEFT JOIN pg_class AS c ON s.classoid = 'pg_class'::regclass AND c.oid = s.objoid
         LEFT JOIN pg_constraint AS k ON s.classoid = 'pg_constraint'::regclass AND k.oid = s.objoid
         LEFT JOIN pg_type AS t ON s.classoid = 'pg_type'::regclass AND t.oid = s.objoid
         LEFT JOIN pg_type AS d ON d.oid = k.contypid
         LEFT JOIN pg_trigger AS g ON s.classoid = 'pg_trigger'::regclass AND g.oid = s.objoid
         LEFT JOIN pg_rewrite AS r ON s.classoid = 'pg_rewrite'::regclass AND r.oid = s.objoid
         LEFT JOIN pg_policy AS p ON s.classoid = 'pg_policy'::regclass AND p.oid = s.objoid
         LEFT JOIN pg_statistic_ext AS x ON s.classoid = 'pg_statistic_ext'::regclass AND x.oid = s.objoid
         LEFT JOIN pg_class AS v ON v.oid IN (g.tgrelid, r.ev_class, p.polrelid, x.stxrelid)
         LEFT JOIN pg_namespace AS n ON n.oid = COALESCE(v.relnamespace, d.typnamespace)
         WHERE s.objoid >= 16384 AND s.classoid <> 'pg_extension'::regclass
           -- What belongs to no schema, such as a publication, is read whatever schemas are looked at.
           AND COALESCE(CASE WHEN s.classoid = 'pg_namespace'::regclass THEN o.name ELSE COALESCE(o.schema, n.nspname) END = ANY($1), true)
           AND COALESCE(c.relkind NOT IN ('r', 'p', 'v', 'm', 'S', 'i', 'I'), true) AND COALESCE(k.conrelid, 0) = 0
           AND COALESCE(t.typtype <> 'e', true) AND COALESCE(v.relkind <> 'v', true)
           AND (x.oid IS NULL OR v.relkind = 'f' OR v.relispartition)
           AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = s.classoid AND e.objid = s.objoid AND e.deptype = 'e')"
            .to_owned(),
    ]
}

pub(super) async fn definitions(cx: &Cx<'_>) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    for sql in of_schemas().iter().chain(&of_tables()) {
        for row in cx.rows(sql).await? {
            definitions.extend(definition(cx, &row)?);
        }
    }
    for sql in &of_database() {
        // Some queries have the list of schemas as a parameter, and some have no parameter.
        let rows = if sql.contains("$1") { cx.rows(sql).await? } else { cx.transaction.query(sql, &[]).await? };
        for row in &rows {
            definitions.extend(definition(cx, row)?);
        }
    }
    Ok(definitions)
}

/// Returns `None` for objects that belong to the migration history.
fn definition(cx: &Cx<'_>, row: &Row) -> Result<Option<Definition>, Error> {
    let (schema, object): (Option<&str>, &str) = (row.try_get(1)?, row.try_get(2)?);
    if HISTORY_TABLES.contains(&object) {
        return Ok(None);
    }
    let object = schema.map_or_else(|| object.to_owned(), |schema| cx.name(schema, object).to_string());
    let name = match row.try_get::<_, Option<&str>>(3)? {
        Some(part) => format!("{part} on {object}"),
        None => object,
    };
    let text: Option<String> = row.try_get(4)?;
    Ok(Some(Definition { kind: row.try_get(0)?, name, text: text.unwrap_or_default() }))
}
