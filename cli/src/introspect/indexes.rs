//! Indexes that do not belong to a constraint, and exclusion constraints.

use relata_codegen::ir::{IndexMethod, SortOrder};
use relata_codegen::sql::{Deferrable, Exclusion, Index, IndexPart, IndexTarget, State};
use tokio_postgres::Row;

use super::Cx;

/// One row for each part of each index: first the key parts, then the columns of `INCLUDE`.
const PARTS: &str = "
    SELECT n.nspname::text, t.relname::text, c.relname::text, i.indisunique, m.amname::text,
           COALESCE((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), pg_get_expr(i.indpred, i.indrelid),
           part.place <= i.indnkeyatts, a.attname::text, part.definition,
           CASE WHEN o.opcdefault THEN NULL ELSE o.opcname::text END,
           COALESCE(i.indoption[part.place - 1], 0::int2),
           CASE WHEN o.opcdefault THEN o.opcname::text END, i.indisvalid OR t.relkind = 'p',
           NOT i.indisvalid AND t.relkind = 'p' AS only,
           EXISTS (SELECT FROM pg_inherits h JOIN pg_constraint k ON k.conindid = h.inhrelid AND k.contype IN ('p', 'u')
                   WHERE h.inhparent = i.indexrelid AND k.conparentid = 0) AS has_keys,
           ARRAY(SELECT o FROM unnest(c.reloptions) AS o ORDER BY o COLLATE \"C\") AS storage, ARRAY(SELECT o FROM unnest(x.attoptions) AS o WHERE o NOT LIKE 'pg\\_attver=%') AS class_options,
           CASE WHEN l.oid IS NULL OR l.oid = 'pg_catalog.\"default\"'::regcollation OR l.oid = a.attcollation THEN NULL
                WHEN l.collnamespace = 'pg_catalog'::regnamespace THEN quote_ident(l.collname)
                ELSE format('%I.%I', l.collnamespace::regnamespace::text, l.collname) END AS collation,
           strpos(pg_get_indexdef(i.indexrelid), part.definition || ' COLLATE ') > 0 AS says_collation,
           k.oid IS NOT NULL AS excludes, k.condeferrable, k.condeferred,
           CASE WHEN e.oid IS NULL THEN NULL WHEN pg_operator_is_visible(e.oid) THEN e.oprname::text
                ELSE format('OPERATOR(%I.%s)', e.oprnamespace::regnamespace::text, e.oprname) END AS operator
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL (SELECT place, pg_get_indexdef(i.indexrelid, place, false)
                        FROM generate_series(1, i.indnatts::int) AS place) AS part(place, definition)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[part.place - 1] AND a.attnum <> 0
    LEFT JOIN pg_attribute x ON x.attrelid = i.indexrelid AND x.attnum = part.place
    LEFT JOIN pg_collation l ON l.oid = i.indcollation[part.place - 1] AND part.place <= i.indnkeyatts
    LEFT JOIN pg_opclass o ON o.oid = i.indclass[part.place - 1] AND part.place <= i.indnkeyatts
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'x'
    LEFT JOIN pg_operator e ON e.oid = k.conexclop[part.place]
    WHERE n.nspname = ANY($1) AND t.relkind IN ('r', 'p')
      -- An index of a partition that belongs to that of its table comes with it.
      AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
    ORDER BY i.indexrelid, part.place";

/// Bits of `indoption`.
const DESCENDING: i16 = 1;
const NULLS_FIRST: i16 = 2;

pub(super) async fn add_indexes(cx: &Cx<'_>, state: &mut State) -> Result<(), tokio_postgres::Error> {
    for row in cx.rows(PARTS).await? {
        let table = cx.name(row.try_get(0)?, row.try_get(1)?);
        // The schema language has no access methods of extensions.
        let Some(method) = method(row.try_get(4)?) else { continue };
        let Some(table) = state.tables.iter_mut().find(|it| it.name == table) else { continue };
        if row.try_get("excludes")? {
            add_excluding_part(&mut table.exclusions, method, &row)?;
        } else {
            add_part(&mut table.indexes, method, &row)?;
        }
    }
    Ok(())
}

fn add_part(indexes: &mut Vec<Index>, method: IndexMethod, row: &Row) -> Result<(), tokio_postgres::Error> {
    let name: &str = row.try_get(2)?;
    if indexes.last().is_none_or(|last| last.name != name) {
        indexes.push(index(method, row)?);
    }
    match indexes.last_mut() {
        Some(index) => push_part(index, row),
        None => Ok(()),
    }
}

fn add_excluding_part(
    exclusions: &mut Vec<Exclusion>,
    method: IndexMethod,
    row: &Row,
) -> Result<(), tokio_postgres::Error> {
    let name: &str = row.try_get(2)?;
    if exclusions.last().is_none_or(|last| last.index.name != name) {
        let deferrable = match (row.try_get("condeferrable")?, row.try_get("condeferred")?) {
            (false, _) => None,
            (true, false) => Some(Deferrable::InitiallyImmediate),
            (true, true) => Some(Deferrable::InitiallyDeferred),
        };
        exclusions.push(Exclusion { index: index(method, row)?, operators: Vec::new(), deferrable });
    }
    let Some(exclusion) = exclusions.last_mut() else { return Ok(()) };
    exclusion.operators.extend(row.try_get::<_, Option<String>>("operator")?);
    push_part(&mut exclusion.index, row)
}

/// Returns an index without its parts.
fn index(method: IndexMethod, row: &Row) -> Result<Index, tokio_postgres::Error> {
    Ok(Index {
        name: row.try_get(2)?,
        unique: row.try_get(3)?,
        method,
        parts: Vec::new(),
        include: Vec::new(),
        predicate: row.try_get(6)?,
        nulls_not_distinct: row.try_get(5)?,
        storage: row.try_get("storage")?,
        valid: row.try_get(13)?,
        only: row.try_get("only")?,
        has_keys: row.try_get("has_keys")?,
    })
}

fn push_part(index: &mut Index, row: &Row) -> Result<(), tokio_postgres::Error> {
    let column: Option<String> = row.try_get(8)?;
    match (row.try_get(7)?, column) {
        (true, column) => index.parts.push(key_part(column, row)?),
        (false, Some(column)) => index.include.push(column),
        (false, None) => {}
    }
    Ok(())
}

fn key_part(column: Option<String>, row: &Row) -> Result<IndexPart, tokio_postgres::Error> {
    let option: i16 = row.try_get(11)?;
    let collation: Option<String> = row.try_get("collation")?;
    let (target, collation) = match column {
        Some(column) => (IndexTarget::Column(column), collation),
        // The collation is part of the expression, unless the expression has it anyway.
        None => {
            let mut expression: String = row.try_get(9)?;
            if let (Some(collation), true) = (&collation, row.try_get("says_collation")?) {
                expression += &format!(" COLLATE {collation}");
            }
            (IndexTarget::Expression(expression), None)
        }
    };
    Ok(IndexPart {
        target,
        operator_class: row.try_get(10)?,
        default_class: row.try_get(12)?,
        class_options: row.try_get("class_options")?,
        collation,
        sort: if option & DESCENDING == 0 { SortOrder::Asc } else { SortOrder::Desc },
        nulls_first: option & NULLS_FIRST != 0,
    })
}

fn method(name: &str) -> Option<IndexMethod> {
    Some(match name {
        "btree" => IndexMethod::BTree,
        "hash" => IndexMethod::Hash,
        "gin" => IndexMethod::Gin,
        "gist" => IndexMethod::Gist,
        "spgist" => IndexMethod::SpGist,
        "brin" => IndexMethod::Brin,
        "hnsw" => IndexMethod::Hnsw,
        "ivfflat" => IndexMethod::IvfFlat,
        _ => return None,
    })
}
