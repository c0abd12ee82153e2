//! What a write gives back: its row, with relations by `include`, or values by `select`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Create, CreateManyAndReturn, Delete, Update, UpdateManyAndReturn, Upsert, only_row};
use crate::dsl::{As, CanInclude, Included, IntoInclude, RelationOf, Selectable, Selection, include_of};
use crate::error::{Lookup, Result};
use crate::execute::{Call, Executor};
use crate::query::{Operation, Outcome, Parts, Query, Returning, Select, Tenant};
use crate::rows::{FromRow, Model, Reader};

/// What is read of one written row, to begin with.
fn one_row<M: Model>() -> Box<Select> {
    let mut select = Select::new(M::table());
    select.single = true;
    Box::new(select)
}

/// What is read of written rows, to begin with.
fn rows<M: Model>() -> Box<Select> {
    Box::new(Select::new(M::table()))
}

fn operation(write: Operation, then: Option<Box<Select>>) -> Operation {
    match then {
        None => write,
        Some(then) => Operation::Returning(Box::new(Returning { write, then: *then })),
    }
}

/// A write that gives chosen values of its row: `.await` runs it.
#[must_use = "nothing happens until it is awaited"]
pub struct Written<T> {
    executor: Executor,
    operation: Operation,
    finish: fn(Outcome) -> Result<T>,
}

impl<T> std::fmt::Debug for Written<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Written({})", self.operation.name())
    }
}

impl<T: Send + 'static> Query for Written<T> {
    type Output = T;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<T> {
        Parts { operation: self.operation, finish: self.finish }
    }
}

impl<T: Send + 'static> IntoFuture for Written<T> {
    type Output = Result<T>;
    type IntoFuture = Call<T>;

    fn into_future(self) -> Self::IntoFuture {
        self.executor.clone().call(self)
    }
}

macro_rules! include {
    ($name:ident { $($field:ident),+ } of $select:ident, $includes:literal) => {
        impl<M: Model, S> $name<M, S> {
            #[doc = $includes]
            pub fn include<I>(self, include: I) -> $name<M, Included<S, I::Relation, I::Row>>
            where
                I: IntoInclude,
                I::Relation: RelationOf<Parent = M>,
                S: CanInclude<I::Relation, I::Row>,
            {
                let mut then = self.then.unwrap_or_else($select::<M>);
                then.include(include_of(include));
                $name { $($field: self.$field,)+ then: Some(then), types: PhantomData }
            }
        }
    };
}

macro_rules! one {
    ($name:ident { $($field:ident),+ } $done:ident, $includes:literal) => {
        include!($name { $($field),+ } of one_row, $includes);

        impl<M: Model> $name<M> {
            /// Gives only these values: a field, a count, values of a relation, or a tuple of them.
            pub fn select<T: Selection<M>>(self, selection: T) -> Written<T::Out> {
                let (executor, mut then) = (self.executor.clone(), one_row::<M>());
                selection.add_to(&mut then);
                let operation = operation(self.operation(), Some(then));
                let finish = |outcome| only_row(outcome, Lookup::$done, |at| T::read(&mut Reader::new(at)));
                Written { executor, operation, finish }
            }
        }

        impl<M: Model> $name<M> {
            /// Gives the row as a struct of one's own, which derives [`Selectable`].
            pub fn select_as<T: Selectable<Model = M>>(self) -> Written<T> {
                self.select(As::<T>::new())
            }
        }

        impl<M: Model, S: FromRow> Query for $name<M, S> {
            type Output = S;

            fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
                Some(self.executor.tenant().cloned())
            }

            fn into_parts(mut self) -> Parts<S> {
                let then = self.then.take();
                let finish = |outcome| only_row(outcome, Lookup::$done, S::from_row);
                Parts { operation: operation(self.operation(), then), finish }
            }
        }
    };
}

macro_rules! many {
    ($name:ident { $($field:ident),+ }) => {
        include!($name { $($field),+ } of rows, "Reads a relation of the written rows along with them.");

        impl<M: Model> $name<M> {
            /// Gives only these values of each row: a field, a count, values of a relation, or a tuple of them.
            pub fn select<T: Selection<M>>(self, selection: T) -> Written<Vec<T::Out>> {
                let (executor, mut then) = (self.executor.clone(), rows::<M>());
                selection.add_to(&mut then);
                let operation = operation(self.operation(), Some(then));
                let finish = |outcome: Outcome| {
                    outcome.into_rows()?.cursors().map(|at| T::read(&mut Reader::new(at))).collect()
                };
                Written { executor, operation, finish }
            }

            /// Gives the rows as structs of one's own, which derive [`Selectable`].
            pub fn select_as<T: Selectable<Model = M>>(self) -> Written<Vec<T>> {
                self.select(As::<T>::new())
            }
        }

        impl<M: Model, S: FromRow> Query for $name<M, S> {
            type Output = Vec<S>;

            fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
                Some(self.executor.tenant().cloned())
            }

            fn into_parts(mut self) -> Parts<Vec<S>> {
                let then = self.then.take();
                let finish = |outcome: Outcome| outcome.into_rows()?.cursors().map(S::from_row).collect();
                Parts { operation: operation(self.operation(), then), finish }
            }
        }
    };
}

one!(Create { executor, row } Create, "Reads a relation of the new row along with it, what was created with it included.");
one!(Update { executor, condition, sets, nested } Update, "Reads a relation of the row along with it, as it is after the change.");
one!(Upsert { executor, row, key, sets } Create, "Reads a relation of the row along with it, be it new or not.");
one!(Delete { executor, condition } Delete, "Reads a relation of the row along with it, as it was before.");
many!(CreateManyAndReturn { executor, create });
many!(UpdateManyAndReturn { executor, update });
