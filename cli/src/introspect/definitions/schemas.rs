//! Objects that belong to a schema: kind, schema, name, part, and the whole definition.

use super::ours;

pub(super) fn queries() -> Vec<String> {
    [functions_and_types(), collations_and_operators(), text_search()].concat()
}

/// Functions, aggregates, procedures, domains and types.
fn functions_and_types() -> Vec<String> {
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
    ]
}

/// Collations, conversions, operators and operator classes.
fn collations_and_operators() -> Vec<String> {
    vec![
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
    ]
}

/// Configurations and dictionaries of text search.
fn text_search() -> Vec<String> {
    vec![
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
