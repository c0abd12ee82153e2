//! Relations as constants: the source of filters, includes, selections and nested writes.

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

/// A relation as a type: [`One`], [`Maybe`] or [`Many`], with its two models.
pub trait RelationOf: Copy + Send + 'static {
    /// The model that has the field.
    type Parent: Model;
    /// The model that it leads to.
    type Child: Model;
    /// What a row of the parent holds: `T`, `Option<T>` or `Vec<T>`.
    type Rows<T: FromRow>: Slot;
    /// Its slot in `With`, as a type.
    type Place;
    /// The number of its slot in `With`.
    const SLOT: usize;

    /// Its columns.
    fn relation() -> &'static Relation {
        &Self::Parent::table().relations[Self::SLOT]
    }
}

/// The slot of a relation in `With`, as a type.
#[derive(Debug, Clone, Copy)]
pub enum At<const SLOT: usize> {}

/// A row type whose slot `P` can be filled with `T`. Implemented by generated code.
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

/// The row type `S` after including relation `R` with rows of type `T`.
pub type Included<S, R, T> = <S as Put<<R as RelationOf>::Place, <R as RelationOf>::Rows<T>>>::Out;

/// The bound on `S` that allows including relation `R` with rows of type `T`.
pub trait CanInclude<R: RelationOf, T: FromRow>: Put<R::Place, R::Rows<T>> {}

impl<S: Put<R::Place, R::Rows<T>>, R: RelationOf, T: FromRow> CanInclude<R, T> for S {}

/// The argument of `include`: a relation, optionally with its own filter, order and includes.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a relation that can be included")]
pub trait IntoInclude {
    /// The relation.
    type Relation: RelationOf;
    /// The type of each of its rows.
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

            /// Selects only these values of the related rows.
            pub fn select<S: Selection<C>>(self, selection: S) -> SelectRelated<Self, S> {
                SelectRelated::new(Select::new(C::table()), selection)
            }

            /// Reads the related rows into a custom struct.
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
            /// Matches if the related row exists and matches the filter.
            pub fn is(self, filter: impl Into<Filter<C>>) -> Filter<P> {
                filter.into().inside(Self::related)
            }

            /// Matches if the related row does not exist or does not match the filter.
            pub fn is_not(self, filter: impl Into<Filter<C>>) -> Filter<P> {
                !self.is(filter)
            }

            /// Sorts by a column of the related row: `student::user.order(user::email.asc())`. Without a related row, the
            /// value counts as null.
            pub fn order(self, order: Order<C>) -> Order<P> {
                order.map(|key| OrderKey::related(Self::relation(), key), $optional)
            }

            /// Eagerly loads a relation of the related row.
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
    /// Matches if there is no related row.
    pub fn is_none(self) -> Filter<P> {
        !self.is_some()
    }

    /// Matches if there is a related row.
    pub fn is_some(self) -> Filter<P> {
        Filter::new(Self::related(Condition::ALL))
    }
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> Many<P, C, SLOT, BACK> {
    /// Matches if at least one related row matches the filter.
    pub fn some(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        filter.into().inside(Self::related)
    }

    /// Matches if every related row matches the filter, or if there are none. A row for which the filter is null does not
    /// match it.
    pub fn every(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        self.none(filter.into().inside::<C>(|condition| Condition::NotTrue(Box::new(condition))))
    }

    /// Matches if no related row matches the filter.
    pub fn none(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        !self.some(filter)
    }

    /// Loads only the rows that match the filter.
    pub fn filter(self, filter: impl Into<Filter<C>>) -> IncludeMany<Self, C> {
        IncludeMany::new().filter(filter)
    }

    /// Appends a sort key; earlier keys take precedence.
    pub fn order_by(self, order: Order<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().order_by(order)
    }

    /// Loads at most `rows` rows per parent row.
    pub fn take(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().take(rows)
    }

    /// Loads at most the last `rows` rows per parent row, in the relation's order.
    pub fn take_last(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().take_last(rows)
    }

    /// Keeps only the first of the rows that agree in these columns, per parent row.
    pub fn distinct(self, columns: impl Columns<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().distinct(columns)
    }

    /// Starts at the row with this key, including it.
    pub fn cursor(self, key: impl UniqueKey<C>) -> IncludeMany<Self, C> {
        IncludeMany::new().cursor(key)
    }

    /// Skips the first `rows` rows per parent row.
    pub fn skip(self, rows: u64) -> IncludeMany<Self, C> {
        IncludeMany::new().skip(rows)
    }

    /// Eagerly loads a relation of the rows.
    pub fn include<I>(self, include: I) -> IncludeMany<Self, Included<C, I::Relation, I::Row>>
    where
        I: IntoInclude,
        I::Relation: RelationOf<Parent = C>,
        C: CanInclude<I::Relation, I::Row>,
    {
        IncludeMany::<Self, C>::new().include(include)
    }

    /// Counts the related rows: a value for `select`, or a sort key.
    pub fn count(self) -> CountOf<P> {
        CountOf::new(Self::relation(), Condition::ALL)
    }
}

/// A to-one relation to include, with its own includes.
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

            /// Eagerly loads a relation of the rows.
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
    /// Loads only the rows that match the filter, in addition to earlier filters.
    pub fn filter(mut self, filter: impl Into<Filter<R::Child>>) -> Self {
        self.select.filter(filter.into().condition);
        self
    }

    /// Appends a sort key; earlier keys take precedence.
    pub fn order_by(mut self, order: Order<R::Child>) -> Self {
        self.select.order.push(order.term);
        self
    }

    /// Loads at most `rows` rows per parent row.
    pub fn take(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = false;
        self
    }

    /// Loads at most the last `rows` rows per parent row, in the relation's order, made total by the primary key. `skip`
    /// then leaves out rows at the end.
    pub fn take_last(mut self, rows: u64) -> Self {
        self.select.take = Some(rows);
        self.select.from_end = true;
        self
    }

    /// Keeps only the first of the rows that agree in these columns, per parent row.
    pub fn distinct(mut self, columns: impl Columns<R::Child>) -> Self {
        self.select.distinct = columns.numbers();
        self
    }

    /// Starts at the row with this key, including it; `skip(1)` leaves it out.
    pub fn cursor(mut self, key: impl UniqueKey<R::Child>) -> Self {
        self.select.cursor = Some(key.into_unique().values);
        self
    }

    /// Skips the first `rows` rows per parent row.
    pub fn skip(mut self, rows: u64) -> Self {
        self.select.skip = Some(rows);
        self
    }
}

impl<R: RelationOf> IncludeMany<R, R::Child> {
    /// Counts the related rows that match the filter: a value for `select`, or a sort key.
    pub fn count(self) -> CountOf<R::Parent> {
        CountOf::new(R::relation(), self.select.condition)
    }

    /// Selects only these values of the rows.
    pub fn select<T: Selection<R::Child>>(self, selection: T) -> SelectRelated<R, T> {
        SelectRelated::new(self.select, selection)
    }

    /// Reads the rows into a custom struct.
    pub fn select_as<T: Selectable<Model = R::Child>>(self) -> SelectRelated<R, As<T>> {
        self.select(As::new())
    }
}
