//! Connections in use: a `Handle` says where one comes from, statements go through a `Session`.

mod open;
mod pool;
mod session;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use tracing::Instrument;

pub(crate) use open::OpenTransaction;
pub(crate) use pool::Pool;
pub(crate) use session::{Session, parameters};

use crate::batch::Query;
use crate::error::{Error, Result};
use crate::operation::{Call, Operation, Outcome, execute};

/// Where queries go: a pool, or one connection inside a transaction.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Target);

#[derive(Debug, Clone)]
pub(crate) enum Target {
    Pool(Arc<Pool>),
    Transaction(Arc<OpenTransaction>),
}

impl Handle {
    /// Starts a query.
    pub(crate) fn call<Q: Query>(&self, query: Q) -> Call<Q::Output> {
        let parts = query.into_parts();
        Call { work: self.run(parts.operation), finish: parts.finish }
    }

    /// Carries an operation out, on a connection of the pool or in the transaction.
    pub(crate) fn run(&self, operation: Operation) -> BoxFuture<'static, Result<Outcome>> {
        let table = operation.table().map_or("", |table| table.name);
        let span = tracing::debug_span!(
            "relata.query",
            db.system.name = "postgresql",
            db.collection.name = table,
            db.operation.name = operation.name(),
        );
        let work = match self.0.clone() {
            Target::Pool(pool) => async move {
                if operation.locks_rows() {
                    return Err(Error::Refused(LOCK_NEEDS_TRANSACTION.to_owned()));
                }
                if operation.needs_transaction() {
                    return in_transaction(&pool, operation).await;
                }
                let connection = pool.acquire().await?;
                execute(Session::new(&connection), operation).await
            }
            .boxed(),
            Target::Transaction(transaction) => async move { transaction.run(operation).await }.boxed(),
        };
        // Without a subscriber there is nothing to enter and leave at every poll.
        if span.is_disabled() { work } else { work.instrument(span).boxed() }
    }
}

const LOCK_NEEDS_TRANSACTION: &str = "a lock on rows ends with its transaction, and here there is none: \
    begin one, and read through it";

/// Carries out an operation of several statements, all or nothing.
async fn in_transaction(pool: &Pool, operation: Operation) -> Result<Outcome> {
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let outcome = transaction.run(operation).await?;
    transaction.commit().await?;
    Ok(outcome)
}
