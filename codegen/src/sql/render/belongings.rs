//! What belongs to views that are created again, as SQL that a session notes and restores.

use crate::sql::quote::{literal, qualified};
use crate::sql::state::ViewInSchema;

/// The setting of the session that holds the statements in the meantime.
const SETTING: &str = "relata.belongings";

/// Returns the statement that notes owners, privileges, comments, indexes, rules and triggers.
pub(super) fn note(views: &[ViewInSchema]) -> String {
    let names: Vec<_> = views.iter().map(|view| literal(&qualified(&view.name))).collect();
    let indexes: Vec<_> = views.iter().flat_map(|view| &view.indexes).map(|index| literal(index)).collect();
    format!(
        "-- Notes the owners, privileges, comments, rules and triggers of the views that are created again.
DO $relata$ BEGIN
  PERFORM set_config('{SETTING}', (SELECT coalesce(string_agg(kept.sql, ';' ORDER BY c.oid, kept.place), '')
    FROM pg_class AS c
    CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind) AS k
    CROSS JOIN LATERAL (
      SELECT 7 AS place, format('ALTER %s %s OWNER TO %I', kind, c.oid::regclass, pg_get_userbyid(c.relowner)) AS sql WHERE c.relowner <> current_user::regrole
      UNION ALL SELECT 2, format('GRANT %s ON %s TO %s%s', privilege_type, c.oid::regclass, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) FROM aclexplode(c.relacl) WHERE grantee <> c.relowner
      UNION ALL SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', privilege_type, a.attname, c.oid::regclass, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) FROM pg_attribute AS a CROSS JOIN LATERAL aclexplode(a.attacl) WHERE a.attrelid = c.oid AND grantee <> c.relowner
      UNION ALL SELECT 3, format('COMMENT ON %s %s IS %L', kind, c.oid::regclass, description) FROM pg_description WHERE objoid = c.oid AND classoid = 'pg_class'::regclass AND objsubid = 0
      UNION ALL SELECT 4, pg_get_indexdef(i.oid) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND i.relname <> ALL (ARRAY[{indexes}]::text[])
      UNION ALL SELECT 5, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN'
      UNION ALL SELECT 6, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    ) AS kept
    WHERE c.oid = ANY (ARRAY[{names}]::regclass[])), false);
END $relata$",
        indexes = indexes.join(", "),
        names = names.join(", "),
    )
}

/// Returns the statement that restores what was noted. Warns if that happened in another session.
pub(super) fn restore() -> String {
    format!(
        "-- Restores them.
DO $relata$ BEGIN
  IF current_setting('{SETTING}', true) IS NULL THEN
    RAISE WARNING 'the privileges and triggers of the views that were created again are lost: they were noted in a session that has ended';
  ELSE
    EXECUTE current_setting('{SETTING}');
    PERFORM set_config('{SETTING}', '', false);
  END IF;
END $relata$"
    )
}
