//! The storage and statistics settings of columns of tables and materialized views, and the statistics targets of
//! indexes, if they differ from the defaults. They are lost when the column or index is created again.

use relata_codegen::sql::quote::{ident, qualified};
use relata_codegen::sql::{Other, OtherKind, Use};
use tokio_postgres::{Error, Row};

use super::NO_EXTENSION;
use crate::introspect::{Cx, HISTORY_TABLES, SET_BY_USER};

/// Settings of columns. A partition has the settings of its table, or is compared as a whole.
pub(super) async fn of_columns(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, a.attname::text, COALESCE(a.attstattarget, -1)::int, w.word, uw.word,
           to_jsonb(a) ? 'attcompression',
           CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE 'DEFAULT' END, o.options,
           c.relkind::text
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
         CROSS JOIN LATERAL (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) AS o WHERE {SET_BY_USER}) AS o(options)
         JOIN (VALUES ('p', 'PLAIN'), ('e', 'EXTERNAL'), ('x', 'EXTENDED'), ('m', 'MAIN')) AS w(letter, word) ON w.letter = a.attstorage::text
         JOIN (VALUES ('p', 'PLAIN'), ('e', 'EXTERNAL'), ('x', 'EXTENDED'), ('m', 'MAIN')) AS uw(letter, word) ON uw.letter = t.typstorage::text
         WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname = ANY($1) AND a.attnum > 0
           AND NOT a.attisdropped AND {NO_EXTENSION}
           AND (COALESCE(a.attstattarget, -1) >= 0 OR a.attstorage <> t.typstorage OR o.options IS NOT NULL
                OR NULLIF(to_jsonb(a) ->> 'attcompression', '') IS NOT NULL)
         ORDER BY 1, 2, a.attnum"
    );
    let mut found = Vec::new();
    for row in cx.rows(&sql).await? {
        if !HISTORY_TABLES.contains(&row.try_get(1)?) {
            found.push(of_column(cx, &row)?);
        }
    }
    Ok(found)
}

fn of_column(cx: &Cx<'_>, row: &Row) -> Result<Other, Error> {
    let (table, name) = (cx.name(row.try_get(0)?, row.try_get(1)?), row.try_get::<_, &str>(2)?);
    let column = format!("ALTER COLUMN {}", ident(name));
    let has_compression: bool = row.try_get(6)?;
    let is_view = row.try_get::<_, &str>(9)? == "m";
    let alter = match row.try_get(9)? {
        "m" => format!("ALTER MATERIALIZED VIEW {}", qualified(&table)),
        "r" => format!("ALTER TABLE ONLY {}", qualified(&table)),
        // Its partitions have the same settings.
        _ => format!("ALTER TABLE {}", qualified(&table)),
    };
    let sets = |target: i32, storage: &str, compression: &str| {
        let reset = format!("{column} RESET (n_distinct, n_distinct_inherited)");
        let sets = format!("{column} SET STATISTICS {target}, {column} SET STORAGE {storage}");
        let compression =
            if has_compression { format!(", {column} SET COMPRESSION {compression}") } else { String::new() };
        format!("{alter} {reset}, {sets}{compression}")
    };
    let mut create = sets(row.try_get(3)?, row.try_get(4)?, row.try_get(7)?);
    if let Some(options) = row.try_get::<_, Option<&str>>(8)? {
        create += &format!(", {column} SET ({options})");
    }
    let drop = sets(-1, row.try_get(5)?, "DEFAULT");
    let uses = if is_view { Vec::new() } else { vec![Use::Column(table.clone(), name.to_owned())] };
    let other = Other::new(OtherKind::Settings, format!("column {table}.{name}"), create.clone(), drop);
    Ok(Other { change: Some(create), uses, part_of: is_view.then_some(table), ..other })
}

/// Settings of indexes: the statistics target of each column.
pub(super) async fn of_indexes(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, i.relname::text, a.attnum::int, a.attstattarget::int
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid
         JOIN pg_attribute AS a ON a.attrelid = i.oid AND COALESCE(a.attstattarget, -1) >= 0
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1) AND {NO_EXTENSION}
         ORDER BY 1, 3, 4"
    );
    let of_column = |row: &Row| {
        let table = cx.name(row.try_get(0)?, row.try_get(1)?);
        let index = table.sibling(row.try_get(2)?);
        let number: i32 = row.try_get(3)?;
        let set =
            |target: i32| format!("ALTER INDEX {} ALTER COLUMN {number} SET STATISTICS {target}", qualified(&index));
        let create = set(row.try_get(4)?);
        let name = format!("column {number} of index {index}");
        let other = Other::new(OtherKind::Settings, name, create.clone(), set(-1));
        Ok(Other { change: Some(create), uses: vec![Use::Constraint(table, index.name)], ..other })
    };
    cx.rows(&sql).await?.iter().map(of_column).collect()
}
