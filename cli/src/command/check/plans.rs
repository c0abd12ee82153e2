//! `check --database --url`: which queries read all rows of a large table to find some of them.

use relata_codegen::diagnostics::Diagnostic;
use relata_codegen::queries::Query;
use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::failure::Failure;

/// How many rows a large table has. Reading them takes PostgreSQL some 10 ms.
const LARGE: f64 = 100_000.0;

/// PostgreSQL then plans for all values of the parameters, which have none here.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan";

/// Returns a warning for each scan. Nothing runs. Queries that EXPLAIN does not take are left out.
pub(super) async fn scans(client: &Client, queries: &[Query]) -> Result<Vec<Diagnostic>, Failure> {
    let mut found = Vec::new();
    command(client, BEGIN).await?;
    for query in queries {
        command(client, "SAVEPOINT relata_plan").await?;
        if let Some(plan) = plan_of(client, query).await? {
            let mut scans = Vec::new();
            collect(&plan[0]["Plan"], &mut scans);
            scans.dedup_by(|one, other| (one.schema, one.table) == (other.schema, other.table));
            for scan in scans {
                found.extend(scan.diagnostic(client, query).await?);
            }
        }
        command(client, "ROLLBACK TO SAVEPOINT relata_plan; DEALLOCATE ALL").await?;
    }
    command(client, "ROLLBACK").await?;
    Ok(found)
}

async fn command(client: &Client, sql: &str) -> Result<(), Failure> {
    client.batch_execute(sql).await.map_err(|error| Failure::database("planning a query", &error))
}

/// Returns the plan of a query; `None` if PostgreSQL does not plan it without values.
async fn plan_of(client: &Client, query: &Query) -> Result<Option<Value>, Failure> {
    let nulls = vec!["NULL"; query.params.len()].join(", ");
    let values = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let prepared = client.batch_execute(&format!("PREPARE relata_plan AS {}", query.sql)).await;
    let planned = match prepared {
        Ok(()) => client.simple_query(&format!("EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE relata_plan{values}")).await,
        Err(error) => Err(error),
    };
    let messages = match planned {
        Ok(messages) => messages,
        Err(error) if error.as_db_error().is_some() => return Ok(None),
        Err(error) => return Err(Failure::database("planning a query", &error)),
    };
    let text = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}

/// A node of a plan that reads a whole table and keeps some rows.
struct Scan<'p> {
    schema: &'p str,
    table: &'p str,
    condition: &'p str,
    /// How many rows PostgreSQL expects to keep.
    rows: f64,
}

/// Collects the scans with a condition.
fn collect<'p>(node: &'p Value, scans: &mut Vec<Scan<'p>>) {
    let text = |key: &str| node[key].as_str();
    if let (Some("Seq Scan"), Some(schema), Some(table), Some(condition), Some(rows)) =
        (text("Node Type"), text("Schema"), text("Relation Name"), text("Filter"), node["Plan Rows"].as_f64())
    {
        scans.push(Scan { schema, table, condition, rows });
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        collect(child, scans);
    }
}

const ROWS: &str = "SELECT c.reltuples::float8 FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

impl Scan<'_> {
    /// Returns the warning, if the table is large and an index could help.
    async fn diagnostic(&self, client: &Client, query: &Query) -> Result<Option<Diagnostic>, Failure> {
        let row = client.query_opt(ROWS, &[&self.schema, &self.table]).await;
        let row = row.map_err(|error| Failure::database("reading the catalog", &error))?;
        let all = row.map_or(Ok(0.0), |row| row.try_get(0));
        let all: f64 = all.map_err(|error| Failure::database("reading the catalog", &error))?;
        if all < LARGE || self.rows > all / 2.0 {
            return Ok(None);
        }
        let message = format!(
            "PostgreSQL reads all rows of `{}`, about {all:.0}, to find those with {}",
            self.table, self.condition
        );
        let help =
            "create an index for this condition (`@@index`), or write the condition so that an index can serve it";
        Ok(Some(Diagnostic::of_plan(query.span, message).with("", help)))
    }
}
