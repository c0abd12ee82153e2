//! Relations as constants: the source of filters, sort keys, includes and selections.

use std::marker::PhantomData;

use crate::dsl::kind::{Arity, List, Optional, Single};
use crate::dsl::{ANY, At, CountOf, Filter, IntoInclude, Order, RelationOf};
use crate::query::{Condition, OrderKey, Select};
use crate::rows::{FromRow, Model};

type Types<P, C, A, S> = PhantomData<fn() -> (P, C, A, S)>;

/// A relation of model `P` that leads to model `C`: to one row if `A` is [`Required`](crate::kind::Required), to one or
/// none if it is [`Optional`], and to any number if it is [`List`].
///
/// `include` loads its rows. They can be filtered, sorted and limited for each row of `P`:
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let students = db
///     .student()
///     .find_many()
///     .include(student::exams.filter(student_exam::score.is_not_null()).order_by(student_exam::score.desc()).take(3))
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// `SLOT` is its position among the relations of `P`. `BACK` is the position, among the relations of `C`, of the field
/// that a nested `Create` sets to `Parent`, or [`ANY`]. `S` is the type of its rows, which `include` changes. `Q` is
/// `()` for the constant, and [`Select`] after `filter`, `take` and similar calls.
#[must_use = "it says which rows to load, and does nothing by itself"]
pub struct RelationField<P, C, A, const SLOT: usize, const BACK: usize = { ANY }, S = C, Q = ()> {
    pub(super) query: Q,
    pub(super) types: Types<P, C, A, S>,
}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q: Clone> Clone for RelationField<P, C, A, SLOT, BACK, S, Q> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), types: PhantomData }
    }
}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q: Copy> Copy for RelationField<P, C, A, SLOT, BACK, S, Q> {}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q> std::fmt::Debug for RelationField<P, C, A, SLOT, BACK, S, Q>
where
    P: Model,
    Q: Refined,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelationField({}", P::table().relations[SLOT].name)?;
        if let Some(select) = self.query.as_select() {
            write!(f, ", {select:?}")?;
        }
        f.write_str(")")
    }
}

impl<P: Model, C: Model, A: Arity, const SLOT: usize, const BACK: usize> RelationOf
    for RelationField<P, C, A, SLOT, BACK>
{
    type Parent = P;
    type Child = C;
    type Rows<T: FromRow> = A::Rows<T>;
    type Place = At<SLOT>;
    const SLOT: usize = SLOT;
}

/// The restrictions of a relation's rows: `()` for none, or [`Select`].
pub trait Refined: sealed::Sealed {
    #[doc(hidden)]
    fn into_select<C: Model>(self) -> Select;

    #[doc(hidden)]
    fn as_select(&self) -> Option<&Select>;
}

impl Refined for () {
    fn into_select<C: Model>(self) -> Select {
        Select::new(C::table())
    }

    fn as_select(&self) -> Option<&Select> {
        None
    }
}

impl Refined for Select {
    fn into_select<C: Model>(self) -> Select {
        self
    }

    fn as_select(&self) -> Option<&Select> {
        Some(self)
    }
}

mod sealed {
    /// Nothing else refines a relation.
    pub trait Sealed {}

    impl Sealed for () {}
    impl Sealed for crate::query::Select {}
}

impl<P, C, A, const SLOT: usize, const BACK: usize, S, Q> IntoInclude for RelationField<P, C, A, SLOT, BACK, S, Q>
where
    P: Model,
    C: Model,
    A: Arity,
    S: FromRow,
    Q: Refined,
{
    type Relation = RelationField<P, C, A, SLOT, BACK>;
    type Row = S;

    fn into_select(self) -> Select {
        self.query.into_select::<C>()
    }
}

impl<P: Model, C: Model, A: Arity, const SLOT: usize, const BACK: usize> RelationField<P, C, A, SLOT, BACK> {
    /// For generated code.
    #[allow(clippy::new_without_default, reason = "made only as constants")]
    pub const fn new() -> Self {
        Self { query: (), types: PhantomData }
    }

    fn related(condition: Condition) -> Condition {
        Condition::Related { relation: Self::relation(), condition: Box::new(condition) }
    }
}

impl<P: Model, C: Model, A: Single, const SLOT: usize, const BACK: usize> RelationField<P, C, A, SLOT, BACK> {
    /// Matches if the related row exists and matches the filter.
    pub fn is(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        filter.into().inside(Self::related)
    }

    /// Matches if the related row does not exist or does not match the filter.
    pub fn is_not(self, filter: impl Into<Filter<C>>) -> Filter<P> {
        !self.is(filter)
    }

    /// Sorts by a column of the related row: `student::user.order(user::email.asc())`. Without a related row, the value
    /// counts as null.
    pub fn order(self, order: Order<C>) -> Order<P> {
        order.map(|key| OrderKey::related(Self::relation(), key), A::NULLABLE)
    }
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationField<P, C, Optional, SLOT, BACK> {
    /// Matches if there is no related row.
    pub fn is_none(self) -> Filter<P> {
        !self.is_some()
    }

    /// Matches if there is a related row.
    pub fn is_some(self) -> Filter<P> {
        Filter::new(Self::related(Condition::ALL))
    }
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize> RelationField<P, C, List, SLOT, BACK> {
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
}

impl<P: Model, C: Model, const SLOT: usize, const BACK: usize, Q> RelationField<P, C, List, SLOT, BACK, C, Q>
where
    Q: Refined,
{
    /// Counts the related rows that match the filter: a value for `select`, or a sort key.
    pub fn count(self) -> CountOf<P> {
        let condition = self.query.into_select::<C>().condition;
        CountOf::new(RelationField::<P, C, List, SLOT, BACK>::relation(), condition)
    }
}
