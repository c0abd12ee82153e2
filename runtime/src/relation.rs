//! Relations as constants: they make filters, includes, selections and nested rows.

use std::marker::PhantomData;

use crate::columns::Columns;
use crate::delegate::UniqueKey;
use crate::filter::{Condition, Filter};
use crate::model::{FromRow, Model, Slot};
use crate::order::{Order, OrderKey};
use crate::select::{Include, Select};
use crate::selectable::{As, Selectable};
use crate::selection::{CountOf, SelectRelated, Selection};
use crate::table::Relation;

/// A relation as a type: [`One`], [`Maybe`] or [`Many`] of two models.
pub trait RelationOf: Copy + Send + 'static {
    /// The model that has the field.
    type Parent: Model;
    /// The model that it leads to.
    type Child: Model;
    /// What a row of the parent holds: `T`, `Option<T>` or `Vec<T>`.
    type Rows<T: FromRow>: Slot;
    /// Its place in `With`, as a type.
    type Place;
    /// Its place in `With`.
    const SLOT: usize;

    /// Its columns.
    fn relation() -> &'static Relation {
        &Self::Parent::table().relations[Self::SLOT]
    }
}

/// The place of a relation in `With`, as a type.
#[derive(Debug, Clone, Copy)]
pub enum At<const SLOT: usize> {}

/// A row type whose slot at place `P` can be filled with `T`. Implemented by generated code.
pub trait Put<P, T> {
    /// The row type with the slot filled.
    type Out;
}

impl<M: Model, P, T> Put<P, T> for M
where
    M::Bare: Put<P, T>,
{
    type Out = <M::Bare as Put<P, T>>::Out;
}

/// The row type `W` with the slot number `SLOT` filled with `T`.
pub type Filled<W, const SLOT: usize, T> = <W as Put<At<SLOT>, T>>::Out;

/// The row type `S` after relation `R` with rows of type `T` was included.
pub type Included<S, R, T> = <S as Put<<R as RelationOf>::Place, <R as RelationOf>::Rows<T>>>::Out;

/// What `S` must be so that relation `R` with rows of type `T` can be included in it.
pub trait CanInclude<R: RelationOf, T: FromRow>: Put<R::Place, R::Rows<T>> {}

impl<S: Put<R::Place, R::Rows<T>>, R: RelationOf, T: FromRow> CanInclude<R, T> for S {}

/// What `include` takes: a relation, or a relation with its own filter, order and includes.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a relation that can be included")]
pub trait IntoInclude {
    /// The relation.
    type Relation: RelationOf;
    /// What each of its rows becomes.
    type Row: FromRow;

    /// What to read.
    fn into_select(self) -> Select;
}

pub(crate) fn include_of<I: IntoInclude>(include: I) -> Include {
    let relation = I::Relation::relation();
    Include { slot: I::Relation::SLOT, relation, select: include.into_select() }
}

macro_rules! relation_constant {
    ($(#[$doc:meta])* $name:ident, $row:ident => $rows:ty) => {
        $(#[$doc])*
        ///
        /// `P` has the field and `C` is where it leads; `SLOT` is its place among `P`'s relations, and
        /// `BACK` the place among `C`'s of the field that `Create` must give, or [`ANY`](crate::create::ANY).
        pub struct $name<P, C, const SLOT: usize, const BACK: usize = { crate::create::ANY }> {
            models: PhantomData<fn() -> (P, C)>,
        }

        impl<P, C, const SLOT: usize, const BACK: usize> Clone for $name<P, C, SLOT, BACK> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<P, C, const SLOT: usize, const BACK: usize> Copy for $name<P, C, SLOT, BACK> {}

        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> std::fmt::Debug for $name<P, C, SLOT, BACK> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), Self::relation().name)
            }
        }

        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationOf for $name<P, C, SLOT, BACK> {
            type Parent = P;
            type Child = C;
            type Rows<$row: FromRow> = $rows;
            type Place = At<SLOT>;
            const SLOT: usize = SLOT;
        }

        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> $name<P, C, SLOT, BACK> {
            /// For generated code.
            #[allow(clippy::new_without_default, reason = "made only as constants")]
            pub const fn new() -> Self {
                Self { models: PhantomData }
            }

            fn related(condition: Condition) -> Condition {
                Condition::Related { relation: Self::relation(), condition: Box::new(condition) }
            }

            /// Reads only these values of the other side's rows.
            pub fn select<S: Selection<C>>(self, selection: S) -> SelectRelated<Self, S> {
                SelectRelated::new(Select::new(C::table()), selection)
            }

            /// Reads the other side's rows into a struct of one's own.
            pub fn select_as<T: Selectable<Model = C>>(self) -> SelectRelated<Self, As<T>> {
                self.select(As::new())
            }
        }

        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> IntoInclude for $name<P, C, SLOT, BACK> {
            type Relation = Self;
            type Row = C;

            fn into_select(self) -> Select {
                Select::new(C::table())
            }
        }
    };
}

relation_constant!(
    /// A relation that leads to exactly one row.
    One, T => T
);
relation_constant!(
    /// A relation that leads to one row or to none.
    Maybe, T => Option<T>
);
relation_constant!(
    /// A relation that leads to any number of rows.
    Many, T => Vec<T>
);

macro_rules! to_one {
    ($name:ident, optional: $optional:literal) => {
        impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> $name<P, C, SLOT, BACK> {
            /// The other row is there and meets the filter.
            pub fn is(self, filter: impl Into<Filter<C>>) -> Filter<P> {
                filter.into().inside(Self::related)
            }

            /// The other row is not there or does not meet the filter.
            pub fn is_not(self, filter: impl Into<Filter<C>>) -> Filter<P> {
                !self.is(filter)
            }

            /// Orders by a column of the other row: `student::user.order(user::email.asc())`. Where there
            /// is no other row, it counts as null.
            pub fn order(self, order: Order<C>) -> Order<P> {
                order.map(|key| OrderKey::related(Self::relation(), key), $optional)
            }

            /// Reads a relation of the other row along with it.
            pub fn include<I>(self, include: I) -> IncludeOne<Self, Included<C, I::Relation, I::Row>>
            where
                I: IntoInclude,
                I::Relation: RelationOf<Parent = C>,
                C: CanInclude<I::Relation, I::Row>,
            {
                IncludeOne::<Self, C>::new().include(include)
            }
        }
    };
}

to_one!(One, optional: false);
to_one!(Maybe, optional: true);

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> Maybe<P, C, SLOT, BACK> {
    /// There is no other row.
    pub fn is_none(self) -> Filter<P> {
        !self.is_some()
    }

    /// There is another row.
    pub fn is_some(self) -> Filter<P> {
        Filter::new(Self::related(Condition::ALL))
    }
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> Many<P, C, SLOT, BACK> {
    /// At least one row meets the filter.
    pub fn some(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        filter.into().inside(Self::related)
    }

    /// Every row meets the filter; true of none. A row where a null leaves it open does not meet it.
    pub fn every(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        self.none(filter.into().inside::<C>(|condition| Condition::NotTrue(Box::new(condition))))
    }

    /// No row meets the filter.
    pub fn none(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        !self.some(filter)
    }

    /// Only the rows that meet the filter.
    pub fn filter(self, filter: impl Into<Filter<C>>) -> IncludeMany<Self, C> {
        IncludeMany::new().filter(filter)
    }

    /// In this order.
    pub fn order_by(self, order: Order<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().order_by(order)
    }

    /// At most this many rows for each row of this side.
    pub fn take(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().take(rows)
    }

    /// At most this many rows for each row of this side, the last ones; they come in the relation's order.
    pub fn take_last(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().take_last(rows)
    }

    /// Of the rows that agree in these columns only the first, for each row of this side.
    pub fn distinct(self, columns: impl Columns<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().distinct(columns)
    }

    /// Begins at the row with this key, that row included.
    pub fn cursor(self, key: impl UniqueKey<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().cursor(key)
    }

    /// Without the first rows of each row of this side.
    pub fn skip(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().skip(rows)
    }

    /// Reads a relation of the rows along with them.
    pub fn include<I>(self, include: I) -> IncludeMany<Self, Included<C, I::Relation, I::Row>>
    where
        I: IntoInclude,
        I::Relation: RelationOf<Parent = C>,
        C: CanInclude<I::Relation, I::Row>,
    {
        IncludeMany::<Self, C>::new().include(include)
    }

    /// How many rows there are, as a value to select.
    pub fn count(self) -> CountOf<P> {
        CountOf::new(Self::relation(), Condition::ALL)
    }
}

/// A to-one relation to include, with what is included of it in turn.
pub struct IncludeOne<R, S> {
    select: Select,
    types: PhantomData<fn() -> (R, S)>,
}

/// A to-many relation to include, with its own filter, order, page and includes.
pub struct IncludeMany<R, S> {
    select: Select,
    types: PhantomData<fn() -> (R, S)>,
}

macro_rules! include {
    ($name:ident) => {
        impl<R, S> Clone for $name<R, S> {
            fn clone(&self) -> Self {
                Self { select: self.select.clone(), types: PhantomData }
            }
        }

        impl<R, S> std::fmt::Debug for $name<R, S> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.select.fmt(f)
            }
        }

        impl<R: RelationOf, S> $name<R, S> {
            fn new() -> Self {
                Self { select: Select::new(R::Child::table()), types: PhantomData }
            }

            /// Reads a relation of the rows along with them.
            pub fn include<I>(mut self, include: I) -> $name<R, Included<S, I::Relation, I::Row>>
            where
                I: IntoInclude,
                I::Relation: RelationOf<Parent = R::Child>,
                S: CanInclude<I::Relation, I::Row>,
            {
                self.select.include(include_of(include));
                $name { select: self.select, types: PhantomData }
            }
        }

        impl<R: RelationOf, S: FromRow> IntoInclude for $name<R, S> {
            type Relation = R;
            type Row = S;

            fn into_select(self) -> Select {
                self.select
            }
        }
    };
}

include!(IncludeOne);
include!(IncludeMany);

impl<R: RelationOf, S> IncludeMany<R, S> {
    /// Only the rows that meet the filter, and all filters before it.
    pub fn filter(mut self, filter: impl Into<Filter<R::Child>>) -> Self {
        self.select.filter(filter.into().condition);
        self
    }

    /// In this order, behind the orders before it.
    pub fn order_by(mut self, order: Order<R::Child>) -> Self {
        self.select.order.push(order.term);
        self
    }

    /// At most this many rows for each row of the other side.
    pub fn take(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = false;
        self
    }

    /// At most this many rows for each row of the other side, the last ones; they come in the
    /// relation's order, made total by the primary key. `skip` then leaves out rows at the end.
    pub fn take_last(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = true;
        self
    }

    /// Of the rows that agree in these columns only the first, for each row of the other side.
    pub fn distinct(mut self, columns: impl Columns<R::Child>) -> Self {
        self.select.distinct = columns.numbers();
        self
    }

    /// Begins at the row with this key, that row included: `skip(1)` leaves it out.
    pub fn cursor(mut self, key: impl UniqueKey<R::Child>) -> Self {
        self.select.cursor = Some(key.into_unique().values);
        self
    }

    /// Without the first rows of each row of the other side.
    pub fn skip(mut self, rows: u64) -> Self {
        self.select.skip = Some(rows);
        self
    }
}

impl<R: RelationOf> IncludeMany<R, R::Child> {
    /// How many of the rows meet the filter, as a value to select.
    pub fn count(self) -> CountOf<R::Parent> {
        CountOf::new(R::relation(), self.select.condition)
    }

    /// Reads only these values of the rows.
    pub fn select<T: Selection<R::Child>>(self, selection: T) -> SelectRelated<R, T> {
        SelectRelated::new(self.select, selection)
    }

    /// Reads the rows into a struct of one's own.
    pub fn select_as<T: Selectable<Model = R::Child>>(self) -> SelectRelated<R, As<T>> {
        self.select(As::new())
    }
}
