//! Views and materialized views, with what belongs to them: defaults, indexes, rules, triggers. Also what they lose
//! when they are created again, and what prevents dropping them.

use std::collections::BTreeMap;

use relata_codegen::sql::quote::{ident, qualified};
use relata_codegen::sql::{ObjectName, Other, OtherKind, Use};
use tokio_postgres::{Error, Row};

use super::NO_EXTENSION;
use crate::introspect::Cx;

/// A view has a larger oid than the views it reads, unless it was replaced and now reads a newer one.
pub(super) async fn views(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let mut uses = uses(cx).await?;
    let mut privileges = privileges(cx).await?;
    let mut used_by = used_by(cx).await?;
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind = 'm', pg_get_viewdef(c.oid),
           array_to_string(c.reloptions, ', '), c.relispopulated,
           CASE WHEN m.amname <> 'heap' THEN quote_ident(m.amname) END,
           CASE WHEN pg_get_userbyid(c.relowner) <> current_user THEN pg_get_userbyid(c.relowner)::text END
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS m ON m.oid = c.relam
         WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) AND {NO_EXTENSION} ORDER BY c.oid"
    );
    let mut views = Vec::new();
    for row in cx.rows(&sql).await? {
        let (oid, name): (u32, _) = (row.try_get(0)?, cx.name(row.try_get(1)?, row.try_get(2)?));
        let (kind, word) = if row.try_get(3)? {
            (OtherKind::MaterializedView, "MATERIALIZED VIEW")
        } else {
            (OtherKind::View, "VIEW")
        };
        let (definition, options): (&str, Option<&str>) = (row.try_get(4)?, row.try_get(5)?);
        let method = row.try_get::<_, Option<&str>>(7)?.map(|method| format!(" USING {method}")).unwrap_or_default();
        let options = options.map(|options| format!(" WITH ({options})")).unwrap_or_default();
        let definition = definition.trim().trim_end_matches(';');
        let create = format!("CREATE {word} {}{method}{options} AS\n{definition}", qualified(&name));
        let owner: Option<&str> = row.try_get(8)?;
        let owned = owner.map(|owner| format!("ALTER {word} {} OWNER TO {}", qualified(&name), ident(owner)));
        let restore = owned.into_iter().chain(privileges.remove(&oid).unwrap_or_default()).collect();
        let other = Other::new(kind, name.to_string(), create, format!("DROP {word} {}", qualified(&name)));
        views.push(Other {
            uses: uses.remove(&oid).unwrap_or_default(),
            used_by: used_by.remove(&oid).unwrap_or_default(),
            restore,
            without_data: !row.try_get::<_, bool>(6)?,
            ..other
        });
    }
    Ok(in_order(views))
}

/// Sorts the views so that each comes after those it reads. PostgreSQL does not allow cycles; one would stay as it is.
fn in_order(mut left: Vec<Other>) -> Vec<Other> {
    let mut sorted: Vec<Other> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let reads = |view: &Other, other: &Other| view.uses.iter().any(|it| it.relation().to_string() == other.name);
        let free = left.iter().position(|view| !left.iter().any(|other| other != view && reads(view, other)));
        sorted.push(left.remove(free.unwrap_or(0)));
    }
    sorted
}

/// The tables, views, columns and keys that each view depends on.
async fn uses(cx: &Cx<'_>) -> Result<BTreeMap<u32, Vec<Use>>, Error> {
    let sql = "SELECT DISTINCT r.ev_class, n.nspname::text, t.relname::text, a.attname::text, k.conname::text
        FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_class AS v ON v.oid = r.ev_class JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        LEFT JOIN pg_constraint AS k ON d.refclassid = 'pg_constraint'::regclass AND k.oid = d.refobjid
        JOIN pg_class AS t ON t.oid = COALESCE(k.conrelid, d.refobjid) AND t.oid <> v.oid
          AND d.refclassid IN ('pg_class'::regclass, 'pg_constraint'::regclass)
        JOIN pg_namespace AS n ON n.oid = t.relnamespace
        LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
        WHERE vn.nspname = ANY($1) ORDER BY 2, 3, 4, 5";
    let mut uses: BTreeMap<u32, Vec<Use>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let relation = cx.name(row.try_get(1)?, row.try_get(2)?);
        let used = match (row.try_get(3)?, row.try_get(4)?) {
            (Some(column), _) => Use::Column(relation, column),
            (None, Some(key)) => Use::Constraint(relation, key),
            (None, None) => Use::Relation(relation),
        };
        uses.entry(row.try_get(0)?).or_default().push(used);
    }
    Ok(uses)
}

/// The statements that grant the privileges on each view again, except those of the owner.
async fn privileges(cx: &Cx<'_>) -> Result<BTreeMap<u32, Vec<String>>, Error> {
    let sql = "SELECT c.oid, n.nspname::text, c.relname::text, a.attname::text,
           CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee)::text END, x.is_grantable,
           array_agg(x.privilege_type ORDER BY x.privilege_type)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT 0 AS attnum, c.relacl AS acl
          UNION ALL SELECT attnum, attacl FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL) AS o
        CROSS JOIN LATERAL aclexplode(o.acl) AS x
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = o.attnum AND o.attnum > 0
        WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) AND x.grantee <> c.relowner
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 4 NULLS FIRST, 5 NULLS FIRST, 6";
    let mut statements: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let view = cx.name(row.try_get(1)?, row.try_get(2)?);
        let column: Option<&str> = row.try_get(3)?;
        let column = column.map(|column| format!(" ({})", ident(column))).unwrap_or_default();
        let grantee = row.try_get::<_, Option<&str>>(4)?.map_or_else(|| "PUBLIC".to_owned(), ident);
        let option = if row.try_get(5)? { " WITH GRANT OPTION" } else { "" };
        let privileges: Vec<String> = row.try_get(6)?;
        let privileges: Vec<_> = privileges.iter().map(|privilege| format!("{privilege}{column}")).collect();
        statements.entry(row.try_get(0)?).or_default().push(format!(
            "GRANT {} ON {} TO {grantee}{option}",
            privileges.join(", "),
            qualified(&view)
        ));
    }
    Ok(statements)
}

/// Objects that depend on each view or its row type and are not created again with it: functions, columns of its type,
/// policies.
async fn used_by(cx: &Cx<'_>) -> Result<BTreeMap<u32, Vec<String>>, Error> {
    let sql = "SELECT DISTINCT c.oid, pg_describe_object(d.classid, d.objid, 0)
          || CASE WHEN d.classid = 'pg_class'::regclass AND d.objsubid > 0 THEN format(' (column %s)',
               (SELECT attname FROM pg_attribute WHERE attrelid = d.objid AND attnum = d.objsubid)) ELSE '' END
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_type AS t ON t.typrelid = c.oid
        JOIN pg_depend AS d ON d.deptype = 'n' AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
          OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray))
        LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class AS v ON v.oid = r.ev_class LEFT JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
        LEFT JOIN pg_trigger AS g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
        WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) AND g.tgrelid IS DISTINCT FROM c.oid
          AND NOT COALESCE(v.relkind IN ('v', 'm') AND vn.nspname = ANY($1), false)
        ORDER BY 1, 2";
    let mut used: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        used.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
    }
    Ok(used)
}

/// Objects that belong to views, in the order in which they can be created.
pub(super) async fn parts(cx: &Cx<'_>) -> Result<Vec<Other>, Error> {
    let sql = format!(
        "WITH c AS (
           SELECT c.*, n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY($1) AND {NO_EXTENSION})
         SELECT 1, c.nspname::text, c.relname::text, a.attname::text, pg_get_expr(d.adbin, d.adrelid)
         FROM c JOIN pg_attrdef AS d ON d.adrelid = c.oid
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.adnum
         UNION ALL
         SELECT 2, c.nspname::text, c.relname::text, i.relname::text, concat(pg_get_indexdef(i.oid, 0, true),
           (SELECT string_agg(format(E';\nALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', c.nspname, i.relname, a.attnum,
              a.attstattarget), '' ORDER BY a.attnum)
            FROM pg_attribute AS a WHERE a.attrelid = i.oid AND COALESCE(a.attstattarget, -1) >= 0))
         FROM c JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid
         UNION ALL
         SELECT 3, c.nspname::text, c.relname::text, r.rulename::text, rtrim(pg_get_ruledef(r.oid, true), ';')
         FROM c JOIN pg_rewrite AS r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN'
         UNION ALL
         SELECT 4, c.nspname::text, c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid, true)
         FROM c JOIN pg_trigger AS t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
         ORDER BY 1, 2, 3, 4"
    );
    cx.rows(&sql).await?.iter().map(|row| part(cx, row)).collect()
}

fn part(cx: &Cx<'_>, row: &Row) -> Result<Other, Error> {
    let view = cx.name(row.try_get(1)?, row.try_get(2)?);
    let (name, create): (&str, String) = (row.try_get(3)?, row.try_get(4)?);
    let on_view = |kind, word: &str| {
        let drop = format!("DROP {word} {} ON {}", ident(name), qualified(&view));
        Other::new(kind, format!("{name} on {view}"), create.clone(), drop)
    };
    let alone = |kind, word: &str| {
        let object: ObjectName = view.sibling(name);
        Other::new(kind, object.to_string(), create.clone(), format!("DROP {word} {}", qualified(&object)))
    };
    let other = match row.try_get::<_, i32>(0)? {
        1 => {
            let column = format!("ALTER VIEW {} ALTER COLUMN {}", qualified(&view), ident(name));
            let create = format!("{column} SET DEFAULT {create}");
            let drop = format!("{column} DROP DEFAULT");
            let other = Other::new(OtherKind::Default, format!("{view}.{name}"), create.clone(), drop);
            Other { change: Some(create), ..other }
        }
        2 => alone(OtherKind::Index, "INDEX"),
        3 => on_view(OtherKind::Rule, "RULE"),
        _ => on_view(OtherKind::Trigger, "TRIGGER"),
    };
    Ok(Other { part_of: Some(view), ..other })
}
