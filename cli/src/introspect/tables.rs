//! Tables with their columns and constraints.

use std::collections::{BTreeMap, BTreeSet};

use relata_codegen::ir::{NativeType, ReferentialAction};
use relata_codegen::sql::{
    AUDIT, Check, Column, ColumnDefault, ColumnGrant, ColumnOptions, ConstraintOptions, DataType, Deferrable, EnumType,
    ForeignKey, Identity, ObjectName, PrimaryKey, SequenceOptions, Table, TableOptions, UniqueConstraint, below_domain,
};
use tokio_postgres::Row;

use super::{Cx, HISTORY_TABLES, objects, uses};

/// Tables whose columns and constraints are read, by the oid of the table.
type Tables = BTreeMap<u32, Table>;

const TABLES: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text, c.relpersistence = 'u' AS unlogged,
           ARRAY(SELECT option FROM unnest(c.reloptions) AS option
                 UNION ALL SELECT 'toast.' || option FROM unnest(x.reloptions) AS option) AS storage,
           pg_get_partkeydef(c.oid) AS partition_by, c.reloftype <> 0 AS is_typed,
           CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
           ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_partitioned_table p ON p.partrelid = a.attrelid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnum = ANY(p.partattrs) ORDER BY a.attnum)
             AS partition_columns,
           ARRAY(SELECT xc.relname::text FROM pg_index x JOIN pg_class xc ON xc.oid = x.indexrelid
                 JOIN pg_inherits h ON h.inhrelid = xc.oid WHERE x.indrelid = c.oid ORDER BY 1) AS attached,
           ARRAY(SELECT part.name FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                 JOIN pg_namespace pn ON pn.oid = p.relnamespace
                 CROSS JOIN LATERAL unnest(ARRAY[pn.nspname::text, p.relname::text]) WITH ORDINALITY AS part(name, place)
                 WHERE i.inhrelid = c.oid ORDER BY i.inhseqno, part.place) AS inherits,
           obj_description(c.oid, 'pg_class') AS comment
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class x ON x.oid = c.reltoastrelid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')";

/// `enums` are the enums that were read. For a column of any other enum, the type is one that the schema language does
/// not know.
pub(super) async fn tables(cx: &Cx<'_>, enums: &[EnumType]) -> Result<Vec<Table>, tokio_postgres::Error> {
    let enums: BTreeSet<ObjectName> = enums.iter().map(|ty| ty.name.clone()).collect();
    let mut tables = Tables::new();
    for row in cx.rows(TABLES).await? {
        let name: &str = row.try_get(2)?;
        // If everything is compared, the table of recorded changes is a table like any other.
        if !HISTORY_TABLES.contains(&name) && (name != AUDIT || cx.has_partitions) {
            let options = table_options(cx, &row)?;
            tables.insert(row.try_get(0)?, Table { options, ..Table::new(cx.name(row.try_get(1)?, name)) });
        }
    }
    let mut used_by = uses::used_by(cx).await?;
    let mut grants = grants(cx).await?;
    for row in cx.rows(&columns_sql(cx)).await? {
        let (oid, number) = (row.try_get(0)?, row.try_get(11)?);
        if let Some(table) = tables.get_mut(&oid) {
            let name: &str = row.try_get(1)?;
            let mut users = used_by.remove(&(oid, number)).unwrap_or_default();
            let views = users.iter().filter(|user| uses::is_view(user) && !table.used_by.contains(user));
            let views: Vec<String> = views.cloned().collect();
            table.used_by.extend(views);
            users.extend(used_by.get(&(oid, uses::EVERY_COLUMN)).into_iter().flatten().cloned());
            if table.options.partition_columns.iter().any(|column| column == name) {
                users.push(format!("the partition key of {}", table.name));
            }
            let grants = grants.remove(&(oid, number)).unwrap_or_default();
            table.columns.push(Column { used_by: users, grants, ..column(cx, &enums, &row)? });
        }
    }
    for ((oid, _), users) in used_by {
        if let Some(table) = tables.get_mut(&oid) {
            let new: Vec<String> = users.into_iter().filter(|user| !table.used_by.contains(user)).collect();
            table.used_by.extend(new);
        }
    }
    for row in cx.rows(CONSTRAINTS).await? {
        if let Some(table) = tables.get_mut(&row.try_get(0)?) {
            add_constraint(cx, table, &row)?;
        }
    }
    Ok(tables.into_values().collect())
}

fn table_options(cx: &Cx<'_>, row: &Row) -> Result<TableOptions, tokio_postgres::Error> {
    // Pairs of names in one flat list.
    let inherits: Vec<String> = row.try_get("inherits")?;
    let mut storage: Vec<String> = row.try_get("storage")?;
    storage.sort();
    Ok(TableOptions {
        // A partitioned table has no rows of its own to log.
        unlogged: row.try_get("unlogged")?
            && (cx.has_partitions || row.try_get::<_, Option<&str>>("partition_by")?.is_none()),
        storage,
        partition_by: row.try_get("partition_by")?,
        partition_columns: row.try_get("partition_columns")?,
        is_typed: row.try_get("is_typed")?,
        attached: row.try_get("attached")?,
        partition_bound: row.try_get("partition_bound")?,
        inherits: inherits.chunks_exact(2).map(|pair| cx.name(&pair[0], &pair[1])).collect(),
        comment: cx.comment(row.try_get("comment")?),
    })
}

/// The type of a column is an enum if the type, or the element type of an array, was read as an enum. A domain over an
/// array has the category of arrays but no element type. A type of an extension is written without the PostgreSQL
/// schema that the extension is installed in, as in the schema language.
const COLUMNS: &str = "
    SELECT a.attrelid, a.attname::text,
           CASE WHEN EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = e.oid
                             AND x.deptype = 'e')
                THEN regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*\\.', '')
                ELSE format_type(a.atttypid, a.atttypmod) END,
           a.attnotnull, a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid),
           t.typcategory = 'A', en.nspname::text, CASE e.typtype WHEN 'e' THEN e.typname::text END,
           CASE WHEN a.attcollation <> t.typcollation AND l.collnamespace <> 'pg_catalog'::regnamespace
                THEN format('%I.%I', l.collnamespace::regnamespace::text, l.collname)
                WHEN a.attcollation <> t.typcollation THEN quote_ident(l.collname) END, a.attnum::int,
           a.attinhcount > 0 AS inherited, a.attinhcount > 0 AND a.attislocal AS redeclared,
           col_description(c.oid, a.attnum) AS comment,
           CASE e.typtype WHEN 'd' THEN en.nspname::text END AS domain_schema,
           CASE e.typtype WHEN 'd' THEN e.typname::text END AS domain,
           CASE WHEN e.typtype = 'd' THEN (
             WITH RECURSIVE below AS (
               SELECT e.typbasetype AS oid, e.typtypmod AS typmod UNION ALL
               SELECT u.typbasetype, u.typtypmod FROM below JOIN pg_type u ON u.oid = below.oid WHERE u.typtype = 'd')
             SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = u.oid
                                      AND x.deptype = 'e')
                         THEN regexp_replace(format_type(below.oid, below.typmod), '^.*\\.', '')
                         ELSE format_type(below.oid, below.typmod) END
             FROM below JOIN pg_type u ON u.oid = below.oid WHERE u.typtype <> 'd') END AS below, s.*
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type e ON e.oid = CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem
                                ELSE t.oid END
    JOIN pg_namespace en ON en.oid = e.typnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN LATERAL (
        SELECT s.seqtypid::regtype::text, s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, s.seqcycle
        FROM pg_depend i JOIN pg_sequence s ON s.seqrelid = i.objid
        WHERE i.classid = 'pg_class'::regclass AND i.refclassid = 'pg_class'::regclass AND i.refobjid = a.attrelid
          AND i.refobjsubid = a.attnum AND i.deptype = 'i') s ON a.attidentity <> ''
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum";

/// Between two databases, every type is written with its schema: a column can only have it if it can be found.
fn columns_sql(cx: &Cx<'_>) -> String {
    let unqualified = "x.deptype = 'e')\n                THEN";
    if cx.has_partitions {
        COLUMNS.replacen(unqualified, &unqualified.replace("THEN", "AND false THEN"), 1)
    } else {
        COLUMNS.to_owned()
    }
}

fn column(cx: &Cx<'_>, enums: &BTreeSet<ObjectName>, row: &Row) -> Result<Column, tokio_postgres::Error> {
    let (identity, generated): (&str, &str) = (row.try_get(4)?, row.try_get(5)?);
    let expression: Option<&str> = row.try_get(6)?;
    let enum_type: (Option<&str>, Option<&str>) = (row.try_get(8)?, row.try_get(9)?);
    let (ty, array) = match enum_type {
        (Some(schema), Some(name)) if enums.contains(&cx.name(schema, name)) => {
            (DataType::Enum(cx.name(schema, name)), row.try_get(7)?)
        }
        _ => DataType::parse(row.try_get(2)?),
    };
    let (ty, domain) = match domain(cx, row)? {
        Some((below, domain)) => (below, Some(domain)),
        None => (ty, None),
    };
    let is_generated = !generated.is_empty();
    let default_expression = expression.filter(|_| !is_generated);
    let default = default_expression.and_then(|sql| match &domain {
        Some(domain) => default(&below_domain(sql, domain, &ty), &ty, array),
        None => default(sql, &ty, array),
    });
    // `DEFAULT NULL` says nothing, and is written all the same.
    let said = || default_expression.filter(|_| cx.has_partitions).map(|sql| ColumnDefault::Expression(sql.to_owned()));
    let default = default.or_else(said);
    let is_constant = matches!(default, Some(ColumnDefault::Literal(_) | ColumnDefault::List(_)));
    let default_text = default_expression.filter(|_| cx.has_partitions && is_constant).map(str::to_owned);
    Ok(Column {
        name: row.try_get(1)?,
        ty,
        array,
        nullable: !row.try_get::<_, bool>(3)?,
        default,
        identity: match identity {
            "a" => Some(Identity::Always),
            "d" => Some(Identity::ByDefault),
            _ => None,
        },
        generated: expression.filter(|_| is_generated).map(str::to_owned),
        collation: row.try_get(10)?,
        used_by: Vec::new(),
        grants: Vec::new(),
        options: ColumnOptions {
            may_be_null: false,
            outdated: false,
            default_text,
            counts: match row.try_get::<_, Option<&str>>("seqtypid")? {
                Some(_) => objects::sequence_options(row)?,
                None => SequenceOptions::default(),
            },
            is_virtual: generated == "v",
            inherited: row.try_get("inherited")?,
            stays_in_heirs: false,
            redeclared: row.try_get("redeclared")?,
            comment: cx.comment(row.try_get("comment")?),
            domain,
        },
    })
}

/// Returns the domain of a column, and the type that it is based on, if a schema can have both. If everything is compared,
/// domains are objects, and types of columns.
fn domain(cx: &Cx<'_>, row: &Row) -> Result<Option<(DataType, ObjectName)>, tokio_postgres::Error> {
    let (schema, name): (Option<&str>, Option<&str>) = (row.try_get("domain_schema")?, row.try_get("domain")?);
    let (Some(schema), Some(name), false) = (schema, name, cx.has_partitions) else { return Ok(None) };
    let below = DataType::parse(row.try_get::<_, Option<&str>>("below")?.unwrap_or_default());
    let is_known = matches!(below, (DataType::Native(_), false));
    // A schema could not tell a dot in the name from the one after a schema.
    let has_dot = name.contains('.');
    let name = if has_dot { ObjectName::new(Some(schema), name) } else { cx.name(schema, name) };
    Ok(is_known.then_some((below.0, name)))
}

/// The privileges of each column that roles other than the owner have, by the oid of the table and the number of the
/// column.
async fn grants(cx: &Cx<'_>) -> Result<BTreeMap<(u32, i32), Vec<ColumnGrant>>, tokio_postgres::Error> {
    let sql = "SELECT c.oid, a.attnum::int, array_agg(x.privilege_type ORDER BY x.privilege_type),
           CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee)::text END, x.is_grantable
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN LATERAL aclexplode(a.attacl) AS x
        WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1) AND x.grantee <> c.relowner
        GROUP BY 1, 2, 4, 5 ORDER BY 1, 2, 4 NULLS FIRST, 5";
    let mut grants: BTreeMap<(u32, i32), Vec<ColumnGrant>> = BTreeMap::new();
    for row in cx.rows(sql).await? {
        let grant = ColumnGrant { privileges: row.try_get(2)?, grantee: row.try_get(3)?, grantable: row.try_get(4)? };
        grants.entry((row.try_get(0)?, row.try_get(1)?)).or_default().push(grant);
    }
    Ok(grants)
}

/// A timestamp without time zone is a different moment in each session, so it cannot be written as a constant.
fn default(sql: &str, ty: &DataType, array: bool) -> Option<ColumnDefault> {
    let has_zone = matches!(ty, DataType::Native(NativeType::Timestamptz(_) | NativeType::Timetz(_)));
    if has_zone && sql.trim_end_matches(')').ends_with("without time zone") {
        return Some(ColumnDefault::Expression(sql.to_owned()));
    }
    ColumnDefault::parse(sql, ty, array)
}

/// Primary keys, unique constraints, foreign keys and checks. Column names are in the order of the key. A constraint
/// with a parent is one that PostgreSQL created for a partition.
const CONSTRAINTS: &str = "
    SELECT k.conrelid, k.contype::text, k.conname::text,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(num, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
           fn.nspname::text, f.relname::text,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(num, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place),
           k.confdeltype::text, k.confupdtype::text, pg_get_expr(k.conbin, k.conrelid),
           k.condeferrable, k.condeferred, NOT k.convalidated AS not_valid, k.contype = 'c' AND k.connoinherit AS no_inherit,
           k.coninhcount > 0 AS inherited, k.confmatchtype = 'f' AS match_full,
           NOT COALESCE((to_jsonb(k) ->> 'conenforced')::boolean, true) AS not_enforced,
           COALESCE((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                 WHERE a.attrelid = k.conrelid AND to_jsonb(k) -> 'confdelsetcols' @> to_jsonb(a.attnum)
                 ORDER BY a.attnum) AS delete_columns,
           COALESCE((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
           ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u(num, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
                 WHERE u.place > x.indnkeyatts ORDER BY u.place) AS include,
           ARRAY(SELECT o FROM unnest(xc.reloptions) AS o ORDER BY o COLLATE \"C\") AS storage
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
    LEFT JOIN pg_index x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u')
    LEFT JOIN pg_class xc ON xc.oid = x.indexrelid
    WHERE n.nspname = ANY($1) AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0";

fn add_constraint(cx: &Cx<'_>, table: &mut Table, row: &Row) -> Result<(), tokio_postgres::Error> {
    let name: String = row.try_get(2)?;
    let columns: Vec<String> = row.try_get(3)?;
    let referenced: (Option<&str>, Option<&str>) = (row.try_get(4)?, row.try_get(5)?);
    let expression: Option<String> = row.try_get(9)?;
    let options = constraint_options(row)?;
    match (row.try_get::<_, &str>(1)?, referenced, expression) {
        ("p", ..) => table.primary_key = Some(PrimaryKey { name, columns, options }),
        ("u", ..) => table.uniques.push(UniqueConstraint { name, columns, options }),
        ("c", _, Some(expression)) => table.checks.push(Check { name, expression, options }),
        ("f", (Some(schema), Some(referenced)), _) => {
            let key = foreign_key(name, columns, cx.name(schema, referenced), row)?;
            table.foreign_keys.push(ForeignKey { options, ..key });
        }
        _ => {}
    }
    Ok(())
}

fn foreign_key(
    name: String,
    columns: Vec<String>,
    referenced_table: ObjectName,
    row: &Row,
) -> Result<ForeignKey, tokio_postgres::Error> {
    Ok(ForeignKey {
        name,
        columns,
        referenced_table,
        referenced_columns: row.try_get(6)?,
        on_delete: action(row.try_get(7)?),
        on_update: action(row.try_get(8)?),
        options: ConstraintOptions::default(),
    })
}

fn constraint_options(row: &Row) -> Result<ConstraintOptions, tokio_postgres::Error> {
    Ok(ConstraintOptions {
        deferrable: match (row.try_get("condeferrable")?, row.try_get("condeferred")?) {
            (false, _) => None,
            (true, false) => Some(Deferrable::InitiallyImmediate),
            (true, true) => Some(Deferrable::InitiallyDeferred),
        },
        not_valid: row.try_get("not_valid")?,
        not_enforced: row.try_get("not_enforced")?,
        no_inherit: row.try_get("no_inherit")?,
        inherited: row.try_get("inherited")?,
        match_full: row.try_get("match_full")?,
        delete_columns: row.try_get("delete_columns")?,
        nulls_not_distinct: row.try_get("nulls_not_distinct")?,
        include: row.try_get("include")?,
        storage: row.try_get("storage")?,
        period: row.try_get("period")?,
    })
}

fn action(letter: &str) -> ReferentialAction {
    match letter {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}
