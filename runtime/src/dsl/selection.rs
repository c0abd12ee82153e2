//! `select`: values instead of whole rows, as tuples of fields, counts and values of related rows.

use std::marker::PhantomData;

use super::order::Order;
use super::relation::RelationOf;
use crate::error::Result;
use crate::meta::Relation;
use crate::query::{Condition, Include, OrderKey, Output, Outputs, Select};
use crate::rows::{Cursor, FromRow, Model, Reader};

/// The argument of `select`: a field, a count, `relation.select(..)`, or a tuple of these.
#[diagnostic::on_unimplemented(message = "`{Self}` is not something that can be selected from `{M}`")]
pub trait Selection<M: Model>: Send + 'static {
    /// The type of the result.
    type Out: Send + 'static;

    /// Adds the values that it needs to the query.
    fn add_to(self, select: &mut Select);

    /// Reads it, at the position after everything that was read before.
    ///
    /// # Errors
    /// If a value does not fit its type.
    fn read(reader: &mut Reader<'_>) -> Result<Self::Out>;
}

pub(super) fn push_output(select: &mut Select, output: Output) {
    match &mut select.outputs {
        Outputs::All => select.outputs = Outputs::List(vec![output]),
        Outputs::List(outputs) => outputs.push(output),
    }
}

/// The number of rows of a to-many relation: a value for `select`, or with `asc` and `desc` a sort key.
///
/// ```
/// # use plain_planner::*;
/// # async fn example(db: &Client) -> relata::Result<()> {
/// let busiest: Vec<(relata::uuid::Uuid, i64)> = db
///     .student()
///     .find_many()
///     .order_by(student::exams.count().desc())
///     .take(10)
///     .select((student::id, student::exams.count()))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CountOf<M> {
    relation: &'static Relation,
    condition: Condition,
    model: PhantomData<fn() -> M>,
}

impl<M> CountOf<M> {
    pub(crate) fn new(relation: &'static Relation, condition: Condition) -> Self {
        Self { relation, condition, model: PhantomData }
    }

    /// Sorts by the number, lowest first.
    pub fn asc(self) -> Order<M> {
        Order::by(OrderKey::Count { relation: self.relation, condition: self.condition })
    }

    /// Sorts by the number, highest first.
    pub fn desc(self) -> Order<M> {
        self.asc().reversed()
    }
}

impl<M: Model> Selection<M> for CountOf<M> {
    type Out = i64;

    fn add_to(self, select: &mut Select) {
        push_output(select, Output::Count { relation: self.relation, condition: self.condition });
    }

    fn read(reader: &mut Reader<'_>) -> Result<i64> {
        reader.value()
    }
}

/// Values of the rows of a relation.
pub struct SelectRelated<R, S> {
    select: Select,
    selection: S,
    relation: PhantomData<fn() -> R>,
}

impl<R, S> SelectRelated<R, S> {
    pub(crate) fn new(select: Select, selection: S) -> Self {
        Self { select, selection, relation: PhantomData }
    }
}

impl<R, S> std::fmt::Debug for SelectRelated<R, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.select.fmt(f)
    }
}

/// A row of selected values, as the content of a relation's slot.
#[derive(Debug)]
pub struct Selected<M, S: Selection<M>>
where
    M: Model,
{
    value: S::Out,
    model: PhantomData<fn() -> M>,
}

impl<M: Model, S: Selection<M>> FromRow for Selected<M, S> {
    fn from_row(at: Cursor<'_>) -> Result<Self> {
        Ok(Self { value: S::read(&mut Reader::new(at))?, model: PhantomData })
    }
}

/// Unwraps the values, whatever the relation's arity.
pub trait Unwrap: Sized {
    /// The values.
    type Out: Send + 'static;

    /// Returns the values.
    fn unwrap_selected(self) -> Self::Out;
}

impl<M: Model, S: Selection<M>> Unwrap for Selected<M, S> {
    type Out = S::Out;

    fn unwrap_selected(self) -> S::Out {
        self.value
    }
}

impl<T: Unwrap> Unwrap for Option<T> {
    type Out = Option<T::Out>;

    fn unwrap_selected(self) -> Self::Out {
        self.map(T::unwrap_selected)
    }
}

impl<T: Unwrap> Unwrap for Vec<T> {
    type Out = Vec<T::Out>;

    fn unwrap_selected(self) -> Self::Out {
        self.into_iter().map(T::unwrap_selected).collect()
    }
}

impl<M, R, S> Selection<M> for SelectRelated<R, S>
where
    M: Model,
    R: RelationOf<Parent = M>,
    S: Selection<R::Child>,
    R::Rows<Selected<R::Child, S>>: Unwrap,
{
    type Out = <R::Rows<Selected<R::Child, S>> as Unwrap>::Out;

    fn add_to(mut self, select: &mut Select) {
        if !select.is_projection() {
            select.outputs = Outputs::List(Vec::new());
        }
        self.selection.add_to(&mut self.select);
        let slot = select.includes.len();
        select.includes.push(Include { slot, relation: R::relation(), select: self.select });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self::Out> {
        let rows: R::Rows<Selected<R::Child, S>> = reader.slot()?;
        Ok(rows.unwrap_selected())
    }
}

macro_rules! select_tuple {
    ($($type:ident),+) => {
        impl<Model_: Model, $($type: Selection<Model_>),+> Selection<Model_> for ($($type,)+) {
            type Out = ($($type::Out,)+);

            fn add_to(self, select: &mut Select) {
                #[allow(non_snake_case, reason = "a value is called like its type")]
                let ($($type,)+) = self;
                $($type.add_to(select);)+
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self::Out> {
                Ok(($($type::read(reader)?,)+))
            }
        }
    };
}

select_tuple!(A);
select_tuple!(A, B);
select_tuple!(A, B, C);
select_tuple!(A, B, C, D);
select_tuple!(A, B, C, D, E);
select_tuple!(A, B, C, D, E, F);
select_tuple!(A, B, C, D, E, F, G);
select_tuple!(A, B, C, D, E, F, G, H);
select_tuple!(A, B, C, D, E, F, G, H, I);
select_tuple!(A, B, C, D, E, F, G, H, I, J);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K, L);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K, L, N);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K, L, N, O);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K, L, N, O, P);
select_tuple!(A, B, C, D, E, F, G, H, I, J, K, L, N, O, P, Q);
