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

use crate::batch::{Parts, Query};
use crate::error::{Error, Result};
use crate::hooks::{self, Hooks, Intent};
use crate::observe;
use crate::operation::{Call, Done, Operation, Outcome, execute};

/// Where queries go: a pool, or one connection inside a transaction.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Target);

#[derive(Debug, Clone)]
pub(crate) enum Target {
    Pool(Arc<Pool>),
    Transaction(Scope),
}

impl Handle {
    /// Starts a query. What takes a transaction of its own is read before COMMIT, so that what cannot be read was not
    /// written either.
    pub(crate) fn call<Q: Query>(&self, query: Q) -> Call<Q::Output> {
        let Parts { operation, finish } = query.into_parts();
        match &self.0 {
            Target::Pool(pool) if operation.needs_transaction() => {
                let (watched, pool) = (self.watch(&operation), Arc::clone(pool));
                let work = in_transaction(pool, operation, finish).boxed();
                Call::reading_first(watched.around(work, |done| done.rows))
            }
            target => {
                let commits = matches!(target, Target::Pool(_)) && operation.writes();
                Call::reading_last(self.run(operation), finish, commits)
            }
        }
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        match &self.0 {
            Target::Pool(pool) => pool,
            Target::Transaction(scope) => scope.transaction.pool(),
        }
    }

    /// Carries an operation out, on a connection of the pool or in the transaction.
    fn run(&self, operation: Operation) -> BoxFuture<'static, Result<Outcome>> {
        let watched = self.watch(&operation);
        let work = match self.0.clone() {
            Target::Pool(pool) => run_alone(pool, operation).boxed(),
            Target::Transaction(scope) => async move { scope.run(operation).await }.boxed(),
        };
        watched.around(work, Outcome::rows)
    }

    /// Who looks on while an operation is carried out.
    fn watch(&self, operation: &Operation) -> Watched {
        let pool = self.pool();
        let span = observe::query_span(pool, operation.name(), operation.table());
        let intents = pool.hooks.as_ref().map(|hooks| {
            let in_transaction = matches!(self.0, Target::Transaction(_));
            (Arc::clone(hooks), hooks::intents(operation, in_transaction))
        });
        Watched { span, intents }
    }
}

/// The span of a query, and the hooks around it.
struct Watched {
    span: tracing::Span,
    intents: Option<(Arc<Hooks>, Vec<Intent>)>,
}

impl Watched {
    fn around<T: Send + 'static>(
        self,
        work: BoxFuture<'static, Result<T>>,
        rows: fn(&T) -> u64,
    ) -> BoxFuture<'static, Result<T>> {
        let work = match self.intents {
            None => work,
            Some((hooks, intents)) => hooks::around(hooks, intents, work, rows).boxed(),
        };
        // Without a subscriber there is nothing to enter and leave at every poll.
        if self.span.is_disabled() { work } else { observe::within(self.span, work, rows).boxed() }
    }
}

/// Carries out an operation that is in no transaction.
#[allow(clippy::manual_async_fn, reason = "an async function keeps room for its arguments twice")]
fn run_alone(pool: Arc<Pool>, operation: Operation) -> impl Future<Output = Result<Outcome>> + Send {
    async move {
        if operation.locks_rows() {
            return Err(Error::Refused(LOCK_NEEDS_TRANSACTION.to_owned()));
        }
        let lease = pool.acquire().await?;
        execute(Session::new(&lease, operation.name()), operation).await
    }
}

pub(crate) const LOCK_NEEDS_TRANSACTION: &str = "a lock on rows ends with its transaction, and here there is none: \
    begin one, and read through it";

/// Carries out an operation of several statements, all or nothing.
async fn in_transaction<T>(pool: Arc<Pool>, operation: Operation, finish: fn(Outcome) -> Result<T>) -> Result<Done<T>> {
    if let Some(error) = operation.refused() {
        return Err(error);
    }
    let transaction = OpenTransaction::begin(&pool, "BEGIN").await?;
    let outcome = execute(Session::in_transaction(&transaction, WHOLE, operation.name())?, operation).await?;
    let done = Done::read(outcome, finish)?;
    transaction.commit().await?;
    Ok(done)
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
