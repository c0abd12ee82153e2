//! Failed attempts that left nothing behind. The history keeps them, and later deploys ignore them.

use std::collections::BTreeMap;

use relata::migrate::HISTORY_TABLE;
use tokio_postgres::Client;

use crate::failure::Failure;

/// Returns why the last attempt at each of these migrations failed, for those that were attempted.
pub(super) async fn failed(client: &Client, names: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let failure = |error: tokio_postgres::Error| Failure::database("reading the history", &error);
    let exists = format!("SELECT to_regclass('{HISTORY_TABLE}') IS NOT NULL");
    let exists: bool = client.query_one(&exists, &[]).await.and_then(|row| row.try_get(0)).map_err(failure)?;
    if !exists || names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT DISTINCT ON (name) name, error FROM {HISTORY_TABLE}
         WHERE name = ANY($1) AND state = 'rolled_back' AND kind = 'apply' AND error IS NOT NULL ORDER BY name, id DESC"
    );
    let rows = client.query(&sql, &[&names]).await.map_err(failure)?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, _>>().map_err(failure)
}
