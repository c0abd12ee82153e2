//! Restricts the rows of a relation that are loaded, and the values that are read from them.

use std::marker::PhantomData;

use super::constant::{Refined, RelationField};
use crate::dsl::kind::{Arity, List, MayLackRows};
use crate::dsl::{
    As, CanInclude, Columns, Filter, Included, IntoInclude, Omits, Order, RelationOf, Scope, SelectRelated, Selectable,
    Selection, UniqueKey, include_of,
};
use crate::query::{Condition, Select};
use crate::rows::{Model, SoftDelete};

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q> RelationField<P, C, A, SLOT, BACK, S, Q>
where
    P: Model,
    C: Model,
    A: Arity,
    Q: Refined,
{
    /// Eagerly loads a relation of the related rows.
    #[allow(clippy::type_complexity, reason = "a name for it would hide what changes: the type of the rows")]
    pub fn include<I>(self, include: I) -> RelationField<P, C, A, SLOT, BACK, Included<S, I::Relation, I::Row>, Select>
    where
        I: IntoInclude,
        I::Relation: RelationOf<Parent = C>,
        S: CanInclude<I::Relation, I::Row>,
    {
        let mut select = self.query.into_select::<C>();
        select.include(include_of(include));
        RelationField { query: select, types: PhantomData }
    }
}

impl<P, C, A, const SLOT: usize, const BACK: usize, Q> RelationField<P, C, A, SLOT, BACK, C, Q>
where
    P: Model,
    C: Model,
    A: Arity,
    Q: Refined,
{
    /// Selects only these values of the related rows.
    pub fn select<T: Selection<C>>(self, selection: T) -> SelectRelated<RelationField<P, C, A, SLOT, BACK>, T> {
        SelectRelated::new(self.query.into_select::<C>(), selection)
    }

    /// Reads the related rows into a custom struct.
    pub fn select_as<T: Selectable<Model = C>>(self) -> SelectRelated<RelationField<P, C, A, SLOT, BACK>, As<T>> {
        self.select(As::new())
    }

    /// Reads the related rows with their omitted columns (`@omit`).
    pub fn with_omitted(self) -> SelectRelated<RelationField<P, C, A, SLOT, BACK>, As<C::Full>>
    where
        C: Omits,
    {
        self.select_as()
    }
}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q> RelationField<P, C, A, SLOT, BACK, S, Q>
where
    P: Model,
    C: Model,
    A: MayLackRows,
    Q: Refined,
{
    /// Also loads or counts related rows that a scope of their model leaves out (`@@scope`). A required relation has no
    /// such method: it leads to its row in any case.
    pub fn unscoped(self, scope: Scope<C>) -> RelationField<P, C, A, SLOT, BACK, S, Select> {
        self.lift(|condition| condition.unscoped(scope.place))
    }

    fn lift(self, change: impl FnOnce(Condition) -> Condition) -> RelationField<P, C, A, SLOT, BACK, S, Select> {
        let mut select = self.query.into_select::<C>();
        select.condition = change(std::mem::replace(&mut select.condition, Condition::ALL));
        RelationField { query: select, types: PhantomData }
    }
}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q> RelationField<P, C, A, SLOT, BACK, S, Q>
where
    P: Model,
    C: SoftDelete,
    A: MayLackRows,
    Q: Refined,
{
    /// Also loads or counts related rows that are deleted (`@softDelete`). A required relation has no such method: it
    /// leads to its row in any case.
    pub fn with_deleted(self) -> RelationField<P, C, A, SLOT, BACK, S, Select> {
        self.lift(Condition::with_deleted)
    }

    /// Loads or counts only related rows that are deleted (`@softDelete`).
    pub fn only_deleted(self) -> RelationField<P, C, A, SLOT, BACK, S, Select> {
        self.lift(Condition::only_deleted)
    }
}

impl<P, C, const SLOT: usize, const BACK: usize, S, Q> RelationField<P, C, List, SLOT, BACK, S, Q>
where
    P: Model,
    C: Model,
    Q: Refined,
{
    fn refine(self, change: impl FnOnce(&mut Select)) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        let mut select = self.query.into_select::<C>();
        change(&mut select);
        RelationField { query: select, types: PhantomData }
    }

    /// Loads only the rows that match the filter, in addition to earlier filters.
    pub fn filter(self, filter: impl Into<Filter<C>>) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.filter(filter.into().condition))
    }

    /// Appends a sort key; earlier keys take precedence.
    pub fn order_by(self, order: Order<C>) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.order.push(order.term))
    }

    /// Loads at most `rows` rows per parent row.
    pub fn take(self, rows: u64) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.take(rows))
    }

    /// Loads at most the last `rows` rows per parent row, in the relation's order, made total by the primary key. `skip`
    /// then leaves out rows at the end.
    pub fn take_last(self, rows: u64) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.take_last(rows))
    }

    /// Skips the first `rows` rows per parent row.
    pub fn skip(self, rows: u64) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.skip = Some(rows))
    }

    /// Keeps only the first of the rows that have the same values in these columns, per parent row.
    pub fn distinct(self, columns: impl Columns<C>) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.distinct = columns.numbers())
    }

    /// Starts at the row with this key, including it; `skip(1)` leaves it out.
    pub fn cursor(self, key: impl UniqueKey<C>) -> RelationField<P, C, List, SLOT, BACK, S, Select> {
        self.refine(|select| select.cursor = Some(key.into_unique().values))
    }
}
