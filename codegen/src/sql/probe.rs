//! Probes: queries that count the affected rows of a live database.

use crate::sql::quote::{literal, qualified};
use crate::sql::state::Column;

/// A probe. All names and expressions are SQL, quoted where necessary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The number of rows of the table.
    Rows {
        /// The table.
        table: String,
    },
    /// The number of values other than NULL in the column.
    Values {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The number of NULLs in a column.
    Nulls {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The number of combinations of values that occur more than once.
    Duplicates {
        /// The table.
        table: String,
        /// The columns, or expressions in parentheses.
        columns: Vec<String>,
        /// A condition that the counted rows must satisfy.
        condition: Option<String>,
        /// Whether NULL equals NULL: `NULLS NOT DISTINCT`.
        nulls_equal: bool,
    },
    /// The number of rows that reference no existing row.
    Orphans {
        /// The referencing table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
        /// The referenced table.
        referenced: String,
        /// The referenced columns; empty for the primary key.
        referenced_columns: Vec<String>,
    },
    /// The number of rows with one of the values.
    Labels {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The values, unquoted.
        labels: Vec<String>,
    },
    /// The number of views, policies, triggers and generated columns that use a column.
    Dependents {
        /// The table.
        table: String,
        /// The column, without quotes.
        column: String,
        /// Objects that are dropped earlier.
        dropped: Vec<DroppedObject>,
    },
    /// Whether the column is not a list.
    Single {
        /// The table.
        table: String,
        /// The column, without quotes.
        column: String,
    },
    /// Whether no index starts with the columns, in any order.
    Unindexed {
        /// The table.
        table: String,
        /// The columns, without quotes.
        columns: Vec<String>,
    },
    /// Whether two rows exclude each other.
    Conflicts {
        /// The table.
        table: String,
        /// The columns, or expressions in parentheses.
        values: Vec<String>,
        /// The operator for each of them.
        operators: Vec<String>,
        /// A condition that both rows must satisfy.
        condition: Option<String>,
    },
    /// Whether a domain is missing or does not fit a column.
    Domain {
        /// The domain.
        domain: String,
        /// The type that it has to be based on.
        base: String,
        /// Whether the column accepts NULL.
        nullable: bool,
    },
    /// The number of rows that violate a check.
    Violations {
        /// The table.
        table: String,
        /// The condition.
        condition: String,
    },
}

/// An object that an earlier statement drops. Names of relations are SQL, others are plain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum DroppedObject {
    View { name: String },
    Trigger { name: String, table: String },
    Policy { name: String, table: String },
    Column { name: String, table: String },
}

impl DroppedObject {
    /// Returns an SQL expression for its description in the catalog.
    fn sql(&self) -> String {
        let on = |what: &str, table: &str| {
            format!("{} || to_regclass({})::text", literal(&format!("{what} table ")), literal(table))
        };
        match self {
            DroppedObject::View { name } => format!("'view ' || to_regclass({})::text", literal(name)),
            DroppedObject::Trigger { name, table } => on(&format!("trigger {name} on"), table),
            DroppedObject::Policy { name, table } => on(&format!("policy {name} on"), table),
            DroppedObject::Column { name, table } => on(&format!("column {name} of"), table),
        }
    }
}

impl Probe {
    /// Returns the probe for the domain of a column; `None` if it has none.
    pub fn of_domain(column: &Column) -> Option<Self> {
        let domain = qualified(column.options.domain.as_ref()?);
        Some(Probe::Domain { domain, base: column.ty.to_string(), nullable: column.nullable && !column.array })
    }

    /// Returns the query. Its first value is the count. The second, if there is one, names what was counted.
    pub fn sql(&self) -> String {
        match self {
            Probe::Rows { table } => format!("SELECT count(*) FROM {table}"),
            Probe::Values { table, column } => format!("SELECT count({column}) FROM {table}"),
            Probe::Nulls { table, column } => format!("SELECT count(*) FROM {table} WHERE {column} IS NULL"),
            Probe::Duplicates { table, columns, condition, nulls_equal } => {
                let present = columns.iter().filter(|_| !nulls_equal).map(|column| format!("{column} IS NOT NULL"));
                let conditions: Vec<_> = condition.iter().map(|sql| format!("({sql})")).chain(present).collect();
                let filter =
                    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
                format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {table}{filter} GROUP BY {} HAVING count(*) > 1) AS repeated",
                    columns.join(", ")
                )
            }
            Probe::Orphans { table, columns, referenced, referenced_columns } => {
                let pairs = columns.iter().zip(referenced_columns);
                let equal: Vec<_> = pairs.map(|(a, b)| format!("child.{a} = parent.{b}")).collect();
                let present: Vec<_> = columns.iter().map(|column| format!("child.{column} IS NOT NULL")).collect();
                format!(
                    "SELECT count(*) FROM {table} AS child WHERE {} \
                     AND NOT EXISTS (SELECT 1 FROM {referenced} AS parent WHERE {})",
                    present.join(" AND "),
                    equal.join(" AND ")
                )
            }
            Probe::Labels { table, column, labels } => {
                // The elements of a list are compared, not its text.
                let labels: Vec<_> = labels.iter().map(|label| literal(label)).collect();
                let labels = format!("ARRAY[{}]::text[]", labels.join(", "));
                format!("SELECT count(*) FROM {table} WHERE ARRAY[{column}]::text[] && {labels}")
            }
            Probe::Dependents { table, column, dropped } => dependents(table, column, dropped),
            Probe::Single { table, column } => format!(
                "SELECT (t.typcategory <> 'A')::int::bigint FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                 WHERE a.attrelid = {}::regclass AND a.attname = {}",
                literal(table),
                literal(column)
            ),
            Probe::Unindexed { table, columns } => {
                let names: Vec<_> = columns.iter().map(|column| literal(column)).collect();
                format!(
                    "SELECT (NOT EXISTS (SELECT FROM pg_index AS i CROSS JOIN LATERAL (
                       SELECT array_agg(a.attname::text) AS names FROM pg_attribute AS a
                       WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:{}])) AS first
                     WHERE i.indrelid = {}::regclass AND i.indisvalid
                       AND first.names @> ARRAY[{}]::text[]))::int::bigint",
                    columns.len().saturating_sub(1),
                    literal(table),
                    names.join(", ")
                )
            }
            Probe::Conflicts { table, values, operators, condition } => {
                let named = values.iter().zip(0..).map(|(value, at)| format!("{value} AS v{at}"));
                let filter = condition.as_ref().map(|sql| format!(" WHERE ({sql})")).unwrap_or_default();
                let rows = format!("(SELECT ctid AS row, {} FROM {table}{filter})", named.collect::<Vec<_>>().join(", "));
                let same = operators.iter().zip(0..).map(|(operator, at)| format!("a.v{at} {operator} b.v{at}"));
                format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {rows} AS a JOIN {rows} AS b ON a.row < b.row AND {} LIMIT 1) AS pair",
                    same.collect::<Vec<_>>().join(" AND ")
                )
            }
            Probe::Domain { domain, base, nullable } => misfit(domain, base, *nullable),
            Probe::Violations { table, condition } => {
                format!("SELECT count(*) FROM {table} WHERE NOT ({condition})")
            }
        }
    }

    /// Returns whether affected rows mean that data is lost or the statement fails.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Probe::Unindexed { .. })
    }

    /// Describes the count in words.
    pub fn describe(&self, count: i64) -> String {
        let (one, many) = match self {
            Probe::Rows { .. } => ("row is there", "rows are there"),
            Probe::Values { .. } => ("value is there", "values are there"),
            Probe::Nulls { .. } => ("NULL is there", "NULLs are there"),
            Probe::Duplicates { .. } => ("value occurs more than once", "values occur more than once"),
            Probe::Orphans { .. } => ("row references nothing", "rows reference nothing"),
            Probe::Labels { .. } => ("row has a removed value", "rows have a removed value"),
            Probe::Dependents { .. } => {
                ("view, policy, trigger or generated column uses it", "views, policies, triggers or columns use it")
            }
            Probe::Single { .. } => ("column holds single values", "columns hold single values"),
            Probe::Unindexed { .. } => ("foreign key has no index there", "foreign keys have no index there"),
            Probe::Conflicts { .. } => ("pair of rows, or more, is in conflict", "pairs of rows are in conflict"),
            Probe::Domain { .. } => ("domain does not fit", "domains do not fit"),
            Probe::Violations { .. } => ("row violates the check", "rows violate the check"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Returns the query for what is wrong with a domain. `text` and `varchar` are read and written in the same way.
fn misfit(domain: &str, base: &str, nullable: bool) -> String {
    let texts = "('text'::regtype, 'varchar'::regtype)";
    format!(
        "SELECT (p.problem IS NOT NULL)::int::bigint, p.problem FROM (
           SELECT CASE WHEN t.oid IS NULL THEN 'it does not exist'
             WHEN t.typtype <> 'd' THEN 'it is a type and no domain'
             WHEN b.base IS DISTINCT FROM w.base AND NOT (b.base IN {texts} AND w.base IN {texts})
               THEN format('it is based on %s, and the field is %s', b.base, w.base)
             WHEN t.typnotnull AND {nullable} THEN 'it does not allow NULL, and the field is optional' END AS problem
           FROM (SELECT to_regtype({})::oid AS oid) AS r
           CROSS JOIN (SELECT to_regtype({}) AS base) AS w
           LEFT JOIN pg_type AS t ON t.oid = r.oid
           LEFT JOIN LATERAL (
             WITH RECURSIVE below AS (
               SELECT t.typbasetype AS oid UNION ALL
               SELECT u.typbasetype FROM below JOIN pg_type AS u ON u.oid = below.oid WHERE u.typtype = 'd')
             SELECT below.oid::regtype AS base FROM below JOIN pg_type AS u ON u.oid = below.oid WHERE u.typtype <> 'd') AS b
             ON true) AS p",
        literal(domain),
        literal(base)
    )
}

fn dependents(table: &str, column: &str, dropped: &[DroppedObject]) -> String {
    let dropped: Vec<_> = dropped.iter().map(DroppedObject::sql).collect();
    // Before PostgreSQL 15, the generated column itself depends on the other one; since then, its expression does.
    format!(
        "SELECT count(*), string_agg(name, ', ' ORDER BY name) FROM (
           SELECT DISTINCT CASE
             WHEN v.oid IS NOT NULL THEN 'view ' || v.oid::regclass::text
             WHEN g.attnum IS NOT NULL THEN format('column %s of table %s', g.attname, g.attrelid::regclass)
             ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END AS name
           FROM pg_depend AS d
           JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
           LEFT JOIN pg_class AS v ON v.oid = r.ev_class
           LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
           LEFT JOIN pg_attribute AS g ON g.attrelid = a.attrelid AND g.attnum <> a.attnum
             AND g.attgenerated <> '' AND (f.adrelid = g.attrelid AND f.adnum = g.attnum
               OR d.classid = 'pg_class'::regclass AND d.objid = g.attrelid AND d.objsubid = g.attnum)
           WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {}::regclass AND a.attname = {}
             AND (v.oid IS NOT NULL OR g.attnum IS NOT NULL
               OR d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass))
         ) AS found WHERE (name = ANY (ARRAY[{}]::text[])) IS NOT TRUE",
        literal(table),
        literal(column),
        dropped.join(", ")
    )
}
