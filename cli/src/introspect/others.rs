//! Objects that a schema cannot declare: views and what belongs to them, sequences without a column, extended
//! statistics, settings of columns, comments.
//!
//! Each comes with the SQL that creates it, printed by PostgreSQL if it can.

mod settings;
mod views;

use relata_codegen::sql::quote::{ident, literal, qualified};
use relata_codegen::sql::{ObjectName, Other, OtherKind, Sequence, Use};
use tokio_postgres::Error;

use super::{Cx, HISTORY_TABLES};

/// Leaves out members of extensions, which are created with the extension.
pub(super) const NO_EXTENSION: &str = "NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.objid = c.oid AND x.deptype = 'e'
        AND x.classid = 'pg_class'::regclass)";

/// Reads all of them, in an order in which they can be created.
pub(super) async fn others(cx: &Cx<'_>, sequences: &[Sequence]) -> Result<Vec<Other>, Error> {
    let mut others = free_sequences(cx, sequences).await?;
    others.extend(views::views(cx).await?);
    others.extend(settings::of_columns(cx).await?);
    others.extend(settings::of_indexes(cx).await?);
    others.extend(views::parts(cx).await?);
    others.extend(statistics(cx).await?);
    others.extend(comments(cx).await?);
    for (other, order) in others.iter_mut().zip(0..) {
        other.order = order;
    }
    Ok(others)
}

async fn free_sequences(cx: &Cx<'_>, free: &[Sequence]) -> Result<Vec<Other>, Error> {
    let sql = "SELECT n.nspname::text, c.relname::text,
           format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(s.seqtypid, NULL),
               s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
               CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
        FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) ORDER BY 1, 2";
    let mut found = Vec::new();
    for row in cx.rows(sql).await? {
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        let Some(data) = free.iter().find(|it| it.name == name) else { continue };
        let (sequence, options): (String, String) = (qualified(&name), row.try_get(2)?);
        let create = format!("CREATE SEQUENCE {sequence} {options}");
        let other = Other::new(OtherKind::Sequence, name.to_string(), create, format!("DROP SEQUENCE {sequence}"));
        let change = Some(format!("ALTER SEQUENCE {sequence} {options}"));
        found.push(Other { change, sequence: Some(Box::new(data.clone())), ..other });
    }
    Ok(found)
}

/// Extended statistics with their targets and comments. PostgreSQL drops them together with any of their columns.
async fn statistics(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = "SELECT n.nspname::text, c.relname::text, sn.nspname::text, s.stxname::text,
           substr(pg_get_statisticsobjdef(s.oid), length(format('CREATE STATISTICS %I.%I', sn.nspname, s.stxname)) + 1),
           NULLIF((to_jsonb(s) ->> 'stxstattarget')::int, -1), obj_description(s.oid, 'pg_statistic_ext'),
           ARRAY(SELECT a.attname::text FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
                   AND d.refobjid = c.oid AND d.refobjsubid > 0 ORDER BY 1),
           c.relkind = 'm'
         FROM pg_statistic_ext AS s JOIN pg_class AS c ON c.oid = s.stxrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_namespace AS sn ON sn.oid = s.stxnamespace
         WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition ORDER BY 3, 4";
    let mut found = Vec::new();
    for row in cx.rows(sql).await? {
        let table = cx.name(row.try_get(0)?, row.try_get(1)?);
        if HISTORY_TABLES.contains(&table.name.as_str()) {
            continue;
        }
        let name = cx.name(row.try_get(2)?, row.try_get(3)?);
        let statistics = qualified(&name);
        let mut create = format!("CREATE STATISTICS {statistics}{}", row.try_get::<_, &str>(4)?);
        if let Some(target) = row.try_get::<_, Option<i32>>(5)? {
            create += &format!(";\nALTER STATISTICS {statistics} SET STATISTICS {target}");
        }
        if let Some(comment) = row.try_get::<_, Option<&str>>(6)? {
            create += &format!(";\nCOMMENT ON STATISTICS {statistics} IS {}", literal(comment));
        }
        let drop = format!("DROP STATISTICS {statistics}");
        let columns: Vec<String> = row.try_get(7)?;
        let uses = columns.into_iter().map(|column| Use::Column(table.clone(), column)).collect();
        let part_of = row.try_get::<_, bool>(8)?.then_some(table);
        found.push(Other { uses, part_of, ..Other::new(OtherKind::Statistics, name.to_string(), create, drop) });
    }
    Ok(found)
}

/// Comments on tables, columns, views, indexes, sequences, enums and constraints, and on objects that belong to views.
async fn comments(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
             WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END, n.nspname::text, c.relname::text,
           a.attname::text, s.description, COALESCE(t.relname, c.relname)::text, COALESCE(t.relkind, c.relkind) IN ('v', 'm')
         FROM pg_description AS s JOIN pg_class AS c ON s.classoid = 'pg_class'::regclass AND c.oid = s.objoid
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
         LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = s.objsubid AND s.objsubid > 0
         LEFT JOIN pg_index AS i ON i.indexrelid = c.oid LEFT JOIN pg_class AS t ON t.oid = i.indrelid
         WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I') AND {NO_EXTENSION}
         UNION ALL
         SELECT 'CONSTRAINT', n.nspname::text, c.relname::text, k.conname::text, s.description, c.relname::text, false
         FROM pg_description AS s JOIN pg_constraint AS k ON s.classoid = 'pg_constraint'::regclass AND k.oid = s.objoid
         JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY($1) AND {NO_EXTENSION}
         UNION ALL
         SELECT 'TRIGGER', n.nspname::text, c.relname::text, t.tgname::text, s.description, c.relname::text, true
         FROM pg_description AS s JOIN pg_trigger AS t ON s.classoid = 'pg_trigger'::regclass AND t.oid = s.objoid
         JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY($1) AND c.relkind = 'v' AND {NO_EXTENSION}
         UNION ALL
         SELECT 'RULE', n.nspname::text, c.relname::text, r.rulename::text, s.description, c.relname::text, true
         FROM pg_description AS s JOIN pg_rewrite AS r ON s.classoid = 'pg_rewrite'::regclass AND r.oid = s.objoid
         JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY($1) AND c.relkind = 'v' AND {NO_EXTENSION}
         UNION ALL
         SELECT 'TYPE', n.nspname::text, c.typname::text, NULL, s.description, c.typname::text, false
         FROM pg_description AS s JOIN pg_type AS c ON s.classoid = 'pg_type'::regclass AND c.oid = s.objoid
         JOIN pg_namespace AS n ON n.oid = c.typnamespace
         WHERE n.nspname = ANY($1) AND c.typtype = 'e'
         ORDER BY 2, 3, 1, 4"
    );
    let mut comments = Vec::new();
    for row in cx.rows(&sql).await? {
        let (word, owner): (&str, &str) = (row.try_get(0)?, row.try_get(2)?);
        if HISTORY_TABLES.contains(&owner) {
            continue;
        }
        let (schema, part): (&str, Option<&str>) = (row.try_get(1)?, row.try_get(3)?);
        let (owner, table) = (cx.name(schema, owner), cx.name(schema, row.try_get(5)?));
        let comment = comment(word, &owner, part, row.try_get(4)?);
        let used = match part {
            Some(column) if ["TABLE", "VIEW", "MATERIALIZED VIEW"].contains(&word) => {
                Use::Column(table.clone(), column.to_owned())
            }
            Some(name) => Use::Constraint(table.clone(), name.to_owned()),
            None if word == "INDEX" => Use::Constraint(table.clone(), owner.name.clone()),
            None => Use::Relation(owner),
        };
        let part_of = row.try_get::<_, bool>(6)?.then_some(table);
        comments.push(Other { uses: vec![used], part_of, ..comment });
    }
    Ok(comments)
}

fn comment(word: &str, owner: &ObjectName, part: Option<&str>, text: &str) -> Other {
    let (name, target) = match part {
        Some(part) if ["CONSTRAINT", "TRIGGER", "RULE"].contains(&word) => (
            format!("{} {part} on {owner}", word.to_lowercase()),
            format!("{word} {} ON {}", ident(part), qualified(owner)),
        ),
        Some(part) => (format!("column {owner}.{part}"), format!("COLUMN {}.{}", qualified(owner), ident(part))),
        None => (format!("{} {owner}", word.to_lowercase()), format!("{word} {}", qualified(owner))),
    };
    let create = format!("COMMENT ON {target} IS {}", literal(text));
    let other = Other::new(OtherKind::Comment, name, create.clone(), format!("COMMENT ON {target} IS NULL"));
    Other { change: Some(create), ..other }
}
