//! The queries of the catalog, one for each kind of object. Each returns these columns: the table of the catalog and
//! the oid in it; the schema, or null; the kind; the name; the table that the object belongs to; whether the object
//! always needs tables; the statement that creates it, or null.
//!
//! The parameter is the list of schemas to pull. Columns that only newer servers have are read as JSON.

mod code;
mod columns;
mod tables;
mod types;

use std::collections::BTreeMap;

use tokio_postgres::{Error, Transaction};

use super::Tables;
use super::dependencies::Node;
pub(super) use tables::{KEYLESS_JOIN_TABLE, ROW_SECURITY};

/// All kinds. A kind comes after those that it depends on.
pub(super) fn queries() -> Vec<String> {
    let kinds = types::queries().into_iter().chain(code::queries()).chain(columns::queries());
    kinds
        .chain(tables::queries())
        .map(|sql| format!("SELECT * FROM ({sql}) AS kind WHERE $1::text[] IS NOT NULL"))
        .collect()
}

/// The condition that a row of the catalog belongs neither to PostgreSQL itself nor to an extension.
fn own(class: &str, alias: &str) -> String {
    format!(
        "{alias}.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.classid = '{class}'::regclass
            AND x.objid = {alias}.oid AND x.objsubid = 0 AND x.deptype IN ('e', 'i'))"
    )
}

/// The type that a domain is based on, or the type itself.
fn below(ty: &str) -> String {
    format!(
        "(WITH RECURSIVE below AS (SELECT {ty} AS oid UNION ALL
            SELECT u.typbasetype FROM below JOIN pg_type AS u ON u.oid = below.oid WHERE u.typtype = 'd')
          SELECT u.oid FROM below JOIN pg_type AS u ON u.oid = below.oid WHERE u.typtype <> 'd')"
    )
}

/// The condition that several defaults use a sequence. The schema creates a sequence for each column that counts, so it
/// does not create such a sequence, even if a column owns it.
fn is_shared(sequence: &str) -> String {
    format!(
        "(SELECT count(*) FROM pg_depend AS u WHERE u.classid = 'pg_attrdef'::regclass AND u.refclassid = 'pg_class'::regclass
            AND u.refobjid = {sequence} AND u.deptype = 'n') > 1"
    )
}

/// The name that the catalog gives an object.
fn identity(class: &str, oid: &str) -> String {
    format!("(pg_identify_object('{class}'::regclass, {oid}, 0)).identity")
}

/// A kind of object of which only the name is read.
fn named(class: &str, schema: Option<&str>, kind: &str) -> String {
    let (identity, own) = (identity(class, "o.oid"), own(class, "o"));
    let (namespace, join) = match schema {
        Some(column) => ("n.nspname::text", format!(" JOIN pg_namespace AS n ON n.oid = o.{column}")),
        None => ("NULL::text", String::new()),
    };
    format!(
        "SELECT '{class}'::text, o.oid, {namespace}, '{kind}'::text, {identity}, NULL::text, true, NULL::text
         FROM {class} AS o{join} WHERE {own}"
    )
}

/// Returns the tables of the schemas.
pub(super) async fn tables(transaction: &Transaction<'_>, schemas: &[String]) -> Result<Tables, Error> {
    let sql = "SELECT n.nspname::text, c.relname::text, c.oid
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1)";
    let mut tables = Tables::new();
    for row in transaction.query(sql, &[&schemas]).await? {
        let node: Node = ("pg_class".to_owned(), row.try_get(2)?);
        tables.insert((row.try_get(0)?, row.try_get(1)?), node);
    }
    Ok(tables)
}

/// Returns the other schemas and the number of tables in each. Leaves out the schemas of extensions, and `public` if it
/// is empty.
pub(super) async fn elsewhere(transaction: &Transaction<'_>, schemas: &[String]) -> Result<Vec<(String, i64)>, Error> {
    let of_extension = |class: &str, oid: &str| {
        format!(
            "EXISTS (SELECT FROM pg_depend AS x WHERE x.classid = '{class}'::regclass AND x.objid = {oid}
                AND x.deptype = 'e')"
        )
    };
    let (schema, class) = (of_extension("pg_namespace", "n.oid"), of_extension("pg_class", "c.oid"));
    let (function, ty) = (of_extension("pg_proc", "p.oid"), of_extension("pg_type", "t.oid"));
    let sql = format!(
        "SELECT n.nspname::text, (
            SELECT count(*) FROM pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition AND c.relpersistence <> 't' AND NOT {class})
         FROM pg_namespace AS n
         WHERE n.nspname <> ALL($1) AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT {schema}
           AND (n.nspname <> 'public'
                OR EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = n.oid AND NOT {class})
                OR EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = n.oid AND NOT {function})
                OR EXISTS (SELECT FROM pg_type AS t WHERE t.typnamespace = n.oid AND t.typelem = 0 AND NOT {ty}))
         ORDER BY 1"
    );
    let rows = transaction.query(sql.as_str(), &[&schemas]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Returns the functions of each extension, in lower case.
pub(super) async fn functions_of_extensions(
    transaction: &Transaction<'_>,
) -> Result<BTreeMap<u32, Vec<String>>, Error> {
    let sql = "SELECT d.refobjid, array_agg(DISTINCT lower(p.proname)) FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
        WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' GROUP BY 1";
    let rows = transaction.query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Returns all extensions, with the schemas of their objects.
pub(super) async fn extensions(transaction: &Transaction<'_>) -> Result<BTreeMap<u32, (String, String)>, Error> {
    let sql = "SELECT e.oid, e.extname::text, n.nspname::text
        FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'";
    let rows = transaction.query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
}
