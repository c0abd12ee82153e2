//! The results of a write: its row, with relations by `include`, or values by `select`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{
    Create, CreateManyAndReturn, CreateManyOrNone, Delete, Update, UpdateEachAndReturn, UpdateManyAndReturn, Upsert,
    UpsertManyAndReturn, Upserted, only_row,
};
use crate::builder::OfModels;
use crate::builder::explain::explained;
use crate::dsl::{As, CanInclude, Included, IntoInclude, Omits, RelationOf, Selectable, Selection, include_of};
use crate::error::{Lookup, Result};
use crate::execute::{Call, Executor};
use crate::query::{Operation, Outcome, Parts, Place, Query, Returning, Select, Tenant};
use crate::rows::{Cursor, FromRow, Model, Reader};

/// Returns the initial selection of one written row.
fn one_row<M: Model>() -> Box<Select> {
    let mut select = Select::new(M::table());
    select.single = true;
    Box::new(select)
}

/// Returns the initial selection of written rows.
fn rows<M: Model>() -> Box<Select> {
    Box::new(Select::new(M::table()))
}

fn operation(write: Operation, then: Option<Box<Select>>) -> Operation {
    match then {
        None => write,
        Some(then) => Operation::Returning(Box::new(Returning { write, then: *then })),
    }
}

/// A write that returns chosen values of its row. `.await` runs it.
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
    type Confinement = OfModels;

    fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
        Some(self.executor.tenant().cloned())
    }

    fn into_parts(self) -> Parts<T> {
        Parts { operation: self.operation, finish: self.finish }
    }
}

explained!([T: Send + 'static] Written<T>, executor);

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
            /// Returns only these values: a field, a count, values of a relation, or a tuple of them.
            pub fn select<T: Selection<M>>(self, selection: T) -> Written<T::Out> {
                let (executor, mut then) = (self.executor.clone(), one_row::<M>());
                selection.add_to(&mut then);
                let operation = operation(self.operation(), Some(then));
                let finish = |outcome| only_row(outcome, Lookup::$done, |at| T::read(&mut Reader::new(at)));
                Written { executor, operation, finish }
            }
        }

        impl<M: Model> $name<M> {
            /// Returns the row as a custom struct that derives [`Selectable`].
            pub fn select_as<T: Selectable<Model = M>>(self) -> Written<T> {
                self.select(As::<T>::new())
            }

            /// Returns the row with its omitted columns (`@omit`).
            pub fn with_omitted(self) -> Written<M::Full>
            where
                M: Omits,
            {
                self.select_as()
            }
        }

        impl<M: Model, S: FromRow> Query for $name<M, S> {
            type Output = S;
            type Confinement = OfModels;

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

/// Writes that return rows: `$rows` is the type of all of them, which `$read` reads.
macro_rules! many {
    ($name:ident { $($field:ident),+ } gives $rows:ident by $read:ident) => {
        include!($name { $($field),+ } of rows, "Eagerly loads a relation of the written rows.");

        impl<M: Model> $name<M> {
            /// Returns only these values of each row: a field, a count, values of a relation, or a tuple of them.
            pub fn select<T: Selection<M>>(self, selection: T) -> Written<$rows<T::Out>> {
                let (executor, mut then) = (self.executor.clone(), rows::<M>());
                selection.add_to(&mut then);
                let operation = operation(self.operation(), Some(then));
                Written { executor, operation, finish: |outcome| $read(outcome, |at| T::read(&mut Reader::new(at))) }
            }

            /// Returns the rows as custom structs that derive [`Selectable`].
            pub fn select_as<T: Selectable<Model = M>>(self) -> Written<$rows<T>> {
                self.select(As::<T>::new())
            }

            /// Returns the rows with their omitted columns (`@omit`).
            pub fn with_omitted(self) -> Written<$rows<M::Full>>
            where
                M: Omits,
            {
                self.select_as()
            }
        }

        impl<M: Model, S: FromRow> Query for $name<M, S> {
            type Output = $rows<S>;
            type Confinement = OfModels;

            fn tenant(&self) -> Option<Option<Arc<Tenant>>> {
                Some(self.executor.tenant().cloned())
            }

            fn into_parts(mut self) -> Parts<$rows<S>> {
                let then = self.then.take();
                let finish = |outcome| $read(outcome, S::from_row);
                Parts { operation: operation(self.operation(), then), finish }
            }
        }
    };
}

/// A row, or nothing, for each of the rows that a call was given.
type OrNone<T> = Vec<Option<T>>;

/// What became of each of the rows that a call was given.
type AllUpserted<T> = Vec<Upserted<T>>;

fn each_row<T>(outcome: Outcome, read: impl Fn(Cursor<'_>) -> Result<T>) -> Result<Vec<T>> {
    outcome.into_rows()?.cursors().map(read).collect()
}

fn row_or_none<T>(outcome: Outcome, read: impl Fn(Cursor<'_>) -> Result<T>) -> Result<OrNone<T>> {
    let (node, places) = outcome.into_placed()?;
    places.into_iter().map(|place| place.row().map(|row| read(node.cursor(row))).transpose()).collect()
}

fn upserted<T>(outcome: Outcome, read: impl Fn(Cursor<'_>) -> Result<T>) -> Result<AllUpserted<T>> {
    let (node, places) = outcome.into_placed()?;
    let upserted = |place| match place {
        Place::Inserted(row) => read(node.cursor(row)).map(Upserted::Inserted),
        Place::Updated(row) => read(node.cursor(row)).map(Upserted::Updated),
        Place::Nothing => Ok(Upserted::Skipped),
    };
    places.into_iter().map(upserted).collect()
}

one!(Create { executor, row } Create, "Eagerly loads a relation of the new row, including rows that were created with it.");
one!(Update { executor, condition, sets, nested } Update, "Eagerly loads a relation of the row, as it is after the change.");
one!(Upsert { executor, row, key, sets } Create, "Eagerly loads a relation of the row, whether it is new or not.");
one!(Delete { executor, condition, removal } Delete, "Eagerly loads a relation of the row, as it was before.");
many!(CreateManyAndReturn { executor, create } gives Vec by each_row);
many!(CreateManyOrNone { executor, create } gives OrNone by row_or_none);
many!(UpdateManyAndReturn { executor, update } gives Vec by each_row);
many!(UpdateEachAndReturn { executor, update } gives OrNone by row_or_none);
many!(UpsertManyAndReturn { executor, upsert } gives AllUpserted by upserted);
