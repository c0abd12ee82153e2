//! Raw SQL on one connection.

use super::route;
use super::target::Target;
use crate::connection::{Answer, Session};
use crate::error::Result;
use crate::sql::Statement;
use crate::telemetry::ServerNote;

/// Sends a statement on a connection of the pool, or in the transaction.
pub(super) async fn ask<T: Answer>(
    target: Target,
    statement: &Statement,
    operation: &'static str,
    note: Option<&ServerNote>,
) -> Result<T> {
    match target {
        Target::Pool(pool) => {
            if let (Some(routing), Some(note)) = (&pool.routing, note) {
                return Box::pin(route::ask(&pool, routing, statement, operation, note)).await;
            }
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
