//! Connections in use: a `Handle` says where one comes from, statements go through a `Session`.

mod lease;
mod manager;
mod open;
mod pool;
mod session;
mod texts;
mod types;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

pub(crate) use lease::Lease;
pub(crate) use manager::Manager;
pub(crate) use open::{OpenTransaction, Scope, WHOLE, commit_error};
pub(crate) use pool::{Pool, Shared};
pub(crate) use session::{Answer, Prepared, Session};
pub(crate) use texts::Texts;
pub(crate) use types::KnownTypes;

use crate::batch::Query;
use crate::error::{Error, Result};
use crate::hooks;
use crate::observe;
use crate::operation::{Call, Operation, Outcome, execute};

/// Where queries go: a pool, or one connection inside a transaction.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Target);

#[derive(Debug, Clone)]
pub(crate) enum Target {
    Pool(Arc<Pool>),
    Transaction(Scope),
}

impl Handle {
    /// Starts a query.
    pub(crate) fn call<Q: Query>(&self, query: Q) -> Call<Q::Output> {
        let parts = query.into_parts();
        Call { work: self.run(parts.operation), finish: parts.finish }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        match &self.0 {
            Target::Pool(pool) => pool,
            Target::Transaction(scope) => scope.transaction.pool(),
        }
    }

    /// Carries an operation out, on a connection of the pool or in the transaction.
    pub(crate) fn run(&self, operation: Operation) -> BoxFuture<'static, Result<Outcome>> {
        let pool = self.pool();
        let span = observe::query_span(pool, operation.name(), operation.table());
        let intents = pool.hooks.as_ref().map(|hooks| {
            let in_transaction = matches!(self.0, Target::Transaction(_));
            (Arc::clone(hooks), hooks::intents(&operation, in_transaction))
        });
        let work = match self.0.clone() {
            Target::Pool(pool) => run_alone(pool, operation).boxed(),
            Target::Transaction(scope) => async move { scope.run(operation).await }.boxed(),
        };
        let work = match intents {
            None => work,
            Some((hooks, intents)) => hooks::around(hooks, intents, work, Outcome::rows).boxed(),
        };
        // Without a subscriber there is nothing to enter and leave at every poll.
        if span.is_disabled() { work } else { observe::within(span, work, Outcome::rows).boxed() }
    }
}

/// Carries out an operation that is in no transaction.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
fn run_alone(pool: Arc<Pool>, operation: Operation) -> impl Future<Output = Result<Outcome>> + Send {
    async move {
        if operation.locks_rows() {
            return Err(Error::Refused(LOCK_NEEDS_TRANSACTION.to_owned()));
        }
        if operation.needs_transaction() {
            return in_transaction(&pool, operation).boxed().await;
        }
        let lease = pool.acquire().await?;
        execute(Session::new(&lease, operation.name()), operation).await
    }
}

pub(crate) const LOCK_NEEDS_TRANSACTION: &str = "a lock on rows ends with its transaction, and here there is none: \
    begin one, and read through it";

/// Carries out an operation of several statements, all or nothing.
async fn in_transaction(pool: &Arc<Pool>, operation: Operation) -> Result<Outcome> {
    let transaction = OpenTransaction::begin(pool, "BEGIN").await?;
    let session = Session::in_transaction(&transaction, WHOLE, operation.name())?;
    let outcome = execute(session, operation).await?;
    transaction.commit().await?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<F>(_: impl FnOnce(Arc<Pool>, Operation) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn every_call_moves_a_small_future() {
        let size = size_of_future(run_alone);
        assert!(size <= 1024, "{size} bytes: box what only some operations await");
    }
}
