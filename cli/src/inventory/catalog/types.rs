//! Types, sequences, collations, text search.

use super::{below, identity, is_shared, named, own};

pub(super) fn queries() -> Vec<String> {
    vec![
        enums(),
        domains(),
        composites(),
        ranges(),
        base_types(),
        collations(),
        sequences(),
        dictionaries(),
        configurations(),
        named("pg_conversion", Some("connamespace"), "conversion"),
        named("pg_ts_parser", Some("prsnamespace"), "text search parser"),
        named("pg_ts_template", Some("tmplnamespace"), "text search template"),
    ]
}

/// Includes those of the schema: a function may need one before the schema creates it.
fn enums() -> String {
    let (name, own) = (identity("pg_type", "t.oid"), own("pg_type", "t"));
    format!(
        "SELECT 'pg_type'::text, t.oid, n.nspname::text, 'enum'::text, {name}, n.nspname || E'\\x01' || t.typname, false,
            format('CREATE TYPE %s AS ENUM (%s)', {name},
                (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                 FROM pg_enum AS e WHERE e.enumtypid = t.oid))
         FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND {own}"
    )
}

fn domains() -> String {
    let (name, own) = (identity("pg_type", "t.oid"), own("pg_type", "t"));
    format!(
        "SELECT 'pg_type'::text, t.oid, n.nspname::text, 'domain'::text, {name}, NULL::text, false,
            format('CREATE DOMAIN %s AS %s%s%s%s%s%s', {name}, format_type(t.typbasetype, t.typtypmod),
                CASE WHEN t.typcollation <> b.typcollation THEN
                    ' COLLATE ' || (pg_identify_object('pg_collation'::regclass, t.typcollation, 0)).identity END,
                ' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0),
                CASE WHEN t.typnotnull THEN ' NOT NULL' END,
                (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ''
                                   ORDER BY k.conname)
                 FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated),
                -- CREATE DOMAIN takes no NOT VALID.
                (SELECT string_agg(format(E';\nALTER DOMAIN %s ADD CONSTRAINT %I %s', {name}, k.conname,
                                          pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                 FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c' AND NOT k.convalidated))
         FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace JOIN pg_type AS b ON b.oid = t.typbasetype
         WHERE t.typtype = 'd' AND {own}"
    )
}

fn composites() -> String {
    let (name, own) = (identity("pg_type", "t.oid"), own("pg_type", "t"));
    format!(
        "SELECT 'pg_type'::text, t.oid, n.nspname::text, 'composite type'::text, {name}, NULL::text, false,
            format('CREATE TYPE %s AS (%s)', {name},
                (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                    CASE WHEN a.attcollation <> y.typcollation THEN
                        ' COLLATE ' || (pg_identify_object('pg_collation'::regclass, a.attcollation, 0)).identity END),
                    ', ' ORDER BY a.attnum)
                 FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
         FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace JOIN pg_class AS c ON c.oid = t.typrelid
         WHERE t.typtype = 'c' AND c.relkind = 'c' AND {own}"
    )
}

fn ranges() -> String {
    let (name, own) = (identity("pg_type", "t.oid"), own("pg_type", "t"));
    format!(
        "SELECT 'pg_type'::text, t.oid, n.nspname::text, 'range type'::text, {name}, NULL::text, false,
            CASE WHEN r.rngcanonical = 0 THEN format('CREATE TYPE %s AS RANGE (SUBTYPE = %s%s%s%s%s)', {name},
                format_type(r.rngsubtype, NULL),
                ', SUBTYPE_OPCLASS = ' || (SELECT format('%I.%I', o.nspname, p.opcname) FROM pg_opclass AS p
                    JOIN pg_namespace AS o ON o.oid = p.opcnamespace WHERE p.oid = r.rngsubopc AND NOT p.opcdefault),
                ', COLLATION = ' || (SELECT (pg_identify_object('pg_collation'::regclass, l.oid, 0)).identity
                    FROM pg_collation AS l JOIN pg_type AS s ON s.oid = r.rngsubtype
                    WHERE l.oid = r.rngcollation AND l.oid <> s.typcollation),
                CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc END,
                -- Since PostgreSQL 14.
                ', MULTIRANGE_TYPE_NAME = ' || (SELECT (pg_identify_object('pg_type'::regclass, m.oid, 0)).identity
                    FROM pg_type AS m WHERE m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid)) END
         FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace JOIN pg_range AS r ON r.rngtypid = t.oid
         WHERE {own}"
    )
}

/// Types whose functions are written in C, and shell types.
fn base_types() -> String {
    let (name, own) = (identity("pg_type", "t.oid"), own("pg_type", "t"));
    format!(
        "SELECT 'pg_type'::text, t.oid, n.nspname::text, 'base type'::text, {name}, NULL::text, false, NULL::text
         FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid) AND {own}"
    )
}

fn collations() -> String {
    let (name, own) = (identity("pg_collation", "c.oid"), own("pg_collation", "c"));
    format!(
        "SELECT 'pg_collation'::text, c.oid, n.nspname::text, 'collation'::text, {name}, NULL::text, false,
            format('CREATE COLLATION %s (PROVIDER = %s, %s%s)', {name},
                CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END,
                CASE c.collprovider
                    WHEN 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype)
                    ELSE format('LOCALE = %L', coalesce(j.j ->> 'colllocale', j.j ->> 'colliculocale', c.collcollate)) END,
                CASE WHEN NOT c.collisdeterministic THEN ', DETERMINISTIC = false' END)
         FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
         CROSS JOIN LATERAL (SELECT to_jsonb(c) AS j) AS j WHERE {own}"
    )
}

/// The sequence of an identity column starts at 1, which may be outside of its bounds.
pub(super) fn restart(sequence: &str) -> String {
    format!("CASE WHEN 1 NOT BETWEEN {sequence}.seqmin AND {sequence}.seqmax THEN ' RESTART' END")
}

/// Sequences that the schema does not create for a column: those without an owner, those whose column has another
/// default, and those that several defaults use.
fn sequences() -> String {
    let (name, own) = (identity("pg_class", "c.oid"), own("pg_class", "c"));
    let counts = format!(
        "EXISTS (SELECT FROM pg_depend AS o JOIN pg_attrdef AS f ON f.adrelid = o.refobjid AND f.adnum = o.refobjsubid
            JOIN pg_attribute AS b ON b.attrelid = f.adrelid AND b.attnum = f.adnum
             AND {} IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
            WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'a'
              AND pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', c.oid::regclass::text)
              AND NOT {})",
        below("b.atttypid"),
        is_shared("c.oid")
    );
    let options = "format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
            format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
            CASE WHEN s.seqcycle THEN ' CYCLE' END)";
    // Its name may be different in a new database.
    let alter = format!(
        "'DO ' || quote_literal(format('BEGIN EXECUTE ''ALTER SEQUENCE '' || pg_get_serial_sequence(%L, %L) || %L; END',
            format('%I.%I', m.nspname, t.relname), a.attname, concat(' ', {options}, {})))",
        restart("s")
    );
    let most = "CASE s.seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
            ELSE 9223372036854775807 END";
    format!(
        "SELECT 'pg_class'::text, c.oid, n.nspname::text, 'sequence'::text, {name}, {name}, false,
            format('CREATE SEQUENCE IF NOT EXISTS %s %s', {name}, {options})
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_sequence AS s ON s.seqrelid = c.oid
         WHERE NOT {counts} AND {own}
         UNION ALL
         SELECT 'sequence'::text, c.oid, n.nspname::text, 'sequence that a column owns',
            format('%s (%s.%I)', {name}, t.oid::regclass, a.attname), {name}, true,
            format('ALTER SEQUENCE %s OWNED BY %s.%I', {name}, t.oid::regclass, a.attname)
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_sequence AS s ON s.seqrelid = c.oid
         JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'a' AND o.refobjsubid > 0
         JOIN pg_class AS t ON t.oid = o.refobjid JOIN pg_namespace AS m ON m.oid = t.relnamespace
         JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
         WHERE NOT {counts} AND {own} AND m.nspname = ANY($1)
         UNION ALL
         SELECT 'sequence'::text, c.oid, n.nspname::text, 'sequence with options', format('%s (%s)', {name}, {options}), {name}, true,
            {alter}
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_sequence AS s ON s.seqrelid = c.oid
         JOIN pg_type AS y ON y.oid = s.seqtypid
         JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'a' AND o.refobjsubid > 0
         JOIN pg_class AS t ON t.oid = o.refobjid JOIN pg_namespace AS m ON m.oid = t.relnamespace
         JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
         WHERE {counts} AND {own} AND ((s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, s.seqcycle)
            <> (1, 1, {most}, 1, 1, false) OR y.typlen < a.attlen)"
    )
}

fn dictionaries() -> String {
    let (name, own) = (identity("pg_ts_dict", "d.oid"), own("pg_ts_dict", "d"));
    let template = identity("pg_ts_template", "d.dicttemplate");
    format!(
        "SELECT 'pg_ts_dict'::text, d.oid, n.nspname::text, 'text search dictionary'::text, {name}, NULL::text, false,
            format('CREATE TEXT SEARCH DICTIONARY %s (TEMPLATE = %s%s)', {name}, {template}, ', ' || d.dictinitoption)
         FROM pg_ts_dict AS d JOIN pg_namespace AS n ON n.oid = d.dictnamespace WHERE {own}"
    )
}

fn configurations() -> String {
    let (name, own) = (identity("pg_ts_config", "c.oid"), own("pg_ts_config", "c"));
    let (parser, dictionary) = (identity("pg_ts_parser", "c.cfgparser"), identity("pg_ts_dict", "m.mapdict"));
    format!(
        "SELECT 'pg_ts_config'::text, c.oid, n.nspname::text, 'text search configuration'::text, {name}, NULL::text, false,
            format('CREATE TEXT SEARCH CONFIGURATION %s (PARSER = %s)%s', {name}, {parser},
                (SELECT string_agg(format(E';\\nALTER TEXT SEARCH CONFIGURATION %s ADD MAPPING FOR %I WITH %s',
                    {name}, k.alias, k.dicts), '' ORDER BY k.alias)
                 FROM (SELECT t.alias, string_agg({dictionary}, ', ' ORDER BY m.mapseqno) AS dicts
                       FROM pg_ts_config_map AS m JOIN ts_token_type(c.cfgparser) AS t ON t.tokid = m.maptokentype
                       WHERE m.mapcfg = c.oid GROUP BY t.alias) AS k))
         FROM pg_ts_config AS c JOIN pg_namespace AS n ON n.oid = c.cfgnamespace WHERE {own}"
    )
}
