//! Calls that belong to no model: query files, raw SQL, batches. Clients, transactions and savepoints have them, and so
//! have the generated models, which are all that a function sees of any of these.

use super::models::{Models, RunsWith, SqlAccess};
use super::transaction::transaction_of_models;
use crate::builder::{All, Batch, IntoSqlCall, SqlQuery};
use crate::error::{Error, Result};
use crate::execute::{BatchCall, Call, Executor, RowStream};
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
