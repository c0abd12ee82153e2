//! The slots of a row as a list of types: how one of them is filled, and how two rows of a model become one.
//!
//! Generated code says once per model how its `With` becomes such a list, and a list becomes `With`. All else is here,
//! so what is generated for a relation does not depend on how many others there are.

use std::marker::PhantomData;

use super::{At, Put};
use crate::rows::{FromRow, Model, NotIncluded, Tree};

/// The slots of a row: sixteen, and the rest in the same way. Those that a model does not have are `()`.
#[derive(Debug)]
#[allow(clippy::type_complexity, reason = "one parameter for each slot")]
pub struct Slots<
    A = (),
    B = (),
    C = (),
    D = (),
    E = (),
    F = (),
    G = (),
    H = (),
    I = (),
    J = (),
    K = (),
    L = (),
    M = (),
    N = (),
    O = (),
    P = (),
    Rest = (),
>(PhantomData<fn() -> (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Rest)>);

/// A row with slots for relations. Implemented by generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row with relations",
    label = "this is not a model, and not a model with relations"
)]
pub trait Slotted {
    /// The model.
    type Model: Model;
    /// What is in its slots.
    type Slots;
}

impl<M: Model> Slotted for M
where
    M::Bare: Slotted,
{
    type Model = <M::Bare as Slotted>::Model;
    type Slots = <M::Bare as Slotted>::Slots;
}

/// A model whose row with the slots `S` is known. Implemented by generated code.
pub trait RowOf<S> {
    /// The row.
    type Row;
}

/// Where the slot number `SLOT` is in [`Slots`]. Generated code implements it for the slots after the first sixteen.
pub trait PlaceOf<const SLOT: usize> {
    /// The path to the slot.
    type Path;
}

/// A path that begins in the rest.
#[derive(Debug)]
pub struct Next<P>(PhantomData<fn() -> P>);

/// Slots of which one can be replaced.
pub trait Replace<P, T> {
    /// The slots with `T` in place `P`.
    type Out;
}

impl<W: Slotted, T, const SLOT: usize> Put<At<SLOT>, T> for W
where
    W::Model: PlaceOf<SLOT>,
    W::Slots: Replace<<W::Model as PlaceOf<SLOT>>::Path, T>,
    W::Model: RowOf<<W::Slots as Replace<<W::Model as PlaceOf<SLOT>>::Path, T>>::Out>,
{
    type Out = <W::Model as RowOf<<W::Slots as Replace<<W::Model as PlaceOf<SLOT>>::Path, T>>::Out>>::Row;
}

/// What two slots of the same relation become in one row: at most one of them is filled.
#[diagnostic::on_unimplemented(
    message = "a relation is included by two of the rows",
    label = "both `{Self}` and `{Other}` are rows of it",
    note = "name a relation once in `WithAll`; what it includes itself is a parameter of its alias"
)]
pub trait Or<Other> {
    /// The slot in the row of both.
    type Out;
}

impl<T> Or<T> for NotIncluded {
    type Out = T;
}

impl<T: FromRow> Or<NotIncluded> for T {
    type Out = T;
}

impl<T: FromRow> Or<NotIncluded> for Option<T> {
    type Out = Option<T>;
}

impl<T: FromRow> Or<NotIncluded> for Vec<T> {
    type Out = Vec<T>;
}

impl<T: FromRow> Or<NotIncluded> for Vec<Tree<T>> {
    type Out = Vec<Tree<T>>;
}

impl Or<()> for () {
    type Out = ();
}

/// Replaces the slot of each number, and joins the slots of two rows.
macro_rules! slots {
    ($($number:literal $name:ident $other:ident,)*) => {
        $(
            impl<M: Model> PlaceOf<$number> for M {
                type Path = At<$number>;
            }
        )*

        slots!(replace [] $($number $name,)*);

        impl<$($name, $other,)* Rest, Other> Or<Slots<$($other,)* Other>> for Slots<$($name,)* Rest>
        where
            $($name: Or<$other>,)*
            Rest: Or<Other>,
        {
            type Out = Slots<$(<$name as Or<$other>>::Out,)* <Rest as Or<Other>>::Out>;
        }

        impl<Path, T, $($name,)* Rest: Replace<Path, T>> Replace<Next<Path>, T> for Slots<$($name,)* Rest> {
            type Out = Slots<$($name,)* Rest::Out>;
        }
    };
    (replace [$($before:ident)*] $number:literal $name:ident, $($numbers:literal $after:ident,)*) => {
        impl<Slot, $($before,)* $name, $($after,)* Rest> Replace<At<$number>, Slot>
            for Slots<$($before,)* $name, $($after,)* Rest>
        {
            type Out = Slots<$($before,)* Slot, $($after,)* Rest>;
        }

        slots!(replace [$($before)* $name] $($numbers $after,)*);
    };
    (replace [$($before:ident)*]) => {};
}

slots! {
    0 A A1, 1 B B1, 2 C C1, 3 D D1, 4 E E1, 5 F F1, 6 G G1, 7 H H1,
    8 I I1, 9 J J1, 10 K K1, 11 L L1, 12 M M1, 13 N N1, 14 O O1, 15 P P1,
}

/// Rows of one model that can be one row: see [`WithAll`].
pub trait Together {
    /// The model.
    type Model: Model;
    /// The slots of all of them.
    type Slots;
}

impl<A: Slotted> Together for (A,) {
    type Model = A::Model;
    type Slots = A::Slots;
}

/// Joins the first row with the others.
macro_rules! together {
    ($first:ident $($other:ident)+) => {
        impl<$first: Slotted, $($other),+> Together for ($first, $($other),+)
        where
            ($($other,)+): Together<Model = $first::Model>,
            $first::Slots: Or<<($($other,)+) as Together>::Slots>,
        {
            type Model = $first::Model;
            type Slots = <$first::Slots as Or<<($($other,)+) as Together>::Slots>>::Out;
        }

        together!($($other)+);
    };
    ($first:ident) => {};
}

together!(A B C D E F G H I J K L M N O P);

/// The row with the relations of several rows of the same model:
///
/// ```
/// # use plain_planner::*;
/// use relata::WithAll;
///
/// type Report = WithAll<(student::WithUser, student::WithExams<student_exam::WithExamType>)>;
///
/// fn title(report: &Report) -> String {
///     format!("{}: {} exams", report.user.email, report.exams.len())
/// }
/// ```
///
/// It does not depend on the order, nor on relations that the schema gets later.
pub type WithAll<T> = <<T as Together>::Model as RowOf<<T as Together>::Slots>>::Row;
