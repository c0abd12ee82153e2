//! Counts affected rows in a live database: a finding that affects none is dropped, and others get the number.

use std::time::Duration;

use relata_codegen::sql::{LintSeverity, Probe};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row};

use super::Located;
use crate::failure::Failure;

/// The timeout of one count.
const LIMIT: Duration = Duration::from_secs(30);

enum Answer {
    Count(i64, Option<String>),
    /// The reason why there is no number.
    Unknown(&'static str),
}

/// Counts for each finding. Returns the remaining ones, and how many were dropped.
pub(crate) async fn count(client: &Client, findings: Vec<Located>) -> Result<(Vec<Located>, usize), Failure> {
    let settings = format!("SET default_transaction_read_only = on; SET statement_timeout = {}", LIMIT.as_millis());
    client.batch_execute(&settings).await.map_err(|error| Failure::database("preparing to count", &error))?;
    let mut remaining = Vec::new();
    let mut silenced = 0;
    for mut located in findings {
        if let Some(probe) = located.finding.probe.clone() {
            match ask(client, &probe).await? {
                Answer::Count(0, _) => {
                    silenced += 1;
                    continue;
                }
                Answer::Count(count, names) => {
                    if probe.is_fatal() {
                        located.severity = LintSeverity::Error;
                    }
                    located.count = Some(count);
                    let names = names.map(|names| format!(": {names}")).unwrap_or_default();
                    located.note = Some(probe.describe(count) + &names);
                }
                Answer::Unknown(why) => located.note = Some(format!("not counted: {why}")),
            }
        }
        remaining.push(located);
    }
    Ok((remaining, silenced))
}

async fn ask(client: &Client, probe: &Probe) -> Result<Answer, Failure> {
    let error = match client.query_typed(&probe.sql(), &[]).await {
        Ok(rows) => {
            let names = |row: &Row| if row.len() > 1 { row.try_get(1) } else { Ok(None) };
            let answer = rows.first().map(|row| Ok(Answer::Count(row.try_get(0)?, names(row)?))).transpose();
            let answer = answer.map_err(|error| Failure::database("counting rows", &error))?;
            return Ok(answer.unwrap_or(Answer::Unknown("the query has no row")));
        }
        Err(error) => error,
    };
    let Some(code) = error.code() else { return Err(Failure::database("counting rows", &error)) };
    Ok(Answer::Unknown(match code {
        code if *code == SqlState::QUERY_CANCELED => "the query takes more than 30 seconds",
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => "this role may not read the table",
        // An earlier pending migration creates it, or this one renames it.
        _ => "the database does not have these objects yet",
    }))
}
