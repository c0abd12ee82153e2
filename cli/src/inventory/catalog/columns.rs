//! Properties of columns, keys, constraints and indexes that the schema language cannot express.

use super::{below, is_shared, own};
use crate::introspect::SET_BY_USER;

pub(super) fn queries() -> Vec<String> {
    vec![
        generated(),
        counting_defaults(),
        column_collations(),
        never_null_lists(),
        column_storage(),
        constraints(),
        constraint_details(),
        indexes(),
        index_details(),
    ]
}

/// A query over the columns of tables.
fn of_columns(kind: &str, name: &str, statement: &str, condition: &str) -> String {
    format!(
        "SELECT 'column'::text, c.oid, n.nspname::text, '{kind}'::text, {name}, format('%I.%I', n.nspname, c.relname), true,
            {statement}
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
         CROSS JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS sql) AS e
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND {condition} AND {}",
        own("pg_class", "c")
    )
}

/// Generated columns in foreign keys. The schema language expresses the others.
fn generated() -> String {
    of_columns(
        "generated column",
        "format('%I.%I.%I (%s)', n.nspname, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))",
        "NULL::text",
        "a.attgenerated <> '' AND EXISTS (SELECT FROM pg_constraint AS k
            WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY(k.conkey))",
    )
}

/// Defaults from a sequence that belongs to another column or to none, that other defaults use, too, that is looked up by
/// name at each use, or of a column that is not an integer. For these, the schema has `autoincrement()`, which creates a sequence for the column
/// in a new database, or `dbgenerated()`, which does not say what the default is.
fn counting_defaults() -> String {
    let integer = |ty: &str| format!("{} IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)", below(ty));
    let is_integer = integer("a.atttypid");
    let of_column =
        "o.classid = 'pg_class'::regclass AND o.deptype = 'a' AND o.refobjid = c.oid AND o.refobjsubid = a.attnum";
    let is_own = format!(
        "EXISTS (SELECT FROM pg_depend AS o WHERE {of_column} AND e.sql = format('nextval(%L::regclass)', o.objid::regclass::text)
            AND NOT {})",
        is_shared("o.objid")
    );
    // Sequences that the schema takes for those of a column, because they have the default name.
    let known = format!(
        "FROM pg_sequence AS q JOIN pg_class AS s ON s.oid = q.seqrelid
         LEFT JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid AND o.deptype = 'a' AND o.refobjsubid > 0
         LEFT JOIN pg_attribute AS b ON b.attrelid = o.refobjid AND b.attnum = o.refobjsubid
         WHERE ({of_column} OR s.relnamespace = c.relnamespace AND starts_with(s.relname, format('%s_%s_seq', c.relname, a.attname)))
           AND NOT EXISTS (SELECT FROM pg_attrdef AS f WHERE f.adrelid = o.refobjid AND f.adnum = o.refobjsubid
                AND pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', s.oid::regclass::text)
                AND {} AND NOT {})",
        integer("b.atttypid"),
        is_shared("s.oid")
    );
    let unused = format!(
        "CASE WHEN {is_integer} THEN E';\nDO ' || quote_literal(format(
            'BEGIN EXECUTE coalesce((SELECT ''DROP SEQUENCE '' || q FROM pg_get_serial_sequence(%L, %L) AS q WHERE q <> ALL(%L)), ''SELECT''); END',
            format('%I.%I', n.nspname, c.relname), a.attname, ARRAY(SELECT s.oid::regclass::text {known}))) END"
    );
    let owned = format!(
        "(SELECT string_agg(format(E';\nALTER SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s%s OWNED BY %s',
            s.oid::regclass, format_type(q.seqtypid, NULL), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
            CASE WHEN q.seqcycle THEN ' CYCLE' END, {},
            CASE WHEN b.attname IS NULL THEN 'NONE' ELSE format('%s.%I', b.attrelid::regclass, b.attname) END), '') {known})",
        super::types::restart("q")
    );
    of_columns(
        "default from a sequence that is not the column''s own",
        "format('%I.%I.%I (%s)', n.nspname, c.relname, a.attname, e.sql)",
        &format!(
            "format('ALTER TABLE %I.%I ALTER COLUMN %I SET DEFAULT %s', n.nspname, c.relname, a.attname, e.sql)
                || coalesce({unused}, '') || coalesce({owned}, '')"
        ),
        &format!(
            "a.attgenerated = '' AND NOT ({is_integer} AND {is_own})
                AND e.sql ~ '^[(]*nextval[(]+''([^'']|'''')+''(::text[)]*)?::regclass[)]+(::[^()'']+([(][0-9, ]+[)])?[)]*)*$'"
        ),
    )
}

/// Collations of types that the schema language does not know.
fn column_collations() -> String {
    // The elements of a list can have a domain, too.
    let element = "CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END";
    let below = below(element);
    of_columns(
        "column with a collation",
        "format('%I.%I.%I (%s)', n.nspname, c.relname, a.attname,
            (pg_identify_object('pg_collation'::regclass, a.attcollation, 0)).identity)",
        "format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE %s COLLATE %s', n.nspname, c.relname, a.attname,
            format_type(a.atttypid, a.atttypmod),
            (pg_identify_object('pg_collation'::regclass, a.attcollation, 0)).identity)",
        &format!(
            r"a.attcollation <> t.typcollation
            AND format_type(a.atttypid, NULL) !~ '^(.*[.])?(text|character varying|character|citext)([[][]])?$'
            AND format_type({below}, NULL) !~ '^(.*[.])?(text|character varying|character|citext)$'"
        ),
    )
}

/// The lists of the schema language are nullable.
fn never_null_lists() -> String {
    of_columns(
        "list that is never null",
        "format('%I.%I.%I', n.nspname, c.relname, a.attname)",
        "format('ALTER TABLE %I.%I ALTER COLUMN %I SET NOT NULL', n.nspname, c.relname, a.attname)",
        "a.attnotnull AND t.typcategory = 'A' AND t.typtype = 'b' AND t.typelem <> 0 AND t.typlen = -1",
    )
}

/// Storage, compression and statistics settings that differ from the defaults.
fn column_storage() -> String {
    let alter = "'ALTER TABLE %I.%I ALTER COLUMN %I ', n.nspname, c.relname, a.attname";
    format!(
        "SELECT 'column'::text, c.oid, n.nspname::text, v.kind, format('%I.%I.%I (%s)', n.nspname, c.relname, a.attname, v.detail),
            format('%I.%I', n.nspname, c.relname), true, format({alter}) || v.command
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_type AS t ON t.oid = a.atttypid
         CROSS JOIN LATERAL (SELECT
            CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END AS storage,
            CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
            (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) AS o WHERE {SET_BY_USER}) AS options) AS s
         CROSS JOIN LATERAL (VALUES
            ('column with a storage of its own', a.attstorage <> t.typstorage, s.storage, 'SET STORAGE ' || s.storage),
            ('column with a compression', s.compression IS NOT NULL, s.compression, 'SET COMPRESSION ' || s.compression),
            ('column with a statistics target', coalesce(a.attstattarget, -1) >= 0, a.attstattarget::text,
                'SET STATISTICS ' || a.attstattarget),
            ('column with options', s.options IS NOT NULL, s.options, 'SET (' || s.options || ')')
         ) AS v (kind, holds, detail, command)
         WHERE v.holds AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND {}",
        own("pg_class", "c")
    )
}

/// All constraints that have a statement of their own. Of keys and checks, only those that the language cannot express.
fn constraints() -> String {
    format!(
        "SELECT 'pg_constraint'::text, k.oid, n.nspname::text,
            CASE k.contype WHEN 'x' THEN CASE WHEN m.amname IN ('btree', 'hash', 'gist', 'spgist')
                    THEN 'exclusion constraint' ELSE 'exclusion constraint of another method' END WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                ELSE 'check' END,
            format('%I on %I.%I (%s)', k.conname, n.nspname, c.relname, pg_get_constraintdef(k.oid)),
            format('%s on %s.%s', k.conname, n.nspname, c.relname), true,
            CASE WHEN k.contype <> 'f' OR EXISTS (
                SELECT FROM pg_class AS t JOIN pg_namespace AS m ON m.oid = t.relnamespace
                WHERE t.oid = k.confrelid AND m.nspname = ANY($1) AND NOT t.relispartition) THEN
                format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) END
         FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         LEFT JOIN pg_class AS x ON x.oid = k.conindid AND k.contype = 'x' LEFT JOIN pg_am AS m ON m.oid = x.relam
         WHERE k.contype IN ('x', 'f', 'p', 'c') AND k.conparentid = 0 AND NOT c.relispartition AND {}",
        own("pg_class", "c")
    )
}

fn constraint_details() -> String {
    format!(
        "SELECT 'constraint'::text, k.oid, n.nspname::text, v.kind,
            format('%I on %I.%I (%s)', k.conname, n.nspname, c.relname, pg_get_constraintdef(k.oid)),
            format('%s on %s.%s', k.conname, n.nspname, c.relname), true, NULL::text
         FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (SELECT to_jsonb(k) AS k) AS j
         CROSS JOIN LATERAL (VALUES
            ('deferrable primary key', k.condeferrable AND k.contype = 'p'),
            ('constraint that is not valid', NOT k.convalidated),
            ('constraint that is not enforced', NOT coalesce((j.k ->> 'conenforced')::boolean, true)),
            ('constraint without inheritance', k.contype = 'c' AND k.connoinherit),
            ('foreign key that sets defaults of some columns', k.contype = 'f' AND k.confdeltype = 'd'
                AND (j.k -> 'confdelsetcols') <> 'null'::jsonb),
            ('key over time', coalesce((j.k ->> 'conperiod')::boolean, false))
         ) AS v (kind, holds)
         WHERE v.holds AND k.contype IN ('f', 'p', 'u', 'c') AND k.conparentid = 0 AND NOT c.relispartition AND {}",
        own("pg_class", "c")
    )
}

/// Indexes that do not belong to a constraint.
const INDEXES: &str =
    "FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS c ON c.oid = i.indrelid
         JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_am AS m ON m.oid = x.relam";

fn indexes() -> String {
    format!(
        "SELECT 'pg_class'::text, x.oid, n.nspname::text,
            CASE WHEN m.amname IN ('btree', 'hash', 'gin', 'gist', 'spgist', 'brin', 'hnsw', 'ivfflat') THEN 'index'
                ELSE 'index of another method' END,
            format('%I on %I.%I (%s)', x.relname, n.nspname, c.relname, pg_get_indexdef(x.oid)),
            format('%s on %s.%s', x.relname, n.nspname, c.relname), true, pg_get_indexdef(x.oid)
         {INDEXES}
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {}
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))",
        own("pg_class", "c")
    )
}

fn index_details() -> String {
    format!(
        "SELECT 'index'::text, x.oid, n.nspname::text, v.kind,
            format('%I on %I.%I (%s)', x.relname, n.nspname, c.relname, pg_get_indexdef(x.oid)),
            format('%I.%I', n.nspname, c.relname), true, NULL::text
         {INDEXES}
         CROSS JOIN LATERAL (VALUES
            ('index with a collation', EXISTS (
                SELECT FROM generate_series(0, i.indnkeyatts - 1) AS p JOIN pg_attribute AS a
                ON a.attrelid = c.oid AND a.attnum = i.indkey[p] AND a.attnum > 0
                WHERE i.indcollation[p] NOT IN (0, a.attcollation))),
            ('index with options of an operator class', EXISTS (
                SELECT FROM pg_attribute AS a WHERE a.attrelid = x.oid
                AND EXISTS (SELECT FROM unnest(a.attoptions) AS o WHERE {SET_BY_USER}))),
            ('index with a statistics target', EXISTS (
                SELECT FROM pg_attribute AS a WHERE a.attrelid = x.oid AND coalesce(a.attstattarget, -1) >= 0)),
            ('index in a tablespace', x.reltablespace <> 0),
            ('index that clusters its table', i.indisclustered),
            ('index that is not valid', NOT i.indisvalid)
         ) AS v (kind, holds)
         WHERE v.holds AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND {}
           -- The statement of an exclusion constraint contains them.
           AND NOT (v.kind IN ('index with a collation', 'index with options of an operator class')
             AND EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.oid AND k.contype = 'x'))",
        own("pg_class", "c")
    )
}
