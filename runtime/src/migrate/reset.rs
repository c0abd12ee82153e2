//! Empties schemas, so that all migrations can run again.
//!
//! Drops the tables, views, materialized views, foreign tables, sequences, types and functions of the schemas,
//! including the history table. Keeps the schemas and their privileges, extensions and their objects, roles, and
//! everything in other schemas. If an object elsewhere depends on them, nothing is dropped.

use std::collections::BTreeSet;

use tokio_postgres::{Client, Transaction};

use super::error::Error;

/// Statements that drop each object, and the kind of the object, without members of extensions.
const DROPS: &str = "
    WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY($1)),
         of_extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
    SELECT kind, format('DROP %s IF EXISTS %s CASCADE', kind, name) FROM (
        SELECT 1 AS rank, c.oid, format('%I.%I', n.nspname, c.relname) AS name, CASE c.relkind
                   WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                   WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
        FROM pg_class c JOIN own n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
          AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM of_extension)
          AND ('pg_type'::regclass, c.reltype) NOT IN (SELECT classid, objid FROM of_extension)
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'i' AND c.relkind = 'S')
        UNION ALL
        SELECT 2, p.oid, p.oid::regprocedure::text, 'ROUTINE'
        FROM pg_proc p JOIN own n ON n.oid = p.pronamespace
        WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM of_extension)
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'i')
        UNION ALL
        SELECT 3, t.oid, format('%I.%I', n.nspname, t.typname), 'TYPE'
        FROM pg_type t JOIN own n ON n.oid = t.typnamespace
        WHERE t.typtype IN ('e', 'd', 'r')
          AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM of_extension)
    ) AS objects ORDER BY rank, oid";

/// A description of everything that a reset must leave alone, down to columns, defaults and constraints.
const OTHER_OBJECTS: &str = "
    WITH other AS (SELECT oid FROM pg_namespace
                   WHERE nspname <> ALL($1) AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'),
         rel AS (SELECT oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM other)
                 AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))
    SELECT pg_describe_object(class, object, part) FROM (
        SELECT 'pg_class'::regclass AS class, oid AS object, 0 AS part FROM rel
        UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum FROM pg_attribute
                  WHERE attrelid IN (SELECT oid FROM rel) AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 'pg_attrdef'::regclass, oid, 0 FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM rel)
        UNION ALL SELECT 'pg_constraint'::regclass, oid, 0 FROM pg_constraint
                  WHERE conrelid IN (SELECT oid FROM rel) OR (conrelid = 0 AND connamespace IN (SELECT oid FROM other))
        UNION ALL SELECT 'pg_trigger'::regclass, oid, 0 FROM pg_trigger
                  WHERE tgrelid IN (SELECT oid FROM rel) AND NOT tgisinternal
        UNION ALL SELECT 'pg_policy'::regclass, oid, 0 FROM pg_policy WHERE polrelid IN (SELECT oid FROM rel)
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0 FROM pg_proc WHERE pronamespace IN (SELECT oid FROM other)
        UNION ALL SELECT 'pg_type'::regclass, oid, 0 FROM pg_type WHERE typnamespace IN (SELECT oid FROM other)
    ) AS objects";

fn failed(source: tokio_postgres::Error) -> Error {
    Error::Database { doing: "emptying the schema", source }
}

/// Drops everything in `schemas`, in one transaction. Returns the number of objects that it named.
pub(super) async fn empty(client: &mut Client, schemas: &[String]) -> Result<usize, Error> {
    let transaction = client.transaction().await.map_err(failed)?;
    let before = other_objects(&transaction, schemas).await?;
    let rows = transaction.query(DROPS, &[&schemas]).await.map_err(failed)?;
    for row in &rows {
        let drop: String = row.get(1);
        transaction.execute_typed(&drop, &[]).await.map_err(failed)?;
    }
    let after = other_objects(&transaction, schemas).await?;
    let lost: Vec<String> = before.difference(&after).cloned().collect();
    if !lost.is_empty() {
        transaction.rollback().await.map_err(failed)?;
        return Err(Error::ResetTooFar { schemas: schemas.join(", "), objects: lost });
    }
    transaction.commit().await.map_err(failed)?;
    Ok(rows.len())
}

async fn other_objects(transaction: &Transaction<'_>, schemas: &[String]) -> Result<BTreeSet<String>, Error> {
    let rows = transaction.query(OTHER_OBJECTS, &[&schemas]).await.map_err(failed)?;
    Ok(rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)).collect())
}
