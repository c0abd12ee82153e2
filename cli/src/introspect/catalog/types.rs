//! Schemas, types, collations, conversions and text search.

use relata_codegen::sql::Nature;

use super::{Select, name, ours, owned};

pub(super) fn queries(is_whole: bool) -> Vec<(Nature, String)> {
    let mut selects = vec![domains(), composites(), ranges(), enums(), other_types(), collations(), conversions()];
    selects.extend([dictionaries(), configurations(), parsers(), templates()]);
    selects.extend(is_whole.then(schemas));
    selects
}

fn schemas() -> (Nature, String) {
    let select = Select {
        class: "pg_namespace",
        oid: "n.oid",
        kind: "schema",
        name: "quote_ident(n.nspname)",
        create: "format('CREATE SCHEMA %I', n.nspname)",
        drop: "format('DROP SCHEMA %I', n.nspname)",
        from: format!("pg_namespace AS n WHERE {}", ours("pg_namespace", "n")),
        ..Select::default()
    };
    (Nature::Space, select.sql())
}

/// Returns the query for domains.
pub(in crate::introspect) fn select_domains() -> String {
    domains().1
}

/// Returns the query for composite types.
pub(in crate::introspect) fn select_composites() -> String {
    composites().1
}

fn domains() -> (Nature, String) {
    let it = name("n", "t.typname");
    let collation = "CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation END";
    let checks = "pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'";
    let select = Select {
        class: "pg_type",
        oid: "t.oid",
        kind: "domain",
        name: &it,
        create: &format!(
            "format('CREATE DOMAIN %s AS %s', {it}, concat(format_type(t.typbasetype, t.typtypmod), {collation},
               ' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN ' NOT NULL' END,
               (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                FROM {checks} AND k.convalidated),
               (SELECT string_agg(format(E';\\nALTER DOMAIN %s ADD CONSTRAINT %I %s', {it}, k.conname,
                  pg_get_constraintdef(k.oid)), '' ORDER BY k.conname) FROM {checks} AND NOT k.convalidated)))"
        ),
        drop: &format!("format('DROP DOMAIN %s', {it})"),
        restore: owned("'DOMAIN'", &it, "t.typowner"),
        shape: &format!("concat(format_type(t.typbasetype, t.typtypmod), {collation})"),
        parts: &format!(
            "CASE WHEN t.typdefaultbin IS NOT NULL THEN ARRAY['default', pg_get_expr(t.typdefaultbin, 0),
                 format('ALTER DOMAIN %s SET DEFAULT %s', {it}, pg_get_expr(t.typdefaultbin, 0)),
                 format('ALTER DOMAIN %s DROP DEFAULT', {it}),
                 format('ALTER DOMAIN %s SET DEFAULT %s', {it}, pg_get_expr(t.typdefaultbin, 0))] ELSE '{{}}' END
             || CASE WHEN t.typnotnull THEN ARRAY['not null', '', format('ALTER DOMAIN %s SET NOT NULL', {it}),
                 format('ALTER DOMAIN %s DROP NOT NULL', {it}), NULL] ELSE '{{}}' END
             || ARRAY(SELECT v.text FROM {checks_from} CROSS JOIN LATERAL unnest(ARRAY['check ' || k.conname,
                 pg_get_constraintdef(k.oid),
                 format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', {it}, k.conname, pg_get_constraintdef(k.oid)),
                 format('ALTER DOMAIN %s DROP CONSTRAINT %I', {it}, k.conname), NULL]) WITH ORDINALITY AS v(text, place)
                 WHERE {checks_where} ORDER BY k.conname, v.place)",
            checks_from = "pg_constraint AS k",
            checks_where = "k.contypid = t.oid AND k.contype = 'c'",
        ),
        from: format!(
            "pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace JOIN pg_type AS b ON b.oid = t.typbasetype
             WHERE t.typtype = 'd' AND {}",
            ours("pg_type", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn composites() -> (Nature, String) {
    let it = name("n", "t.typname");
    let attribute = "concat(format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation END)";
    let from = "pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid";
    let of_type = "a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped";
    let select = Select {
        class: "pg_type",
        oid: "t.oid",
        kind: "composite type",
        name: &it,
        create: &format!(
            "format('CREATE TYPE %s AS (%s)', {it}, (SELECT string_agg(format('%I %s', a.attname, {attribute}), ', '
               ORDER BY a.attnum) FROM {from} WHERE {of_type}))"
        ),
        drop: &format!("format('DROP TYPE %s', {it})"),
        restore: owned("'TYPE'", &it, "t.typowner"),
        parts: &format!(
            "ARRAY(SELECT v.text FROM {from} CROSS JOIN LATERAL unnest(ARRAY[a.attname::text, {attribute},
                 format('ALTER TYPE %s ADD ATTRIBUTE %I %s CASCADE', {it}, a.attname, {attribute}),
                 format('ALTER TYPE %s DROP ATTRIBUTE %I CASCADE', {it}, a.attname),
                 format('ALTER TYPE %s ALTER ATTRIBUTE %I TYPE %s CASCADE', {it}, a.attname, {attribute})])
                 WITH ORDINALITY AS v(text, place) WHERE {of_type} ORDER BY a.attnum, v.place)"
        ),
        from: format!(
            "pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
             JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c' WHERE {}",
            ours("pg_type", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn ranges() -> (Nature, String) {
    let it = name("n", "t.typname");
    let create = format!(
        "format('CREATE TYPE %s AS RANGE (SUBTYPE = %s)', {it}, concat(format_type(r.rngsubtype, NULL),
           ', SUBTYPE_OPCLASS = ' || (SELECT format('%I.%I', o.nspname, p.opcname) FROM pg_opclass AS p
              JOIN pg_namespace AS o ON o.oid = p.opcnamespace WHERE p.oid = r.rngsubopc AND NOT p.opcdefault),
           ', COLLATION = ' || (SELECT r.rngcollation::regcollation::text FROM pg_type AS s
              WHERE s.oid = r.rngsubtype AND s.typcollation <> r.rngcollation),
           CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc END,
           ', MULTIRANGE_TYPE_NAME = ' || (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype))"
    );
    let select = Select {
        class: "pg_type",
        oid: "t.oid",
        kind: "range type",
        name: &it,
        // A canonical function needs the type before it is complete.
        create: &format!("CASE WHEN r.rngcanonical = 0 THEN {create} END"),
        drop: &format!("format('DROP TYPE %s', {it})"),
        restore: owned("'TYPE'", &it, "t.typowner"),
        shape: &format!("concat(r.rngcanonical, {create})"),
        from: format!(
            "pg_range AS r JOIN pg_type AS t ON t.oid = r.rngtypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
             WHERE {}",
            ours("pg_type", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// Enums that no schema can declare: without values, or with an empty one.
fn enums() -> (Nature, String) {
    let it = name("n", "t.typname");
    let labels = "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                   FROM pg_enum AS e WHERE e.enumtypid = t.oid)";
    let select = Select {
        class: "pg_type",
        oid: "t.oid",
        kind: "enum",
        name: &it,
        create: &format!("format('CREATE TYPE %s AS ENUM (%s)', {it}, {labels})"),
        drop: &format!("format('DROP TYPE %s', {it})"),
        restore: owned("'TYPE'", &it, "t.typowner"),
        shape: labels,
        from: format!(
            "pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
               AND (NOT EXISTS (SELECT FROM pg_enum AS e WHERE e.enumtypid = t.oid)
                 OR EXISTS (SELECT FROM pg_enum AS e WHERE e.enumtypid = t.oid AND e.enumlabel = '')) AND {}",
            ours("pg_type", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// Types whose functions are written in C, and types that are only announced.
fn other_types() -> (Nature, String) {
    let it = name("n", "t.typname");
    let select = Select {
        class: "pg_type",
        oid: "t.oid",
        kind: "type",
        name: &it,
        shape: "concat_ws(' ', t.typinput, t.typoutput, t.typreceive, t.typsend, t.typlen, t.typalign, t.typstorage,
                  t.typcategory, t.typdelim, t.typdefault, t.typisdefined)",
        from: format!(
            "pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
             WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type AS x WHERE x.typarray = t.oid) AND {}",
            ours("pg_type", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn collations() -> (Nature, String) {
    let it = name("n", "c.collname");
    let options = "concat_ws(', ',
        'PROVIDER = ' || CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END,
        CASE WHEN c.collprovider = 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype)
          ELSE format('LOCALE = %L', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate)) END,
        'RULES = ' || quote_literal(to_jsonb(c) ->> 'collicurules'),
        CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END)";
    let select = Select {
        class: "pg_collation",
        oid: "c.oid",
        kind: "collation",
        name: &it,
        create: &format!("format('CREATE COLLATION %s (%s)', {it}, {options})"),
        drop: &format!("format('DROP COLLATION %s', {it})"),
        shape: options,
        from: format!(
            "pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace WHERE {}",
            ours("pg_collation", "c")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn conversions() -> (Nature, String) {
    let it = name("n", "c.conname");
    let create = format!(
        "format('CREATE %sCONVERSION %s FOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' END, {it},
           pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc)"
    );
    let select = Select {
        class: "pg_conversion",
        oid: "c.oid",
        kind: "conversion",
        name: &it,
        create: &create,
        drop: &format!("format('DROP CONVERSION %s', {it})"),
        shape: &create,
        from: format!(
            "pg_conversion AS c JOIN pg_namespace AS n ON n.oid = c.connamespace WHERE {}",
            ours("pg_conversion", "c")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn dictionaries() -> (Nature, String) {
    let it = name("n", "d.dictname");
    let create = format!(
        "format('CREATE TEXT SEARCH DICTIONARY %s (TEMPLATE = %s)', {it}, concat(
           (SELECT format('%I.%I', m.nspname, t.tmplname) FROM pg_ts_template AS t JOIN pg_namespace AS m ON m.oid = t.tmplnamespace
            WHERE t.oid = d.dicttemplate), ', ' || d.dictinitoption))"
    );
    let select = Select {
        class: "pg_ts_dict",
        oid: "d.oid",
        kind: "text search dictionary",
        name: &it,
        create: &create,
        drop: &format!("format('DROP TEXT SEARCH DICTIONARY %s', {it})"),
        shape: &create,
        from: format!(
            "pg_ts_dict AS d JOIN pg_namespace AS n ON n.oid = d.dictnamespace WHERE {}",
            ours("pg_ts_dict", "d")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

fn configurations() -> (Nature, String) {
    let it = name("n", "c.cfgname");
    let parser = "(SELECT format('%I.%I', m.nspname, p.prsname) FROM pg_ts_parser AS p JOIN pg_namespace AS m ON m.oid = p.prsnamespace
        WHERE p.oid = c.cfgparser)";
    let tokens = "(SELECT t.alias, string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dicts
         FROM pg_ts_config_map AS m JOIN ts_token_type(c.cfgparser) AS t ON t.tokid = m.maptokentype
         WHERE m.mapcfg = c.oid GROUP BY t.alias) AS k";
    let alter = format!("'ALTER TEXT SEARCH CONFIGURATION ' || {it}");
    let select = Select {
        class: "pg_ts_config",
        oid: "c.oid",
        kind: "text search configuration",
        name: &it,
        create: &format!(
            "concat(format('CREATE TEXT SEARCH CONFIGURATION %s (PARSER = %s)', {it}, {parser}),
               (SELECT string_agg(format(E';\\n%s ADD MAPPING FOR %I WITH %s', {alter}, k.alias, k.dicts), '' ORDER BY k.alias)
                FROM {tokens}))"
        ),
        drop: &format!("format('DROP TEXT SEARCH CONFIGURATION %s', {it})"),
        shape: parser,
        parts: &format!(
            "ARRAY(SELECT v.text FROM {tokens} CROSS JOIN LATERAL unnest(ARRAY[k.alias, k.dicts,
                 format('%s ADD MAPPING FOR %I WITH %s', {alter}, k.alias, k.dicts),
                 format('%s DROP MAPPING FOR %I', {alter}, k.alias),
                 format('%s ALTER MAPPING FOR %I WITH %s', {alter}, k.alias, k.dicts)])
                 WITH ORDINALITY AS v(text, place) ORDER BY k.alias, v.place)"
        ),
        from: format!(
            "pg_ts_config AS c JOIN pg_namespace AS n ON n.oid = c.cfgnamespace WHERE {}",
            ours("pg_ts_config", "c")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// Parsers of text search.
fn parsers() -> (Nature, String) {
    let it = name("n", "p.prsname");
    let create = format!(
        "format('CREATE TEXT SEARCH PARSER %s (START = %s, GETTOKEN = %s, END = %s, LEXTYPES = %s%s)', {it}, p.prsstart, p.prstoken,
           p.prsend, p.prslextype, CASE WHEN p.prsheadline <> 0 THEN ', HEADLINE = ' || p.prsheadline END)"
    );
    let select = Select {
        class: "pg_ts_parser",
        oid: "p.oid",
        kind: "text search parser",
        name: &it,
        create: &create,
        drop: &format!("'DROP TEXT SEARCH PARSER ' || {it}"),
        shape: &create,
        from: format!(
            "pg_ts_parser AS p JOIN pg_namespace AS n ON n.oid = p.prsnamespace WHERE {}",
            ours("pg_ts_parser", "p")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}

/// Templates of text search.
fn templates() -> (Nature, String) {
    let it = name("n", "t.tmplname");
    let create = format!(
        "format('CREATE TEXT SEARCH TEMPLATE %s (%sLEXIZE = %s)', {it},
           CASE WHEN t.tmplinit <> 0 THEN format('INIT = %s, ', t.tmplinit) END, t.tmpllexize)"
    );
    let select = Select {
        class: "pg_ts_template",
        oid: "t.oid",
        kind: "text search template",
        name: &it,
        create: &create,
        drop: &format!("'DROP TEXT SEARCH TEMPLATE ' || {it}"),
        shape: &create,
        from: format!(
            "pg_ts_template AS t JOIN pg_namespace AS n ON n.oid = t.tmplnamespace WHERE {}",
            ours("pg_ts_template", "t")
        ),
        ..Select::default()
    };
    (Nature::Base, select.sql())
}
