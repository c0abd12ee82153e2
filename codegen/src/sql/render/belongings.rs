//! What belongs to objects that are created again, as SQL that a session notes and restores.

use crate::sql::plan::Noted;
use crate::sql::quote::{literal, qualified};
use crate::sql::state::{Managed, ObjectInSchema, ViewInSchema};

/// The setting of the session that holds the statements in the meantime.
const SETTING: &str = "relata.belongings";

/// What stands between two statements there.
const SEPARATOR: &str = "E'\\x1e'";

/// A role in GRANT.
const GRANTEE: &str = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END";

/// Returns the statement that notes owners, privileges, comments, indexes, rules, triggers, and which triggers are disabled.
pub(super) fn note(noted: &[Noted]) -> String {
    let views: Vec<&ViewInSchema> = noted.iter().filter_map(|it| it.object.view()).collect();
    let of_kinds = |kinds: &[&str]| -> Vec<(&ObjectInSchema, Option<&str>)> {
        let found = noted.iter().filter_map(|it| match &it.object {
            Managed::Object(object) => Some((object, it.becomes.as_deref())),
            Managed::View(_) => None,
        });
        found.filter(|(object, _)| kinds.contains(&object.kind)).collect()
    };
    let parts = [
        (!views.is_empty()).then(|| of_views(&views)),
        of_functions(&of_kinds(&["function", "procedure"])),
        of_types(&of_kinds(&["domain", "composite type"])),
        of_guards(&of_kinds(&["trigger"]), "pg_trigger", "tgname", "tgrelid", TRIGGER),
        of_guards(&of_kinds(&["policy"]), "pg_policy", "polname", "polrelid", POLICY),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!(
        "-- Notes the owners, privileges, comments, rules and triggers of what is created again.
DO $relata$ BEGIN
  PERFORM set_config('{SETTING}', concat_ws({SEPARATOR}, NULLIF(current_setting('{SETTING}', true), ''),
    (SELECT string_agg(noted.sql, {SEPARATOR} ORDER BY noted.place, noted.number) FROM (
{}
  ) AS noted)), false);
END $relata$",
        parts.join("\n    UNION ALL\n")
    )
}

fn of_views(views: &[&ViewInSchema]) -> String {
    let names: Vec<_> = views.iter().map(|view| literal(&qualified(&view.name))).collect();
    let indexes: Vec<_> = views.iter().flat_map(|view| &view.indexes).map(|index| literal(index)).collect();
    let triggers: Vec<_> = views.iter().flat_map(|view| &view.triggers).map(|trigger| literal(trigger)).collect();
    format!(
        "    SELECT c.oid AS number, kept.place, kept.sql FROM pg_class AS c
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind) AS k
    CROSS JOIN LATERAL (
      SELECT 7 AS place, format('ALTER %s %s OWNER TO %I', kind, c.oid::regclass, pg_get_userbyid(c.relowner)) AS sql WHERE c.relowner <> current_user::regrole
      UNION ALL SELECT 1, format('REVOKE ALL ON %s FROM %s', c.oid::regclass, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) FROM {usual}
      UNION ALL SELECT 2, format('GRANT %s ON %s TO %s%s', privilege_type, c.oid::regclass, {GRANTEE}) FROM aclexplode(c.relacl) WHERE grantee <> c.relowner
      UNION ALL SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', privilege_type, a.attname, c.oid::regclass, {GRANTEE}) FROM pg_attribute AS a CROSS JOIN LATERAL aclexplode(a.attacl) WHERE a.attrelid = c.oid AND grantee <> c.relowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, c.oid::regclass, description) FROM pg_description WHERE objoid = c.oid AND classoid = 'pg_class'::regclass AND objsubid = 0
      UNION ALL SELECT 3, format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, d.description) FROM pg_description AS d JOIN pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid > 0
      UNION ALL SELECT 4, format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', c.oid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid)) FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid
      UNION ALL SELECT 4, pg_get_indexdef(i.oid) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND i.relname <> ALL (ARRAY[{indexes}]::text[])
      UNION ALL SELECT 5, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN'
      UNION ALL SELECT 6, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND tgname <> ALL (ARRAY[{triggers}]::text[])
      UNION ALL SELECT 8, format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, c.oid::regclass, d.description) FROM pg_trigger AS t JOIN pg_description AS d ON d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass WHERE t.tgrelid = c.oid
    ) AS kept WHERE c.oid = ANY (ARRAY[{names}]::regclass[])",
        usual = usual("r", "c.relnamespace"),
        indexes = indexes.join(", "),
        triggers = triggers.join(", "),
        names = names.join(", "),
    )
}

/// The roles that get privileges on each new object, to take them away again.
fn usual(kind: &str, schema: &str) -> String {
    format!(
        "(SELECT DISTINCT a.grantee FROM pg_default_acl AS d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
        WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype = '{kind}' AND d.defaclnamespace IN (0, {schema}) AND a.grantee <> d.defaclrole) AS usual"
    )
}

/// The owner last: it may be a role that the current one cannot act for afterwards.
fn of_functions(functions: &[(&ObjectInSchema, Option<&str>)]) -> Option<String> {
    if functions.is_empty() {
        return None;
    }
    let names: Vec<_> = functions.iter().map(|(function, _)| literal(&function.identity)).collect();
    let renamed = functions.iter().filter_map(|(function, becomes)| {
        Some(format!(" WHEN {}::regprocedure THEN {}", literal(&function.identity), literal((*becomes)?)))
    });
    let renamed: String = renamed.collect();
    let name = match renamed.is_empty() {
        true => "p.oid::regprocedure::text".to_owned(),
        false => format!("CASE p.oid{renamed} ELSE p.oid::regprocedure::text END"),
    };
    Some(format!(
        "    SELECT p.oid AS number, kept.place, kept.sql FROM pg_proc AS p
    CROSS JOIN LATERAL (SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind, {name} AS name) AS k
    CROSS JOIN LATERAL (
      SELECT 1 AS place, format('REVOKE ALL ON %s %s FROM PUBLIC', kind, name) AS sql WHERE p.proacl IS NOT NULL
      UNION ALL SELECT 1, format('REVOKE ALL ON %s %s FROM %s', kind, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) FROM {usual}
      UNION ALL SELECT 2, format('GRANT EXECUTE ON %s %s TO PUBLIC', kind, name) WHERE p.proacl IS NULL AND EXISTS (SELECT FROM {usual})
      UNION ALL SELECT 2, format('GRANT %s ON %s %s TO %s%s', privilege_type, kind, name, {GRANTEE}) FROM aclexplode(p.proacl) WHERE grantee <> p.proowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, name, description) FROM pg_description WHERE objoid = p.oid AND classoid = 'pg_proc'::regclass
      UNION ALL SELECT 7, format('ALTER %s %s OWNER TO %I', kind, name, pg_get_userbyid(p.proowner)) WHERE p.proowner <> current_user::regrole
    ) AS kept WHERE p.oid = ANY (ARRAY[{names}]::regprocedure[])",
        usual = usual("f", "p.pronamespace"),
        names = names.join(", "),
    ))
}

/// Domains and composite types, with the comments on their constraints and attributes.
fn of_types(types: &[(&ObjectInSchema, Option<&str>)]) -> Option<String> {
    if types.is_empty() {
        return None;
    }
    let names: Vec<_> = types.iter().map(|(ty, _)| literal(&ty.identity)).collect();
    Some(format!(
        "    SELECT t.oid AS number, kept.place, kept.sql FROM pg_type AS t
    CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END AS kind, t.oid::regtype::text AS name) AS k
    CROSS JOIN LATERAL (
      SELECT 1 AS place, format('REVOKE ALL ON TYPE %s FROM PUBLIC', name) AS sql WHERE t.typacl IS NOT NULL
      UNION ALL SELECT 1, format('REVOKE ALL ON TYPE %s FROM %s', name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) FROM {usual}
      UNION ALL SELECT 2, format('GRANT USAGE ON TYPE %s TO PUBLIC', name) WHERE t.typacl IS NULL AND EXISTS (SELECT FROM {usual})
      UNION ALL SELECT 2, format('GRANT %s ON TYPE %s TO %s%s', privilege_type, name, {GRANTEE}) FROM aclexplode(t.typacl) WHERE grantee <> t.typowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, name, description) FROM pg_description WHERE objoid = t.oid AND classoid = 'pg_type'::regclass
      UNION ALL SELECT 3, format('COMMENT ON COLUMN %s.%I IS %L', name, a.attname, d.description) FROM pg_description AS d JOIN pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid WHERE d.objoid = t.typrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid > 0
      UNION ALL SELECT 3, format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS %L', c.conname, name, d.description) FROM pg_constraint AS c JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass WHERE c.contypid = t.oid
      UNION ALL SELECT 7, format('ALTER %s %s OWNER TO %I', kind, name, pg_get_userbyid(t.typowner)) WHERE t.typowner <> current_user::regrole
    ) AS kept WHERE t.oid = ANY (ARRAY[{names}]::regtype[])",
        usual = usual("T", "t.typnamespace"),
        names = names.join(", "),
    ))
}

/// What belongs to a trigger. The statement that enables it as it was comes last.
const TRIGGER: &str = "
      UNION ALL SELECT 8, format('ALTER TABLE %s %s TRIGGER %I', relation, CASE o.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, o.tgname) WHERE o.tgenabled <> 'O'";

/// What belongs to a policy, besides its comment.
const POLICY: &str = "";

fn of_guards(
    guards: &[(&ObjectInSchema, Option<&str>)],
    class: &str,
    name: &str,
    table: &str,
    more: &str,
) -> Option<String> {
    let kind = guards.first()?.0.kind.to_uppercase();
    let is_it = |(guard, _): &(&ObjectInSchema, Option<&str>)| {
        format!(
            "(o.{table}, o.{name}) = ({}::regclass, {})",
            literal(&qualified(&guard.relation)),
            literal(&guard.name)
        )
    };
    let condition: Vec<String> = guards.iter().map(is_it).collect();
    let renamed = guards.iter().filter_map(|(guard, becomes)| {
        let relation = literal(&qualified(&guard.relation));
        Some(format!(" WHEN {relation}::regclass THEN {}", literal((*becomes)?)))
    });
    let renamed: String = renamed.collect();
    let relation = match renamed.is_empty() {
        true => format!("o.{table}::regclass::text"),
        false => format!("CASE o.{table}{renamed} ELSE o.{table}::regclass::text END"),
    };
    Some(format!(
        "    SELECT o.oid AS number, kept.place, kept.sql FROM {class} AS o
    CROSS JOIN LATERAL (SELECT {relation} AS relation) AS k
    CROSS JOIN LATERAL (
      SELECT 3 AS place, format('COMMENT ON {kind} %I ON %s IS %L', o.{name}, relation, description) AS sql FROM pg_description WHERE objoid = o.oid AND classoid = '{class}'::regclass{more}
    ) AS kept WHERE {}",
        condition.join(" OR ")
    ))
}

/// Returns the statement that restores what was noted. Warns about what is no longer there, and if that was noted in another
/// session.
pub(super) fn restore() -> String {
    format!(
        "-- Restores them.
DO $relata$ DECLARE noted text; BEGIN
  IF current_setting('{SETTING}', true) IS NULL THEN
    RAISE WARNING 'the privileges, comments and triggers of what was created again are lost: they were noted in a session that has ended';
    RETURN;
  END IF;
  FOREACH noted IN ARRAY string_to_array(current_setting('{SETTING}'), {SEPARATOR}) LOOP
    BEGIN
      EXECUTE noted;
    EXCEPTION WHEN undefined_column OR undefined_object THEN
      RAISE WARNING 'not restored: % (%)', noted, SQLERRM;
    END;
  END LOOP;
  PERFORM set_config('{SETTING}', '', false);
END $relata$"
    )
}
