//! Definitions that take part in a comparison of two databases but are not migrated: functions, triggers, policies,
//! domains, partitions and so on, each as one text. The text is compared and never shown, because it may contain a
//! password.
//!
//! Owners, privileges, tablespaces and settings of roles and of the database are not read: they differ from server to
//! server.

mod database;
mod schemas;
mod tables;

use relata_codegen::sql::Definition;
use tokio_postgres::{Error, Row};

use super::{Cx, HISTORY_TABLES};

/// The schemas to read, without members of extensions: `n.nspname` and `TABLE.oid`.
fn ours(class: &str, alias: &str) -> String {
    format!(
        "n.nspname = ANY($1) AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_catalog.{class}'::regclass
           AND e.objid = {alias}.oid AND e.deptype = 'e')"
    )
}

pub(super) async fn definitions(cx: &Cx<'_>) -> Result<Vec<Definition>, Error> {
    let mut definitions = Vec::new();
    for sql in schemas::queries().iter().chain(&tables::queries()) {
        for row in cx.rows(sql).await? {
            definitions.extend(definition(cx, &row)?);
        }
    }
    for sql in &database::queries() {
        // Some queries have the list of schemas as a parameter, and some have no parameter.
        let rows = if sql.contains("$1") { cx.rows(sql).await? } else { cx.transaction.query(sql, &[]).await? };
        for row in &rows {
            definitions.extend(definition(cx, row)?);
        }
    }
    Ok(definitions)
}

/// Returns `None` for objects that belong to the migration history.
fn definition(cx: &Cx<'_>, row: &Row) -> Result<Option<Definition>, Error> {
    let (schema, object): (Option<&str>, &str) = (row.try_get(1)?, row.try_get(2)?);
    if HISTORY_TABLES.contains(&object) {
        return Ok(None);
    }
    let object = schema.map_or_else(|| object.to_owned(), |schema| cx.name(schema, object).to_string());
    let name = match row.try_get::<_, Option<&str>>(3)? {
        Some(part) => format!("{part} on {object}"),
        None => object,
    };
    let text: Option<String> = row.try_get(4)?;
    Ok(Some(Definition { kind: row.try_get(0)?, name, text: text.unwrap_or_default() }))
}
