-- scripts/pull-dumps compares two databases with this query. It lists each object as kind|name|parent|definition. It
-- reads the catalog itself, not through the command, so that it also finds what the command does not read. Objects of
-- extensions are left out.
-- A unique constraint that is not deferrable counts as its index: the schema language has one word for both.
-- A sequence that belongs to a column is listed under the name of the column, and its maximum counts only up to that of
-- the column's type.
SET search_path = pg_catalog;
CREATE TEMP VIEW ours AS
SELECT n.oid AS schema_oid, n.nspname AS schema_name FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e');
CREATE TEMP VIEW extension_objects AS
SELECT classid, objid FROM pg_depend WHERE deptype = 'e';
CREATE TEMP VIEW relations AS
SELECT c.*, schema_name FROM pg_class c JOIN ours ON schema_oid = relnamespace
WHERE NOT EXISTS (SELECT FROM extension_objects WHERE classid = 'pg_class'::regclass AND objid = c.oid);
CREATE TEMP VIEW owned AS
SELECT objid, adrelid, adnum, attname AS owner_column, refobjid::regclass::text AS owner_table,
  CASE atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END AS column_max
FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
LEFT JOIN pg_attrdef ON adrelid = refobjid AND adnum = refobjsubid AND pg_get_expr(adbin, adrelid) ~ '^nextval'
WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i') AND refobjsubid > 0;
-- Normalizes the spelling of constants: '{}'::text[] equals ARRAY[]::text[], and DEFAULT NULL is no default.
CREATE FUNCTION pg_temp.constant(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  IF expression ~ '^NULL::' THEN RETURN NULL; END IF;
  IF expression = 'now()' THEN RETURN 'CURRENT_TIMESTAMP'; END IF;
  IF expression !~ '^(\(?ARRAY\[|''|([0-9.]+|true|false)$)' OR expression ~ '\(\w*[a-z_]' THEN RETURN expression; END IF;
  EXECUTE 'SELECT (' || expression || ')::text' INTO result;
  RETURN quote_literal(result);
EXCEPTION WHEN OTHERS THEN RETURN expression;
END $$;

SELECT kind, name, parent, regexp_replace(definition, '\s+', ' ', 'g') FROM (
-- The first branch decides the types of all: a name would cut definitions.
SELECT 'schema', schema_name::text, ''::text, ''::text FROM ours
UNION ALL
SELECT 'extension', extname, '', nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
UNION ALL
SELECT CASE typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range' ELSE 'type' END, typname, schema_name,
  concat_ws(' ', CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END, typdefault,
    CASE WHEN typnotnull THEN 'NOT NULL' END,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY conname) FROM pg_constraint k WHERE contypid = t.oid),
    (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum)
     FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND typtype = 'c'))
FROM pg_type t JOIN ours ON schema_oid = typnamespace
WHERE (typtype IN ('d', 'e', 'r') OR (typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c'))
  AND NOT EXISTS (SELECT FROM extension_objects WHERE classid = 'pg_type'::regclass AND objid = t.oid)
UNION ALL
SELECT CASE prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END, proname, schema_name,
  pg_get_function_identity_arguments(p.oid) || ' ' || CASE WHEN prokind <> 'a' THEN md5(pg_get_functiondef(p.oid)) ELSE '' END
FROM pg_proc p JOIN ours ON schema_oid = pronamespace
WHERE NOT EXISTS (SELECT FROM extension_objects WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
UNION ALL
SELECT 'operator', oprname, schema_name, concat_ws(' ', oprleft::regtype, oprright::regtype, oprcode)
FROM pg_operator o JOIN ours ON schema_oid = oprnamespace
WHERE NOT EXISTS (SELECT FROM extension_objects WHERE classid = 'pg_operator'::regclass AND objid = o.oid)
UNION ALL
SELECT 'collation', collname, schema_name, concat_ws(' ', collprovider, collisdeterministic, collcollate)
FROM pg_collation JOIN ours ON schema_oid = collnamespace
UNION ALL
SELECT 'text search', cfgname, schema_name, '' FROM pg_ts_config c JOIN ours ON schema_oid = cfgnamespace
WHERE NOT EXISTS (SELECT FROM extension_objects WHERE classid = 'pg_ts_config'::regclass AND objid = c.oid)
UNION ALL
SELECT 'sequence', coalesce(owner_column, relname), coalesce(owner_table, schema_name),
  concat_ws(' ', seqstart, seqincrement, seqmin, least(seqmax, column_max), seqcache, seqcycle)
FROM pg_sequence JOIN relations r ON r.oid = seqrelid LEFT JOIN owned ON objid = r.oid
UNION ALL
SELECT CASE relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, relname, schema_name,
  concat_ws(' ', relpersistence, pg_get_partkeydef(r.oid), pg_get_expr(relpartbound, r.oid), reloptions,
    CASE WHEN relrowsecurity THEN 'ROW SECURITY' END, CASE WHEN relforcerowsecurity THEN 'FORCED' END,
    CASE WHEN relreplident NOT IN ('d', 'n') THEN relreplident END,
    (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = r.oid))
FROM relations r WHERE relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', attname, schema_name || '.' || relname,
  concat_ws(' ', format_type(atttypid, atttypmod),
    (SELECT quote_ident(collname) FROM pg_collation WHERE oid = attcollation AND collname <> 'default'),
    CASE WHEN attnotnull THEN 'NOT NULL' END, CASE WHEN attidentity <> '' THEN 'identity ' || attidentity::text END,
    CASE WHEN attgenerated <> '' THEN 'generated ' || attgenerated::text END,
    CASE WHEN EXISTS (SELECT FROM owned o WHERE o.adrelid = r.oid AND o.adnum = attnum) THEN 'serial'
      ELSE pg_temp.constant(pg_get_expr(d.adbin, d.adrelid)) END)
FROM relations r JOIN pg_attribute a ON attrelid = r.oid LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
WHERE relkind IN ('r', 'p', 'f') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conname, schema_name || '.' || relname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN relations r ON r.oid = conrelid
WHERE (contype IN ('p', 'f', 'c', 'x') OR contype = 'u' AND condeferrable) AND conparentid = 0
UNION ALL
SELECT 'index', i.relname, r.schema_name || '.' || r.relname, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN relations r ON r.oid = indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND (contype IN ('p', 'x') OR contype = 'u' AND condeferrable))
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid) AND indisvalid
UNION ALL
SELECT CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, relname, schema_name, md5(pg_get_viewdef(oid))
FROM relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'trigger', tgname, schema_name || '.' || relname, concat_ws(' ', tgenabled, pg_get_triggerdef(t.oid))
FROM pg_trigger t JOIN relations r ON r.oid = tgrelid WHERE NOT tgisinternal AND tgparentid = 0
UNION ALL
SELECT 'rule', rulename, schema_name || '.' || relname, pg_get_ruledef(w.oid)
FROM pg_rewrite w JOIN relations r ON r.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', polname, schema_name || '.' || relname,
  concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM pg_policy JOIN relations r ON r.oid = polrelid
UNION ALL
SELECT 'statistics', stxname, schema_name, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s JOIN ours ON schema_oid = stxnamespace
UNION ALL
SELECT 'comment', relname, schema_name, coalesce(attname, '') || ' ' || description
FROM pg_description d JOIN relations r ON r.oid = d.objoid AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_attribute ON attrelid = r.oid AND attnum = objsubid AND objsubid > 0
) AS objects (kind, name, parent, definition)
ORDER BY 1, 3, 2, 4;
