//! What columns and expressions can be compared with, set to, and computed from.

use super::expression::Expression;
use super::field::Field;
use super::kind::{OfColumn, OfExpression, OfServer, OfTime, OfValue, Optional, Required, Single, Source, Uniqueness};
use super::now::{Elapsed, Now, Today};
use super::temporal::{Day, Instant, Temporal};
use crate::query::{Form, Operand, OperandType};
use crate::rows::Model;
use crate::value::{Assigned, Compared, Number, Param, Scalar};

/// A part of an expression, for the runtime.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Computed(pub(super) Operand);

/// The form of a sum and what is added, for the runtime.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sum(pub(super) (Form, Operand));

/// What a value of type `T` of a row of `M` can be compared with: a value of that type, another column of the row, an
/// [`Expression`], or a time of the server. `K` is the kind of operand, which rustc infers.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, not `{Self}`",
    label = "expected a value for a column of type `{T}`",
    note = "a filter whose value may be missing is `eq_opt`, `lt_opt` and so on: they take an `Option`"
)]
pub trait Comparand<M, T, K> {
    /// Whether it can be null.
    type Arity: Single;

    #[doc(hidden)]
    fn into_operand(self) -> Computed;
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar, V: Compared<T>> Comparand<M, T, OfValue> for V {
    type Arity = Required;

    fn into_operand(self) -> Computed {
        Computed(Operand::value(self.into_compared().into_param()))
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Comparand<M, T, OfColumn> for Field<M, T, A, U, S> {
    type Arity = A;

    fn into_operand(self) -> Computed {
        Computed(self.operand())
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Scalar, A: Single> Comparand<M, T, OfExpression> for Expression<M, T, A> {
    type Arity = A;

    fn into_operand(self) -> Computed {
        Computed(self.operand())
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Instant>> Comparand<M, T, OfServer> for Now {
    type Arity = Required;

    fn into_operand(self) -> Computed {
        Computed(Operand::Now(self.into_query()))
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Day>> Comparand<M, T, OfServer> for Today {
    type Arity = Required;

    fn into_operand(self) -> Computed {
        Computed(Operand::Now(self.into_query()))
    }
}

/// What a column of type `T` and kind `A` of a row of `M` can be set to: a value of that type, another column of the row,
/// an [`Expression`], or a time of the server. Only an optional column can be set to what may be null. `K` is the kind of
/// operand, which rustc infers.
#[diagnostic::on_unimplemented(
    message = "this column holds `{T}`, not `{Self}`",
    label = "expected a value for a column of type `{T}`",
    note = "`to_opt(..)` takes an `Option`, and changes nothing for `None`; an optional column also has \
            `to_nullable(..)`, which writes NULL for `None`, and `set_null()`"
)]
pub trait NewValue<M, T, A, K> {
    #[doc(hidden)]
    fn into_operand(self) -> Computed;
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar, A, V: Assigned<T>> NewValue<M, T, A, OfValue> for V {
    fn into_operand(self) -> Computed {
        Computed(Operand::value(self.into_assigned().into_param()))
    }
}

/// Implements `NewValue` for operands that may be null.
macro_rules! new_values {
    ($([$($generic:tt)*] $of:ident $(, $more:ident)* as $kind:ident;)+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<M: Model, T: Scalar, $($generic)*> NewValue<M, T, Required, $kind> for $of<M, T, Required $(, $more)*> {
                fn into_operand(self) -> Computed {
                    Computed(self.operand())
                }
            }

            #[diagnostic::do_not_recommend]
            impl<M: Model, T: Scalar, B: Single, $($generic)*> NewValue<M, T, Optional, $kind> for $of<M, T, B $(, $more)*> {
                fn into_operand(self) -> Computed {
                    Computed(self.operand())
                }
            }
        )+
    };
}

new_values! {
    [U: Uniqueness, S: Source] Field, U, S as OfColumn;
    [] Expression as OfExpression;
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Instant>, A> NewValue<M, T, A, OfServer> for Now {
    fn into_operand(self) -> Computed {
        Computed(Operand::Now(self.into_query()))
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Day>, A> NewValue<M, T, A, OfServer> for Today {
    fn into_operand(self) -> Computed {
        Computed(Operand::Now(self.into_query()))
    }
}

/// What can be added to a value of type `T`: a number to a number, a span of time to a time. `K` is the kind of operand,
/// which rustc infers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to a `{T}`, or subtracted from it",
    label = "expected a number for a number, or a span of time for a time or a date"
)]
pub trait Addend<M, T, K> {
    /// Whether it can be null.
    type Arity: Single;

    #[doc(hidden)]
    fn into_sum(self, sign: char) -> Sum;
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Number>, K, V: Comparand<M, T, K>> Addend<M, T, (K,)> for V {
    type Arity = V::Arity;

    fn into_sum(self, sign: char) -> Sum {
        let operator = if sign == '-' { "-" } else { "+" };
        Sum((Form::Arithmetic(operator), self.into_operand().0))
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar<Base: Temporal>, E: Elapsed> Addend<M, T, OfTime> for E {
    type Arity = Required;

    fn into_sum(self, sign: char) -> Sum {
        let value = self.span().signed(sign == '-').param();
        let form = Form::Template(if T::Base::IS_DATE { "({} + {})::date" } else { "({} + {})" });
        Sum((form, Operand::Value { value, ty: OperandType::Named("text::interval") }))
    }
}

/// A value whose type tells that of the result: a value of the program, a column, or an [`Expression`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value, a column or an expression of `{M}`",
    label = "expected a value, a column or an expression"
)]
pub trait Term<M> {
    /// Its type.
    type Value: Scalar;
    /// Whether it can be null.
    type Arity: Single;

    #[doc(hidden)]
    fn into_term(self) -> Computed;
}

#[diagnostic::do_not_recommend]
impl<M, T: Scalar> Term<M> for T {
    type Value = T;
    type Arity = Required;

    fn into_term(self) -> Computed {
        Computed(Operand::value(self.into_param()))
    }
}

#[diagnostic::do_not_recommend]
impl<M> Term<M> for &str {
    type Value = String;
    type Arity = Required;

    fn into_term(self) -> Computed {
        Computed(Operand::value(Param::Text(self.to_owned())))
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Term<M> for Field<M, T, A, U, S> {
    type Value = T;
    type Arity = A;

    fn into_term(self) -> Computed {
        Computed(self.operand())
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Scalar, A: Single> Term<M> for Expression<M, T, A> {
    type Value = T;
    type Arity = A;

    fn into_term(self) -> Computed {
        Computed(self.operand())
    }
}
