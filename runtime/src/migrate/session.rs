//! The settings for migrations, and the original settings of the connection.

use tokio_postgres::{Client, GenericClient};

use super::Options;
use super::engine::Engine;
use super::error::Error;

/// Settings that a migration may change only for itself.
const KEPT: [&str; 2] = ["role", "search_path"];

/// `on` if nothing can be written: on a standby, or because the session says so.
const READ_ONLY: &str = "transaction_read_only";

/// The original values of the settings that the runner changes.
#[derive(Debug)]
pub(super) struct Session {
    /// Whether the server may lack settings and the functions for them.
    portable: bool,
    before: Vec<(String, String)>,
    during: Vec<(&'static str, String)>,
}

const CHANGED: [&str; 8] = [
    "application_name",
    "client_min_messages",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "relata.across_tenants",
    "standard_conforming_strings",
    "statement_timeout",
    "timezone",
];

impl Session {
    /// Reads the current values.
    pub(super) async fn open(client: &Client, engine: Engine, options: &Options) -> Result<Self, Error> {
        if engine.is_portable() {
            let during = vec![("application_name", "relata migrate".to_owned()), ("timezone", "UTC".to_owned())];
            return Ok(Self { portable: true, before: Vec::new(), during });
        }
        let failed = |source| Error::Database { doing: "reading the settings of the connection", source };
        let names: Vec<&str> = CHANGED.iter().copied().chain(KEPT).chain([READ_ONLY]).collect();
        let sql = "SELECT name, COALESCE(current_setting(name, true), '') FROM unnest($1::text[]) AS name";
        let rows = client.query(sql, &[&names]).await.map_err(failed)?;
        let mut before = rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, String)>>();
        let read_only = before.iter().position(|(name, _)| name == READ_ONLY).map(|at| before.remove(at));
        if read_only.is_some_and(|(_, value)| value == "on") {
            return Err(Error::ReadOnly);
        }
        let kept = |kept: &str| before.iter().find(|(name, _)| name == kept).map(|(_, value)| value.clone());
        let during = vec![
            ("application_name", "relata migrate".to_owned()),
            ("client_min_messages", "warning".to_owned()),
            ("idle_in_transaction_session_timeout", "0".to_owned()),
            // A waiting ALTER TABLE blocks all later readers, so it must not wait for long.
            ("lock_timeout", format!("{}ms", options.lock_timeout.as_millis())),
            // Row security that is forced on the owner would hide all rows, and a migration would silently change none.
            ("relata.across_tenants", "on".to_owned()),
            ("standard_conforming_strings", "on".to_owned()),
            ("statement_timeout", "0".to_owned()),
            // Otherwise, a change from timestamp to timestamptz would depend on who deploys, and rewrite the table.
            ("timezone", "UTC".to_owned()),
            ("role", kept("role").unwrap_or_else(|| "none".to_owned())),
            ("search_path", kept("search_path").unwrap_or_default()),
        ];
        Ok(Self { portable: false, before, during })
    }

    /// Sets the settings for the next migration, whatever the previous one did.
    pub(super) async fn prepare(&self, client: &Client) -> Result<(), Error> {
        if self.portable {
            for (name, value) in &self.during {
                if let Err(error) = client.batch_execute(&format!("SET {name} = '{value}'")).await {
                    tracing::debug!(name, error = %super::error::describe(&error), "the server has no such setting");
                }
            }
            return Ok(());
        }
        let during = self.during.iter().map(|(name, value)| (*name, value.as_str()));
        set(client, during)
            .await
            .map_err(|source| Error::Database { doing: "preparing the connection for a migration", source })?;
        // Lets the server notice within a second that the runner was killed. Not available on every platform.
        if let Err(error) = client.batch_execute("SET client_connection_check_interval = '1s'").await {
            tracing::debug!(error = %super::error::describe(&error), "without client_connection_check_interval");
        }
        Ok(())
    }

    /// `CONCURRENTLY` waits for old transactions without blocking readers and writers, so the limit does not apply.
    pub(super) async fn wait_for_locks(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        if self.portable {
            return Ok(());
        }
        set(client, [("lock_timeout", "0")]).await
    }

    pub(super) async fn limit_locks(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        self.set_one(client, "lock_timeout").await
    }

    /// Resets the role: the migration's role may not be allowed to write the history.
    pub(super) async fn take_back_role(&self, client: &impl GenericClient) -> Result<(), tokio_postgres::Error> {
        self.set_one(client, "role").await
    }

    async fn set_one(&self, client: &impl GenericClient, wanted: &str) -> Result<(), tokio_postgres::Error> {
        if self.portable {
            return Ok(());
        }
        let setting = self.during.iter().filter(|(name, _)| *name == wanted);
        set(client, setting.map(|(name, value)| (*name, value.as_str()))).await
    }

    /// Restores the original values.
    pub(super) async fn close(&self, client: &Client) {
        if self.portable {
            return;
        }
        let before = self.before.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if let Err(error) = set(client, before).await {
            tracing::debug!(error = %super::error::describe(&error), "the settings end with the connection");
        }
    }
}

async fn set<'s>(
    client: &impl GenericClient,
    settings: impl IntoIterator<Item = (&'s str, &'s str)>,
) -> Result<(), tokio_postgres::Error> {
    let (names, values): (Vec<&str>, Vec<&str>) = settings.into_iter().unzip();
    let sql = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS t(name, value)";
    client.query(sql, &[&names, &values]).await.map(drop)
}
