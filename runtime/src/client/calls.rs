//! Calls that belong to no model: query files, raw SQL, batches. Clients, transactions and savepoints have them, and so
//! have the generated models, which are all that a function sees of any of these.

use super::models::{Models, RunsWith, SqlAccess};
use super::transaction::transaction_of_models;
use crate::builder::{All, Batch, IntoSqlCall, SqlQuery};
use crate::connection::LockKey;
use crate::error::{Error, Result};
use crate::execute::{BatchCall, Call, Executor, Explain, RowStream};
use crate::query::Query;
use crate::rows::{FromRawRow, SqlRow};
use crate::value::Param;

/// Sends several queries in one transaction.
pub fn batch<M: Models, B: Batch + RunsWith<M::Sql>>(executor: &Executor, queries: B) -> BatchCall<B::Output> {
    executor.batch(queries.into_batch(), <M::Sql as SqlAccess>::RUNS_SQL)
}

/// Runs a closure in a transaction, or in a savepoint of one.
pub async fn transaction<M, F, Fut, T, E>(executor: &Executor, work: F) -> Result<T, E>
where
    M: Models,
    F: FnOnce(M) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    transaction_of_models(executor, work).await
}

/// Sends a query of `queries/*.sql`.
pub fn query<Q: IntoSqlCall>(executor: &Executor, query: Q) -> Call<Q::Output> {
    executor.call(query)
}

/// Streams the rows of a query of `queries/*.sql`.
pub fn query_stream<T: SqlRow, C>(executor: &Executor, query: SqlQuery<T, All, C>) -> RowStream<T::Output> {
    executor.query_stream::<T>(query.into_call())
}

/// Explains a query of `queries/*.sql`.
pub fn explain<Q: IntoSqlCall>(executor: &Executor, query: Q) -> Explain {
    executor.explain(query)
}

/// Sends a notification.
pub async fn notify(executor: &Executor, channel: &str, payload: &str) -> Result<()> {
    executor.notify(channel, payload).await
}

/// Waits for an advisory lock of the transaction.
pub async fn advisory_lock(executor: &Executor, key: LockKey) -> Result<()> {
    executor.advisory_lock(key).await
}

/// Takes an advisory lock of the transaction, if it is free.
pub async fn try_advisory_lock(executor: &Executor, key: LockKey) -> Result<bool> {
    executor.try_advisory_lock(key).await
}

/// Sends raw SQL that returns rows.
pub async fn query_raw<T: FromRawRow>(executor: &Executor, sql: &str, params: Vec<Param>) -> Result<Vec<T>> {
    executor.query_raw(sql, params).await
}

/// Streams the rows of raw SQL.
pub fn query_raw_stream<T: FromRawRow>(executor: &Executor, sql: &str, params: Vec<Param>) -> RowStream<T> {
    executor.query_raw_stream(sql, params)
}

/// Sends raw SQL, and counts the rows that it wrote.
pub async fn execute_raw(executor: &Executor, sql: &str, params: Vec<Param>) -> Result<u64> {
    executor.execute_raw(sql, params).await
}

/// A batch runs with an access if each of its queries does.
macro_rules! batches {
    ($($query:ident),+) => {
        impl<S, $($query: Query<Confinement: RunsWith<S>>),+> RunsWith<S> for ($($query,)+) {}
    };
}

batches!(A);
batches!(A, B);
batches!(A, B, C);
batches!(A, B, C, D);
batches!(A, B, C, D, E);
batches!(A, B, C, D, E, F);
batches!(A, B, C, D, E, F, G);
batches!(A, B, C, D, E, F, G, H);
batches!(A, B, C, D, E, F, G, H, I);
batches!(A, B, C, D, E, F, G, H, I, J);
batches!(A, B, C, D, E, F, G, H, I, J, K);
batches!(A, B, C, D, E, F, G, H, I, J, K, L);

/// For generated code: the calls that models have, whether they are those of a client, a transaction or a savepoint.
#[doc(hidden)]
#[macro_export]
macro_rules! calls_of_models {
    ($models:ty) => {
        /// Sends a query of `queries/*.sql`, which a function of the module `queries` returns. Returns rows as a list of
        /// structs; with `.one()` or `.optional()` on the query, a single one. A statement without rows returns the
        /// number of rows that it wrote.
        ///
        /// # Errors
        /// Those of the statement, and `RowMismatch` if the database returns other columns than it was compiled for.
        pub fn query<Q>(&self, query: Q) -> $crate::Call<Q::Output>
        where
            Q: $crate::IntoSqlCall,
            Q::Confinement: $crate::RunsWith<<$models as $crate::Models>::Sql>,
        {
            $crate::rt::calls::query(&self.executor, query)
        }

        /// Returns the rows of a query of `queries/*.sql` as they arrive, without holding all of them: a SELECT, VALUES,
        /// or WITH that writes nothing. Nothing is sent before the first row is requested. An error comes in place of a
        /// row.
        pub fn query_stream<T, C>(
            &self,
            query: $crate::SqlQuery<T, $crate::All, C>,
        ) -> $crate::RowStream<<T as $crate::SqlRow>::Output>
        where
            T: $crate::SqlRow,
            C: $crate::RunsWith<<$models as $crate::Models>::Sql>,
        {
            $crate::rt::calls::query_stream(&self.executor, query)
        }

        /// Runs several queries together: either all of them take effect, or none. On a client, they are one
        /// transaction, which takes one round trip if each query is one statement. In a transaction, they are a
        /// savepoint: if one of them fails, the transaction continues without any of them.
        pub fn batch<B>(&self, queries: B) -> $crate::BatchCall<B::Output>
        where
            B: $crate::Batch + $crate::RunsWith<<$models as $crate::Models>::Sql>,
        {
            $crate::rt::calls::batch::<$models, B>(&self.executor, queries)
        }

        /// Runs a closure inside a transaction, so that a function that takes these models need not know whether they
        /// are those of a client or of a transaction. On a client, it is a transaction; in a transaction, it is a
        /// savepoint. If the closure returns `Err`, its writes are undone.
        ///
        /// # Errors
        /// The error of the closure, and those of a transaction or a savepoint.
        pub async fn transaction<F, Fut, T, E>(&self, work: F) -> ::std::result::Result<T, E>
        where
            F: ::std::ops::FnOnce($models) -> Fut,
            Fut: ::std::future::Future<Output = ::std::result::Result<T, E>>,
            E: ::std::convert::From<$crate::Error>,
        {
            $crate::rt::calls::transaction(&self.executor, work).await
        }

        /// Asks PostgreSQL for the plan of a query of `queries/*.sql` in place of running it. The calls on models have
        /// `explain` themselves.
        pub fn explain<Q>(&self, query: Q) -> $crate::Explain
        where
            Q: $crate::IntoSqlCall,
            Q::Confinement: $crate::RunsWith<<$models as $crate::Models>::Sql>,
        {
            $crate::rt::calls::explain(&self.executor, query)
        }

        /// Sends a notification to all sessions that LISTEN on a channel, such as those of `db.listen(..)`. In a
        /// transaction, it is sent when the transaction commits. PostgreSQL sends equal ones of a transaction once.
        ///
        /// Channels belong to the database and not to a tenant: everybody who listens gets the payload.
        ///
        /// # Errors
        /// `Misuse` if the name of the channel is empty or longer than 63 bytes, `InvalidValue` if the payload is longer
        /// than 7,999 bytes or holds a zero byte. Nothing is sent then.
        pub async fn notify(&self, channel: &str, payload: impl ::std::convert::AsRef<str>) -> $crate::Result<()> {
            $crate::rt::calls::notify(&self.executor, channel, payload.as_ref()).await
        }

        /// Waits for an advisory lock, which lasts until the transaction ends: `tx.advisory_lock(("invoices", year))`.
        /// It works behind a pooler, too. For work that is longer than a transaction, see `advisory_lock` of the client.
        ///
        /// The key belongs to the database, so for a lock of a tenant, the tenant is part of it.
        ///
        /// # Errors
        /// `LockOutsideTransaction` if these are the models of a client. 55P03 after the `lock_timeout` of the
        /// transaction.
        pub async fn advisory_lock(&self, key: impl ::std::convert::Into<$crate::LockKey>) -> $crate::Result<()> {
            $crate::rt::calls::advisory_lock(&self.executor, key.into()).await
        }

        /// Like `advisory_lock`, but does not wait: returns whether the lock was taken.
        ///
        /// # Errors
        /// `LockOutsideTransaction` if these are the models of a client.
        pub async fn try_advisory_lock(&self, key: impl ::std::convert::Into<$crate::LockKey>) -> $crate::Result<bool> {
            $crate::rt::calls::try_advisory_lock(&self.executor, key.into()).await
        }
    };
}

/// For generated code: queries on any model, for models whose methods all return a `Delegate`.
#[doc(hidden)]
#[macro_export]
macro_rules! any_of_models {
    () => {
        /// Queries on the model `M`: `db.of::<Student>()` is `db.student()`, for functions that take any model.
        pub fn of<M: $crate::Model>(&self) -> $crate::Delegate<M> {
            $crate::rt::Delegate::new(&self.executor)
        }
    };
}

/// For generated code: raw SQL, for models that can send any.
#[doc(hidden)]
#[macro_export]
macro_rules! raw_sql_of_models {
    () => {
        /// Runs raw SQL and reads its rows into tuples: `models.query_raw::<(i64,)>(sql, params![1])`. Parameters are
        /// bound to `$1`, `$2` and so on.
        ///
        /// # Errors
        /// Those of the statement, and `RowMismatch` if its columns do not have the types that are read.
        pub async fn query_raw<T: $crate::FromRawRow>(
            &self,
            sql: &str,
            params: ::std::vec::Vec<$crate::Param>,
        ) -> $crate::Result<::std::vec::Vec<T>> {
            $crate::rt::calls::query_raw(&self.executor, sql, params).await
        }

        /// Returns the rows of raw SQL as they arrive, without holding all of them: a SELECT, VALUES, or WITH that
        /// writes nothing. Nothing is sent before the first row is requested. An error comes in place of a row.
        pub fn query_raw_stream<T: $crate::FromRawRow>(
            &self,
            sql: &str,
            params: ::std::vec::Vec<$crate::Param>,
        ) -> $crate::RowStream<T> {
            $crate::rt::calls::query_raw_stream(&self.executor, sql, params)
        }

        /// Runs raw SQL and returns the number of rows that it wrote.
        ///
        /// # Errors
        /// Those of the statement.
        pub async fn execute_raw(&self, sql: &str, params: ::std::vec::Vec<$crate::Param>) -> $crate::Result<u64> {
            $crate::rt::calls::execute_raw(&self.executor, sql, params).await
        }
    };
}
