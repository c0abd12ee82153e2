//! Raw SQL on one connection.

use super::target::Target;
use crate::connection::{Answer, Session};
use crate::error::Result;
use crate::sql::Statement;

/// Sends a statement on a connection of the pool, or in the transaction.
pub(super) async fn ask<T: Answer>(target: Target, statement: &Statement, operation: &'static str) -> Result<T> {
    match target {
        Target::Pool(pool) => {
            let connection = pool.acquire().await?;
            Session::new(&connection, operation).ask(statement, None).await
        }
        Target::Transaction(scope) => {
            let running = scope.enter().await?;
            let answer = scope.session(operation)?.ask(statement, None).await;
            running.end(&answer);
            answer
        }
    }
}
