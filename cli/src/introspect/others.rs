//! What a database has and no schema speaks of: views, free sequences, exclusion constraints, comments. Also what
//! stands on columns, so that they can neither be dropped nor get another type.
//!
//! Each comes as the SQL that makes it, printed by PostgreSQL where it can.

use std::collections::BTreeMap;

use relata_codegen::sql::quote::{ident, literal, qualified};
use relata_codegen::sql::{ObjectName, Other, OtherKind};
use tokio_postgres::{Error, Row};

use super::{Cx, HISTORY_TABLES};

/// Not those of extensions, which come with them.
const NO_EXTENSION: &str = "NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.objid = c.oid AND x.deptype = 'e'
        AND x.classid = 'pg_class'::regclass)";

/// All of them, in an order in which they can be made.
pub(super) async fn others(cx: &Cx<'_>, sequences: &[ObjectName]) -> Result<Vec<Other>, Error> {
    let mut others = free_sequences(cx, sequences).await?;
    others.extend(exclusions(cx).await?);
    others.extend(views(cx).await?);
    others.extend(comments(cx).await?);
    for (other, order) in others.iter_mut().zip(0..) {
        other.order = order;
    }
    Ok(others)
}

async fn free_sequences(cx: &Cx<'_>, names: &[ObjectName]) -> Result<Vec<Other>, Error> {
    let sql = "SELECT n.nspname::text, c.relname::text,
           format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(s.seqtypid, NULL),
               s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
               CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
        FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) ORDER BY 1, 2";
    let mut found = Vec::new();
    for row in cx.rows(sql).await? {
        let name = cx.name(row.try_get(0)?, row.try_get(1)?);
        if !names.contains(&name) {
            continue;
        }
        let (sequence, options): (String, String) = (qualified(&name), row.try_get(2)?);
        found.push(Other {
            kind: OtherKind::Sequence,
            name: name.to_string(),
            create: format!("CREATE SEQUENCE {sequence} {options}"),
            change: Some(format!("ALTER SEQUENCE {sequence} {options}")),
            drop: format!("DROP SEQUENCE {sequence}"),
            order: 0,
            uses: Vec::new(),
        });
    }
    Ok(found)
}

async fn exclusions(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, k.conname::text, pg_get_constraintdef(k.oid)
         FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE k.contype = 'x' AND n.nspname = ANY($1) AND NOT c.relispartition AND {NO_EXTENSION} ORDER BY 1, 2, 3"
    );
    let exclusion = |row: &Row| {
        let (table, name) = (cx.name(row.try_get(0)?, row.try_get(1)?), row.try_get::<_, &str>(2)?);
        let alter = format!("ALTER TABLE {}", qualified(&table));
        Ok(Other {
            kind: OtherKind::Exclusion,
            name: format!("{name} on {table}"),
            create: format!("{alter} ADD CONSTRAINT {} {}", ident(name), row.try_get::<_, &str>(3)?),
            change: None,
            drop: format!("{alter} DROP CONSTRAINT {}", ident(name)),
            order: 0,
            uses: Vec::new(),
        })
    };
    cx.rows(&sql).await?.iter().map(exclusion).collect()
}

/// A view has a larger oid than those it reads, unless it was replaced by one that reads a later one.
async fn views(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let mut uses = uses(cx).await?;
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind = 'm', pg_get_viewdef(c.oid),
           array_to_string(c.reloptions, ', ')
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) AND {NO_EXTENSION} ORDER BY c.oid"
    );
    let mut views = Vec::new();
    for row in cx.rows(&sql).await? {
        let name = cx.name(row.try_get(1)?, row.try_get(2)?);
        let (kind, word) = if row.try_get(3)? {
            (OtherKind::MaterializedView, "MATERIALIZED VIEW")
        } else {
            (OtherKind::View, "VIEW")
        };
        let (definition, options): (&str, Option<&str>) = (row.try_get(4)?, row.try_get(5)?);
        let options = options.map(|options| format!(" WITH ({options})")).unwrap_or_default();
        let definition = definition.trim().trim_end_matches(';');
        views.push(Other {
            kind,
            name: name.to_string(),
            create: format!("CREATE {word} {}{options} AS\n{definition}", qualified(&name)),
            change: None,
            drop: format!("DROP {word} {}", qualified(&name)),
            order: 0,
            uses: uses.remove(&row.try_get(0)?).unwrap_or_default(),
        });
    }
    Ok(in_order(views))
}

/// Each behind those it reads. A circle, which PostgreSQL does not allow, would stay as it is.
fn in_order(mut left: Vec<Other>) -> Vec<Other> {
    let mut sorted: Vec<Other> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let reads = |view: &Other, other: &Other| view.uses.iter().any(|(name, _)| name.to_string() == other.name);
        let free = left.iter().position(|view| !left.iter().any(|other| other != view && reads(view, other)));
        sorted.push(left.remove(free.unwrap_or(0)));
    }
    sorted
}

/// The tables, views and columns that each view reads.
async fn uses(cx: &Cx<'_>) -> Result<BTreeMap<u32, Vec<(ObjectName, Option<String>)>>, Error> {
    let sql = "SELECT DISTINCT r.ev_class, n.nspname::text, t.relname::text, a.attname::text
        FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_class AS v ON v.oid = r.ev_class JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        JOIN pg_class AS t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid AND t.oid <> v.oid
        JOIN pg_namespace AS n ON n.oid = t.relnamespace
        LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
        WHERE vn.nspname = ANY($1) ORDER BY 2, 3, 4";
    let mut uses: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let used = (cx.name(row.try_get(1)?, row.try_get(2)?), row.try_get(3)?);
        uses.entry(row.try_get(0)?).or_default().push(used);
    }
    Ok(uses)
}

/// Comments on tables, columns, views, indexes, sequences, enums and constraints.
async fn comments(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
             WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END, n.nspname::text, c.relname::text,
           a.attname::text, s.description
         FROM pg_description AS s JOIN pg_class AS c ON s.classoid = 'pg_class'::regclass AND c.oid = s.objoid
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
         LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = s.objsubid AND s.objsubid > 0
         WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I') AND {NO_EXTENSION}
         UNION ALL
         SELECT 'CONSTRAINT', n.nspname::text, c.relname::text, k.conname::text, s.description
         FROM pg_description AS s JOIN pg_constraint AS k ON s.classoid = 'pg_constraint'::regclass AND k.oid = s.objoid
         JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY($1) AND {NO_EXTENSION}
         UNION ALL
         SELECT 'TYPE', n.nspname::text, c.typname::text, NULL, s.description
         FROM pg_description AS s JOIN pg_type AS c ON s.classoid = 'pg_type'::regclass AND c.oid = s.objoid
         JOIN pg_namespace AS n ON n.oid = c.typnamespace
         WHERE n.nspname = ANY($1) AND c.typtype = 'e'
         ORDER BY 2, 3, 1, 4"
    );
    let mut comments = Vec::new();
    for row in cx.rows(&sql).await? {
        let (word, owner): (&str, &str) = (row.try_get(0)?, row.try_get(2)?);
        if !HISTORY_TABLES.contains(&owner) {
            comments.push(comment(word, cx.name(row.try_get(1)?, owner), row.try_get(3)?, row.try_get(4)?));
        }
    }
    Ok(comments)
}

fn comment(word: &str, owner: ObjectName, part: Option<&str>, text: &str) -> Other {
    let (name, target) = match part {
        Some(part) if word == "CONSTRAINT" => {
            (format!("constraint {part} on {owner}"), format!("CONSTRAINT {} ON {}", ident(part), qualified(&owner)))
        }
        Some(part) => (format!("column {owner}.{part}"), format!("COLUMN {}.{}", qualified(&owner), ident(part))),
        None => (format!("{} {owner}", word.to_lowercase()), format!("{word} {}", qualified(&owner))),
    };
    let create = format!("COMMENT ON {target} IS {}", literal(text));
    Other {
        kind: OtherKind::Comment,
        name,
        change: Some(create.clone()),
        create,
        drop: format!("COMMENT ON {target} IS NULL"),
        order: 0,
        uses: vec![(owner, None)],
    }
}

/// What stands on each column, by the oid of its table and its number; 0 is the table as a whole.
pub(super) async fn used_by(cx: &Cx<'_>) -> Result<BTreeMap<(u32, i32), Vec<String>>, Error> {
    let sql = "SELECT d.refobjid, d.refobjsubid, v.relkind::text, vn.nspname::text, v.relname::text,
           pg_describe_object(d.classid, d.objid, d.objsubid)
        FROM pg_depend AS d JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class AS v ON v.oid = r.ev_class
        LEFT JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
        LEFT JOIN pg_attribute AS g ON g.attrelid = c.oid AND g.attnum <> d.refobjsubid AND g.attgenerated <> ''
          AND (f.adrelid = c.oid AND f.adnum = g.attnum
            OR d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = g.attnum)
        WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')
          AND (v.oid <> c.oid OR g.attnum IS NOT NULL
            OR d.refobjsubid > 0 AND d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass))
        ORDER BY 1, 2, 3, 4, 5, 6";
    let mut used: BTreeMap<(u32, i32), Vec<String>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let view: (Option<&str>, Option<&str>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        let user = match view {
            (Some(kind), Some(schema), Some(name)) => {
                let kind = if kind == "m" { OtherKind::MaterializedView } else { OtherKind::View };
                format!("{kind} {}", cx.name(schema, name))
            }
            _ => row.try_get(5)?,
        };
        let users = used.entry((row.try_get(0)?, row.try_get(1)?)).or_default();
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(used)
}

/// Whether a user of a column has to go for the table to go: triggers and policies go with it.
pub(super) fn is_view(user: &str) -> bool {
    user.starts_with("view ") || user.starts_with("materialized view ")
}
