//! The privileges on each object in full, and the default privileges of the current role, which new objects get.

use relata_codegen::sql::{Acl, DefaultGrant};
use tokio_postgres::Error;

use super::links::{Links, Target};
use crate::introspect::Cx;

/// Everything that default privileges are about, with its letter there. The schema of an object in the current one is NULL.
const OBJECTS: &str = "
    SELECT 'pg_class' AS class, c.oid, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS kind, n.nspname AS schema,
           CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word, c.oid::regclass::text AS name, c.relowner AS owner,
           COALESCE(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, c.relowner)) AS acl
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_proc', p.oid, 'f', n.nspname, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text,
           p.proowner, COALESCE(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1)
    UNION ALL
    SELECT 'pg_type', t.oid, 'T', n.nspname, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype::text,
           t.typowner, COALESCE(t.typacl, acldefault('T', t.typowner))
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE n.nspname = ANY($1) AND t.typelem = 0 AND COALESCE(c.relkind, 'c') = 'c'
    UNION ALL
    SELECT 'pg_namespace', n.oid, 'n', NULL, 'SCHEMA', quote_ident(n.nspname), n.nspowner,
           COALESCE(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace AS n WHERE n.nspname = ANY($1)";

/// Roles and the statements that grant their privileges, as a flat array.
const GRANTS: &str = "
    ARRAY(SELECT unnest(ARRAY[g.role, concat_ws(E';\\n', format('GRANT %s ON %s %s TO %s', g.plain, o.word, o.name, g.role),
        CASE WHEN g.grantable IS NOT NULL THEN format('GRANT %s ON %s %s TO %s WITH GRANT OPTION', g.grantable, o.word, o.name, g.role) END)])
      FROM (SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS role,
              string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS plain,
              string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) FILTER (WHERE x.is_grantable AND x.grantee <> o.owner) AS grantable
            FROM (SELECT DISTINCT grantee, privilege_type, is_grantable FROM aclexplode(o.acl)) AS x GROUP BY x.grantee) AS g)";

/// Whom the default privileges of the current role name.
const DEFAULTS: &str = "
    SELECT d.defaclobjtype::text, d.defaclnamespace = 0, NULLIF(n.nspname, current_schema())::text, g.role
    FROM pg_default_acl AS d LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL (
      SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS role
      FROM (SELECT * FROM aclexplode(d.defaclacl) UNION ALL
            SELECT * FROM aclexplode(CASE WHEN d.defaclnamespace = 0 THEN acldefault(
              CASE d.defaclobjtype WHEN 'S' THEN 's'::\"char\" ELSE d.defaclobjtype END, d.defaclrole) END)) AS x) AS g
    WHERE d.defaclrole = (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)
    ORDER BY 1, 2, 3, 4";

/// Reads the privileges on everything that is read.
pub(super) async fn acls(cx: &Cx<'_>, links: &Links) -> Result<Vec<Acl>, Error> {
    let sql = format!(
        "SELECT o.class, o.oid, o.kind, NULLIF(o.schema, current_schema())::text, o.word, o.name, {GRANTS},
           quote_ident(pg_get_userbyid(o.owner)) FROM ({OBJECTS}) AS o"
    );
    let mut found = Vec::new();
    for row in cx.rows(&sql).await? {
        let address = (row.try_get::<_, String>(0)?, row.try_get(1)?, 0);
        let Some(Target::Need(object)) = links.target(&address) else { continue };
        let grants: Vec<String> = row.try_get(6)?;
        found.push(Acl {
            object,
            kind: row.try_get(2)?,
            schema: row.try_get(3)?,
            target: (row.try_get(4)?, row.try_get(5)?),
            holder: row.try_get(7)?,
            grants: grants.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        });
    }
    Ok(found)
}

/// Reads whom default privileges name.
pub(super) async fn default_grants(cx: &Cx<'_>) -> Result<Vec<DefaultGrant>, Error> {
    let grant = |row: &tokio_postgres::Row| {
        let place: Option<String> = row.try_get(2)?;
        let is_everywhere: bool = row.try_get(1)?;
        Ok(DefaultGrant { kind: row.try_get(0)?, place: (!is_everywhere).then_some(place), role: row.try_get(3)? })
    };
    cx.transaction.query(DEFAULTS, &[]).await?.iter().map(grant).collect()
}
