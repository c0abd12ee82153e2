//! One connection as operations use it: prepares statements, sends them, and prepares again what a migration made stale.

use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::{Error, Result};
use crate::sql::Statement;
use crate::table::Table;
use crate::value::Param;

/// One connection, for the statements of one operation.
#[derive(Clone, Copy)]
pub(crate) struct Session<'c> {
    connection: &'c Object,
    in_transaction: bool,
}

impl<'c> Session<'c> {
    /// Every statement stands for itself.
    pub(crate) fn new(connection: &'c Object) -> Self {
        Self { connection, in_transaction: false }
    }

    /// The statements belong to a transaction: a failed one ends it.
    pub(crate) fn in_transaction(connection: &'c Object) -> Self {
        Self { connection, in_transaction: true }
    }

    /// Prepares a statement, if this connection has not done so before.
    pub(crate) async fn prepare(self, sql: &str, table: &'static Table) -> Result<tokio_postgres::Statement> {
        self.connection.prepare_cached(sql).await.map_err(|error| Error::from_driver(&error, table))
    }

    /// The rows of a statement.
    pub(crate) async fn query(self, statement: Statement, table: &'static Table) -> Result<Vec<Row>> {
        let prepared = self.prepare(&statement.sql, table).await?;
        match self.query_prepared(&prepared, &statement, table).await {
            Err(error) if self.prepares_again(&error, &statement) => {
                let prepared = self.prepare(&statement.sql, table).await?;
                self.query_prepared(&prepared, &statement, table).await
            }
            outcome => outcome,
        }
    }

    /// Whether the statement was prepared before a migration changed its table, so that nothing was executed and it
    /// can be prepared again. Inside a transaction the next one can: this one is lost.
    fn prepares_again(self, error: &Error, statement: &Statement) -> bool {
        if !error.is_stale_plan() {
            return false;
        }
        self.connection.statement_cache.remove(&statement.sql, &[]);
        !self.in_transaction
    }

    pub(crate) async fn query_prepared(
        self,
        prepared: &tokio_postgres::Statement,
        statement: &Statement,
        table: &'static Table,
    ) -> Result<Vec<Row>> {
        let params = parameters(&statement.params);
        self.connection.query(prepared, &params).await.map_err(|error| Error::from_driver(&error, table))
    }

    /// The number of rows that a statement wrote.
    pub(crate) async fn execute(self, statement: Statement, table: &'static Table) -> Result<u64> {
        let prepared = self.prepare(&statement.sql, table).await?;
        match self.execute_prepared(&prepared, &statement, table).await {
            Err(error) if self.prepares_again(&error, &statement) => {
                let prepared = self.prepare(&statement.sql, table).await?;
                self.execute_prepared(&prepared, &statement, table).await
            }
            outcome => outcome,
        }
    }

    pub(crate) async fn execute_prepared(
        self,
        prepared: &tokio_postgres::Statement,
        statement: &Statement,
        table: &'static Table,
    ) -> Result<u64> {
        let params = parameters(&statement.params);
        self.connection.execute(prepared, &params).await.map_err(|error| Error::from_driver(&error, table))
    }
}

pub(crate) fn parameters(params: &[Param]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}
