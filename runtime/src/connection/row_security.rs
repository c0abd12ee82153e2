//! Checks whether PostgreSQL applies row security to the role of a connection.

use tokio_postgres::types::Type;

use crate::error::{Error, Result, from_connection};
use crate::meta::Table;

/// What a client does if PostgreSQL does not apply row security to its role.
///
/// ```
/// # use plain_planner::*;
/// # async fn example() -> relata::Result<()> {
/// let db = Client::builder("postgres://planner@localhost/exams")?
///     .row_security(relata::RowSecurity::Warn)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowSecurity {
    /// Refuses the connection with [`Error::RowSecurity`], which contains the reason.
    #[default]
    Require,
    /// Logs the reason at level WARN. Meant for a superuser in development, and for the release before the migration
    /// that creates the policies.
    Warn,
}

/// Checks each new connection of a client whose schema has `rowSecurity`.
pub(crate) struct RowSecurityCheck {
    mode: RowSecurity,
    /// The names of the tables as SQL.
    tables: Vec<String>,
}

/// Returns the role, for each table whether row security is enabled and whether it applies to the role, and whether the
/// session itself shows the rows of all tenants.
const CHECK: &str = "
    SELECT r.rolname::text, r.rolsuper, r.rolbypassrls, t.name, c.oid IS NOT NULL, coalesce(c.relrowsecurity, false),
           coalesce(c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'), false),
           coalesce(current_setting('relata.across_tenants', true) = 'on', false)
    FROM pg_roles r CROSS JOIN unnest($1) AS t(name) LEFT JOIN pg_class c ON c.oid = to_regclass(t.name)
    WHERE r.rolname = current_user ORDER BY t.name";

impl RowSecurityCheck {
    /// Returns `None` if no table has row security.
    pub(crate) fn of(mode: RowSecurity, tables: &[&'static Table]) -> Option<Self> {
        let tables: Vec<String> = tables.iter().map(|table| table.sql.to_owned()).collect();
        (!tables.is_empty()).then_some(Self { mode, tables })
    }

    /// Refuses the connection, or warns, if its role sees rows of all tenants.
    pub(super) async fn check(&self, connection: &tokio_postgres::Client) -> Result<()> {
        let Some(reason) = self.reason(connection).await? else { return Ok(()) };
        match self.mode {
            RowSecurity::Require => Err(Error::RowSecurity(reason)),
            RowSecurity::Warn => {
                tracing::warn!("row security is not in effect: {reason}");
                Ok(())
            }
        }
    }

    async fn reason(&self, connection: &tokio_postgres::Client) -> Result<Option<String>> {
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&self.tables, Type::TEXT_ARRAY)];
        let rows = connection.query_typed(CHECK, &params).await.map_err(|error| from_connection(&error))?;
        let (mut off, mut owned) = (Vec::new(), Vec::new());
        for row in &rows {
            let read = |at: usize| row.try_get::<_, bool>(at).map_err(|error| from_connection(&error));
            let text = |at: usize| row.try_get::<_, String>(at).map_err(|error| from_connection(&error));
            let role = text(0)?;
            if read(1)? || read(2)? {
                let why = if read(1)? { "is a superuser" } else { "has BYPASSRLS" };
                return Ok(Some(format!("the role {role} {why}, so no policy applies to it: {OTHER_ROLE}")));
            }
            if read(7)? {
                return Ok(Some(format!("the session of the role {role} {SHOWS_ALL}")));
            }
            if !read(4)? {
                // A table that does not exist shows no rows.
            } else if !read(5)? {
                off.push(text(3)?);
            } else if !read(6)? {
                owned.push((text(3)?, role));
            }
        }
        if !off.is_empty() {
            let tables = off.join(", ");
            return Ok(Some(format!("it is not enabled for {tables}: apply the migrations that create the policies")));
        }
        Ok(owned.first().map(|(table, role)| {
            format!(
                "the role {role} owns {table}, and row security is not forced on the owner: \
                 run ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
            )
        }))
    }
}

const SHOWS_ALL: &str = "shows the rows of all tenants, because relata.across_tenants is on: remove it from the \
    connection string, from the role (ALTER ROLE .. RESET relata.across_tenants) and from the database (ALTER DATABASE .. \
    RESET relata.across_tenants), or, if a program set it through a pooler, let the pooler open new connections";

const OTHER_ROLE: &str = "connect as another role (CREATE ROLE app LOGIN PASSWORD '..'; GRANT SELECT, INSERT, UPDATE, \
    DELETE ON ALL TABLES IN SCHEMA public TO app; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app; and ALTER DEFAULT \
    PRIVILEGES for the tables of later migrations), or accept this with .row_security(RowSecurity::Warn) on the builder of \
    the client";
