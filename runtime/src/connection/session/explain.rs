//! EXPLAIN of statements, and transactions whose statements are explained before they run.

use std::sync::{Mutex, PoisonError};

use tokio_postgres::Row;

use super::{Answer, Prepared, Session};
use crate::connection::OpenTransaction;
use crate::error::{Error, Result, from_connection};
use crate::meta::Table;
use crate::sql::Statement;

/// How statements are explained, and the plans so far.
#[derive(Debug)]
pub(crate) struct Explaining {
    /// EXPLAIN with its options, to be put in front of a statement.
    prefix: String,
    plans: Mutex<Vec<RawPlan>>,
    /// Statements that a call sends together are explained one after another.
    turn: tokio::sync::Mutex<()>,
}

/// A statement, and what EXPLAIN returned.
#[derive(Debug)]
pub(crate) struct RawPlan {
    pub(crate) sql: String,
    pub(crate) rows: Vec<Row>,
}

impl Explaining {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, plans: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn add(&self, plan: RawPlan) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }

    /// Returns the plans in the order in which their statements were sent.
    pub(crate) fn take(&self) -> Vec<RawPlan> {
        std::mem::take(&mut *self.plans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Session<'_> {
    pub(super) fn explains(self) -> bool {
        self.transaction.is_some_and(OpenTransaction::explains)
    }

    /// Explains a statement and undoes what that did, and then sends the statement itself.
    pub(super) async fn ask_explained<T: Answer>(
        self,
        statement: &Statement,
        table: Option<&'static Table>,
    ) -> Result<T> {
        let known = self.transaction.and_then(|transaction| Some((transaction, transaction.explaining()?)));
        let Some((transaction, explaining)) = known else {
            return Err(Error::Internal("a statement is explained outside a transaction"));
        };
        let _turn = explaining.turn.lock().await;
        let command = async |sql: &str| self.connection.command(sql).await.map_err(|error| from_connection(&error));
        command("SAVEPOINT relata_explain").await?;
        let plan = self.explain(statement, &explaining.prefix).await?;
        // This also undoes the settings that were set for EXPLAIN.
        transaction.settings().forget();
        command("ROLLBACK TO SAVEPOINT relata_explain; RELEASE SAVEPOINT relata_explain").await?;
        explaining.add(plan);
        self.note_statement()?;
        let prepared = self.prepare(statement, table).await?;
        self.ask_prepared(&prepared, statement, table).await
    }

    /// Explains a statement, with its parameters. `prefix` is EXPLAIN with its options.
    pub(crate) async fn explain(self, statement: &Statement, prefix: &str) -> Result<RawPlan> {
        self.note_statement()?;
        let types = match self.prepare(statement, None).await? {
            Prepared::Named(prepared) => prepared.params().into(),
            Prepared::Unnamed(types) => types,
        };
        let explain = Statement::new(format!("{prefix}{}", statement.sql()), statement.params.clone());
        let rows = self.ask_prepared(&Prepared::Unnamed(types), &explain, None).await?;
        Ok(RawPlan { sql: statement.sql().to_owned(), rows })
    }
}
