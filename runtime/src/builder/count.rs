//! `count` and `exists`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::explain::explained;
use super::scope::scoped;
use crate::builder::OfModels;
use crate::dsl::Filter;
use crate::error::Result;
use crate::execute::{Call, Executor};
use crate::query::{Condition, Operation, Outcome, Parts, Query, Tenant};
use crate::rows::Model;

macro_rules! counting {
    ($(#[$doc:meta])* $name:ident => $out:ty, $operation:ident, $finish:expr) => {
        $(#[$doc])*
        #[must_use = "nothing happens until it is awaited"]
        #[derive(Debug)]
        pub struct $name<M> {
            executor: Executor,
            condition: Condition,
            model: PhantomData<fn() -> M>,
        }

        impl<M: Model> $name<M> {
            pub(crate) fn new(executor: Executor) -> Self {
                Self { executor, condition: Condition::ALL, model: PhantomData }
            }

            /// Keeps only rows that match the filter, in addition to earlier filters.
            pub fn filter(mut self, filter: impl Into<Filter<M>>) -> Self {
                self.condition = self.condition.and(filter.into().condition);
                self
            }
        }

        scoped!($name<M> in condition, "counts");

        impl<M: Model> Query for $name<M> {
            type Output = $out;
            type Confinement = OfModels;

            fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
                Some(self.executor.tenant().cloned())
            }

            fn into_parts(self) -> Parts<$out> {
                let operation = Operation::$operation { table: M::table(), condition: self.condition };
                Parts { operation, finish: $finish }
            }
        }

        explained!([M: Model] $name<M>, executor);

        impl<M: Model> IntoFuture for $name<M> {
            type Output = Result<$out>;
            type IntoFuture = Call<$out>;

            fn into_future(self) -> Self::IntoFuture {
                self.executor.clone().call(self)
            }
        }
    };
}

counting!(
    /// A count of rows. `.await` runs it.
    Count => u64, Count, Outcome::into_count
);
counting!(
    /// A check whether there is a row. `.await` runs it.
    Exists => bool, Exists, |outcome| Ok(outcome.into_count()? > 0)
);
