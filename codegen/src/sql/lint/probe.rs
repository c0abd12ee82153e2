//! Questions that a live database answers with a number: how many rows does it concern?

use crate::sql::quote::literal;

/// A question. All names and expressions are SQL, quoted where they have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// How many rows the table has.
    Rows {
        /// The table.
        table: String,
    },
    /// How many values other than NULL the column has.
    Values {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// How many NULLs there are in a column.
    Nulls {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// How many combinations of values occur more than once, or hold a NULL where none may be.
    Duplicates {
        /// The table.
        table: String,
        /// The columns, or expressions in parentheses.
        columns: Vec<String>,
        /// A condition that rows have to fulfil to count.
        condition: Option<String>,
    },
    /// How many rows point at nothing.
    Orphans {
        /// The referencing table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
        /// The table that they point at.
        referenced: String,
        /// The columns there; none are those of the primary key.
        referenced_columns: Vec<String>,
    },
    /// How many rows hold one of the values.
    Labels {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The values, as they are.
        labels: Vec<String>,
    },
    /// How many views, policies and triggers use a column.
    Dependents {
        /// The table.
        table: String,
        /// The column as it is called, without quotes.
        column: String,
    },
    /// How many rows do not pass a check.
    Violations {
        /// The table.
        table: String,
        /// The condition.
        condition: String,
    },
}

impl Probe {
    /// The query; its one value is the count.
    pub fn sql(&self) -> String {
        match self {
            Probe::Rows { table } => format!("SELECT count(*) FROM {table}"),
            Probe::Values { table, column } => format!("SELECT count({column}) FROM {table}"),
            Probe::Nulls { table, column } => format!("SELECT count(*) FROM {table} WHERE {column} IS NULL"),
            Probe::Duplicates { table, columns, condition } => {
                let present = columns.iter().map(|column| format!("{column} IS NOT NULL"));
                let conditions: Vec<_> = condition.iter().map(|sql| format!("({sql})")).chain(present).collect();
                format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {} GROUP BY {} HAVING count(*) > 1) AS repeated",
                    conditions.join(" AND "),
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
                // A list is printed as `{a,b}`: its elements are compared, not its text.
                let labels: Vec<_> = labels.iter().map(|label| literal(label)).collect();
                let labels = format!("ARRAY[{}]::text[]", labels.join(", "));
                format!("SELECT count(*) FROM {table} WHERE ARRAY[{column}]::text[] && {labels}")
            }
            Probe::Dependents { table, column } => format!(
                "SELECT count(DISTINCT (d.classid, d.objid)) FROM pg_depend AS d
                 JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                 WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {}::regclass AND a.attname = {}
                   AND d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass)",
                literal(table),
                literal(column)
            ),
            Probe::Violations { table, condition } => {
                format!("SELECT count(*) FROM {table} WHERE NOT ({condition})")
            }
        }
    }

    /// What was counted, in words.
    pub fn describe(&self, count: i64) -> String {
        let (one, many) = match self {
            Probe::Rows { .. } => ("row is there", "rows are there"),
            Probe::Values { .. } => ("value is there", "values are there"),
            Probe::Nulls { .. } => ("NULL is there", "NULLs are there"),
            Probe::Duplicates { .. } => ("value occurs more than once", "values occur more than once"),
            Probe::Orphans { .. } => ("row points at nothing", "rows point at nothing"),
            Probe::Labels { .. } => ("row holds a value that goes", "rows hold a value that goes"),
            Probe::Dependents { .. } => ("view, policy or trigger uses it", "views, policies and triggers use it"),
            Probe::Violations { .. } => ("row does not pass", "rows do not pass"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}
