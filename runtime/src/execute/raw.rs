//! Raw SQL on one connection.

use super::target::Target;
use crate::connection::{Answer, Session};
use crate::error::Result;
use crate::sql::Statement;

/// Whether a statement with rows may be one that writes: a SELECT only by what its functions do.
pub(super) fn may_write(sql: &str) -> bool {
    let mut words = sql.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let is_any = |word: &str, of: &[&str]| of.iter().any(|known| word.eq_ignore_ascii_case(known));
    match words.next() {
        Some(first) if is_any(first, &["select", "values", "table", "show", "explain"]) => false,
        Some(first) if is_any(first, &["with"]) => {
            words.any(|word| is_any(word, &["insert", "update", "delete", "merge"]))
        }
        _ => true,
    }
}

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
