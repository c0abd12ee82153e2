//! What belongs to objects that are created again, as SQL that a session notes and restores.

use crate::sql::quote::{literal, qualified};
use crate::sql::state::{Managed, ObjectInSchema, ViewInSchema};

/// The setting of the session that holds the statements in the meantime.
const SETTING: &str = "relata.belongings";

/// A role in GRANT.
const GRANTEE: &str = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END";

/// Returns the statement that notes owners, privileges, comments, indexes, rules, triggers, and which triggers are disabled.
pub(super) fn note(objects: &[Managed]) -> String {
    let views: Vec<&ViewInSchema> = objects.iter().filter_map(Managed::view).collect();
    let of_kinds = |kinds: &[&str]| -> Vec<&ObjectInSchema> {
        let found = objects.iter().filter_map(|object| match object {
            Managed::Object(object) => Some(object),
            Managed::View(_) => None,
        });
        found.filter(|object| kinds.contains(&object.kind)).collect()
    };
    let parts = [
        (!views.is_empty()).then(|| of_views(&views)),
        of_functions(&of_kinds(&["function", "procedure"])),
        of_guards(&of_kinds(&["trigger"]), "pg_trigger", "tgname", "tgrelid", TRIGGER),
        of_guards(&of_kinds(&["policy"]), "pg_policy", "polname", "polrelid", POLICY),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!(
        "-- Notes the owners, privileges, comments, rules and triggers of what is created again.
DO $relata$ BEGIN
  PERFORM set_config('{SETTING}', coalesce((SELECT string_agg(noted.sql, ';' ORDER BY noted.number, noted.place) FROM (
{}
  ) AS noted), ''), false);
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
      UNION ALL SELECT 2, format('GRANT %s ON %s TO %s%s', privilege_type, c.oid::regclass, {GRANTEE}) FROM aclexplode(c.relacl) WHERE grantee <> c.relowner
      UNION ALL SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', privilege_type, a.attname, c.oid::regclass, {GRANTEE}) FROM pg_attribute AS a CROSS JOIN LATERAL aclexplode(a.attacl) WHERE a.attrelid = c.oid AND grantee <> c.relowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, c.oid::regclass, description) FROM pg_description WHERE objoid = c.oid AND classoid = 'pg_class'::regclass AND objsubid = 0
      UNION ALL SELECT 4, pg_get_indexdef(i.oid) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND i.relname <> ALL (ARRAY[{indexes}]::text[])
      UNION ALL SELECT 5, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN'
      UNION ALL SELECT 6, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal AND tgname <> ALL (ARRAY[{triggers}]::text[])
    ) AS kept WHERE c.oid = ANY (ARRAY[{names}]::regclass[])",
        indexes = indexes.join(", "),
        triggers = triggers.join(", "),
        names = names.join(", "),
    )
}

/// The owner last: it may be a role that the current one cannot act for afterwards.
fn of_functions(functions: &[&ObjectInSchema]) -> Option<String> {
    if functions.is_empty() {
        return None;
    }
    let names: Vec<_> = functions.iter().map(|function| literal(&function.identity)).collect();
    Some(format!(
        "    SELECT p.oid AS number, kept.place, kept.sql FROM pg_proc AS p
    CROSS JOIN LATERAL (SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind) AS k
    CROSS JOIN LATERAL (
      SELECT 1 AS place, format('REVOKE ALL ON %s %s FROM PUBLIC', kind, p.oid::regprocedure) AS sql WHERE p.proacl IS NOT NULL
      UNION ALL SELECT 2, format('GRANT %s ON %s %s TO %s%s', privilege_type, kind, p.oid::regprocedure, {GRANTEE}) FROM aclexplode(p.proacl) WHERE grantee <> p.proowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, p.oid::regprocedure, description) FROM pg_description WHERE objoid = p.oid AND classoid = 'pg_proc'::regclass
      UNION ALL SELECT 7, format('ALTER %s %s OWNER TO %I', kind, p.oid::regprocedure, pg_get_userbyid(p.proowner)) WHERE p.proowner <> current_user::regrole
    ) AS kept WHERE p.oid = ANY (ARRAY[{names}]::regprocedure[])",
        names = names.join(", "),
    ))
}

/// What belongs to a trigger. The statement that enables it as it was comes last.
const TRIGGER: &str = "
      UNION ALL SELECT 8, format('ALTER TABLE %s %s TRIGGER %I', o.tgrelid::regclass, CASE o.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, o.tgname) WHERE o.tgenabled <> 'O'";

/// What belongs to a policy, besides its comment.
const POLICY: &str = "";

fn of_guards(guards: &[&ObjectInSchema], class: &str, name: &str, table: &str, more: &str) -> Option<String> {
    let kind = guards.first()?.kind.to_uppercase();
    let is_it = |guard: &&ObjectInSchema| {
        format!(
            "(o.{table}, o.{name}) = ({}::regclass, {})",
            literal(&qualified(&guard.relation)),
            literal(&guard.name)
        )
    };
    let condition: Vec<String> = guards.iter().map(is_it).collect();
    Some(format!(
        "    SELECT o.oid AS number, kept.place, kept.sql FROM {class} AS o
    CROSS JOIN LATERAL (
      SELECT 3 AS place, format('COMMENT ON {kind} %I ON %s IS %L', o.{name}, o.{table}::regclass, description) AS sql FROM pg_description WHERE objoid = o.oid AND classoid = '{class}'::regclass{more}
    ) AS kept WHERE {}",
        condition.join(" OR ")
    ))
}

/// Returns the statement that restores what was noted. Warns if that happened in another session.
pub(super) fn restore() -> String {
    format!(
        "-- Restores them.
DO $relata$ BEGIN
  IF current_setting('{SETTING}', true) IS NULL THEN
    RAISE WARNING 'the privileges, comments and triggers of what was created again are lost: they were noted in a session that has ended';
  ELSE
    EXECUTE current_setting('{SETTING}');
    PERFORM set_config('{SETTING}', '', false);
  END IF;
END $relata$"
    )
}
