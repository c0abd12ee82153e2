//! Relations as constants: the source of filters, includes and selections.

use std::marker::PhantomData;

use crate::dsl::{
    As, At, CanInclude, Columns, CountOf, Filter, IncludeMany, IncludeOne, Included, IntoInclude, Order, RelationOf,
    SelectRelated, Selectable, Selection, UniqueKey,
};
use crate::query::{Condition, OrderKey, Select};
use crate::rows::{FromRow, Model};

macro_rules! relation_constant {
    ($(#[$doc:meta])* $name:ident, $row:ident => $rows:ty) => {
        $(#[$doc])*
        ///
        /// `P` has the field and `C` is where it leads; `SLOT` is its place among `P`'s relations, and
        /// `BACK` the place among `C`'s of the field that `Create` must give, or [`ANY`](crate::dsl::ANY).
        pub struct $name<P, C, const SLOT: usize, const BACK: usize = { crate::dsl::ANY }> {
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
