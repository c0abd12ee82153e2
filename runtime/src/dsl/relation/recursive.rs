//! Relations of a model to itself that are followed step by step: all rows below a row, or above it.

use std::marker::PhantomData;

use super::constant::RelationField;
use super::{CanInclude, Included, IntoInclude, RelationOf, include_of};
use crate::dsl::kind::{Ancestors, Arity, Descendants, Direction, List, Single};
use crate::dsl::{Filter, Order, Scope};
use crate::query::{Condition, Recursion, RecursiveRows, Select};
use crate::rows::{FromRow, Model, SoftDelete};
use crate::value::Param;

/// The relation `R` as its slot holds it after [`Recursive`].
#[derive(Debug)]
pub struct RecursiveField<R, D>(PhantomData<fn() -> (R, D)>);

impl<R, D> Clone for RecursiveField<R, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, D> Copy for RecursiveField<R, D> {}

impl<R: RelationOf, D: Direction> RelationOf for RecursiveField<R, D> {
    type Parent = R::Parent;
    type Child = R::Child;
    type Rows<T: FromRow> = D::Rows<T>;
    type Place = R::Place;
    const SLOT: usize = R::SLOT;
}

type Types<R, D, S> = PhantomData<fn() -> (R, D, S)>;

/// All rows that the relation `R` leads to step by step, in the direction `D`: the result of
/// [`descendants`](RelationField::descendants) and [`ancestors`](RelationField::ancestors). `S` is the type of the rows,
/// which `include` changes.
#[must_use = "it says which rows to load, and does nothing by itself"]
pub struct Recursive<R, D, S> {
    select: Select,
    recursion: Recursion,
    types: Types<R, D, S>,
}

impl<R, D, S> Clone for Recursive<R, D, S> {
    fn clone(&self) -> Self {
        Self { select: self.select.clone(), recursion: self.recursion, types: PhantomData }
    }
}

impl<R: RelationOf, D, S> std::fmt::Debug for Recursive<R, D, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Recursion { rows, depth } = self.recursion;
        write!(f, "Recursive({}, {rows:?}, {depth:?}, {:?})", R::relation().name, self.select)
    }
}

/// The same model: a relation that is followed step by step leads to the model that it starts from.
#[diagnostic::on_unimplemented(
    message = "only a relation of a model to itself can be followed step by step",
    label = "this relation leads from `{M}` to `{Self}`",
    note = "to load relations of related rows, use `include` inside `include`"
)]
pub trait IsModel<M> {}

impl<M: Model> IsModel<M> for M {}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationField<P, C, List, SLOT, BACK> {
    /// Follows the relation step by step: to the rows that it leads to, to those that it leads to from them, and so on.
    ///
    /// Included, its slot is a list of trees ([`Tree`](crate::Tree)). As a filter, it is
    /// about all of these rows. In both, one statement with `WITH RECURSIVE` reads all levels, and a circle of rows ends
    /// where it closes.
    ///
    /// ```text
    /// let shop = db.category().find_many().filter(category::parent.is_none()).include(category::children.descendants());
    /// let in_books = db.category().find_many().filter(category::parent.ancestors().some(category::name.eq("books")));
    /// ```
    ///
    /// The foreign key has to be in one of the two rows: a many-to-many relation is refused.
    pub fn descendants(self) -> Recursive<Self, Descendants, C>
    where
        C: IsModel<P>,
    {
        Recursive::new()
    }
}

impl<P: Model, C: Model, A: Arity, const SLOT: usize, const BACK: usize> RelationField<P, C, A, SLOT, BACK> {
    /// Follows the relation step by step: to the row that it leads to, to the one that it leads to from there, and so on.
    ///
    /// Included, its slot is a list, the nearest row first. As a filter, it is about all of these rows. In both, one
    /// statement with `WITH RECURSIVE` reads all levels, and a circle of rows ends where it closes.
    pub fn ancestors(self) -> Recursive<Self, Ancestors, C>
    where
        A: Single,
        C: IsModel<P>,
    {
        Recursive::new()
    }
}

impl<R: RelationOf, D: Direction> Recursive<R, D, R::Child> {
    fn new() -> Self {
        let rows = if D::IS_TREE { RecursiveRows::Tree } else { RecursiveRows::Path };
        let recursion = Recursion { rows, depth: None };
        Self { select: Select::new(R::Child::table()), recursion, types: PhantomData }
    }

    fn reaching(self, filter: Filter<R::Child>) -> Filter<R::Parent> {
        let (recursion, relation) = (self.recursion, R::relation());
        if let Some(reason) = recursion.refused(relation) {
            return Filter::new(Condition::Refused(Param::Misuse(reason)));
        }
        let along = Box::new(self.select.condition);
        filter.inside(|condition| Condition::Reaches { relation, recursion, along, condition: Box::new(condition) })
    }

    /// Matches if at least one of the rows matches the filter.
    ///
    /// It starts at the rows that match, and follows the relation backward from there. So it is fast if few rows match,
    /// however many the table has.
    pub fn some(self, filter: impl Into<Filter<R::Child>>) -> Filter<R::Parent> {
        self.reaching(filter.into())
    }

    /// Matches if every one of the rows matches the filter, or if there are none. A row for which the filter is null does
    /// not match it.
    pub fn every(self, filter: impl Into<Filter<R::Child>>) -> Filter<R::Parent> {
        self.none(filter.into().inside::<R::Child>(|condition| Condition::NotTrue(Box::new(condition))))
    }

    /// Matches if none of the rows matches the filter.
    pub fn none(self, filter: impl Into<Filter<R::Child>>) -> Filter<R::Parent> {
        !self.some(filter)
    }
}

impl<R: RelationOf, D: Direction, S> Recursive<R, D, S> {
    /// Also follows the relation to rows that a scope of the model leaves out (`@@scope`), and from there.
    pub fn unscoped(self, scope: Scope<R::Child>) -> Self {
        self.lift(|condition| condition.unscoped(scope.place))
    }

    fn lift(self, lift: impl FnOnce(Condition) -> Condition) -> Self {
        self.change(|select| select.condition = lift(std::mem::replace(&mut select.condition, Condition::ALL)))
    }

    fn change(mut self, change: impl FnOnce(&mut Select)) -> Self {
        change(&mut self.select);
        self
    }

    /// Follows the relation at most this number of steps: with 1, only to the rows that it leads to directly.
    pub fn depth(mut self, steps: u32) -> Self {
        self.recursion.depth = Some(steps);
        self
    }

    /// Eagerly loads a relation of each of the rows.
    pub fn include<I>(self, include: I) -> Recursive<R, D, Included<S, I::Relation, I::Row>>
    where
        I: IntoInclude,
        I::Relation: RelationOf<Parent = R::Child>,
        S: CanInclude<I::Relation, I::Row>,
    {
        let Recursive { mut select, recursion, .. } = self;
        select.include(include_of(include));
        Recursive { select, recursion, types: PhantomData }
    }
}

impl<R: RelationOf, D: Direction, S> Recursive<R, D, S>
where
    R::Child: SoftDelete,
{
    /// Also follows the relation to rows that are deleted (`@softDelete`), and from there.
    pub fn with_deleted(self) -> Self {
        self.lift(Condition::with_deleted)
    }
}

impl<R: RelationOf, S> Recursive<R, Descendants, S> {
    /// Follows the relation only to rows that match the filter, in addition to earlier filters. What is below other rows
    /// is not reached.
    pub fn filter(self, filter: impl Into<Filter<R::Child>>) -> Self {
        self.change(|select| select.filter(filter.into().condition))
    }

    /// Appends a sort key of the rows that have the same parent; earlier keys take precedence.
    pub fn order_by(self, order: Order<R::Child>) -> Self {
        self.change(|select| select.order.push(order.term))
    }
}

impl<R: RelationOf, D: Direction, S: FromRow> IntoInclude for Recursive<R, D, S> {
    type Relation = RecursiveField<R, D>;
    type Row = S;

    fn into_select(self) -> Select {
        let Recursive { mut select, recursion, .. } = self;
        select.recursion = Some(recursion);
        if let Some(reason) = recursion.refused(R::relation()) {
            select.condition = Condition::Refused(Param::Misuse(reason));
        }
        select
    }
}
