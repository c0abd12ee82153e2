//! Relations to load eagerly, with a filter, an order and includes of their own.

use std::marker::PhantomData;

use crate::dsl::{
    As, CanInclude, Columns, CountOf, Filter, Included, IntoInclude, Order, RelationOf, SelectRelated, Selectable,
    Selection, UniqueKey, include_of,
};
use crate::query::Select;
use crate::rows::{FromRow, Model};

/// A to-one relation to include, with its own includes.
pub struct IncludeOne<R, S> {
    select: Select,
    types: PhantomData<fn() -> (R, S)>,
}

/// A to-many relation to include, with its own filter, order, page and includes.
///
/// ```
/// # use exam_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let students = db
///     .student()
///     .find_many()
///     .include(student::exams.filter(student_exam::score.is_not_null()).order_by(student_exam::score.desc()).take(3))
///     .await?;
/// # Ok(())
/// # }
/// ```
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
            pub(super) fn new() -> Self {
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
